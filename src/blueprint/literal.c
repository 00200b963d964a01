/* literal: texts and values as they stand in the source of TypeScript and SQL. */
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/number.h"
#include "blueprint/names.h"

static void put_char(struct buf *out, unsigned char c) {
    static const char specials[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *special = c ? strchr(specials, c) : NULL;
    if (special) {
        buf_putc(out, '\\');
        buf_putc(out, letters[special - specials]);
    } else if (c < 0x20) {
        buf_printf(out, "\\u%04x", c);
    } else {
        buf_putc(out, (char)c);
    }
}

static void put_text(struct buf *out, const char *text) {
    buf_putc(out, '"');
    for (; *text; text++) {
        if (strncmp(text, "</", 2) == 0) {
            /* Would end the script element it may come to stand in. */
            buf_puts(out, "<\\/");
            text++;
        } else if (strncmp(text, "\xe2\x80\xa8", 3) == 0 || strncmp(text, "\xe2\x80\xa9", 3) == 0) {
            /* Line ends in older JavaScript. */
            buf_printf(out, "\\u%s", text[2] == '\xa8' ? "2028" : "2029");
            text += 2;
        } else {
            put_char(out, (unsigned char)*text);
        }
    }
    buf_putc(out, '"');
}

static void put_object(struct buf *out, const json_t *value) {
    json_t *object = (json_t *)value; /* jansson's iterator has no const */
    const char *separator = "";
    buf_putc(out, '{');
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        buf_puts(out, separator);
        put_text(out, json_object_iter_key(at));
        buf_putc(out, ':');
        literal_put(out, json_object_iter_value(at));
        separator = ",";
    }
    buf_putc(out, '}');
}

void literal_put(struct buf *out, const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        put_object(out, value);
        break;
    case JSON_ARRAY:
        buf_putc(out, '[');
        for (size_t i = 0; i < json_array_size(value); i++) {
            if (i > 0)
                buf_putc(out, ',');
            literal_put(out, json_array_get(value, i));
        }
        buf_putc(out, ']');
        break;
    case JSON_STRING:
        put_text(out, json_string_value(value));
        break;
    case JSON_INTEGER:
        buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        number_put(out, json_real_value(value));
        break;
    case JSON_TRUE:
        buf_puts(out, "true");
        break;
    case JSON_FALSE:
        buf_puts(out, "false");
        break;
    case JSON_NULL:
        buf_puts(out, "null");
        break;
    }
}

char *literal_json(struct arena *arena, const json_t *value) {
    CLEANUP(buf_release) struct buf out = {0};
    literal_put(&out, value);
    return arena_strndup(arena, out.data, out.len);
}

char *literal_plain(struct arena *arena, const json_t *value) {
    if (json_is_string(value))
        return arena_strdup(arena, json_string_value(value));
    return literal_json(arena, value);
}

char *literal_text(struct arena *arena, const char *text) {
    CLEANUP(buf_release) struct buf out = {0};
    put_text(&out, text);
    return arena_strndup(arena, out.data, out.len);
}

char *literal_sql(struct arena *arena, const char *text) {
    char *out = arena_alloc(arena, 2 * strlen(text) + 3), *at = out;
    *at++ = '\'';
    for (; *text; text++) {
        if (*text == '\'')
            *at++ = '\'';
        *at++ = *text;
    }
    *at = '\'';
    return out;
}

char *literal_jsx(struct arena *arena, const char *text) {
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .,!?()%:+-";
    size_t len = strlen(text);
    if (len > 0 && strspn(text, plain) == len && text[0] != ' ' && text[len - 1] != ' ')
        return arena_strdup(arena, text);
    return arena_printf(arena, "{%s}", literal_text(arena, text));
}

char *literal_attr(struct arena *arena, const char *text) {
    bool is_plain = strpbrk(text, "\"\\&<>{}") == NULL;
    for (const char *at = text; *at && is_plain; at++)
        is_plain = *at >= 0x20 && *at < 0x7f;
    return arena_printf(arena, is_plain ? "\"%s\"" : "{%s}", is_plain ? text : literal_text(arena, text));
}
