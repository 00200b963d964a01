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
    agent_blueprint_init(&f->engine->agent, f->engine->stack);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        engine_test(a_plan_becomes_tasks),
        engine_test(the_plan_is_carried_out),
        engine_test(a_lost_claim_makes_no_second_set),
        engine_test(a_plan_that_cannot_be_read_fails_the_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
