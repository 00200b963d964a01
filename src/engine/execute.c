/* execute: one task in one worktree, from the head of the integration branch to one commit on the task's branch. */
#include <string.h>

#include "base/clock.h"
#include "base/glob.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/agents.h"
#include "engine/load.h"
#include "engine/steps.h"
#include "engine/task_attempts.h"
#include "engine/waiting.h"
#include "store/jobs.h"
#include "store/runs.h"

#define NAMES_MAX 50 /* of files, in what the next attempt is told */

struct execution {
    struct job_context *context;
    struct engine *engine;
    struct arena *arena;
    struct run *run;
    struct task *task;
    json_t *definition;
    struct repo *repo;
    const char *worktree_name, *worktree_path;
    struct change_list changes;
    struct change_list violations;
    const char *feedback;   /* why the last attempt came to nothing, or NULL */
    const char *last_error; /* the same in short */
    const char *lesson;     /* after a failure: what the next attempt is told, beyond the error */
    struct agents_call agents;
    bool is_set_aside; /* the run waits: it is not begun */
    char commit[SHA_LEN];
};

/* Why a task is tried again: {"attempt", "reason", "error"}. */
static const char *retry_payload(const struct execution *x, struct arena *arena, int64_t attempt) {
    const struct job *job = x->context->job;
    struct buf out = {0};
    struct jw jw;
    jw_init(&jw, &out);
    jw_object(&jw);
    jw_kint(&jw, "attempt", attempt);
    jw_kstr(&jw, "reason",
            job->last_error          ? "the last attempt failed"
            : job->interruptions > 0 ? "the worker was lost"
            : x->feedback            ? "its work did not merge"
                                     : "the server was stopped");
    if (job->last_error || x->last_error)
        jw_kstr(&jw, "error", str_or(job->last_error, x->last_error));
    jw_object_end(&jw);
    const char *text = arena_strndup(arena, out.data, out.len);
    buf_release(&out);
    return text;
}

/* The run and the task as they are now, while the job is still ours. */
static int begin_task(struct journal *journal, struct execution *x, struct run **run, struct task **task,
                      struct err *err) {
    int rc = step_begin(journal, x->context->job, run, err);
    return rc < 0 ? rc : load_task(journal->db, journal->arena, x->task->id, task, err);
}

static int begin_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct execution *x = arg;
    struct run *run = NULL;
    struct task *task = NULL;
    int rc = begin_task(journal, x, &run, &task, err);
    if (rc < 0)
        return rc;
    /* The run began to wait meanwhile, or an attempt's lease was lost when it did. */
    x->is_set_aside = run->state != RUN_EXECUTING;
    if (x->is_set_aside) {
        rc = waiting_put_back(journal, task, "the run waits", err);
        return rc < 0 ? rc : step_end(journal, x->context->job, err);
    }
    str_copy(task->base_sha, sizeof task->base_sha, run->head_sha);
    rc = attempt_begin(journal->db, journal->arena, journal->now_ms, task,
                       agents_name(x->engine, &x->agents.choice.agents[0]), err);
    if (rc == 0)
        rc = store_task_update(journal->db, task, err);
    if (rc == 0 && task->state == TASK_PENDING)
        rc = journal_task_move(journal, task, TASK_RUNNING, NULL, err);
    else if (rc == 0)
        rc = journal_event(journal, run, task, EVENT_TASK_RETRIED, retry_payload(x, journal->arena, task->attempts),
                           err);
    x->task->attempts = task->attempts;
    x->task->state = task->state;
    str_copy(x->task->base_sha, sizeof x->task->base_sha, task->base_sha);
    return rc;
}

/* In the log alone: the attempt that follows is told why as an event, and the last one's failure is the task's. */
static void tell_failure(const struct execution *x, const struct err *err) {
    bool is_stopped = err->code == ERR_CANCELLED || err->code == ERR_STALE;
    const char *before = arena_printf(x->arena, "attempt %lld %s: ", (long long)x->task->attempts,
                                      is_stopped ? "was stopped" : "failed");
    task_log_write(x->engine, x->task, before, err->message);
}

static int make_worktree(struct execution *x, struct err *err) {
    return worktree_create(x->repo, x->worktree_name, x->worktree_path, x->task->branch, x->task->base_sha, err);
}

