/* Tests of base/proc with real children. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"

static const char *const path_env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "WHO=child", NULL};
static struct err err;

static int64_t in_ms(int64_t ms) {
    return clock_mono_ms() + ms;
}

/* Starts spec with a pipe for its output, reads that to its end, waits. */
static struct proc_exit run(struct proc_spec *spec, struct buf *output) {
    int ends[2];
    struct proc proc;
    struct proc_exit exit = {0};
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    spec->stdout_fd = ends[1];
    if (proc_start(&proc, spec, &err) != 0)
        fail_msg("%s", err.message);
    mem_closep(&ends[1]);
    ssize_t got;
    while ((got = read(ends[0], buf_reserve(output, 4096), 4096)) > 0)
        buf_added(output, (size_t)got);
    mem_closep(&ends[0]);
    assert_int_equal(proc_wait(&proc, in_ms(20000), &exit, &err), 0);
    proc_release(&proc);
    return exit;
}

#define SHELL(script) ((const char *const[]){"sh", "-c", script, NULL})

static void runs_a_program(void **state) {
    CLEANUP(buf_release) struct buf output = {0};
    struct proc_spec spec = {.argv = SHELL("echo out $WHO $HOME; echo err >&2; cat; exit 3"), .env = path_env};
    struct proc_exit exit = run(&spec, &output);
    assert_string_equal(output.data, "out child\nerr\n"); /* stderr goes with stdout; stdin is empty */
    assert_int_equal(exit.code, 3);
    assert_int_equal(exit.signal, 0);
    assert_true(exit.usage.ru_maxrss > 0);
}

static void works_with_nothing_given(void **state) {
    struct proc proc;
    struct proc_exit exit;
    struct proc_spec spec = {.argv = (const char *const[]){"true", NULL}};
    assert_int_equal(proc_start(&proc, &spec, &err), 0);
    assert_int_equal(proc_wait(&proc, INT64_MAX, &exit, &err), 0);
    assert_int_equal(exit.code, 0);
    /* It is reaped once, and is no other's. */
    assert_int_equal(proc_wait(&proc, INT64_MAX, &exit, &err), -ERR_INTERNAL);
    assert_int_equal(waitpid(proc.pid, NULL, 0), -1);
    proc_signal_group(&proc, SIGKILL);
    proc_release(&proc);
    proc_release(&proc);
    proc_release(NULL);
    struct proc zeroed = {0};
    proc_release(&zeroed);
    proc_signal_group(&zeroed, SIGKILL);
    assert_int_not_equal(fcntl(0, F_GETFD), -1);
}

static void sets_directory_and_descriptors(void **state) {
    CLEANUP(buf_release) struct buf output = {0};
    int in[2];
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(write(in[1], "input\n", 6), 6);
    mem_closep(&in[1]);
    CLEANUP(mem_closep) int open_one = open("/dev/null", O_RDONLY); /* not close-on-exec, and yet not inherited */
    struct proc_spec spec = {
        .argv = SHELL("pwd; cat; ls /proc/self/fd | tr '\\n' ' '"), .env = path_env, .dir = "/proc", .stdin_fd = in[0]};
    (void)run(&spec, &output);
    mem_closep(&in[0]);
    /* 3 is the folder that ls reads. */
    assert_string_equal(output.data, "/proc\ninput\n0 1 2 3 ");
}

static void separates_stderr(void **state) {
    CLEANUP(buf_release) struct buf output = {0};
    CLEANUP(mem_closep) int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct proc_spec spec = {.argv = SHELL("echo out; echo err >&2"), .env = path_env, .stderr_fd = null};
    (void)run(&spec, &output);
    assert_string_equal(output.data, "out\n");
}

/* In a child of our own whose descriptors 0 to 2 are closed or exchanged, as a daemon's may be. */
static void bears_standard_descriptors_in_any_place(void **state) {
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int result = 1;
        struct proc proc;
        struct proc_exit exit;
        /* The pipe's end lies at 1 and at 2, crosswise; 0 is free for what proc_start opens. */
        int out = dup2(ends[1], 2), error = dup2(ends[1], 1);
        close(0);
        struct proc_spec spec = {
            .argv = SHELL("cat; echo out; echo err >&2"), .env = path_env, .stdout_fd = out, .stderr_fd = error};
        if (proc_start(&proc, &spec, NULL) == 0 && proc_wait(&proc, in_ms(20000), &exit, NULL) == 0)
            result = exit.code;
        _exit(result);
    }
    mem_closep(&ends[1]);
    CLEANUP(buf_release) struct buf output = {0};
    ssize_t got;
    while ((got = read(ends[0], buf_reserve(&output, 4096), 4096)) > 0)
        buf_added(&output, (size_t)got);
    mem_closep(&ends[0]);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_string_equal(output.data, "out\nerr\n");
}

