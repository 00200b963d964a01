/* fuzz_documents: documents of a spec that a person edited. The input is a list of edits, each of six bytes (which
 * document, where in two, how much is deleted, how much inserted, how often) and the text that is inserted. */
#include "plans.h"

static const char *const names[] = {"SPEC.md", "ACCEPTANCE.md", "ROUTES.md", "DATA.md"};

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    plans_open();
    return 0;
}

static void splice(struct arena *arena, json_t *documents, const uint8_t head[6], const uint8_t *text, size_t len) {
    CLEANUP(buf_release) struct buf out = {0};
    const char *name = names[head[0] % ARRAY_LEN(names)], *before = json_str(documents, name, "");
    size_t size = strlen(before), at = size ? (size_t)(head[1] << 8 | head[2]) % size : 0;
    size_t deleted = size - at < head[3] ? size - at : head[3];

    buf_put(&out, before, at);
    for (int i = 0; i <= head[5] % 4; i++)
        buf_put(&out, text, strnlen((const char *)text, len));
    buf_puts(&out, before + at + deleted);
    json_object_set_new(documents, name, json_string(str_mend(arena, out.data)));
}

static json_t *edited(struct arena *arena, const uint8_t *data, size_t size) {
    json_t *documents = json_own(arena, json_deep_copy(plans.spec.documents));

    while (size > 6) {
        size_t len = size - 6 < data[4] ? size - 6 : data[4];
        splice(arena, documents, data, data + 6, len);
        data += 6 + len;
        size -= 6 + len;
    }
    return documents;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_create();
    struct planner_edit edit = {.input = &plans_input,
                                .plan = plans.spec.plan,
                                .before = plans.spec.documents,
                                .after = edited(arena, data, size)};
    struct planner_spec spec = {0};
    json_t *feedback = NULL;
    struct err err = {0};
    int result = planner_edit(plans.planner, &edit, arena, &spec, &feedback, &err);

    FUZZ_HOLDS(result == 0 || result == -ERR_VALIDATION);
    if (result == 0) {
        FUZZ_HOLDS(json_equal(spec.documents, edit.after));
        plans_check(arena, spec.plan);
    }
    arena_destroy(arena);
    return 0;
}
