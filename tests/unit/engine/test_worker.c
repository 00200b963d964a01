/* worker: threads that claim, keep their leases, try again, bury, drain and stop. */
#include "toy.h"

#include "engine/worker.h"

/* Everything that is due later is due now. */
static void pass_time(struct fixture *f, int64_t ms) {
    clock_advance_ms(ms);
    bus_publish(f->engine->bus, "jobs", 0);
}

static void start_workers(struct fixture *f, int count) {
    must(f, workers_start(&f->engine->workers, f->engine, count, &f->err));
}

static void stop_workers(struct fixture *f, int64_t grace_ms) {
    workers_stop(f->engine->workers, grace_ms);
    f->engine->workers = NULL;
}

static void add_tasks(struct fixture *f) {
    add_task(f, "task-001", "base", "", "a/**", "a/x");
    add_task(f, "task-002", "left", "task-001", "b/**", "b/x");
    add_task(f, "task-003", "right", "task-001", "c/**", "c/x");
    add_task(f, "task-004", "roof", "task-002 task-003", "d/**", "d/x");
}

static bool run_is_verified_or_over(struct fixture *f) {
    return run_now(f)->state >= RUN_VERIFYING;
}

/* Its verification fails at once, for the plan has no criteria. */
static void many_workers_carry_a_run_to_its_end(void **state) {
    struct fixture *f = *state;
    toy_use(f, &(struct toy){0});
    add_project(f, NULL);
    add_tasks(f);
    start_workers(f, 4);
    begin_run(f);
    assert_true(wait_until(f, run_has_ended));
    assert_run(f, RUN_FAILED);
    assert_string_equal(run_now(f)->error, "verification failed: the spec has no criteria");
    assert_task(f, "roof", TASK_SUCCEEDED);
    assert_int_equal(event_count(f, "MERGE_COMPLETED"), 4);
    int total, busy;
    workers_count(f->engine->workers, &total, &busy);
    assert_int_equal(total, 4);
    stop_workers(f, 0);
}

static int fail_twice(struct fixture *f, const struct agent_request *request, struct agent_result *result,
                      struct err *err) {
    if (request->attempt == 1)
        assert_null(request->feedback);
    if (request->attempt <= 2)
        return err_set(err, ERR_UNAVAILABLE, "not now (%lld)", (long long)request->attempt);
    assert_string_equal(request->feedback, "not now (2)");
    return write_outputs(f, request, result, err);
}

static struct job *only_job(struct fixture *f) {
    struct job *jobs = NULL;
    size_t count = 0;
    must(f, store_job_list(reader(f), f->arena, f->run_id, &jobs, &count, &f->err));
    return count == 1 ? &jobs[0] : NULL;
}

static bool waits_after_one_failure(struct fixture *f) {
    struct job *job = only_job(f);
    return job && job->state == JOB_PENDING && job->attempts == 1;
}

static bool waits_after_two_failures(struct fixture *f) {
    struct job *job = only_job(f);
    return job && job->state == JOB_PENDING && job->attempts == 2;
}

static void a_failed_attempt_is_tried_again_later(void **state) {
    struct fixture *f = *state;
    toy_use(f, &(struct toy){.install = "exec sleep 600"});
    add_project(f, NULL);
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    f->work = fail_twice;
    begin_run(f);
    int64_t began_ms = clock_now_ms();
    start_workers(f, 1);
    assert_true(wait_until(f, waits_after_one_failure));
    assert_true(only_job(f)->run_after_ms >= began_ms + 250); /* half of the first delay at least */
    assert_string_equal(only_job(f)->last_error, "not now (1)");
    pass_time(f, 2000);
    assert_true(wait_until(f, waits_after_two_failures));
    pass_time(f, 4000);
    assert_true(wait_until(f, run_is_verified_or_over));
    assert_task(f, "one", TASK_SUCCEEDED);
    assert_int_equal(task_now(f, "one")->attempts, 3);
    assert_string_equal(event_text(f, "TASK_RETRIED", 0, "reason"), "the last attempt failed");
    assert_string_equal(event_text(f, "TASK_RETRIED", 0, "error"), "not now (1)");
    stop_workers(f, 0);
}

static int fail_always(struct fixture *f, const struct agent_request *request, struct agent_result *result,
                       struct err *err) {
    return err_set(err, ERR_VALIDATION, "this cannot be done");
}

static void what_always_fails_is_buried(void **state) {
    struct fixture *f = *state;
    add_project(f, NULL);
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    f->work = fail_always;
    let_agent_learn(f);
    begin_run(f);
    start_workers(f, 2);
    assert_true(wait_until(f, waits_after_one_failure));
    pass_time(f, 5000);
    assert_true(wait_until(f, waits_after_two_failures));
    pass_time(f, 5000);
    assert_true(wait_until(f, run_has_ended));
    assert_int_equal(atomic_load(&f->tries), 3);
    assert_run(f, RUN_FAILED);
    assert_string_equal(run_now(f)->error, "task one failed: this cannot be done");
    stop_workers(f, 0);
}

