/* Tests of services: start, output, log, stop with grace, restart. */
#include "support.h"

#include <poll.h>

#include "base/buf.h"

/* Until the output has the text; the service's thread reads it when it comes. */
static const char *wait_for_output(struct fixture *fixture, struct sandbox_service *service, const char *text) {
    for (int64_t deadline_ms = clock_mono_ms() + 20000; clock_mono_ms() < deadline_ms;) {
        const char *output = sandbox_service_output(service, fixture->arena);
        if (strstr(output, text))
            return output;
        (void)poll(NULL, 0, 5);
    }
    fail_msg("no %s: %s", text, sandbox_service_output(service, fixture->arena));
    return NULL;
}

static void wait_for_end(struct sandbox_service *service) {
    for (int64_t deadline_ms = clock_mono_ms() + 20000; clock_mono_ms() < deadline_ms;) {
        if (!sandbox_service_is_running(service))
            return;
        (void)poll(NULL, 0, 5);
    }
    fail_msg("it runs on");
}

static void starts_and_stops(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_service *service = NULL;
    struct sandbox_spec spec = spec_of(
        fixture,
        script_of(fixture, "trap 'echo bye; exit 0' TERM; (setsid sleep @ &); echo up; while :; do sleep 0.05; done"));
    char *log_path = fs_join(fixture->arena, fixture->dir, "log");
    for (int round = 0; round < 2; round++) { /* the second time is a restart */
        assert_int_equal(sandbox_service_start(&service, &spec, log_path, &fixture->err), 0);
        assert_true(sandbox_service_is_running(service));
        assert_true(sandbox_service_pid(service) > 1);
        (void)wait_for_output(fixture, service, "up\n");
        int64_t before_ms = clock_mono_ms();
        sandbox_service_stop(service, 10000);
        assert_true(clock_mono_ms() - before_ms < 9000);
        assert_int_equal(count_left(fixture), 0);
        assert_int_equal(count_children(), 0);
        CLEANUP(buf_release) struct buf log = {0};
        assert_int_equal(fs_read_file(log_path, 1 << 20, &log, &fixture->err), 0);
        assert_true(str_starts(log.data, "up\n"));
        assert_true(str_ends(log.data, "bye\n"));
    }
    sandbox_service_stop(NULL, 0);
}

static void one_that_will_not_end_is_killed(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_service *service = NULL;
    struct sandbox_spec spec =
        spec_of(fixture, script_of(fixture, "trap '' TERM; setsid sleep @ & echo up; while :; do sleep @; done"));
    assert_int_equal(sandbox_service_start(&service, &spec, NULL, &fixture->err), 0);
    (void)wait_for_output(fixture, service, "up\n");
    sandbox_service_stop(service, 100);
    assert_int_equal(count_left(fixture), 0);
    assert_int_equal(sandbox_service_start(&service, &spec, NULL, &fixture->err), 0);
    sandbox_service_stop(service, 0); /* at once */
    assert_int_equal(count_left(fixture), 0);
    assert_int_equal(count_children(), 0);
}

static void one_that_ends_is_not_running(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_service *service = NULL;
    struct sandbox_spec spec = spec_of(fixture, script_of(fixture, "(setsid sleep @ &); echo cannot listen; exit 1"));
    assert_int_equal(sandbox_service_start(&service, &spec, NULL, &fixture->err), 0);
    wait_for_end(service);
    assert_string_equal(sandbox_service_output(service, fixture->arena), "cannot listen\n");
    assert_int_equal(count_left(fixture), 0);
    sandbox_service_stop(service, 1000);
    assert_int_equal(count_children(), 0);
}

