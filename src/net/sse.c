/* sse: reading an event stream. Source: html.spec.whatwg.org, section 9.2.6. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/net.h"

struct sse_reader {
    sse_event_fn *fn;
    void *arg;
    struct buf line, data, type, id; /* limited each; together checked against max_event_bytes */
    size_t max_event_bytes;
    bool after_cr; /* a line feed now belongs to the line end before it */
    bool is_begun; /* past the place of a byte order mark */
    bool has_data;
};

struct sse_reader *sse_reader_create(sse_event_fn *fn, void *arg, size_t max_event_bytes) {
    struct sse_reader *reader = mem_alloc(sizeof(*reader));

    reader->fn = fn;
    reader->arg = arg;
    reader->max_event_bytes = max_event_bytes;
    return reader;
}

void sse_reader_destroy(struct sse_reader *reader) {
    if (!reader)
        return;
    buf_release(&reader->line);
    buf_release(&reader->data);
    buf_release(&reader->type);
    buf_release(&reader->id);
    free(reader);
}

static const char *text_of(const struct buf *buf, const char *fallback) {
    return buf->len ? buf->data : fallback;
}

static int dispatch(struct sse_reader *reader) {
    int result = 0;

    if (reader->has_data) {
        reader->data.data[--reader->data.len] = '\0'; /* the last line's end */
        struct sse_event event = {
            .id = text_of(&reader->id, ""),
            .type = text_of(&reader->type, "message"),
            .data = text_of(&reader->data, ""),
        };
        result = reader->fn(&event, reader->arg);
    }
    buf_reset(&reader->data);
    buf_reset(&reader->type);
    reader->has_data = false;
    return result;
}

/* Strings end at a NUL here, so that one in the data becomes what stands for unreadable text. */
static void put_text(struct buf *out, const char *text, size_t len) {
    while (len) {
        size_t part = strnlen(text, len);
        buf_put(out, text, part);
        if (part == len)
            return;
        buf_puts(out, "\xef\xbf\xbd");
        text += part + 1;
        len -= part + 1;
    }
}

static bool is_field(const char *name, size_t len, const char *wanted) {
    return strlen(wanted) == len && memcmp(name, wanted, len) == 0;
}

static void take_field(struct sse_reader *reader, const char *line, size_t len) {
    const char *colon = memchr(line, ':', len);
    size_t name_len = colon ? (size_t)(colon - line) : len;
    const char *value = colon ? colon + 1 : line + len;
    size_t value_len = (size_t)(line + len - value);

    if (value_len && value[0] == ' ') {
        value++;
        value_len--;
    }
    if (is_field(line, name_len, "data")) {
        put_text(&reader->data, value, value_len);
        buf_putc(&reader->data, '\n');
        reader->has_data = true;
    } else if (is_field(line, name_len, "event")) {
        buf_reset(&reader->type);
        put_text(&reader->type, value, value_len);
    } else if (is_field(line, name_len, "id") && !memchr(value, '\0', value_len)) {
        buf_reset(&reader->id);
        buf_put(&reader->id, value, value_len);
    }
}

static int take_line(struct sse_reader *reader) {
    const char *line = text_of(&reader->line, "");
    size_t len = reader->line.len;
    int result = 0;

    if (!reader->is_begun && len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
        line += 3;
        len -= 3;
    }
    reader->is_begun = true;
    if (!len)
        result = dispatch(reader);
    else if (line[0] != ':')
        take_field(reader, line, len);
    buf_reset(&reader->line);
    return result;
}

static size_t held_bytes(const struct sse_reader *reader) {
    return reader->line.len + reader->data.len + reader->type.len + reader->id.len;
}

int sse_reader_feed(struct sse_reader *reader, const char *data, size_t len, struct err *err) {
    const char *end = data + len;

    while (data < end) {
        if (reader->after_cr && *data == '\n') {
            reader->after_cr = false;
            data++;
            continue;
        }
        reader->after_cr = false;
        const char *at = data;
        while (at < end && *at != '\n' && *at != '\r')
            at++;
        if (held_bytes(reader) + (size_t)(at - data) > reader->max_event_bytes)
            return err_set(err, ERR_TOO_LARGE, "an event of more than %zu bytes", reader->max_event_bytes);
        buf_put(&reader->line, data, (size_t)(at - data));
        if (at == end)
            return 0;
        reader->after_cr = *at == '\r';
        data = at + 1;
        int result = take_line(reader);
        if (result)
            return result;
    }
    return 0;
}
