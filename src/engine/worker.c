/* worker: threads that claim jobs, keep their leases and carry them out. */
#include "engine/worker.h"

#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/log.h"
#include "base/str.h"
#include "base/wait.h"
#include "engine/journal.h"
#include "engine/load.h"
#include "engine/recording.h"
#include "engine/waiting.h"
#include "store/jobs.h"
#include "store/runs.h"

#define POLL_MS 2000 /* what a lost wake-up costs at most */
#define HEARTBEAT_MS 1000
#define IDLE_BEATS 5 /* an idle pool looks for lost leases every so many beats */
#define BACKOFF_FIRST_MS 500
#define BACKOFF_MAX_MS 60000
#define INTERRUPTIONS_MAX 50 /* a job that takes its server down with it each time must end */

static const struct {
    job_handler *handle;
    job_burial *bury;
} kinds[] = {
    [JOB_RUN_DECOMPOSE] = {decompose_run, bury_run_job},
    [JOB_TASK_EXECUTE] = {execute_task, bury_task_job},
    [JOB_RUN_ADVANCE] = {advance_run, bury_run_job},
    [JOB_RUN_VERIFY] = {verify_run, bury_run_job},
    [JOB_RUN_FINISH] = {finish_run, bury_run_job},
    [JOB_RUN_RESUME] = {resume_run, bury_run_job},
    [JOB_EXPORT_MAKE] = {make_export, bury_export_job},
    [JOB_DEPLOYMENT_START] = {start_deployment, bury_deployment_job},
};

struct worker {
    struct workers *pool;
    pthread_t thread;
    struct job_context *current; /* guarded by pool->lock, as is lost_ms */
    int64_t lost_ms;             /* monotonic: when the lease of current was found lost; 0: it was not */
};

struct workers {
    struct engine *engine;
    char name[ID_LEN];
    struct bus_subscription *jobs_told, *cancel_told;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    uint64_t wakes;
    bool heartbeat_ends;
    int64_t beat_ms; /* monotonic: when the heartbeat last kept all leases */
    int busy;
    int count;
    pthread_t heartbeat;
    atomic_bool is_stopping; /* no new claims */
    atomic_bool is_forcing;  /* running jobs are to stop */
    struct worker workers[];
};

static void told_jobs(const char *topic, int64_t value, void *arg) {
    struct workers *pool = arg;
    pthread_mutex_lock(&pool->lock);
    pool->wakes++;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
}

static void told_cancel(const char *topic, int64_t value, void *arg) {
    struct workers *pool = arg;
    const char *id = topic + strlen("cancel:"); /* of a run, or of what the job is about */
    pthread_mutex_lock(&pool->lock);
    for (int i = 0; i < pool->count; i++) {
        struct job_context *context = pool->workers[i].current;
        if (context && context->job->kind != JOB_RUN_FINISH &&
            (str_eq(context->job->run_id, id) || str_eq(context->job->subject_id, id)))
            atomic_store(&context->is_cancelled, true);
    }
    pthread_mutex_unlock(&pool->lock);
}

struct claim_call {
    struct workers *pool;
    struct arena *arena;
    struct job *job;
};

static int claim_in_tx(struct db *db, void *arg, struct err *err) {
    struct claim_call *call = arg;
    struct claim claim = {
        .worker = call->pool->name, .now_ms = clock_now_ms(), .lease_ms = call->pool->engine->lease_ms};
    return store_job_claim(db, call->arena, &claim, &call->job, err);
}

struct end_call {
    struct job *job;
    bool is_final;
    const struct err *why;
    int64_t run_after_ms;
};

static int release_in_tx(struct db *db, void *arg, struct err *err) {
    struct end_call *call = arg;
    return store_job_release(db, call->job->id, call->job->lease.token, clock_now_ms(), err);
}

static int drop_in_tx(struct db *db, void *arg, struct err *err) {
    struct end_call *call = arg;
    return store_job_finish(db, call->job->id, call->job->lease.token, err);
}