static int make_worktree_anew(void *arg, struct err *err) {
    struct execution *x = arg;
    int rc = worktree_remove(x->repo, x->worktree_name, x->worktree_path, err);
    return rc < 0 ? rc : make_worktree(x, err);
}

static int run_agents(struct execution *x, struct err *err) {
    struct agents_call *call = &x->agents;
    call->context = x->context;
    call->run = x->run;
    call->task = x->task;
    call->definition = x->definition;
    call->feedback = x->feedback;
    call->worktree = x->worktree_path;
    call->begin_anew = make_worktree_anew;
    call->arg = x;
    return agents_run(call, err);
}

static bool is_in_scope(const json_t *scope, const char *path) {
    size_t i;
    json_t *pattern;
    json_array_foreach (scope, i, pattern) {
        if (glob_match(json_string_value(pattern), path))
            return true;
    }
    return false;
}

static int check_scope(struct execution *x, struct err *err) {
    const json_t *scope = json_object_get(x->definition, "pathScope");
    struct change_list *out = &x->violations;
    out->items = arena_array(x->arena, x->changes.count + 1, sizeof *out->items);
    for (size_t i = 0; i < x->changes.count; i++)
        if (!is_in_scope(scope, x->changes.items[i].path))
            out->items[out->count++] = x->changes.items[i];
    if (out->count == 0)
        return 0;
    x->lesson = arena_printf(
        x->arena,
        "Your change was refused, whole: these files are outside the task's pathScope %s:", json_text(x->arena, scope));
    for (size_t i = 0; i < out->count && i < NAMES_MAX; i++)
        x->lesson = arena_printf(x->arena, "%s\n%s", x->lesson, out->items[i].path);
    return err_set(err, ERR_VALIDATION, "%zu changes outside the task's pathScope, first %s", out->count,
                   out->items[0].path);
}

/* Every expected output is in the commit's tree. */
static int check_outputs(struct execution *x, struct err *err) {
    char **paths = NULL;
    const char *missing = NULL;
    size_t count = 0, i, found = 0;
    json_t *expected;
    int rc = repo_paths(x->repo, x->arena, x->commit, &paths, &count, err);
    if (rc < 0)
        return rc;
    json_array_foreach (json_object_get(x->definition, "expectedOutputs"), i, expected) {
        const char *path = json_string_value(expected);
        for (found = 0; found < count && !str_eq(paths[found], path);)
            found++;
        if (found < count)
            continue;
        x->lesson =
            arena_printf(x->arena, "%s\n%s", str_or(x->lesson, "Files that the task must make are missing:"), path);
        missing = str_or(missing, path);
    }
    return missing ? err_set(err, ERR_VALIDATION, "the expected output %s is missing", missing) : 0;
}

static int commit_work(struct execution *x, struct err *err) {
    char tree[SHA_LEN];
    int rc = worktree_check(x->repo, x->worktree_name, x->worktree_path, err);
    if (rc == 0)
        rc = worktree_scan(x->repo, x->arena, x->worktree_path, x->task->base_sha, tree, &x->changes, err);
    if (rc == 0)
        rc = check_scope(x, err);
    if (rc < 0)
        return rc;
    struct commit_spec spec = {
        .parents = {x->task->base_sha, NULL},
        .message = arena_printf(x->arena, "feat(%s): %s\n\nPrazium-Run: %lld\nPrazium-Task: %s\n", x->task->slug,
                                json_str(x->definition, "description", ""), (long long)x->run->number, x->task->id),
        .time_ms = clock_now_ms(),
    };
    rc = repo_commit_tree(x->repo, tree, &spec, x->commit, err);
    if (rc == 0)
        rc = check_outputs(x, err);
    if (rc == 0)
        rc = repo_ref_set(x->repo, arena_printf(x->arena, "refs/heads/%s", x->task->branch), NULL, x->commit, err);
    return rc;
}

