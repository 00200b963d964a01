/* Tests of what is made of the events that coding agents print, each in the form of its own. */
#include "cli_fixture.h"

/* A program that prints these lines and writes a.txt. */
static void prints(struct bench *bench, const char *program, const char *lines) {
    fixture_write(&bench->fixture, "tree/events", lines);
    bench_program(bench, program, "#!/bin/sh\necho hi >a.txt\ncat events\n");
}

static void codex_is_understood(void **state) {
    struct bench bench;
    bench_init(&bench);
    prints(
        &bench, "codex",
        "{\"type\":\"thread.started\",\"thread_id\":\"x\"}\n"
        "{\"type\":\"item.completed\",\"item\":{\"id\":\"i0\",\"type\":\"error\",\"message\":\"a warning\"}}\n"
        "{\"type\":\"turn.started\"}\n"
        "{\"type\":\"item.started\",\"item\":{\"id\":\"i1\",\"type\":\"command_execution\",\"command\":\"ls\","
        "\"aggregated_output\":\"\",\"exit_code\":null,\"status\":\"in_progress\"}}\n"
        "{\"type\":\"item.completed\",\"item\":{\"id\":\"i1\",\"type\":\"command_execution\",\"command\":\"ls\","
        "\"aggregated_output\":\"a b\\n\",\"exit_code\":1,\"status\":\"failed\"}}\n"
        "{\"type\":\"item.completed\",\"item\":{\"id\":\"i2\",\"type\":\"file_change\",\"changes\":["
        "{\"path\":\"a.txt\",\"kind\":\"add\"},{\"path\":\"../out\",\"kind\":\"add\"},{\"path\":\".git/config\"},"
        "{\"path\":7},{\"path\":\"gone\",\"kind\":\"delete\"},{\"path\":\"never\",\"kind\":\"add\"}],\"status\":"
        "\"completed\"}}\n"
        "{\"type\":\"invented.tomorrow\",\"x\":[1]}\n"
        "{\"type\":\"item.completed\",\"item\":{\"id\":\"i3\",\"type\":\"agent_message\",\"text\":\"Done.\\nAll\"}}\n"
        "{\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":200,\"cached_input_tokens\":50,"
        "\"output_tokens\":40}}\n");
    bench.request.meter = &bench.meter;
    bench_succeeds(&bench, "codex");
    assert_string_equal(bench.told.data,
                        "log: a warning\n"
                        "COMMAND_STARTED {\"command\":\"ls\"}\n"
                        "COMMAND_COMPLETED {\"command\":\"ls\",\"exitCode\":1,\"durationMs\":0,\"output\":\"a b\\n\"}\n"
                        "FILE_CREATED {\"path\":\"a.txt\",\"size\":3}\n"
                        "FILE_DELETED {\"path\":\"gone\"}\n"
                        "MESSAGE {\"role\":\"assistant\",\"text\":\"Done.\\nAll\"}\n");
    assert_string_equal(bench.result.summary, "Done.");
    assert_string_equal(bench.metered.data, "reserve 1800000+200000\nsettle known 200 (50, 0)+40\n");
    bench_release(&bench);
}

