/* deliver: exports and deployments: asking for them, and making exports. */
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/journal.h"
#include "engine/load.h"
#include "engine/providers.h"
#include "engine/steps.h"
#include "store/deliveries.h"
#include "store/jobs.h"
#include "store/projects.h"
#include "store/runs.h"

#define EXPORT_LIFE_MS (INT64_C(7) * 24 * 3600 * 1000)

struct deliver_call {
    const char *account_id, *project_id, *run_id, *export_id;
    struct export *export;
    struct deployment *deployment;
    struct job_context *context;
    bool is_deleted; /* while it was being made */
};

/* The run to deliver: the one named, or the newest that succeeded. Only a verified state leaves the house. */
static int deliverable_run(struct journal *journal, const struct deliver_call *call, struct run **out,
                           struct err *err) {
    struct project *project = NULL;
    int rc = load_project(journal->db, journal->arena, call->account_id, call->project_id, &project, err);
    if (rc < 0)
        return rc;
    if (!call->run_id) {
        rc = store_run_latest(journal->db, journal->arena, call->project_id, RUN_SUCCEEDED, out, err);
        if (rc == 0 && !*out)
            rc = err_set(err, ERR_CONFLICT, "No run of this project has succeeded yet");
        return rc;
    }
    rc = store_run_get(journal->db, journal->arena, call->run_id, call->project_id, out, err);
    if (rc < 0)
        return rc;
    if (!*out)
        return err_field(err, ERR_NOT_FOUND, "runId", "Run not found");
    if ((*out)->state != RUN_SUCCEEDED)
        return err_field(err, ERR_CONFLICT, "runId", "The run is %s; only a run that succeeded can be delivered",
                         run_state_name((*out)->state));
    return 0;
}

static int export_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct deliver_call *call = arg;
    struct export *row = call->export;
    struct run *run = NULL;
    int rc = deliverable_run(journal, call, &run, err);
    if (rc < 0)
        return rc;
    str_copy(row->project_id, sizeof row->project_id, run->project_id);
    str_copy(row->run_id, sizeof row->run_id, run->id);
    str_copy(row->commit_sha, sizeof row->commit_sha, run->head_sha);
    row->run_number = run->number;
    row->created_ms = journal->now_ms;
    rc = store_export_insert(journal->db, row, err);
    if (rc == 0)
        rc = journal_enqueue(
            journal,
            &(struct job_spec){
                .kind = JOB_EXPORT_MAKE, .project_id = row->project_id, .subject_id = row->id, .is_exclusive = true},
            err);
    return rc;
}

int engine_export_create(struct engine *engine, const char *account_id, const char *project_id, const char *run_id,
                         const char *format, struct arena *arena, struct export **out, struct err *err) {
    struct export *row = arena_alloc(arena, sizeof *row);
    if (!str_eq(format, "zip"))
        return err_field(err, ERR_VALIDATION, "format", "format must be \"zip\"");
    id_make(row->id, "exp");
    row->format = "zip";
    row->state = EXPORT_PROCESSING;
    struct deliver_call call = {.account_id = account_id, .project_id = project_id, .run_id = run_id, .export = row};
    *out = row;
    return journal_write(engine, export_in_tx, &call, err);
}

static int deployment_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct deliver_call *call = arg;
    struct deployment *row = call->deployment;
    struct project *project = NULL;
    struct run *run = NULL;
    int rc = load_project(journal->db, journal->arena, call->account_id, call->project_id, &project, err);
    if (rc == 0)
        rc = load_refuse_archived(project, err); /* archiving stops what runs */
    if (rc == 0)
        rc = deliverable_run(journal, call, &run, err);
    if (rc < 0)
        return rc;
    str_copy(row->project_id, sizeof row->project_id, run->project_id);
    str_copy(row->run_id, sizeof row->run_id, run->id);
    str_copy(row->commit_sha, sizeof row->commit_sha, run->head_sha);
    row->created_ms = row->updated_ms = journal->now_ms;
    rc = store_deployment_insert(journal->db, row, err);
    if (rc == 0)
        rc = journal_enqueue(journal,
                             &(struct job_spec){.kind = JOB_DEPLOYMENT_START,
                                                .project_id = row->project_id,
                                                .subject_id = row->id,
                                                .is_exclusive = true,
                                                .max_attempts = 2},
                             err);
    return rc;
}

