/* decompose: a run's plan becomes tasks, and its integration branch begins at the head of main. */
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/load.h"
#include "engine/model_source.h"
#include "engine/queue.h"
#include "engine/steps.h"
#include "store/jobs.h"
#include "store/projects.h"
#include "store/runs.h"

#define ROOM_WAIT_MS (10 * 60 * 1000) /* for calls of the same budget that are under way */

struct decompose_call {
    struct job_context *context;
    const char *base_sha, *head_sha;
    json_t *tasks;
    const struct task *merged; /* of the run that this one resumes */
    size_t merged_count;
};

/* A task whose work is there already: it comes in as it was. */
static int take_over(struct journal *journal, struct task *task, const struct task *old, struct err *err) {
    task->attempts = old->attempts;
    task->result_json = old->result_json;
    (void)str_copy(task->base_sha, sizeof task->base_sha, old->base_sha);
    (void)str_copy(task->commit_sha, sizeof task->commit_sha, old->commit_sha);
    (void)str_copy(task->merge_sha, sizeof task->merge_sha, old->merge_sha);
    int rc = journal_task_move(journal, task, TASK_RUNNING, NULL, err);
    if (rc == 0)
        rc = store_task_update(journal->db, task, err);
    if (rc == 0)
        journal_note(journal, task, "taken over from an earlier run: %s, merged as %s", old->commit_sha,
                     old->merge_sha);
    return rc < 0 ? rc : journal_task_move(journal, task, TASK_SUCCEEDED, NULL, err);
}

/* With the attempts that led to it. */
static int take_over_attempts(struct journal *journal, const struct task *task, const struct task *old,
                              struct err *err) {
    struct task_attempt *attempts = NULL;
    size_t count = 0;
    int rc = store_attempt_list(journal->db, journal->arena, old->id, &attempts, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        (void)str_copy(attempts[i].task_id, ID_LEN, task->id);
        rc = store_attempt_insert(journal->db, &attempts[i], err);
    }
    return rc;
}

static int insert_task(struct journal *journal, const struct run *run, json_t *definition, size_t index,
                       const struct decompose_call *call, struct err *err) {
    struct task task = {.sequence = (int64_t)index + 1, .state = TASK_PENDING};
    id_make(task.id, "task");
    str_copy(task.run_id, sizeof task.run_id, run->id);
    str_copy(task.project_id, sizeof task.project_id, run->project_id);
    task.slug = json_str(definition, "slug", "");
    task.definition_json = json_text(journal->arena, definition);
    task.branch = arena_printf(journal->arena, "feat/%s-%s", json_str(definition, "id", ""), task.slug);
    int rc = store_task_insert(journal->db, &task, err);
    for (size_t i = 0; rc == 0 && i < call->merged_count; i++)
        if (call->merged[i].sequence == task.sequence)
            rc = take_over(journal, &task, &call->merged[i], err);
    for (size_t i = 0; rc == 0 && i < call->merged_count; i++)
        if (call->merged[i].sequence == task.sequence)
            rc = take_over_attempts(journal, &task, &call->merged[i], err);
    return rc;
}

static json_t *definition_of(const json_t *tasks, const char *id) {
    size_t i;
    json_t *definition;
    json_array_foreach (json_object_get(tasks, "tasks"), i, definition) {
        if (str_eq(json_str(definition, "id", ""), id))
            return definition;
    }
    return NULL;
}

/* Members of an array of strings at `key`, counted over all tasks. */
static const char *decomposed_payload(struct arena *arena, const struct decompose_call *call) {
    const json_t *tasks = call->tasks;
    struct buf out = {0};
    struct jw jw;
    size_t i;
    json_t *definition;
    jw_init(&jw, &out);
    jw_object(&jw);
    jw_kint(&jw, "total", (int64_t)json_array_size(json_object_get(tasks, "tasks")));
    jw_key(&jw, "tasks");
    jw_array(&jw);
    json_array_foreach (json_object_get(tasks, "tasks"), i, definition) {
        jw_object(&jw);
        jw_kstr(&jw, "id", json_str(definition, "id", ""));
        jw_kstr(&jw, "slug", json_str(definition, "slug", ""));
        jw_kstr(&jw, "description", json_str(definition, "description", ""));
        jw_key(&jw, "dependencies");
        jw_value(&jw, json_object_get(definition, "dependencies"));
        jw_object_end(&jw);
    }
    jw_array_end(&jw);
    jw_key(&jw, "mergeOrder");
    jw_value(&jw, json_object_get(tasks, "mergeOrder"));
    jw_kint(&jw, "reusedTasks", (int64_t)call->merged_count);
    jw_object_end(&jw);
    const char *text = arena_strndup(arena, out.data, out.len);
    buf_release(&out);
    return text;
}

