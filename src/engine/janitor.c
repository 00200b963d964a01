/* janitor: sweeps what a crash or the passing of time left behind. */
#include "engine/janitor.h"

#include <dirent.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/wait.h"
#include "engine/journal.h"
#include "engine/load.h"
#include "engine/queue.h"
#include "engine/steps.h"
#include "engine/waiting.h"
#include "store/deliveries.h"
#include "store/jobs.h"
#include "store/projects.h"
#include "store/replays.h"
#include "store/runs.h"
#include "store/spending.h"
#include "store/webhook_deliveries.h"

#define SWEEP_MS 60000
#define DELIVERY_LIFE_MS (INT64_C(30) * 24 * 3600 * 1000) /* of what webhooks were told, once that has ended */
#define DELIVERIES_AT_ONCE 1000
#define ORPHAN_AGE_MS 600000 /* what is younger may be something that is just being made */

struct janitor {
    struct engine *engine;
    pthread_mutex_t lock; /* guards is_ending */
    pthread_cond_t changed;
    bool is_ending;
    pthread_t thread;
};

/* One look at everything. */
struct sweep {
    struct engine *engine;
    struct db *db;
    struct arena *arena; /* until the sweep of one kind ends */
    bool is_quiet;       /* at the start: nobody can be making anything */
};

static const char *path_of(const struct sweep *s, const char *folder, const char *name) {
    return arena_printf(s->arena, "%s/%s/%s", s->engine->data_dir, folder, name);
}

/* Nobody can be about to give it a meaning: it is old, or there is nobody yet. */
static bool is_left_over(const struct sweep *s, const char *path) {
    struct stat st;
    return s->is_quiet || (stat(path, &st) == 0 && clock_now_ms() - (int64_t)st.st_mtime * 1000 >= ORPHAN_AGE_MS);
}

/* Names in DATA/<folder>. */
static void list_folder(const struct sweep *s, const char *folder, char ***names, size_t *count) {
    struct arena *arena = s->arena;
    DIR *dir = opendir(path_of(s, folder, "."));
    struct dirent *entry;
    size_t capacity = 16;
    *names = arena_array(arena, capacity, sizeof **names);
    *count = 0;
    while (dir && (entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        if (*count == capacity) {
            char **more = arena_array(arena, capacity * 2, sizeof *more);
            memcpy(more, *names, capacity * sizeof *more);
            *names = more;
            capacity *= 2;
        }
        (*names)[(*count)++] = arena_strdup(arena, entry->d_name);
    }
    if (dir)
        closedir(dir);
}

/* "proj_….git" → "proj_…"; NULL when the name is not of that kind. */
static char *id_of(struct arena *arena, const char *name, const char *suffix, const char *prefix) {
    size_t len = strlen(name), cut = strlen(suffix);
    if (len <= cut || !str_ends(name, suffix))
        return NULL;
    char *id = arena_strndup(arena, name, len - cut);
    return id_is_valid(id, prefix) ? id : NULL;
}

static int sweep_workspaces(const struct sweep *s, struct err *err) {
    char **names;
    size_t count;
    int rc = 0;
    list_folder(s, "workspaces", &names, &count);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct run *active = NULL;
        const char *path = path_of(s, "workspaces", names[i]);
        /* A young folder may be that of a run that begins just now. */
        if (!is_left_over(s, path))
            continue;
        if (id_is_valid(names[i], "proj"))
            rc = store_run_active(s->db, s->arena, names[i], &active, err);
        if (rc == 0 && !active)
            rc = fs_remove_tree(path, err);
    }
    return rc;
}

static int sweep_repositories(const struct sweep *s, struct err *err) {
    char **names;
    size_t count;
    int rc = 0;
    list_folder(s, "repos", &names, &count);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct project *project = NULL;
        const char *path = path_of(s, "repos", names[i]), *id = id_of(s->arena, names[i], ".git", "proj");
        if (!id || !is_left_over(s, path))
            continue;
        rc = store_project_get(s->db, s->arena, id, NULL, &project, err);
        if (rc == 0 && !project)
            rc = fs_remove_tree(path, err);
    }
    return rc;
}

static int expire_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct export row = *(const struct export *)arg; /* this may run twice: the state it came with stays */
    return journal_export_move(journal, &row, EXPORT_EXPIRED, err);
}

