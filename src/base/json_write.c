/* json_write: the writer into a buf. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"

void jw_init(struct jw *jw, struct buf *out) {
    *jw = (struct jw){.out = out};
}

static void begin_value(struct jw *jw) {
    if (jw->needs_comma)
        buf_putc(jw->out, ',');
    jw->needs_comma = true;
}

static void open_with(struct jw *jw, char bracket) {
    begin_value(jw);
    buf_putc(jw->out, bracket);
    jw->needs_comma = false;
}

static void close_with(struct jw *jw, char bracket) {
    buf_putc(jw->out, bracket);
    jw->needs_comma = true;
}

void jw_object(struct jw *jw) {
    open_with(jw, '{');
}

void jw_object_end(struct jw *jw) {
    close_with(jw, '}');
}

void jw_array(struct jw *jw) {
    open_with(jw, '[');
}

void jw_array_end(struct jw *jw) {
    close_with(jw, ']');
}

/* What stands for the byte c in a string, or NULL if it stands for itself. */
static const char *escape_of(unsigned char c, char room[8]) {
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        if (c >= 0x20 && c != 0x7f)
            return NULL;
        (void)snprintf(room, 8, "\\u%04x", c);
        return room;
    }
}

static void put_string(struct buf *out, const char *text, size_t len) {
    size_t plain_start = 0; /* text[plain_start..i) is still to be copied as it is */
    size_t i = 0;
    buf_putc(out, '"');
    while (i < len) {
        char room[8];
        size_t size = str_utf8_next(text + i, len - i);
        const char *instead = size ? escape_of((unsigned char)text[i], room) : "\xef\xbf\xbd";
        if (size == 0)
            size = 1;
        if (instead) {
            buf_put(out, text + plain_start, i - plain_start);
            buf_puts(out, instead);
            plain_start = i + size;
        }
        i += size;
    }
    buf_put(out, text + plain_start, len - plain_start);
    buf_putc(out, '"');
}

void jw_key(struct jw *jw, const char *key) {
    begin_value(jw);
    put_string(jw->out, key, strlen(key));
    buf_putc(jw->out, ':');
    jw->needs_comma = false;
}

void jw_str(struct jw *jw, const char *text) {
    if (text)
        jw_strn(jw, text, strlen(text));
    else
        jw_null(jw);
}

void jw_strn(struct jw *jw, const char *text, size_t len) {
    if (!text) {
        jw_null(jw);
        return;
    }
    begin_value(jw);
    put_string(jw->out, text, len);
}

void jw_int(struct jw *jw, int64_t value) {
    begin_value(jw);
    buf_printf(jw->out, "%" PRId64, value);
}

void jw_bool(struct jw *jw, bool value) {
    begin_value(jw);
    buf_puts(jw->out, value ? "true" : "false");
}

void jw_null(struct jw *jw) {
    begin_value(jw);
    buf_puts(jw->out, "null");
}

void jw_raw(struct jw *jw, const char *json) {
    begin_value(jw);
    buf_puts(jw->out, json ? json : "null");
}

void jw_time(struct jw *jw, int64_t unix_ms) {
    char text[CLOCK_ISO_LEN];
    jw_str(jw, unix_ms ? clock_iso(unix_ms, text) : NULL);
}

/* The shortest of the usual forms that reads back as the same number, and as a real. */
static void put_real(struct buf *out, double value) {
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    buf_puts(out, text);
    if (!strpbrk(text, ".e"))
        buf_puts(out, ".0");
}

static void put_object(struct jw *jw, const json_t *value) {
    /* Iteration does not change the object; jansson's signature has no const for it. */
    json_t *object = (json_t *)value;
    jw_object(jw);
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        jw_key(jw, json_object_iter_key(at));
        jw_value(jw, json_object_iter_value(at));
    }
    jw_object_end(jw);
}

static void put_array(struct jw *jw, const json_t *value) {
    jw_array(jw);
    for (size_t i = 0; i < json_array_size(value); i++)
        jw_value(jw, json_array_get(value, i));
    jw_array_end(jw);
}

void jw_value(struct jw *jw, const json_t *value) {
    if (!value) {
        jw_null(jw);
        return;
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        put_object(jw, value);
        break;
    case JSON_ARRAY:
        put_array(jw, value);
        break;
    case JSON_STRING:
        jw_strn(jw, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        jw_int(jw, json_integer_value(value));
        break;
    case JSON_REAL:
        begin_value(jw);
        put_real(jw->out, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        jw_bool(jw, json_is_true(value));
        break;
    case JSON_NULL:
        jw_null(jw);
        break;
    }
}

void jw_kstr(struct jw *jw, const char *key, const char *text) {
    jw_key(jw, key);
    jw_str(jw, text);
}

void jw_kint(struct jw *jw, const char *key, int64_t value) {
    jw_key(jw, key);
    jw_int(jw, value);
}

void jw_kbool(struct jw *jw, const char *key, bool value) {
    jw_key(jw, key);
    jw_bool(jw, value);
}

void jw_kraw(struct jw *jw, const char *key, const char *json) {
    jw_key(jw, key);
    jw_raw(jw, json);
}

void jw_ktime(struct jw *jw, const char *key, int64_t unix_ms) {
    jw_key(jw, key);
    jw_time(jw, unix_ms);
}
