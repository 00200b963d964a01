/* Tests of the limits of a whole tree: each ends all of it, and is named as the reason; behind a fence and without. */
#include "support.h"

static void survive(struct fixture *fixture, struct sandbox_spec *spec, enum sandbox_end end, const char *reason) {
    struct sandbox_result result = {0};
    int rc = sandbox_run(spec, fixture->arena, &result, &fixture->err);
    assert_string_equal(sandbox_end_name(result.end), sandbox_end_name(end));
    assert_true(rc == (end == SANDBOX_WALL_TIME || end == SANDBOX_IDLE_TIME || end == SANDBOX_CPU_TIME
                           ? -ERR_TIMEOUT
                           : -ERR_TOO_LARGE));
    assert_string_equal(result.reason, reason);
    assert_string_equal(fixture->err.message, reason);
    assert_int_equal(count_left(fixture), 0);
    assert_int_equal(count_children(), 0);
}

static struct sandbox_spec spec_for(struct fixture *fixture, const char *script) {
    const char *const *argv = script_of(fixture, script);
    return fixture->fence ? fenced_spec_of(fixture, argv) : spec_of(fixture, argv);
}

static void forks_without_end(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_spec spec = spec_for(fixture, "exec bash -c 'while :; do sleep 100 & (setsid sleep @ &); done'");
    spec.processes = 64;
    survive(fixture, &spec, SANDBOX_PROCESSES, "sh was ended: it had more than 64 processes and threads");
}

static void memory_of_all_is_summed_up(void **state) {
    struct fixture *fixture = *state;
    /* Each alone would be fine. */
    struct sandbox_spec spec = spec_for(
        fixture,
        "hold() { head -c 40000000 /dev/zero | tail -c 40000000 | sleep @; }; hold & hold & hold & hold & wait");
    spec.all_memory_bytes = 64 << 20;
    survive(fixture, &spec, SANDBOX_MEMORY, "sh was ended: it took more than 64 MiB of memory");
}

static void fills_the_disk(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_spec spec =
        spec_for(fixture, "i=0; while [ $i -lt 200 ]; do head -c 4000000 /dev/zero > f$i; i=$((i+1)); done; sleep @");
    spec.disk_bytes = 64 << 20;
    survive(fixture, &spec, SANDBOX_DISK, "sh was ended: its folders held more than 64 MiB");
}

static void leaves_too_much_behind(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_spec spec = spec_for(fixture, "head -c 40000000 /dev/zero > one; cp one two");
    spec.disk_bytes = 64 << 20;
    survive(fixture, &spec, SANDBOX_DISK, "sh was ended: its folders held more than 64 MiB");
}

static void writes_without_end(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_spec spec = spec_for(fixture, "yes; sleep @");
    spec.total_output_bytes = 8 << 20;
    survive(fixture, &spec, SANDBOX_OUTPUT, "sh was ended: it wrote more than 8192 KiB of output");
}

static void says_nothing(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_spec spec = spec_for(fixture, "trap '' TERM; echo once; sleep @");
    spec.idle_ms = 200;
    survive(fixture, &spec, SANDBOX_IDLE_TIME, "sh was ended: it wrote nothing for 200 ms");
}

static void never_ends(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_spec spec = spec_for(fixture, "trap '' TERM; (setsid sh -c \"trap '' TERM; sleep @\" &); sleep @");
    spec.wall_ms = 200;
    spec.grace_ms = 50;
    survive(fixture, &spec, SANDBOX_WALL_TIME, "sh did not end within 200 ms");
}

#define IN_BOTH_WAYS(test)                                                                                             \
    cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown), {                                          \
#test " (fenced)", test, fenced_setup, fixture_teardown, NULL                                                  \
    }

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_BOTH_WAYS(forks_without_end),  IN_BOTH_WAYS(memory_of_all_is_summed_up),
        IN_BOTH_WAYS(fills_the_disk),     IN_BOTH_WAYS(leaves_too_much_behind),
        IN_BOTH_WAYS(writes_without_end), IN_BOTH_WAYS(says_nothing),
        IN_BOTH_WAYS(never_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
