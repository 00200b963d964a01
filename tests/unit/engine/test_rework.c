/* rework: an agent that learns is told what was wrong, and does better; one that does not is not asked again. */
#include "toy.h"

#include "engine/task_attempts.h"

static const char *heard; /* the feedback of the latest attempt that had any */

static void hear(struct fixture *f, const struct agent_request *request) {
    if (request->feedback)
        heard = arena_strdup(f->arena, request->feedback);
}

/* Says "right" once it is told that it must. */
static int write_and_learn(struct fixture *f, const struct agent_request *request, struct agent_result *result,
                           struct err *err) {
    size_t i;
    json_t *path;
    hear(f, request);
    json_array_foreach (json_object_get(request->definition, "expectedOutputs"), i, path)
        put_file(request->worktree, json_string_value(path),
                 request->feedback && strstr(request->feedback, "right") ? "right\n" : "wrong\n");
    return 0;
}

static const char plan[] =
    "{\"routes\":[],\"criteria\":[{\"id\":\"AC-1\",\"title\":\"Right\",\"statement\":\"It is right.\","
    "\"check\":{\"kind\":\"files\",\"paths\":[\"a/x\"],\"contains\":[\"right\"]}},"
    "{\"id\":\"AC-2\",\"title\":\"There\",\"check\":{\"kind\":\"files\",\"paths\":[\"b/x\"]}}]}";

static int keep_tasks_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct fixture *f = arg;
    struct run *run = NULL;
    json_t *tasks = json_own(journal->arena, json_pack("{s:O, s:[]}", "tasks", f->tasks, "mergeOrder"));
    int rc = store_run_get(journal->db, journal->arena, f->run_id, NULL, &run, err);
    run->tasks_json = json_text(journal->arena, tasks);
    return rc < 0 ? rc : store_run_update(journal->db, run, err);
}

/* Up to the first verification; the first task is to bring about AC-1, the second AC-2. */
static void begin(struct fixture *f, work_fn *work, const struct toy *toy) {
    heard = NULL;
    f->work = work;
    toy_use(f, toy);
    add_project(f, plan);
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    add_task(f, "task-002", "two", "task-001", "b/**", "b/x");
    for (size_t i = 0; i < 2; i++)
        json_array_append_new(json_object_get(json_array_get(f->tasks, i), "criteria"), json_sprintf("AC-%zu", i + 1));
    begin_run(f);
    must(f, journal_write(f->engine, keep_tasks_in_tx, f, &f->err));
}

static void execute(struct fixture *f) {
    step(f, JOB_TASK_EXECUTE);
    step(f, JOB_RUN_ADVANCE);
}

static struct task_attempt *attempts_of(struct fixture *f, const char *slug, size_t *count) {
    struct task_attempt *rows = NULL;
    must(f, store_attempt_list(reader(f), f->arena, task_now(f, slug)->id, &rows, count, &f->err));
    return rows;
}

static void what_verification_finds_is_put_right(void **state) {
    struct fixture *f = *state;
    size_t count;
    let_agent_learn(f);
    begin(f, write_and_learn, &(struct toy){0});
    execute(f);
    execute(f);
    const char *first_head = run_now(f)->head_sha;
    step(f, JOB_RUN_VERIFY);
    assert_run(f, RUN_EXECUTING);
    assert_task(f, "one", TASK_PENDING);
    assert_task(f, "two", TASK_SUCCEEDED); /* its criterion is proven */
    assert_string_equal(event_text(f, "VERIFICATION_COMPLETED", 0, "status"), "failed");
    assert_string_equal(event_text(f, "TASK_RETRIED", 0, "reason"), "verification found its work wanting");
    execute(f);
    assert_run(f, RUN_VERIFYING);
    assert_non_null(strstr(heard, "AC-1 (Right) is not met"));
    assert_string_equal(task_now(f, "one")->base_sha, first_head);
    step(f, JOB_RUN_VERIFY);
    assert_int_equal(event_count(f, "VERIFICATION_STARTED"), 2);
    assert_string_equal(event_text(f, "VERIFICATION_COMPLETED", 1, "status"), "passed");
    step(f, JOB_RUN_FINISH);
    assert_run(f, RUN_SUCCEEDED);
    assert_string_equal(file_of(f, run_now(f)->head_sha, "a/x"), "right\n");
    struct task_attempt *attempts = attempts_of(f, "one", &count);
    assert_int_equal(count, 2);
    assert_int_equal(attempts[0].state, ATTEMPT_REJECTED);
    assert_int_equal(attempts[1].state, ATTEMPT_SUCCEEDED);
    assert_string_not_equal(attempts[0].commit_sha, attempts[1].commit_sha);
    assert_int_equal(event_count(f, "MERGE_COMPLETED"), 3);
    assert_int_equal(atomic_load(&f->tries), 3);
}

