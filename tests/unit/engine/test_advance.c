/* advance: merging in order, scheduling by dependencies and scopes, skipping, conflicts, and ending. */
#include "fixture.h"

static void merges_in_order_and_verifies_next(void **state) {
    struct fixture *f = *state;
    add_task(f, "task-001", "base", "", "a/**", "a/one a/two");
    add_task(f, "task-002", "left", "task-001", "b/**", "b/one");
    add_task(f, "task-003", "right", "task-001", "c/**", "c/one");
    begin_run(f);
    assert_int_equal(job_count(f, JOB_TASK_EXECUTE), 1); /* the others wait for the first */
    step(f, JOB_TASK_EXECUTE);
    assert_task(f, "base", TASK_RUNNING); /* done is merged */
    step(f, JOB_RUN_ADVANCE);
    assert_task(f, "base", TASK_SUCCEEDED);
    assert_string_equal(run_now(f)->head_sha, ref_of(f, "refs/heads/run/1"));
    assert_int_equal(job_count(f, JOB_TASK_EXECUTE), 2);
    struct job_context *left = take_job(f, JOB_TASK_EXECUTE), *right = take_job(f, JOB_TASK_EXECUTE);
    assert_string_equal(left->job->subject_id, task_now(f, "left")->id);
    /* The later one is done first, and waits for its turn. */
    must(f, execute_task(right, &f->err));
    step(f, JOB_RUN_ADVANCE);
    assert_task(f, "right", TASK_RUNNING);
    must(f, execute_task(left, &f->err));
    step(f, JOB_RUN_ADVANCE);
    assert_task(f, "left", TASK_SUCCEEDED);
    assert_task(f, "right", TASK_SUCCEEDED);
    assert_run(f, RUN_VERIFYING);
    assert_int_equal(job_count(f, JOB_RUN_VERIFY), 1);
    assert_string_equal(paths_of(f, run_now(f)->head_sha), "a/one a/two b/one c/one");
    assert_string_equal(event_text(f, "MERGE_COMPLETED", 1, "slug"), "left");
    assert_string_equal(event_text(f, "MERGE_COMPLETED", 2, "slug"), "right");
    assert_string_equal(ref_of(f, "refs/heads/main"), run_now(f)->base_sha); /* main waits for the proof */
}

static void overlapping_tasks_never_run_side_by_side(void **state) {
    struct fixture *f = *state;
    add_task(f, "task-001", "one", "", "src/a/**", "src/a/x");
    add_task(f, "task-002", "two", "", "src/**/x", "src/b/x");
    add_task(f, "task-003", "three", "", "docs/**", "docs/x");
    begin_run(f);
    assert_int_equal(job_count(f, JOB_TASK_EXECUTE), 2);
    step(f, JOB_TASK_EXECUTE);
    step(f, JOB_TASK_EXECUTE);
    assert_task(f, "two", TASK_PENDING);
    assert_int_equal(job_count(f, JOB_TASK_EXECUTE), 0);
    step(f, JOB_RUN_ADVANCE); /* merges the first: now the second may */
    assert_task(f, "one", TASK_SUCCEEDED);
    assert_int_equal(job_count(f, JOB_TASK_EXECUTE), 1);
    step(f, JOB_TASK_EXECUTE);
    step(f, JOB_RUN_ADVANCE);
    assert_run(f, RUN_VERIFYING);
}

/* The third could start at once; then the second would wait for its merge, and its merge for the second's. */
static void what_overlaps_is_done_in_merge_order(void **state) {
    struct fixture *f = *state;
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    add_task(f, "task-002", "two", "task-001", "b/**", "b/x");
    add_task(f, "task-003", "three", "", "b/y c/**", "c/x");
    begin_run(f);
    assert_int_equal(job_count(f, JOB_TASK_EXECUTE), 1);
    while (run_now(f)->state == RUN_EXECUTING) {
        struct job *job = claim(f);
        assert_non_null(job);
        must(f, handle(hold(f, job), &f->err));
    }
    assert_run(f, RUN_VERIFYING);
    assert_task(f, "three", TASK_SUCCEEDED);
}

