/* runs: runs and their tasks. */
#include "store/runs.h"
#include "api/handlers.h"
#include "api/page.h"
#include "api/present.h"
#include "api/settings.h"
#include "api/spending.h"
#include "base/str.h"
#include "store/projects.h"
#include "store/spending.h"

#define CANCEL_WAIT_MS 20000 /* for the run's processes to be gone */

static void write_begun(struct jw *jw, struct api_call *call, void *arg) {
    struct run *const *run = arg;
    present_run_begun(jw, *run);
}

/* As promised; whoever is refused for want of room is told what takes it. */
static int reply_begun(struct api_call *call, const struct build_room *room, int rc) {
    json_t *ids;
    if (rc != -ERR_RATE)
        return rc < 0 ? rc : reply_promised(call);
    ids = json_array();
    for (size_t i = 0; i < room->active; i++)
        json_array_append_new(ids, json_string(room->run_ids[i]));
    call_detail(call, "limit", json_integer(room->limit));
    call_detail(call, "active", json_integer((json_int_t)room->active));
    call_detail(call, "activeRuns", ids);
    http_reply_header(call->reply, "Retry-After", "30"); /* a build takes about that long */
    return rc;
}

int run_create(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    struct run *run = NULL;
    struct build_room room = {0};
    struct limits_change change = spending_limits_of(call, "costUsd", "tokens");
    struct run_agents agents;
    struct run_request request = {.trigger = call_text(call, "trigger"),
                                  .may_queue = call_flag(call, "queue", false),
                                  .limits = &change.limits,
                                  .max_attempts = call_int(call, "maxAttempts", 0),
                                  .agents = &agents};
    run_agents_of(call, &agents);
    int rc = call_project(call, &project, err);
    reply_promise(call, 201, write_begun, &run);
    if (rc == 0)
        rc = engine_run_create(call->engine, call->account_id, project->id, &request, call->arena, &run, &room, err);
    return reply_begun(call, &room, rc);
}

/* The old run again; with a task, on what the old run had merged. */
static int retry(struct api_call *call, const struct run *old, const char *task_id, const struct run_agents *agents,
                 struct err *err) {
    struct run *run = NULL;
    struct build_room room = {0};
    struct run_request request = {.may_queue = call_flag(call, "queue", false), .agents = agents};
    reply_promise(call, 201, write_begun, &run);
    int rc = engine_run_retry(call->engine, call->account_id, old->project_id, old->id, task_id, &request, call->arena,
                              &run, &room, err);
    return reply_begun(call, &room, rc);
}

int task_retry(struct api_call *call, struct err *err) {
    struct run *old = NULL;
    struct task *task = NULL;
    struct run_agents agents, of_task = {0};
    int rc = call_run(call, &old, err);
    if (rc == 0)
        rc = call_task(call, &task, err);
    run_agents_of(call, &agents);
    if (rc == 0 && agents.agents)
        of_task.task_agents = json_own(call->arena, json_pack("{s:O}", task->slug, agents.agents));
    return rc < 0 ? rc : retry(call, old, task->id, &of_task, err);
}

int run_retry(struct api_call *call, struct err *err) {
    struct run *old = NULL;
    struct run_agents agents;
    int rc = call_run(call, &old, err);
    run_agents_of(call, &agents);
    return rc < 0 ? rc : retry(call, old, NULL, &agents, err);
}

int run_cancel(struct api_call *call, struct err *err) {
    struct run *run = NULL;
    struct buf out;
    struct jw jw;
    int rc = call_run(call, &run, err);
    /* What a crash came upon may have ended since. */
    if (rc == 0 && !(call->is_resumed && run_state_is_terminal(run->state)))
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

static void write_resumed(struct jw *jw, struct api_call *call, void *arg) {
    struct run *const *run = arg;
    jw_object(jw);
    jw_kstr(jw, "id", (*run)->id);
    jw_kstr(jw, "status", run_state_name((*run)->state));
    present_limits(jw, "limits", &(*run)->limits, "costUsd", "tokens");
    jw_object_end(jw);
}

int run_resume(struct api_call *call, struct err *err) {
    struct limits_change change = spending_limits_of(call, "costUsd", "tokens");
    struct run *run = NULL, *resumed = NULL;
    reply_promise(call, 200, write_resumed, &resumed);
    int rc = call_run(call, &run, err);
    if (rc == 0)
        rc = engine_run_resume(call->engine, call->account_id, run->project_id, run->id, &change, call->arena, &resumed,
                               err);
    return rc < 0 ? rc : reply_promised(call);
}

/* Members of a run that lists have, too. */
static void present_spent(struct jw *jw, const struct run *run) {
    present_usage(jw, "usage", &run->usage);
    present_limits(jw, "limits", &run->limits, "costUsd", "tokens");
    jw_kraw(jw, "waiting", run->waiting_json);
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
    present_spent(jw, run);
    jw_ktime(jw, "createdAt", run->created_ms);
    jw_ktime(jw, "startedAt", run->started_ms);
    jw_ktime(jw, "completedAt", run->completed_ms);
    jw_object_end(jw);
}

int run_list(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    struct run_query query = {0};
    struct list_page page;
    struct run *rows = NULL;
    size_t count = 0;
    int64_t total = 0;
    struct buf out;
    struct jw jw;
    int rc = page_of_numbers(call, &page, err);
    if (rc == 0)
        rc = call_project(call, &project, err);
    if (rc < 0)
        return rc;
    query.project_id = project->id;
    query.page = page.at;
    query.has_state = run_state_parse(call_query(call, "status"), &query.state);
    rc = store_run_list(call->db, call->arena, &query, &rows, &count, &total, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_array(&jw);
    count = page_rows(&page, count);
    for (size_t i = 0; i < count; i++)
        present_run_row(&jw, &rows[i]);
    jw_array_end(&jw);
    page_reply_end(call, &out, &jw, &page, total,
                   count ? arena_printf(call->arena, "%lld", (long long)rows[count - 1].number) : NULL);
    return 0;
}

int run_get(struct api_call *call, struct err *err) {
    struct run *run = NULL;
    struct spec *spec = NULL;
    struct task *tasks = NULL;
    size_t count = 0;
    int64_t position = 0;
    struct buf out;
    struct jw jw;
    int rc = call_run(call, &run, err);
    if (rc == 0)
        rc = store_run_queue_position(call->db, run, &position, err);
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
    jw_key(&jw, "queuePosition");
    if (position)
        jw_int(&jw, position);
    else
        jw_null(&jw);
    present_spent(&jw, run);
    jw_kint(&jw, "maxAttempts", run->max_attempts);
    present_settings(&jw, "settings", engine_run_settings(call->engine, call->db, run, call->arena));
    jw_kstr(&jw, "resumesRunId", run->resumes_run_id[0] ? run->resumes_run_id : NULL);
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
        present_task(&jw, call, &tasks[i], NULL);
    jw_array_end(&jw);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}

int task_get(struct api_call *call, struct err *err) {
    struct task *task = NULL;
    struct task_extra extra = {0};
    struct buf out;
    struct jw jw;
    int rc = call_task(call, &task, err);
    if (rc == 0)
        rc = store_attempt_list(call->db, call->arena, task->id, &extra.attempts, &extra.attempt_count, err);
    if (rc == 0)
        rc = store_usage_total(call->db, task->id, 0, &extra.usage, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    present_task(&jw, call, task, &extra);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}
