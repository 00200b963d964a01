/* deploy: provider `local`: the run's tree is built once in a folder of its own and served on a free port. The app's
 * data stays in that folder over restarts. */
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/journal.h"
#include "engine/load.h"
#include "engine/services.h"
#include "engine/steps.h"
#include "engine/toolchain.h"
#include "store/deliveries.h"
#include "store/jobs.h"

#define STOP_GRACE_MS 2000

struct deploy_call {
    struct job_context *context;
    struct deployment *row;
};

static int live_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct deploy_call *call = arg;
    const struct job *job = call->context->job;
    struct deployment row = *call->row; /* this may run twice: the state it came with stays */
    int rc = store_job_guard(journal->db, job->id, job->lease.token, err);
    if (rc == 0)
        rc = journal_deployment_move(journal, &row, DEPLOYMENT_LIVE, err);
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

int start_deployment(struct job_context *context, struct err *err) {
    struct engine *engine = context->engine;
    struct arena *arena = context->arena;
    struct deployment *row = NULL;
    struct sandbox_service *service = NULL;
    struct db *db = NULL;
    int port = 0;
    int rc = store_reader(engine->store, &db, err);
    if (rc == 0)
        rc = store_deployment_get(db, arena, context->job->subject_id, NULL, &row, err);
    if (rc == 0 && (!row || row->state != DEPLOYMENT_DEPLOYING))
        return step_drop(context, err);
    if (rc < 0)
        return rc;
    const char *root = arena_printf(arena, "%s/deployments/%s", engine->data_dir, row->id);
    struct app app = {.engine = engine,
                      .dir = arena_printf(arena, "%s/app", root),
                      .home = arena_printf(arena, "%s/home", root),
                      .data = arena_printf(arena, "%s/data", root),
                      .is_cancelled = job_should_stop,
                      .cancel_arg = context};
    rc = fs_mkdirs(root, 0750, err);
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
    if (rc < 0) {
        sandbox_service_stop(service, STOP_GRACE_MS);
        return rc;
    }
    /* Only now: the watch brings back what ends only once it is live. */
    services_add(engine->services, row->id, service);
    log_event(LOG_INFO, "deployment is live", "deployment", row->id, "url", row->url, NULL);
    return 0;
}

int bury_deployment_job(struct journal *journal, const struct job *job, const char *message, struct err *err) {
    struct deployment *row = NULL;
    int rc = store_deployment_get(journal->db, journal->arena, job->subject_id, NULL, &row, err);
    if (rc < 0 || !row || row->state != DEPLOYMENT_DEPLOYING)
        return rc;
    row->error = message;
    return journal_deployment_move(journal, row, DEPLOYMENT_FAILED, err);
}
