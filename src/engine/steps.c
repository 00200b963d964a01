/* steps: what the handlers of a run's jobs share. */
#include "engine/steps.h"

#include <string.h>

#include "base/glob.h"
#include "base/json.h"
#include "base/str.h"
#include "engine/load.h"
#include "engine/task_attempts.h"
#include "store/jobs.h"
#include "store/runs.h"

bool job_should_stop(void *arg) {
    struct job_context *context = arg;
    return atomic_load(&context->is_lost) || atomic_load(&context->is_cancelled);
}

int step_begin(struct journal *journal, const struct job *job, struct run **run, struct err *err) {
    int rc = store_job_guard(journal->db, job->id, job->lease.token, err);
    if (rc == 0)
        rc = load_job_run(journal->db, journal->arena, job, run, err);
    if (rc < 0 || job->kind == JOB_RUN_FINISH)
        return rc;
    bool is_ending = false;
    if ((*run)->is_cancel_requested)
        return err_set(err, ERR_CANCELLED, "the run is being cancelled");
    if (run_state_is_terminal((*run)->state))
        return err_set(err, ERR_CANCELLED, "the run has ended");
    rc = step_is_ending(journal, *run, &is_ending, err);
    return rc == 0 && is_ending ? err_set(err, ERR_CANCELLED, "the run is ending") : rc;
}

int step_is_ending(struct journal *journal, const struct run *run, bool *out, struct err *err) {
    struct job *jobs = NULL;
    size_t count = 0;
    int rc = store_job_list(journal->db, journal->arena, run->id, &jobs, &count, err);
    *out = false;
    for (size_t i = 0; rc == 0 && i < count; i++)
        *out |= jobs[i].kind == JOB_RUN_FINISH && jobs[i].state != JOB_DEAD;
    return rc;
}

int step_end(struct journal *journal, const struct job *job, struct err *err) {
    journal->wakes_workers = true; /* a job with the same key may wait */
    return store_job_finish(journal->db, job->id, job->lease.token, err);
}

static int nothing_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct job *job = arg;
    struct run *run = NULL;
    int rc = step_begin(journal, job, &run, err);
    return rc < 0 ? rc : step_end(journal, job, err);
}

int step_nothing(struct job_context *context, struct err *err) {
    return journal_write(context->engine, nothing_in_tx, context->job, err);
}

static int drop_in_tx(struct journal *journal, void *arg, struct err *err) {
    return step_end(journal, arg, err);
}

int step_drop(struct job_context *context, struct err *err) {
    return journal_write(context->engine, drop_in_tx, context->job, err);
}

int step_advance(struct journal *journal, const struct run *run, struct err *err) {
    return journal_enqueue(journal,
                           &(struct job_spec){.kind = JOB_RUN_ADVANCE,
                                              .project_id = run->project_id,
                                              .run_id = run->id,
                                              .is_exclusive = true,
                                              .max_attempts = 5},
                           err);
}

int step_finish(struct journal *journal, const struct run *run, enum run_state status, const char *error,
                struct err *err) {
    struct buf payload = {0};
    struct jw jw;
    jw_init(&jw, &payload);
    jw_object(&jw);
    jw_kstr(&jw, "status", run_state_name(status));
    if (error)
        jw_kstr(&jw, "error", error);
    jw_object_end(&jw);
    const char *text = arena_strndup(journal->arena, payload.data, payload.len);
    buf_release(&payload);
    str_copy(journal->cancelled_run, sizeof journal->cancelled_run, run->id);
    int rc = store_job_delete_pending(journal->db, run->id, err);
    if (rc < 0)
        return rc;
    return journal_enqueue(journal,
                           &(struct job_spec){.kind = JOB_RUN_FINISH,
                                              .project_id = run->project_id,
                                              .run_id = run->id,
                                              .is_exclusive = true,
                                              .payload_json = text,
                                              .max_attempts = 20},
                           err);
}

/* What scheduling needs to know of a task. */
struct plan_task {
    struct task *task;
    json_t *definition;
    const char *id; /* task-001 */
    bool is_under_way;
};

static bool scopes_overlap(const json_t *a, const json_t *b) {
    size_t i, k;
    json_t *x, *y;
    json_array_foreach (a, i, x) {
        json_array_foreach (b, k, y) {
            if (glob_overlap(json_string_value(x), json_string_value(y)))
                return true;
        }
    }
    return false;
}

