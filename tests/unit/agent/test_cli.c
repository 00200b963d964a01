/* Tests of running an agent's program: what it is given, how its end is judged, and that nothing of it is left. */
#include "cli_fixture.h"

#include <signal.h>
#include <unistd.h>

/* A program that leaves its arguments, one a line, and its environment. */
static const char recorder[] = "#!/bin/sh\necho hi >a.txt\nfor word; do echo \"$word\"; done >args\nenv >env\n"
                               "read line && echo \"$line\" >input\nexit 0\n";

static void expect_part(struct bench *bench, const char *path, const char *part) {
    const char *text = fixture_read(&bench->fixture, path);
    if (!text || !strstr(text, part))
        fail_msg("%s has no %s: %s", path, part, str_or(text, "(absent)"));
}

static void expect_none(struct bench *bench, const char *path, const char *part) {
    const char *text = fixture_read(&bench->fixture, path);
    if (text && strstr(text, part))
        fail_msg("%s has %s: %s", path, part, text);
}

static void codex_is_pointed_at_the_model(void **state) {
    struct bench bench;
    bench_init(&bench);
    bench_program(&bench, "codex", recorder);
    bench_succeeds(&bench, "codex");
    expect_part(&bench, "tree/args",
                "exec\n--json\n--skip-git-repo-check\n--ephemeral\n-s\nworkspace-write\n-m\n"
                "test-model\n-C\n");
    expect_part(&bench, "tree/args", "# Task: Make a page\n\nWrite a.txt.\n");
    expect_part(&bench, "home/.codex/config.toml", "base_url = \"http://127.0.0.1:9/v1\"\nwire_api = \"responses\"\n");
    expect_part(&bench, "home/.codex/config.toml", "model_provider = \"local\"\ncheck_for_update_on_startup = false\n");
    expect_none(&bench, "home/.codex/config.toml", "secret");
    expect_part(&bench, "tree/env", "PRAZIUM_MODEL_KEY=sk-very-secret\n");
    expect_part(&bench, "tree/env", arena_printf(bench.fixture.arena, "HOME=%s\n", bench.request.home));
    expect_part(&bench, "tree/env", arena_printf(bench.fixture.arena, "CODEX_HOME=%s/.codex\n", bench.request.home));
    expect_none(&bench, "tree/env", "USER=");
    assert_null(fixture_read(&bench.fixture, "tree/input"));
    bench_release(&bench);
}

static void each_is_pointed_at_the_model_in_its_way(void **state) {
    struct bench bench;
    bench_init(&bench);
    bench_program(&bench, "opencode", recorder);
    bench_program(&bench, "claude", recorder);
    bench_program(&bench, "qwen", recorder);
    bench.request.model_name = "chosen";
    bench_succeeds(&bench, "opencode");
    expect_part(&bench, "tree/args", "run\n--format\njson\n-m\nlocal/chosen\n--\n");
    expect_part(&bench, "home/opencode.json",
                "\"npm\":\"@ai-sdk/openai\",\"options\":{\"baseURL\":"
                "\"http://127.0.0.1:9/v1\",\"apiKey\":\"{env:PRAZIUM_MODEL_KEY}\"}");
    expect_part(&bench, "home/opencode.json", "\"edit\":\"allow\",\"bash\":\"allow\"");
    expect_none(&bench, "home/opencode.json", "secret");
    bench.model.format = LLM_ANTHROPIC;
    bench.request.limits.steps = 7;
    bench_succeeds(&bench, "claude");
    expect_part(&bench, "tree/args",
                "--output-format\nstream-json\n--verbose\n--permission-mode\nacceptEdits\n"
                "--max-turns\n7\n--model\nchosen\n");
    expect_part(&bench, "tree/env", "ANTHROPIC_BASE_URL=http://127.0.0.1:9\n");
    expect_part(&bench, "tree/env", "ANTHROPIC_API_KEY=sk-very-secret\n");
    bench.model.format = LLM_OLLAMA;
    bench_succeeds(&bench, "qwen");
    expect_part(&bench, "tree/args", "--auth-type\nopenai\n-m\nchosen\n--yolo\n-o\nstream-json\n");
    expect_part(&bench, "tree/env", "OPENAI_BASE_URL=http://127.0.0.1:9/v1\n");
    bench_release(&bench);
}

