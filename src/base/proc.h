/* proc: child processes. Every child leads its own process group and gets only the descriptors named here. */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/err.h"

struct buf;

struct proc_limit {
    int resource; /* RLIMIT_… */
    rlim_t value; /* soft and hard */
};

enum { PROC_FURTHER_FIRST = 4, PROC_FURTHER_MAX = 4 };

/* How to start a child. Zeroed means: stdin from /dev/null, stdout and stderr to /dev/null, environment empty,
 * working directory inherited. All other descriptors are closed in the child (close_range). */
struct proc_spec {
    const char *const
        *argv; /* NULL-terminated; argv[0] is looked up in PATH of env (absolute parts of it), or holds a '/' */
    const char *const *env; /* NULL-terminated "NAME=value"; NULL: empty */
    const char *dir;        /* working directory, or NULL */
    int stdin_fd;           /* <= 0: /dev/null */
    int stdout_fd;          /* <= 0: /dev/null */
    int stderr_fd;          /* <= 0: same as stdout */
    const int *further_fds; /* become 4, 5 … in the child */
    size_t further_count;   /* at most PROC_FURTHER_MAX */
    const struct proc_limit *limits;
    size_t limit_count;
    bool is_session;        /* setsid() instead of setpgid() */
    bool dies_with_parent;  /* PR_SET_PDEATHSIG SIGKILL (of the starting thread: see prctl(2)) */
    bool no_new_privileges; /* PR_SET_NO_NEW_PRIVS: set-user-id programs give it and its children nothing */
};

struct proc {
    pid_t pid; /* also the process group */
    int pidfd; /* readable when it ended */
};

struct proc_exit {
    int code;   /* exit status, or -1 when signalled */
    int signal; /* 0, or the signal that ended it */
    struct rusage usage;
};

/* Starts a child; returns once it runs the program. Fails with ERR_NOT_FOUND when the program does not exist. */
MUST_CHECK int proc_start(struct proc *proc, const struct proc_spec *spec, struct err *err);
/* Waits until it ends or deadline_mono_ms passes (ERR_TIMEOUT; INT64_MAX: for ever). Reaps it once. */
MUST_CHECK int proc_wait(struct proc *proc, int64_t deadline_mono_ms, struct proc_exit *out, struct err *err);
/* Sends a signal to the whole process group. Fine if it is gone. After proc_wait only directly, to end what the child
 * left behind: later the number may be another group's. */
void proc_signal_group(const struct proc *proc, int signal);
/* Closes pidfd; the child must have been waited for. */
void proc_release(struct proc *proc);
/* Runs a child to its end and appends what it writes to stdout; what out has no room for is dropped. spec's stdout_fd
 * is not used; stderr goes to /dev/null unless it is set. After timeout_ms the child's group is killed: ERR_TIMEOUT. */
MUST_CHECK int proc_capture(const struct proc_spec *spec, int64_t timeout_ms, struct buf *out, struct proc_exit *ended,
                            struct err *err);
/* PATH look-up of a program in the given PATH value (NULL: a default); true and its path when executable. */
bool proc_find_program(const char *name, const char *path_value, char *out, size_t out_size);

#endif
