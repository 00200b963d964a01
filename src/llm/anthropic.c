/* anthropic: the Messages API. Source: docs.claude.com, "Messages", "Streaming messages", "Prompt caching". */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "llm/wire.h"

static size_t headers(const struct llm_model *model, struct arena *arena, struct net_header out[3]) {
    size_t count = 0;
    out[count++] = (struct net_header){"anthropic-version", "2023-06-01"};
    if (model->api_key)
        out[count++] = (struct net_header){"x-api-key", model->api_key};
    return count;
}

/* ---- The request. Up to four places end what is kept in the cache: tools, system, and the last two user messages, so
 * that each call of a conversation finds what the one before had sent. ---- */

static void put_mark(struct jw *jw) {
    jw_kraw(jw, "cache_control", "{\"type\":\"ephemeral\"}");
}

static void put_tools(struct jw *jw, const struct llm_request *request) {
    if (!request->tool_count)
        return;
    jw_key(jw, "tools");
    jw_array(jw);
    for (size_t i = 0; i < request->tool_count; i++) {
        jw_object(jw);
        jw_kstr(jw, "name", request->tools[i].name);
        jw_kstr(jw, "description", request->tools[i].description);
        jw_key(jw, "input_schema");
        jw_value(jw, request->tools[i].schema);
        if (i + 1 == request->tool_count)
            put_mark(jw);
        jw_object_end(jw);
    }
    jw_array_end(jw);
}

static void put_system(struct jw *jw, const struct llm_request *request) {
    if (!request->system || !request->system[0])
        return;
    jw_key(jw, "system");
    jw_array(jw);
    jw_object(jw);
    jw_kstr(jw, "type", "text");
    jw_kstr(jw, "text", request->system);
    put_mark(jw);
    jw_object_end(jw);
    jw_array_end(jw);
}

static void put_part(struct jw *jw, const struct llm_part *part, bool is_marked) {
    if (part->kind == LLM_OPAQUE) {
        jw_value(jw, part->opaque);
        return;
    }
    jw_object(jw);
    switch (part->kind) {
    case LLM_TEXT:
        jw_kstr(jw, "type", "text");
        jw_kstr(jw, "text", part->text);
        break;
    case LLM_TOOL_CALL:
        jw_kstr(jw, "type", "tool_use");
        jw_kstr(jw, "id", part->id);
        jw_kstr(jw, "name", part->name);
        jw_key(jw, "input");
        jw_value(jw, part->arguments);
        break;
    case LLM_TOOL_RESULT:
        jw_kstr(jw, "type", "tool_result");
        jw_kstr(jw, "tool_use_id", part->id);
        jw_kstr(jw, "content", part->text);
        if (part->is_error)
            jw_kbool(jw, "is_error", true);
        break;
    case LLM_OPAQUE:
        break;
    }
    if (is_marked)
        put_mark(jw);
    jw_object_end(jw);
}

/* Empty texts are refused by the server. */
static bool is_sent(const struct llm_part *part) {
    if (part->kind == LLM_OPAQUE)
        return body_is_opaque_of(part, LLM_ANTHROPIC);
    return part->kind != LLM_TEXT || part->text[0];
}

static void put_message(struct jw *jw, const struct llm_message *message, bool is_marked) {
    size_t last = 0;
    for (size_t i = 0; i < message->part_count; i++)
        last = is_sent(&message->parts[i]) ? i : last;
    jw_object(jw);
    jw_kstr(jw, "role", message->role == LLM_USER ? "user" : "assistant");
    jw_key(jw, "content");
    jw_array(jw);
    for (size_t i = 0; i < message->part_count; i++) {
        if (is_sent(&message->parts[i]))
            put_part(jw, &message->parts[i], is_marked && i == last);
    }
    jw_array_end(jw);
    jw_object_end(jw);
}

