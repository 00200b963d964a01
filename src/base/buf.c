/* buf: a growing byte buffer whose limit is part of it. */
#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SMALLEST_CAPACITY = 64 };

/* True when len more bytes and a NUL fit, growing as needed. After an overflow nothing fits, so that what is stored
 * stays a prefix of what was put. */
static bool make_room(struct buf *buf, size_t len) {
    size_t limit = buf->max_bytes ? buf->max_bytes : SIZE_MAX / 2;
    if (buf->overflowed)
        return false;
    if (buf->len > limit || len > limit - buf->len) {
        buf->overflowed = true;
        return false;
    }
    size_t needed = buf->len + len + 1;
    if (needed > buf->capacity) {
        size_t capacity = buf->capacity > SMALLEST_CAPACITY ? buf->capacity : SMALLEST_CAPACITY;
        while (capacity < needed)
            capacity += capacity / 2;
        buf->data = mem_realloc(buf->data, capacity);
        buf->capacity = capacity;
    }
    return true;
}

void buf_init(struct buf *buf, size_t max_bytes) {
    *buf = (struct buf){.max_bytes = max_bytes};
}

void buf_release(struct buf *buf) {
    if (!buf)
        return;
    free(buf->data);
    *buf = (struct buf){.max_bytes = buf->max_bytes};
}

void buf_reset(struct buf *buf) {
    buf->len = 0;
    buf->overflowed = false;
    if (buf->data)
        buf->data[0] = '\0';
}

void buf_put(struct buf *buf, const void *data, size_t len) {
    if (!make_room(buf, len))
        return;
    if (len)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_puts(struct buf *buf, const char *text) {
    buf_put(buf, text, strlen(text));
}

void buf_putc(struct buf *buf, char c) {
    buf_put(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *format, ...) {
    va_list args;
    va_start(args, format);
    buf_vprintf(buf, format, args);
    va_end(args);
}

void buf_vprintf(struct buf *buf, const char *format, va_list args) {
    char small[256];
    va_list again;

    va_copy(again, args);
    int len = vsnprintf(small, sizeof(small), format, args);
    if (len < 0)
        abort();
    if ((size_t)len < sizeof(small)) {
        buf_put(buf, small, (size_t)len);
    } else if (make_room(buf, (size_t)len)) {
        (void)vsnprintf(buf->data + buf->len, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
    }
    va_end(again);
}

char *buf_reserve(struct buf *buf, size_t len) {
    if (!make_room(buf, len))
        return NULL;
    /* So that the text is terminated when the caller fills the whole of it. */
    buf->data[buf->len + len] = '\0';
    return buf->data + buf->len;
}

void buf_added(struct buf *buf, size_t len) {
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_consume(struct buf *buf, size_t len) {
    if (!buf->data || len == 0)
        return;
    if (len > buf->len)
        len = buf->len;
    buf->len -= len;
    memmove(buf->data, buf->data + len, buf->len);
    buf->data[buf->len] = '\0';
}

char *buf_take(struct buf *buf) {
    char *data = buf->data ? buf->data : mem_strdup("");
    data[buf->len] = '\0';
    *buf = (struct buf){.max_bytes = buf->max_bytes};
    return data;
}
