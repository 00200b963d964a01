/* waiting: a run without room waits, loses nothing, and goes on: when asked, when the time comes, when limits rise. */
#include "fixture.h"

#include "engine/budget.h"
#include "engine/janitor.h"
#include "engine/task_attempts.h"
#include "engine/waiting.h"
#include "store/spending.h"

enum { CALL_MICROS = 300000, CALL_TOKENS = 1000 };

/* An agent that makes one call of a model, and then does its work. */
static int spend(struct fixture *f, const struct agent_request *request, struct agent_result *result, struct err *err) {
    struct job_context *context = request->cancel_arg;
    struct budget_scope scope = {.account_id = f->account_id,
                                 .project_id = f->project_id,
                                 .run_id = f->run_id,
                                 .task_id = context->job->subject_id,
                                 .purpose = "task",
                                 .job = context->job};
    struct budget_use use = {.provider = "test",
                             .model = "small",
                             .input_tokens = CALL_TOKENS,
                             .cost_micros = CALL_MICROS,
                             .is_priced = true};
    struct budget_reservation *reservation = arena_alloc(request->arena, sizeof *reservation);
    int rc = budget_reserve(f->engine, &scope, CALL_MICROS, CALL_TOKENS, reservation, err);
    if (rc == -ERR_BUDGET)
        context->refused = reservation;
    if (rc == 0)
        rc = budget_settle(f->engine, reservation, &use, err);
    return rc < 0 ? rc : write_outputs(f, request, result, err);
}

static int64_t quota_resets_ms;
static int meet_quota(struct fixture *f, const struct agent_request *request, struct agent_result *result,
                      struct err *err) {
    result->resets_ms = quota_resets_ms;
    return err_set(err, ERR_QUOTA, "no more tokens today");
}

/* Carries out the next job as a worker does. */
static void work_once(struct fixture *f, enum job_kind kind) {
    struct job_context *context = take_job(f, kind);
    struct err why = {0};
    if (handle(context, &why) == 0)
        return;
    if (!waiting_is_due(context, &why))
        fail_msg("%s", why.message);
    must(f, waiting_set_aside(context, &why, &f->err));
}

struct limit_call {
    const char *account_id, *run_id;
    struct spending_limits limits;
};

static int set_limits_in_tx(struct db *db, void *arg, struct err *err) {
    const struct limit_call *call = arg;
    return call->run_id ? store_run_set_limits(db, call->run_id, &call->limits, err)
                        : store_account_set_limits(db, call->account_id, &call->limits, err);
}

static void limit(struct fixture *f, bool is_of_run, int64_t cost_micros) {
    struct limit_call call = {
        .account_id = f->account_id, .run_id = is_of_run ? f->run_id : NULL, .limits = {cost_micros, NO_LIMIT}};
    must(f, store_write(f->engine->store, set_limits_in_tx, &call, &f->err));
}

static int run_set_up(void **state) {
    struct fixture *f = *state = fixture_create();
    f->work = spend;
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    add_task(f, "task-002", "two", "", "b/**", "b/x");
    begin_run(f);
    return 0;
}

#define limited_test(name) cmocka_unit_test_setup_teardown(name, run_set_up, fixture_tear_down)

static const char *waiting_of(struct fixture *f, const char *key) {
    json_t *waiting = NULL;
    const char *text = run_now(f)->waiting_json;
    assert_non_null(text);
    must(f, json_parse(f->arena, text, strlen(text), &waiting, &f->err));
    return str_or(json_str(waiting, key, NULL), json_text(f->arena, json_object_get(waiting, key)));
}

static int resume(struct fixture *f, bool sets_cost, int64_t cost_micros) {
    struct run *run = NULL;
    struct limits_change change = {.sets_cost = sets_cost, .limits = {.cost_micros = cost_micros}};
    return engine_run_resume(f->engine, f->account_id, f->project_id, f->run_id, &change, f->arena, &run, &f->err);
}

static struct task_attempt *attempts_of(struct fixture *f, const char *slug, size_t *count) {
    struct task_attempt *rows = NULL;
    must(f, store_attempt_list(reader(f), f->arena, task_now(f, slug)->id, &rows, count, &f->err));
    return rows;
}