/* Ids need not be in the order of merging: a task is skipped for its own dependency, whatever the numbers say. */
static void skips_what_depends_on_a_failed_task(void **state) {
    struct fixture *f = *state;
    add_task(f, "task-003", "root", "", "a/**", "a/x");
    add_task(f, "task-001", "child", "task-003", "b/**", "b/x");
    add_task(f, "task-002", "grandchild", "task-001", "c/**", "c/x");
    add_task(f, "task-004", "other", "", "d/**", "d/x");
    begin_run(f);
    struct job_context *root = take_job(f, JOB_TASK_EXECUTE), *other = take_job(f, JOB_TASK_EXECUTE);
    bury(f, root->job, bury_task_job, "it cannot be done");
    assert_task(f, "root", TASK_FAILED);
    assert_string_equal(task_now(f, "root")->error, "it cannot be done");
    step(f, JOB_RUN_ADVANCE);
    assert_task(f, "child", TASK_SKIPPED);
    assert_task(f, "grandchild", TASK_SKIPPED);
    assert_run(f, RUN_EXECUTING); /* the other is still at work */
    must(f, execute_task(other, &f->err));
    while (run_now(f)->state == RUN_EXECUTING && job_count(f, JOB_RUN_FINISH) == 0)
        step(f, JOB_RUN_ADVANCE);
    assert_task(f, "other", TASK_SUCCEEDED);
    step(f, JOB_RUN_FINISH);
    assert_run(f, RUN_FAILED);
    assert_string_equal(run_now(f)->error, "task root failed: it cannot be done");
    assert_int_equal(project_now(f)->state, PROJECT_FAILED);
}

/* Work that waits behind a task which is then skipped must not wait for ever. */
static void merges_what_waited_behind_a_skipped_task(void **state) {
    struct fixture *f = *state;
    add_task(f, "task-001", "root", "", "a/**", "a/x");
    add_task(f, "task-002", "child", "task-001", "b/**", "b/x");
    add_task(f, "task-003", "other", "", "c/**", "c/x");
    begin_run(f);
    struct job_context *root = take_job(f, JOB_TASK_EXECUTE), *other = take_job(f, JOB_TASK_EXECUTE);
    must(f, execute_task(other, &f->err));
    step(f, JOB_RUN_ADVANCE);
    bury(f, root->job, bury_task_job, "no");
    step_all(f);
    assert_task(f, "child", TASK_SKIPPED);
    assert_task(f, "other", TASK_SUCCEEDED);
    assert_run(f, RUN_FAILED);
}

/* Both write the same path, the second beyond what its scope should have allowed it to share. */
static int write_shared(struct fixture *f, const struct agent_request *request, struct agent_result *result,
                        struct err *err) {
    const char *slug = json_str(request->definition, "slug", "");
    put_file(request->worktree, "shared/x",
             arena_printf(request->arena, "%s %lld\n", slug, (long long)request->attempt));
    result->summary = request->feedback;
    return 0;
}

/* Makes both tasks start from the same base, as no schedule would. */
static void begin_conflict(struct fixture *f) {
    add_task(f, "task-001", "first", "", "shared/x", "shared/x");
    add_task(f, "task-002", "second", "", "shared/*", "shared/x");
    f->work = write_shared;
    begin_run(f);
}

static int schedule_second_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct fixture *f = arg;
    return journal_enqueue(journal,
                           &(struct job_spec){.kind = JOB_TASK_EXECUTE,
                                              .project_id = f->project_id,
                                              .run_id = f->run_id,
                                              .subject_id = task_now(f, "second")->id,
                                              .is_exclusive = true},
                           err);
}

static void a_merge_conflict_has_the_task_done_again(void **state) {
    struct fixture *f = *state;
    begin_conflict(f);
    must(f, journal_write(f->engine, schedule_second_in_tx, f, &f->err));
    step(f, JOB_TASK_EXECUTE);
    step(f, JOB_TASK_EXECUTE);
    step(f, JOB_RUN_ADVANCE);
    assert_task(f, "first", TASK_SUCCEEDED);
    assert_task(f, "second", TASK_RUNNING);
    assert_string_equal(event_text(f, "MERGE_CONFLICT", 0, "paths.0"), "shared/x");
    assert_string_equal(task_now(f, "second")->commit_sha, "");
    step(f, JOB_TASK_EXECUTE);
    assert_string_equal(event_text(f, "TASK_RETRIED", 0, "reason"), "its work did not merge");
    assert_string_equal(event_text(f, "TASK_RETRIED", 0, "error"),
                        "its changes to shared/x conflict with what was merged before");
    /* The agent was told what is there now, and what it had done. */
    const char *told = event_text(f, "TASK_OUTPUT", 0, "text");
    assert_non_null(strstr(told, "--- shared/x\nfirst 1\n"));
    assert_non_null(strstr(told, "\n+second 1\n"));
    step(f, JOB_RUN_ADVANCE);
    assert_run(f, RUN_VERIFYING);
    assert_string_equal(file_of(f, run_now(f)->head_sha, "shared/x"), "second 2\n");
}

