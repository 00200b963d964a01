/* json_read: parsing with jansson under limits, and looking into values. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

enum { PATH_SHOWN_MAX = 200 };

/* What jansson must not see: brackets nested deeper than JSON_MAX_DEPTH, into which it would recurse, and NUL, which it
 * passes over. NULL if there is neither; otherwise what is wrong, and where. */
static const char *find_fault(const char *text, size_t len, size_t *line, size_t *column) {
    size_t depth = 0, line_start = 0;
    bool is_in_string = false;
    *line = 1;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        *column = i - line_start + 1;
        if (c == '\0')
            return "a NUL byte";
        if (c == '\n') {
            ++*line;
            line_start = i + 1;
        } else if (is_in_string) {
            if (c == '"')
                is_in_string = false;
            else if (c == '\\' && i + 1 < len && text[i + 1] != '\0')
                i++;
        } else if (c == '"') {
            is_in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > JSON_MAX_DEPTH)
                return "nested too deep";
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return NULL;
}

static void decref(void *value) {
    json_decref(value);
}

json_t *json_own(struct arena *arena, json_t *value) {
    if (value)
        arena_defer(arena, decref, value);
    return value;
}

struct frame {
    bool is_array, is_named; /* is_named: past the ':' of a member */
    size_t index;
    const char *name; /* with its quotes */
    size_t name_len;
};

/* Reads on to the end of the string that begins at text[*at]. */
static void pass_string(const char *text, size_t len, size_t *at, struct frame *frame) {
    size_t start = (*at)++;
    while (*at < len && text[*at] != '"')
        *at += text[*at] == '\\' ? 2 : 1;
    if (frame && !frame->is_array && !frame->is_named) {
        frame->name = text + start;
        frame->name_len = (*at < len ? *at + 1 : len) - start;
    }
}

/* The name without its escapes; as it is written there if it has a NUL. */
static void put_name(struct buf *path, const struct frame *frame) {
    json_t *name = json_loadb(frame->name, frame->name_len, JSON_DECODE_ANY, NULL);

    if (json_is_string(name))
        buf_put(path, json_string_value(name), json_string_length(name));
    else if (frame->name_len >= 2)
        buf_put(path, frame->name + 1, frame->name_len - 2);
    json_decref(name);
}

/* Where in the value text[len] is, as "answers[0].questionId". What comes before is sound and at most JSON_MAX_DEPTH
 * deep. */
static const char *path_at(struct arena *arena, const char *text, size_t len) {
    struct frame frames[JSON_MAX_DEPTH] = {0};
    CLEANUP(buf_release) struct buf path = {0};
    size_t depth = 0;

    for (size_t i = 0; i < len; i++) {
        struct frame *top = depth ? &frames[depth - 1] : NULL;
        if (text[i] == '"')
            pass_string(text, len, &i, top);
        else if (text[i] == '[' || text[i] == '{')
            frames[depth++] = (struct frame){.is_array = text[i] == '['};
        else if (text[i] == ']' || text[i] == '}')
            depth--;
        else if (text[i] == ':')
            top->is_named = true;
        else if (text[i] == ',')
            top->index++, top->is_named = false;
    }
    for (size_t i = 0; i < depth; i++) {
        if (frames[i].is_array) {
            buf_printf(&path, "[%zu]", frames[i].index);
            continue;
        }
        buf_puts(&path, path.len ? "." : "");
        put_name(&path, &frames[i]);
    }
    return path.len ? arena_strndup(arena, path.data, path.len) : "";
}

/* The text with everything in it that jansson refuses of sound JSON made harmless: "\u0000" in strings, and in numbers
 * exponents (made 0) and digits beyond KEPT_DIGITS in a row (left out). What is no JSON stays none. */
