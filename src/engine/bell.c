/* bell: sleeping until something is published on the bus. */
#include "engine/bell.h"

#include "base/wait.h"

static void told(const char *topic, int64_t value, void *arg) {
    struct bell *bell = arg;
    pthread_mutex_lock(&bell->lock);
    bell->is_rung = true;
    pthread_cond_signal(&bell->changed);
    pthread_mutex_unlock(&bell->lock);
}

int bell_init(struct bell *bell, struct engine *engine, const char *topic, struct err *err) {
    *bell = (struct bell){.lock = PTHREAD_MUTEX_INITIALIZER};
    wait_init(&bell->changed);
    return bus_subscribe(engine->bus, topic, told, bell, &bell->subscription, err);
}

void bell_release(struct bell *bell) {
    if (bell->subscription)
        bus_unsubscribe(bell->subscription);
    pthread_cond_destroy(&bell->changed);
    pthread_mutex_destroy(&bell->lock);
}

void bell_wait(struct bell *bell, int64_t left_ms) {
    pthread_mutex_lock(&bell->lock);
    if (!bell->is_rung)
        (void)wait_ms(&bell->changed, &bell->lock, left_ms < BELL_POLL_MS ? left_ms : BELL_POLL_MS);
    bell->is_rung = false;
    pthread_mutex_unlock(&bell->lock);
}