static void a_model_must_be_one_that_it_speaks_to(void **state) {
    struct bench bench;
    bench_init(&bench);
    bench_fails(&bench, "codex", ERR_UNAVAILABLE, "codex of the agent codex is not installed");
    bench_program(&bench, "codex", recorder);
    bench_program(&bench, "opencode", recorder);
    bench.model.format = LLM_CHAT;
    bench_fails(&bench, "codex", ERR_UNAVAILABLE, "does not speak to models as \"chat\" does");
    bench.request.model = NULL;
    assert_int_equal(unsetenv("CODEX_API_KEY"), 0);
    bench_fails(&bench, "codex", ERR_UNAVAILABLE, "CODEX_API_KEY");
    bench_fails(&bench, "opencode", ERR_UNAVAILABLE, "has no model");
    assert_int_equal(setenv("CODEX_API_KEY", "of-the-server", 1), 0);
    bench_succeeds(&bench, "codex");
    expect_part(&bench, "tree/env", "CODEX_API_KEY=of-the-server\n");
    expect_none(&bench, "home/.codex/config.toml", "model_provider");
    assert_int_equal(unsetenv("CODEX_API_KEY"), 0);
    bench_release(&bench);
}

static void a_command_is_filled_in(void **state) {
    struct bench bench;
    bench_init(&bench);
    bench_program(&bench, "coder", recorder);
    bench.request.command = "coder --model={model} 'in {worktree}' --file {prompt_file} {prompt} \"{prompt_file\" ''";
    bench.request.feedback = "the build broke";
    bench_succeeds(&bench, "command");
    struct arena *arena = bench.fixture.arena;
    expect_part(&bench, "tree/args",
                arena_printf(arena, "--model=test-model\nin %s\n--file\n%s/prompt.md\nYou carry out one task",
                             bench.request.worktree, bench.request.home));
    expect_part(&bench, "tree/args", "\n{prompt_file\n\n");
    expect_part(&bench, "home/prompt.md", "# The last attempt failed\n\nthe build broke\n");
    expect_part(&bench, "home/prompt.md", "# SPEC.md\n\nThe app.\n");
    expect_part(&bench, "tree/env", "OPENAI_BASE_URL=http://127.0.0.1:9/v1\n");
    bench.request.command = "coder 'no end";
    bench_fails(&bench, "command", ERR_VALIDATION, "no end");
    bench.request.command = " ";
    bench_fails(&bench, "command", ERR_UNAVAILABLE, "no command");
    bench.request.command = NULL;
    bench_fails(&bench, "command", ERR_UNAVAILABLE, "no command");
    bench_release(&bench);
}

static void the_prompt_is_bounded(void **state) {
    struct bench bench;
    bench_init(&bench);
    char *long_text = arena_alloc(bench.fixture.arena, 400001);
    memset(long_text, 'x', 400000);
    json_t *documents = json_own(bench.fixture.arena, json_object());
    for (int i = 0; i < 8; i++)
        json_object_set_new(documents, arena_printf(bench.fixture.arena, "%d.md", i), json_string(long_text));
    bench.request.documents = documents;
    assert_true(strlen(cli_prompt(&bench.request)) < 128 << 10);
    assert_non_null(strstr(cli_prompt(&bench.request), "[the rest is left out]"));
    assert_string_equal(cli_prompt(&bench.request), cli_prompt(&bench.request));
    bench_program(&bench, "codex", recorder);
    bench_succeeds(&bench, "codex");
    bench_release(&bench);
}

static void the_worktree_says_what_came_of_it(void **state) {
    struct bench bench;
    bench_init(&bench);
    bench.request.command = "coder";
    bench_program(&bench, "coder", "#!/bin/sh\necho all done\n");
    bench_fails(&bench, "command", ERR_VALIDATION, "ended without changing anything");
    bench_program(&bench, "coder", "#!/bin/sh\necho it is >&2; echo broken >&2; exit 3\n");
    bench_fails(&bench, "command", ERR_UNAVAILABLE, "exit code 3 and changed nothing: it is; broken");
    bench_program(&bench, "coder", "#!/bin/sh\necho new >a.txt; exit 3\n");
    bench_succeeds(&bench, "command");
    assert_string_equal(bench.told.data, "log: it ended with exit code 3\n");
    bench_program(&bench, "coder", "#!/bin/sh\nmkdir .git; touch .git/x; mkdir node_modules; touch node_modules/y\n");
    bench_succeeds(&bench, "command"); /* a.txt, which was to come of it, is there */
    assert_int_equal(unlink(fs_join(bench.fixture.arena, bench.request.worktree, "a.txt")), 0);
    bench_program(&bench, "coder", "#!/bin/sh\ntouch .git/z\n");
    bench_fails(&bench, "command", ERR_VALIDATION, "without changing anything");
    bench_program(&bench, "coder", "#!/bin/sh\nchmod 700 old.txt\n");
    bench_succeeds(&bench, "command");
    bench_release(&bench);
}

static void what_an_agent_says_is_why_it_did_nothing(void **state) {
    struct bench bench;
    bench_init(&bench);
    bench_program(&bench, "codex",
                  "#!/bin/sh\necho '{\"type\":\"turn.failed\",\"error\":{\"message\":\"refused\"}}'\n");
    bench_fails(&bench, "codex", ERR_UNAVAILABLE, "could not work: refused");
    bench_program(&bench, "codex",
                  "#!/bin/sh\necho x >a.txt\necho '{\"type\":\"error\",\"message\":\"You exceeded your quota\"}'\n");
    bench_fails(&bench, "codex", ERR_QUOTA, "exceeded your quota");
    bench_program(&bench, "codex", "#!/bin/sh\necho y >a.txt\necho '{\"type\":\"error\",\"message\":\"lost\"}'\n");
    bench_succeeds(&bench, "codex");
    bench_release(&bench);
}

