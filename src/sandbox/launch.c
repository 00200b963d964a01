/* launch: starting a command with its fence, its clean environment, its limits and its pipes. */
#include "sandbox/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "sandbox/fence.h"
#include "sandbox/proxy.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

enum {
    DEFAULT_CPU_SECONDS = 600,
    DEFAULT_PROCESSES = 512,
    OPEN_FILES = 4096,
    /* The server is to answer while commands compute, and to be the last that the kernel takes when memory runs out. */
    NICENESS = 5,
    OOM_SCORE = 500,
    KILL_MS = 15000,
    LIMIT_COUNT = 7,
    PROXY_VARIABLES = 6,
    OWN_VARIABLES = 5 + PROXY_VARIABLES,
    GATE_MS = 10000,
};

static const int64_t default_memory_bytes = INT64_C(4) << 30;
static const int64_t default_file_bytes = INT64_C(1) << 30;

/* Beyond our own hard limit nothing can be given. */
static struct proc_limit limit_of(int resource, rlim_t wanted) {
    struct rlimit own = {RLIM_INFINITY, RLIM_INFINITY};
    (void)getrlimit((__rlimit_resource_t)resource, &own);
    return (struct proc_limit){resource, wanted < own.rlim_max ? wanted : own.rlim_max};
}

static rlim_t or_default(int64_t value, int64_t fallback) {
    return (rlim_t)(value > 0 ? value : fallback);
}

/* The kernel counts all threads of the user, so those that are there come on top; root is not bound by it. Twice as
 * many as the tree may have: whoever has too many is to be ended for it, and not only to fail at the next. */
static rlim_t process_limit(int64_t processes) {
    rlim_t wanted = 2 * or_default(processes, DEFAULT_PROCESSES);
    uid_t uid = geteuid();
    return uid == 0 ? wanted : wanted + (rlim_t)process_count_threads(uid);
}

static size_t make_limits(const struct sandbox_spec *spec, bool is_service, uint64_t mark,
                          struct proc_limit limits[LIMIT_COUNT]) {
    size_t count = 0;
    limits[count++] = limit_of(RLIMIT_DATA, or_default(spec->memory_bytes, default_memory_bytes));
    limits[count++] = limit_of(RLIMIT_FSIZE, or_default(spec->file_bytes, default_file_bytes));
    limits[count++] = limit_of(RLIMIT_NPROC, process_limit(spec->processes));
    limits[count++] = limit_of(RLIMIT_NOFILE, OPEN_FILES);
    limits[count++] = limit_of(RLIMIT_CORE, 0);
    /* A second more: the kernel counts in other portions than it tells, and whoever is killed for it is to have
     * computed for longer than the limit by both. */
    if (!is_service || spec->cpu_seconds > 0)
        limits[count++] = limit_of(RLIMIT_CPU, or_default(spec->cpu_seconds, DEFAULT_CPU_SECONDS) + 1);
    if (mark)
        limits[count++] = limit_of(RLIMIT_RTTIME, mark);
    return count;
}

static bool has_name(const char *const *env, const char *variable) {
    size_t len = strcspn(variable, "=") + 1;
    for (; env && *env; env++)
        if (strncmp(*env, variable, len) == 0)
            return true;
    return false;
}

static const char **make_environment(struct arena *arena, const struct sandbox_spec *spec, const char *tag_variable) {
    const char *path = getenv("PATH");
    const char *own[OWN_VARIABLES] = {
        tag_variable,
        arena_printf(arena, "PATH=%s", path && *path ? path : DEFAULT_PATH),
        arena_printf(arena, "HOME=%s", spec->home),
        fence_is_up(spec->fence) ? "TMPDIR=" FENCE_TMP : arena_printf(arena, "TMPDIR=%s/tmp", spec->home),
        "LANG=C.UTF-8",
        "HTTP_PROXY=" PROXY_URL,
        "HTTPS_PROXY=" PROXY_URL,
        "http_proxy=" PROXY_URL,
        "https_proxy=" PROXY_URL,
        "NO_PROXY=localhost,127.0.0.1",
        "NODE_USE_ENV_PROXY=1",
    };
    bool has_proxy = fence_is_up(spec->fence) && spec->network == SANDBOX_NETWORK_PROXY;
    size_t own_count = has_proxy ? OWN_VARIABLES : OWN_VARIABLES - PROXY_VARIABLES;
    size_t given = 0;
    while (spec->env && spec->env[given])
        given++;
    const char **env = arena_array(arena, given + OWN_VARIABLES + 1, sizeof(*env));
    size_t count = 0;
    for (size_t i = 0; i < own_count; i++)
        if (i == 0 || !has_name(spec->env, own[i]))
            env[count++] = own[i];
    for (size_t i = 0; i < given; i++)
        if (!str_starts(spec->env[i], "PRAZIUM_COMMAND="))
            env[count++] = spec->env[i];
    return env;
}

