/* arena: memory that is given back all at once, at the end of a request or a job. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

/* Never NULL: exhaustion of memory aborts. */
struct arena *arena_create(void);
void arena_destroy(struct arena *arena);
/* Forgets everything handed out; keeps the first chunk for the next use. */
void arena_reset(struct arena *arena);

/* Zeroed, aligned to 16 bytes, valid until reset or destroy. */
void *arena_alloc(struct arena *arena, size_t size_bytes);
/* Zeroed array; aborts on overflow of count * size. */
void *arena_array(struct arena *arena, size_t count, size_t size_bytes);
char *arena_strdup(struct arena *arena, const char *text); /* NULL gives NULL */
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
/* Runs fn(arg) when the arena is reset or destroyed, last registered first (json_decref, close …). */
void arena_defer(struct arena *arena, void (*fn)(void *arg), void *arg);
size_t arena_used_bytes(const struct arena *arena);

#endif
