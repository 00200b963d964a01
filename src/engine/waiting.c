/* waiting: runs that wait, for room in a limit or for a provider's quota, and how they go on. */
#include "engine/waiting.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/budget.h"
#include "engine/load.h"
#include "engine/steps.h"
#include "store/jobs.h"
#include "store/runs.h"
#include "store/spending.h"

#define QUOTA_MS 900000 /* when to try again at a provider that does not say when its quota resets */

bool waiting_is_due(const struct job_context *context, const struct err *why) {
    if (!context->job->run_id[0])
        return false;
    return why->code == ERR_QUOTA || (why->code == ERR_BUDGET && context->refused);
}

/* ---- Beginning to wait */

static void put_amount(struct jw *jw, const char *key, const struct budget_refusal *refusal, int64_t value) {
    char usd[USD_TEXT_LEN];
    switch (refusal->reason) {
    case WAIT_RUN_COST:
    case WAIT_ACCOUNT_COST:
        jw_kraw(jw, key, spending_usd(value, usd));
        return;
    case WAIT_RUN_TOKENS:
    case WAIT_ACCOUNT_TOKENS:
        jw_kint(jw, key, value);
        return;
    case WAIT_PROVIDER_QUOTA:
        jw_kraw(jw, key, NULL);
        return;
    }
}

static const char *waiting_json(struct arena *arena, const struct budget_refusal *refusal, const char *message) {
    CLEANUP(buf_release) struct buf out = {0};
    struct jw jw;
    jw_init(&jw, &out);
    jw_object(&jw);
    jw_kstr(&jw, "reason", wait_reason_name(refusal->reason));
    put_amount(&jw, "limit", refusal, refusal->limit);
    put_amount(&jw, "spent", refusal, refusal->spent);
    jw_kstr(&jw, "message", message);
    jw_ktime(&jw, "resumesAt", refusal->resumes_ms);
    jw_object_end(&jw);
    return arena_strndup(arena, out.data, out.len);
}

int waiting_put_back(struct journal *journal, struct task *task, const char *reason, struct err *err) {
    if (task->state != TASK_RUNNING || task->commit_sha[0])
        return 0;
    return journal_task_move(journal, task, TASK_PENDING, reason, err);
}

/* A task between two attempts has a job that waits: both are taken back. */
static int put_back_idle(struct journal *journal, const struct run *run, struct err *err) {
    struct task *tasks = NULL;
    struct job *jobs = NULL;
    size_t count = 0, job_count = 0;
    int rc = store_job_delete_pending(journal->db, run->id, err);
    if (rc == 0)
        rc = store_job_list(journal->db, journal->arena, run->id, &jobs, &job_count, err);
    if (rc == 0)
        rc = store_task_list(journal->db, journal->arena, run->id, &tasks, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        bool is_at_work = false;
        for (size_t k = 0; k < job_count; k++)
            is_at_work |= str_eq(jobs[k].subject_id, tasks[i].id);
        if (!is_at_work)
            rc = waiting_put_back(journal, &tasks[i], "the run waits", err);
    }
    return rc;
}

static int begin(struct journal *journal, struct run *run, const struct budget_refusal *refusal, const char *message,
                 struct err *err) {
    run->waits_from = run->state;
    run->waiting_json = waiting_json(journal->arena, refusal, message);
    run->resumes_ms = refusal->resumes_ms;
    int rc = store_run_set_waiting(journal->db, run, err);
    if (rc == 0)
        rc = journal_run_move(journal, run, RUN_WAITING, NULL, err);
    if (rc == 0)
        rc = put_back_idle(journal, run, err);
    if (rc < 0 || !run->resumes_ms)
        return rc;
    /* Not exclusive: an older one, which comes too late or too early, must not stand in its way. */
    int64_t delay_ms = run->resumes_ms - journal->now_ms;
    return journal_enqueue(journal,
                           &(struct job_spec){.kind = JOB_RUN_RESUME,
                                              .project_id = run->project_id,
                                              .run_id = run->id,
                                              .delay_ms = delay_ms > 0 ? delay_ms : 0},
                           err);
}