static void a_run_without_room_waits_and_goes_on(void **state) {
    struct fixture *f = *state;
    size_t count;
    limit(f, true, 500000);
    work_once(f, JOB_TASK_EXECUTE);
    work_once(f, JOB_TASK_EXECUTE); /* the second has no room */
    assert_run(f, RUN_WAITING);
    assert_task(f, "two", TASK_PENDING);
    assert_string_equal(waiting_of(f, "reason"), "run_cost_limit");
    assert_string_equal(waiting_of(f, "limit"), "0.5");
    assert_string_equal(waiting_of(f, "spent"), "0.3");
    assert_string_equal(waiting_of(f, "resumesAt"), "null");
    assert_string_equal(event_text(f, "RUN_WAITING", 0, "reason"), "run_cost_limit");
    /* Nothing is scheduled, and the janitor leaves it so. */
    assert_null(claim(f));
    janitor_sweep(f->engine, false);
    assert_null(claim(f));
    /* Too little is refused, and so is nothing new at all. */
    assert_int_equal(resume(f, true, 300000), -ERR_VALIDATION);
    assert_string_equal(f->err.field, "limits.costUsd");
    assert_run(f, RUN_WAITING);
    must(f, resume(f, true, 600000));
    assert_run(f, RUN_EXECUTING);
    assert_null(run_now(f)->waiting_json);
    assert_int_equal(event_count(f, "RUN_RESUMED"), 1);
    assert_int_equal(event_count(f, "RUN_STARTED"), 1);
    assert_int_equal(resume(f, true, 900000), -ERR_CONFLICT);
    step(f, JOB_RUN_ADVANCE); /* merges the first, schedules the second */
    work_once(f, JOB_TASK_EXECUTE);
    step(f, JOB_RUN_ADVANCE);
    assert_run(f, RUN_VERIFYING);
    assert_int_equal(run_now(f)->usage.cost_micros, 600000);
    /* The first was done once, and the second lost no attempt. */
    assert_int_equal(atomic_load(&f->tries), 3);
    struct task_attempt *attempts = attempts_of(f, "two", &count);
    assert_int_equal(count, 2);
    assert_int_equal(attempts[0].state, ATTEMPT_INTERRUPTED);
    assert_int_equal(attempts[1].state, ATTEMPT_SUCCEEDED);
    struct attempt_record record;
    must(f, attempt_look(reader(f), f->arena, attempts[0].task_id, &record, &f->err));
    assert_int_equal(record.failures, 0);
}

static void what_was_not_begun_is_set_aside(void **state) {
    struct fixture *f = *state;
    limit(f, true, 100);
    struct job_context *one = take_job(f, JOB_TASK_EXECUTE);
    work_once(f, JOB_TASK_EXECUTE);
    assert_run(f, RUN_WAITING);
    assert_task(f, "two", TASK_PENDING);
    f->work = write_outputs;
    must(f, execute_task(one, &f->err));
    assert_task(f, "one", TASK_PENDING);
    assert_int_equal(atomic_load(&f->tries), 1);
    must(f, resume(f, true, NO_LIMIT));
    step(f, JOB_RUN_ADVANCE);
    step(f, JOB_TASK_EXECUTE);
    step(f, JOB_TASK_EXECUTE);
    step(f, JOB_RUN_ADVANCE);
    assert_run(f, RUN_VERIFYING);
}

/* Whoever is at work when the run begins to wait finishes; what it did is merged when the run goes on. */
static int begin_to_wait(struct fixture *f, const struct agent_request *request, struct agent_result *result,
                         struct err *err) {
    f->work = spend;
    work_once(f, JOB_TASK_EXECUTE); /* the other task, meanwhile */
    assert_run(f, RUN_WAITING);
    return write_outputs(f, request, result, err);
}

static void work_that_ends_while_the_run_waits_is_kept(void **state) {
    struct fixture *f = *state;
    limit(f, true, 100);
    f->work = begin_to_wait;
    work_once(f, JOB_TASK_EXECUTE);
    assert_run(f, RUN_WAITING);
    assert_string_not_equal(task_now(f, "one")->commit_sha, "");
    step(f, JOB_RUN_ADVANCE); /* finds that there is nothing to do now */
    assert_task(f, "one", TASK_RUNNING);
    must(f, resume(f, true, NO_LIMIT));
    step(f, JOB_RUN_ADVANCE);
    assert_task(f, "one", TASK_SUCCEEDED);
    work_once(f, JOB_TASK_EXECUTE);
    step(f, JOB_RUN_ADVANCE);
    assert_run(f, RUN_VERIFYING);
    assert_int_equal(atomic_load(&f->tries), 3);
}