static void make_harmless(const char *text, size_t len, struct buf *out) {
    enum { KEPT_DIGITS = 20 };
    bool is_in_string = false, is_exponent = false;
    size_t digits = 0;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool is_digit = c >= '0' && c <= '9';
        digits = is_digit ? digits + 1 : 0;
        if (c == '"')
            is_in_string = !is_in_string;
        if (is_in_string && c == '\\' && i + 1 < len) {
            bool is_nul = len - i >= 6 && memcmp(text + i, "\\u0000", 6) == 0;
            buf_put(out, is_nul ? "\\u0001" : text + i, is_nul ? 6 : 2);
            i += is_nul ? 5 : 1;
        } else if (is_in_string || !is_digit) {
            buf_putc(out, c);
            is_exponent = !is_in_string && (c == 'e' || c == 'E' || (is_exponent && (c == '+' || c == '-')));
        } else if (digits <= KEPT_DIGITS) {
            buf_putc(out, is_exponent ? '0' : c);
        }
    }
}

/* True if there is nothing wrong with text but what jansson refuses of sound JSON. */
static bool is_sound(const char *text, size_t len) {
    CLEANUP(buf_release) struct buf copy = {0};

    make_harmless(text, len, &copy);
    json_t *value = json_loadb(copy.data, copy.len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
    json_decref(value);
    return value;
}

static int refuse(struct arena *arena, const char *text, size_t len, const json_error_t *problem, struct err *err) {
    enum json_error_code code = json_error_code(problem);
    const char *what = NULL;

    if (code == json_error_duplicate_key)
        what = "is given twice";
    else if (code == json_error_null_character || code == json_error_null_byte_in_key)
        what = "must not contain NUL";
    else if (code == json_error_numeric_overflow)
        what = "is too large a number";
    if (!what || !is_sound(text, len))
        return err_set(err, ERR_VALIDATION, "line %d, column %d: %s", problem->line > 0 ? problem->line : 1,
                       problem->column > 0 ? problem->column : 1, str_mend(arena, problem->text));
    const char *path = path_at(arena, text, problem->position > 0 ? (size_t)problem->position : 0);
    const char *name = path[0] ? path : "the value";
    return err_field(err, ERR_VALIDATION, path, "%.*s %s", (int)str_head_len(name, PATH_SHOWN_MAX), name, what);
}

int json_parse(struct arena *arena, const char *text, size_t len, json_t **out, struct err *err) {
    size_t line = 0, column = 0;
    json_error_t problem = {0};

    const char *fault = find_fault(text, len, &line, &column);
    if (fault)
        return err_set(err, ERR_VALIDATION, "line %zu, column %zu: %s", line, column, fault);
    json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
    if (!value)
        return refuse(arena, text, len, &problem, err);
    *out = json_own(arena, value);
    return 0;
}

char *json_text(struct arena *arena, const json_t *value) {
    CLEANUP(buf_release) struct buf text = {0};
    struct jw jw;
    jw_init(&jw, &text);
    jw_value(&jw, value);
    return arena_strndup(arena, text.data, text.len);
}

const char *json_str(const json_t *json, const char *key, const char *fallback) {
    const char *text = json_string_value(json_object_get(json, key));
    return text ? text : fallback;
}

int64_t json_int(const json_t *json, const char *key, int64_t fallback) {
    const json_t *value = json_object_get(json, key);
    return json_is_integer(value) ? (int64_t)json_integer_value(value) : fallback;
}

bool json_flag(const json_t *json, const char *key, bool fallback) {
    const json_t *value = json_object_get(json, key);
    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

/* The member of json that the next part of the path names. */
static json_t *step(const json_t *json, const char *name, size_t len) {
    if (json_is_object(json)) {
        CLEANUP(mem_freep) char *key = mem_strndup(name, len);
        return json_object_get(json, key);
    }
    if (!json_is_array(json) || len == 0 || len > 9)
        return NULL;
    size_t index = 0;
    for (size_t i = 0; i < len; i++) {
        if (name[i] < '0' || name[i] > '9')
            return NULL;
        index = index * 10 + (size_t)(name[i] - '0');
    }
    return json_array_get(json, index);
}

json_t *json_at(const json_t *json, const char *dotted_path) {
    const char *at = dotted_path;
    for (;;) {
        size_t len = strcspn(at, ".");
        json_t *value = step(json, at, len);
        if (!value || at[len] == '\0')
            return value;
        json = value;
        at += len + 1;
    }
}
