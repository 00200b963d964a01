/* runs: beginning, retrying and cancelling, in each state. */
#include "fixture.h"

static int cancel(struct fixture *f, int64_t wait_for_ms, struct run **out) {
    return engine_run_cancel(f->engine, f->account_id, f->project_id, f->run_id, wait_for_ms, f->arena, out, &f->err);
}

static void a_run_begins_whole(void **state) {
    struct fixture *f = *state;
    struct run *run = NULL;
    add_project(f, NULL);
    create_run(f);
    run = run_now(f);
    assert_int_equal(run->state, RUN_DECOMPOSING);
    assert_int_equal(run->number, 1);
    assert_true(run->started_ms > 0);
    assert_string_equal(event_line(f), "RUN_STARTED");
    assert_string_equal(event_text(f, "RUN_STARTED", 0, "status"), "decomposing");
    assert_int_equal(job_count(f, JOB_RUN_DECOMPOSE), 1);
    assert_int_equal(project_now(f)->state, PROJECT_BUILDING);
    assert_int_equal(engine_run_create(f->engine, f->account_id, f->project_id,
                                       &(struct run_request){.trigger = "manual"}, f->arena, &run,
                                       &(struct build_room){0}, &f->err),
                     -ERR_CONFLICT);
    assert_string_equal(f->err.message, "A run of this project is active already");
    assert_int_equal(engine_run_retry(f->engine, f->account_id, f->project_id, f->run_id, NULL,
                                      &(struct run_request){.may_queue = false}, f->arena, &run,
                                      &(struct build_room){0}, &f->err),
                     -ERR_CONFLICT);
    assert_string_equal(f->err.message, "The run is decomposing; only a run that ended can be tried again");
}

static void who_may_not_begin_is_told_why(void **state) {
    struct fixture *f = *state;
    struct project *draft = NULL;
    struct run *run = NULL;
    char other[ID_LEN];
    must(f, engine_project_create(f->engine, f->account_id, "Draft", "d", NULL, f->arena, &draft, &f->err));
    assert_int_equal(engine_run_create(f->engine, f->account_id, draft->id, &(struct run_request){.trigger = "manual"},
                                       f->arena, &run, &(struct build_room){0}, &f->err),
                     -ERR_CONFLICT);
    assert_string_equal(f->err.message, "The project has no approved spec; it is draft");
    must(f, engine_project_archive(f->engine, f->account_id, draft->id, &f->err));
    assert_int_equal(engine_run_create(f->engine, f->account_id, draft->id, &(struct run_request){.trigger = "manual"},
                                       f->arena, &run, &(struct build_room){0}, &f->err),
                     -ERR_CONFLICT);
    assert_string_equal(f->err.message, "The project is archived");
    add_project(f, NULL);
    id_make(other, "acct");
    assert_int_equal(engine_run_create(f->engine, other, f->project_id, &(struct run_request){.trigger = "manual"},
                                       f->arena, &run, &(struct build_room){0}, &f->err),
                     -ERR_NOT_FOUND);
    assert_string_equal(f->err.message, "Project not found");
}

static void cancel_while_decomposing(void **state) {
    struct fixture *f = *state;
    struct run *run = NULL;
    add_project(f, NULL);
    create_run(f);
    must(f, cancel(f, 0, &run));
    assert_int_equal(run->state, RUN_DECOMPOSING);
    assert_true(run->is_cancel_requested);
    assert_int_equal(job_count(f, JOB_RUN_DECOMPOSE), 0); /* it will never begin */
    must(f, cancel(f, 0, &run));                          /* twice is once */
    assert_int_equal(job_count(f, JOB_RUN_FINISH), 1);
    step(f, JOB_RUN_FINISH);
    assert_run(f, RUN_CANCELLED);
    assert_int_equal(project_now(f)->state, PROJECT_APPROVED);
    assert_string_equal(event_line(f), "RUN_STARTED RUN_COMPLETED");
    assert_int_equal(cancel(f, 0, &run), -ERR_CONFLICT);
    assert_string_equal(f->err.message, "The run is cancelled already");
    must(f,
         engine_run_retry(f->engine, f->account_id, f->project_id, f->run_id, NULL,
                          &(struct run_request){.may_queue = false}, f->arena, &run, &(struct build_room){0}, &f->err));
    assert_int_equal(run->number, 2);
    assert_string_equal(run->trigger, "retry");
}

static int drop_in_tx(struct db *db, void *arg, struct err *err) {
    const struct job *job = arg;
    return store_job_finish(db, job->id, job->lease.token, err);
}

