/* execute: one task in one worktree: what is accepted, what is refused, and what a crash leaves. */
#include "fixture.h"

#include <sys/stat.h>

static void begin_one(struct fixture *f) {
    add_task(f, "task-001", "shell", "", "src/app/** README.md", "src/app/page.tsx README.md");
    begin_run(f);
}

static void accepted_work_is_one_commit(void **state) {
    struct fixture *f = *state;
    begin_one(f);
    step(f, JOB_TASK_EXECUTE);
    struct task *task = task_now(f, "shell");
    json_t *result = NULL;
    assert_int_equal(task->state, TASK_RUNNING);
    assert_int_equal(task->attempts, 1);
    assert_true(task->started_ms > 0);
    assert_string_equal(task->commit_sha, ref_of(f, "refs/heads/feat/task-001-shell"));
    assert_string_equal(paths_of(f, task->commit_sha), "README.md src/app/page.tsx");
    must(f, json_parse(f->arena, task->result_json, strlen(task->result_json), &result, &f->err));
    assert_string_equal(json_string_value(json_at(result, "filesCreated.1")), "src/app/page.tsx");
    assert_int_equal(json_array_size(json_at(result, "filesModified")), 0);
    assert_string_equal(json_str(result, "commitSha", ""), task->commit_sha);
    assert_string_equal(json_str(result, "summary", ""), "did shell");
    assert_string_equal(event_line(f), "RUN_STARTED TASK_STARTED FILE_CREATED FILE_CREATED TASK_OUTPUT");
    assert_string_equal(event_text(f, "TASK_STARTED", 0, "slug"), "shell");
    assert_string_equal(event_text(f, "FILE_CREATED", 1, "path"), "src/app/page.tsx");
    assert_string_equal(event_text(f, "FILE_CREATED", 1, "size"), "9");
    assert_false(fs_exists(engine_worktree_path(f->engine, task, f->arena)));
    assert_int_equal(job_count(f, JOB_TASK_EXECUTE), 0);
    assert_int_equal(job_count(f, JOB_RUN_ADVANCE), 1);
}

static int write_outside(struct fixture *f, const struct agent_request *request, struct agent_result *result,
                         struct err *err) {
    put_file(request->worktree, "package.json", "{}");
    put_file(request->worktree, "src/lib/x.ts", "");
    return write_outputs(f, request, result, err);
}

static void work_outside_the_scope_is_refused(void **state) {
    struct fixture *f = *state;
    begin_one(f);
    f->work = write_outside;
    assert_int_equal(execute_task(take_job(f, JOB_TASK_EXECUTE), &f->err), -ERR_VALIDATION);
    assert_string_equal(f->err.message, "2 changes outside the task's pathScope, first package.json");
    assert_string_equal(event_text(f, "SCOPE_VIOLATION", 0, "paths"), "[\"package.json\",\"src/lib/x.ts\"]");
    assert_string_equal(event_text(f, "SCOPE_VIOLATION", 0, "pathScope.0"), "src/app/**");
    assert_string_equal(task_now(f, "shell")->commit_sha, "");
    assert_string_equal(ref_of(f, "refs/heads/feat/task-001-shell"), run_now(f)->base_sha);
    assert_false(fs_exists(engine_worktree_path(f->engine, task_now(f, "shell"), f->arena)));
}

static int forget_one(struct fixture *f, const struct agent_request *request, struct agent_result *result,
                      struct err *err) {
    put_file(request->worktree, "README.md", "only this\n");
    return 0;
}

static void a_missing_output_is_refused(void **state) {
    struct fixture *f = *state;
    begin_one(f);
    f->work = forget_one;
    assert_int_equal(execute_task(take_job(f, JOB_TASK_EXECUTE), &f->err), -ERR_VALIDATION);
    assert_string_equal(f->err.message, "the expected output src/app/page.tsx is missing");
    assert_string_equal(task_now(f, "shell")->commit_sha, "");
}

static int plant_link(struct fixture *f, const struct agent_request *request, struct agent_result *result,
                      struct err *err) {
    char *path = mem_printf("%s/src/app/secret", request->worktree);
    int rc = write_outputs(f, request, result, err);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    free(path);
    return rc;
}