static int fail_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct end_call *call = arg;
    bool is_dead = false;
    int rc = store_job_fail(journal->db, call->job->id, call->job->lease.token, call->why->message, call->run_after_ms,
                            &is_dead, err);
    if (rc == 0 && call->is_final && !is_dead)
        rc = store_job_delete_of(journal->db, call->job->subject_id, err);
    if (rc == 0 && (is_dead || call->is_final))
        rc = kinds[call->job->kind].bury(journal, call->job, call->why->message, err);
    if (rc == 0)
        journal->wakes_workers = true;
    return rc;
}

static int64_t backoff_ms(int64_t attempts) {
    int64_t ms = BACKOFF_FIRST_MS;
    while (attempts-- > 0 && ms < BACKOFF_MAX_MS)
        ms *= 2;
    ms = ms > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : ms;
    return ms / 2 + hash_random_below((uint32_t)(ms / 2 + 1));
}

/* Records how an attempt that brought no result ended. */
static void end_attempt(struct workers *pool, struct job_context *context, const struct err *why) {
    struct job *job = context->job;
    struct end_call call = {.job = job,
                            .is_final = context->is_final || recording_misfits(pool->engine, why),
                            .why = why,
                            .run_after_ms = clock_now_ms() + backoff_ms(job->attempts)};
    struct err err = {0};
    int rc;
    if (why->code == ERR_STALE || (atomic_load(&context->is_lost) && !pool->is_forcing))
        return; /* somebody else has it now */
    if (atomic_load(&context->is_cancelled) || (why->code == ERR_CANCELLED && !pool->is_forcing))
        rc = store_write(pool->engine->store, drop_in_tx, &call, &err);
    else if (waiting_is_due(context, why))
        rc = waiting_set_aside(context, why, &err);
    else if (pool->is_forcing)
        rc = store_write(pool->engine->store, release_in_tx, &call, &err);
    else
        rc = journal_write(pool->engine, fail_in_tx, &call, &err);
    if (rc < 0)
        log_event(LOG_ERROR, "cannot record the end of a job", "job", job->id, "error", err.message, NULL);
    else if (pool->is_stopping == false)
        bus_publish(pool->engine->bus, "jobs", 0);
    if (why->code != ERR_CANCELLED)
        log_event(LOG_WARN, "job failed", "job", job->id, "kind", job_kind_name(job->kind), "run", job->run_id, "error",
                  why->message, NULL);
}

static void carry_out(struct worker *worker, struct arena *arena, struct job *job) {
    struct workers *pool = worker->pool;
    struct job_context context = {.engine = pool->engine, .arena = arena, .job = job};
    struct err err = {0};
    pthread_mutex_lock(&pool->lock);
    worker->current = &context;
    worker->lost_ms = 0;
    pool->busy++;
    if (pool->is_forcing)
        atomic_store(&context.is_lost, true);
    pthread_mutex_unlock(&pool->lock);
    /* A cancel that came between the claim and now was told to nobody. */
    struct db *db = NULL;
    struct run *run = NULL;
    int rc = store_reader(pool->engine->store, &db, &err);
    if (rc == 0 && job->run_id[0])
        rc = load_job_run(db, arena, job, &run, &err);
    if (rc == 0 && run && run->is_cancel_requested && job->kind != JOB_RUN_FINISH)
        atomic_store(&context.is_cancelled, true);
    if (rc == 0 && job->interruptions >= INTERRUPTIONS_MAX)
        rc = err_set(&err, ERR_INTERNAL, "interrupted %lld times", (long long)job->interruptions);
    if (rc == 0)
        rc = atomic_load(&context.is_cancelled) ? err_set(&err, ERR_CANCELLED, "cancelled")
                                                : kinds[job->kind].handle(&context, &err);
    pthread_mutex_lock(&pool->lock);
    worker->current = NULL;
    pool->busy--;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    if (rc < 0)
        end_attempt(pool, &context, &err);
}

