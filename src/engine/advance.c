/* advance: looks at a run and does what is due: merges in mergeOrder, schedules, ends. One at a time per run.
 *
 * The row's head_sha is the truth about the integration branch; the ref follows it. A merge commit whose row was not
 * written before a crash is garbage that nothing points to, so that a task can never be merged twice. */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/load.h"
#include "engine/rework.h"
#include "engine/steps.h"
#include "engine/task_attempts.h"
#include "engine/waiting.h"
#include "store/jobs.h"
#include "store/runs.h"

struct advance {
    struct job_context *context;
    struct engine *engine;
    struct arena *arena;
    struct repo *repo;
    struct run *run;    /* as last read */
    struct task *tasks; /* by sequence, which is mergeOrder */
    size_t count;
    struct task *merging;
    struct merge_result merge;
    const char *conflict; /* what the next attempt is told of it */
};

static int reload(struct advance *a, struct err *err) {
    struct db *db = NULL;
    int rc = store_reader(a->engine->store, &db, err);
    if (rc == 0)
        rc = load_job_run(db, a->arena, a->context->job, &a->run, err);
    if (rc == 0)
        rc = store_task_list(db, a->arena, a->run->id, &a->tasks, &a->count, err);
    return rc;
}

/* The task with this id (task-001) did not succeed, and never will. */
static bool is_lost(const struct task *tasks, json_t *const *definitions, size_t count, const char *id) {
    for (size_t i = 0; i < count; i++)
        if (str_eq(json_str(definitions[i], "id", ""), id))
            return task_state_is_terminal(tasks[i].state) && tasks[i].state != TASK_SUCCEEDED;
    return false;
}

/* A task whose dependency did not succeed is skipped, and so on down the graph: sequence order is topological. */
static int skip_orphans(struct journal *journal, const struct run *run, bool *has_skipped, struct err *err) {
    struct task *tasks = NULL;
    size_t count = 0;
    int rc = store_task_list(journal->db, journal->arena, run->id, &tasks, &count, err);
    json_t **definitions = arena_array(journal->arena, count + 1, sizeof *definitions);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = load_definition(&tasks[i], journal->arena, &definitions[i], err);
    *has_skipped = false;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        json_t *dependency;
        size_t k;
        bool is_orphan = false;
        json_array_foreach (json_object_get(definitions[i], "dependencies"), k, dependency)
            is_orphan |= is_lost(tasks, definitions, count, json_string_value(dependency));
        if (tasks[i].state != TASK_PENDING || !is_orphan)
            continue;
        *has_skipped = true;
        rc = journal_task_move(journal, &tasks[i], TASK_SKIPPED, "a task that it depends on did not succeed", err);
    }
    return rc;
}

/* When nothing is open any more: on to verification, or to the end. */
static int end_if_done(struct journal *journal, struct run *run, struct err *err) {
    struct task *tasks = NULL;
    const struct task *failed = NULL;
    size_t count = 0, done = 0;
    int rc = store_task_list(journal->db, journal->arena, run->id, &tasks, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        done += task_state_is_terminal(tasks[i].state);
        if (!failed && tasks[i].state == TASK_FAILED)
            failed = &tasks[i];
    }
    if (rc < 0 || done < count)
        return rc;
    if (failed)
        return step_finish(
            journal, run, RUN_FAILED,
            arena_printf(journal->arena, "task %s failed: %s", failed->slug, str_or(failed->error, "unknown")), err);
    rc = journal_run_move(journal, run, RUN_VERIFYING, NULL, err);
    if (rc == 0)
        rc = journal_enqueue(
            journal,
            &(struct job_spec){
                .kind = JOB_RUN_VERIFY, .project_id = run->project_id, .run_id = run->id, .is_exclusive = true},
            err);
    return rc;
}

static const char *merge_payload(struct arena *arena, const struct task *task, const struct merge_result *merge) {
    struct buf out = {0};
    struct jw jw;
    jw_init(&jw, &out);
    jw_object(&jw);
    jw_kstr(&jw, "slug", task->slug);
    jw_kstr(&jw, "branch", task->branch);
    if (merge->is_conflict) {
        jw_key(&jw, "paths");
        jw_array(&jw);
        for (size_t i = 0; i < merge->conflict_count; i++)
            jw_str(&jw, merge->conflicts[i]);
        jw_array_end(&jw);
    } else {
        jw_kstr(&jw, "commitSha", task->commit_sha);
        jw_kstr(&jw, "mergeSha", merge->commit);
    }
    jw_object_end(&jw);
    const char *text = arena_strndup(arena, out.data, out.len);
    buf_release(&out);
    return text;
}

static int merged_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct advance *a = arg;
    struct run *run = NULL;
    struct task *task = NULL;
    bool moved = false;
    int rc = step_begin(journal, a->context->job, &run, err);
    if (rc == 0)
        rc = load_task(journal->db, journal->arena, a->merging->id, &task, err);
    if (rc == 0)
        rc = store_run_set_head(journal->db, run->id, a->run->head_sha, a->merge.commit, &moved, err);
    if (rc == 0 && !moved)
        rc = err_set(err, ERR_STALE, "the integration branch of run %s moved meanwhile", run->id);
    if (rc < 0)
        return rc;
    str_copy(task->merge_sha, sizeof task->merge_sha, a->merge.commit);
    rc = store_task_update(journal->db, task, err);
    if (rc == 0)
        rc = journal_event(journal, run, task, EVENT_MERGE_COMPLETED, merge_payload(journal->arena, task, &a->merge),
                           err);
    if (rc == 0)
        rc = journal_task_move(journal, task, TASK_SUCCEEDED, NULL, err);
    return rc < 0 ? rc : step_schedule(journal, run, err);
}

