/* proc_start: starting a child process, from any thread. Between fork and exec only async-signal-safe calls are made.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"

/* What the child was doing when it failed; sent to the parent. */
#define STEP_LIST(X)                                                                                                   \
    X(STEP_GROUP, "cannot make a process group for")                                                                   \
    X(STEP_PARENT, "no parent left for")                                                                               \
    X(STEP_DESCRIPTORS, "cannot set up descriptors for")                                                               \
    X(STEP_DIR, "cannot enter the working directory for")                                                              \
    X(STEP_PRIVILEGES, "cannot give up new privileges for")                                                            \
    X(STEP_LIMIT, "cannot set the limits for")                                                                         \
    X(STEP_EXEC, "cannot start")

enum step {
#define X(step, text) step,
    STEP_LIST(X)
#undef X
};

static const char *const step_texts[] = {
#define X(step, text) [step] = text,
    STEP_LIST(X)
#undef X
};

struct failure {
    enum step step;
    int errnum;
};

/* Everything the child needs, made before fork. */
struct launch {
    const struct proc_spec *spec;
    const char *program;
    const char *const *env;
    pid_t parent;
    int failure_fd; /* closed by exec: then the parent reads nothing */
    int null_fd;
    int last_fd; /* highest descriptor that can be open, where close_range does not exist */
};

static _Noreturn void child_fail(const struct launch *launch, enum step step) {
    struct failure failure = {step, errno};
    ssize_t ignored = write(launch->failure_fd, &failure, sizeof(failure));
    (void)ignored;
    _exit(127);
}

/* Signals that the parent ignores would stay ignored over exec. All are blocked until here, so that no handler of the
 * parent runs in the child. */
static void child_reset_signals(void) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;
    for (int signal = 1; signal < NSIG; signal++)
        (void)sigaction(signal, &action, NULL); /* fails for SIGKILL, SIGSTOP and the C library's own */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void close_from(int first, int last) {
    if (syscall(SYS_close_range, first, ~0U, 0) == 0)
        return;
    for (int fd = first; fd <= last; fd++)
        (void)close(fd);
}

/* The three standard descriptors, the failure pipe as 3, those further ones, and nothing else. What is given may itself
 * have such a number, so all of it is moved out of the way first. */
static void child_set_descriptors(struct launch *launch) {
    const struct proc_spec *spec = launch->spec;
    int in = spec->stdin_fd > 0 ? spec->stdin_fd : launch->null_fd;
    int out = spec->stdout_fd > 0 ? spec->stdout_fd : launch->null_fd;
    int error = spec->stderr_fd > 0 ? spec->stderr_fd : out;
    int moved[PROC_FURTHER_FIRST + PROC_FURTHER_MAX] = {in, out, error, launch->failure_fd};
    int count = PROC_FURTHER_FIRST + (int)spec->further_count;

    for (size_t i = 0; i < spec->further_count; i++)
        moved[(size_t)PROC_FURTHER_FIRST + i] = spec->further_fds[i];
    int failure_fd = fcntl(launch->failure_fd, F_DUPFD_CLOEXEC, count);
    if (failure_fd < 0)
        child_fail(launch, STEP_DESCRIPTORS);
    launch->failure_fd = moved[3] = failure_fd;
    for (int i = 0; i < count; i++)
        if (i != 3 && (moved[i] = fcntl(moved[i], F_DUPFD_CLOEXEC, count)) < 0)
            child_fail(launch, STEP_DESCRIPTORS);
    for (int i = 0; i < count; i++)
        if (dup3(moved[i], i, i == 3 ? O_CLOEXEC : 0) < 0)
            child_fail(launch, STEP_DESCRIPTORS);
    launch->failure_fd = 3;
    close_from(count, launch->last_fd);
}

