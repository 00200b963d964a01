/* deploy: provider `local`: the run's tree is built once in a folder of its own and served on a free port. The app's
 * data stays in that folder over restarts, until the deployment is stopped. */
#include "engine/deploy.h"

#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/load.h"
#include "engine/services.h"
#include "engine/steps.h"
#include "engine/toolchain.h"
#include "store/deliveries.h"
#include "store/jobs.h"

#define STOP_GRACE_MS 2000
#define END_WAIT_MS 30000 /* for a build to notice that it is to end */

struct deploy_call {
    struct job_context *context;
    struct deployment *row;
    struct stopped_deployments older; /* that this one takes the place of */
    bool is_late;                     /* a newer one is live already */
};

static const char *folder_of(const struct engine *engine, const char *id, struct arena *arena) {
    return arena_printf(arena, "%s/deployments/%s", engine->data_dir, id);
}

/* ---- stopping */

static int stop_row(struct journal *journal, struct deployment *row, struct err *err) {
    row->url = NULL; /* nothing answers there any more */
    row->port = 0;
    int rc = journal_deployment_move(journal, row, DEPLOYMENT_STOPPED, err);
    return rc < 0 ? rc : store_job_delete_of(journal->db, row->id, err);
}

int deploy_stop_rows(struct journal *journal, const char *project_id, const char *before_id, struct arena *arena,
                     struct stopped_deployments *out, struct err *err) {
    static const enum deployment_state states[] = {DEPLOYMENT_LIVE, DEPLOYMENT_DEPLOYING};
    *out = (struct stopped_deployments){0};
    for (size_t s = 0; s < (before_id ? 1 : ARRAY_LEN(states)); s++) {
        struct deployment *rows = NULL;
        size_t count = 0;
        int rc = store_deployment_list(journal->db, journal->arena, project_id, states[s], &rows, &count, err);
        char(*ids)[ID_LEN] = arena_array(arena, out->count + count + 1, sizeof *ids);
        if (out->count > 0)
            memcpy(ids, out->ids, out->count * sizeof *ids);
        out->ids = ids;
        for (size_t i = 0; rc == 0 && i < count; i++) {
            if (before_id && strcmp(rows[i].id, before_id) >= 0)
                continue;
            rc = stop_row(journal, &rows[i], err);
            str_copy(ids[out->count++], ID_LEN, rows[i].id);
        }
        if (rc < 0)
            return rc;
    }
    return 0;
}

bool deploy_end(struct engine *engine, const struct stopped_deployments *stopped) {
    struct arena *arena = arena_create();
    bool is_gone = true;
    for (size_t i = 0; i < stopped->count; i++)
        bus_publish(engine->bus, arena_printf(arena, "cancel:%s", stopped->ids[i]), 0);
    for (size_t i = 0; i < stopped->count; i++) {
        const char *id = stopped->ids[i];
        struct err err = {0};
        if (!services_remove(engine->services, id, END_WAIT_MS))
            is_gone = false; /* the janitor sweeps the folder */
        else if (fs_remove_tree(folder_of(engine, id, arena), &err) < 0)
            log_event(LOG_WARN, "cannot remove the folder of a deployment", "deployment", id, "error", err.message,
                      NULL);
        log_event(LOG_INFO, "deployment is stopped", "deployment", id, NULL);
    }
    arena_destroy(arena);
    return is_gone;
}

struct stop_call {
    const char *account_id, *project_id, *id;
    struct arena *arena;
    struct deployment *row;
};

static int stop_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct stop_call *call = arg;
    struct project *project = NULL;
    int rc = load_project(journal->db, journal->arena, call->account_id, call->project_id, &project, err);
    if (rc == 0)
        rc = store_deployment_get(journal->db, call->arena, call->id, call->project_id, &call->row, err);
    if (rc < 0)
        return rc;
    if (!call->row)
        return err_set(err, ERR_NOT_FOUND, "Deployment not found");
    if (call->row->state == DEPLOYMENT_STOPPED)
        return err_set(err, ERR_CONFLICT, "The deployment is stopped already");
    if (call->row->state == DEPLOYMENT_FAILED)
        return err_set(err, ERR_CONFLICT, "The deployment has failed: there is nothing to stop");
    return stop_row(journal, call->row, err);
}

int engine_deployment_stop(struct engine *engine, const char *account_id, const char *project_id,
                           const char *deployment_id, struct arena *arena, struct deployment **out, struct err *err) {
    char ids[1][ID_LEN];
    struct stop_call call = {.account_id = account_id, .project_id = project_id, .id = deployment_id, .arena = arena};
    int rc = journal_write(engine, stop_in_tx, &call, err);
    if (rc < 0)
        return rc;
    str_copy(ids[0], ID_LEN, call.row->id);
    if (!deploy_end(engine, &(struct stopped_deployments){.ids = ids, .count = 1}))
        return err_set(err, ERR_UNAVAILABLE, "The deployment is stopped, but its processes are still ending");
    *out = call.row;
    return 0;
}

/* ---- starting */

/* Whether a newer deployment of the project is live: then this one comes too late. */
static int is_superseded(struct journal *journal, const struct deployment *row, bool *out, struct err *err) {
    struct deployment *rows = NULL;
    size_t count = 0;
    int rc = store_deployment_list(journal->db, journal->arena, row->project_id, DEPLOYMENT_LIVE, &rows, &count, err);
    *out = false;
    for (size_t i = 0; rc == 0 && i < count; i++)
        *out = *out || strcmp(rows[i].id, row->id) > 0;
    return rc;
}

