/* mem: allocation that aborts on exhaustion, and owners of locals that clean up by themselves. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size_bytes); /* zeroed */
void *mem_realloc(void *old, size_t size_bytes);
char *mem_strdup(const char *text); /* NULL gives NULL */
char *mem_strndup(const char *text, size_t len);
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* `CLEANUP(mem_freep) char *p = …;` frees at the end of the scope; `return take(p)` hands over. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define take(pointer)                                                                                                  \
    ({                                                                                                                 \
        __typeof__(pointer) taken_ = (pointer);                                                                        \
        (pointer) = NULL;                                                                                              \
        taken_;                                                                                                        \
    })

void mem_freep(void *pointer_to_pointer); /* free(*p) */
void mem_closep(int *fd);                 /* close(*fd) if >= 0 */

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#endif