static void *worker_main(void *arg) {
    struct worker *worker = arg;
    struct workers *pool = worker->pool;
    struct arena *arena = arena_create();
    pthread_mutex_lock(&pool->lock);
    while (!pool->is_stopping) {
        uint64_t seen = pool->wakes;
        pthread_mutex_unlock(&pool->lock);
        arena_reset(arena);
        struct claim_call call = {.pool = pool, .arena = arena};
        struct err err = {0};
        int64_t sleep_ms = POLL_MS, due_ms = 0;
        struct db *db = NULL;
        /* An idle worker looks before it writes: an empty queue costs no transaction. */
        int rc = store_reader(pool->engine->store, &db, &err);
        if (rc == 0)
            rc = store_job_next_due(db, &due_ms, &err);
        if (rc == 0 && due_ms && due_ms <= clock_now_ms())
            rc = store_write(pool->engine->store, claim_in_tx, &call, &err);
        else if (rc == 0 && due_ms && due_ms - clock_now_ms() < POLL_MS)
            sleep_ms = due_ms - clock_now_ms();
        if (rc < 0)
            log_event(LOG_ERROR, "cannot claim", "worker", pool->name, "error", err.message, NULL);
        if (rc == 0 && call.job)
            carry_out(worker, arena, call.job);
        pthread_mutex_lock(&pool->lock);
        if (!call.job && !pool->is_stopping && pool->wakes == seen)
            (void)wait_ms(&pool->changed, &pool->lock, sleep_ms > 0 ? sleep_ms : 1);
    }
    pthread_mutex_unlock(&pool->lock);
    arena_destroy(arena);
    store_thread_end(pool->engine->store);
    return NULL;
}

struct renew_call {
    struct workers *pool;
    struct {
        char id[ID_LEN];
        int64_t token;
        bool is_lost;
    } held[64];
    int count;
    int64_t reclaimed;
};

static int renew_in_tx(struct db *db, void *arg, struct err *err) {
    struct renew_call *call = arg;
    int64_t now = clock_now_ms();
    for (int i = 0; i < call->count; i++) {
        struct err renew_err = {0};
        int rc =
            store_job_renew(db, call->held[i].id, call->held[i].token, now + call->pool->engine->lease_ms, &renew_err);
        call->held[i].is_lost = rc == -ERR_STALE;
        if (rc < 0 && rc != -ERR_STALE)
            return err_set(err, renew_err.code, "%s", renew_err.message);
    }
    return store_job_reclaim(db, now, false, &call->reclaimed, err);
}

/* Renews what is held, marks what was lost, and gives back to the queue what nobody renewed. The caller holds the lock;
 * it is given back during the write. */
static bool renew_leases(struct workers *pool, bool is_idle_due) {
    struct renew_call call = {.pool = pool};
    struct err err = {0};
    for (int i = 0; i < pool->count && call.count < 64; i++) {
        struct job_context *context = pool->workers[i].current;
        if (!context)
            continue;
        str_copy(call.held[call.count].id, ID_LEN, context->job->id);
        call.held[call.count++].token = context->job->lease.token;
    }
    if (call.count == 0 && !is_idle_due)
        return true;
    pthread_mutex_unlock(&pool->lock);
    int rc = store_write(pool->engine->store, renew_in_tx, &call, &err);
    if (rc < 0)
        log_event(LOG_ERROR, "cannot renew leases", "worker", pool->name, "error", err.message, NULL);
    if (rc == 0 && call.reclaimed > 0)
        bus_publish(pool->engine->bus, "jobs", 0);
    pthread_mutex_lock(&pool->lock);
    for (int k = 0; rc == 0 && k < call.count; k++) {
        for (int i = 0; call.held[k].is_lost && i < pool->count; i++) {
            struct job_context *context = pool->workers[i].current;
            if (!context || context->job->lease.token != call.held[k].token ||
                !str_eq(context->job->id, call.held[k].id))
                continue;
            if (!atomic_exchange(&context->is_lost, true))
                pool->workers[i].lost_ms = clock_mono_ms();
        }
    }
    return rc == 0;
}