static void opencode_is_understood(void **state) {
    struct bench bench;
    bench_init(&bench);
    bench.model.format = LLM_CHAT;
    prints(
        &bench, "opencode",
        arena_printf(bench.fixture.arena,
                     "{\"type\":\"step_start\",\"part\":{\"type\":\"step-start\"}}\n"
                     "{\"type\":\"text\",\"part\":{\"type\":\"text\",\"text\":\"I will.\"}}\n"
                     "{\"type\":\"tool_use\",\"part\":{\"tool\":\"write\",\"callID\":\"c1\",\"state\":{\"status\":"
                     "\"completed\",\"input\":{\"filePath\":\"%s/a.txt\",\"content\":\"hi\\n\"},\"output\":\"Wrote\","
                     "\"metadata\":{\"exists\":false}}}}\n"
                     "{\"type\":\"tool_use\",\"part\":{\"tool\":\"edit\",\"callID\":\"c2\",\"state\":{\"status\":"
                     "\"completed\",\"input\":{\"filePath\":\"%s/old.txt\"},\"output\":\"\"}}}\n"
                     "{\"type\":\"tool_use\",\"part\":{\"tool\":\"bash\",\"callID\":\"c3\",\"state\":{\"status\":"
                     "\"completed\",\"input\":{\"command\":\"make\"},\"output\":\"ok\",\"metadata\":{\"exit\":2}}}}\n"
                     "{\"type\":\"tool_use\",\"part\":{\"tool\":\"read\",\"callID\":\"c4\",\"state\":{\"status\":"
                     "\"error\",\"input\":{},\"error\":\"no such file\"}}}\n"
                     "{\"type\":\"step_finish\",\"part\":{\"reason\":\"stop\",\"tokens\":{\"input\":100,\"output\":20,"
                     "\"reasoning\":3,\"cache\":{\"write\":5,\"read\":7}},\"cost\":0}}\n",
                     bench.request.worktree, bench.request.worktree));
    bench.request.meter = &bench.meter;
    bench_succeeds(&bench, "opencode");
    assert_string_equal(bench.told.data,
                        "MESSAGE {\"role\":\"assistant\",\"text\":\"I will.\"}\n"
                        "FILE_CREATED {\"path\":\"a.txt\",\"size\":3}\n"
                        "FILE_MODIFIED {\"path\":\"old.txt\",\"size\":4}\n"
                        "COMMAND_STARTED {\"command\":\"make\"}\n"
                        "COMMAND_COMPLETED {\"command\":\"make\",\"exitCode\":2,\"durationMs\":0,\"output\":\"ok\"}\n"
                        "log: no such file\n");
    assert_non_null(strstr(bench.metered.data, "settle known 112 (7, 5)+23\n"));
    bench_release(&bench);
}

static const char claude_lines[] =
    "{\"type\":\"system\",\"subtype\":\"init\",\"session_id\":\"s\",\"tools\":[\"Bash\"]}\n"
    "{\"type\":\"assistant\",\"message\":{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"First\"},"
    "{\"type\":\"tool_use\",\"id\":\"t1\",\"name\":\"Bash\",\"input\":{\"command\":\"npm test\"}},"
    "{\"type\":\"tool_use\",\"id\":\"t2\",\"name\":\"Edit\",\"input\":{\"file_path\":\"old.txt\"}}]}}\n"
    "{\"type\":\"user\",\"message\":{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"t1\","
    "\"content\":\"Exit code 1\",\"is_error\":true},{\"type\":\"tool_result\",\"tool_use_id\":\"t2\",\"content\":["
    "{\"type\":\"text\",\"text\":\"updated\"}]},{\"type\":\"tool_result\",\"tool_use_id\":\"t9\"}]}}\n"
    "{\"type\":\"user\",\"message\":{\"role\":\"user\",\"content\":\"a text\"}}\n"
    "{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\"num_turns\":2,\"result\":\"First\","
    "\"total_cost_usd\":0.1,\"usage\":{\"input_tokens\":10,\"cache_creation_input_tokens\":5,"
    "\"cache_read_input_tokens\":3,\"output_tokens\":7}}\n";
static const char claude_told[] =
    "MESSAGE {\"role\":\"assistant\",\"text\":\"First\"}\n"
    "COMMAND_STARTED {\"command\":\"npm test\"}\n"
    "COMMAND_COMPLETED {\"command\":\"npm test\",\"exitCode\":null,\"durationMs\":0,\"output\":\"Exit code 1\"}\n"
    "FILE_MODIFIED {\"path\":\"old.txt\",\"size\":4}\n";

static void claude_and_qwen_are_understood(void **state) {
    static const char *const names[] = {"claude", "qwen"};
    static const enum llm_format formats[] = {LLM_ANTHROPIC, LLM_CHAT};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct bench bench;
        bench_init(&bench);
        bench.model.format = formats[i];
        prints(&bench, names[i], claude_lines);
        bench.request.meter = &bench.meter;
        bench_succeeds(&bench, names[i]);
        assert_string_equal(bench.told.data, claude_told);
        assert_non_null(strstr(bench.metered.data, "settle known 18 (3, 5)+7\n"));
        bench_release(&bench);
    }
}

static void claude_says_when_there_is_quota_again(void **state) {
    struct bench bench;
    bench_init(&bench);
    bench.model.format = LLM_ANTHROPIC;
    prints(&bench, "claude",
           "{\"type\":\"rate_limit_event\",\"rate_limit_info\":{\"status\":\"allowed_warning\",\"resetsAt\":1}}\n"
           "{\"type\":\"rate_limit_event\",\"rate_limit_info\":{\"status\":\"rejected\",\"resetsAt\":1900000000}}\n"
           "{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":true,\"result\":\"resets at 3pm\"}\n");
    bench_fails(&bench, "claude", ERR_QUOTA, "no quota left: resets at 3pm");
    assert_int_equal(bench.result.resets_ms, 1900000000000);
    bench_release(&bench);
}