static int live_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct deploy_call *call = arg;
    const struct job *job = call->context->job;
    struct deployment *now = NULL, row = *call->row; /* this may run twice: the state it came with stays */
    bool is_late = false;
    int rc = store_job_guard(journal->db, job->id, job->lease.token, err);
    if (rc == 0)
        rc = store_deployment_get(journal->db, journal->arena, row.id, NULL, &now, err);
    if (rc == 0 && (!now || now->state != DEPLOYMENT_DEPLOYING))
        return err_set(err, ERR_CANCELLED, "the deployment was stopped");
    if (rc == 0)
        rc = is_superseded(journal, &row, &is_late, err);
    if (rc == 0 && is_late)
        rc = stop_row(journal, now, err);
    else if (rc == 0)
        rc = journal_deployment_move(journal, &row, DEPLOYMENT_LIVE, err);
    if (rc == 0 && !is_late)
        rc = deploy_stop_rows(journal, row.project_id, row.id, call->context->arena, &call->older, err);
    call->is_late = is_late;
    return rc < 0 ? rc : step_end(journal, job, err);
}

static int must_succeed(const struct app *app, const char *name, struct arena *arena, struct err *err) {
    struct sandbox_result result = {0};
    int rc = app_command(app, name, arena, &result, err);
    if (rc < 0 || result.exit_code == 0)
        return rc;
    return err_set(err, ERR_UNAVAILABLE, "%s ended with exit code %d: %s", name, result.exit_code,
                   str_tail(result.output, 300));
}

/* Builds unless an earlier attempt has: the marker is written last. */
static int build(struct job_context *context, const struct app *app, const struct deployment *row, const char *marker,
                 struct err *err) {
    CLEANUP(repo_closep) struct repo *repo = NULL;
    if (fs_exists(marker))
        return 0;
    int rc = fs_remove_tree(app->dir, err);
    if (rc == 0)
        rc = engine_repo_open(context->engine, row->project_id, &repo, err);
    if (rc == 0)
        rc = repo_checkout(repo, row->commit_sha, app->dir, err);
    if (rc == 0)
        rc = must_succeed(app, "install", context->arena, err);
    if (rc == 0)
        rc = must_succeed(app, "build", context->arena, err);
    return rc < 0 ? rc : fs_write_file_atomic(marker, row->commit_sha, strlen(row->commit_sha), 0640, err);
}

/* Builds and starts it; when it is live, the service is the watch's. */
static int bring_up(struct job_context *context, struct deployment *row, struct err *err) {
    struct engine *engine = context->engine;
    struct arena *arena = context->arena;
    struct sandbox_service *service = NULL;
    const char *root = folder_of(engine, row->id, arena);
    struct app app = {.engine = engine,
                      .dir = arena_printf(arena, "%s/app", root),
                      .home = arena_printf(arena, "%s/home", root),
                      .data = arena_printf(arena, "%s/data", root),
                      .is_cancelled = job_should_stop,
                      .cancel_arg = context};
    int port = 0;
    int rc = fs_mkdirs(root, 0750, err);
    if (rc == 0)
        rc = build(context, &app, row, arena_printf(arena, "%s/built", root), err);
    if (rc == 0)
        rc = app_start(&app, &service, &port, err);
    if (rc < 0)
        return rc;
    row->port = port;
    row->url = arena_printf(arena, "http://127.0.0.1:%d", port);
    row->error = NULL;
    struct deploy_call call = {.context = context, .row = row};
    rc = journal_write(engine, live_in_tx, &call, err);
    if (rc < 0 || call.is_late) {
        sandbox_service_stop(service, STOP_GRACE_MS);
        return rc;
    }
    /* Only now: the watch brings back what ends only once it is live. */
    services_add(engine->services, row->id, service);
    log_event(LOG_INFO, "deployment is live", "deployment", row->id, "url", row->url, NULL);
    (void)deploy_end(engine, &call.older);
    return 0;
}

int start_deployment(struct job_context *context, struct err *err) {
    struct services *services = context->engine->services;
    const char *id = context->job->subject_id;
    struct deployment *row = NULL;
    struct db *db = NULL;
    /* Before the row is looked at: whoever stops it afterwards waits for this job. */
    services_expect(services, id);
    int rc = store_reader(context->engine->store, &db, err);
    if (rc == 0)
        rc = store_deployment_get(db, context->arena, id, NULL, &row, err);
    if (rc == 0)
        rc = row && row->state == DEPLOYMENT_DEPLOYING ? bring_up(context, row, err) : step_drop(context, err);
    services_forget(services, id);
    return rc;
}

int bury_deployment_job(struct journal *journal, const struct job *job, const char *message, struct err *err) {
    struct deployment *row = NULL;
    int rc = store_deployment_get(journal->db, journal->arena, job->subject_id, NULL, &row, err);
    if (rc < 0 || !row || row->state != DEPLOYMENT_DEPLOYING)
        return rc;
    row->error = message;
    return journal_deployment_move(journal, row, DEPLOYMENT_FAILED, err);
}
