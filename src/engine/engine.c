/* engine: opening, recovering and closing. */
#include "engine/engine.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/context.h"
#include "engine/janitor.h"
#include "engine/plannings.h"
#include "engine/recording.h"
#include "engine/services.h"
#include "engine/webhooks.h"
#include "engine/worker.h"
#include "llm/price.h"
#include "llm/tape.h"
#include "sandbox/sandbox.h"
#include "store/jobs.h"
#include "store/runs.h"
#include "store/spending.h"
#include "store/webhook_deliveries.h"

#define WEBHOOK_GRACE_MS 3000 /* for attempts that are under way at the end */

static const char *const data_folders[] = {"repos", "workspaces", "exports", "deployments", "cache", "logs", "tmp"};

/* Tells ext4 that the folders in this one have nothing to do with each other (chattr +T): each project's files then go
 * to another part of the disk than those that were removed there just before. An ext4 without a journal looks, whenever
 * it makes a file, through all inodes of the part that were freed in the last minutes. Other file systems refuse the
 * hint. */
static void spread_folders(const char *path) {
    CLEANUP(mem_closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int flags = 0;
    if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0 || flags & FS_TOPDIR_FL)
        return;
    flags |= FS_TOPDIR_FL;
    (void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

static int open_data_dir(struct engine *engine, const char *data_dir, struct err *err) {
    int rc = fs_mkdirs(data_dir, 0750, err);
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(data_folders); i++)
        rc = fs_mkdirs(arena_printf(engine->arena, "%s/%s", data_dir, data_folders[i]), 0750, err);
    if (rc < 0)
        return rc;
    engine->data_dir = fs_real(engine->arena, data_dir);
    if (!engine->data_dir)
        return err_set(err, ERR_UNAVAILABLE, "cannot resolve the data directory %s", data_dir);
    spread_folders(arena_printf(engine->arena, "%s/workspaces", engine->data_dir));
    spread_folders(arena_printf(engine->arena, "%s/deployments", engine->data_dir));
    rc = fs_lock(arena_printf(engine->arena, "%s/lock", engine->data_dir), &engine->lock_fd, err);
    if (rc == -ERR_CONFLICT)
        return err_set(err, ERR_CONFLICT, "another prazium server uses the data directory %s", engine->data_dir);
    return rc;
}

/* The same for every instance on this data directory, so that a new one finds what an old one left. */
static void set_tag(struct engine *engine) {
    char hash[HASH_HEX_LEN];
    hash_sha256_hex(hash, engine->data_dir, strlen(engine->data_dir));
    snprintf(engine->tag, sizeof engine->tag, "prazium-%.16s", hash);
    sandbox_set_tag(engine->tag);
}

/* The catalog takes some megabytes once it is parsed: it is opened when somebody plans for the first time. */
static int open_planner(struct engine *engine, struct err *err) {
    int rc = catalog_open(&engine->catalog, engine->assets, err);
    if (rc == 0)
        rc = planner_create(&engine->planner, engine->assets, engine->catalog, engine->stack, err);
    if (rc < 0) {
        catalog_close(engine->catalog);
        engine->catalog = NULL;
    }
    return rc;
}

int engine_planner(struct engine *engine, const struct planner **out, struct err *err) {
    pthread_mutex_lock(&engine->planner_lock);
    int rc = engine->planner ? 0 : open_planner(engine, err);
    *out = engine->planner;
    pthread_mutex_unlock(&engine->planner_lock);
    return rc;
}

/* Blueprint is the first. */
static void open_agents(struct engine *engine) {
    size_t count;
    const struct agent_kind *kinds = agent_kinds(&count);
    for (size_t i = 0; i < count; i++)
        engine->agents[i].ops = kinds[i].ops;
    agent_blueprint_init(&engine->agents[0], engine->stack);
}

static int open_planning(struct engine *engine, const char *blueprints_dir, struct err *err) {
    const struct planner *planner;
    int rc = assets_open(&engine->assets, blueprints_dir, err);
    if (rc == 0)
        rc = stack_open(&engine->stack, engine->assets, "next", err);
    if (rc == 0)
        open_agents(engine);
    /* A catalog of one's own is checked at once: better no start than a late surprise. */
    if (rc == 0 && blueprints_dir)
        rc = engine_planner(engine, &planner, err);
    return rc;
}

static int reclaim_in_tx(struct db *db, void *arg, struct err *err) {
    int64_t now_ms = clock_now_ms();
    int rc = store_job_reclaim(db, now_ms, true, arg, err);
    if (rc == 0)
        rc = store_reservation_sweep(db, now_ms, true, NULL, err);
    return rc < 0 ? rc : store_webhook_delivery_reclaim(db, now_ms, err);
}

/* A process that was killed amid a change of a ref left a lock, which would hold up the runs that go on now. */
static int clear_locks(struct engine *engine, struct err *err) {
    struct arena *arena = arena_create();
    struct run *runs = NULL;
    struct db *db = NULL;
    size_t count = 0;
    int rc = store_reader(engine->store, &db, err);
    if (rc == 0)
        rc = store_run_unfinished(db, arena, &runs, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        CLEANUP(repo_closep) struct repo *repo = NULL;
        rc = repo_open(&repo, engine_repo_path(engine, runs[i].project_id, arena), err);
        if (rc == 0)
            rc = repo_clear_locks(repo, err);
        else if (rc == -ERR_NOT_FOUND)
            rc = 0; /* its job will say so */
    }
    arena_destroy(arena);
    return rc;
}

/* Nobody else lives on this data directory: what is claimed was claimed by the dead, and their children must go. */
static int recover(struct engine *engine, struct err *err) {
    int64_t reclaimed = 0;
    int killed = sandbox_kill_tagged(engine->tag);
    int rc = store_write(engine->store, reclaim_in_tx, &reclaimed, err);
    if (rc == 0)
        rc = clear_locks(engine, err);
    if (rc < 0)
        return rc;
    if (killed > 0 || reclaimed > 0) {
        char counts[2][24];
        snprintf(counts[0], sizeof counts[0], "%lld", (long long)reclaimed);
        snprintf(counts[1], sizeof counts[1], "%d", killed);
        log_event(LOG_WARN, "recovered from an earlier instance", "jobs", counts[0], "processes", counts[1], NULL);
    }
    return 0;
}

static int open_fence(struct engine *engine, const char *mode, struct err *err) {
    const char *dir = arena_printf(engine->arena, "%s/fence", engine->data_dir);
    if (!sandbox_mode_parse(str_or(mode, "auto"), &engine->sandbox))
        return err_set(err, ERR_VALIDATION, "there is no sandbox %s", mode);
    int rc = sandbox_fence_open(&engine->fence, engine->sandbox, dir, err);
    const char *fault = rc == 0 ? sandbox_fence_fault(engine->fence) : NULL;
    if (fault)
        log_event(LOG_WARN, "what is built and run is not fenced in", "reason", fault, NULL);
    return rc < 0 ? err_wrap(err, "--sandbox bwrap") : 0;
}

int engine_open(struct engine **out, const struct engine_config *given, struct err *err) {
    struct engine_config own = *given, *config = &own;
    struct engine *engine = mem_alloc(sizeof *engine);
    engine->arena = arena_create();
    engine->lock_fd = -1;
    pthread_mutex_init(&engine->tools_lock, NULL);
    pthread_mutex_init(&engine->planner_lock, NULL);
    engine->plannings = plannings_create(engine);
    engine->lease_ms = config->lease_ms ? config->lease_ms : 15000;
    engine->allows_private_webhooks = config->allows_private_webhooks;
    engine->master_key = config->master_key;
    int rc = open_data_dir(engine, config->data_dir, err);
    if (rc == 0)
        rc = recording_open(engine, config, err);
    if (rc == 0 && config->model)
        engine->model = *config->model;
    if (rc == 0)
        rc = git_start(err);
    engine->has_git = rc == 0;
    if (rc == 0)
        rc = sandbox_start(err);
    if (rc == 0) {
        set_tag(engine);
        rc = open_fence(engine, config->sandbox, err);
    }
    if (rc == 0) {
        rc = bus_open_memory(&engine->bus, err);
    }
    if (rc == 0) {
        const char *url = config->database_url ? config->database_url
                                               : arena_printf(engine->arena, "sqlite:%s/prazium.db", engine->data_dir);
        rc = store_open(&engine->store, &(struct store_config){.url = url}, err);
    }
    if (rc == 0)
        rc = open_planning(engine, config->blueprints_dir, err);
    if (rc == 0)
        rc = choice_open(engine, config, err);
    if (rc == 0)
        rc = price_table_load(&engine->prices, arena_printf(engine->arena, "%s/prices.json", engine->data_dir), err);
    if (rc == 0)
        rc = recover(engine, err);
    if (rc == 0)
        rc = services_create(&engine->services, engine, err);
    if (rc == 0)
        rc = janitor_start(&engine->janitor, engine, err);
    if (rc == 0)
        rc = webhooks_start(&engine->webhooks, engine, err);
    int workers = config->worker_count < 0 ? (int)sysconf(_SC_NPROCESSORS_ONLN) : config->worker_count;
    if (rc == 0 && workers > 0)
        rc = workers_start(&engine->workers, engine, workers, err);
    if (rc < 0) {
        engine_close(engine, 0);
        return rc;
    }
    *out = engine;
    return 0;
}

void engine_stop_planning(struct engine *engine) {
    if (engine)
        plannings_stop(engine->plannings);
}

void engine_close(struct engine *engine, int64_t grace_ms) {
    if (!engine)
        return;
    atomic_store(&engine->is_draining, true);
    plannings_destroy(engine->plannings);
    workers_stop(engine->workers, grace_ms);
    janitor_stop(engine->janitor);
    webhooks_stop(engine->webhooks, grace_ms < WEBHOOK_GRACE_MS ? grace_ms : WEBHOOK_GRACE_MS);
    services_destroy(engine->services);
    planner_destroy(engine->planner);
    stack_close(engine->stack);
    catalog_close(engine->catalog);
    assets_close(engine->assets);
    store_close(engine->store);
    bus_close(engine->bus);
    sandbox_fence_close(engine->fence);
    llm_tape_destroy(engine->tape);
    price_table_destroy(engine->prices);
    mem_closep(&engine->lock_fd);
    arena_destroy(engine->arena);
    pthread_mutex_destroy(&engine->tools_lock);
    pthread_mutex_destroy(&engine->planner_lock);
    if (engine->has_git)
        git_stop();
    free(engine);
}

struct store *engine_store(struct engine *engine) {
    return engine->store;
}

struct bus *engine_bus(struct engine *engine) {
    return engine->bus;
}

const char *engine_data_dir(const struct engine *engine) {
    return engine->data_dir;
}

bool engine_is_draining(const struct engine *engine) {
    return atomic_load(&engine->is_draining);
}

int64_t engine_events_appended(const struct engine *engine) {
    return atomic_load(&engine->events_appended);
}