static void *heartbeat_main(void *arg) {
    struct workers *pool = arg;
    pthread_mutex_lock(&pool->lock);
    int64_t next = clock_mono_ms() + HEARTBEAT_MS;
    unsigned beats = 0;
    while (!pool->heartbeat_ends) {
        int64_t left = next - clock_mono_ms();
        if (left > 0) {
            (void)wait_ms(&pool->changed, &pool->lock, left < HEARTBEAT_MS ? left : HEARTBEAT_MS);
            continue;
        }
        next = clock_mono_ms() + HEARTBEAT_MS;
        if (renew_leases(pool, ++beats % IDLE_BEATS == 0))
            pool->beat_ms = clock_mono_ms();
    }
    pthread_mutex_unlock(&pool->lock);
    store_thread_end(pool->engine->store);
    return NULL;
}

static void workers_free(struct workers *pool) {
    if (pool->jobs_told)
        bus_unsubscribe(pool->jobs_told);
    if (pool->cancel_told)
        bus_unsubscribe(pool->cancel_told);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

int workers_start(struct workers **out, struct engine *engine, int count, struct err *err) {
    struct workers *pool = mem_alloc(sizeof *pool + (size_t)count * sizeof pool->workers[0]);
    pool->engine = engine;
    pthread_mutex_init(&pool->lock, NULL);
    wait_init(&pool->changed);
    id_make(pool->name, "wrk");
    pool->beat_ms = clock_mono_ms();
    int rc = bus_subscribe(engine->bus, "jobs", told_jobs, pool, &pool->jobs_told, err);
    if (rc == 0)
        rc = bus_subscribe(engine->bus, "cancel:*", told_cancel, pool, &pool->cancel_told, err);
    if (rc == 0 && pthread_create(&pool->heartbeat, NULL, heartbeat_main, pool) != 0)
        rc = err_set(err, ERR_UNAVAILABLE, "cannot start the heartbeat thread");
    if (rc < 0) {
        workers_free(pool);
        return rc;
    }
    for (int i = 0; i < count; i++) {
        struct worker *worker = &pool->workers[i];
        worker->pool = pool;
        if (pthread_create(&worker->thread, NULL, worker_main, worker) != 0) {
            rc = err_set(err, ERR_UNAVAILABLE, "cannot start worker thread %d", i + 1);
            workers_stop(pool, 0);
            return rc;
        }
        pthread_mutex_lock(&pool->lock);
        pool->count = i + 1;
        pthread_mutex_unlock(&pool->lock);
    }
    *out = pool;
    return 0;
}

void workers_stop(struct workers *pool, int64_t grace_ms) {
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->is_stopping = true;
    pthread_cond_broadcast(&pool->changed);
    int64_t deadline = clock_mono_ms() + grace_ms;
    while (pool->busy > 0 && clock_mono_ms() < deadline)
        (void)wait_ms(&pool->changed, &pool->lock, deadline - clock_mono_ms());
    pool->is_forcing = true;
    for (int i = 0; i < pool->count; i++)
        if (pool->workers[i].current)
            atomic_store(&pool->workers[i].current->is_lost, true);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->count; i++)
        pthread_join(pool->workers[i].thread, NULL);
    pthread_mutex_lock(&pool->lock);
    pool->heartbeat_ends = true;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    pthread_join(pool->heartbeat, NULL);
    workers_free(pool);
}

void workers_count(struct workers *pool, int *total, int *busy) {
    *total = *busy = 0;
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    *total = pool->count;
    *busy = pool->busy;
    pthread_mutex_unlock(&pool->lock);
}

void workers_look(struct workers *pool, struct workers_state *out) {
    *out = (struct workers_state){0};
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    int64_t now_ms = clock_mono_ms();
    out->total = pool->count;
    out->busy = pool->busy;
    out->beat_ms = now_ms - pool->beat_ms;
    for (int i = 0; i < pool->count; i++) {
        const struct worker *worker = &pool->workers[i];
        bool is_lost = worker->current && worker->lost_ms;
        out->lost += is_lost;
        out->stuck += is_lost && now_ms - worker->lost_ms > pool->engine->lease_ms;
    }
    pthread_mutex_unlock(&pool->lock);
}
