/* launch: starting a command with its clean environment, its limits and its output pipe. */
#include "sandbox/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"

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
    OWN_VARIABLES = 5,
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

/* The kernel counts all threads of the user, so those that are there come on top. Root is not bound by it. */
static rlim_t process_limit(int64_t processes) {
    rlim_t wanted = or_default(processes, DEFAULT_PROCESSES);
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
    if (!is_service || spec->cpu_seconds > 0)
        limits[count++] = limit_of(RLIMIT_CPU, or_default(spec->cpu_seconds, DEFAULT_CPU_SECONDS));
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
        arena_printf(arena, "TMPDIR=%s/tmp", spec->home),
        "LANG=C.UTF-8",
    };
    size_t given = 0;
    while (spec->env && spec->env[given])
        given++;
    const char **env = arena_array(arena, given + OWN_VARIABLES + 1, sizeof(*env));
    size_t count = 0;
    for (size_t i = 0; i < OWN_VARIABLES; i++)
        if (i == 0 || !has_name(spec->env, own[i]))
            env[count++] = own[i];
    for (size_t i = 0; i < given; i++)
        if (!str_starts(spec->env[i], "PRAZIUM_SANDBOX="))
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

static int start(struct launch *launch, const struct sandbox_spec *spec, bool is_service, struct err *err) {
    CLEANUP(arena_destroyp) struct arena *arena = arena_create();
    struct proc_limit limits[LIMIT_COUNT];
    int ends[2];

    int rc = make_folders(arena, spec, err);
    if (rc < 0)
        return rc;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_errno(err, ERR_UNAVAILABLE, errno, "cannot make a pipe for %s", spec->argv[0]);
    launch->output_fd = ends[0];
    CLEANUP(mem_closep) int write_end = ends[1];
    /* Only our end: programs do not expect theirs not to block. */
    if (fcntl(launch->output_fd, F_SETFL, O_NONBLOCK) < 0)
        return err_errno(err, ERR_INTERNAL, errno, "cannot prepare a pipe for %s", spec->argv[0]);
    struct proc_spec proc_spec = {
        .argv = spec->argv,
        .env = make_environment(arena, spec, launch->tag.variable),
        .dir = spec->dir,
        .stdout_fd = write_end,
        .limits = limits,
        .limit_count = make_limits(spec, is_service, launch->tag.mark, limits),
        .is_session = true,
        .dies_with_parent = true,
        .no_new_privileges = true,
    };
    launch->started_mono_ms = clock_mono_ms();
    return proc_start(&launch->proc, &proc_spec, err);
}

int launch_start(struct launch *out, const struct sandbox_spec *spec, bool is_service, struct err *err) {
    if (!spec->argv || !spec->argv[0] || !spec->dir || !spec->home)
        return err_set(err, ERR_VALIDATION, "a command needs a program, a folder and a home");
    *out = (struct launch){.output_fd = -1, .proc.pidfd = -1};
    tag_make(&out->tag);
    int rc = start(out, spec, is_service, err);
    if (rc < 0) {
        launch_release(out);
        return rc;
    }
    tree_init(&out->tree, out->proc.pid, &out->tag);
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
    mem_closep(&launch->output_fd);
    proc_release(&launch->proc);
    tree_release(&launch->tree);
    mem_freep(&launch->tag.variable);
}
