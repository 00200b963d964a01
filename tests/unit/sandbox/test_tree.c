/* Tests of what sandbox_run leaves behind: nothing, whatever the command does to hide. */
#include "support.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/proc.h"

static void run_and_expect_nothing_left(struct fixture *fixture, const char *script) {
    struct sandbox_result result;
    struct sandbox_spec spec = spec_of(fixture, script_of(fixture, script));
    if (sandbox_run(&spec, fixture->arena, &result, &fixture->err) != 0)
        fail_msg("%s: %s", script, fixture->err.message);
    assert_string_equal(result.output, "ready\n");
    assert_int_equal(result.exit_code, 0);
    assert_true(result.elapsed_ms < 30000);
    assert_int_equal(count_left(fixture), 0);
    assert_int_equal(count_children(), 0);
}

static void daemons_are_killed(void **state) {
    struct fixture *fixture = *state;
    /* Holding the pipe open. */
    run_and_expect_nothing_left(fixture, "sleep @ & echo ready");
    /* A session of its own, the parent gone. */
    run_and_expect_nothing_left(fixture, "(setsid sleep @ >/dev/null 2>&1 &); echo ready");
    /* And without our environment. */
    run_and_expect_nothing_left(fixture, "(env -i setsid sleep @ >/dev/null 2>&1 &); echo ready");
    run_and_expect_nothing_left(fixture,
                                "(env -i setsid sh -c '(trap \"\" TERM HUP; sleep @ & sleep @)' &); echo ready");
    /* And with a mark of its own. */
    run_and_expect_nothing_left(
        fixture, "mkfifo fifo; (env -i setsid prlimit --rttime=1000000:1000000 sh -c 'echo >fifo; sleep @; :' &); "
                 "read ignored <fifo; echo ready");
    /* Stopped ones, and ones that ended as orphans. */
    run_and_expect_nothing_left(fixture, "(setsid sh -c 'kill -STOP $$; sleep @' &); echo ready");
    run_and_expect_nothing_left(fixture, "for i in 1 2 3 4 5; do (env -i setsid true &); done; echo ready");
}

static void a_crowd_is_killed(void **state) {
    struct fixture *fixture = *state;
    run_and_expect_nothing_left(fixture, "n=0; while [ $n -lt 100 ]; do n=$((n+1)); "
                                         "setsid sh -c 'trap \"\" TERM; sleep @ & sleep @' & done; echo ready");
}

/* Each forks the next, in a session of its own, and ends: there is never one for long. */
static void a_fleeing_chain_is_killed(void **state) {
    struct fixture *fixture = *state;
    const char script[] = "[ $1 -gt 0 ] || exit\n[ $1 -gt 0 ] && setsid env -i /bin/sh \"$0\" $(($1-1)) @ &\n";
    char *path = fs_join(fixture->arena, fixture->dir, "chain");
    assert_int_equal(fs_write_file(path, script, sizeof(script) - 1, 0755, &fixture->err), 0);
    bool is_ready = false;
    struct sandbox_result result;
    struct sandbox_spec spec = spec_of(fixture, script_of(fixture, "for i in 1 2 3 4 5; do sh ./chain 5000 @ & done; "
                                                                   "echo ready; sleep @"));
    spec.is_cancelled = flag_is_set;
    spec.cancel_arg = &is_ready;
    spec.on_line = set_flag_when_ready;
    spec.on_line_arg = &is_ready;
    assert_int_equal(sandbox_run(&spec, fixture->arena, &result, &fixture->err), -ERR_CANCELLED);
    assert_int_equal(count_left(fixture), 0);
    assert_int_equal(count_children(), 0);
}

/* Grows fivefold and again until there are about 200. */
static void a_bomb_is_killed(void **state) {
    struct fixture *fixture = *state;
    const char script[] =
        "[ $1 -gt 0 ] || exec sleep 8000\nfor i in 1 2 3 4 5; do setsid sh \"$0\" $(($1-1)) @ & done\n"
        "echo ready; wait\n";
    char *path = fs_join(fixture->arena, fixture->dir, "bomb");
    assert_int_equal(fs_write_file(path, script, sizeof(script) - 1, 0755, &fixture->err), 0);
    bool is_ready = false;
    struct sandbox_result result;
    struct sandbox_spec spec = spec_of(fixture, script_of(fixture, "exec sh ./bomb 3 @"));
    spec.is_cancelled = flag_is_set;
    spec.cancel_arg = &is_ready;
    spec.on_line = set_flag_when_ready;
    spec.on_line_arg = &is_ready;
    assert_int_equal(sandbox_run(&spec, fixture->arena, &result, &fixture->err), -ERR_CANCELLED);
    assert_int_equal(count_left(fixture), 0);
    assert_int_equal(count_children(), 0);
}