static int sweep_exports(const struct sweep *s, struct err *err) {
    struct export *due = NULL;
    char **names;
    size_t count = 0;
    int rc = store_export_due(s->db, s->arena, clock_now_ms(), &due, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = journal_write(s->engine, expire_in_tx, &due[i], err);
    list_folder(s, "exports", &names, &count);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct export *row = NULL;
        const char *path = path_of(s, "exports", names[i]), *id = id_of(s->arena, names[i], ".zip", "exp");
        /* What was being written when a crash came. */
        bool is_half = strstr(names[i], ".zip.tmp-") && is_left_over(s, path);
        if (id)
            rc = store_export_get(s->db, s->arena, id, NULL, &row, err);
        bool is_kept = row && (row->state == EXPORT_PROCESSING || row->state == EXPORT_COMPLETED);
        if (rc == 0 && (is_half || (id && !is_kept)))
            rc = fs_remove_tree(path, err);
    }
    return rc;
}

static int sweep_deployments(const struct sweep *s, struct err *err) {
    char **names;
    size_t count = 0;
    int rc = 0;
    list_folder(s, "deployments", &names, &count);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct deployment *row = NULL;
        if (id_is_valid(names[i], "dep"))
            rc = store_deployment_get(s->db, s->arena, names[i], NULL, &row, err);
        bool is_kept = row && (row->state == DEPLOYMENT_DEPLOYING || row->state == DEPLOYMENT_LIVE);
        if (rc == 0 && !is_kept)
            rc = fs_remove_tree(path_of(s, "deployments", names[i]), err);
    }
    return rc;
}

/* Logs are kept as long as the run they tell of. */
static int sweep_logs(const struct sweep *s, struct err *err) {
    char **names;
    size_t count = 0;
    int rc = 0;
    list_folder(s, "logs", &names, &count);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct run *run = NULL;
        const char *path = path_of(s, "logs", names[i]);
        if (!is_left_over(s, path))
            continue;
        if (id_is_valid(names[i], "run"))
            rc = store_run_get(s->db, s->arena, names[i], NULL, &run, err);
        if (rc == 0 && !run)
            rc = fs_remove_tree(path, err);
    }
    return rc;
}

/* What is meant to be there has no name, where the file system can do that; the others lose it at once. */
static int sweep_temporary(const struct sweep *s, struct err *err) {
    char **names;
    size_t count = 0;
    int rc = 0;
    list_folder(s, "tmp", &names, &count);
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (is_left_over(s, path_of(s, "tmp", names[i])))
            rc = fs_remove_tree(path_of(s, "tmp", names[i]), err);
    return rc;
}

/* Every open run but a queued or a waiting one has a job. One that has none would wait for ever: it is given the one
 * that looks at it again. */
static int wake_run_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct run *run = NULL;
    struct job *jobs = NULL;
    size_t count = 0, alive = 0;
    int rc = store_run_get(journal->db, journal->arena, arg, NULL, &run, err);
    if (rc == 0)
        rc = store_job_list(journal->db, journal->arena, arg, &jobs, &count, err);
    if (rc < 0 || !run || run_state_is_terminal(run->state))
        return rc;
    for (size_t i = 0; i < count; i++)
        alive += jobs[i].state != JOB_DEAD;
    if (alive > 0)
        return 0;
    /* One that waits for room has none; should it have been forgotten, this is when it begins. */
    if (run->state == RUN_QUEUED)
        return queue_go_on_for(journal, run->project_id, err);
    bool is_resting = run->state == RUN_WAITING && (!run->resumes_ms || run->resumes_ms > journal->now_ms);
    if (is_resting && !run->is_cancel_requested)
        return 0;
    log_event(LOG_WARN, "an open run had no job", "run", run->id, "state", run_state_name(run->state), NULL);
    if (run->is_cancel_requested)
        return step_finish(journal, run, RUN_CANCELLED, NULL, err);
    if (run->state == RUN_WAITING)
        return waiting_end(journal, run, err);
    if (run->state == RUN_EXECUTING)
        return step_advance(journal, run, err);
    return journal_enqueue(journal,
                           &(struct job_spec){.kind = run->state == RUN_VERIFYING ? JOB_RUN_VERIFY : JOB_RUN_DECOMPOSE,
                                              .project_id = run->project_id,
                                              .run_id = run->id,
                                              .is_exclusive = true},
                           err);
}

