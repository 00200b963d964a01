/* body: what the requests of the wire formats have in common. */
#include "base/mem.h"
#include "base/str.h"
#include "llm/wire.h"

enum { MAX_OUTPUT_TOKENS = 8192 };

int64_t body_max_tokens(const struct llm_model *model, const struct llm_request *request) {
    if (request->max_output_tokens)
        return request->max_output_tokens;
    return model->max_output_tokens ? model->max_output_tokens : MAX_OUTPUT_TOKENS;
}

const char *body_text(const struct llm_message *message, struct arena *arena) {
    CLEANUP(buf_release) struct buf text = {0};
    bool is_first = true;

    for (size_t i = 0; i < message->part_count; i++) {
        if (message->parts[i].kind != LLM_TEXT)
            continue;
        if (!is_first)
            buf_puts(&text, "\n\n");
        is_first = false;
        buf_puts(&text, message->parts[i].text);
    }
    return is_first ? NULL : arena_strndup(arena, str_or(text.data, ""), text.len);
}

const char *body_result(const struct llm_part *part, struct arena *arena) {
    return part->is_error ? arena_printf(arena, "Error: %s", part->text) : part->text;
}

void body_function_tools(struct jw *jw, const struct llm_request *request) {
    for (size_t i = 0; i < request->tool_count; i++) {
        jw_object(jw);
        jw_kstr(jw, "type", "function");
        jw_key(jw, "function");
        jw_object(jw);
        jw_kstr(jw, "name", request->tools[i].name);
        jw_kstr(jw, "description", request->tools[i].description);
        jw_key(jw, "parameters");
        jw_value(jw, request->tools[i].schema);
        jw_object_end(jw);
        jw_object_end(jw);
    }
}

const char *body_tool_name(const struct llm_request *request, const char *id) {
    for (size_t i = request->message_count; i-- > 0;) {
        const struct llm_message *message = &request->messages[i];
        for (size_t k = 0; k < message->part_count; k++) {
            if (message->parts[k].kind == LLM_TOOL_CALL && str_eq(message->parts[k].id, id))
                return message->parts[k].name;
        }
    }
    return "";
}

bool body_is_opaque_of(const struct llm_part *part, enum llm_format format) {
    return part->kind == LLM_OPAQUE && str_eq(part->name, llm_format_name(format));
}

size_t body_bearer(const struct llm_model *model, struct arena *arena, struct net_header out[3]) {
    if (!model->api_key)
        return 0;
    out[0] = (struct net_header){"Authorization", arena_printf(arena, "Bearer %s", model->api_key)};
    return 1;
}
