/* render: a JSON array of {"template", "contexts", "partials"} on stdin; an array of {"text"} or {"error"} on stdout.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/mustache.h"

static const char *partial(const char *name, size_t *len, void *arg) {
    const json_t *text = json_object_get(arg, name);
    *len = json_string_length(text);
    return json_string_value(text);
}

static void render_case(const json_t *given, struct jw *jw) {
    CLEANUP(buf_release) struct buf out = {0};
    struct err err = {0};
    const json_t *template = json_object_get(given, "template"), *list = json_object_get(given, "contexts");
    json_t *contexts[8];
    size_t count = json_array_size(list);
    for (size_t i = 0; i < count && i < ARRAY_LEN(contexts); i++)
        contexts[i] = json_array_get(list, i);
    int result = mustache_render(json_string_value(template), json_string_length(template), contexts, count, partial,
                                 json_object_get(given, "partials"), &out, &err);
    jw_object(jw);
    if (result < 0)
        jw_kstr(jw, "error", err.message);
    else {
        jw_key(jw, "text");
        jw_strn(jw, out.data, out.len);
    }
    jw_object_end(jw);
}

int main(void) {
    CLEANUP(buf_release) struct buf input = {0}, output = {0};
    struct arena *arena = arena_create();
    struct err err = {0};
    json_t *cases = NULL;
    char chunk[65536];
    for (size_t got; (got = fread(chunk, 1, sizeof(chunk), stdin)) > 0;)
        buf_put(&input, chunk, got);
    if (json_parse(arena, input.data, input.len, &cases, &err) < 0) {
        (void)fprintf(stderr, "%s\n", err.message);
        arena_destroy(arena);
        return 2;
    }
    struct jw jw;
    jw_init(&jw, &output);
    jw_array(&jw);
    for (size_t i = 0; i < json_array_size(cases); i++)
        render_case(json_array_get(cases, i), &jw);
    jw_array_end(&jw);
    (void)puts(output.data);
    arena_destroy(arena);
    return 0;
}