static void reports_what_cannot_start(void **state) {
    struct proc proc = {.pid = 77};
    struct proc_spec spec = {.argv = (const char *const[]){"no-such-program", NULL}, .env = path_env};
    assert_int_equal(proc_start(&proc, &spec, &err), -ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "no-such-program"));
    spec.argv = (const char *const[]){"/no/such/program", NULL};
    assert_int_equal(proc_start(&proc, &spec, &err), -ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "/no/such/program"));
    spec.argv = (const char *const[]){"/etc/passwd", NULL};
    assert_int_equal(proc_start(&proc, &spec, &err), -ERR_INTERNAL);
    assert_non_null(strstr(err.message, "Permission denied"));
    spec.argv = SHELL("true");
    spec.dir = "/no/such/folder";
    assert_int_equal(proc_start(&proc, &spec, &err), -ERR_INTERNAL);
    assert_non_null(strstr(err.message, "/no/such/folder"));
    spec = (struct proc_spec){.argv = (const char *const[]){NULL}};
    assert_int_equal(proc_start(&proc, &spec, &err), -ERR_VALIDATION);
    assert_int_equal(proc.pid, 77);
    /* Nothing is left to be reaped. */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void sets_limits(void **state) {
    CLEANUP(buf_release) struct buf output = {0};
    const struct proc_limit limits[] = {{RLIMIT_NOFILE, 64}, {RLIMIT_CORE, 0}};
    struct proc_spec spec = {
        .argv = SHELL("ulimit -n; ulimit -c"), .env = path_env, .limits = limits, .limit_count = 2};
    (void)run(&spec, &output);
    assert_string_equal(output.data, "64\n0\n");
    const struct proc_limit bad[] = {{12345, 1}};
    struct proc proc;
    spec.limits = bad;
    spec.limit_count = 1;
    assert_int_equal(proc_start(&proc, &spec, &err), -ERR_INTERNAL);
    assert_non_null(strstr(err.message, "limits"));
}

static void gives_plain_signals(void **state) {
    CLEANUP(buf_release) struct buf output = {0};
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    void (*old)(int) = signal(SIGPIPE, SIG_IGN);
    struct proc_spec spec = {.argv = SHELL("grep -E '^Sig(Blk|Ign)' /proc/self/status"), .env = path_env};
    (void)run(&spec, &output);
    unsigned long long in_child[2];
    assert_int_equal(sscanf(output.data, "SigBlk: %llx SigIgn: %llx", &in_child[0], &in_child[1]), 2);
    assert_int_equal(in_child[0], 0);
    /* 32 and 33 are the C library's own: posix_spawn, as used by make, leaves them ignored, and nothing minds. */
    assert_int_equal(in_child[1] & ~(3ULL << 31), 0);
    sigset_t now;
    pthread_sigmask(SIG_SETMASK, &before, &now);
    assert_true(sigismember(&now, SIGUSR1));
    assert_false(sigismember(&now, SIGTERM));
    signal(SIGPIPE, old);
}

static void gives_up_new_privileges(void **state) {
    CLEANUP(buf_release) struct buf output = {0};
    struct proc_spec spec = {
        .argv = SHELL("grep NoNewPrivs /proc/self/status"), .env = path_env, .no_new_privileges = true};
    (void)run(&spec, &output);
    assert_string_equal(output.data, "NoNewPrivs:\t1\n");
}

/* A pipe that the children of the test hold open: readable (at its end) when none of them is left. */
static void wait_for_all(int read_end) {
    struct pollfd ended = {.fd = read_end, .events = POLLIN};
    assert_int_equal(poll(&ended, 1, 20000), 1);
    assert_true(ended.revents & POLLHUP);
}

static void times_out_and_kills_the_group(void **state) {
    int ends[2];
    struct proc proc;
    struct proc_exit exit;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    struct proc_spec spec = {.argv = SHELL("sleep 1000 & sleep 1000"), .env = path_env, .stdout_fd = ends[1]};
    assert_int_equal(proc_start(&proc, &spec, &err), 0);
    mem_closep(&ends[1]);
    assert_int_equal(getpgid(proc.pid), proc.pid);
    assert_int_equal(proc_wait(&proc, in_ms(-5), &exit, &err), -ERR_TIMEOUT);
    assert_int_equal(proc_wait(&proc, in_ms(30), &exit, &err), -ERR_TIMEOUT);
    proc_signal_group(&proc, SIGKILL);
    assert_int_equal(proc_wait(&proc, in_ms(20000), &exit, &err), 0);
    assert_int_equal(exit.code, -1);
    assert_int_equal(exit.signal, SIGKILL);
    wait_for_all(ends[0]);
    mem_closep(&ends[0]);
    proc_release(&proc);
}