static _Noreturn void child_run(struct launch *launch) {
    const struct proc_spec *spec = launch->spec;

    if ((spec->is_session ? setsid() : setpgid(0, 0)) < 0)
        child_fail(launch, STEP_GROUP);
    if (spec->dies_with_parent) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
            child_fail(launch, STEP_PARENT);
        errno = ESRCH;
        if (getppid() != launch->parent) /* it ended before prctl */
            child_fail(launch, STEP_PARENT);
    }
    child_set_descriptors(launch);
    if (spec->dir && chdir(spec->dir) < 0)
        child_fail(launch, STEP_DIR);
    if (spec->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        child_fail(launch, STEP_PRIVILEGES);
    for (size_t i = 0; i < spec->limit_count; i++) {
        struct rlimit limit = {spec->limits[i].value, spec->limits[i].value};
        if (setrlimit(spec->limits[i].resource, &limit) < 0)
            child_fail(launch, STEP_LIMIT);
    }
    child_reset_signals();
    (void)execve(launch->program, (char *const *)spec->argv, (char *const *)launch->env);
    child_fail(launch, STEP_EXEC);
}

/* Waits for exec. True if the child failed before it. */
static bool read_failure(int fd, struct failure *failure) {
    ssize_t got;
    do
        got = read(fd, failure, sizeof(*failure));
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof(*failure);
}

static void reap(pid_t pid) {
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

static int report(const struct proc_spec *spec, const struct failure *failure, struct err *err) {
    bool is_absent = failure->step == STEP_EXEC && (failure->errnum == ENOENT || failure->errnum == ENOTDIR);
    size_t step = (size_t)failure->step < ARRAY_LEN(step_texts) ? (size_t)failure->step : STEP_EXEC;
    if (failure->step == STEP_DIR)
        return err_errno(err, ERR_INTERNAL, failure->errnum, "%s %s: %s", step_texts[step], spec->argv[0], spec->dir);
    return err_errno(err, is_absent ? ERR_NOT_FOUND : ERR_INTERNAL, failure->errnum, "%s %s", step_texts[step],
                     spec->argv[0]);
}

/* fork, with all signals blocked in the child until it has reset them. */
static pid_t start_child(struct launch *launch) {
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        child_run(launch);
    int errnum = errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = errnum;
    return pid;
}

static int launch_child(struct proc *proc, struct launch *launch, struct err *err) {
    const struct proc_spec *spec = launch->spec;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_errno(err, ERR_INTERNAL, errno, "cannot make a pipe for %s", spec->argv[0]);
    CLEANUP(mem_closep) int read_end = ends[0];
    CLEANUP(mem_closep) int write_end = ends[1];
    launch->failure_fd = write_end;

    pid_t pid = start_child(launch);
    if (pid < 0)
        return err_errno(err, ERR_UNAVAILABLE, errno, "cannot start a process for %s", spec->argv[0]);
    mem_closep(&write_end);
    struct failure failure;
    if (read_failure(read_end, &failure)) {
        reap(pid);
        return report(spec, &failure, err);
    }
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0) {
        int errnum = errno;
        (void)kill(-pid, SIGKILL);
        reap(pid);
        return err_errno(err, ERR_INTERNAL, errnum, "cannot watch %s", spec->argv[0]);
    }
    *proc = (struct proc){.pid = pid, .pidfd = pidfd};
    return 0;
}

static const char *path_in(const char *const *env) {
    for (; *env; env++)
        if (str_starts(*env, "PATH="))
            return *env + strlen("PATH=");
    return NULL;
}

int proc_start(struct proc *proc, const struct proc_spec *spec, struct err *err) {
    static const char *const no_env[] = {NULL};
    const char *name = spec->argv[0];
    const char *const *env = spec->env ? spec->env : no_env;
    char found[PATH_MAX];

    if (!name)
        return err_set(err, ERR_VALIDATION, "no program is named");
    if (spec->further_count > PROC_FURTHER_MAX)
        return err_set(err, ERR_VALIDATION, "too many descriptors for %s", name);
    /* With a '/' it is looked up by exec itself, seen from the child's working directory. */
    bool is_path = strchr(name, '/') != NULL;
    if (!is_path && !proc_find_program(name, path_in(env), found, sizeof(found)))
        return err_set(err, ERR_NOT_FOUND, "the program %s is not found", name);
    CLEANUP(mem_closep) int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd < 0)
        return err_errno(err, ERR_INTERNAL, errno, "cannot open /dev/null");
    long open_max = sysconf(_SC_OPEN_MAX);
    struct launch launch = {
        .spec = spec,
        .program = is_path ? name : found,
        .env = env,
        .parent = getpid(),
        .null_fd = null_fd,
        .last_fd = open_max > 0 && open_max < INT_MAX ? (int)open_max : 65536,
    };
    return launch_child(proc, &launch, err);
}
