/* health: looking at the parts, and what that says of them. Only the database can make the whole unhealthy: without it
 * nothing is answered truly; all else is late, and comes. */
#include "engine/health.h"

#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/context.h"
#include "sandbox/sandbox.h"
#include "store/jobs.h"

#define SLOW_COMMIT_MS 2000
#define LEAST_FREE_BYTES (INT64_C(100) << 20)
#define LEAST_FREE_PART 100 /* one of so many */

const char *health_level_name(enum health_level level) {
    static const char *const names[] = {
        [HEALTH_HEALTHY] = "healthy", [HEALTH_DEGRADED] = "degraded", [HEALTH_UNHEALTHY] = "unhealthy"};
    return names[level];
}

static void worsen(struct engine_health *health, enum health_level *part, enum health_level level, const char *reason) {
    if (level > *part)
        *part = level;
    if (level > health->level)
        health->level = level;
    if (health->reason_count < ARRAY_LEN(health->reasons))
        health->reasons[health->reason_count++] = reason;
}

static void judge_database(const struct health_look *look, struct arena *arena, struct engine_health *out) {
    if (look->database_fault)
        worsen(out, &out->database, HEALTH_UNHEALTHY, look->database_fault);
    if (look->commit_ms > SLOW_COMMIT_MS)
        worsen(out, &out->database, HEALTH_DEGRADED,
               arena_printf(arena, "Writes have been waiting for the disk for %lld ms", (long long)look->commit_ms));
    if (look->disk_free_bytes >= 0 &&
        (look->disk_free_bytes < LEAST_FREE_BYTES || look->disk_free_bytes < look->disk_total_bytes / LEAST_FREE_PART))
        worsen(out, &out->database, HEALTH_DEGRADED,
               arena_printf(arena, "The disk of the data directory is nearly full: %lld MiB are free",
                            (long long)(look->disk_free_bytes >> 20)));
}

static void judge_workers(const struct health_look *look, struct arena *arena, struct engine_health *out) {
    const struct workers_state *workers = &look->workers;
    bool is_silent = workers->beat_ms > look->lease_ms;
    out->workers_total = workers->total;
    out->workers_busy = workers->busy;
    out->workers_alive = is_silent ? 0 : workers->total - workers->stuck;
    if (workers->total == 0)
        worsen(out, &out->workers, HEALTH_DEGRADED, "No worker runs: builds, exports and deployments wait");
    else if (look->has_due_jobs && is_silent)
        worsen(out, &out->workers, HEALTH_DEGRADED,
               arena_printf(arena, "Jobs wait, and the workers gave no sign of life for %lld ms",
                            (long long)workers->beat_ms));
    else if (look->has_due_jobs && workers->stuck == workers->total)
        worsen(out, &out->workers, HEALTH_DEGRADED, "Jobs wait, and every worker is stuck at one whose time is over");
}

/* Everything works without it: whoever wants the fence for certain starts with --sandbox bwrap. */
static void judge_fence(const struct health_look *look, struct arena *arena, struct engine_health *out) {
    enum health_level part = HEALTH_HEALTHY;
    if (look->fence_fault)
        worsen(out, &part, HEALTH_HEALTHY,
               arena_printf(arena, "What is built and run is not fenced in: %s", look->fence_fault));
}

/* Projects and runs may have others. */
static void judge_agents(const struct health_look *look, struct engine_health *out) {
    enum health_level part = HEALTH_HEALTHY;
    if (look->agents_fault)
        worsen(out, &part, look->has_agent ? HEALTH_HEALTHY : HEALTH_DEGRADED, look->agents_fault);
}

void health_judge(const struct health_look *look, struct arena *arena, struct engine_health *out) {
    out->level = out->database = out->redis = out->workers = HEALTH_HEALTHY; /* wake-ups in the process cannot fail */
    out->reason_count = 0;
    judge_database(look, arena, out);
    judge_workers(look, arena, out);
    judge_fence(look, arena, out);
    judge_agents(look, out);
}

static void look_at_database(struct engine *engine, struct arena *arena, struct health_look *look) {
    struct err err = {0};
    struct db *db = NULL;
    struct store_stats stats;
    int64_t due_ms = 0;
    if (store_ping(engine->store, &err) < 0)
        look->database_fault = arena_printf(arena, "The database does not work: %s", err.message);
    store_get_stats(engine->store, &stats);
    look->commit_ms = stats.commit_ms;
    bool are_late = look->workers.beat_ms > engine->lease_ms || look->workers.stuck > 0;
    if (!look->database_fault && are_late && store_reader(engine->store, &db, &err) == 0 &&
        store_job_next_due(db, &due_ms, &err) == 0)
        look->has_due_jobs = due_ms && due_ms <= clock_now_ms();
}

/* Who carries out tasks where nobody says otherwise: whether somebody can, and why the first cannot. */
static void look_at_agents(struct engine *engine, struct arena *arena, struct health_look *look) {
    const struct choice *choice = &engine->defaults;
    for (size_t i = 0; i < choice->agent_count; i++) {
        const char *fault = choice_fault(engine, choice, &choice->agents[i], arena);
        look->has_agent = look->has_agent || !fault;
        if (fault && !look->agents_fault)
            look->agents_fault = arena_printf(arena, "The agent %s cannot work: %s", choice->agents[i].kind, fault);
    }
}

void engine_get_health(struct engine *engine, struct arena *arena, struct engine_health *out) {
    struct health_look look = {.lease_ms = engine->lease_ms, .disk_free_bytes = -1};
    struct statvfs disk;
    *out = (struct engine_health){.database_name = "sqlite", .bus_name = bus_name(engine->bus)};
    workers_look(engine->workers, &look.workers);
    if (engine->sandbox == SANDBOX_AUTO)
        look.fence_fault = sandbox_fence_fault(engine->fence);
    look_at_database(engine, arena, &look);
    look_at_agents(engine, arena, &look);
    if (statvfs(engine->data_dir, &disk) == 0) {
        look.disk_free_bytes = (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
        look.disk_total_bytes = (int64_t)disk.f_blocks * (int64_t)disk.f_frsize;
    }
    health_judge(&look, arena, out);
}
