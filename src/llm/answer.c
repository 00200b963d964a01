/* answer: putting an answer together from the events of a stream, under limits. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "llm/wire.h"

void answer_init(struct answer *answer, const struct llm_request *request, struct arena *arena) {
    memset(answer, 0, sizeof(*answer));
    answer->request = request;
    answer->arena = arena;
}

void answer_release(struct answer *answer) {
    for (size_t i = 0; i < answer->count; i++) {
        buf_release(&answer->slots[i].text);
        buf_release(&answer->slots[i].extra);
    }
    answer->count = 0;
}

int answer_fail(struct answer *answer, enum llm_fault fault, bool is_retryable, struct err *err, const char *format,
                ...) {
    char message[400];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    answer->refusal = (struct refusal){.fault = fault, .is_retryable = is_retryable};
    return err_set(err, fault_code(fault), "%s", message);
}

struct slot *answer_add(struct answer *answer, enum llm_part_kind kind, int64_t key, struct err *err) {
    if (answer->count == ANSWER_MAX_PARTS) {
        (void)answer_fail(answer, LLM_FAULT_TOO_LARGE, false, err, "the answer has more than %d parts",
                          ANSWER_MAX_PARTS);
        return NULL;
    }
    struct slot *slot = &answer->slots[answer->count++];
    *slot = (struct slot){.kind = kind, .key = key};
    return slot;
}

struct slot *answer_find(struct answer *answer, int64_t key) {
    for (size_t i = 0; i < answer->count; i++) {
        if (answer->slots[i].key == key)
            return &answer->slots[i];
    }
    return NULL;
}

int answer_put(struct answer *answer, struct buf *out, const char *text, struct err *err) {
    size_t len = strlen(text);
    if (len > LLM_MAX_ANSWER_BYTES - answer->bytes)
        return answer_fail(answer, LLM_FAULT_TOO_LARGE, false, err, "the answer is larger than %d bytes",
                           LLM_MAX_ANSWER_BYTES);
    answer->bytes += len;
    buf_put(out, text, len);
    return 0;
}

int answer_say(struct answer *answer, struct slot *slot, const char *text, struct err *err) {
    int rc = answer_put(answer, &slot->text, text, err);
    if (rc == 0 && text[0] && answer->request->on_text)
        answer->request->on_text(text, answer->request->text_arg);
    return rc;
}

/* A call without arguments may come without a byte of them. What is no object is the model's slip, and another try may
 * do better; but what the limit cut off is none that was meant. */
static int read_arguments(struct answer *answer, const struct slot *slot, json_t **out, struct err *err) {
    struct err why = {0};
    const char *text = slot->text.len ? slot->text.data : "{}";
    int rc = json_parse(answer->arena, text, strlen(text), out, &why);
    if (rc < 0)
        return answer_fail(answer, LLM_FAULT_FORMAT, true, err, "the arguments of %s are not JSON: %s", slot->name,
                           why.message);
    if (!json_is_object(*out))
        return answer_fail(answer, LLM_FAULT_FORMAT, true, err, "the arguments of %s are no object", slot->name);
    return 0;
}

static int finish_call(struct answer *answer, const struct slot *slot, struct llm_part *part, struct err *err) {
    if (!slot->name || !slot->name[0])
        return answer_fail(answer, LLM_FAULT_FORMAT, true, err, "a tool call without a name");
    part->name = slot->name;
    /* Some servers give no ids; ours are as unique as the conversation needs. */
    part->id = slot->id && slot->id[0] ? slot->id
                                       : arena_printf(answer->arena, "call_%zu_%zu", answer->request->message_count,
                                                      (size_t)(slot - answer->slots));
    return read_arguments(answer, slot, &part->arguments, err);
}

/* True when the part came to be one; false when there is nothing to it. */
static int finish_slot(struct answer *answer, struct slot *slot, struct llm_part *part, bool *is_one, struct err *err) {
    *part = (struct llm_part){.kind = slot->kind};
    *is_one = true;
    switch (slot->kind) {
    case LLM_TEXT:
        *is_one = slot->text.len > 0;
        part->text = arena_strndup(answer->arena, str_or(slot->text.data, ""), slot->text.len);
        return 0;
    case LLM_TOOL_CALL: {
        struct err cut = {0};
        int rc = finish_call(answer, slot, part, &cut);
        *is_one = rc == 0;
        if (rc < 0 && answer->stop == LLM_STOP_LENGTH) {
            answer->refusal = (struct refusal){0};
            return 0;
        }
        if (rc < 0 && err)
            *err = cut;
        return rc;
    }
    case LLM_OPAQUE:
        *is_one = slot->opaque != NULL;
        part->name = slot->name;
        part->opaque = slot->opaque;
        return 0;
    case LLM_TOOL_RESULT:
        *is_one = false;
        return 0;
    }
    return 0;
}

int answer_finish(struct answer *answer, struct llm_reply *reply, struct err *err) {
    struct llm_part *parts = arena_array(answer->arena, answer->count + 1, sizeof(*parts));
    size_t count = 0;
    bool has_call = false;

    for (size_t i = 0; i < answer->count; i++) {
        bool is_one = false;
        int rc = finish_slot(answer, &answer->slots[i], &parts[count], &is_one, err);
        if (rc < 0)
            return rc;
        has_call = has_call || (is_one && parts[count].kind == LLM_TOOL_CALL);
        count += is_one;
    }
    reply->parts = parts;
    reply->part_count = count;
    /* Some servers say that they are done, and call tools all the same. */
    reply->stop = has_call && answer->stop == LLM_STOP_END ? LLM_STOP_TOOLS : answer->stop;
    reply->model = answer->model;
    return 0;
}
