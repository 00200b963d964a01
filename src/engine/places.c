/* places: where a project's repository, worktrees and exports lie; and opening its repository. */
#include <stdio.h>

#include "base/clock.h"
#include "engine/context.h"

const char *engine_repo_path(const struct engine *engine, const char *project_id, struct arena *arena) {
    return arena_printf(arena, "%s/repos/%s.git", engine->data_dir, project_id);
}

const char *engine_worktree_path(const struct engine *engine, const struct task *task, struct arena *arena) {
    return arena_printf(arena, "%s/workspaces/%s/wt/feat-task-%03lld", engine->data_dir, task->project_id,
                        (long long)task->sequence);
}

const char *engine_export_path(const struct engine *engine, const char *export_id, struct arena *arena) {
    return arena_printf(arena, "%s/exports/%s.zip", engine->data_dir, export_id);
}

const char *engine_task_log_path(const struct engine *engine, const struct task *task, struct arena *arena) {
    return arena_printf(arena, "%s/logs/%s/%s.log", engine->data_dir, task->run_id, task->id);
}

/* main exists from the start, with an empty first commit, so that there is always something to fast-forward. */
static int ensure_main(struct repo *repo, struct err *err) {
    char sha[SHA_LEN];
    int rc = repo_ref_get(repo, "refs/heads/main", sha, err);
    if (rc < 0 || sha[0])
        return rc;
    struct commit_spec spec = {.parents = {"", NULL}, .message = "Begin the project\n", .time_ms = clock_now_ms()};
    rc = repo_commit_empty(repo, &spec, sha, err);
    if (rc < 0)
        return rc;
    rc = repo_ref_set(repo, "refs/heads/main", "", sha, err);
    return rc == -ERR_CONFLICT ? 0 : rc; /* another thread was first */
}

int engine_repo_open(struct engine *engine, const char *project_id, struct repo **out, struct err *err) {
    char path[4096];
    struct repo *repo = NULL;
    snprintf(path, sizeof path, "%s/repos/%s.git", engine->data_dir, project_id);
    int rc = repo_open(&repo, path, err);
    if (rc == -ERR_NOT_FOUND) {
        rc = repo_create(path, err);
        if (rc == 0)
            rc = repo_open(&repo, path, err);
    }
    if (rc == 0)
        rc = ensure_main(repo, err);
    if (rc < 0) {
        repo_close(repo);
        return rc;
    }
    *out = repo;
    return 0;
}