static int make_folders(struct arena *arena, const struct sandbox_spec *spec, struct err *err) {
    if (fs_mkdirs(spec->home, 0700, err) < 0 || fs_mkdirs(fs_join(arena, spec->home, "tmp"), 0700, err) < 0)
        return err_wrap(err, "cannot prepare a command's home");
    return 0;
}

/* By the parent: what the command forks before this is missed, which is only less kind to others. */
static void be_modest(pid_t pid) {
    char path[64];
    (void)setpriority(PRIO_PGRP, (id_t)pid, NICENESS);
    (void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
    CLEANUP(mem_closep) int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0)
        (void)dprintf(fd, "%d\n", OOM_SCORE);
}

static void arena_destroyp(struct arena **arena) {
    arena_destroy(*arena);
}

/* One end for us, which does not block, one for the command: programs do not expect theirs not to block. */
static int make_pipe(int *ours, int *theirs, bool is_input, const char *program, struct err *err) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_errno(err, ERR_UNAVAILABLE, errno, "cannot make a pipe for %s", program);
    *ours = ends[is_input ? 1 : 0];
    *theirs = ends[is_input ? 0 : 1];
    if (fcntl(*ours, F_SETFL, O_NONBLOCK) < 0)
        return err_errno(err, ERR_INTERNAL, errno, "cannot prepare a pipe for %s", program);
    return 0;
}

/* The command's ends. */
struct ends {
    int input, output, error;
};

static void ends_close(struct ends *ends) {
    mem_closep(&ends->input);
    mem_closep(&ends->output);
    mem_closep(&ends->error);
}

static int make_pipes(struct launch *launch, const struct sandbox_spec *spec, struct ends *ends, struct err *err) {
    const char *program = spec->argv[0];
    int rc = make_pipe(&launch->output_fd, &ends->output, false, program, err);
    if (rc == 0 && spec->on_error_line)
        rc = make_pipe(&launch->error_fd, &ends->error, false, program, err);
    if (rc == 0 && (spec->input || spec->on_talk))
        rc = make_pipe(&launch->input_fd, &ends->input, true, program, err);
    return rc;
}

static const char *value_of(const char *const *env, const char *name) {
    size_t len = strlen(name);
    for (; *env; env++)
        if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
            return *env + len + 1;
    return NULL;
}

/* Behind a fence it is bubblewrap that would not find it. */
static int check_program(const struct sandbox_spec *spec, const char *const *env, struct err *err) {
    char found[4096];
    if (strchr(spec->argv[0], '/') || proc_find_program(spec->argv[0], value_of(env, "PATH"), found, sizeof(found)))
        return 0;
    return err_set(err, ERR_NOT_FOUND, "the program %s is not found", spec->argv[0]);
}

/* ---- a network of its own, with a proxy in it */

/* Bubblewrap's ends, and ours. */
struct gate {
    int info_read, info_write;   /* which process is in the network */
    int block_read, block_write; /* a byte: now it may begin */
};

static void gate_close(struct gate *gate) {
    mem_closep(&gate->info_read);
    mem_closep(&gate->info_write);
    mem_closep(&gate->block_read);
    mem_closep(&gate->block_write);
}

static int gate_make(struct gate *gate, const char *program, struct err *err) {
    int rc = make_pipe(&gate->info_read, &gate->info_write, false, program, err);
    return rc < 0 ? rc : make_pipe(&gate->block_write, &gate->block_read, true, program, err);
}

/* {"child-pid": 123 …}, as bubblewrap writes it. */
static int read_pid(const struct gate *gate, pid_t *out, struct err *err) {
    static const char member[] = "\"child-pid\":";
    int64_t deadline_ms = clock_mono_ms() + GATE_MS;
    char text[512] = "";
    size_t len = 0;
    int pid = 0;
    while (!strchr(text, '}') && len < sizeof(text) - 1) {
        struct pollfd fd = {.fd = gate->info_read, .events = POLLIN};
        int64_t left_ms = deadline_ms - clock_mono_ms();
        ssize_t got =
            left_ms > 0 && poll(&fd, 1, (int)left_ms) > 0 ? read(fd.fd, text + len, sizeof(text) - 1 - len) : 0;
        if (got == 0)
            break;
        len += got > 0 ? (size_t)got : 0;
        text[len] = '\0';
    }
    const char *at = strstr(text, member);
    if (!at || sscanf(at + strlen(member), "%d", &pid) != 1 || pid <= 0)
        return err_set(err, ERR_UNAVAILABLE, "bubblewrap does not tell its process");
    *out = (pid_t)pid;
    return 0;
}