/* While a task is at work the end waits for it, and what it brings is refused. */
static void cancel_while_executing(void **state) {
    struct fixture *f = *state;
    struct run *run = NULL;
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    add_task(f, "task-002", "two", "", "b/**", "b/x");
    begin_run(f);
    step(f, JOB_TASK_EXECUTE);
    struct job_context *two = take_job(f, JOB_TASK_EXECUTE);
    step(f, JOB_RUN_ADVANCE);
    must(f, cancel(f, 0, &run));
    assert_null(claim(f)); /* not the end, while the second is at work */
    assert_int_equal(execute_task(two, &f->err), -ERR_CANCELLED);
    must(f, store_write(f->engine->store, drop_in_tx, two->job, &f->err)); /* as the pool does */
    step(f, JOB_RUN_FINISH);
    assert_run(f, RUN_CANCELLED);
    assert_task(f, "one", TASK_SUCCEEDED); /* it was merged, and stays so */
    assert_task(f, "two", TASK_CANCELLED);
    assert_string_equal(event_text(f, "RUN_COMPLETED", 0, "status"), "cancelled");
    size_t count = 0;
    struct event *events = events_of(f, NULL, &count);
    assert_int_equal(events[count - 1].type, EVENT_RUN_COMPLETED);
    assert_string_equal(ref_of(f, "refs/heads/main"), run_now(f)->base_sha);
    assert_string_equal(ref_of(f, "refs/heads/feat/task-001-one"), "");
    assert_string_equal(ref_of(f, "refs/prazium/run-1/feat/task-001-one"), task_now(f, "one")->commit_sha);
    assert_false(fs_exists(workspace_of(f)));
}

static void cancel_while_verifying(void **state) {
    struct fixture *f = *state;
    struct run *run = NULL;
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    begin_run(f);
    step(f, JOB_TASK_EXECUTE);
    step(f, JOB_RUN_ADVANCE);
    assert_run(f, RUN_VERIFYING);
    struct job_context *verify = take_job(f, JOB_RUN_VERIFY);
    must(f, cancel(f, 0, &run));
    assert_int_equal(verify_run(verify, &f->err), -ERR_CANCELLED);
    must(f, store_write(f->engine->store, drop_in_tx, verify->job, &f->err));
    step(f, JOB_RUN_FINISH);
    assert_run(f, RUN_CANCELLED);
    assert_string_equal(ref_of(f, "refs/heads/main"), run_now(f)->base_sha);
    assert_false(fs_exists(workspace_of(f)));
}

static int end_in_tx(struct journal *journal, void *arg, struct err *err) {
    return step_finish(journal, run_now(arg), RUN_FAILED, "enough", err);
}

/* Once its end is due nothing else of a run begins or records, and it cannot be cancelled any more. */
static void a_run_that_ends_goes_no_other_way(void **state) {
    struct fixture *f = *state;
    struct run *run = NULL;
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    add_task(f, "task-002", "two", "", "b/**", "b/x");
    begin_run(f);
    struct job_context *one = take_job(f, JOB_TASK_EXECUTE);
    must(f, journal_write(f->engine, end_in_tx, f, &f->err));
    assert_int_equal(job_count(f, JOB_TASK_EXECUTE), 1); /* the other one that waited is gone */
    assert_int_equal(cancel(f, 0, &run), -ERR_CONFLICT);
    assert_string_equal(f->err.message, "The run is ending already");
    assert_int_equal(execute_task(one, &f->err), -ERR_CANCELLED);
    assert_string_equal(f->err.message, "the run is ending");
    must(f, store_write(f->engine->store, drop_in_tx, one->job, &f->err));
    step(f, JOB_RUN_FINISH);
    assert_run(f, RUN_FAILED);
    assert_string_equal(run_now(f)->error, "enough");
    assert_null(claim(f));
}

struct finisher {
    struct fixture *f;
    struct job_context *job;
    int rc;
    struct err err;
};

static void *finish_main(void *arg) {
    struct finisher *finisher = arg;
    finisher->rc = finish_run(finisher->job, &finisher->err);
    store_thread_end(finisher->f->engine->store);
    return NULL;
}

/* The caller waits for the end that another thread makes. */
static void cancel_waits_for_the_end(void **state) {
    struct fixture *f = *state;
    struct run *run = NULL;
    pthread_t thread;
    add_project(f, NULL);
    create_run(f);
    must(f, cancel(f, 0, &run));
    struct finisher finisher = {.f = f, .job = take_job(f, JOB_RUN_FINISH)};
    finisher.job->arena = arena_create();
    assert_int_equal(pthread_create(&thread, NULL, finish_main, &finisher), 0);
    int rc = cancel(f, WAIT_MS, &run);
    pthread_join(thread, NULL);
    if (rc == -ERR_CONFLICT) { /* the other thread was there first */
        assert_string_equal(f->err.message, "The run is cancelled already");
        run = run_now(f);
    } else if (rc < 0) {
        fail_msg("%s", f->err.message);
    }
    assert_int_equal(run->state, RUN_CANCELLED);
    arena_destroy(finisher.job->arena);
    assert_int_equal(finisher.rc, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        engine_test(a_run_begins_whole),       engine_test(who_may_not_begin_is_told_why),
        engine_test(cancel_while_decomposing), engine_test(cancel_while_executing),
        engine_test(cancel_while_verifying),   engine_test(a_run_that_ends_goes_no_other_way),
        engine_test(cancel_waits_for_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
