/* fuzz: what the fuzz targets share. Each target holds one parser of outside bytes to what its header promises. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise that must hold; what it says otherwise. */
#define FUZZ_HOLDS(condition)                                                                                          \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            (void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                       \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* A copy on the heap with no byte to spare, so that reading beyond it is noticed. */
static inline char *fuzz_copy(const void *data, size_t size) {
    char *copy = malloc(size ? size : 1);
    FUZZ_HOLDS(copy);
    if (size)
        memcpy(copy, data, size);
    return copy;
}

/* As a text: up to the first NUL, if there is one. */
static inline char *fuzz_text(const void *data, size_t size) {
    size_t len = size ? strnlen(data, size) : 0;
    char *text = malloc(len + 1);
    FUZZ_HOLDS(text);
    if (len)
        memcpy(text, data, len);
    text[len] = '\0';
    return text;
}

/* The next part of the input, which ends at the byte `end`; moves *data and *size behind it. */
static inline char *fuzz_part(const uint8_t **data, size_t *size, char end) {
    const uint8_t *at = *size ? memchr(*data, end, *size) : NULL;
    size_t len = at ? (size_t)(at - *data) : *size, passed = at ? len + 1 : len;
    char *part = fuzz_text(*data, len);
    if (passed)
        *data += passed;
    *size -= passed;
    return part;
}

#endif