static int plant_repository(struct fixture *f, const struct agent_request *request, struct agent_result *result,
                            struct err *err) {
    put_file(request->worktree, "src/app/.git/config", "[core]\n\tfsmonitor = touch /tmp/owned\n");
    return write_outputs(f, request, result, err);
}

static void what_an_agent_plants_is_refused(void **state) {
    struct fixture *f = *state;
    begin_one(f);
    f->work = plant_link;
    assert_int_equal(execute_task(take_job(f, JOB_TASK_EXECUTE), &f->err), -ERR_VALIDATION);
    assert_non_null(strstr(f->err.message, "src/app/secret"));
    reclaim(f);
    f->work = plant_repository;
    assert_int_equal(execute_task(take_job(f, JOB_TASK_EXECUTE), &f->err), -ERR_VALIDATION);
    assert_non_null(strstr(f->err.message, ".git"));
    reclaim(f);
    /* The worktree's own .git says where to commit; it is not asked. */
    f->work = write_outputs;
    step(f, JOB_TASK_EXECUTE);
    assert_int_equal(task_now(f, "shell")->attempts, 3);
    assert_int_equal(event_count(f, "TASK_RETRIED"), 2);
    assert_string_equal(event_text(f, "TASK_RETRIED", 0, "reason"), "the worker was lost");
}

static int change_and_delete(struct fixture *f, const struct agent_request *request, struct agent_result *result,
                             struct err *err) {
    char *path = mem_printf("%s/a/gone", request->worktree);
    put_file(request->worktree, "a/kept", "changed\n");
    assert_int_equal(unlink(path), 0);
    free(path);
    return 0;
}

static void tells_what_was_changed_and_deleted(void **state) {
    struct fixture *f = *state;
    add_task(f, "task-001", "one", "", "a/**", "a/kept a/gone");
    add_task(f, "task-002", "two", "task-001", "a/**", "a/kept");
    begin_run(f);
    step(f, JOB_TASK_EXECUTE);
    step(f, JOB_RUN_ADVANCE);
    f->work = change_and_delete;
    step(f, JOB_TASK_EXECUTE);
    assert_string_equal(event_text(f, "FILE_DELETED", 0, "path"), "a/gone");
    assert_string_equal(event_text(f, "FILE_DELETED", 0, "size"), "null");
    assert_string_equal(event_text(f, "FILE_MODIFIED", 0, "path"), "a/kept");
    assert_string_equal(paths_of(f, task_now(f, "two")->commit_sha), "a/kept");
}

static int say_bytes(struct fixture *f, const struct agent_request *request, struct agent_result *result,
                     struct err *err) {
    int rc = write_outputs(f, request, result, err);
    result->summary = "caf\xe9";
    return rc;
}

static void a_summary_of_any_bytes_is_told(void **state) {
    struct fixture *f = *state;
    begin_one(f);
    f->work = say_bytes;
    step(f, JOB_TASK_EXECUTE);
    assert_string_equal(event_text(f, "TASK_OUTPUT", 0, "text"), "caf\xef\xbf\xbd");
}

/* The claim is lost while the agent works: whoever has it now may, and the first may not. */
static void a_lost_lease_records_nothing(void **state) {
    struct fixture *f = *state;
    begin_one(f);
    struct job_context *stale = take_job(f, JOB_TASK_EXECUTE);
    assert_int_equal(reclaim(f), 1);
    struct job_context *fresh = take_job(f, JOB_TASK_EXECUTE);
    assert_int_equal(fresh->job->lease.token, stale->job->lease.token + 1);
    assert_int_equal(execute_task(stale, &f->err), -ERR_STALE);
    assert_int_equal(atomic_load(&f->tries), 0); /* it did not even begin */
    must(f, execute_task(fresh, &f->err));
    assert_int_equal(event_count(f, "TASK_STARTED"), 1);
    assert_int_equal(event_count(f, "TASK_RETRIED"), 0);
}

static int lose_lease(struct fixture *f, const struct agent_request *request, struct agent_result *result,
                      struct err *err) {
    if (request->attempt == 1)
        assert_int_equal(reclaim(f), 1);
    return write_outputs(f, request, result, err);
}

