/* finish: the end of a run. main moves if the run was verified; branches are kept under refs/prazium, worktrees and
 * folders go; only then does the run's state say that it ended. Every step may be repeated after a crash. */
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/load.h"
#include "engine/queue.h"
#include "engine/steps.h"
#include "store/jobs.h"
#include "store/runs.h"

struct finish {
    struct job_context *context;
    struct arena *arena;
    struct run *run;
    enum run_state status;
    const char *error;
};

/* main only ever fast-forwards, and only to what was verified. Should it have moved (somebody pushed), the run has
 * failed: trying again would not help. */
static int move_main(struct finish *f, struct repo *repo, struct err *err) {
    char main_sha[SHA_LEN];
    bool is_forward = false;
    int rc = repo_ref_get(repo, "refs/heads/main", main_sha, err);
    if (rc < 0)
        return rc;
    if (!str_eq(main_sha, f->run->head_sha)) {
        rc = repo_is_ancestor(repo, main_sha, f->run->head_sha, &is_forward, err);
        if (rc == 0 && !is_forward) {
            f->status = RUN_FAILED;
            f->error = arena_printf(f->arena, "main moved to %s meanwhile: the verified state does not follow from it",
                                    main_sha);
            return 0;
        }
        if (rc == 0)
            rc = repo_ref_set(repo, "refs/heads/main", main_sha, f->run->head_sha, err);
    }
    if (rc == 0)
        rc = repo_ref_set(repo, arena_printf(f->arena, "refs/tags/run-%lld", (long long)f->run->number), NULL,
                          f->run->head_sha, err);
    return rc;
}

static int archive_ref(struct finish *f, struct repo *repo, const char *name, const char *kept_as, struct err *err) {
    char sha[SHA_LEN];
    int rc = repo_ref_get(repo, name, sha, err);
    if (rc < 0 || !sha[0])
        return rc;
    rc = repo_ref_set(repo, arena_printf(f->arena, "%s%s", run_archive_prefix(f->run, f->arena), kept_as), NULL, sha,
                      err);
    return rc < 0 ? rc : repo_ref_set(repo, name, NULL, "", err);
}

static int archive_branches(struct finish *f, struct repo *repo, const struct task *tasks, size_t count,
                            struct err *err) {
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = archive_ref(f, repo, arena_printf(f->arena, "refs/heads/%s", tasks[i].branch), tasks[i].branch, err);
    return rc < 0 ? rc : archive_ref(f, repo, run_branch_ref(f->run, f->arena), "integration", err);
}

static int remove_folders(struct finish *f, struct repo *repo, const struct task *tasks, size_t count,
                          struct err *err) {
    struct engine *engine = f->context->engine;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = worktree_remove(repo, task_worktree_name(&tasks[i], f->arena),
                             engine_worktree_path(engine, &tasks[i], f->arena), err);
    if (rc == 0)
        rc = fs_remove_tree(arena_printf(f->arena, "%s/workspaces/%s", engine->data_dir, f->run->project_id), err);
    return rc;
}

static int end_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct finish *f = arg;
    struct run *run = NULL;
    int rc = step_begin(journal, f->context->job, &run, err);
    if (rc == 0 && !run_state_is_terminal(run->state))
        rc = journal_run_move(journal, run, f->status, f->error, err);
    if (rc == 0)
        rc = queue_go_on_for(journal, run->project_id, err);
    if (rc == 0)
        rc = store_job_delete_pending(journal->db, run->id, err);
    return rc < 0 ? rc : step_end(journal, f->context->job, err);
}

int finish_run(struct job_context *context, struct err *err) {
    struct finish f = {.context = context, .arena = context->arena, .status = RUN_FAILED};
    CLEANUP(repo_closep) struct repo *repo = NULL;
    struct db *db = NULL;
    struct task *tasks = NULL;
    size_t count = 0;
    json_t *payload = NULL;
    const char *text = str_or(context->job->payload_json, "{}");
    int rc = json_parse(f.arena, text, strlen(text), &payload, err);
    if (rc == 0)
        rc = store_reader(context->engine->store, &db, err);
    if (rc == 0)
        rc = load_job_run(db, f.arena, context->job, &f.run, err);
    if (rc == 0)
        rc = store_task_list(db, f.arena, f.run->id, &tasks, &count, err);
    if (rc < 0)
        return rc;
    if (!run_state_parse(json_str(payload, "status", ""), &f.status))
        return err_set(err, ERR_INTERNAL, "job %s has no status to end the run with", context->job->id);
    f.error = json_str(payload, "error", NULL);
    rc = engine_repo_open(context->engine, f.run->project_id, &repo, err);
    if (rc == 0 && f.status == RUN_SUCCEEDED)
        rc = move_main(&f, repo, err);
    if (rc == 0)
        rc = archive_branches(&f, repo, tasks, count, err);
    if (rc == 0)
        rc = remove_folders(&f, repo, tasks, count, err);
    if (rc == 0)
        rc = journal_write(context->engine, end_in_tx, &f, err);
    if (rc < 0)
        return rc;
    log_event(LOG_INFO, "run ended", "run", f.run->id, "status", run_state_name(f.status), "error", f.error, NULL);
    /* What failed tries left of objects; a run that begins meanwhile is not disturbed. */
    struct err tidy_err = {0};
    if (repo_tidy(repo, &tidy_err) < 0)
        log_event(LOG_WARN, "cannot tidy a repository", "project", f.run->project_id, "error", tidy_err.message, NULL);
    return 0;
}
