/* finish: main goes forward only, branches are kept, folders go, and every step may come twice. */
#include "fixture.h"

static int enter_finish_in_tx(struct journal *journal, void *arg, struct err *err) {
    return step_finish(journal, run_now(arg), RUN_SUCCEEDED, NULL, err);
}

/* A run whose tasks are merged, and whose verification is taken to have passed. */
static void begin_verified(struct fixture *f) {
    if (json_array_size(f->tasks) == 0)
        add_task(f, "task-001", "one", "", "a/**", "a/x");
    begin_run(f);
    while (run_now(f)->state == RUN_EXECUTING)
        must(f, handle(hold(f, claim(f)), &f->err));
    must(f, journal_write(f->engine, enter_finish_in_tx, f, &f->err));
}

static void success_moves_main_and_keeps_branches(void **state) {
    struct fixture *f = *state;
    begin_verified(f);
    char head[SHA_LEN], commit[SHA_LEN];
    str_copy(head, sizeof(head), run_now(f)->head_sha);
    str_copy(commit, sizeof(commit), task_now(f, "one")->commit_sha);
    put_file(workspace_of(f), "left/behind", "x");
    step(f, JOB_RUN_FINISH);
    assert_run(f, RUN_SUCCEEDED);
    assert_int_equal(project_now(f)->state, PROJECT_BUILT);
    assert_string_equal(ref_of(f, "refs/heads/main"), head);
    assert_string_equal(ref_of(f, "refs/tags/run-1"), head);
    assert_string_equal(ref_of(f, "refs/heads/run/1"), "");
    assert_string_equal(ref_of(f, "refs/prazium/run-1/integration"), head);
    assert_string_equal(ref_of(f, "refs/prazium/run-1/feat/task-001-one"), commit);
    assert_false(fs_exists(workspace_of(f)));
    assert_null(claim(f));
    size_t count = 0;
    struct event *events = events_of(f, NULL, &count);
    assert_int_equal(events[count - 1].type, EVENT_RUN_COMPLETED);
    assert_string_equal(event_text(f, "RUN_COMPLETED", 0, "status"), "succeeded");
    /* The next run has the same names for its branches. */
    begin_verified(f);
    step(f, JOB_RUN_FINISH);
    assert_run(f, RUN_SUCCEEDED);
    assert_int_equal(run_now(f)->number, 2);
    assert_string_equal(run_now(f)->base_sha, head);
    assert_string_equal(ref_of(f, "refs/prazium/run-2/feat/task-001-one"), task_now(f, "one")->commit_sha);
}

/* The server died after everything but the row: all is done again, and nothing twice. */
static void an_end_that_was_not_recorded_is_made_again(void **state) {
    struct fixture *f = *state;
    begin_verified(f);
    struct job_context *dead = take_job(f, JOB_RUN_FINISH);
    assert_int_equal(reclaim(f), 1);
    assert_int_equal(finish_run(dead, &f->err), -ERR_STALE); /* all but the row */
    assert_run(f, RUN_VERIFYING);
    assert_string_equal(ref_of(f, "refs/heads/main"), run_now(f)->head_sha);
    step(f, JOB_RUN_FINISH);
    assert_run(f, RUN_SUCCEEDED);
    assert_int_equal(event_count(f, "RUN_COMPLETED"), 1);
}

static void main_never_goes_aside(void **state) {
    struct fixture *f = *state;
    char pushed[SHA_LEN];
    begin_verified(f);
    struct repo *repo = repo_of(f);
    struct commit_spec spec = {.parents = {run_now(f)->base_sha, NULL}, .message = "by hand\n", .time_ms = 1};
    must(f, repo_commit_empty(repo, &spec, pushed, &f->err));
    must(f, repo_ref_set(repo, "refs/heads/main", NULL, pushed, &f->err));
    repo_close(repo);
    step(f, JOB_RUN_FINISH); /* it would not help to try again */
    assert_run(f, RUN_FAILED);
    assert_non_null(strstr(run_now(f)->error, "main moved to"));
    assert_string_equal(ref_of(f, "refs/heads/main"), pushed);
    assert_string_equal(ref_of(f, "refs/tags/run-1"), "");
    assert_int_equal(project_now(f)->state, PROJECT_FAILED);
}

/* Should even the end fail for good, the run still ends, and its project is free. */
static void an_end_that_fails_for_good_is_buried(void **state) {
    struct fixture *f = *state;
    begin_verified(f);
    struct job *job = take_job(f, JOB_RUN_FINISH)->job;
    bury(f, job, bury_run_job, "the disk is full");
    assert_run(f, RUN_FAILED);
    assert_string_equal(run_now(f)->error, "the disk is full");
    assert_int_equal(project_now(f)->state, PROJECT_FAILED);
    assert_int_equal(event_count(f, "RUN_COMPLETED"), 1);
}

static int broken_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct fixture *f = arg;
    return journal_enqueue(journal,
                           &(struct job_spec){.kind = JOB_RUN_FINISH,
                                              .project_id = f->project_id,
                                              .run_id = f->run_id,
                                              .payload_json = "{\"status\":\"sleeping\"}"},
                           err);
}

static void an_end_without_a_state_is_refused(void **state) {
    struct fixture *f = *state;
    add_project(f, NULL);
    create_run(f);
    struct job_context *decompose = take_job(f, JOB_RUN_DECOMPOSE);
    must(f, step_nothing(decompose, &f->err));
    must(f, journal_write(f->engine, broken_in_tx, f, &f->err));
    assert_int_equal(finish_run(take_job(f, JOB_RUN_FINISH), &f->err), -ERR_INTERNAL);
    assert_run(f, RUN_DECOMPOSING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        engine_test(success_moves_main_and_keeps_branches),
        engine_test(an_end_that_was_not_recorded_is_made_again),
        engine_test(main_never_goes_aside),
        engine_test(an_end_that_fails_for_good_is_buried),
        engine_test(an_end_without_a_state_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
