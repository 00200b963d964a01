/* fuzz_json: the JSON reader; what it takes is written as JSON that reads back as the same. */
#include "fuzz.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"

static void check_taken(struct arena *arena, const json_t *value) {
    struct err err = {0};
    json_t *again = NULL;
    const char *text = json_text(arena, value);

    FUZZ_HOLDS(json_parse(arena, text, strlen(text), &again, &err) == 0);
    FUZZ_HOLDS(json_equal(value, again));
    (void)json_at(value, "a.0.b");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    CLEANUP(mem_freep) char *text = fuzz_copy(data, size);
    struct arena *arena = arena_create();
    struct err err = {0};
    json_t *value = NULL;
    int result = json_parse(arena, text, size, &value, &err);

    FUZZ_HOLDS(result == 0 || result == -ERR_VALIDATION);
    FUZZ_HOLDS((result == 0) == (value != NULL));
    if (value)
        check_taken(arena, value);
    else
        FUZZ_HOLDS(err.message[0] && str_is_utf8(err.message, strlen(err.message)) &&
                   str_is_utf8(err.field, strlen(err.field)));
    arena_destroy(arena);
    return 0;
}
