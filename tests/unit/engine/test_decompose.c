/* decompose: the plan of a spec becomes tasks, once. */
#include "fixture.h"

static void a_plan_becomes_tasks(void **state) {
    struct fixture *f = *state;
    struct task *tasks = NULL;
    size_t count = 0;
    json_t *all = NULL;
    add_project(f, plan_text(f, "minimal"));
    create_run(f);
    step(f, JOB_RUN_DECOMPOSE);
    struct run *run = run_now(f);
    assert_int_equal(run->state, RUN_EXECUTING);
    assert_string_equal(run->base_sha, ref_of(f, "refs/heads/main"));
    assert_string_equal(run->head_sha, ref_of(f, "refs/heads/run/1"));
    must(f, store_task_list(reader(f), f->arena, f->run_id, &tasks, &count, &f->err));
    assert_true(count >= 3);
    must(f, json_parse(f->arena, run->tasks_json, strlen(run->tasks_json), &all, &f->err));
    assert_int_equal(json_array_size(json_object_get(all, "tasks")), count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(tasks[i].sequence, (int64_t)i + 1);
        assert_int_equal(tasks[i].state, TASK_PENDING);
        assert_true(str_starts(tasks[i].branch, "feat/task-"));
    }
    assert_string_equal(event_line(f), "RUN_STARTED RUN_DECOMPOSED");
    assert_string_equal(event_text(f, "RUN_DECOMPOSED", 0, "total"), arena_printf(f->arena, "%zu", count));
    assert_string_equal(event_text(f, "RUN_DECOMPOSED", 0, "tasks.0.slug"), tasks[0].slug);
    assert_int_equal(job_count(f, JOB_TASK_EXECUTE), 1); /* all else rests on the foundation */
}

/* The whole way by the blueprint agent, up to verification. */
static void the_plan_is_carried_out(void **state) {
    struct fixture *f = *state;
    add_project(f, plan_text(f, "minimal"));
    create_run(f);
    agent_blueprint_init(&f->engine->agents[0], f->engine->stack);
    while (run_now(f)->state != RUN_VERIFYING) {
        struct job *job = claim(f);
        assert_non_null(job);
        if (handle(hold(f, job), &f->err) < 0)
            fail_msg("%s: %s", job_kind_name(job->kind), f->err.message);
    }
    const char *paths = paths_of(f, run_now(f)->head_sha);
    assert_non_null(strstr(paths, "package.json"));
    assert_non_null(strstr(paths, "src/app/"));
}

static void a_lost_claim_makes_no_second_set(void **state) {
    struct fixture *f = *state;
    size_t count = 0;
    struct task *tasks = NULL;
    add_project(f, plan_text(f, "minimal"));
    create_run(f);
    struct job_context *stale = take_job(f, JOB_RUN_DECOMPOSE);
    assert_int_equal(reclaim(f), 1);
    step(f, JOB_RUN_DECOMPOSE);
    must(f, store_task_list(reader(f), f->arena, f->run_id, &tasks, &count, &f->err));
    size_t before = count;
    assert_int_equal(decompose_run(stale, &f->err), -ERR_STALE);
    must(f, store_task_list(reader(f), f->arena, f->run_id, &tasks, &count, &f->err));
    assert_int_equal(count, before);
    assert_int_equal(event_count(f, "RUN_DECOMPOSED"), 1);
}

static void a_plan_that_cannot_be_read_fails_the_run(void **state) {
    struct fixture *f = *state;
    add_project(f, "{\"version\": 1}");
    create_run(f);
    struct job_context *job = take_job(f, JOB_RUN_DECOMPOSE);
    assert_int_equal(decompose_run(job, &f->err), -ERR_VALIDATION);
    bury(f, job->job, bury_run_job, f->err.message);
    step(f, JOB_RUN_FINISH);
    assert_run(f, RUN_FAILED);
    assert_string_equal(run_now(f)->error, f->err.message);
    assert_string_equal(event_line(f), "RUN_STARTED RUN_COMPLETED");
    assert_int_equal(project_now(f)->state, PROJECT_FAILED);
    assert_null(claim(f));
}

/* ---- A task tried again */

/* The next task is done and merged. */
static void do_next(struct fixture *f) {
    step(f, JOB_TASK_EXECUTE);
    step(f, JOB_RUN_ADVANCE);
}

static void cancel(struct fixture *f) {
    struct run *run = NULL;
    must(f, engine_run_cancel(f->engine, f->account_id, f->project_id, f->run_id, 0, f->arena, &run, &f->err));
    step(f, JOB_RUN_FINISH);
    assert_run(f, RUN_CANCELLED);
}

static struct task *task_at(struct fixture *f, size_t index) {
    struct task *tasks = NULL;
    size_t count = 0;
    must(f, store_task_list(reader(f), f->arena, f->run_id, &tasks, &count, &f->err));
    assert_true(index < count);
    return &tasks[index];
}

