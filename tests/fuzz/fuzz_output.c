/* fuzz_output: what commands write, kept within bounds, in portions of the length that the first byte says. */
#include "fuzz.h"

#include "base/arena.h"
#include "sandbox/output.h"

enum { HEAD_BYTES = 50, RING_BYTES = 30, LINE_BYTES = 20 };

static void on_line(const char *line, size_t len, void *arg) {
    FUZZ_HOLDS(len <= LINE_BYTES && !memchr(line, '\n', len));
    ++*(size_t *)arg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_create();
    struct output output;
    size_t lines = 0, len = 0, portion = size ? data[0] + 1U : 1;

    output_init(&output, HEAD_BYTES, RING_BYTES);
    output_watch(&output, LINE_BYTES, on_line, &lines);
    for (size_t at = 0; at < size; at += portion)
        output_put(&output, (const char *)data + at, size - at < portion ? size - at : portion);
    output_end(&output);
    const char *text = output_text(&output, arena, &len);
    FUZZ_HOLDS(output.total_bytes == (int64_t)size && lines <= size && text[len] == '\0');
    FUZZ_HOLDS(len <= HEAD_BYTES + RING_BYTES + 100);
    if (size <= HEAD_BYTES + RING_BYTES)
        FUZZ_HOLDS(len == size && (size == 0 || memcmp(text, data, size) == 0));
    output_release(&output);
    arena_destroy(arena);
    return 0;
}
