/* states: names there and back, and which moves are legal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/states.h"

#define X(value, name) +1
enum { RUN_STATES = 0 RUN_STATE_LIST(X), TASK_STATES = 0 TASK_STATE_LIST(X), PROJECT_STATES = 0 PROJECT_STATE_LIST(X) };
#undef X

static void names_go_there_and_back(void **state) {
#define X(value, text)                                                                                                 \
    {                                                                                                                  \
        assert_string_equal(NAME(value), text);                                                                        \
        assert_true(PARSE(text, &parsed));                                                                             \
        assert_int_equal(parsed, value);                                                                               \
    }
#define CHECK_LIST(type, list)                                                                                         \
    {                                                                                                                  \
        enum type parsed;                                                                                              \
        list(X);                                                                                                       \
    }
#define NAME project_state_name
#define PARSE project_state_parse
    CHECK_LIST(project_state, PROJECT_STATE_LIST)
#undef NAME
#undef PARSE
#define NAME run_state_name
#define PARSE run_state_parse
    CHECK_LIST(run_state, RUN_STATE_LIST)
#undef NAME
#undef PARSE
#define NAME task_state_name
#define PARSE task_state_parse
    CHECK_LIST(task_state, TASK_STATE_LIST)
#undef NAME
#undef PARSE
#define NAME attempt_state_name
#define PARSE attempt_state_parse
    CHECK_LIST(attempt_state, ATTEMPT_STATE_LIST)
#undef NAME
#undef PARSE
#define NAME wait_reason_name
#define PARSE wait_reason_parse
    CHECK_LIST(wait_reason, WAIT_REASON_LIST)
#undef NAME
#undef PARSE
#define NAME export_state_name
#define PARSE export_state_parse
    CHECK_LIST(export_state, EXPORT_STATE_LIST)
#undef NAME
#undef PARSE
#define NAME deployment_state_name
#define PARSE deployment_state_parse
    CHECK_LIST(deployment_state, DEPLOYMENT_STATE_LIST)
#undef NAME
#undef PARSE
#define NAME job_state_name
#define PARSE job_state_parse
    CHECK_LIST(job_state, JOB_STATE_LIST)
#undef NAME
#undef PARSE
#define NAME job_kind_name
#define PARSE job_kind_parse
    CHECK_LIST(job_kind, JOB_KIND_LIST)
#undef NAME
#undef PARSE
#define NAME event_type_name
#define PARSE event_type_parse
    CHECK_LIST(event_type, EVENT_TYPE_LIST)
#undef NAME
#undef PARSE
#undef X
}

static void unknown_names_leave_the_output(void **state) {
    enum run_state run = RUN_FAILED;
    assert_false(run_state_parse("done", &run));
    assert_false(run_state_parse("", &run));
    assert_false(run_state_parse("QUEUED", &run));
    assert_false(run_state_parse(NULL, &run));
    assert_int_equal(run, RUN_FAILED);
}

static void terminal_states_have_no_way_out(void **state) {
    int terminal_runs = 0, terminal_tasks = 0;
    for (int from = 0; from < RUN_STATES; from++) {
        terminal_runs += run_state_is_terminal((enum run_state)from);
        for (int to = 0; to < RUN_STATES; to++)
            if (run_state_is_terminal((enum run_state)from))
                assert_false(run_state_may_move((enum run_state)from, (enum run_state)to));
        /* Whatever still runs can fail and can be cancelled. */
        if (!run_state_is_terminal((enum run_state)from)) {
            assert_true(run_state_may_move((enum run_state)from, RUN_FAILED));
            assert_true(run_state_may_move((enum run_state)from, RUN_CANCELLED));
        }
    }
    for (int from = 0; from < TASK_STATES; from++)
        terminal_tasks += task_state_is_terminal((enum task_state)from);
    for (int to = 0; to < PROJECT_STATES; to++)
        assert_false(project_state_may_move(PROJECT_ARCHIVED, (enum project_state)to));
    assert_int_equal(terminal_runs, 3);
    assert_int_equal(terminal_tasks, 4);
}

static void the_way_of_a_build_is_legal(void **state) {
    static const enum run_state run[] = {RUN_QUEUED, RUN_DECOMPOSING, RUN_EXECUTING, RUN_VERIFYING, RUN_SUCCEEDED};
    static const enum project_state project[] = {PROJECT_DRAFT,    PROJECT_CLARIFYING, PROJECT_SPEC_REVIEW,
                                                 PROJECT_APPROVED, PROJECT_BUILDING,   PROJECT_BUILT};
    for (size_t i = 0; i + 1 < sizeof(run) / sizeof(run[0]); i++) {
        assert_true(run_state_may_move(run[i], run[i + 1]));
        /* What verification finds may send tasks back. */
        assert_int_equal(run_state_may_move(run[i + 1], run[i]), run[i + 1] == RUN_VERIFYING);
    }
    /* One that waits goes back to where it was, and from the queue there is nothing to wait for. */
    for (size_t i = 1; i + 1 < sizeof(run) / sizeof(run[0]); i++) {
        assert_true(run_state_may_move(run[i], RUN_WAITING));
        assert_true(run_state_may_move(RUN_WAITING, run[i]));
    }
    assert_false(run_state_may_move(RUN_QUEUED, RUN_WAITING));
    assert_false(run_state_may_move(RUN_WAITING, RUN_SUCCEEDED));
    for (size_t i = 0; i + 1 < sizeof(project) / sizeof(project[0]); i++)
        assert_true(project_state_may_move(project[i], project[i + 1]));
    assert_true(task_state_may_move(TASK_PENDING, TASK_RUNNING));
    assert_true(task_state_may_move(TASK_RUNNING, TASK_SUCCEEDED));
    assert_true(task_state_may_move(TASK_RUNNING, TASK_PENDING));
    assert_true(task_state_may_move(TASK_SUCCEEDED, TASK_PENDING));
    assert_false(task_state_may_move(TASK_FAILED, TASK_PENDING));
    assert_false(task_state_may_move(TASK_PENDING, TASK_SUCCEEDED));
    assert_false(task_state_may_move(TASK_RUNNING, TASK_SKIPPED));
    assert_true(export_state_may_move(EXPORT_COMPLETED, EXPORT_EXPIRED));
    assert_false(export_state_may_move(EXPORT_FAILED, EXPORT_COMPLETED));
    assert_true(deployment_state_may_move(DEPLOYMENT_LIVE, DEPLOYMENT_DEPLOYING));
    assert_false(deployment_state_may_move(DEPLOYMENT_STOPPED, DEPLOYMENT_LIVE));
    assert_false(project_state_may_move(PROJECT_DRAFT, PROJECT_BUILDING));
    assert_false(project_state_may_move(PROJECT_BUILDING, PROJECT_ARCHIVED));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_go_there_and_back),
        cmocka_unit_test(unknown_names_leave_the_output),
        cmocka_unit_test(terminal_states_have_no_way_out),
        cmocka_unit_test(the_way_of_a_build_is_legal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