static int try_again(struct fixture *f, const char *task_id) {
    struct run *run = NULL;
    struct build_room room = {0};
    int rc = engine_run_retry(f->engine, f->account_id, f->project_id, f->run_id, task_id,
                              &(struct run_request){.may_queue = false}, f->arena, &run, &room, &f->err);
    if (rc == 0)
        str_copy(f->run_id, sizeof(f->run_id), run->id);
    return rc;
}

/* A run that was cancelled when its first task was merged. */
static void begin_half_done(struct fixture *f) {
    add_project(f, plan_text(f, "minimal"));
    create_run(f);
    step(f, JOB_RUN_DECOMPOSE);
    do_next(f);
    assert_int_equal(task_at(f, 0)->state, TASK_SUCCEEDED);
    cancel(f);
}

static void a_task_tried_again_builds_on_what_was_merged(void **state) {
    struct fixture *f = *state;
    begin_half_done(f);
    struct task *first = task_at(f, 0), *second = task_at(f, 1);
    struct run *old = run_now(f);
    must(f, try_again(f, second->id));
    assert_string_equal(run_now(f)->resumes_run_id, old->id);
    /* A crash after the branch was set, and before the row: it is done again. */
    struct job_context *stale = take_job(f, JOB_RUN_DECOMPOSE);
    assert_int_equal(reclaim(f), 1);
    step(f, JOB_RUN_DECOMPOSE);
    assert_int_equal(decompose_run(stale, &f->err), -ERR_STALE);
    assert_string_equal(run_now(f)->head_sha, old->head_sha);
    assert_string_equal(run_now(f)->base_sha, ref_of(f, "refs/heads/main"));
    assert_string_equal(ref_of(f, "refs/heads/run/2"), old->head_sha);
    assert_string_equal(event_text(f, "RUN_DECOMPOSED", 0, "reusedTasks"), "1");
    struct task *again = task_at(f, 0);
    assert_string_not_equal(again->id, first->id);
    assert_int_equal(again->state, TASK_SUCCEEDED);
    assert_string_equal(again->commit_sha, first->commit_sha);
    assert_string_equal(again->merge_sha, first->merge_sha);
    assert_string_equal(again->result_json, first->result_json);
    assert_int_equal(again->attempts, 1);
    assert_int_equal(task_at(f, 1)->state, TASK_PENDING);
    /* What the next begins from has the first's files, which nobody makes again. */
    int tries = atomic_load(&f->tries);
    do_next(f);
    assert_int_equal(atomic_load(&f->tries), tries + 1);
    assert_string_equal(task_at(f, 1)->base_sha, old->head_sha);
    /* Again, on two. */
    cancel(f);
    must(f, try_again(f, task_at(f, 2)->id));
    step(f, JOB_RUN_DECOMPOSE);
    assert_string_equal(event_text(f, "RUN_DECOMPOSED", 0, "reusedTasks"), "2");
}

static void what_main_has_left_behind_is_not_taken_over(void **state) {
    struct fixture *f = *state;
    char sha[SHA_LEN];
    begin_half_done(f);
    struct repo *repo = repo_of(f);
    struct commit_spec spec = {.parents = {ref_of(f, "refs/heads/main"), NULL}, .message = "moved\n", .time_ms = 1};
    must(f, repo_commit_empty(repo, &spec, sha, &f->err));
    must(f, repo_ref_set(repo, "refs/heads/main", NULL, sha, &f->err));
    repo_close(repo);
    must(f, try_again(f, task_at(f, 1)->id));
    step(f, JOB_RUN_DECOMPOSE);
    assert_string_equal(run_now(f)->head_sha, sha);
    assert_string_equal(event_text(f, "RUN_DECOMPOSED", 0, "reusedTasks"), "0");
    assert_int_equal(task_at(f, 0)->state, TASK_PENDING);
}

static void not_every_task_can_be_tried_again(void **state) {
    struct fixture *f = *state;
    begin_half_done(f);
    assert_int_equal(try_again(f, task_at(f, 0)->id), -ERR_CONFLICT);
    assert_string_equal(f->err.message, "The task succeeded; there is nothing to try again");
    const char *second = task_at(f, 1)->id;
    must(f, try_again(f, second));
    step(f, JOB_RUN_DECOMPOSE);
    assert_int_equal(try_again(f, task_at(f, 1)->id), -ERR_CONFLICT); /* its run is under way */
    cancel(f);
    assert_int_equal(try_again(f, second), -ERR_NOT_FOUND); /* it is another run's */
    assert_int_equal(project_now(f)->state, PROJECT_APPROVED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        engine_test(a_plan_becomes_tasks),
        engine_test(the_plan_is_carried_out),
        engine_test(a_lost_claim_makes_no_second_set),
        engine_test(a_plan_that_cannot_be_read_fails_the_run),
        engine_test(a_task_tried_again_builds_on_what_was_merged),
        engine_test(what_main_has_left_behind_is_not_taken_over),
        engine_test(not_every_task_can_be_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
