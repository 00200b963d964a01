/* bell: sleeping until something is published on the bus. */
#ifndef ENGINE_BELL_H
#define ENGINE_BELL_H

#include <pthread.h>

#include "engine/context.h"

#define BELL_POLL_MS 500 /* what a lost wake-up costs at most */

struct bell {
    pthread_mutex_t lock; /* guards is_rung */
    pthread_cond_t changed;
    bool is_rung;
    struct bus_subscription *subscription;
};

/* Hung before one looks, it rings for whatever changes after. bell_release is to follow, also when this fails. */
MUST_CHECK int bell_init(struct bell *bell, struct engine *engine, const char *topic, struct err *err);
void bell_release(struct bell *bell);
/* Returns when it has rung since the last time, after left_ms, or after BELL_POLL_MS. */
void bell_wait(struct bell *bell, int64_t left_ms);

#endif
