/* Tests of sandbox_run: results, limits, deadlines, the environment. */
#include "support.h"

#include <sys/resource.h>
#include <sys/stat.h>

static struct sandbox_result run(struct fixture *fixture, const struct sandbox_spec *spec) {
    struct sandbox_result result;
    if (sandbox_run(spec, fixture->arena, &result, &fixture->err) != 0)
        fail_msg("%s", fixture->err.message);
    return result;
}

static void gives_exit_code_and_output(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_spec spec = spec_of(fixture, SHELL("echo out; echo err >&2; pwd; cat; exit 7"));
    struct sandbox_result result = run(fixture, &spec);
    assert_int_equal(result.exit_code, 7);
    assert_string_equal(result.output, arena_printf(fixture->arena, "out\nerr\n%s\n", fixture->dir));
    assert_int_equal(result.output_len, strlen(result.output));
    assert_int_equal(result.output_total_bytes, result.output_len);
    assert_true(result.elapsed_ms >= 0 && result.elapsed_ms < 60000);

    spec.argv = SHELL("kill -TERM $$");
    assert_int_equal(run(fixture, &spec).exit_code, 128 + 15);
    spec.argv = SHELL("true");
    assert_int_equal(run(fixture, &spec).exit_code, 0);
}

static void the_environment_is_clean(void **state) {
    struct fixture *fixture = *state;
    assert_int_equal(setenv("PRAZIUM_TEST_SECRET", "hidden", 1), 0);
    struct sandbox_spec spec = spec_of(fixture, (const char *const[]){"env", NULL});
    const char *const env[] = {"LANG=de_DE", "EXTRA=1", "PRAZIUM_COMMAND=mine", NULL};
    spec.env = env;
    struct sandbox_result result = run(fixture, &spec);
    struct arena *arena = fixture->arena;
    char **lines;
    size_t count;
    str_split(arena, result.output, "\n", &lines, &count);
    assert_int_equal(count, 6);
    assert_true(str_starts(lines[0], "PRAZIUM_COMMAND=prazium/"));
    assert_true(str_starts(lines[1], "PATH=/"));
    assert_string_equal(lines[2], arena_printf(arena, "HOME=%s", fixture->home));
    assert_string_equal(lines[3], arena_printf(arena, "TMPDIR=%s/tmp", fixture->home));
    assert_string_equal(lines[4], "LANG=de_DE");
    assert_string_equal(lines[5], "EXTRA=1");
    struct stat st;
    assert_int_equal(stat(fixture->home, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

static void what_cannot_start_is_an_error(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_result result = {.exit_code = 42};
    struct sandbox_spec spec = spec_of(fixture, (const char *const[]){"no-such-program", NULL});
    assert_int_equal(sandbox_run(&spec, fixture->arena, &result, &fixture->err), -ERR_NOT_FOUND);
    assert_non_null(strstr(fixture->err.message, "no-such-program"));
    spec = spec_of(fixture, SHELL("true"));
    spec.dir = "/nonexistent";
    assert_int_equal(sandbox_run(&spec, fixture->arena, &result, &fixture->err), -ERR_INTERNAL);
    spec.dir = NULL;
    assert_int_equal(sandbox_run(&spec, fixture->arena, &result, &fixture->err), -ERR_VALIDATION);
    assert_int_equal(sandbox_run(&spec, fixture->arena, &result, NULL), -ERR_VALIDATION);
    assert_int_equal(result.exit_code, 42);
}

static void a_deadline_ends_it(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_result result;
    struct sandbox_spec spec = spec_of(fixture, script_of(fixture, "trap '' TERM INT HUP; echo begun; sleep @"));
    spec.wall_ms = 150;
    assert_int_equal(sandbox_run(&spec, fixture->arena, &result, &fixture->err), -ERR_TIMEOUT);
    assert_int_equal(result.exit_code, 128 + 9);
    assert_string_equal(result.output, "begun\n");
    assert_true(result.elapsed_ms >= 150 && result.elapsed_ms < 10000);
    assert_int_equal(count_left(fixture), 0);
}

static void cancelling_ends_it(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_result result;
    bool is_ready = false;
    struct sandbox_spec spec = spec_of(fixture, script_of(fixture, "sleep @ & sleep @ | cat & echo ready; wait"));
    spec.is_cancelled = flag_is_set;
    spec.cancel_arg = &is_ready;
    spec.on_line = set_flag_when_ready;
    spec.on_line_arg = &is_ready;
    assert_int_equal(sandbox_run(&spec, fixture->arena, &result, &fixture->err), -ERR_CANCELLED);
    assert_string_equal(result.output, "ready\n");
    assert_int_equal(count_left(fixture), 0);
    assert_int_equal(count_children(), 0);
}

static long resident_max_kb(void) {
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

static void much_output_takes_little_memory(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_spec spec =
        spec_of(fixture, SHELL("echo first; head -c 100000000 /dev/zero | tr '\\0' x; echo; echo last"));
    long before_kb = resident_max_kb();
    struct sandbox_result result = run(fixture, &spec);
    assert_int_equal(result.exit_code, 0);
    assert_int_equal(result.output_total_bytes, 6 + 100000000 + 1 + 5);
    assert_true(result.output_len < (256 << 10) + 100);
    assert_true(str_starts(result.output, "first\nxxx"));
    assert_true(str_ends(result.output, "xxx\nlast\n"));
    assert_non_null(strstr(result.output, "\n[... 99737868 bytes cut ...]\nx"));
    assert_true(resident_max_kb() - before_kb < 16 << 10);
}

static void memory_is_limited(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_spec spec = spec_of(fixture, SHELL("head -c 300000000 /dev/zero | tail -c 300000000 | wc -c"));
    spec.memory_bytes = 64 << 20;
    struct sandbox_result result = run(fixture, &spec);
    assert_non_null(strstr(result.output, "memory exhausted"));
    assert_null(strstr(result.output, "300000000"));
}

static void files_are_limited(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_result result;
    struct sandbox_spec spec = spec_of(fixture, SHELL("head -c 5000000 /dev/zero > big; echo $?; wc -c < big"));
    spec.file_bytes = 1 << 20;
    assert_true(str_ends(run(fixture, &spec).output, "153\n1048576\n")); /* SIGXFSZ */
    spec.argv = SHELL("exec head -c 5000000 /dev/zero > big");
    assert_int_equal(sandbox_run(&spec, fixture->arena, &result, &fixture->err), -ERR_TOO_LARGE);
    assert_int_equal(result.end, SANDBOX_FILE_SIZE);
    assert_string_equal(result.reason, "sh was ended: it wrote a file of more than 1024 KiB");
}

static void processor_time_is_limited(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_result result;
    struct sandbox_spec spec = spec_of(fixture, SHELL("while :; do :; done"));
    spec.cpu_seconds = 1;
    assert_int_equal(sandbox_run(&spec, fixture->arena, &result, &fixture->err), -ERR_TIMEOUT);
    assert_int_equal(result.exit_code, 128 + 9);
    assert_int_equal(result.end, SANDBOX_CPU_TIME);
    assert_string_equal(fixture->err.message, "sh was ended: it computed for more than 1 s");
}

static void it_is_modest(void **state) {
    struct fixture *fixture = *state;
    /* The parent sets both just after the start. */
    struct sandbox_spec spec = spec_of(
        fixture, SHELL("until [ $(cat /proc/self/oom_score_adj) = 500 ]; do :; done; nice; ulimit -c; ulimit -n; "
                       "grep NoNewPrivs /proc/self/status"));
    struct sandbox_result result = run(fixture, &spec);
    assert_string_equal(result.output, "5\n0\n4096\nNoNewPrivs:\t1\n");
}

static void output_may_be_closed_early(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_spec spec = spec_of(fixture, SHELL("echo so; exec >&- 2>&-; sleep 0.2; exit 4"));
    struct sandbox_result result = run(fixture, &spec);
    assert_int_equal(result.exit_code, 4);
    assert_string_equal(result.output, "so\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_exit_code_and_output, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(the_environment_is_clean, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(what_cannot_start_is_an_error, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_deadline_ends_it, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(cancelling_ends_it, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(much_output_takes_little_memory, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(memory_is_limited, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(files_are_limited, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(processor_time_is_limited, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(it_is_modest, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(output_may_be_closed_early, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
