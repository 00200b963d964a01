/* ollama: Ollama's own API, a JSON object a line. Source: github.com/ollama/ollama, docs/api.md, "Generate a chat
 * completion". */
#include "base/mem.h"
#include "base/str.h"
#include "llm/wire.h"

enum { TEXT_KEY = -1, THINKING_KEY = -2 };

/* ---- The request. ---- */

static void put_calls(struct jw *jw, const struct llm_message *message) {
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
        jw_key(jw, "function");
        jw_object(jw);
        jw_kstr(jw, "name", part->name);
        jw_key(jw, "arguments");
        jw_value(jw, part->arguments);
        jw_object_end(jw);
        jw_object_end(jw);
    }
    if (is_open)
        jw_array_end(jw);
}

static void put_message(struct jw *jw, const struct llm_request *request, const struct llm_message *message,
                        struct arena *arena) {
    const char *text = body_text(message, arena);

    for (size_t i = 0; i < message->part_count; i++) {
        const struct llm_part *part = &message->parts[i];
        if (part->kind != LLM_TOOL_RESULT)
            continue;
        jw_object(jw);
        jw_kstr(jw, "role", "tool");
        jw_kstr(jw, "tool_name", body_tool_name(request, part->id));
        jw_kstr(jw, "content", body_result(part, arena));
        jw_object_end(jw);
    }
    if (message->role == LLM_USER && !text)
        return;
    jw_object(jw);
    jw_kstr(jw, "role", message->role == LLM_USER ? "user" : "assistant");
    jw_kstr(jw, "content", str_or(text, ""));
    for (size_t i = 0; i < message->part_count; i++) {
        if (body_is_opaque_of(&message->parts[i], LLM_OLLAMA))
            jw_kstr(jw, "thinking", json_str(message->parts[i].opaque, "thinking", ""));
    }
    put_calls(jw, message);
    jw_object_end(jw);
}

/* Without num_ctx Ollama cuts long conversations at a length of its own, and says nothing. */
static void put_options(struct jw *jw, const struct llm_model *model, const struct llm_request *request) {
    jw_key(jw, "options");
    jw_object(jw);
    jw_kint(jw, "num_predict", body_max_tokens(model, request));
    if (model->context_tokens)
        jw_kint(jw, "num_ctx", model->context_tokens);
    jw_object_end(jw);
}

static void put_body(struct jw *jw, const struct llm_model *model, const struct llm_request *request,
                     struct arena *arena) {
    jw_object(jw);
    jw_kstr(jw, "model", model->name);
    jw_kbool(jw, "stream", true);
    put_options(jw, model, request);
    jw_key(jw, "messages");
    jw_array(jw);
    if (request->system && request->system[0]) {
        jw_object(jw);
        jw_kstr(jw, "role", "system");
        jw_kstr(jw, "content", request->system);
        jw_object_end(jw);
    }
    for (size_t i = 0; i < request->message_count; i++)
        put_message(jw, request, &request->messages[i], arena);
    jw_array_end(jw);
    if (request->tool_count) {
        jw_key(jw, "tools");
        jw_array(jw);
        body_function_tools(jw, request);
        jw_array_end(jw);
    }
    if (request->output) {
        jw_key(jw, "format");
        jw_value(jw, request->output->schema);
    }
    jw_object_end(jw);
}

/* ---- The answer. ---- */

static struct slot *slot_of(struct answer *answer, enum llm_part_kind kind, int64_t key, struct err *err) {
    struct slot *slot = answer_find(answer, key);
    return slot ? slot : answer_add(answer, kind, key, err);
}

static int take_text(struct answer *answer, const json_t *message, struct err *err) {
    const char *text = json_str(message, "content", ""), *thinking = json_str(message, "thinking", "");
    struct slot *slot;
    int rc = 0;

    if (thinking[0]) {
        slot = slot_of(answer, LLM_OPAQUE, THINKING_KEY, err);
        rc = slot ? answer_put(answer, &slot->text, thinking, err) : -ERR_UNAVAILABLE;
    }
    if (rc == 0 && text[0]) {
        slot = slot_of(answer, LLM_TEXT, TEXT_KEY, err);
        rc = slot ? answer_say(answer, slot, text, err) : -ERR_UNAVAILABLE;
    }
    return rc;
}

static int take_call(struct answer *answer, const json_t *call, struct arena *scratch, struct err *err) {
    const json_t *function = json_object_get(call, "function");
    const json_t *arguments = json_object_get(function, "arguments");
    struct slot *slot = answer_add(answer, LLM_TOOL_CALL, (int64_t)answer->count, err);

    if (!slot)
        return -ERR_UNAVAILABLE;
    slot->name = arena_strdup(answer->arena, json_str(function, "name", NULL));
    slot->id = arena_strdup(answer->arena, json_str(call, "id", NULL));
    /* Some servers that speak this format send them as a text. */
    const char *text = json_is_string(arguments) ? json_string_value(arguments)
                       : arguments               ? json_text(scratch, arguments)
                                                 : "";
    return answer_put(answer, &slot->text, text, err);
}

static void take_end(struct answer *answer, const json_t *event) {
    const char *reason = json_str(event, "done_reason", "stop");
    struct slot *thinking = answer_find(answer, THINKING_KEY);

    answer->has_stop = true;
    answer->stop = str_eq(reason, "length") ? LLM_STOP_LENGTH : LLM_STOP_END;
    answer->has_usage = json_is_integer(json_object_get(event, "eval_count"));
    answer->usage.input_tokens = json_int(event, "prompt_eval_count", 0);
    answer->usage.output_tokens = json_int(event, "eval_count", 0);
    if (thinking) {
        thinking->name = llm_format_name(LLM_OLLAMA);
        thinking->opaque = json_own(answer->arena, json_pack("{s:s}", "thinking", thinking->text.data));
    }
}

static int take_event(struct answer *answer, const json_t *event, struct arena *scratch, struct err *err) {
    const json_t *message = json_object_get(event, "message"), *error = json_object_get(event, "error");
    const json_t *calls = json_object_get(message, "tool_calls");

    if (error)
        return refusal_event(answer, error, err);
    if (!message && !json_object_get(event, "done"))
        return 0;
    if (!answer->model)
        answer->model = arena_strdup(answer->arena, json_str(event, "model", NULL));
    int rc = take_text(answer, message, err);
    for (size_t i = 0; rc == 0 && i < json_array_size(calls); i++)
        rc = take_call(answer, json_array_get(calls, i), scratch, err);
    if (rc < 0 || !json_flag(event, "done", false))
        return rc;
    take_end(answer, event);
    return ANSWER_DONE;
}

const struct wire wire_ollama = {
    .default_url = "http://127.0.0.1:11434",
    .path = "/api/chat",
    .is_ndjson = true,
    .headers = body_bearer,
    .put_body = put_body,
    .take_event = take_event,
};
