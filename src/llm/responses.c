/* responses: OpenAI's Responses API, with nothing kept on the server. Source: platform.openai.com, "API reference:
 * Responses", "Streaming events". */
#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"
#include "llm/wire.h"

/* ---- The request. ---- */

static void put_text(struct jw *jw, const char *role, const char *type, const char *text) {
    if (!text[0])
        return;
    jw_object(jw);
    jw_kstr(jw, "type", "message");
    jw_kstr(jw, "role", role);
    jw_key(jw, "content");
    jw_array(jw);
    jw_object(jw);
    jw_kstr(jw, "type", type);
    jw_kstr(jw, "text", text);
    jw_object_end(jw);
    jw_array_end(jw);
    jw_object_end(jw);
}

static void put_call(struct jw *jw, const struct llm_part *part, struct arena *arena) {
    jw_object(jw);
    jw_kstr(jw, "type", "function_call");
    jw_kstr(jw, "call_id", part->id);
    jw_kstr(jw, "name", part->name);
    jw_kstr(jw, "arguments", json_text(arena, part->arguments));
    jw_object_end(jw);
}

static void put_result(struct jw *jw, const struct llm_part *part, struct arena *arena) {
    jw_object(jw);
    jw_kstr(jw, "type", "function_call_output");
    jw_kstr(jw, "call_id", part->id);
    jw_kstr(jw, "output", body_result(part, arena));
    jw_object_end(jw);
}

static void put_message(struct jw *jw, const struct llm_message *message, struct arena *arena) {
    bool is_user = message->role == LLM_USER;
    for (size_t i = 0; i < message->part_count; i++) {
        const struct llm_part *part = &message->parts[i];
        switch (part->kind) {
        case LLM_TEXT:
            put_text(jw, is_user ? "user" : "assistant", is_user ? "input_text" : "output_text", part->text);
            break;
        case LLM_TOOL_CALL:
            put_call(jw, part, arena);
            break;
        case LLM_TOOL_RESULT:
            put_result(jw, part, arena);
            break;
        case LLM_OPAQUE:
            if (body_is_opaque_of(part, LLM_RESPONSES))
                jw_value(jw, part->opaque);
            break;
        }
    }
}

/* Not strict: that takes only schemas in which all is required, and is what the server does when nothing is said. */
static void put_tools(struct jw *jw, const struct llm_request *request) {
    if (!request->tool_count)
        return;
    jw_key(jw, "tools");
    jw_array(jw);
    for (size_t i = 0; i < request->tool_count; i++) {
        jw_object(jw);
        jw_kstr(jw, "type", "function");
        jw_kstr(jw, "name", request->tools[i].name);
        jw_kstr(jw, "description", request->tools[i].description);
        jw_key(jw, "parameters");
        jw_value(jw, request->tools[i].schema);
        jw_kbool(jw, "strict", false);
        jw_object_end(jw);
    }
    jw_array_end(jw);
}

static void put_format(struct jw *jw, const struct llm_output *output) {
    if (!output)
        return;
    jw_key(jw, "text");
    jw_object(jw);
    jw_key(jw, "format");
    jw_object(jw);
    jw_kstr(jw, "type", "json_schema");
    jw_kstr(jw, "name", output->name);
    jw_key(jw, "schema");
    jw_value(jw, output->schema);
    jw_kbool(jw, "strict", output->is_strict);
    jw_object_end(jw);
    jw_object_end(jw);
}

/* What a model thought comes back sealed, since the server keeps nothing; models that do not think refuse to be asked.
 */
static bool is_thinking(const struct llm_model *model) {
    return !str_starts(model->name, "gpt-4") && !str_starts(model->name, "gpt-3") &&
           !str_starts(model->name, "chatgpt-");
}

/* Requests with one beginning go where it is cached. */
static void put_cache_key(struct jw *jw, const struct llm_request *request) {
    char hash[HASH_HEX_LEN];
    if (!request->system)
        return;
    hash_sha256_hex(hash, request->system, __builtin_strlen(request->system));
    hash[32] = '\0';
    jw_kstr(jw, "prompt_cache_key", hash);
}

static void put_body(struct jw *jw, const struct llm_model *model, const struct llm_request *request,
                     struct arena *arena) {
    jw_object(jw);
    jw_kstr(jw, "model", model->name);
    jw_kint(jw, "max_output_tokens", body_max_tokens(model, request));
    jw_kbool(jw, "stream", true);
    jw_kbool(jw, "store", false);
    if (is_thinking(model))
        jw_kraw(jw, "include", "[\"reasoning.encrypted_content\"]");
    put_cache_key(jw, request);
    if (request->system && request->system[0])
        jw_kstr(jw, "instructions", request->system);
    put_tools(jw, request);
    put_format(jw, request->output);
    jw_key(jw, "input");
    jw_array(jw);
    for (size_t i = 0; i < request->message_count; i++)
        put_message(jw, &request->messages[i], arena);
    jw_array_end(jw);
    jw_object_end(jw);
}

/* ---- The answer. Items count when they are done, as a whole; the deltas of text before are for whoever watches. ----
 */