static void put_messages(struct jw *jw, const struct llm_request *request) {
    size_t user_messages = 0, seen = 0;
    for (size_t i = 0; i < request->message_count; i++)
        user_messages += request->messages[i].role == LLM_USER;
    jw_key(jw, "messages");
    jw_array(jw);
    for (size_t i = 0; i < request->message_count; i++) {
        bool is_user = request->messages[i].role == LLM_USER;
        seen += is_user;
        put_message(jw, &request->messages[i], is_user && user_messages - seen < 2);
    }
    jw_array_end(jw);
}

static void put_body(struct jw *jw, const struct llm_model *model, const struct llm_request *request,
                     struct arena *arena) {
    jw_object(jw);
    jw_kstr(jw, "model", model->name);
    jw_kint(jw, "max_tokens", body_max_tokens(model, request));
    jw_kbool(jw, "stream", true);
    put_tools(jw, request);
    put_system(jw, request);
    put_messages(jw, request);
    if (request->output) {
        jw_key(jw, "output_config");
        jw_object(jw);
        jw_key(jw, "format");
        jw_object(jw);
        jw_kstr(jw, "type", "json_schema");
        jw_key(jw, "schema");
        jw_value(jw, request->output->schema);
        jw_object_end(jw);
        jw_object_end(jw);
    }
    jw_object_end(jw);
}

/* ---- The answer. ---- */

static int broken(struct answer *answer, struct err *err, const char *what) {
    return answer_fail(answer, LLM_FAULT_FORMAT, true, err, "the stream is not as Anthropic's: %s", what);
}

/* Counts are cumulative: each event's replace what came before. */
static void take_usage(struct answer *answer, const json_t *usage) {
    struct llm_usage *out = &answer->usage;
    int64_t fresh = out->input_tokens - out->cached_input_tokens - out->cache_write_tokens;
    if (!json_is_object(usage))
        return;
    fresh = json_int(usage, "input_tokens", fresh);
    out->cached_input_tokens = json_int(usage, "cache_read_input_tokens", out->cached_input_tokens);
    out->cache_write_tokens = json_int(usage, "cache_creation_input_tokens", out->cache_write_tokens);
    out->input_tokens = fresh + out->cached_input_tokens + out->cache_write_tokens;
    out->output_tokens = json_int(usage, "output_tokens", out->output_tokens);
}

static int take_start(struct answer *answer, const json_t *event) {
    const json_t *message = json_object_get(event, "message");
    answer->model = arena_strdup(answer->arena, json_str(message, "model", NULL));
    take_usage(answer, json_object_get(message, "usage"));
    return 0;
}

static int open_block(struct answer *answer, const json_t *event, struct err *err) {
    const json_t *block = json_object_get(event, "content_block");
    const char *type = json_str(block, "type", "");
    int64_t index = json_int(event, "index", -1);
    bool is_text = str_eq(type, "text"), is_call = str_eq(type, "tool_use");

    if (!json_is_object(block) || index != (int64_t)answer->count)
        return broken(answer, err, "a block out of order");
    struct slot *slot = answer_add(answer, is_text ? LLM_TEXT : is_call ? LLM_TOOL_CALL : LLM_OPAQUE, index, err);
    if (!slot)
        return -ERR_UNAVAILABLE;
    if (is_text)
        return answer_say(answer, slot, json_str(block, "text", ""), err);
    if (is_call) {
        slot->id = arena_strdup(answer->arena, json_str(block, "id", NULL));
        slot->name = arena_strdup(answer->arena, json_str(block, "name", NULL));
        return slot->id ? 0 : broken(answer, err, "a tool_use without an id");
    }
    slot->name = llm_format_name(LLM_ANTHROPIC);
    slot->opaque = json_own(answer->arena, json_deep_copy(block));
    int rc = answer_put(answer, &slot->text, json_str(block, "thinking", ""), err);
    if (rc == 0)
        rc = answer_put(answer, &slot->extra, json_str(block, "signature", ""), err);
    return rc;
}

