/* buf: a growing byte buffer whose limit is part of it. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* data is NUL-terminated after every put (the NUL is not counted in len). A put beyond max_bytes stores nothing and
 * sets overflowed, and so do all later ones until buf_reset: what is stored is always a prefix of what was put. Callers
 * check once at the end. A zeroed buf is valid and has no limit. */
struct buf {
    char *data;
    size_t len;
    size_t capacity;
    size_t max_bytes; /* 0: no limit */
    bool overflowed;
};

void buf_init(struct buf *buf, size_t max_bytes);
void buf_release(struct buf *buf); /* accepts NULL or zeroed */
void buf_reset(struct buf *buf);   /* keeps the memory */
void buf_put(struct buf *buf, const void *data, size_t len);
void buf_puts(struct buf *buf, const char *text);
void buf_putc(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *buf, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
/* Makes room for at least len more bytes and returns where they go; the caller then adds to buf->len (or calls
 * buf_added). NULL, and overflowed, if over max. */
char *buf_reserve(struct buf *buf, size_t len);
/* After buf_reserve: counts len bytes that were written there, and terminates them. */
void buf_added(struct buf *buf, size_t len);
/* Removes len bytes from the front. */
void buf_consume(struct buf *buf, size_t len);
/* Hands the memory over to the caller (free()), leaving buf empty. Never NULL. */
char *buf_take(struct buf *buf);

#endif
