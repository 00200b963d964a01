/* mem: allocation that aborts on exhaustion. */
#include "base/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void out_of_memory(void) {
    static const char text[] = "out of memory\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof(text) - 1);
    (void)ignored;
    abort();
}

void *mem_alloc(size_t size_bytes) {
    void *memory = calloc(1, size_bytes ? size_bytes : 1);
    if (!memory)
        out_of_memory();
    return memory;
}

void *mem_realloc(void *old, size_t size_bytes) {
    void *memory = realloc(old, size_bytes ? size_bytes : 1);
    if (!memory)
        out_of_memory();
    return memory;
}

char *mem_strdup(const char *text) {
    return text ? mem_strndup(text, strlen(text)) : NULL;
}

char *mem_strndup(const char *text, size_t len) {
    if (!text)
        return NULL;
    len = strnlen(text, len);
    char *copy = mem_alloc(len + 1);
    memcpy(copy, text, len);
    return copy;
}

char *mem_printf(const char *format, ...) {
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    if (len < 0)
        out_of_memory();
    return text;
}

void mem_freep(void *pointer_to_pointer) {
    void **pointer = pointer_to_pointer;
    free(*pointer);
    *pointer = NULL;
}

void mem_closep(int *fd) {
    if (*fd >= 0) {
        int saved = errno;
        (void)close(*fd);
        errno = saved;
    }
    *fd = -1;
}
