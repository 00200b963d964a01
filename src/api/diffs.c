/* diffs: what a task changed, as a patch or in numbers. */
#include "api/handlers.h"
#include "api/ranged.h"
#include "base/mem.h"
#include "base/str.h"

enum { PATCH_MAX_BYTES = 10 << 20, CONTEXT_LINES = 3 };

static int reply_patch(struct api_call *call, struct repo *repo, const struct task *task, struct err *err) {
    CLEANUP(buf_release) struct buf patch;
    buf_init(&patch, PATCH_MAX_BYTES);
    int rc = repo_patch(repo, task->commit_sha, CONTEXT_LINES, &patch, err);
    if (rc == -ERR_TOO_LARGE)
        return err_set(err, ERR_TOO_LARGE, "The patch is larger than 10 MiB; format=json tells its files");
    if (rc == 0)
        http_reply_body_copy(call->reply, "text/x-diff; charset=utf-8", patch.data, patch.len);
    return rc;
}

static void present_file(struct jw *jw, const struct patch_file *file) {
    static const char *const words[] = {
        [CHANGE_CREATED] = "created", [CHANGE_MODIFIED] = "modified", [CHANGE_DELETED] = "deleted"};
    jw_object(jw);
    jw_kstr(jw, "path", file->path);
    jw_kstr(jw, "status", words[file->kind]);
    jw_kint(jw, "additions", (int64_t)file->additions);
    jw_kint(jw, "deletions", (int64_t)file->deletions);
    jw_kbool(jw, "isBinary", file->is_binary);
    jw_object_end(jw);
}

static int reply_numbers(struct api_call *call, struct repo *repo, const struct task *task, struct err *err) {
    struct patch_files files;
    struct buf out;
    struct jw jw;
    int64_t additions = 0, deletions = 0;
    int rc = repo_patch_files(repo, call->arena, task->commit_sha, &files, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_object(&jw);
    jw_kstr(&jw, "commitSha", task->commit_sha);
    jw_kstr(&jw, "baseSha", files.base[0] ? files.base : NULL);
    jw_key(&jw, "files");
    jw_array(&jw);
    for (size_t i = 0; i < files.count; i++) {
        additions += (int64_t)files.items[i].additions;
        deletions += (int64_t)files.items[i].deletions;
        present_file(&jw, &files.items[i]);
    }
    jw_array_end(&jw);
    jw_kint(&jw, "additions", additions);
    jw_kint(&jw, "deletions", deletions);
    jw_object_end(&jw);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}

int task_diff(struct api_call *call, struct err *err) {
    CLEANUP(repo_closep) struct repo *repo = NULL;
    struct task *task = NULL;
    int rc = call_task(call, &task, err);
    if (rc < 0)
        return rc;
    if (!task->commit_sha[0])
        return err_set(err, ERR_CONFLICT, "The task is %s and has no commit", task_state_name(task->state));
    /* A commit never changes. */
    if (reply_unchanged(call, arena_printf(call->arena, "\"%s\"", task->commit_sha)))
        return 0;
    rc = engine_repo_open(call->engine, task->project_id, &repo, err);
    if (rc < 0)
        return rc;
    return str_eq(call_query(call, "format"), "json") ? reply_numbers(call, repo, task, err)
                                                      : reply_patch(call, repo, task, err);
}