static int take_delta(struct answer *answer, const json_t *event, struct err *err) {
    struct slot *slot = answer_find(answer, json_int(event, "index", -1));
    const json_t *delta = json_object_get(event, "delta");
    const char *type = json_str(delta, "type", "");

    if (!slot || slot->is_closed)
        return broken(answer, err, "a delta of no open block");
    if (str_eq(type, "text_delta"))
        return slot->kind == LLM_TEXT ? answer_say(answer, slot, json_str(delta, "text", ""), err)
                                      : broken(answer, err, "text for a block that is none");
    if (str_eq(type, "input_json_delta"))
        return slot->kind != LLM_TEXT ? answer_put(answer, &slot->text, json_str(delta, "partial_json", ""), err)
                                      : broken(answer, err, "arguments for a block that calls nothing");
    if (str_eq(type, "thinking_delta"))
        return answer_put(answer, &slot->text, json_str(delta, "thinking", ""), err);
    if (str_eq(type, "signature_delta"))
        return answer_put(answer, &slot->extra, json_str(delta, "signature", ""), err);
    return 0;
}

static void set_text(json_t *block, const char *key, const struct buf *text) {
    if (text->len)
        (void)json_object_set_new(block, key, json_stringn(text->data, text->len));
}

static int close_block(struct answer *answer, const json_t *event, struct err *err) {
    struct slot *slot = answer_find(answer, json_int(event, "index", -1));
    if (!slot || slot->is_closed)
        return broken(answer, err, "the end of no open block");
    slot->is_closed = true;
    if (slot->kind != LLM_OPAQUE)
        return 0;
    if (str_eq(json_str(slot->opaque, "type", ""), "thinking")) {
        set_text(slot->opaque, "thinking", &slot->text);
        set_text(slot->opaque, "signature", &slot->extra);
    } else if (slot->text.len) {
        json_t *input = NULL;
        if (json_parse(answer->arena, slot->text.data, slot->text.len, &input, NULL) < 0)
            return broken(answer, err, "a block's input is not JSON");
        (void)json_object_set(slot->opaque, "input", input);
    }
    return 0;
}

static void take_stop(struct answer *answer, const char *reason) {
    static const struct {
        const char *reason;
        enum llm_stop stop;
    } rows[] = {
        {"end_turn", LLM_STOP_END},     {"stop_sequence", LLM_STOP_END},
        {"tool_use", LLM_STOP_TOOLS},   {"max_tokens", LLM_STOP_LENGTH},
        {"pause_turn", LLM_STOP_PAUSE}, {"model_context_window_exceeded", LLM_STOP_LENGTH},
        {"refusal", LLM_STOP_REFUSAL},
    };
    if (!reason)
        return;
    answer->has_stop = true;
    answer->stop = LLM_STOP_END;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (str_eq(rows[i].reason, reason))
            answer->stop = rows[i].stop;
    }
}

static int take_end(struct answer *answer, struct err *err) {
    for (size_t i = 0; i < answer->count; i++) {
        if (!answer->slots[i].is_closed)
            return broken(answer, err, "a block without an end");
    }
    if (!answer->has_stop)
        return broken(answer, err, "no stop_reason");
    answer->has_usage = answer->usage.input_tokens > 0 || answer->usage.output_tokens > 0;
    return ANSWER_DONE;
}

static int take_event(struct answer *answer, const json_t *event, struct arena *scratch, struct err *err) {
    const char *type = json_str(event, "type", "");

    if (str_eq(type, "message_start"))
        return take_start(answer, event);
    if (str_eq(type, "content_block_start"))
        return open_block(answer, event, err);
    if (str_eq(type, "content_block_delta"))
        return take_delta(answer, event, err);
    if (str_eq(type, "content_block_stop"))
        return close_block(answer, event, err);
    if (str_eq(type, "message_delta")) {
        take_stop(answer, json_string_value(json_at(event, "delta.stop_reason")));
        take_usage(answer, json_object_get(event, "usage"));
        return 0;
    }
    if (str_eq(type, "message_stop"))
        return take_end(answer, err);
    if (str_eq(type, "error"))
        return refusal_event(answer, json_object_get(event, "error"), err);
    return 0; /* ping, and what is yet to be invented */
}

const struct wire wire_anthropic = {
    .default_url = "https://api.anthropic.com",
    .v1 = "/v1",
    .path = "/messages",
    .headers = headers,
    .put_body = put_body,
    .take_event = take_event,
};