struct lane {
    const struct fixture *fixture;
    int number;
    bool is_good;
};

static void *run_lane(void *arg) {
    struct lane *lane = arg;
    struct arena *arena = arena_create();
    struct err err;
    lane->is_good = true;
    for (int i = 0; i < 8; i++) {
        struct sandbox_result result = {0};
        struct sandbox_spec spec = {.dir = lane->fixture->dir, .home = lane->fixture->home};
        const char *script =
            arena_printf(arena, "(setsid sleep %s &); (env -i setsid sleep %s &); sleep 0.0%d; exit %d",
                         lane->fixture->marker, lane->fixture->marker, i, lane->number);
        spec.argv = (const char *const[]){"sh", "-c", script, NULL};
        if (sandbox_run(&spec, arena, &result, &err) != 0 || result.exit_code != lane->number)
            lane->is_good = false;
    }
    arena_destroy(arena);
    return NULL;
}

/* Commands that run side by side do not touch each other, nor children that others wait for. */
static void lanes_are_apart(void **state) {
    struct fixture *fixture = *state;
    enum { LANES = 4 };
    struct lane lanes[LANES];
    pthread_t threads[LANES];
    const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
    struct proc_spec spec = {
        .argv = (const char *const[]){"sleep", "8000", NULL}, .env = env, .dies_with_parent = true};
    struct proc bystander;
    struct proc_exit exit;

    assert_int_equal(proc_start(&bystander, &spec, &fixture->err), 0);
    for (int i = 0; i < LANES; i++) {
        lanes[i] = (struct lane){.fixture = fixture, .number = 10 + i};
        assert_int_equal(pthread_create(&threads[i], NULL, run_lane, &lanes[i]), 0);
    }
    for (int i = 0; i < LANES; i++) {
        (void)pthread_join(threads[i], NULL);
        assert_true(lanes[i].is_good);
    }
    assert_int_equal(count_left(fixture), 0);
    assert_int_equal(count_children(), 1);
    proc_signal_group(&bystander, SIGTERM);
    assert_int_equal(proc_wait(&bystander, clock_mono_ms() + 10000, &exit, &fixture->err), 0);
    assert_int_equal(exit.signal, SIGTERM);
    proc_release(&bystander);
}

static void tell(const char *line, size_t len, void *arg) {
    ssize_t ignored = write(*(int *)arg, line, len);
    (void)ignored;
}

/* Plays a server that dies while a command runs. */
static _Noreturn void doomed_server(struct fixture *fixture, const char *tag, int fd) {
    struct sandbox_result result;
    sandbox_set_tag(tag);
    struct sandbox_spec spec =
        spec_of(fixture, script_of(fixture, "setsid sleep @ & setsid sh -c 'sleep @ & sleep @' & echo ready; sleep @"));
    spec.on_line = tell;
    spec.on_line_arg = &fd;
    if (sandbox_start(&fixture->err) == 0)
        (void)!sandbox_run(&spec, fixture->arena, &result, &fixture->err);
    _exit(1);
}

static void what_a_dead_server_left_is_killed(void **state) {
    struct fixture *fixture = *state;
    char *tag = arena_printf(fixture->arena, "test-%s", fixture->marker);
    int ends[2];
    char text[16];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t server = fork();
    if (server == 0)
        doomed_server(fixture, tag, ends[1]);
    mem_closep(&ends[1]);
    struct pollfd poll_fd = {.fd = ends[0], .events = POLLIN};
    assert_int_equal(poll(&poll_fd, 1, 20000), 1);
    assert_int_equal(read(ends[0], text, sizeof(text)), 5);
    assert_int_equal(kill(server, SIGKILL), 0);
    assert_int_equal(waitpid(server, NULL, 0), server);
    mem_closep(&ends[0]);

    assert_int_equal(sandbox_kill_tagged("test-8"), 0); /* another server's */
    assert_true(count_left(fixture) >= 2);
    int killed = sandbox_kill_tagged(tag);
    assert_in_range(killed, 2, 6);
    assert_int_equal(count_left(fixture), 0);
    assert_int_equal(sandbox_kill_tagged(tag), 0);
    while (waitpid(-1, NULL, WNOHANG) > 0) /* orphans that came to us; nobody else waits here */
        continue;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(daemons_are_killed, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_crowd_is_killed, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_fleeing_chain_is_killed, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_bomb_is_killed, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(lanes_are_apart, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(what_a_dead_server_left_is_killed, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