struct aside_call {
    struct job_context *context;
    const struct err *why;
};

/* Why the job cannot go on, as things are now; *is_due false when it can. */
static int look_again(struct journal *journal, const struct aside_call *call, const struct run *run,
                      struct budget_refusal *refusal, bool *is_due, struct err *err) {
    const struct budget_reservation *refused = call->context->refused;
    bool is_room = false;
    *is_due = true;
    if (call->why->code == ERR_QUOTA) {
        int64_t resets_ms = call->context->resets_ms;
        *refusal =
            (struct budget_refusal){.reason = WAIT_PROVIDER_QUOTA,
                                    .resumes_ms = resets_ms > journal->now_ms ? resets_ms : journal->now_ms + QUOTA_MS};
        return 0;
    }
    struct budget_scope scope = {.account_id = refused->row.account_id, .run_id = run->id};
    int rc = budget_look(journal, &scope, refused->row.cost_micros, refused->row.tokens, &is_room, refusal, err);
    if (rc == 0 && !is_room && refusal->is_passing)
        refusal->resumes_ms = refused->refusal.resumes_ms;
    *is_due = !is_room;
    return rc;
}

static int aside_in_tx(struct journal *journal, void *arg, struct err *err) {
    const struct aside_call *call = arg;
    const struct job *job = call->context->job;
    struct budget_refusal refusal = {0};
    struct run *run = NULL;
    struct task *task = NULL;
    bool is_due = true;
    int rc = step_begin(journal, job, &run, err);
    if (rc == 0 && job->kind == JOB_TASK_EXECUTE)
        rc = load_task(journal->db, journal->arena, job->subject_id, &task, err);
    bool is_waiting = rc == 0 && run->state == RUN_WAITING;
    if (rc == 0 && !is_waiting)
        rc = look_again(journal, call, run, &refusal, &is_due, err);
    if (rc == 0 && !is_due) {
        journal->wakes_workers = true;
        return store_job_release(journal->db, job->id, job->lease.token, journal->now_ms, err);
    }
    if (rc == 0 && task)
        rc = waiting_put_back(journal, task, call->why->message, err);
    if (rc == 0)
        rc = step_end(journal, job, err);
    if (rc < 0 || is_waiting)
        return rc;
    log_event(LOG_INFO, "a run waits", "run", run->id, "reason", wait_reason_name(refusal.reason), NULL);
    return begin(journal, run, &refusal,
                 call->why->code == ERR_QUOTA ? call->why->message : budget_words(journal->arena, &refusal), err);
}

int waiting_set_aside(struct job_context *context, const struct err *why, struct err *err) {
    struct aside_call call = {.context = context, .why = why};
    return journal_write(context->engine, aside_in_tx, &call, err);
}

/* ---- Going on */

int waiting_end(struct journal *journal, struct run *run, struct err *err) {
    enum run_state to = run->waits_from;
    run->waiting_json = NULL;
    run->resumes_ms = 0;
    int rc = store_run_set_waiting(journal->db, run, err);
    if (rc == 0)
        rc = journal_run_move(journal, run, to, NULL, err);
    if (rc < 0)
        return rc;
    log_event(LOG_INFO, "a run goes on", "run", run->id, NULL);
    if (to == RUN_EXECUTING)
        return step_advance(journal, run, err);
    return journal_enqueue(journal,
                           &(struct job_spec){.kind = to == RUN_VERIFYING ? JOB_RUN_VERIFY : JOB_RUN_DECOMPOSE,
                                              .project_id = run->project_id,
                                              .run_id = run->id,
                                              .is_exclusive = true},
                           err);
}

