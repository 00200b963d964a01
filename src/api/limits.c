/* limits: how often somebody has come within a minute. */
#include "api/limits.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"

enum { SHARDS = 16, BUCKETS = 1024, NAME_LEN = 80 };

struct entry {
    struct entry *next;
    int64_t began_ms, count;
    char name[NAME_LEN]; /* cut: of long ones the rest does not tell them apart */
};

struct shard {
    pthread_mutex_t lock; /* guards the others */
    size_t entries;
    struct entry *buckets[BUCKETS];
};

struct limits {
    size_t shard_capacity;
    struct shard shards[SHARDS];
};

struct limits *limits_create(size_t capacity) {
    struct limits *limits = mem_alloc(sizeof *limits);
    limits->shard_capacity = capacity / SHARDS + 1;
    for (size_t i = 0; i < SHARDS; i++)
        pthread_mutex_init(&limits->shards[i].lock, NULL);
    return limits;
}

/* Forgets the entries whose windows ended by then; with all, every one. */
static void forget(struct shard *shard, int64_t now_ms, bool all) {
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct entry **at = &shard->buckets[i]; *at;) {
            struct entry *entry = *at;
            if (all || now_ms - entry->began_ms >= LIMITS_WINDOW_MS) {
                *at = entry->next;
                free(entry);
                shard->entries--;
            } else {
                at = &entry->next;
            }
        }
}

void limits_destroy(struct limits *limits) {
    if (!limits)
        return;
    for (size_t i = 0; i < SHARDS; i++) {
        forget(&limits->shards[i], 0, true);
        pthread_mutex_destroy(&limits->shards[i].lock);
    }
    free(limits);
}

static struct shard *shard_of(struct limits *limits, uint32_t sum) {
    return &limits->shards[sum % SHARDS];
}

static struct entry *find(struct shard *shard, uint32_t sum, const char *name) {
    for (struct entry *entry = shard->buckets[sum / SHARDS % BUCKETS]; entry; entry = entry->next)
        if (strncmp(entry->name, name, NAME_LEN - 1) == 0)
            return entry;
    return NULL;
}

static struct entry *add(struct limits *limits, struct shard *shard, uint32_t sum, const char *name, int64_t now_ms) {
    if (shard->entries >= limits->shard_capacity)
        forget(shard, now_ms, false);
    if (shard->entries >= limits->shard_capacity)
        forget(shard, now_ms, true);
    struct entry *entry = mem_alloc(sizeof *entry), **bucket = &shard->buckets[sum / SHARDS % BUCKETS];
    entry->began_ms = now_ms;
    (void)str_copy(entry->name, sizeof entry->name, name);
    entry->next = *bucket;
    *bucket = entry;
    shard->entries++;
    return entry;
}

struct allowance limits_take(struct limits *limits, const char *name, int64_t limit, int64_t cost, int64_t now_ms) {
    uint32_t sum = hash_crc32(name, strlen(name));
    struct shard *shard = shard_of(limits, sum);
    struct allowance out = {.limit = limit, .remaining = limit, .left_ms = LIMITS_WINDOW_MS};
    pthread_mutex_lock(&shard->lock);
    struct entry *entry = find(shard, sum, name);
    if (!entry && cost > 0)
        entry = add(limits, shard, sum, name, now_ms);
    if (entry) {
        if (now_ms - entry->began_ms >= LIMITS_WINDOW_MS) {
            entry->began_ms = now_ms;
            entry->count = 0;
        }
        out.is_over = cost > 0 && entry->count + cost > limit;
        if (!out.is_over)
            entry->count += cost;
        out.remaining = limit > entry->count ? limit - entry->count : 0;
        out.left_ms = entry->began_ms + LIMITS_WINDOW_MS - now_ms;
    }
    pthread_mutex_unlock(&shard->lock);
    return out;
}

void limits_give_back(struct limits *limits, const char *name, int64_t now_ms) {
    uint32_t sum = hash_crc32(name, strlen(name));
    struct shard *shard = shard_of(limits, sum);
    pthread_mutex_lock(&shard->lock);
    struct entry *entry = find(shard, sum, name);
    if (entry && entry->count > 0 && now_ms - entry->began_ms < LIMITS_WINDOW_MS)
        entry->count--;
    pthread_mutex_unlock(&shard->lock);
}