static bool dependencies_are_merged(const struct plan_task *task, const struct plan_task *all, size_t count) {
    size_t i;
    json_t *dependency;
    json_array_foreach (json_object_get(task->definition, "dependencies"), i, dependency) {
        bool is_merged = false;
        for (size_t k = 0; k < count; k++)
            if (str_eq(all[k].id, json_string_value(dependency)))
                is_merged = all[k].task->state == TASK_SUCCEEDED;
        if (!is_merged)
            return false;
    }
    return true;
}

static bool may_start(const struct plan_task *task, const struct plan_task *all, size_t count) {
    if (task->task->state != TASK_PENDING || task->is_under_way || !dependencies_are_merged(task, all, count))
        return false;
    for (size_t i = 0; i < count; i++) {
        bool is_before = all[i].task->sequence < task->task->sequence && !task_state_is_terminal(all[i].task->state);
        if ((all[i].is_under_way || is_before) && scopes_overlap(json_object_get(task->definition, "pathScope"),
                                                                 json_object_get(all[i].definition, "pathScope")))
            return false;
    }
    return true;
}

static int load_plan_tasks(struct journal *journal, const struct run *run, struct plan_task **out, size_t *count,
                           struct err *err) {
    struct task *tasks = NULL;
    struct job *jobs = NULL;
    size_t job_count = 0;
    int rc = store_task_list(journal->db, journal->arena, run->id, &tasks, count, err);
    if (rc == 0)
        rc = store_job_list(journal->db, journal->arena, run->id, &jobs, &job_count, err);
    if (rc < 0)
        return rc;
    struct plan_task *all = arena_array(journal->arena, *count + 1, sizeof *all);
    for (size_t i = 0; rc == 0 && i < *count; i++) {
        all[i].task = &tasks[i];
        rc = load_definition(&tasks[i], journal->arena, &all[i].definition, err);
        all[i].id = json_str(all[i].definition, "id", "");
        all[i].is_under_way = tasks[i].state == TASK_RUNNING;
        for (size_t k = 0; k < job_count; k++)
            if (jobs[k].kind == JOB_TASK_EXECUTE && str_eq(jobs[k].subject_id, tasks[i].id) &&
                jobs[k].state != JOB_DEAD)
                all[i].is_under_way = true;
    }
    *out = all;
    return rc;
}

int step_schedule(struct journal *journal, const struct run *run, struct err *err) {
    struct plan_task *all = NULL;
    size_t count = 0;
    if (run->state != RUN_EXECUTING)
        return 0;
    int rc = load_plan_tasks(journal, run, &all, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (!may_start(&all[i], all, count))
            continue;
        all[i].is_under_way = true;
        rc = step_execute(journal, run, all[i].task, err);
    }
    return rc;
}

int step_execute(struct journal *journal, const struct run *run, const struct task *task, struct err *err) {
    struct attempt_record record;
    int rc = attempt_look(journal->db, journal->arena, task->id, &record, err);
    if (rc < 0)
        return rc;
    int64_t left = run->max_attempts - record.failures;
    return journal_enqueue(journal,
                           &(struct job_spec){.kind = JOB_TASK_EXECUTE,
                                              .project_id = run->project_id,
                                              .run_id = run->id,
                                              .subject_id = task->id,
                                              .is_exclusive = true,
                                              .max_attempts = left > 0 ? left : 1},
                           err);
}

const char *run_branch_ref(const struct run *run, struct arena *arena) {
    return arena_printf(arena, "refs/heads/run/%lld", (long long)run->number);
}

const char *run_archive_prefix(const struct run *run, struct arena *arena) {
    return arena_printf(arena, "refs/prazium/run-%lld/", (long long)run->number);
}

const char *task_worktree_name(const struct task *task, struct arena *arena) {
    return arena_printf(arena, "feat-task-%03lld", (long long)task->sequence);
}

const char *run_verify_path(const struct engine *engine, const struct run *run, struct arena *arena) {
    return arena_printf(arena, "%s/workspaces/%s/verify-%lld", engine->data_dir, run->project_id,
                        (long long)run->number);
}

void change_paths_json(struct jw *jw, const char *key, const struct change_list *changes, int kind) {
    jw_key(jw, key);
    jw_array(jw);
    for (size_t i = 0; i < changes->count; i++)
        if ((int)changes->items[i].kind == kind)
            jw_str(jw, changes->items[i].path);
    jw_array_end(jw);
}
