/* reply: reading an answer: its text, and the JSON in it. */
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "llm/llm.h"

const char *llm_text(const struct llm_reply *reply, struct arena *arena) {
    CLEANUP(buf_release) struct buf text = {0};
    for (size_t i = 0; i < reply->part_count; i++) {
        if (reply->parts[i].kind == LLM_TEXT)
            buf_puts(&text, reply->parts[i].text);
    }
    return arena_strndup(arena, str_or(text.data, ""), text.len);
}

static bool is_container(const json_t *value) {
    return json_is_object(value) || json_is_array(value);
}

static bool parse(const char *text, size_t len, struct arena *arena, json_t **out, struct err *err) {
    return json_parse(arena, text, len, out, err) == 0 && is_container(*out);
}

/* The end of the value that begins at text[0] with a bracket: past its closing one; 0 when it has none. */
static size_t value_end(const char *text) {
    size_t depth = 0;
    bool is_in_string = false;
    for (size_t i = 0; text[i]; i++) {
        if (is_in_string) {
            if (text[i] == '\\' && text[i + 1])
                i++;
            else if (text[i] == '"')
                is_in_string = false;
        } else if (text[i] == '"') {
            is_in_string = true;
        } else if (text[i] == '{' || text[i] == '[') {
            depth++;
        } else if ((text[i] == '}' || text[i] == ']') && --depth == 0) {
            return i + 1;
        }
    }
    return 0;
}

/* What stands within the first fence of three backticks, if anything does. */
static bool parse_fenced(const char *text, struct arena *arena, json_t **out) {
    const char *fence = strstr(text, "```"), *line = fence ? strchr(fence, '\n') : NULL;
    const char *end = line ? strstr(line, "\n```") : NULL;
    return end && parse(line + 1, (size_t)(end - line - 1), arena, out, NULL);
}

/* The first bracket from which a whole value goes; a few are tried, since prose has brackets, too. */
static bool parse_within(const char *text, struct arena *arena, json_t **out) {
    int tries = 8;
    for (const char *at = strpbrk(text, "{["); at && tries-- > 0; at = strpbrk(at + 1, "{[")) {
        size_t len = value_end(at);
        if (len && parse(at, len, arena, out, NULL))
            return true;
    }
    return false;
}

int llm_json(const struct llm_reply *reply, struct arena *arena, json_t **out, struct err *err) {
    const char *text = llm_text(reply, arena);
    struct err why = {0};

    if (parse(text, strlen(text), arena, out, &why))
        return 0;
    if (reply->stop == LLM_STOP_LENGTH)
        return err_set(err, ERR_UNAVAILABLE, "the model's answer was cut before its JSON was whole");
    if (parse_fenced(text, arena, out) || parse_within(text, arena, out))
        return 0;
    if (!text[0])
        return err_set(err, ERR_UNAVAILABLE, "the model's answer is empty");
    return err_set(err, ERR_UNAVAILABLE, "the model's answer is not JSON%s%s", why.message[0] ? ": " : "", why.message);
}
