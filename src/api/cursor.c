/* cursor: where a reader of a run's events stands. */
#include "api/cursor.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

/* A wake-up may be lost: whoever is asked after so long looks all the same. Below the tick of streams. */
#define LOOK_MS 10000

struct cursor {
    struct feeds *feeds;
    struct bus_subscription *subscription;
    void (*wake)(void *arg);
    void *arg;
    char run_id[ID_LEN];
    int64_t sequence;  /* of the last event passed */
    atomic_llong told; /* the newest sequence that a wake-up spoke of */
    int64_t looked_ms; /* when the database had no more than what was passed; 0: look */
};

static void on_told(const char *topic, int64_t value, void *arg) {
    struct cursor *cursor = arg;
    long long told = atomic_load(&cursor->told);
    while (value > told && !atomic_compare_exchange_weak(&cursor->told, &told, value))
        ;
    cursor->wake(cursor->arg);
}

struct cursor *cursor_open(struct feeds *feeds, struct bus *bus, const char *run_id, int64_t after,
                           void (*wake)(void *arg), void *arg) {
    struct cursor *cursor = mem_alloc(sizeof *cursor);
    struct err err = {0};
    char topic[ID_LEN + 8];
    cursor->feeds = feeds;
    cursor->wake = wake;
    cursor->arg = arg;
    cursor->sequence = after;
    str_copy(cursor->run_id, sizeof cursor->run_id, run_id);
    feeds_join(feeds);
    /* Events committed before the subscription are found by the first read, and those after it wake. Should subscribing
     * fail, the reader's ticks still move it on. */
    snprintf(topic, sizeof topic, "run:%s", run_id);
    (void)!bus_subscribe(bus, topic, on_told, cursor, &cursor->subscription, &err);
    return cursor;
}

void cursor_close(struct cursor *cursor) {
    if (!cursor)
        return;
    if (cursor->subscription)
        bus_unsubscribe(cursor->subscription);
    feeds_leave(cursor->feeds);
    free(cursor);
}

int cursor_read(struct cursor *cursor, const struct feed_event **out, size_t *count, struct err *err) {
    int64_t now_ms = clock_mono_ms();
    *count = 0;
    if (cursor->looked_ms && cursor->sequence >= atomic_load(&cursor->told) && now_ms - cursor->looked_ms < LOOK_MS)
        return 0;
    int rc = feeds_read(cursor->feeds, cursor->run_id, cursor->sequence, out, count, err);
    if (rc == 0)
        cursor->looked_ms = *count == 0 ? now_ms : cursor->looked_ms;
    return rc;
}

void cursor_pass(struct cursor *cursor, const struct feed_event *event) {
    cursor->sequence = event->sequence;
}

int64_t cursor_sequence(const struct cursor *cursor) {
    return cursor->sequence;
}