static void a_refusal_that_is_out_of_date_holds_nobody_up(void **state) {
    struct fixture *f = *state;
    struct err why = {0};
    limit(f, true, 100);
    struct job_context *one = take_job(f, JOB_TASK_EXECUTE);
    assert_int_equal(execute_task(one, &why), -ERR_BUDGET);
    limit(f, true, NO_LIMIT);
    must(f, waiting_set_aside(one, &why, &f->err));
    assert_run(f, RUN_EXECUTING);
    work_once(f, JOB_TASK_EXECUTE);
    work_once(f, JOB_TASK_EXECUTE);
    step(f, JOB_RUN_ADVANCE);
    assert_int_equal(event_count(f, "RUN_WAITING"), 0);
    assert_run(f, RUN_VERIFYING);
}

static void quota_comes_back_by_itself(void **state) {
    struct fixture *f = *state;
    f->work = meet_quota;
    quota_resets_ms = clock_now_ms() + 90000;
    work_once(f, JOB_TASK_EXECUTE);
    assert_run(f, RUN_WAITING);
    assert_string_equal(waiting_of(f, "reason"), "provider_quota");
    assert_string_equal(waiting_of(f, "message"), "no more tokens today");
    assert_string_equal(waiting_of(f, "limit"), "null");
    assert_int_equal(run_now(f)->resumes_ms, quota_resets_ms);
    assert_int_equal(job_count(f, JOB_RUN_RESUME), 1);
    assert_null(claim(f)); /* not its time */
    fixture_reopen(f);     /* which outlives a restart */
    assert_run(f, RUN_WAITING);
    clock_advance_ms(90001);
    f->work = write_outputs;
    step(f, JOB_RUN_RESUME);
    assert_run(f, RUN_EXECUTING);
    step(f, JOB_RUN_ADVANCE);
    step(f, JOB_TASK_EXECUTE);
    step(f, JOB_TASK_EXECUTE);
    step(f, JOB_RUN_ADVANCE);
    clock_advance_ms(-90001);
    assert_run(f, RUN_VERIFYING);
}

static void an_account_goes_on_when_its_limit_rises(void **state) {
    struct fixture *f = *state;
    limit(f, false, 100);
    work_once(f, JOB_TASK_EXECUTE);
    assert_run(f, RUN_WAITING);
    assert_string_equal(waiting_of(f, "reason"), "account_cost_limit");
    /* No month has room for such a call. */
    assert_int_equal(run_now(f)->resumes_ms, 0);
    must(f, engine_account_changed(f->engine, f->account_id, &f->err));
    assert_run(f, RUN_EXECUTING); /* there is some room, if not for the next call */
    step(f, JOB_RUN_ADVANCE);
    work_once(f, JOB_TASK_EXECUTE);
    assert_run(f, RUN_WAITING);
    limit(f, false, 0);
    must(f, engine_account_changed(f->engine, f->account_id, &f->err));
    assert_run(f, RUN_WAITING);
    limit(f, false, CALL_MICROS);
    must(f, engine_account_changed(f->engine, f->account_id, &f->err));
    step(f, JOB_RUN_ADVANCE);
    work_once(f, JOB_TASK_EXECUTE);
    work_once(f, JOB_TASK_EXECUTE);
    assert_run(f, RUN_WAITING); /* the second: in the next month */
    assert_int_equal(run_now(f)->resumes_ms, spending_next_month(clock_now_ms()));
    int64_t month_ms = run_now(f)->resumes_ms - clock_now_ms() + 1;
    clock_advance_ms(month_ms);
    step(f, JOB_RUN_RESUME);
    step(f, JOB_RUN_ADVANCE);
    work_once(f, JOB_TASK_EXECUTE);
    step(f, JOB_RUN_ADVANCE);
    clock_advance_ms(-month_ms);
    assert_run(f, RUN_VERIFYING);
}

static void a_waiting_run_is_cancelled(void **state) {
    struct fixture *f = *state;
    struct run *run = NULL;
    limit(f, true, 100);
    work_once(f, JOB_TASK_EXECUTE);
    assert_run(f, RUN_WAITING);
    must(f, engine_run_cancel(f->engine, f->account_id, f->project_id, f->run_id, 0, f->arena, &run, &f->err));
    assert_int_equal(resume(f, true, NO_LIMIT), -ERR_CONFLICT);
    step_all(f);
    assert_run(f, RUN_CANCELLED);
    assert_task(f, "one", TASK_CANCELLED);
    assert_int_equal(project_now(f)->state, PROJECT_APPROVED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        limited_test(a_run_without_room_waits_and_goes_on),
        limited_test(what_was_not_begun_is_set_aside),
        limited_test(work_that_ends_while_the_run_waits_is_kept),
        limited_test(a_refusal_that_is_out_of_date_holds_nobody_up),
        limited_test(quota_comes_back_by_itself),
        limited_test(an_account_goes_on_when_its_limit_rises),
        limited_test(a_waiting_run_is_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
