/* chat: Chat Completions, of OpenAI and of the many servers that are compatible. Source: platform.openai.com,
 * "API reference: Chat". */
#include "base/mem.h"
#include "base/str.h"
#include "llm/wire.h"

enum { TEXT_KEY = -1 };

/* ---- The request. ---- */

static void put_calls(struct jw *jw, const struct llm_message *message, struct arena *arena) {
    bool is_open = false;
    for (size_t i = 0; i < message->part_count; i++) {
        const struct llm_part *part = &message->parts[i];
        if (part->kind != LLM_TOOL_CALL)
            continue;
        if (!is_open) {
            jw_key(jw, "tool_calls");
            jw_array(jw);
            is_open = true;
        }
        jw_object(jw);
        jw_kstr(jw, "id", part->id);
        jw_kstr(jw, "type", "function");
        jw_key(jw, "function");
        jw_object(jw);
        jw_kstr(jw, "name", part->name);
        jw_kstr(jw, "arguments", json_text(arena, part->arguments));
        jw_object_end(jw);
        jw_object_end(jw);
    }
    if (is_open)
        jw_array_end(jw);
}

/* Results come before whatever else the user says: each call must be answered at once. */
static void put_results(struct jw *jw, const struct llm_message *message, struct arena *arena) {
    for (size_t i = 0; i < message->part_count; i++) {
        const struct llm_part *part = &message->parts[i];
        if (part->kind != LLM_TOOL_RESULT)
            continue;
        jw_object(jw);
        jw_kstr(jw, "role", "tool");
        jw_kstr(jw, "tool_call_id", part->id);
        jw_kstr(jw, "content", body_result(part, arena));
        jw_object_end(jw);
    }
}

static void put_message(struct jw *jw, const struct llm_message *message, struct arena *arena) {
    const char *text = body_text(message, arena);

    put_results(jw, message, arena);
    if (message->role == LLM_USER && !text)
        return;
    jw_object(jw);
    jw_kstr(jw, "role", message->role == LLM_USER ? "user" : "assistant");
    jw_kstr(jw, "content", text);
    put_calls(jw, message, arena);
    jw_object_end(jw);
}

static void put_messages(struct jw *jw, const struct llm_request *request, struct arena *arena) {
    jw_key(jw, "messages");
    jw_array(jw);
    if (request->system && request->system[0]) {
        jw_object(jw);
        jw_kstr(jw, "role", "system");
        jw_kstr(jw, "content", request->system);
        jw_object_end(jw);
    }
    for (size_t i = 0; i < request->message_count; i++)
        put_message(jw, &request->messages[i], arena);
    jw_array_end(jw);
}

static void put_format(struct jw *jw, const struct llm_output *output) {
    jw_key(jw, "response_format");
    jw_object(jw);
    jw_kstr(jw, "type", "json_schema");
    jw_key(jw, "json_schema");
    jw_object(jw);
    jw_kstr(jw, "name", output->name);
    jw_key(jw, "schema");
    jw_value(jw, output->schema);
    jw_kbool(jw, "strict", output->is_strict);
    jw_object_end(jw);
    jw_object_end(jw);
}

/* OpenAI's newer models refuse the name that all the others know. */
static const char *limit_name(const struct llm_model *model) {
    return str_contains_nocase(str_or(model->base_url, wire_chat.default_url), "openai.") ? "max_completion_tokens"
                                                                                          : "max_tokens";
}

static void put_body(struct jw *jw, const struct llm_model *model, const struct llm_request *request,
                     struct arena *arena) {
    jw_object(jw);
    jw_kstr(jw, "model", model->name);
    jw_kint(jw, limit_name(model), body_max_tokens(model, request));
    jw_kbool(jw, "stream", true);
    jw_kraw(jw, "stream_options", "{\"include_usage\":true}");
    put_messages(jw, request, arena);
    if (request->tool_count) {
        jw_key(jw, "tools");
        jw_array(jw);
        body_function_tools(jw, request);
        jw_array_end(jw);
    }
    if (request->output)
        put_format(jw, request->output);
    jw_object_end(jw);
}

/* ---- The answer. ---- */

static int broken(struct answer *answer, struct err *err, const char *what) {
    return answer_fail(answer, LLM_FAULT_FORMAT, true, err, "the stream is not as Chat Completions': %s", what);
}

static int take_text(struct answer *answer, const char *text, struct err *err) {
    if (!text || !text[0])
        return 0;
    struct slot *slot = answer_find(answer, TEXT_KEY);
    if (!slot)
        slot = answer_add(answer, LLM_TEXT, TEXT_KEY, err);
    return slot ? answer_say(answer, slot, text, err) : -ERR_UNAVAILABLE;
}

