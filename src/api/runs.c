/* runs: runs and their tasks. */
#include "store/runs.h"
#include "api/handlers.h"
#include "api/present.h"
#include "base/str.h"
#include "store/projects.h"

#define CANCEL_WAIT_MS 20000 /* for the run's processes to be gone */

static void reply_begun(struct api_call *call, const struct run *run) {
    struct buf out;
    struct jw jw;
    reply_data(&out, &jw);
    present_run_begun(&jw, run);
    reply_data_end(call, &out, &jw, 201);
}

int run_create(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    struct run *run = NULL;
    int rc = call_project(call, &project, err);
    if (rc == 0)
        rc = engine_run_create(call->engine, call->account_id, project->id, call_text(call, "trigger"), call->arena,
                               &run, err);
    if (rc == 0)
        reply_begun(call, run);
    return rc;
}

int run_retry(struct api_call *call, struct err *err) {
    struct run *old = NULL, *run = NULL;
    int rc = call_run(call, &old, err);
    if (rc == 0)
        rc = engine_run_retry(call->engine, call->account_id, old->project_id, old->id, call->arena, &run, err);
    if (rc == 0)
        reply_begun(call, run);
    return rc;
}

int run_cancel(struct api_call *call, struct err *err) {
    struct run *run = NULL;
    struct buf out;
    struct jw jw;
    int rc = call_run(call, &run, err);
    if (rc == 0)
        rc = engine_run_cancel(call->engine, call->account_id, run->project_id, run->id, CANCEL_WAIT_MS, call->arena,
                               &run, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_object(&jw);
    jw_kstr(&jw, "id", run->id);
    jw_kstr(&jw, "status", run_state_name(run->state));
    jw_object_end(&jw);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}

static void present_run_row(struct jw *jw, const struct run *run) {
    jw_object(jw);
    jw_kstr(jw, "id", run->id);
    jw_kint(jw, "runNumber", run->number);
    jw_kstr(jw, "status", run_state_name(run->state));
    jw_kstr(jw, "trigger", run->trigger);
    jw_key(jw, "tasksSummary");
    jw_object(jw);
    jw_kint(jw, "total", run->tasks_total);
    jw_kint(jw, "succeeded", run->tasks_succeeded);
    jw_kint(jw, "failed", run->tasks_failed);
    jw_object_end(jw);
    jw_ktime(jw, "createdAt", run->created_ms);
    jw_ktime(jw, "startedAt", run->started_ms);
    jw_ktime(jw, "completedAt", run->completed_ms);
    jw_object_end(jw);
}

int run_list(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    struct run_query query = {0};
    struct run *rows = NULL;
    size_t count = 0;
    int64_t total = 0;
    struct buf out;
    struct jw jw;
    int rc = call_project(call, &project, err);
    if (rc < 0)
        return rc;
    query.project_id = project->id;
    query.page = call_query_int(call, "page");
    query.page_size = call_query_int(call, "pageSize");
    query.has_state = run_state_parse(call_query(call, "status"), &query.state);
    rc = store_run_list(call->db, call->arena, &query, &rows, &count, &total, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_array(&jw);
    for (size_t i = 0; i < count; i++)
        present_run_row(&jw, &rows[i]);
    jw_array_end(&jw);
    reply_page_end(call, &out, &jw, query.page, query.page_size, total);
    return 0;
}

int run_get(struct api_call *call, struct err *err) {
    struct run *run = NULL;
    struct spec *spec = NULL;
    struct task *tasks = NULL;
    size_t count = 0;
    struct buf out;
    struct jw jw;
    int rc = call_run(call, &run, err);
    if (rc == 0)
        rc = store_spec_get(call->db, call->arena, run->project_id, run->spec_version, &spec, err);
    if (rc == 0)
        rc = store_task_list(call->db, call->arena, run->id, &tasks, &count, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_object(&jw);
    jw_kstr(&jw, "id", run->id);
    jw_kstr(&jw, "projectId", run->project_id);
    jw_kint(&jw, "runNumber", run->number);
    jw_kstr(&jw, "status", run_state_name(run->state));
    jw_kstr(&jw, "trigger", run->trigger);
    jw_key(&jw, "specSnapshot");
    present_spec(&jw, spec);
    jw_kraw(&jw, "tasksJson", run->tasks_json);
    jw_key(&jw, "tasks");
    jw_array(&jw);
    for (size_t i = 0; i < count; i++)
        present_task_summary(&jw, &tasks[i]);
    jw_array_end(&jw);
    jw_kraw(&jw, "verificationResult", run->verification_json);
    jw_kstr(&jw, "error", run->error);
    jw_kbool(&jw, "cancelRequested", run->is_cancel_requested);
    jw_kstr(&jw, "commitSha", run->head_sha[0] ? run->head_sha : NULL);
    jw_ktime(&jw, "createdAt", run->created_ms);
    jw_ktime(&jw, "startedAt", run->started_ms);
    jw_ktime(&jw, "completedAt", run->completed_ms);
    jw_object_end(&jw);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}

int task_list(struct api_call *call, struct err *err) {
    struct run *run = NULL;
    struct task *tasks = NULL;
    size_t count = 0;
    struct buf out;
    struct jw jw;
    int rc = call_run(call, &run, err);
    if (rc == 0)
        rc = store_task_list(call->db, call->arena, run->id, &tasks, &count, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_array(&jw);
    for (size_t i = 0; i < count; i++)
        present_task(&jw, call, &tasks[i], false);
    jw_array_end(&jw);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}

int task_get(struct api_call *call, struct err *err) {
    struct run *run = NULL;
    struct task *task = NULL;
    const char *id;
    struct buf out;
    struct jw jw;
    int rc = call_run(call, &run, err);
    if (rc == 0)
        rc = call_id(call, "task", "task", "Task", &id, err);
    if (rc == 0)
        rc = store_task_get(call->db, call->arena, id, run->id, &task, err);
    if (rc < 0)
        return rc;
    if (!task)
        return err_set(err, ERR_NOT_FOUND, "Task not found");
    reply_data(&out, &jw);
    present_task(&jw, call, task, true);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}