int engine_deployment_create(struct engine *engine, const char *account_id, const char *project_id, const char *run_id,
                             const char *provider, struct arena *arena, struct deployment **out, struct err *err) {
    struct deployment *row = arena_alloc(arena, sizeof *row);
    const struct provider *found = provider_find(provider);
    if (!found)
        return err_field(err, ERR_VALIDATION, "provider", "Provider \"%s\" is not configured; configured: %s", provider,
                         provider_names(arena));
    id_make(row->id, "dep");
    row->provider = found->name;
    row->state = DEPLOYMENT_DEPLOYING;
    struct deliver_call call = {
        .account_id = account_id, .project_id = project_id, .run_id = run_id, .deployment = row};
    *out = row;
    return journal_write(engine, deployment_in_tx, &call, err);
}

static int completed_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct deliver_call *call = arg;
    const struct job *job = call->context->job;
    struct export *now = NULL, row = *call->export; /* this may run twice: the state it came with stays */
    int rc = store_job_guard(journal->db, job->id, job->lease.token, err);
    if (rc == 0)
        rc = store_export_get(journal->db, journal->arena, row.id, NULL, &now, err);
    call->is_deleted = rc == 0 && !now;
    if (call->is_deleted)
        return step_end(journal, job, err);
    row.completed_ms = journal->now_ms;
    row.expires_ms = journal->now_ms + EXPORT_LIFE_MS;
    if (rc == 0)
        rc = journal_export_move(journal, &row, EXPORT_COMPLETED, err);
    return rc < 0 ? rc : step_end(journal, job, err);
}

/* `my-saas-app-run-1/`: what the zip unpacks to. */
static const char *export_prefix(const struct project *project, const struct export *row, struct arena *arena) {
    return arena_printf(arena, "%s-run-%lld", str_slug(arena, project->name, 60, "app"), (long long)row->run_number);
}

/* Whoever reads the file goes on reading. */
static int remove_export_file(struct engine *engine, const char *id, struct err *err) {
    struct arena *arena = arena_create();
    int rc = fs_remove_tree(engine_export_path(engine, id, arena), err);
    arena_destroy(arena);
    return rc;
}

int make_export(struct job_context *context, struct err *err) {
    CLEANUP(repo_closep) struct repo *repo = NULL;
    struct engine *engine = context->engine;
    struct export *row = NULL;
    struct project *project = NULL;
    struct db *db = NULL;
    int rc = store_reader(engine->store, &db, err);
    if (rc == 0)
        rc = store_export_get(db, context->arena, context->job->subject_id, NULL, &row, err);
    if (rc == 0 && (!row || row->state != EXPORT_PROCESSING))
        return step_drop(context, err);
    if (rc == 0)
        rc = load_project(db, context->arena, NULL, row->project_id, &project, err);
    if (rc == 0)
        rc = engine_repo_open(engine, row->project_id, &repo, err);
    if (rc == 0)
        rc = repo_archive_zip(repo, row->commit_sha, export_prefix(project, row, context->arena),
                              engine_export_path(engine, row->id, context->arena), &row->size_bytes, row->sha256, err);
    if (rc < 0)
        return rc;
    struct deliver_call call = {.context = context, .export = row};
    rc = journal_write(engine, completed_in_tx, &call, err);
    return rc == 0 && call.is_deleted ? remove_export_file(engine, row->id, err) : rc;
}

static int delete_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct deliver_call *call = arg;
    struct project *project = NULL;
    struct export *row = NULL;
    bool deleted = false;
    int rc = load_project(journal->db, journal->arena, call->account_id, call->project_id, &project, err);
    if (rc == 0)
        rc = store_export_get(journal->db, journal->arena, call->export_id, call->project_id, &row, err);
    if (rc == 0 && !row)
        return err_set(err, ERR_NOT_FOUND, "Export not found");
    if (rc == 0)
        rc = store_job_delete_of(journal->db, call->export_id, err);
    return rc < 0 ? rc : store_export_delete(journal->db, call->export_id, &deleted, err);
}

int engine_export_delete(struct engine *engine, const char *account_id, const char *project_id, const char *export_id,
                         struct err *err) {
    struct deliver_call call = {.account_id = account_id, .project_id = project_id, .export_id = export_id};
    int rc = journal_write(engine, delete_in_tx, &call, err);
    return rc < 0 ? rc : remove_export_file(engine, export_id, err);
}

int bury_export_job(struct journal *journal, const struct job *job, const char *message, struct err *err) {
    struct export *row = NULL;
    int rc = store_export_get(journal->db, journal->arena, job->subject_id, NULL, &row, err);
    if (rc < 0 || !row || row->state != EXPORT_PROCESSING)
        return rc;
    row->error = message;
    row->completed_ms = journal->now_ms;
    return journal_export_move(journal, row, EXPORT_FAILED, err);
}