static bool waits_for_account(struct arena *arena, const struct run *run) {
    json_t *waiting = NULL;
    enum wait_reason reason;
    struct err err = {0};
    return run->waiting_json && json_parse(arena, run->waiting_json, strlen(run->waiting_json), &waiting, &err) == 0 &&
           wait_reason_parse(json_str(waiting, "reason", NULL), &reason) &&
           (reason == WAIT_ACCOUNT_COST || reason == WAIT_ACCOUNT_TOKENS);
}

int waiting_end_for_account(struct journal *journal, const char *account_id, struct err *err) {
    struct run *runs = NULL;
    struct budget_refusal refusal;
    size_t count = 0;
    bool is_room = false;
    int rc = store_run_waiting(journal->db, journal->arena, account_id, &runs, &count, err);
    /* Room for anything at all: how much the next call needs is seen when it is made. */
    if (rc == 0 && count > 0)
        rc = budget_look(journal, &(struct budget_scope){.account_id = account_id}, 1, 1, &is_room, &refusal, err);
    for (size_t i = 0; rc == 0 && is_room && i < count; i++)
        if (!runs[i].is_cancel_requested && waits_for_account(journal->arena, &runs[i]))
            rc = waiting_end(journal, &runs[i], err);
    return rc;
}

static int resume_in_tx(struct journal *journal, void *arg, struct err *err) {
    const struct job *job = arg;
    struct run *run = NULL;
    int rc = step_begin(journal, job, &run, err);
    if (rc == 0 && run->state == RUN_WAITING && run->resumes_ms && run->resumes_ms <= journal->now_ms)
        rc = waiting_end(journal, run, err);
    return rc < 0 ? rc : step_end(journal, job, err);
}

int resume_run(struct job_context *context, struct err *err) {
    return journal_write(context->engine, resume_in_tx, context->job, err);
}

/* ---- Asked to go on */

struct resume_call {
    const char *account_id, *project_id, *run_id;
    const struct limits_change *change;
    struct arena *arena;
    struct run *run;
};

/* The limits that the run goes on with leave room, however little. */
static int check_limits(const struct run *run, struct err *err) {
    char usd[USD_TEXT_LEN];
    int64_t tokens = run->usage.input_tokens + run->usage.output_tokens;
    if (run->limits.cost_micros != NO_LIMIT && run->limits.cost_micros <= run->usage.cost_micros)
        return err_field(err, ERR_VALIDATION, "limits.costUsd",
                         "limits.costUsd must be higher than what is spent, which is %s",
                         spending_usd(run->usage.cost_micros, usd));
    if (run->limits.tokens != NO_LIMIT && run->limits.tokens <= tokens)
        return err_field(err, ERR_VALIDATION, "limits.tokens",
                         "limits.tokens must be higher than what is spent, which is %lld", (long long)tokens);
    return 0;
}

static int asked_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct resume_call *call = arg;
    struct run *run = NULL;
    int rc = load_run(journal->db, call->arena, call->account_id, call->project_id, call->run_id, &run, err);
    if (rc < 0)
        return rc;
    if (run->state != RUN_WAITING || run->is_cancel_requested)
        return err_set(err, ERR_CONFLICT, "The run is %s; only a run that waits can be resumed",
                       run->is_cancel_requested ? "being cancelled" : run_state_name(run->state));
    if (call->change->sets_cost)
        run->limits.cost_micros = call->change->limits.cost_micros;
    if (call->change->sets_tokens)
        run->limits.tokens = call->change->limits.tokens;
    rc = check_limits(run, err);
    if (rc == 0)
        rc = store_run_set_limits(journal->db, run->id, &run->limits, err);
    if (rc == 0)
        rc = waiting_end(journal, run, err);
    call->run = run;
    return rc;
}

int engine_run_resume(struct engine *engine, const char *account_id, const char *project_id, const char *run_id,
                      const struct limits_change *change, struct arena *arena, struct run **out, struct err *err) {
    struct resume_call call = {
        .account_id = account_id, .project_id = project_id, .run_id = run_id, .change = change, .arena = arena};
    int rc = journal_write(engine, asked_in_tx, &call, err);
    if (rc == 0)
        *out = call.run;
    return rc;
}