/* The highest key of a call so far; -1 for none. */
static int64_t last_key(const struct answer *answer) {
    int64_t last = -1;
    for (size_t i = 0; i < answer->count; i++)
        last = answer->slots[i].kind == LLM_TOOL_CALL && answer->slots[i].key > last ? answer->slots[i].key : last;
    return last;
}

/* Which call a fragment belongs to. Some servers leave the index out: then a new id begins a new call. */
static int64_t key_of(const struct answer *answer, const json_t *call) {
    int64_t last = last_key(answer);
    const char *id = json_str(call, "id", NULL);
    if (json_is_integer(json_object_get(call, "index")))
        return json_int(call, "index", 0);
    if (last < 0)
        return 0;
    const struct slot *slot = answer_find((struct answer *)answer, last);
    return id && id[0] && !str_eq(id, slot->id) ? last + 1 : last;
}

static int take_call(struct answer *answer, const json_t *call, struct err *err) {
    const json_t *function = json_object_get(call, "function");
    const char *id = json_str(call, "id", ""), *name = json_str(function, "name", "");
    int64_t key = key_of(answer, call);
    struct slot *slot = key >= 0 ? answer_find(answer, key) : NULL;

    if (!slot) {
        if (key != last_key(answer) + 1)
            return broken(answer, err, "a tool call out of order");
        if (!name[0])
            return broken(answer, err, "a tool call without a name");
        slot = answer_add(answer, LLM_TOOL_CALL, key, err);
        if (!slot)
            return -ERR_UNAVAILABLE;
        slot->name = arena_strdup(answer->arena, name);
    } else if (name[0] && !str_eq(name, slot->name)) {
        return broken(answer, err, "a tool call with two names");
    }
    if (id[0] && slot->id && !str_eq(id, slot->id))
        return broken(answer, err, "a tool call with two ids");
    if (id[0] && !slot->id)
        slot->id = arena_strdup(answer->arena, id);
    return answer_put(answer, &slot->text, json_str(function, "arguments", ""), err);
}

static void take_stop(struct answer *answer, const char *reason) {
    if (!reason)
        return;
    answer->has_stop = true;
    if (str_eq(reason, "length"))
        answer->stop = LLM_STOP_LENGTH;
    else if (str_eq(reason, "content_filter"))
        answer->stop = LLM_STOP_REFUSAL;
    else if (str_eq(reason, "tool_calls") || str_eq(reason, "function_call"))
        answer->stop = LLM_STOP_TOOLS;
    else if (answer->stop != LLM_STOP_REFUSAL)
        answer->stop = LLM_STOP_END;
}

static int take_choice(struct answer *answer, const json_t *choice, struct err *err) {
    const json_t *delta = json_object_get(choice, "delta"), *calls = json_object_get(delta, "tool_calls");
    const char *refusal = json_str(delta, "refusal", NULL);

    if (json_int(choice, "index", 0) != 0)
        return 0;
    int rc = take_text(answer, json_str(delta, "content", NULL), err);
    if (rc == 0 && refusal && refusal[0]) {
        answer->stop = LLM_STOP_REFUSAL;
        rc = take_text(answer, refusal, err);
    }
    for (size_t i = 0; rc == 0 && i < json_array_size(calls); i++)
        rc = take_call(answer, json_array_get(calls, i), err);
    take_stop(answer, json_str(choice, "finish_reason", NULL));
    return rc;
}

static void take_usage(struct answer *answer, const json_t *usage) {
    if (!json_is_object(usage))
        return;
    answer->has_usage = true;
    answer->usage.input_tokens = json_int(usage, "prompt_tokens", 0);
    answer->usage.output_tokens = json_int(usage, "completion_tokens", 0);
    const json_t *cached = json_at(usage, "prompt_tokens_details.cached_tokens");
    answer->usage.cached_input_tokens = json_is_integer(cached) ? json_integer_value(cached) : 0;
}

static int take_event(struct answer *answer, const json_t *event, struct arena *scratch, struct err *err) {
    const json_t *choices = json_object_get(event, "choices"), *error = json_object_get(event, "error");
    int rc = 0;

    if (error && !json_is_null(error))
        return refusal_event(answer, error, err);
    if (!answer->model)
        answer->model = arena_strdup(answer->arena, json_str(event, "model", NULL));
    for (size_t i = 0; rc == 0 && i < json_array_size(choices); i++)
        rc = take_choice(answer, json_array_get(choices, i), err);
    take_usage(answer, json_object_get(event, "usage"));
    return rc;
}

const struct wire wire_chat = {
    .default_url = "https://api.openai.com",
    .v1 = "/v1",
    .path = "/chat/completions",
    .ends_by_itself = true,
    .headers = body_bearer,
    .put_body = put_body,
    .take_event = take_event,
};