static void starts_a_session(void **state) {
    struct proc proc;
    struct proc_exit exit;
    struct proc_spec spec = {
        .argv = SHELL("sleep 1000"), .env = path_env, .is_session = true, .dies_with_parent = true};
    assert_int_equal(proc_start(&proc, &spec, &err), 0);
    assert_int_equal(getsid(proc.pid), proc.pid);
    proc_signal_group(&proc, SIGTERM);
    assert_int_equal(proc_wait(&proc, INT64_MAX, &exit, &err), 0);
    assert_int_equal(exit.signal, SIGTERM);
    proc_release(&proc);
}

static void dies_with_its_parent(void **state) {
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct proc proc;
        struct proc_spec spec = {
            .argv = SHELL("exec sleep 1000"), .env = path_env, .stdout_fd = ends[1], .dies_with_parent = true};
        _exit(proc_start(&proc, &spec, NULL) == 0 ? 0 : 1);
    }
    mem_closep(&ends[1]);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    wait_for_all(ends[0]);
    mem_closep(&ends[0]);
}

static void *start_many(void *arg) {
    int *failures = arg;
    for (int i = 0; i < 25; i++) {
        struct proc proc;
        struct proc_exit exit;
        struct proc_spec spec = {.argv = SHELL("exit 7"), .env = path_env};
        CLEANUP(mem_freep) char *garbage = mem_alloc(1000 + (size_t)i);
        if (proc_start(&proc, &spec, NULL) != 0 || proc_wait(&proc, in_ms(60000), &exit, NULL) != 0 || exit.code != 7)
            ++*failures;
        proc_release(&proc);
    }
    return NULL;
}

static void threads_start_children(void **state) {
    enum { THREADS = 6 };
    pthread_t threads[THREADS];
    int failures[THREADS] = {0};
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, start_many, &failures[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(failures[i], 0);
    }
}

static void finds_programs(void **state) {
    char path[256];
    assert_true(proc_find_program("sh", NULL, path, sizeof(path)));
    assert_int_equal(path[0], '/');
    assert_true(proc_find_program("sh", "/none::/bin:", path, sizeof(path)));
    assert_string_equal(path, "/bin/sh");
    assert_true(proc_find_program("/bin/sh", NULL, path, sizeof(path)));
    assert_string_equal(path, "/bin/sh");
    assert_false(proc_find_program("sh", "/none", path, sizeof(path)));
    assert_false(proc_find_program("sh", "", path, sizeof(path)));
    assert_false(proc_find_program("sh", "/bin", path, 4));
    assert_false(proc_find_program("", NULL, path, sizeof(path)));
    assert_false(proc_find_program(NULL, NULL, path, sizeof(path)));
    assert_false(proc_find_program("/bin", NULL, path, sizeof(path)));
    assert_false(proc_find_program("/etc/passwd", NULL, path, sizeof(path)));
    assert_int_equal(chdir("/bin"), 0);
    assert_false(proc_find_program("sh", ".:", path, sizeof(path))); /* relative parts do not count */
    assert_int_equal(chdir("/"), 0);
}

static void captures_output(void **state) {
    struct buf out = {0};
    struct proc_exit ended = {0};
    const char *const talks[] = {"/bin/sh", "-c", "echo one; echo no >&2; sleep 0; echo two; exit 3", NULL};
    const char *const hangs[] = {"/bin/sh", "-c", "echo begun; sleep 600 & wait", NULL};
    const char *const absent[] = {"/nowhere/at/all", NULL};

    assert_int_equal(proc_capture(&(struct proc_spec){.argv = talks}, 20000, &out, &ended, &err), 0);
    assert_string_equal(out.data, "one\ntwo\n");
    assert_int_equal(ended.code, 3);
    buf_reset(&out);
    assert_int_equal(proc_capture(&(struct proc_spec){.argv = hangs}, 300, &out, &ended, &err), -ERR_TIMEOUT);
    assert_string_equal(out.data, "begun\n");
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left */
    assert_int_equal(errno, ECHILD);
    assert_int_equal(proc_capture(&(struct proc_spec){.argv = absent}, 300, &out, &ended, &err), -ERR_NOT_FOUND);
    buf_release(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_a_program),
        cmocka_unit_test(works_with_nothing_given),
        cmocka_unit_test(sets_directory_and_descriptors),
        cmocka_unit_test(separates_stderr),
        cmocka_unit_test(bears_standard_descriptors_in_any_place),
        cmocka_unit_test(reports_what_cannot_start),
        cmocka_unit_test(sets_limits),
        cmocka_unit_test(gives_plain_signals),
        cmocka_unit_test(gives_up_new_privileges),
        cmocka_unit_test(times_out_and_kills_the_group),
        cmocka_unit_test(starts_a_session),
        cmocka_unit_test(dies_with_its_parent),
        cmocka_unit_test(threads_start_children),
        cmocka_unit_test(finds_programs),
        cmocka_unit_test(captures_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