static int broken(struct answer *answer, struct err *err, const char *what) {
    return answer_fail(answer, LLM_FAULT_FORMAT, true, err, "the stream is not as Responses': %s", what);
}

static int take_message(struct answer *answer, struct slot *slot, const json_t *item, struct err *err) {
    const json_t *content = json_object_get(item, "content");
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < json_array_size(content); i++) {
        const json_t *part = json_array_get(content, i);
        const char *refusal = json_str(part, "refusal", NULL);
        if (refusal)
            answer->stop = LLM_STOP_REFUSAL;
        rc = answer_put(answer, &slot->text, refusal ? refusal : json_str(part, "text", ""), err);
    }
    return rc;
}

static int take_call(struct answer *answer, struct slot *slot, const json_t *item, struct err *err) {
    slot->id = arena_strdup(answer->arena, json_str(item, "call_id", NULL));
    slot->name = arena_strdup(answer->arena, json_str(item, "name", NULL));
    if (!slot->id || !slot->name)
        return broken(answer, err, "a function_call without call_id or name");
    return answer_put(answer, &slot->text, json_str(item, "arguments", ""), err);
}

/* Reasoning that is not sealed cannot be sent back; what a later API may add is left alone. */
static int take_reasoning(struct answer *answer, struct slot *slot, const json_t *item, struct err *err) {
    const char *sealed = json_str(item, "encrypted_content", NULL);
    slot->name = llm_format_name(LLM_RESPONSES);
    if (!sealed)
        return 0;
    slot->opaque = json_own(answer->arena, json_deep_copy(item));
    (void)json_object_del(slot->opaque, "status"); /* the server gives it and does not take it */
    return answer_put(answer, &slot->text, sealed, err);
}

static int take_item(struct answer *answer, const json_t *item, int64_t index, struct err *err) {
    const char *type = json_str(item, "type", "");
    bool is_message = str_eq(type, "message"), is_call = str_eq(type, "function_call");

    if (answer_find(answer, index))
        return broken(answer, err, "an item that was done before");
    struct slot *slot = answer_add(answer, is_message ? LLM_TEXT : is_call ? LLM_TOOL_CALL : LLM_OPAQUE, index, err);
    if (!slot)
        return -ERR_UNAVAILABLE;
    if (is_message)
        return take_message(answer, slot, item, err);
    if (is_call)
        return take_call(answer, slot, item, err);
    return str_eq(type, "reasoning") ? take_reasoning(answer, slot, item, err) : 0;
}

static void take_usage(struct answer *answer, const json_t *usage) {
    if (!json_is_object(usage))
        return;
    answer->has_usage = true;
    answer->usage.input_tokens = json_int(usage, "input_tokens", 0);
    answer->usage.output_tokens = json_int(usage, "output_tokens", 0);
    answer->usage.cached_input_tokens = json_int(json_object_get(usage, "input_tokens_details"), "cached_tokens", 0);
}

static int take_end(struct answer *answer, const json_t *response, struct err *err) {
    const json_t *output = json_object_get(response, "output");
    const char *reason = json_string_value(json_at(response, "incomplete_details.reason"));
    int rc = 0;

    answer->model = arena_strdup(answer->arena, json_str(response, "model", answer->model));
    take_usage(answer, json_object_get(response, "usage"));
    if (str_eq(reason, "content_filter"))
        answer->stop = LLM_STOP_REFUSAL;
    else if (reason)
        answer->stop = LLM_STOP_LENGTH;
    /* Some servers tell the items only here. */
    for (size_t i = 0; rc == 0 && answer->count == i && i < json_array_size(output); i++)
        rc = take_item(answer, json_array_get(output, i), (int64_t)i, err);
    return rc < 0 ? rc : ANSWER_DONE;
}

/* Text that is on its way; it counts once its item is done. */
static void show(const struct answer *answer, const char *text) {
    if (text[0] && answer->request->on_text)
        answer->request->on_text(text, answer->request->text_arg);
}

static int take_event(struct answer *answer, const json_t *event, struct arena *scratch, struct err *err) {
    const char *type = json_str(event, "type", "");
    const json_t *response = json_object_get(event, "response");

    if (str_eq(type, "response.output_text.delta")) {
        show(answer, json_str(event, "delta", ""));
        return 0;
    }
    if (str_eq(type, "response.created")) {
        answer->model = arena_strdup(answer->arena, json_str(response, "model", NULL));
        return 0;
    }
    if (str_eq(type, "response.output_item.done"))
        return take_item(answer, json_object_get(event, "item"), json_int(event, "output_index", -1), err);
    if (str_eq(type, "response.completed") || str_eq(type, "response.incomplete"))
        return take_end(answer, response, err);
    if (str_eq(type, "response.failed")) {
        take_usage(answer, json_object_get(response, "usage"));
        return refusal_event(answer, json_object_get(response, "error"), err);
    }
    if (str_eq(type, "error"))
        return refusal_event(answer, json_object_get(event, "error") ? json_object_get(event, "error") : event, err);
    return 0;
}

const struct wire wire_responses = {
    .default_url = "https://api.openai.com",
    .v1 = "/v1",
    .path = "/responses",
    .headers = body_bearer,
    .put_body = put_body,
    .take_event = take_event,
};