static const char *conflict_reason(struct arena *arena, const struct merge_result *merge) {
    return arena_printf(arena, "its changes to %s conflict with what was merged before",
                        merge->conflict_count ? merge->conflicts[0] : "the tree");
}

/* The task is done again on the new base; after too many failures it has failed. */
static int conflict_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct advance *a = arg;
    struct run *run = NULL;
    struct task *task = NULL;
    struct attempt_record record = {0};
    struct attempt_end end = {.from = ATTEMPT_RUNNING, .to = ATTEMPT_FAILED, .feedback = a->conflict};
    int rc = step_begin(journal, a->context->job, &run, err);
    if (rc == 0)
        rc = load_task(journal->db, journal->arena, a->merging->id, &task, err);
    if (rc == 0)
        rc = journal_event(journal, run, task, EVENT_MERGE_CONFLICT, merge_payload(journal->arena, task, &a->merge),
                           err);
    end.error = conflict_reason(journal->arena, &a->merge);
    if (rc == 0)
        rc = attempt_move(journal->db, journal->arena, journal->now_ms, task, &end, err);
    if (rc == 0)
        rc = attempt_look(journal->db, journal->arena, task->id, &record, err);
    if (rc < 0)
        return rc;
    if (record.failures >= run->max_attempts)
        return journal_task_move(journal, task, TASK_FAILED, end.error, err);
    task->commit_sha[0] = '\0';
    rc = store_task_update(journal->db, task, err);
    /* Of a run that waits nothing is begun: the task is pending until it goes on. */
    if (rc == 0 && run->state != RUN_EXECUTING)
        return waiting_put_back(journal, task, end.error, err);
    return rc < 0 ? rc : step_execute(journal, run, task, err);
}

static int merge_one(struct advance *a, struct err *err) {
    struct task *task = a->merging;
    struct commit_spec spec = {
        .parents = {a->run->head_sha, task->commit_sha},
        .message = arena_printf(a->arena, "Merge %s\n\nPrazium-Run: %lld\nPrazium-Task: %s\n", task->branch,
                                (long long)a->run->number, task->id),
        .time_ms = clock_now_ms(),
    };
    int rc = repo_merge(a->repo, a->arena, a->run->head_sha, task->commit_sha, &spec, &a->merge, err);
    if (rc < 0)
        return rc;
    if (a->merge.is_conflict) {
        a->conflict = rework_conflict(a->repo, a->arena, a->run->head_sha, task, &a->merge);
        return journal_write(a->engine, conflict_in_tx, a, err);
    }
    rc = journal_write(a->engine, merged_in_tx, a, err);
    return rc < 0 ? rc : repo_ref_set(a->repo, run_branch_ref(a->run, a->arena), NULL, a->merge.commit, err);
}

/* The next task in mergeOrder whose work waits to be merged; none while an earlier one is still under way. */
static struct task *next_to_merge(const struct advance *a) {
    for (size_t i = 0; i < a->count; i++) {
        struct task *task = &a->tasks[i];
        if (task_state_is_terminal(task->state))
            continue;
        return task->state == TASK_RUNNING && task->commit_sha[0] ? task : NULL;
    }
    return NULL;
}

static int end_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct advance *a = arg;
    struct run *run = NULL;
    bool has_skipped = false;
    int rc = step_begin(journal, a->context->job, &run, err);
    if (rc == 0 && run->state != RUN_EXECUTING)
        return step_end(journal, a->context->job, err);
    if (rc == 0)
        rc = skip_orphans(journal, run, &has_skipped, err);
    /* What waited to be merged behind a skipped task waits no longer. */
    if (rc == 0 && has_skipped)
        rc = step_advance(journal, run, err);
    if (rc == 0)
        rc = step_schedule(journal, run, err);
    if (rc == 0)
        rc = end_if_done(journal, run, err);
    return rc < 0 ? rc : step_end(journal, a->context->job, err);
}

int advance_run(struct job_context *context, struct err *err) {
    struct advance a = {.context = context, .engine = context->engine, .arena = context->arena};
    CLEANUP(repo_closep) struct repo *repo = NULL;
    int rc = reload(&a, err);
    if (rc < 0)
        return rc;
    if (a.run->state != RUN_EXECUTING)
        return step_nothing(context, err);
    rc = engine_repo_open(a.engine, a.run->project_id, &repo, err);
    a.repo = repo;
    /* A crash may have come between a merge's row and its ref. */
    if (rc == 0)
        rc = repo_ref_set(repo, run_branch_ref(a.run, a.arena), NULL, a.run->head_sha, err);
    while (rc == 0 && (a.merging = next_to_merge(&a)) != NULL) {
        if (job_should_stop(context))
            return err_set(err, ERR_CANCELLED, "stopped");
        rc = merge_one(&a, err);
        if (rc == 0)
            rc = reload(&a, err);
    }
    return rc < 0 ? rc : journal_write(a.engine, end_in_tx, &a, err);
}
