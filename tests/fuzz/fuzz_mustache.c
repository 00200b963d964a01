/* fuzz_mustache: a template, and behind a NUL the JSON that it is rendered with; a partial is the template itself. */
#include "fuzz.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/mustache.h"
#include "base/str.h"

struct self {
    const char *text;
    size_t len;
};

static const char *partial(const char *name, size_t *len, void *arg) {
    const struct self *self = arg;
    *len = self->len;
    return str_eq(name, "self") ? self->text : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    CLEANUP(mem_freep) char *text = fuzz_part(&data, &size, '\0');
    struct arena *arena = arena_create();
    struct self self = {text, strlen(text)};
    struct err err = {0};
    json_t *context = NULL;
    struct buf out;

    buf_init(&out, 64 * 1024);
    if (json_parse(arena, (const char *)data, size, &context, &err) < 0)
        context = json_own(arena, json_object());
    int result = mustache_render(text, self.len, &context, 1, partial, &self, &out, &err);
    FUZZ_HOLDS(result == 0 || result == -ERR_VALIDATION || (result < 0 && out.overflowed));
    buf_release(&out);
    arena_destroy(arena);
    return 0;
}