static int decompose_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct decompose_call *call = arg;
    struct run *run = NULL;
    size_t i;
    json_t *id;
    int rc = step_begin(journal, call->context->job, &run, err);
    if (rc < 0)
        return rc;
    str_copy(run->base_sha, sizeof run->base_sha, call->base_sha);
    str_copy(run->head_sha, sizeof run->head_sha, call->head_sha);
    run->tasks_json = json_text(journal->arena, call->tasks);
    rc = store_run_update(journal->db, run, err);
    if (rc == 0)
        rc = journal_run_move(journal, run, RUN_EXECUTING, NULL, err);
    if (rc == 0)
        rc = journal_event(journal, run, NULL, EVENT_RUN_DECOMPOSED, decomposed_payload(journal->arena, call), err);
    /* The sequence is the place in mergeOrder. */
    json_array_foreach (json_object_get(call->tasks, "mergeOrder"), i, id) {
        if (rc == 0)
            rc = insert_task(journal, run, definition_of(call->tasks, json_string_value(id)), i, call, err);
    }
    if (rc == 0)
        rc = step_schedule(journal, run, err);
    return rc < 0 ? rc : step_end(journal, call->context->job, err);
}

/* What the run that this one resumes had merged, if it can be built upon: main is where it was, and the tasks are the
 * same. */
static int find_merged(struct db *db, struct arena *arena, const struct run *run, struct decompose_call *call,
                       struct err *err) {
    struct run *old = NULL;
    struct task *tasks = NULL;
    size_t count = 0;
    if (!run->resumes_run_id[0])
        return 0;
    int rc = store_run_get(db, arena, run->resumes_run_id, run->project_id, &old, err);
    if (rc < 0 || !old || !str_eq(old->base_sha, call->base_sha) || !old->head_sha[0] ||
        !str_eq(old->tasks_json, json_text(arena, call->tasks)))
        return rc;
    rc = store_task_list(db, arena, old->id, &tasks, &count, err);
    if (rc < 0)
        return rc;
    struct task *merged = arena_array(arena, count + 1, sizeof *merged);
    for (size_t i = 0; i < count; i++)
        if (tasks[i].state == TASK_SUCCEEDED && tasks[i].merge_sha[0])
            merged[call->merged_count++] = tasks[i];
    call->merged = merged;
    call->head_sha = old->head_sha;
    return 0;
}

/* What a plan becomes tasks from. */
struct material {
    const struct run *run;
    const json_t *plan;
    const char *const *paths; /* on main */
    size_t path_count;
};

static int tasks_by_blueprint(struct job_context *context, const struct material *material, json_t **tasks,
                              struct err *err) {
    const struct planner *planner;
    int rc = engine_planner(context->engine, &planner, err);
    return rc < 0 ? rc
                  : planner_decompose(planner, material->plan, material->paths, material->path_count, context->arena,
                                      tasks, err);
}

/* A run that resumes another keeps its tasks: a model would make others, on which nothing could be built. */
static int tasks_of_before(struct db *db, struct arena *arena, const struct run *run, json_t **tasks, struct err *err) {
    struct run *old = NULL;
    if (!run->resumes_run_id[0])
        return 0;
    int rc = store_run_get(db, arena, run->resumes_run_id, run->project_id, &old, err);
    if (rc < 0 || !old || !old->tasks_json || old->spec_version != run->spec_version)
        return rc;
    return json_parse(arena, old->tasks_json, strlen(old->tasks_json), tasks, err);
}

