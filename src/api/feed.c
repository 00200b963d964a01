/* feed: the events of runs as a thread's readers share them.
 *
 * A run's events are dense and never change, so they are kept in blocks of BLOCK events by their place: a full block is
 * true for ever, and one that is not full is read on from where it ends. */
#include "api/feed.h"

#include <stdlib.h>
#include <string.h>

#include "api/present.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/runs.h"

enum { BLOCK = 64, SLOTS = 32, BLOCK_BYTES_MAX = 512 * 1024, KEPT_BYTES_MAX = 4 * 1024 * 1024 };

struct block {
    char run_id[ID_LEN];
    int64_t number; /* holds the sequences number * BLOCK + 1 … */
    size_t count;
    struct feed_event events[BLOCK];
    struct arena *arena;
};

struct feeds {
    struct store *store;
    size_t readers;
    struct block slots[SLOTS]; /* by run and number; whoever comes later takes the place */
};

struct feeds *feeds_create(struct store *store) {
    struct feeds *feeds = mem_alloc(sizeof *feeds);
    feeds->store = store;
    return feeds;
}

static void forget(struct block *block) {
    arena_destroy(block->arena);
    *block = (struct block){0};
}

static void forget_all(struct feeds *feeds) {
    for (size_t i = 0; i < SLOTS; i++)
        forget(&feeds->slots[i]);
}

void feeds_destroy(struct feeds *feeds) {
    if (!feeds)
        return;
    forget_all(feeds);
    free(feeds);
}

void feeds_join(struct feeds *feeds) {
    feeds->readers++;
}

void feeds_leave(struct feeds *feeds) {
    if (--feeds->readers == 0)
        forget_all(feeds);
}

static struct block *block_of(struct feeds *feeds, const char *run_id, int64_t number) {
    uint32_t sum = hash_crc32(run_id, strlen(run_id)) + (uint32_t)number;
    struct block *block = &feeds->slots[sum % SLOTS];
    if (!block->arena || block->number != number || !str_eq(block->run_id, run_id)) {
        if (!block->arena)
            block->arena = arena_create();
        arena_reset(block->arena);
        block->count = 0;
        block->number = number;
        str_copy(block->run_id, sizeof block->run_id, run_id);
    }
    return block;
}

static void add_event(struct block *block, const struct event *row) {
    struct feed_event *event = &block->events[block->count++];
    struct buf out = {0};
    event->sequence = row->sequence;
    event->is_last = row->type == EVENT_RUN_COMPLETED;
    present_event_block(&out, row);
    event->block_len = out.len;
    event->block = arena_strndup(block->arena, out.data, out.len);
    buf_reset(&out);
    buf_printf(&out, "{\"type\":\"event\",\"channel\":\"run:%s\",\"data\":", block->run_id);
    size_t data_at = out.len;
    present_event_message(&out, row);
    buf_putc(&out, '}');
    event->message_len = out.len;
    event->message = arena_strndup(block->arena, out.data, out.len);
    event->data = event->message + data_at;
    event->data_len = out.len - data_at - 1;
    buf_release(&out);
}

/* Large events are not kept for long: those of slow readers would push out what the others read anyway. */
static void forget_beyond(struct feeds *feeds, const struct block *at_hand) {
    size_t bytes = 0;
    for (size_t i = 0; i < SLOTS; i++)
        bytes += feeds->slots[i].arena ? arena_used_bytes(feeds->slots[i].arena) : 0;
    for (size_t i = 0; i < SLOTS && bytes > KEPT_BYTES_MAX; i++)
        if (&feeds->slots[i] != at_hand)
            forget(&feeds->slots[i]);
}

/* Reads what has come since. */
static int read_on(struct feeds *feeds, struct block *block, struct err *err) {
    struct event_query query = {.run_id = block->run_id,
                                .after_sequence = block->number * BLOCK + (int64_t)block->count,
                                .limit = BLOCK - (int64_t)block->count};
    struct arena *arena = arena_create();
    struct event *rows = NULL;
    struct db *db = NULL;
    size_t count = 0;
    int rc = store_reader(feeds->store, &db, err);
    if (rc == 0)
        rc = store_event_list(db, arena, &query, &rows, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        add_event(block, &rows[i]);
    arena_destroy(arena);
    forget_beyond(feeds, block);
    return rc;
}

int feeds_read(struct feeds *feeds, const char *run_id, int64_t after, const struct feed_event **out, size_t *count,
               struct err *err) {
    struct block *block = block_of(feeds, run_id, after / BLOCK);
    size_t skip = (size_t)(after % BLOCK);
    if (block->count < BLOCK && skip >= block->count) {
        /* Events of unusual size are not kept for the next who asks. */
        if (arena_used_bytes(block->arena) > BLOCK_BYTES_MAX) {
            arena_reset(block->arena);
            block->count = 0;
        }
        int rc = read_on(feeds, block, err);
        if (rc < 0)
            return rc;
    }
    *out = block->events + skip;
    *count = block->count > skip ? block->count - skip : 0;
    return 0;
}
