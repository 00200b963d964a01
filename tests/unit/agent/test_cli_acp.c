/* Tests of the conversation with an agent that speaks ACP, against an agent in Node that follows a script. */
#include "cli_fixture.h"

#define AGENT TEST_SOURCE_ROOT "/tests/unit/agent/acp_agent.mjs"

static void begin(struct bench *bench, const char *script) {
    bench_init(bench);
    bench->request.command = arena_printf(bench->fixture.arena, "node %s %s", AGENT, script);
}

static void a_task_is_carried_out(void **state) {
    struct bench bench;
    begin(&bench, "work");
    bench.request.meter = &bench.meter;
    bench_succeeds(&bench, "acp");
    assert_string_equal(
        bench.told.data,
        "MESSAGE {\"role\":\"assistant\",\"text\":\"I will write it.\"}\n"
        "log: permission yes\n"
        "FILE_CREATED {\"path\":\"a.txt\",\"size\":3}\n"
        "log: it asked to change a file outside its folder, and was refused\n"
        "log: permission no\n"
        "log: fs/read_text_file -32601\n"
        "COMMAND_STARTED {\"command\":\"npm test\"}\n"
        "COMMAND_COMPLETED {\"command\":\"npm test\",\"exitCode\":3,\"durationMs\":0,\"output\":\"3 failed\"}\n"
        "MESSAGE {\"role\":\"assistant\",\"text\":\"Done: Make a page\"}\n");
    assert_string_equal(bench.result.summary, "Done: Make a page");
    assert_non_null(strstr(bench.metered.data, "settle known 15 (5, 0)+4\n"));
    bench_release(&bench);
}

static void an_agent_that_lingers_is_ended(void **state) {
    struct bench bench;
    begin(&bench, "linger");
    bench_succeeds(&bench, "acp");
    bench_release(&bench);
}

static void its_errors_are_told(void **state) {
    struct bench bench;
    begin(&bench, "login");
    bench_fails(&bench, "acp", ERR_UNAVAILABLE, "Authentication required");
    bench_release(&bench);
    begin(&bench, "refuse");
    bench_fails(&bench, "acp", ERR_UNAVAILABLE, "it stopped: refusal");
    bench_release(&bench);
    begin(&bench, "old");
    bench_fails(&bench, "acp", ERR_UNAVAILABLE, "another version");
    bench_release(&bench);
    begin(&bench, "no-session");
    bench_fails(&bench, "acp", ERR_UNAVAILABLE, "no session");
    bench_release(&bench);
    begin(&bench, "die");
    bench_fails(&bench, "acp", ERR_UNAVAILABLE, "exit code 5");
    bench_release(&bench);
}

static void garbage_does_no_harm(void **state) {
    struct bench bench;
    begin(&bench, "garbage");
    bench_succeeds(&bench, "acp");
    assert_non_null(strstr(bench.told.data, "log: not JSON"));
    bench_release(&bench);
}

static void it_is_told_to_stop(void **state) {
    struct bench bench;
    begin(&bench, "wait");
    bench.cancel_at = "waiting";
    bench_fails(&bench, "acp", ERR_CANCELLED, "cancelled");
    assert_non_null(strstr(bench.told.data, "log: got session/cancel\n"));
    bench_release(&bench);
    begin(&bench, "deaf");
    bench.cancel_at = "waiting";
    bench_fails(&bench, "acp", ERR_CANCELLED, "cancelled");
    bench_release(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_is_carried_out), cmocka_unit_test(an_agent_that_lingers_is_ended),
        cmocka_unit_test(its_errors_are_told),   cmocka_unit_test(garbage_does_no_harm),
        cmocka_unit_test(it_is_told_to_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
