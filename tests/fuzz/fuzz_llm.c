/* fuzz_llm: the events of a model's answer, a line each, in the format that the first byte says; and the JSON in it. */
#include "fuzz.h"

#include "base/str.h"
#include "llm/wire.h"

static const struct llm_request request;

static void check_reply(const struct llm_reply *reply, struct arena *arena) {
    struct err err = {0};
    json_t *value = NULL;
    const char *text = llm_text(reply, arena);

    FUZZ_HOLDS(reply->part_count <= ANSWER_MAX_PARTS && str_is_utf8(text, strlen(text)));
    for (size_t i = 0; i < reply->part_count; i++) {
        const struct llm_part *part = &reply->parts[i];
        FUZZ_HOLDS(part->kind != LLM_TEXT || part->text[0]);
        FUZZ_HOLDS(part->kind != LLM_TOOL_CALL || (part->name[0] && part->id[0] && json_is_object(part->arguments)));
        FUZZ_HOLDS(part->kind != LLM_OPAQUE || part->opaque);
    }
    if (llm_json(reply, arena, &value, &err) == 0)
        FUZZ_HOLDS(json_is_object(value) || json_is_array(value));
}

/* What the last event made of the answer. */
static int take_events(struct answer *answer, const struct wire *wire, const uint8_t *data, size_t size,
                       struct arena *scratch, struct err *err) {
    int result = 0;

    while (size && result == 0) {
        CLEANUP(mem_freep) char *line = fuzz_part(&data, &size, '\n');
        json_t *event = NULL;
        if (json_parse(scratch, line, strlen(line), &event, NULL) == 0)
            result = wire->take_event(answer, event, scratch, err);
        arena_reset(scratch);
    }
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    const struct wire *wire = wire_of((enum llm_format)(data[0] % LLM_FORMAT_COUNT));
    struct arena *arena = arena_create(), *scratch = arena_create();
    struct answer *answer = mem_alloc(sizeof(*answer));
    struct llm_reply reply = {0};
    struct err err = {0};

    answer_init(answer, &request, arena);
    int result = take_events(answer, wire, data + 1, size - 1, scratch, &err);
    FUZZ_HOLDS(result >= 0 || (answer->refusal.fault != LLM_FAULT_NONE && err.message[0]));
    if (result >= 0 && answer_finish(answer, &reply, &err) == 0)
        check_reply(&reply, arena);
    answer_release(answer);
    free(answer);
    arena_destroy(scratch);
    arena_destroy(arena);
    return 0;
}