static int sweep_runs(const struct sweep *s, struct err *err) {
    struct run *runs = NULL;
    size_t count = 0;
    int rc = store_run_unfinished(s->db, s->arena, &runs, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = journal_write(s->engine, wake_run_in_tx, runs[i].id, err);
    return rc;
}

static int sweep_replays_in_tx(struct db *db, void *arg, struct err *err) {
    return store_replay_delete_old(db, clock_now_ms(), arg, err);
}

/* In portions, between which other writes have their turn. */
static int sweep_replays(const struct sweep *s, struct err *err) {
    int64_t deleted = 1;
    int rc = 0;
    while (rc == 0 && deleted > 0)
        rc = store_write(s->engine->store, sweep_replays_in_tx, &deleted, err);
    return rc;
}

static int sweep_deliveries_in_tx(struct db *db, void *arg, struct err *err) {
    return store_webhook_delivery_sweep(db, clock_now_ms() - DELIVERY_LIFE_MS, DELIVERIES_AT_ONCE, arg, err);
}

/* In portions, so that nobody waits long for the writer. */
static int sweep_deliveries(const struct sweep *s, struct err *err) {
    int64_t deleted = DELIVERIES_AT_ONCE;
    int rc = 0;
    while (rc == 0 && deleted == DELIVERIES_AT_ONCE)
        rc = store_write(s->engine->store, sweep_deliveries_in_tx, &deleted, err);
    return rc;
}

static int free_reservations_in_tx(struct db *db, void *arg, struct err *err) {
    return store_reservation_sweep(db, clock_now_ms(), false, arg, err);
}

/* What calls had reserved whose worker is gone. */
static int sweep_reservations(const struct sweep *s, struct err *err) {
    int64_t count = 0;
    return store_write(s->engine->store, free_reservations_in_tx, &count, err);
}

static const struct {
    const char *name;
    int (*run)(const struct sweep *s, struct err *err);
} sweeps[] = {
    {"runs", sweep_runs},
    {"workspaces", sweep_workspaces},
    {"repositories", sweep_repositories},
    {"exports", sweep_exports},
    {"deployments", sweep_deployments},
    {"logs", sweep_logs},
    {"temporary", sweep_temporary},
    {"deliveries", sweep_deliveries},
    {"replays", sweep_replays},
    {"reservations", sweep_reservations},
};

/* One sweep that fails does not keep the others from running. */
void janitor_sweep(struct engine *engine, bool is_quiet) {
    struct arena *arena = arena_create();
    for (size_t i = 0; i < ARRAY_LEN(sweeps); i++) {
        struct err err = {0};
        struct db *db = NULL;
        int rc = store_reader(engine->store, &db, &err);
        if (rc == 0)
            rc = sweeps[i].run(&(struct sweep){.engine = engine, .db = db, .arena = arena, .is_quiet = is_quiet}, &err);
        if (rc < 0)
            log_event(LOG_WARN, "sweep failed", "of", sweeps[i].name, "error", err.message, NULL);
        arena_reset(arena);
    }
    arena_destroy(arena);
}

static void *janitor_main(void *arg) {
    struct janitor *janitor = arg;
    pthread_mutex_lock(&janitor->lock);
    while (!janitor->is_ending) {
        if (wait_ms(&janitor->changed, &janitor->lock, SWEEP_MS))
            continue;
        pthread_mutex_unlock(&janitor->lock);
        janitor_sweep(janitor->engine, false);
        /* glibc keeps what runs and planning have freed, in each thread's heap; an idle server gives it back. */
        (void)malloc_trim(0);
        pthread_mutex_lock(&janitor->lock);
    }
    pthread_mutex_unlock(&janitor->lock);
    store_thread_end(janitor->engine->store);
    return NULL;
}

int janitor_start(struct janitor **out, struct engine *engine, struct err *err) {
    struct janitor *janitor = mem_alloc(sizeof *janitor);
    janitor->engine = engine;
    pthread_mutex_init(&janitor->lock, NULL);
    wait_init(&janitor->changed);
    janitor_sweep(engine, true);
    if (pthread_create(&janitor->thread, NULL, janitor_main, janitor) != 0) {
        pthread_cond_destroy(&janitor->changed);
        pthread_mutex_destroy(&janitor->lock);
        free(janitor);
        return err_set(err, ERR_UNAVAILABLE, "cannot start the janitor's thread");
    }
    *out = janitor;
    return 0;
}

void janitor_stop(struct janitor *janitor) {
    if (!janitor)
        return;
    pthread_mutex_lock(&janitor->lock);
    janitor->is_ending = true;
    pthread_cond_broadcast(&janitor->changed);
    pthread_mutex_unlock(&janitor->lock);
    pthread_join(janitor->thread, NULL);
    pthread_cond_destroy(&janitor->changed);
    pthread_mutex_destroy(&janitor->lock);
    free(janitor);
}