static int open_gate(struct launch *launch, const struct sandbox_spec *spec, struct gate *gate, struct err *err) {
    pid_t pid = 0;
    mem_closep(&gate->info_write);
    mem_closep(&gate->block_read);
    int rc = read_pid(gate, &pid, err);
    if (rc == 0)
        rc = proxy_start(&launch->proxy, pid, spec->hosts, err);
    if (rc == 0 && write(gate->block_write, "", 1) != 1)
        rc = err_errno(err, ERR_UNAVAILABLE, errno, "bubblewrap has ended");
    return rc;
}

/* ---- starting */

static int start_fenced(struct launch *launch, const struct sandbox_spec *spec, struct proc_spec *proc_spec,
                        struct arena *arena, struct err *err) {
    CLEANUP(gate_close) struct gate gate = {-1, -1, -1, -1};
    struct fence_pipes pipes = {0};
    bool has_proxy = spec->network == SANDBOX_NETWORK_PROXY;
    int further[2];
    int rc = check_program(spec, proc_spec->env, err);
    if (rc == 0 && has_proxy)
        rc = gate_make(&gate, spec->argv[0], err);
    if (rc < 0)
        return rc;
    if (has_proxy) {
        further[0] = gate.info_write;
        further[1] = gate.block_read;
        pipes = (struct fence_pipes){.info_fd = PROC_FURTHER_FIRST, .block_fd = PROC_FURTHER_FIRST + 1};
        proc_spec->further_fds = further;
        proc_spec->further_count = ARRAY_LEN(further);
    }
    proc_spec->argv = fence_wrap(spec->fence, spec, &pipes, arena);
    rc = proc_start(&launch->proc, proc_spec, err);
    return rc < 0 || !has_proxy ? rc : open_gate(launch, spec, &gate, err);
}

static int start(struct launch *launch, const struct sandbox_spec *spec, bool is_service, struct err *err) {
    CLEANUP(arena_destroyp) struct arena *arena = arena_create();
    CLEANUP(ends_close) struct ends ends = {-1, -1, -1};
    struct proc_limit limits[LIMIT_COUNT];

    int rc = make_folders(arena, spec, err);
    if (rc == 0)
        rc = make_pipes(launch, spec, &ends, err);
    if (rc < 0)
        return rc;
    struct proc_spec proc_spec = {
        .argv = spec->argv,
        .env = make_environment(arena, spec, launch->tag.variable),
        .dir = spec->dir,
        .stdin_fd = ends.input,
        .stdout_fd = ends.output,
        .stderr_fd = ends.error,
        .limits = limits,
        .limit_count = make_limits(spec, is_service, launch->tag.mark, limits),
        .is_session = true,
        .dies_with_parent = true,
        .no_new_privileges = true,
    };
    launch->started_mono_ms = clock_mono_ms();
    return fence_is_up(spec->fence) ? start_fenced(launch, spec, &proc_spec, arena, err)
                                    : proc_start(&launch->proc, &proc_spec, err);
}

/* What runs already, though it cannot go on. */
static void abandon(struct launch *launch) {
    struct proc_exit exit;
    struct err ignored;
    if (launch->proc.pidfd >= 0)
        (void)!launch_end(launch, &exit, &ignored);
}

int launch_start(struct launch *out, const struct sandbox_spec *spec, bool is_service, struct err *err) {
    if (!spec->argv || !spec->argv[0] || !spec->dir || !spec->home)
        return err_set(err, ERR_VALIDATION, "a command needs a program, a folder and a home");
    *out = (struct launch){.output_fd = -1, .error_fd = -1, .input_fd = -1, .proc.pidfd = -1};
    tag_make(&out->tag);
    int rc = start(out, spec, is_service, err);
    if (out->proc.pidfd >= 0) {
        tree_init(&out->tree, out->proc.pid, &out->tag);
        out->tree.has_fence = fence_is_up(spec->fence);
    }
    if (rc < 0) {
        abandon(out);
        launch_release(out);
        return rc;
    }
    be_modest(out->proc.pid);
    return 0;
}

int launch_end(struct launch *launch, struct proc_exit *out, struct err *err) {
    int64_t deadline_mono_ms = clock_mono_ms() + KILL_MS;
    bool is_empty = tree_kill(&launch->tree, deadline_mono_ms);
    if (proc_wait(&launch->proc, deadline_mono_ms + 1000, out, err) < 0)
        return err_wrap(err, "a command cannot be killed");
    if (!is_empty)
        return err_set(err, ERR_INTERNAL, "processes that a command started cannot be killed");
    return 0;
}

void launch_release(struct launch *launch) {
    proxy_stop(launch->proxy);
    mem_closep(&launch->output_fd);
    mem_closep(&launch->error_fd);
    mem_closep(&launch->input_fd);
    proc_release(&launch->proc);
    tree_release(&launch->tree);
    mem_freep(&launch->tag.variable);
}
