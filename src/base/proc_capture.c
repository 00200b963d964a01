/* proc_capture: a child's standard output, from its start to its end, under a deadline. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/proc.h"

enum { LONGEST_POLL_MS = 1000, REAP_MS = 10000 };

/* Reads to the end of the pipe; what out has no room for is dropped. False when the deadline passed first. */
static bool read_all(int fd, int64_t deadline_mono_ms, struct buf *out) {
    char chunk[4096];
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        int64_t left_ms = deadline_mono_ms - clock_mono_ms();
        if (left_ms <= 0)
            return false;
        if (poll(&ready, 1, left_ms < LONGEST_POLL_MS ? (int)left_ms : LONGEST_POLL_MS) <= 0)
            continue;
        ssize_t got = read(fd, chunk, sizeof(chunk));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return true;
        buf_put(out, chunk, (size_t)got);
    }
}

int proc_capture(const struct proc_spec *spec, int64_t timeout_ms, struct buf *out, struct proc_exit *ended,
                 struct err *err) {
    int64_t deadline_ms = clock_mono_ms() + timeout_ms;
    struct proc_spec piped = *spec;
    struct proc proc;
    int fds[2];
    CLEANUP(mem_closep) int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere < 0 || pipe2(fds, O_CLOEXEC) < 0)
        return err_errno(err, ERR_UNAVAILABLE, errno, "cannot make a pipe");
    piped.stdout_fd = fds[1];
    if (piped.stderr_fd <= 0)
        piped.stderr_fd = nowhere;
    int result = proc_start(&proc, &piped, err);
    (void)close(fds[1]);
    if (!result) {
        if (!read_all(fds[0], deadline_ms, out))
            result = err_set(err, ERR_TIMEOUT, "%s did not end in time", spec->argv[0]);
        else
            result = proc_wait(&proc, deadline_ms, ended, err);
        if (result) {
            /* Killed and reaped, whatever it does. */
            struct proc_exit killed;
            struct err reap_err = {0};
            proc_signal_group(&proc, SIGKILL);
            (void)!proc_wait(&proc, clock_mono_ms() + REAP_MS, &killed, &reap_err);
        }
        proc_release(&proc);
    }
    (void)close(fds[0]);
    return result;
}