/* It would do the same again. */
static void who_does_not_learn_has_one_attempt(void **state) {
    struct fixture *f = *state;
    add_project(f, NULL);
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    f->work = fail_always;
    begin_run(f);
    start_workers(f, 2);
    assert_true(wait_until(f, run_has_ended));
    assert_int_equal(atomic_load(&f->tries), 1);
    assert_string_equal(run_now(f)->error, "task one failed: this cannot be done");
    stop_workers(f, 0);
}

/* Set by the agent once it is at work. */
static atomic_bool is_at_work;

static int work_until_stopped(struct fixture *f, const struct agent_request *request, struct agent_result *result,
                              struct err *err) {
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t never;
    int64_t deadline_ms = clock_mono_ms() + WAIT_MS;
    wait_init(&never);
    atomic_store(&is_at_work, true);
    pthread_mutex_lock(&lock);
    while (!request->is_cancelled(request->cancel_arg) && clock_mono_ms() < deadline_ms)
        (void)wait_ms(&never, &lock, 20);
    pthread_mutex_unlock(&lock);
    pthread_cond_destroy(&never);
    return err_set(err, ERR_CANCELLED, "stopped");
}

static bool agent_is_at_work(struct fixture *f) {
    return atomic_load(&is_at_work);
}

static void begin_long_work(struct fixture *f) {
    atomic_store(&is_at_work, false);
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    add_task(f, "task-002", "two", "task-001", "b/**", "b/x");
    f->work = work_until_stopped;
    begin_run(f);
    start_workers(f, 2);
    assert_true(wait_until(f, agent_is_at_work));
}

static void a_cancel_reaches_what_is_at_work(void **state) {
    struct fixture *f = *state;
    struct run *run = NULL;
    begin_long_work(f);
    must(f, engine_run_cancel(f->engine, f->account_id, f->project_id, f->run_id, WAIT_MS, f->arena, &run, &f->err));
    assert_int_equal(run->state, RUN_CANCELLED);
    assert_task(f, "one", TASK_CANCELLED);
    assert_task(f, "two", TASK_CANCELLED);
    assert_false(fs_exists(workspace_of(f)));
    assert_string_equal(event_line(f), "RUN_STARTED TASK_STARTED TASK_COMPLETED TASK_COMPLETED RUN_COMPLETED");
    assert_null(only_job(f));
    stop_workers(f, 0);
}

/* What does not end within the grace goes back to the queue, and counts neither as a failure nor as a loss. */
static void draining_gives_work_back(void **state) {
    struct fixture *f = *state;
    begin_long_work(f);
    stop_workers(f, 50);
    struct job *job = only_job(f);
    assert_non_null(job);
    assert_int_equal(job->state, JOB_PENDING);
    assert_int_equal(job->attempts, 0);
    assert_int_equal(job->interruptions, 0);
    assert_task(f, "one", TASK_RUNNING);
    f->work = write_outputs;
    step(f, JOB_TASK_EXECUTE);
    assert_string_equal(event_text(f, "TASK_RETRIED", 0, "reason"), "the server was stopped");
    step(f, JOB_RUN_ADVANCE);
    assert_task(f, "one", TASK_SUCCEEDED);
}

static bool lease_was_renewed(struct fixture *f) {
    struct job *job = only_job(f);
    return job && job->lease.expires_ms > clock_now_ms() + 2000;
}

static int expire_in_tx(struct db *db, void *arg, struct err *err) {
    const struct job *job = arg;
    return store_job_renew(db, job->id, job->lease.token, clock_now_ms() + 1, err);
}

static void leases_are_renewed_while_at_work(void **state) {
    struct fixture *f = *state;
    begin_long_work(f);
    struct job *job = only_job(f);
    must(f, store_write(f->engine->store, expire_in_tx, job, &f->err));
    assert_true(wait_until(f, lease_was_renewed)); /* its own heartbeat comes before anybody takes it */
    assert_int_equal(only_job(f)->lease.token, job->lease.token);
    assert_int_equal(only_job(f)->interruptions, 0);
    stop_workers(f, 0);
}

/* A claim that nobody works on: an idle pool finds it by itself. */
static void an_idle_pool_takes_lost_leases(void **state) {
    struct fixture *f = *state;
    toy_use(f, &(struct toy){.install = "exec sleep 600"});
    add_project(f, NULL);
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    begin_run(f);
    struct job *lost = claim(f);
    assert_non_null(lost);
    clock_advance_ms(20000);
    start_workers(f, 1);
    assert_true(wait_until(f, run_is_verified_or_over));
    assert_true(str_starts(event_line(f), "RUN_STARTED TASK_STARTED FILE_CREATED TASK_OUTPUT MERGE_COMPLETED "
                                          "TASK_COMPLETED VERIFICATION_STARTED"));
    stop_workers(f, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        engine_test(many_workers_carry_a_run_to_its_end), engine_test(a_failed_attempt_is_tried_again_later),
        engine_test(what_always_fails_is_buried),         engine_test(who_does_not_learn_has_one_attempt),
        engine_test(a_cancel_reaches_what_is_at_work),    engine_test(draining_gives_work_back),
        engine_test(leases_are_renewed_while_at_work),    engine_test(an_idle_pool_takes_lost_leases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
