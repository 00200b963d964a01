/* usage: when API keys were last used, noted beside the requests: a write for each would cost more than they do. */
#include "api/usage.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/wait.h"
#include "store/keys.h"

enum { KEYS = 256, FRESH_MS = 60000, GATHER_MS = 1000, IDLE_MS = 60000 };

struct usage {
    struct store *store;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the others */
    pthread_cond_t changed;
    bool is_ending;
    size_t count;
    char keys[KEYS][ID_LEN];
};

struct touch_call {
    size_t count;
    char keys[KEYS][ID_LEN];
};

static int touch_in_tx(struct db *db, void *arg, struct err *err) {
    struct touch_call *call = arg;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < call->count; i++)
        rc = store_key_touch(db, call->keys[i], clock_now_ms(), err);
    return rc;
}

/* The caller holds the lock, which is given back meanwhile. */
static void write_down(struct usage *usage, struct touch_call *call) {
    struct err err = {0};
    call->count = usage->count;
    memcpy(call->keys, usage->keys, sizeof call->keys);
    pthread_mutex_unlock(&usage->lock);
    int rc = store_write(usage->store, touch_in_tx, call, &err);
    if (rc < 0)
        log_event(LOG_WARN, "cannot note the use of API keys", "error", err.message, NULL);
    pthread_mutex_lock(&usage->lock);
    /* Only now, so that a key in steady use is not noted again while it is written. */
    memmove(usage->keys, usage->keys + call->count, (usage->count - call->count) * sizeof usage->keys[0]);
    usage->count -= call->count;
}

static void *usage_main(void *arg) {
    struct usage *usage = arg;
    struct touch_call *call = mem_alloc(sizeof *call);
    pthread_mutex_lock(&usage->lock);
    while (!usage->is_ending || usage->count > 0) {
        if (usage->count == 0) {
            (void)wait_ms(&usage->changed, &usage->lock, IDLE_MS);
            continue;
        }
        if (!usage->is_ending)
            (void)wait_ms(&usage->changed, &usage->lock, GATHER_MS);
        bool is_ending = usage->is_ending;
        write_down(usage, call);
        if (is_ending)
            break;
    }
    pthread_mutex_unlock(&usage->lock);
    free(call);
    return NULL;
}

int usage_create(struct usage **out, struct store *store, struct err *err) {
    struct usage *usage = mem_alloc(sizeof *usage);
    usage->store = store;
    pthread_mutex_init(&usage->lock, NULL);
    wait_init(&usage->changed);
    if (pthread_create(&usage->thread, NULL, usage_main, usage) != 0) {
        pthread_cond_destroy(&usage->changed);
        pthread_mutex_destroy(&usage->lock);
        free(usage);
        return err_set(err, ERR_UNAVAILABLE, "cannot start the thread that notes the use of keys");
    }
    *out = usage;
    return 0;
}

void usage_destroy(struct usage *usage) {
    if (!usage)
        return;
    pthread_mutex_lock(&usage->lock);
    usage->is_ending = true;
    pthread_cond_signal(&usage->changed);
    pthread_mutex_unlock(&usage->lock);
    pthread_join(usage->thread, NULL);
    pthread_cond_destroy(&usage->changed);
    pthread_mutex_destroy(&usage->lock);
    free(usage);
}

void usage_note(struct usage *usage, const char *key_id, int64_t last_used_ms) {
    if (clock_now_ms() - last_used_ms < FRESH_MS)
        return;
    pthread_mutex_lock(&usage->lock);
    bool is_noted = usage->count == KEYS;
    for (size_t i = 0; i < usage->count && !is_noted; i++)
        is_noted = str_eq(usage->keys[i], key_id);
    if (!is_noted) {
        (void)str_copy(usage->keys[usage->count++], ID_LEN, key_id);
        if (usage->count == 1)
            pthread_cond_signal(&usage->changed);
    }
    pthread_mutex_unlock(&usage->lock);
}