static void one_that_cannot_start_is_an_error(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_service *service = NULL;
    struct sandbox_spec spec = spec_of(fixture, (const char *const[]){"no-such-program", NULL});
    assert_int_equal(sandbox_service_start(&service, &spec, NULL, &fixture->err), -ERR_NOT_FOUND);
    spec.argv = SHELL("true");
    assert_int_equal(sandbox_service_start(&service, &spec, "/nonexistent/log", &fixture->err), -ERR_INTERNAL);
    assert_null(service);
}

static void its_time_may_be_limited(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_service *service = NULL;
    struct sandbox_spec spec = spec_of(fixture, script_of(fixture, "sleep @"));
    spec.wall_ms = 100;
    assert_int_equal(sandbox_service_start(&service, &spec, NULL, &fixture->err), 0);
    wait_for_end(service);
    assert_int_equal(count_left(fixture), 0);
    sandbox_service_stop(service, 0);
}

static void what_it_writes_is_bounded(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_service *service = NULL;
    struct sandbox_spec spec = spec_of(fixture, SHELL("seq 1 1000000; echo end"));
    spec.output_bytes = 1000;
    char *log_path = fs_join(fixture->arena, fixture->dir, "log");
    assert_int_equal(sandbox_service_start(&service, &spec, log_path, &fixture->err), 0);
    wait_for_end(service);
    const char *output = sandbox_service_output(service, fixture->arena);
    assert_true(strlen(output) < 1100);
    assert_true(str_starts(output, "[... "));
    assert_true(str_ends(output, "\n1000000\nend\n"));
    sandbox_service_stop(service, 0);
    CLEANUP(buf_release) struct buf log = {0};
    assert_int_equal(fs_read_file(log_path, 1 << 20, &log, &fixture->err), 0);
    assert_true(log.len > (1 << 20) - 100);
    assert_true(str_starts(log.data, "1\n2\n3\n"));
    assert_true(str_ends(log.data, "\n[log ends here: it has reached its limit]\n"));
}

static void what_it_takes_is_limited(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_service *service = NULL;
    const char *const *argv =
        script_of(fixture, "echo up; exec bash -c 'for i in $(seq 100); do (setsid sleep @ &); done; exec sleep @'");
    struct sandbox_spec spec = fixture->fence ? fenced_spec_of(fixture, argv) : spec_of(fixture, argv);
    spec.wall_ms = 0;
    spec.processes = 60;
    assert_int_equal(sandbox_service_start(&service, &spec, NULL, &fixture->err), 0);
    wait_for_end(service);
    assert_string_equal(sandbox_service_output(service, fixture->arena),
                        "up\n\n[ended: it had more than 60 processes and threads]\n");
    sandbox_service_stop(service, 0);
    assert_int_equal(count_left(fixture), 0);
}

static void behind_a_fence_it_may_say_good_bye(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_service *service = NULL;
    if (must_do_without_fence(fixture))
        return;
    char *log_path = fs_join(fixture->arena, fixture->dir, "log");
    struct sandbox_spec spec = fenced_spec_of(
        fixture,
        script_of(fixture, "trap 'echo bye; exit 0' TERM; (setsid sleep @ &); echo up; while :; do sleep 0.05; done"));
    spec.network = SANDBOX_NETWORK_HOST;
    assert_int_equal(sandbox_service_start(&service, &spec, log_path, &fixture->err), 0);
    (void)wait_for_output(fixture, service, "up\n");
    sandbox_service_stop(service, 10000);
    assert_int_equal(count_left(fixture), 0);
    CLEANUP(buf_release) struct buf log = {0};
    assert_int_equal(fs_read_file(log_path, 1 << 20, &log, &fixture->err), 0);
    assert_non_null(strstr(log.data, "bye\n"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(starts_and_stops, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(one_that_will_not_end_is_killed, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(one_that_ends_is_not_running, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(one_that_cannot_start_is_an_error, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(its_time_may_be_limited, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(what_it_writes_is_bounded, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(what_it_takes_is_limited, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(what_it_takes_is_limited, fenced_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(behind_a_fence_it_may_say_good_bye, fenced_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
