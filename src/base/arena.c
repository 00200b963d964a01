/* arena: a chain of chunks, each filled from its start. */
#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    ALIGNMENT = 16,
    FIRST_CHUNK_BYTES = 4096,
    LARGEST_CHUNK_BYTES = 256 * 1024, /* a larger single allocation gets a chunk of its own size */
};

struct chunk {
    struct chunk *older;
    size_t capacity;
    size_t used;
    _Alignas(ALIGNMENT) char data[];
};

struct deferred {
    struct deferred *older;
    void (*fn)(void *arg);
    void *arg;
};

struct arena {
    struct chunk *newest; /* never NULL; the oldest one is kept by reset */
    struct deferred *deferred;
    size_t used_bytes;
};

static struct chunk *chunk_create(size_t capacity, struct chunk *older) {
    /* Not mem_alloc: zeroing happens when bytes are handed out. */
    struct chunk *chunk = mem_realloc(NULL, sizeof(*chunk) + capacity);
    chunk->older = older;
    chunk->capacity = capacity;
    chunk->used = 0;
    return chunk;
}

static void run_deferred(struct arena *arena) {
    while (arena->deferred) {
        struct deferred *last = arena->deferred;
        arena->deferred = last->older;
        last->fn(last->arg);
    }
}

struct arena *arena_create(void) {
    struct arena *arena = mem_alloc(sizeof(*arena));
    arena->newest = chunk_create(FIRST_CHUNK_BYTES - sizeof(struct chunk), NULL);
    return arena;
}

void arena_reset(struct arena *arena) {
    if (!arena)
        return;
    run_deferred(arena);
    while (arena->newest->older) {
        struct chunk *chunk = arena->newest;
        arena->newest = chunk->older;
        free(chunk);
    }
    arena->newest->used = 0;
    arena->used_bytes = 0;
}

void arena_destroy(struct arena *arena) {
    if (!arena)
        return;
    arena_reset(arena);
    free(arena->newest);
    free(arena);
}

void *arena_alloc(struct arena *arena, size_t size_bytes) {
    if (size_bytes > SIZE_MAX / 2)
        abort();
    size_t rounded = ((size_bytes ? size_bytes : 1) + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    struct chunk *chunk = arena->newest;

    if (rounded > chunk->capacity - chunk->used) {
        size_t capacity = chunk->capacity * 2 < LARGEST_CHUNK_BYTES ? chunk->capacity * 2 : LARGEST_CHUNK_BYTES;
        chunk = chunk_create(rounded > capacity ? rounded : capacity, chunk);
        arena->newest = chunk;
    }
    void *memory = chunk->data + chunk->used;
    chunk->used += rounded;
    arena->used_bytes += rounded;
    return memset(memory, 0, rounded);
}

void *arena_array(struct arena *arena, size_t count, size_t size_bytes) {
    size_t total = 0;
    if (__builtin_mul_overflow(count, size_bytes, &total))
        abort();
    return arena_alloc(arena, total);
}

char *arena_strdup(struct arena *arena, const char *text) {
    return text ? arena_strndup(arena, text, strlen(text)) : NULL;
}

char *arena_strndup(struct arena *arena, const char *text, size_t len) {
    if (!text)
        return NULL;
    len = strnlen(text, len);
    char *copy = arena_alloc(arena, len + 1);
    memcpy(copy, text, len);
    return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args) {
    char small[256];
    va_list again;

    va_copy(again, args);
    int len = vsnprintf(small, sizeof(small), format, args);
    if (len < 0)
        abort();
    char *text = arena_alloc(arena, (size_t)len + 1);
    if ((size_t)len < sizeof(small))
        memcpy(text, small, (size_t)len);
    else
        (void)vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

void arena_defer(struct arena *arena, void (*fn)(void *arg), void *arg) {
    struct deferred *deferred = arena_alloc(arena, sizeof(*deferred));
    deferred->fn = fn;
    deferred->arg = arg;
    deferred->older = arena->deferred;
    arena->deferred = deferred;
}

size_t arena_used_bytes(const struct arena *arena) {
    return arena ? arena->used_bytes : 0;
}