static void one_that_hangs_is_ended(void **state) {
    struct bench bench;
    bench_init(&bench);
    bench.request.command = "coder";
    bench_program(&bench, "coder", "#!/bin/sh\necho x >a.txt\ntrap '' TERM\nsleep 1000\nsleep 1000\n");
    bench.request.limits.idle_ms = 200;
    bench_fails(&bench, "command", ERR_TIMEOUT, "wrote nothing for 200 ms");
    bench_release(&bench);
}

static void one_that_reconnects_for_ever_is_ended(void **state) {
    struct bench bench;
    bench_init(&bench);
    bench.request.limits.idle_ms = 400;
    bench_program(&bench, "codex",
                  "#!/bin/sh\necho x >a.txt\nwhile :; do echo '{\"type\":\"error\",\"message\":\"Reconnecting...\"}'; "
                  "sleep 0.05; done\n");
    bench_fails(&bench, "codex", ERR_UNAVAILABLE, "does not get on: Reconnecting...");
    bench_program(&bench, "codex",
                  "#!/bin/sh\necho y >a.txt\nfor i in 1 2 3 4 5 6 7 8 9 10 11 12; do "
                  "echo '{\"type\":\"error\",\"message\":\"Reconnecting...\"}'; sleep 0.05; "
                  "echo '{\"type\":\"turn.started\"}'; done\n");
    bench_succeeds(&bench, "codex");
    bench_release(&bench);
}

/* Both in its group and out of it, deaf to SIGTERM. */
static void nothing_of_it_is_left(void **state) {
    struct bench bench;
    bench_init(&bench);
    bench.request.command = "coder";
    bench.cancel_at = "ready";
    bench_program(&bench, "coder",
                  "#!/bin/sh\ntrap '' TERM\nsleep 1000 & echo $! >one\nsetsid sh -c 'trap \"\" TERM; echo $$ >two; "
                  "sleep 1000; sleep 1000' &\nwhile [ ! -s two ]; do :; done\necho ready\nwait\nsleep 1000\n");
    bench_fails(&bench, "command", ERR_CANCELLED, "cancelled");
    for (const char *const *name = (const char *const[]){"tree/one", "tree/two", NULL}; *name; name++) {
        int64_t pid;
        const char *text = str_trim(bench.fixture.arena, str_or(fixture_read(&bench.fixture, *name), ""));
        assert_true(str_to_int(text, 2, INT32_MAX, &pid));
        assert_int_equal(kill((pid_t)pid, 0), -1);
    }
    bench_release(&bench);
}

static void what_it_uses_is_reserved_and_settled(void **state) {
    struct bench bench;
    bench_init(&bench);
    bench.request.meter = &bench.meter;
    bench.request.limits.tokens = 1000;
    bench_program(&bench, "codex",
                  "#!/bin/sh\necho x >a.txt\necho '{\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":990,"
                  "\"output_tokens\":20}}'\nsleep 1000\n");
    bench_fails(&bench, "codex", ERR_TOO_LARGE, "more than 1000 tokens");
    assert_string_equal(bench.metered.data, "reserve 900+100\nsettle known 990 (0, 0)+20\n");
    bench_program(&bench, "codex", "#!/bin/sh\necho y >a.txt\n");
    buf_reset(&bench.metered);
    bench_succeeds(&bench, "codex");
    assert_string_equal(bench.metered.data, "reserve 900+100\nsettle unknown 0 (0, 0)+0\n");
    buf_reset(&bench.metered);
    bench.reserve_rc = 1;
    bench_fails(&bench, "codex", ERR_BUDGET, "no money left");
    assert_string_equal(bench.metered.data, "reserve 900+100\n");
    bench_release(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codex_is_pointed_at_the_model),
        cmocka_unit_test(each_is_pointed_at_the_model_in_its_way),
        cmocka_unit_test(a_model_must_be_one_that_it_speaks_to),
        cmocka_unit_test(a_command_is_filled_in),
        cmocka_unit_test(the_prompt_is_bounded),
        cmocka_unit_test(the_worktree_says_what_came_of_it),
        cmocka_unit_test(what_an_agent_says_is_why_it_did_nothing),
        cmocka_unit_test(one_that_hangs_is_ended),
        cmocka_unit_test(one_that_reconnects_for_ever_is_ended),
        cmocka_unit_test(nothing_of_it_is_left),
        cmocka_unit_test(what_it_uses_is_reserved_and_settled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