/* A crash after the work and before its record: the work is done again, and recorded once. */
static void work_that_was_not_recorded_is_done_again(void **state) {
    struct fixture *f = *state;
    begin_one(f);
    f->work = lose_lease;
    assert_int_equal(execute_task(take_job(f, JOB_TASK_EXECUTE), &f->err), -ERR_STALE);
    assert_int_equal(event_count(f, "FILE_CREATED"), 0);
    assert_string_equal(task_now(f, "shell")->commit_sha, "");
    step(f, JOB_TASK_EXECUTE);
    assert_int_equal(event_count(f, "FILE_CREATED"), 2);
    assert_int_equal(event_count(f, "TASK_STARTED"), 1);
    assert_int_equal(event_count(f, "TASK_RETRIED"), 1);
    assert_int_equal(task_now(f, "shell")->attempts, 2);
}

static int enqueue_again_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct fixture *f = arg;
    return journal_enqueue(journal,
                           &(struct job_spec){.kind = JOB_TASK_EXECUTE,
                                              .project_id = f->project_id,
                                              .run_id = f->run_id,
                                              .subject_id = task_now(f, "shell")->id,
                                              .is_exclusive = true},
                           err);
}

/* A job that comes twice finds its work done, whether it waits to be merged or is. */
static void done_work_is_found_done(void **state) {
    struct fixture *f = *state;
    begin_one(f);
    struct job_context *first = take_job(f, JOB_TASK_EXECUTE);
    must(f, journal_write(f->engine, enqueue_again_in_tx, f, &f->err));
    assert_null(claim(f)); /* one at a time for a task */
    must(f, execute_task(first, &f->err));
    step(f, JOB_TASK_EXECUTE);
    step(f, JOB_RUN_ADVANCE);
    assert_task(f, "shell", TASK_SUCCEEDED);
    must(f, journal_write(f->engine, enqueue_again_in_tx, f, &f->err));
    (void)take_job(f, JOB_RUN_VERIFY);
    step(f, JOB_TASK_EXECUTE);
    assert_int_equal(atomic_load(&f->tries), 1);
    assert_int_equal(event_count(f, "FILE_CREATED"), 2);
}

static int wait_for_cancel(struct fixture *f, const struct agent_request *request, struct agent_result *result,
                           struct err *err) {
    struct job_context *context = request->cancel_arg;
    assert_false(request->is_cancelled(request->cancel_arg));
    atomic_store(&context->is_cancelled, true);
    assert_true(request->is_cancelled(request->cancel_arg));
    put_file(request->worktree, "anywhere", "half done");
    return 0; /* an agent that does not listen */
}

static void a_cancelled_task_leaves_nothing(void **state) {
    struct fixture *f = *state;
    begin_one(f);
    f->work = wait_for_cancel;
    assert_int_equal(execute_task(take_job(f, JOB_TASK_EXECUTE), &f->err), -ERR_CANCELLED);
    assert_string_equal(task_now(f, "shell")->commit_sha, "");
    assert_int_equal(event_count(f, "SCOPE_VIOLATION"), 0);
    assert_false(fs_exists(engine_worktree_path(f->engine, task_now(f, "shell"), f->arena)));
}

static void a_task_out_of_attempts_has_failed(void **state) {
    struct fixture *f = *state;
    begin_one(f);
    struct job_context *job = take_job(f, JOB_TASK_EXECUTE);
    bury(f, job->job, bury_task_job, "too hard");
    assert_task(f, "shell", TASK_FAILED);
    assert_string_equal(event_text(f, "TASK_COMPLETED", 0, "status"), "failed");
    assert_string_equal(event_text(f, "TASK_COMPLETED", 0, "error"), "too hard");
    step_all(f);
    assert_run(f, RUN_FAILED);
    assert_string_equal(run_now(f)->error, "task shell failed: too hard");
    assert_string_equal(event_line(f), "RUN_STARTED TASK_STARTED TASK_COMPLETED RUN_COMPLETED");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        engine_test(accepted_work_is_one_commit),
        engine_test(work_outside_the_scope_is_refused),
        engine_test(a_missing_output_is_refused),
        engine_test(what_an_agent_plants_is_refused),
        engine_test(tells_what_was_changed_and_deleted),
        engine_test(a_summary_of_any_bytes_is_told),
        engine_test(a_lost_lease_records_nothing),
        engine_test(work_that_was_not_recorded_is_done_again),
        engine_test(done_work_is_found_done),
        engine_test(a_cancelled_task_leaves_nothing),
        engine_test(a_task_out_of_attempts_has_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