static void attempts_come_to_an_end(void **state) {
    struct fixture *f = *state;
    let_agent_learn(f);
    begin(f, write_outputs, &(struct toy){0});
    execute(f);
    execute(f);
    step(f, JOB_RUN_VERIFY);
    execute(f);
    step(f, JOB_RUN_VERIFY);
    execute(f);
    step(f, JOB_RUN_VERIFY);
    step(f, JOB_RUN_FINISH);
    assert_run(f, RUN_FAILED);
    assert_int_equal(task_now(f, "one")->attempts, 3);
    assert_int_equal(task_now(f, "two")->attempts, 1);
}

static void who_does_not_learn_is_not_asked_again(void **state) {
    struct fixture *f = *state;
    begin(f, write_and_learn, &(struct toy){0});
    execute(f);
    execute(f);
    step(f, JOB_RUN_VERIFY);
    step(f, JOB_RUN_FINISH);
    assert_run(f, RUN_FAILED);
    assert_int_equal(atomic_load(&f->tries), 2);
}

/* A build that fails names a file: the task that made it is to blame. */
static void a_failed_build_is_traced_by_what_it_names(void **state) {
    struct fixture *f = *state;
    let_agent_learn(f);
    begin(f, write_and_learn, &(struct toy){.build = "grep -q right a/x || { echo a/x: must be right; exit 1; }"});
    execute(f);
    execute(f);
    step(f, JOB_RUN_VERIFY);
    assert_run(f, RUN_EXECUTING);
    assert_task(f, "one", TASK_PENDING);
    execute(f);
    assert_non_null(strstr(heard, "a/x: must be right"));
    step(f, JOB_RUN_VERIFY);
    step(f, JOB_RUN_FINISH);
    assert_run(f, RUN_SUCCEEDED);
}

static int forget_then_learn(struct fixture *f, const struct agent_request *request, struct agent_result *result,
                             struct err *err) {
    hear(f, request);
    if (!request->feedback)
        return 0;
    if (!strstr(request->feedback, "missing"))
        return write_outputs(f, request, result, err);
    put_file(request->worktree, "elsewhere", "x");
    return 0;
}

static void refused_work_is_told_to_the_next_attempt(void **state) {
    struct fixture *f = *state;
    size_t count;
    let_agent_learn(f);
    begin(f, forget_then_learn, &(struct toy){0});
    struct job_context *job = take_job(f, JOB_TASK_EXECUTE);
    assert_int_equal(execute_task(job, &f->err), -ERR_VALIDATION);
    assert_false(job->is_final);
    (void)reclaim(f);
    assert_int_equal(execute_task(take_job(f, JOB_TASK_EXECUTE), &f->err), -ERR_VALIDATION);
    assert_non_null(strstr(heard, "a/x"));
    (void)reclaim(f);
    step(f, JOB_TASK_EXECUTE);
    assert_non_null(strstr(heard, "elsewhere"));
    struct task_attempt *attempts = attempts_of(f, "one", &count);
    assert_int_equal(count, 3);
    assert_int_equal(attempts[0].state, ATTEMPT_FAILED);
    assert_string_equal(attempts[0].error, "the expected output a/x is missing");
    assert_int_equal(attempts[1].state, ATTEMPT_FAILED);
    assert_int_equal(attempts[2].state, ATTEMPT_RUNNING); /* until it is merged */
}

static void work_refused_of_one_that_does_not_learn_is_final(void **state) {
    struct fixture *f = *state;
    begin(f, forget_then_learn, &(struct toy){0});
    struct job_context *job = take_job(f, JOB_TASK_EXECUTE);
    assert_int_equal(execute_task(job, &f->err), -ERR_VALIDATION);
    assert_true(job->is_final);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        engine_test(what_verification_finds_is_put_right),
        engine_test(attempts_come_to_an_end),
        engine_test(who_does_not_learn_is_not_asked_again),
        engine_test(a_failed_build_is_traced_by_what_it_names),
        engine_test(refused_work_is_told_to_the_next_attempt),
        engine_test(work_refused_of_one_that_does_not_learn_is_final),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
