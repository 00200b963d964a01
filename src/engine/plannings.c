/* plannings: the planning by models that is under way. */
#include "engine/plannings.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/list.h"
#include "base/log.h"
#include "base/str.h"
#include "base/wait.h"

struct plannings {
    struct engine *engine;
    pthread_mutex_t lock;   /* guards all, and what is in the list */
    pthread_cond_t changed; /* one is done, or one thread fewer is there */
    struct list under_way;
    size_t threads;
    atomic_bool is_stopping;
};

struct planning {
    struct list node;
    struct plannings *owner;
    struct planning_order order; /* copied into the arena */
    char key[HASH_HEX_LEN];
    struct arena *arena;
    int holders; /* its thread, and those who wait */
    bool is_done;
    int rc;
    struct err err;
    json_t *questions;
    struct spec *spec;
};

static bool is_stopping(void *arg) {
    const struct plannings *plannings = arg;
    return atomic_load(&plannings->is_stopping);
}

static const char *text_of(struct arena *arena, const json_t *value) {
    return value ? json_text(arena, value) : "";
}

static void put_key(const struct planning_order *order, const char *state, struct arena *arena,
                    char out[HASH_HEX_LEN]) {
    CLEANUP(buf_release) struct buf text = {0};
    buf_printf(&text, "%p\n%s\n%s\n%d %s\n%lld\n", (void *)(uintptr_t)order->carry_out, state,
               text_of(arena, order->answers), order->feedback != NULL, str_or(order->feedback, ""),
               (long long)order->version);
    buf_puts(&text, text_of(arena, order->documents));
    hash_sha256_hex(out, text.data, text.len);
}

/* ---- One */

static json_t *copy_of(struct arena *arena, const json_t *value) {
    return value ? json_own(arena, json_deep_copy(value)) : NULL;
}

static struct planning *make(struct plannings *plannings, const struct planning_order *order, const char *key) {
    struct planning *planning = mem_alloc(sizeof *planning);
    struct arena *arena = arena_create();
    *planning = (struct planning){.owner = plannings, .arena = arena, .holders = 1};
    (void)str_copy(planning->key, sizeof planning->key, key);
    planning->order = (struct planning_order){.carry_out = order->carry_out,
                                              .account_id = arena_strdup(arena, order->account_id),
                                              .id = arena_strdup(arena, order->id),
                                              .answers = copy_of(arena, order->answers),
                                              .documents = copy_of(arena, order->documents),
                                              .feedback = arena_strdup(arena, order->feedback),
                                              .version = order->version,
                                              .questions = &planning->questions,
                                              .spec = &planning->spec,
                                              .is_cancelled = is_stopping,
                                              .cancel_arg = plannings};
    return planning;
}

/* With the lock held. */
static void let_go(struct planning *planning) {
    if (--planning->holders > 0)
        return;
    arena_destroy(planning->arena);
    free(planning);
}

static void *planning_main(void *arg) {
    struct planning *planning = arg;
    struct plannings *plannings = planning->owner;
    struct err err = {0};
    (void)pthread_setname_np(pthread_self(), "planning");
    int rc = planning->order.carry_out(plannings->engine, &planning->order, planning->arena, &err);
    if (rc < 0)
        log_event(LOG_WARN, "planning failed", "project", planning->order.id, "error", err.message, NULL);
    store_thread_end(plannings->engine->store);
    (void)pthread_mutex_lock(&plannings->lock);
    list_remove(&planning->node);
    planning->is_done = true;
    planning->rc = rc;
    planning->err = err;
    plannings->threads--;
    let_go(planning);
    (void)pthread_cond_broadcast(&plannings->changed);
    (void)pthread_mutex_unlock(&plannings->lock);
    return NULL;
}

/* With the lock held, so that it is in the list before it can be done. */
static int start(struct planning *planning, struct err *err) {
    pthread_attr_t attributes;
    pthread_t thread;
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int failure = pthread_create(&thread, &attributes, planning_main, planning);
    (void)pthread_attr_destroy(&attributes);
    if (failure)
        return err_errno(err, ERR_UNAVAILABLE, failure, "cannot start a thread");
    list_append(&planning->owner->under_way, &planning->node);
    planning->owner->threads++;
    return 0;
}