struct commit_call {
    struct fixture *f;
    const char *commit;
};

/* The second task's work is this commit, whatever its last try made. */
static int replace_commit_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct commit_call *call = arg;
    struct task *task = task_now(call->f, "second");
    str_copy(task->commit_sha, sizeof(task->commit_sha), call->commit);
    return store_task_update(journal->db, task, err);
}

/* Conflicts count; tries that ended otherwise do not. */
static void too_many_conflicts_fail_the_task(void **state) {
    struct fixture *f = *state;
    begin_conflict(f);
    must(f, journal_write(f->engine, schedule_second_in_tx, f, &f->err));
    step(f, JOB_TASK_EXECUTE);
    struct job_context *lost = take_job(f, JOB_TASK_EXECUTE);
    for (int i = 0; i < 3; i++) { /* as many tries as conflicts are allowed, all interrupted */
        atomic_store(&lost->is_cancelled, true);
        assert_int_equal(execute_task(lost, &f->err), -ERR_CANCELLED);
        assert_int_equal(reclaim(f), 1);
        lost = take_job(f, JOB_TASK_EXECUTE);
    }
    must(f, execute_task(lost, &f->err));
    struct commit_call call = {.f = f, .commit = task_now(f, "second")->commit_sha};
    step(f, JOB_RUN_ADVANCE);
    for (int i = 0; i < 2; i++) {
        assert_task(f, "second", TASK_RUNNING);
        step(f, JOB_TASK_EXECUTE);
        must(f, journal_write(f->engine, replace_commit_in_tx, &call, &f->err));
        step(f, JOB_RUN_ADVANCE);
    }
    assert_int_equal(event_count(f, "MERGE_CONFLICT"), 3);
    assert_task(f, "second", TASK_FAILED);
    assert_string_equal(task_now(f, "second")->error, "its changes to shared/x conflict with what was merged before");
    step(f, JOB_RUN_FINISH);
    assert_run(f, RUN_FAILED);
}

/* A crash between a merge's row and its ref: the row is the truth, and nothing is merged twice. */
static void the_ref_follows_the_row(void **state) {
    struct fixture *f = *state;
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    add_task(f, "task-002", "two", "task-001", "b/**", "b/x");
    begin_run(f);
    step(f, JOB_TASK_EXECUTE);
    struct job_context *dead = take_job(f, JOB_RUN_ADVANCE);
    must(f, advance_run(dead, &f->err));
    struct repo *repo = repo_of(f);
    must(f, repo_ref_set(repo, "refs/heads/run/1", NULL, run_now(f)->base_sha, &f->err));
    repo_close(repo);
    step(f, JOB_TASK_EXECUTE); /* starts from the row's head */
    assert_string_equal(task_now(f, "two")->base_sha, run_now(f)->head_sha);
    step(f, JOB_RUN_ADVANCE);
    assert_string_equal(ref_of(f, "refs/heads/run/1"), run_now(f)->head_sha);
    assert_string_equal(paths_of(f, run_now(f)->head_sha), "a/x b/x");
    assert_int_equal(event_count(f, "MERGE_COMPLETED"), 2);
}

static void a_stale_advance_changes_nothing(void **state) {
    struct fixture *f = *state;
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    begin_run(f);
    step(f, JOB_TASK_EXECUTE);
    struct job_context *stale = take_job(f, JOB_RUN_ADVANCE);
    assert_int_equal(reclaim(f), 1);
    struct job_context *fresh = take_job(f, JOB_RUN_ADVANCE);
    assert_int_equal(advance_run(stale, &f->err), -ERR_STALE);
    assert_int_equal(event_count(f, "MERGE_COMPLETED"), 0);
    must(f, advance_run(fresh, &f->err));
    assert_int_equal(event_count(f, "MERGE_COMPLETED"), 1);
    assert_run(f, RUN_VERIFYING);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        engine_test(merges_in_order_and_verifies_next),        engine_test(overlapping_tasks_never_run_side_by_side),
        engine_test(what_overlaps_is_done_in_merge_order),     engine_test(skips_what_depends_on_a_failed_task),
        engine_test(merges_what_waited_behind_a_skipped_task), engine_test(a_merge_conflict_has_the_task_done_again),
        engine_test(too_many_conflicts_fail_the_task),         engine_test(the_ref_follows_the_row),
        engine_test(a_stale_advance_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
