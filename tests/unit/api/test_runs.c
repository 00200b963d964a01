/* runs: runs and tasks as they are answered. */
#include "fixture.h"

static void a_run_shows_its_tasks(void **state) {
    struct fixture *f = *state;
    const char *runs = arena_printf(f->arena, "%s/runs", add_project(f));
    struct run run = add_run(f, RUN_EXECUTING, "0123456789012345678901234567890123456789");
    add_task(f, &run, 1, TASK_SUCCEEDED);
    const char *failed = add_task(f, &run, 2, TASK_FAILED), *path = arena_printf(f->arena, "%s/%s", runs, run.id);
    add_task(f, &run, 3, TASK_PENDING);
    assert_int_equal(ask(f, "GET", path, NULL), 200);
    assert_said(f, "data.status", "executing");
    assert_said(f, "data.runNumber", "1");
    assert_said(f, "data.specSnapshot", "null");
    assert_said(f, "data.tasksJson", "null");
    assert_said(f, "data.verificationResult", "null");
    assert_said(f, "data.startedAt", "1970-01-01T00:00:00.005Z");
    assert_said(f, "data.completedAt", "null");
    assert_said(f, "data.tasks.1.slug", "part-2");
    assert_said(f, "data.tasks.1.status", "failed");
    assert_int_equal(ask(f, "GET", arena_printf(f->arena, "%s/tasks", path), NULL), 200);
    assert_said(f, "data.0.definition", "{\"description\":\"Do\",\"pathScope\":[\"a/**\"]}");
    assert_said(f, "data.0.result.commitSha", "abc");
    assert_said(f, "data.0.worktreePath", "(missing)");
    assert_said(f, "data.2.startedAt", "null");
    assert_int_equal(ask(f, "GET", arena_printf(f->arena, "%s/tasks/%s", path, failed), NULL), 200);
    assert_said(f, "data.definition.instructions", "How");
    assert_said(f, "data.error", "why");
    assert_said(f, "data.completedAt", "1970-01-01T00:00:00.200Z");
    assert_non_null(strstr(said(f, "data.worktreePath"), "/wt/feat-task-002"));
    assert_int_equal(ask(f, "GET", arena_printf(f->arena, "%s/tasks/task_x", path), NULL), 404);
    assert_int_equal(ask(f, "GET", arena_printf(f->arena, "%s?status=executing", runs), NULL), 200);
    assert_said(f, "data.0.tasksSummary", "{\"total\":3,\"succeeded\":1,\"failed\":1}");
    assert_said(f, "pagination.total", "1");
    assert_int_equal(ask(f, "GET", arena_printf(f->arena, "%s?status=failed", runs), NULL), 200);
    assert_said(f, "data", "[]");
}

static void what_a_state_forbids_is_a_conflict(void **state) {
    struct fixture *f = *state;
    const char *runs = arena_printf(f->arena, "%s/runs", add_project(f));
    assert_int_equal(ask(f, "POST", runs, NULL), 409);
    assert_said(f, "error.message", "The project has no approved spec; it is draft");
    assert_int_equal(ask(f, "POST", runs, "{\"trigger\":\"whim\"}"), 400);
    assert_said(f, "error.message", "trigger must be one of: manual, api, schedule, webhook");
    struct run run = add_run(f, RUN_SUCCEEDED, "0123456789012345678901234567890123456789");
    const char *path = arena_printf(f->arena, "%s/%s", runs, run.id);
    assert_int_equal(ask(f, "POST", arena_printf(f->arena, "%s/cancel", path), NULL), 409);
    assert_said(f, "error.message", "The run is succeeded already");
    assert_int_equal(ask(f, "POST", arena_printf(f->arena, "%s/cancel", path), "{\"why\":1}"), 400);
    assert_int_equal(ask(f, "POST", arena_printf(f->arena, "%s/retry", path), NULL), 409);
}

/* From the description to a run, over the API alone. */
static void a_plan_is_made_and_approved(void **state) {
    struct fixture *f = *state;
    assert_int_equal(
        ask(f, "POST", "/v1/projects",
            "{\"name\":\"Boards\",\"description\":\"A project management tool with boards, tasks and deadlines.\"}"),
        201);
    const char *path = arena_printf(f->arena, "/v1/projects/%s", said(f, "data.id"));
    assert_int_equal(ask(f, "POST", arena_printf(f->arena, "%s/answers", path), "{\"answers\":[]}"), 409);
    assert_int_equal(ask(f, "POST", arena_printf(f->arena, "%s/clarify", path), NULL), 200);
    assert_true(*said(f, "data.questions.0.question") != '\0');
    assert_int_equal(ask(f, "POST", arena_printf(f->arena, "%s/answers", path), "{\"answers\":{}}"), 400);
    assert_said(f, "error.message", "answers must be an array");
    assert_int_equal(ask(f, "POST", arena_printf(f->arena, "%s/answers", path),
                         "{\"answers\":[{\"questionId\":\"zz\",\"answer\":1}]}"),
                     400);
    assert_said(f, "error.details.field", "answers[0].questionId");
    assert_int_equal(ask(f, "POST", arena_printf(f->arena, "%s/answers", path), "{\"answers\":[]}"), 200);
    assert_said(f, "data.status", "spec_review");
    assert_said(f, "data.spec.version", "1");
    assert_true(str_starts(said(f, "data.spec.documents"), "{\"SPEC.md\":"));
    assert_int_equal(ask(f, "POST", arena_printf(f->arena, "%s/regenerate", path), "{\"feedback\":\"\"}"), 400);
    assert_int_equal(ask(f, "POST", arena_printf(f->arena, "%s/regenerate", path), NULL), 200);
    assert_said(f, "data.spec.version", "2");
    assert_int_equal(ask(f, "POST", arena_printf(f->arena, "%s/approve", path), NULL), 200);
    assert_said(f, "data.status", "approved");
    assert_int_equal(ask(f, "POST", arena_printf(f->arena, "%s/runs", path), NULL), 201);
    assert_said(f, "data.status", "decomposing");
    assert_said(f, "data.trigger", "manual");
    assert_int_equal(ask(f, "POST", arena_printf(f->arena, "%s/runs", path), NULL), 409);
    assert_int_equal(ask(f, "DELETE", path, NULL), 409);
    assert_int_equal(ask(f, "GET", "/v1/projects", NULL), 200);
    assert_said(f, "data.0.latestRun.status", "decomposing");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        api_test(a_run_shows_its_tasks),
        api_test(what_a_state_forbids_is_a_conflict),
        api_test(a_plan_is_made_and_approved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