/* But for those that the agent told of as it wrote them. */
static int tell_files(struct journal *journal, struct execution *x, const struct run *run, struct err *err) {
    static const enum event_type types[] = {[CHANGE_CREATED] = EVENT_FILE_CREATED,
                                            [CHANGE_MODIFIED] = EVENT_FILE_MODIFIED,
                                            [CHANGE_DELETED] = EVENT_FILE_DELETED};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < x->changes.count; i++) {
        const struct change *change = &x->changes.items[i];
        if (agent_notes_has_told(&x->agents.notes, change))
            continue;
        struct buf payload = {0};
        struct jw jw;
        jw_init(&jw, &payload);
        jw_object(&jw);
        jw_kstr(&jw, "path", change->path);
        if (change->kind != CHANGE_DELETED)
            jw_kint(&jw, "size", change->size_bytes);
        jw_object_end(&jw);
        rc = journal_event(journal, run, x->task, types[change->kind], payload.data, err);
        buf_release(&payload);
    }
    return rc;
}

static const char *result_json(struct execution *x, struct arena *arena) {
    struct buf out = {0};
    struct jw jw;
    jw_init(&jw, &out);
    jw_object(&jw);
    change_paths_json(&jw, "filesCreated", &x->changes, CHANGE_CREATED);
    change_paths_json(&jw, "filesModified", &x->changes, CHANGE_MODIFIED);
    change_paths_json(&jw, "filesDeleted", &x->changes, CHANGE_DELETED);
    jw_kstr(&jw, "commitSha", x->commit);
    if (x->agents.summary)
        jw_kstr(&jw, "summary", x->agents.summary);
    jw_object_end(&jw);
    const char *text = arena_strndup(arena, out.data, out.len);
    buf_release(&out);
    return text;
}

/* The accepted work: the commit, its files as events, and the merge that is now due, all or nothing. */
static int accept_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct execution *x = arg;
    struct run *run = NULL;
    struct task *task = NULL;
    int rc = begin_task(journal, x, &run, &task, err);
    if (rc < 0)
        return rc;
    str_copy(task->commit_sha, sizeof task->commit_sha, x->commit);
    task->result_json = result_json(x, journal->arena);
    rc = store_task_update(journal->db, task, err);
    if (rc == 0)
        rc = tell_files(journal, x, run, err);
    if (rc == 0 && x->agents.summary) {
        json_t *payload = json_own(journal->arena, json_pack("{s:s}", "text", x->agents.summary));
        rc = journal_event(journal, run, task, EVENT_TASK_OUTPUT, json_text(journal->arena, payload), err);
    }
    if (rc == 0)
        journal_note(journal, task, "committed as %s", x->commit);
    if (rc == 0)
        rc = step_advance(journal, run, err);
    return rc < 0 ? rc : step_end(journal, x->context->job, err);
}

static int violation_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct execution *x = arg;
    struct run *run = NULL;
    int rc = step_begin(journal, x->context->job, &run, err);
    if (rc < 0)
        return rc;
    struct buf payload = {0};
    struct jw jw;
    jw_init(&jw, &payload);
    jw_object(&jw);
    jw_kint(&jw, "attempt", x->task->attempts);
    jw_key(&jw, "paths");
    jw_array(&jw);
    for (size_t i = 0; i < x->violations.count; i++)
        jw_str(&jw, x->violations.items[i].path);
    jw_array_end(&jw);
    jw_key(&jw, "pathScope");
    jw_value(&jw, json_object_get(x->definition, "pathScope"));
    jw_object_end(&jw);
    rc = journal_event(journal, run, x->task, EVENT_SCOPE_VIOLATION, payload.data, err);
    buf_release(&payload);
    return rc;
}

/* What tells nothing of the work is no failure: the attempt is left open, and came to no end when the next begins. */
static bool is_failure(const struct err *err) {
    return err->code != ERR_CANCELLED && err->code != ERR_STALE && err->code != ERR_BUDGET && err->code != ERR_QUOTA;
}

struct failure {
    struct execution *x;
    const struct err *why;
};

static int failed_in_tx(struct journal *journal, void *arg, struct err *err) {
    const struct failure *failure = arg;
    struct execution *x = failure->x;
    struct run *run = NULL;
    struct attempt_end end = {.from = ATTEMPT_RUNNING,
                              .to = ATTEMPT_FAILED,
                              .error = failure->why->message,
                              .feedback = str_or(x->lesson, failure->why->message)};
    int rc = step_begin(journal, x->context->job, &run, err);
    return rc < 0 ? rc : attempt_move(journal->db, journal->arena, journal->now_ms, x->task, &end, err);
}