/* The source, and what a refusal leaves behind, live as long as the job. */
static int ask_model(struct job_context *context, const struct material *material, const struct project *project,
                     const json_t *documents, const struct choice *choice, json_t **tasks, struct err *err) {
    struct model_source *source = arena_alloc(context->arena, sizeof *source);
    const struct budget_scope scope = {.account_id = project->account_id,
                                       .project_id = project->id,
                                       .run_id = material->run->id,
                                       .purpose = "decompose",
                                       .job = context->job,
                                       .wait_ms = ROOM_WAIT_MS,
                                       .is_cancelled = job_should_stop,
                                       .cancel_arg = context};
    int rc = model_source_init(source, context->engine, choice, &scope, err);
    if (rc < 0) {
        context->is_final = true;
        return rc;
    }
    context->refused = &source->metering.reservation;
    rc = model_decompose(&source->by, material->plan, documents, material->paths, material->path_count, context->arena,
                         tasks, &source->failure, err);
    context->is_final = source->failure.is_faulty;
    context->resets_ms = source->failure.resets_at_ms;
    return rc;
}

static int tasks_by_model(struct job_context *context, struct db *db, const struct material *material, json_t **tasks,
                          struct err *err) {
    const struct run *run = material->run;
    struct arena *arena = context->arena;
    struct project *project = NULL;
    struct spec *spec = NULL;
    struct choice choice;
    json_t *documents = NULL;
    int rc = tasks_of_before(db, arena, run, tasks, err);
    if (rc < 0 || *tasks)
        return rc;
    rc = store_project_get(db, arena, run->project_id, NULL, &project, err);
    if (rc == 0 && !project)
        return err_set(err, ERR_INTERNAL, "project %s does not exist", run->project_id);
    if (rc == 0)
        rc = store_spec_get(db, arena, run->project_id, run->spec_version, &spec, err);
    if (rc == 0)
        rc = json_parse(arena, spec->documents_json, strlen(spec->documents_json), &documents, err);
    if (rc == 0)
        rc = choice_of_run(context->engine, db, run, NULL, arena, &choice, err);
    return rc < 0 ? rc : ask_model(context, material, project, documents, &choice, tasks, err);
}

int decompose_run(struct job_context *context, struct err *err) {
    struct engine *engine = context->engine;
    struct arena *arena = context->arena;
    CLEANUP(repo_closep) struct repo *repo = NULL;
    struct db *db = NULL;
    struct run *run = NULL;
    json_t *plan = NULL, *tasks = NULL;
    char main_sha[SHA_LEN] = "";
    char **paths = NULL;
    size_t path_count = 0;
    int rc = store_reader(engine->store, &db, err);
    if (rc == 0)
        rc = load_job_run(db, arena, context->job, &run, err);
    if (rc < 0)
        return rc;
    if (run->state != RUN_DECOMPOSING)
        return step_nothing(context, err);
    rc = load_plan(db, arena, run, &plan, err);
    if (rc == 0)
        rc = engine_repo_open(engine, run->project_id, &repo, err);
    if (rc == 0)
        rc = repo_ref_get(repo, "refs/heads/main", main_sha, err);
    if (rc == 0)
        rc = repo_paths(repo, arena, main_sha, &paths, &path_count, err);
    const struct material material = {
        .run = run, .plan = plan, .paths = (const char *const *)paths, .path_count = path_count};
    if (rc == 0)
        rc = plan_is_by_model(plan) ? tasks_by_model(context, db, &material, &tasks, err)
                                    : tasks_by_blueprint(context, &material, &tasks, err);
    if (rc == 0)
        rc = planner_check_tasks(tasks, plan, err);
    struct decompose_call call = {.context = context, .base_sha = main_sha, .head_sha = main_sha, .tasks = tasks};
    if (rc == 0)
        rc = find_merged(db, arena, run, &call, err);
    if (rc == 0)
        rc = repo_ref_set(repo, run_branch_ref(run, arena), NULL, call.head_sha, err);
    return rc < 0 ? rc : journal_write(engine, decompose_in_tx, &call, err);
}

int bury_run_job(struct journal *journal, const struct job *job, const char *message, struct err *err) {
    struct run *run = NULL;
    int rc = load_job_run(journal->db, journal->arena, job, &run, err);
    if (rc < 0 || run_state_is_terminal(run->state))
        return rc;
    log_event(LOG_ERROR, "run cannot go on", "run", run->id, "job", job_kind_name(job->kind), "error", message, NULL);
    /* Its cleaning failed for good: end it, and leave the rest to the janitor. */
    if (job->kind == JOB_RUN_FINISH) {
        rc = journal_run_move(journal, run, run->is_cancel_requested ? RUN_CANCELLED : RUN_FAILED, message, err);
        return rc < 0 ? rc : queue_go_on_for(journal, run->project_id, err);
    }
    return step_finish(journal, run, RUN_FAILED, message, err);
}