/* ---- All of them */

struct plannings *plannings_create(struct engine *engine) {
    struct plannings *plannings = mem_alloc(sizeof *plannings);
    plannings->engine = engine;
    (void)pthread_mutex_init(&plannings->lock, NULL);
    wait_init(&plannings->changed);
    list_init(&plannings->under_way);
    return plannings;
}

void plannings_stop(struct plannings *plannings) {
    atomic_store(&plannings->is_stopping, true);
    (void)pthread_mutex_lock(&plannings->lock);
    while (plannings->threads > 0)
        (void)wait_ms(&plannings->changed, &plannings->lock, 1000);
    (void)pthread_mutex_unlock(&plannings->lock);
}

void plannings_destroy(struct plannings *plannings) {
    if (!plannings)
        return;
    plannings_stop(plannings);
    (void)pthread_cond_destroy(&plannings->changed);
    (void)pthread_mutex_destroy(&plannings->lock);
    free(plannings);
}

/* With the lock held: the one that is under way, or a new one; *out is held by the caller, too. */
static int join(struct plannings *plannings, const struct planning_order *order, const char *key, struct planning **out,
                struct err *err) {
    if (is_stopping(plannings))
        return err_set(err, ERR_UNAVAILABLE, "The server is stopping");
    list_for_each (node, next_node, &plannings->under_way) {
        struct planning *planning = container_of(node, struct planning, node);
        if (!str_eq(planning->order.id, order->id))
            continue;
        if (!str_eq(planning->key, key))
            return err_set(err, ERR_CONFLICT, "A model is planning this project already; try again when it is done");
        planning->holders++;
        *out = planning;
        return 0;
    }
    if (plannings->threads >= PLANNINGS_MOST)
        return err_set(err, ERR_UNAVAILABLE, "Too many projects are being planned; try again later");
    struct planning *planning = make(plannings, order, key);
    int rc = start(planning, err);
    if (rc < 0) {
        let_go(planning);
        return rc;
    }
    planning->holders++;
    *out = planning;
    return 0;
}

/* With the lock held. */
static int await(struct plannings *plannings, const struct planning *planning, struct err *err) {
    int64_t deadline_ms = clock_mono_ms() + PLANNING_WAIT_MS;
    while (!planning->is_done) {
        int64_t left_ms = deadline_ms - clock_mono_ms();
        if (left_ms <= 0)
            return err_set(err, ERR_UNAVAILABLE,
                           "The model is still at work. It goes on; the project will show what comes of it");
        (void)wait_ms(&plannings->changed, &plannings->lock, left_ms);
    }
    if (planning->rc < 0)
        *err = planning->err;
    return planning->rc;
}

static void hand_over(const struct planning *planning, const struct planning_order *order, struct arena *arena) {
    if (order->questions)
        *order->questions = copy_of(arena, planning->questions);
    if (!order->spec || !planning->spec)
        return;
    struct spec *spec = arena_alloc(arena, sizeof *spec);
    *spec = *planning->spec;
    spec->documents_json = arena_strdup(arena, spec->documents_json);
    spec->plan_json = arena_strdup(arena, spec->plan_json);
    spec->open_points_json = arena_strdup(arena, spec->open_points_json);
    *order->spec = spec;
}

int plannings_run(struct plannings *plannings, const struct planning_order *order, const char *state,
                  struct arena *arena, struct err *err) {
    struct planning *planning = NULL;
    char key[HASH_HEX_LEN];
    put_key(order, state, arena, key);
    (void)pthread_mutex_lock(&plannings->lock);
    int rc = join(plannings, order, key, &planning, err);
    if (rc == 0) {
        rc = await(plannings, planning, err);
        if (rc == 0)
            hand_over(planning, order, arena);
        let_go(planning);
    }
    (void)pthread_mutex_unlock(&plannings->lock);
    return rc;
}
