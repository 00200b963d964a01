/* proc: waiting for child processes, and signalling them. Starting them is proc_start's. */
#include "base/proc.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

/* The clock may be moved by a test while we wait: it is looked at this often. */
enum { LONGEST_POLL_MS = 1000 };

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static bool is_executable(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

bool proc_find_program(const char *name, const char *path_value, char *out, size_t out_size) {
    if (!name || !*name)
        return false;
    if (strchr(name, '/'))
        return is_executable(name) && str_copy(out, out_size, name);
    const char *at = path_value ? path_value : "/usr/local/bin:/usr/bin:/bin";
    while (*at) {
        size_t len = strcspn(at, ":");
        /* Relative parts of PATH would make what runs depend on the working directory. */
        if (*at == '/') {
            CLEANUP(mem_freep) char *path = mem_printf("%.*s/%s", (int)len, at, name);
            if (is_executable(path))
                return str_copy(out, out_size, path);
        }
        at += len;
        at += *at == ':';
    }
    return false;
}

/* 1 when it has ended, 0 when the deadline passed, -1 with errno. */
static int wait_for_end(int pidfd, int64_t deadline_mono_ms) {
    struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};
    for (;;) {
        int timeout_ms = -1;
        if (deadline_mono_ms != INT64_MAX) {
            int64_t now_ms = clock_mono_ms();
            int64_t left_ms = deadline_mono_ms > now_ms ? deadline_mono_ms - now_ms : 0;
            timeout_ms = left_ms < LONGEST_POLL_MS ? (int)left_ms : LONGEST_POLL_MS;
        }
        int ready = poll(&poll_fd, 1, timeout_ms);
        if (ready > 0)
            return 1;
        if (ready < 0 && errno != EINTR)
            return -1;
        if (ready == 0 && timeout_ms == 0)
            return 0;
    }
}

int proc_wait(struct proc *proc, int64_t deadline_mono_ms, struct proc_exit *out, struct err *err) {
    siginfo_t info = {0};
    struct rusage usage = {0};

    int ended = wait_for_end(proc->pidfd, deadline_mono_ms);
    if (ended < 0)
        return err_errno(err, ERR_INTERNAL, errno, "cannot wait for process %d", (int)proc->pid);
    if (ended == 0)
        return err_set(err, ERR_TIMEOUT, "process %d did not end in time", (int)proc->pid);
    /* The system call itself, since the C library's waitid leaves out the resource usage. By pidfd: a second call finds
     * nothing, and never another child whose pid is the same. */
    while (syscall(SYS_waitid, P_PIDFD, proc->pidfd, &info, WEXITED, &usage) < 0)
        if (errno != EINTR)
            return err_errno(err, ERR_INTERNAL, errno, "cannot reap process %d", (int)proc->pid);
    *out = (struct proc_exit){.usage = usage};
    if (info.si_code == CLD_EXITED) {
        out->code = info.si_status;
    } else {
        out->code = -1;
        out->signal = info.si_status;
    }
    return 0;
}

void proc_signal_group(const struct proc *proc, int signal) {
    /* Never 0 or 1: those would be our own group and everybody. */
    if (proc->pid > 1)
        (void)kill(-proc->pid, signal);
}

void proc_release(struct proc *proc) {
    if (!proc || proc->pid <= 0)
        return;
    mem_closep(&proc->pidfd);
    *proc = (struct proc){.pidfd = -1};
}
