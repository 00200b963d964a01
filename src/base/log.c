/* log: one line an event on stderr, as text or as JSON. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

enum {
    LONGEST_VALUE = 8192,       /* of one value, before escapes */
    LONGEST_LINE = 1024 * 1024, /* a line with more is not written: no caller comes near */
};

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug",
    [LOG_INFO] = "info",
    [LOG_WARN] = "warn",
    [LOG_ERROR] = "error",
};

static _Atomic int lowest_level = LOG_INFO;
static _Atomic bool is_json_mode;

void log_set_level(enum log_level level) {
    atomic_store(&lowest_level, (int)level);
}

bool log_level_parse(const char *name, enum log_level *out) {
    for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
        if (str_eq(name, level_names[i])) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void log_set_json(bool is_json) {
    atomic_store(&is_json_mode, is_json);
}

/* Length of value, or of the whole characters of it that fit into the limit. */
static size_t cut(const char *value) {
    size_t len = strnlen(value, LONGEST_VALUE + 1);
    if (len <= LONGEST_VALUE)
        return len;
    len = LONGEST_VALUE;
    while (len > 0 && ((unsigned char)value[len] & 0xc0) == 0x80)
        len--;
    return len;
}

/* True for a character that can be shown as it is: no control character, of which C1 (U+0080 to U+009F) are two bytes
 * in UTF-8, and nothing that is not UTF-8. */
static bool is_printable(const char *at, size_t size) {
    unsigned char first = (unsigned char)at[0];
    if (size == 0 || first < 0x20 || first == 0x7f)
        return false;
    return !(first == 0xc2 && (unsigned char)at[1] < 0xa0);
}

static void put_escaped(struct buf *line, const char *text, size_t len, bool is_quoted) {
    for (size_t i = 0; i < len;) {
        size_t size = str_utf8_next(text + i, len - i);
        char c = text[i];
        if (is_quoted && (c == '"' || c == '\\')) {
            buf_putc(line, '\\');
            buf_putc(line, c);
        } else if (is_printable(text + i, size)) {
            buf_put(line, text + i, size);
        } else if (c == '\n') {
            buf_puts(line, "\\n");
        } else if (c == '\t') {
            buf_puts(line, "\\t");
        } else {
            for (size_t j = 0; j < (size ? size : 1); j++)
                buf_printf(line, "\\x%02x", (unsigned)(unsigned char)text[i + j]);
        }
        i += size ? size : 1;
    }
}

/* A bare value must read back without doubt: nothing in it that ends a value, quotes or escapes. */
static bool needs_quotes(const char *value, size_t len) {
    if (len == 0)
        return true;
    for (size_t i = 0; i < len;) {
        size_t size = str_utf8_next(value + i, len - i);
        if (!is_printable(value + i, size) || strchr(" \"=\\", value[i]))
            return true;
        i += size;
    }
    return false;
}

static void put_text_line(struct buf *line, enum log_level level, const char *message, va_list pairs) {
    char now[CLOCK_ISO_LEN];
    buf_printf(line, "%s %-5s ", clock_iso(clock_now_ms(), now), level_names[level]);
    put_escaped(line, message, cut(message), false);
    for (const char *key; (key = va_arg(pairs, const char *));) {
        const char *value = va_arg(pairs, const char *);
        if (!value)
            continue;
        size_t len = cut(value);
        bool is_quoted = needs_quotes(value, len);
        buf_printf(line, is_quoted ? " %s=\"" : " %s=", key);
        put_escaped(line, value, len, is_quoted);
        if (is_quoted)
            buf_putc(line, '"');
    }
}

static void put_json_line(struct buf *line, enum log_level level, const char *message, va_list pairs) {
    struct jw jw;
    jw_init(&jw, line);
    jw_object(&jw);
    jw_ktime(&jw, "time", clock_now_ms());
    jw_kstr(&jw, "level", level_names[level]);
    jw_key(&jw, "message");
    jw_strn(&jw, message, cut(message));
    for (const char *key; (key = va_arg(pairs, const char *));) {
        const char *value = va_arg(pairs, const char *);
        if (!value)
            continue;
        jw_key(&jw, key);
        jw_strn(&jw, value, cut(value));
    }
    jw_object_end(&jw);
}

void log_event(enum log_level level, const char *message, ...) {
    if ((int)level < atomic_load_explicit(&lowest_level, memory_order_relaxed) ||
        (size_t)level >= ARRAY_LEN(level_names))
        return;
    int saved_errno = errno;
    CLEANUP(buf_release) struct buf line = {.max_bytes = LONGEST_LINE};
    va_list pairs;
    va_start(pairs, message);
    if (atomic_load(&is_json_mode))
        put_json_line(&line, level, message, pairs);
    else
        put_text_line(&line, level, message, pairs);
    va_end(pairs);
    buf_putc(&line, '\n');
    /* What stderr does not take is lost: there is nowhere to say so. */
    if (!line.overflowed)
        while (write(STDERR_FILENO, line.data, line.len) < 0 && errno == EINTR)
            continue;
    errno = saved_errno;
}
