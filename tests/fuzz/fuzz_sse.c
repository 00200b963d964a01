/* fuzz_sse: the reader of event streams; it says the same however the bytes are portioned. */
#include "fuzz.h"

#include "base/buf.h"
#include "net/net.h"

static int note(const struct sse_event *event, void *arg) {
    buf_printf(arg, "%s|%s|%s\n", event->id, event->type, event->data);
    return 0;
}

static int read_all(const char *data, size_t size, size_t portion, struct buf *out) {
    struct sse_reader *reader = sse_reader_create(note, out, 1000);
    struct err err = {0};
    int result = 0;

    for (size_t at = 0; at < size && result == 0; at += portion) {
        size_t len = size - at < portion ? size - at : portion;
        CLEANUP(mem_freep) char *exact = fuzz_copy(data + at, len);
        result = sse_reader_feed(reader, exact, len, &err);
    }
    sse_reader_destroy(reader);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    CLEANUP(buf_release) struct buf whole = {0}, bytes = {0};
    const char *text = size ? (const char *)data : "";
    int result = read_all(text, size, size ? size : 1, &whole);

    FUZZ_HOLDS(result == 0 || result == -ERR_TOO_LARGE);
    FUZZ_HOLDS(read_all(text, size, 1, &bytes) == result);
    FUZZ_HOLDS(whole.len == bytes.len && (whole.len == 0 || memcmp(whole.data, bytes.data, whole.len) == 0));
    return 0;
}