/* The worker records what becomes of the task. An agent that does not learn would do the same again. */
static void record_failure(struct execution *x, const struct err *why) {
    struct err err = {0};
    if (!is_failure(why))
        return;
    const struct agent *agent = x->agents.agent;
    x->context->is_final = why->code == ERR_VALIDATION && agent && !agent->ops->learns;
    if (journal_write(x->engine, failed_in_tx, &(struct failure){.x = x, .why = why}, &err) < 0)
        log_event(LOG_WARN, "cannot record the end of an attempt", "task", x->task->id, "error", err.message, NULL);
}

static int work(struct execution *x, struct err *err) {
    int rc = make_worktree(x, err);
    if (rc == 0)
        rc = run_agents(x, err);
    if (rc == 0)
        rc = commit_work(x, err);
    if (rc < 0 && x->violations.count > 0) {
        struct err tell_err = {0};
        if (journal_write(x->engine, violation_in_tx, x, &tell_err) < 0)
            *err = tell_err;
    }
    return rc;
}

/* What the attempts before this one are to be learned from by. */
static int load_feedback(struct execution *x, struct db *db, struct err *err) {
    struct attempt_record record = {0};
    int rc = attempt_look(db, x->arena, x->task->id, &record, err);
    x->feedback = str_or(record.feedback, x->context->job->last_error);
    x->last_error = record.error;
    return rc;
}

int execute_task(struct job_context *context, struct err *err) {
    struct execution x = {.context = context, .engine = context->engine, .arena = context->arena};
    struct db *db = NULL;
    int rc = store_reader(x.engine->store, &db, err);
    if (rc == 0)
        rc = load_job_run(db, x.arena, context->job, &x.run, err);
    if (rc == 0)
        rc = load_task(db, x.arena, context->job->subject_id, &x.task, err);
    if (rc == 0)
        rc = load_definition(x.task, x.arena, &x.definition, err);
    if (rc == 0)
        rc = load_feedback(&x, db, err);
    if (rc == 0)
        rc = choice_of_run(x.engine, db, x.run, x.task, x.arena, &x.agents.choice, err);
    if (rc < 0)
        return rc;
    bool is_open = x.run->state == RUN_EXECUTING || x.run->state == RUN_WAITING;
    if (!is_open || task_state_is_terminal(x.task->state) || x.task->commit_sha[0])
        return step_nothing(context, err);
    rc = journal_write(x.engine, begin_in_tx, &x, err);
    if (rc == 0 && x.is_set_aside)
        return 0;
    if (rc == 0)
        rc = engine_repo_open(x.engine, x.run->project_id, &x.repo, err);
    if (rc < 0)
        return rc;
    x.worktree_name = task_worktree_name(x.task, x.arena);
    x.worktree_path = engine_worktree_path(x.engine, x.task, x.arena);
    rc = work(&x, err);
    /* Whatever came of it, the worktree goes; a failed attempt keeps its own error. */
    struct err remove_err = {0};
    int removed = worktree_remove(x.repo, x.worktree_name, x.worktree_path, rc == 0 ? err : &remove_err);
    repo_close(x.repo);
    rc = rc == 0 ? removed : rc;
    if (rc == 0)
        rc = journal_write(x.engine, accept_in_tx, &x, err);
    if (rc < 0) {
        tell_failure(&x, err);
        record_failure(&x, err);
    }
    return rc;
}

int bury_task_job(struct journal *journal, const struct job *job, const char *message, struct err *err) {
    struct run *run = NULL;
    struct task *task = NULL;
    int rc = load_job_run(journal->db, journal->arena, job, &run, err);
    if (rc == 0)
        rc = load_task(journal->db, journal->arena, job->subject_id, &task, err);
    if (rc == 0 && task->state == TASK_PENDING)
        rc = journal_task_move(journal, task, TASK_RUNNING, NULL, err);
    if (rc == 0 && !task_state_is_terminal(task->state))
        rc = journal_task_move(journal, task, TASK_FAILED, message, err);
    return rc < 0 ? rc : step_advance(journal, run, err);
}