static void gemini_is_understood(void **state) {
    struct bench bench;
    bench_init(&bench);
    prints(&bench, "gemini",
           "{\"type\":\"init\",\"session_id\":\"s\",\"model\":\"m\"}\n"
           "{\"type\":\"message\",\"role\":\"user\",\"content\":\"Do it\"}\n"
           "{\"type\":\"message\",\"role\":\"assistant\",\"content\":\"I \",\"delta\":true}\n"
           "{\"type\":\"message\",\"role\":\"assistant\",\"content\":\"will.\",\"delta\":true}\n"
           "{\"type\":\"tool_use\",\"tool_name\":\"run_shell_command\",\"tool_id\":\"1\",\"parameters\":"
           "{\"command\":\"ls\"}}\n"
           "{\"type\":\"tool_result\",\"tool_id\":\"1\",\"status\":\"success\",\"output\":\"a\"}\n"
           "{\"type\":\"error\",\"severity\":\"warning\",\"message\":\"a loop?\"}\n"
           "{\"type\":\"message\",\"role\":\"assistant\",\"content\":\"Done\",\"delta\":true}\n"
           "{\"type\":\"result\",\"status\":\"success\",\"stats\":{\"input_tokens\":9,\"output_tokens\":4,"
           "\"cached\":2}}\n");
    assert_int_equal(unsetenv("GEMINI_API_KEY"), 0);
    bench_fails(&bench, "gemini", ERR_UNAVAILABLE, "GEMINI_API_KEY");
    assert_int_equal(setenv("GEMINI_API_KEY", "of-the-server", 1), 0);
    bench_succeeds(&bench, "gemini");
    assert_string_equal(bench.told.data,
                        "MESSAGE {\"role\":\"assistant\",\"text\":\"I will.\"}\n"
                        "COMMAND_STARTED {\"command\":\"ls\"}\n"
                        "COMMAND_COMPLETED {\"command\":\"ls\",\"exitCode\":0,\"durationMs\":0,\"output\":\"a\"}\n"
                        "log: a loop?\n"
                        "MESSAGE {\"role\":\"assistant\",\"text\":\"Done\"}\n");
    assert_int_equal(unsetenv("GEMINI_API_KEY"), 0);
    bench_release(&bench);
}

static void what_is_no_event_goes_to_the_log(void **state) {
    struct bench bench;
    bench_init(&bench);
    prints(&bench, "codex",
           "plain words\n{\"type\":\"item.comp\n[1]\n{\"type\":5}\n{}\n\n{\"type\":\"item.completed\",\"item\":7}\n"
           "\xff\xfe\n{\"type\":\"item.completed\",\"item\":{\"id\":\"i\",\"type\":\"command_execution\"}}\n"
           "{\"type\":\"turn.failed\"}\n");
    bench_succeeds(&bench, "codex");
    assert_string_equal(bench.told.data, "log: plain words\nlog: {\"type\":\"item.comp\nlog: [1]\n"
                                         "log: \xef\xbf\xbd\xef\xbf\xbd\nlog: the turn failed\n");
    bench_release(&bench);
}

static void the_key_is_in_no_note(void **state) {
    struct bench bench;
    bench_init(&bench);
    bench_program(&bench, "codex",
                  "#!/bin/sh\necho hi >a.txt\necho key: $PRAZIUM_MODEL_KEY\n"
                  "echo '{\"type\":\"item.completed\",\"item\":{\"type\":\"agent_message\",\"text\":\"'"
                  "$PRAZIUM_MODEL_KEY' and '$PRAZIUM_MODEL_KEY'\"}}'\n");
    bench_succeeds(&bench, "codex");
    assert_string_equal(bench.told.data,
                        "log: key: [key]\nMESSAGE {\"role\":\"assistant\",\"text\":\"[key] and [key]\"}\n");
    assert_string_equal(bench.result.summary, "[key] and [key]");
    bench_release(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codex_is_understood),
        cmocka_unit_test(opencode_is_understood),
        cmocka_unit_test(claude_and_qwen_are_understood),
        cmocka_unit_test(claude_says_when_there_is_quota_again),
        cmocka_unit_test(gemini_is_understood),
        cmocka_unit_test(what_is_no_event_goes_to_the_log),
        cmocka_unit_test(the_key_is_in_no_note),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
