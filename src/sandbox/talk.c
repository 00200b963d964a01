/* talk: what waits to be read by a command, which reads when it likes. */
#include "sandbox/talk.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum { WAITING_MAX_BYTES = 4 << 20 };

void talk_init(struct sandbox_talk *talk, const struct sandbox_spec *spec, int *fd) {
    *talk = (struct sandbox_talk){.fd = fd, .is_closing = !spec->on_talk};
    if (spec->input)
        buf_put(&talk->waiting, spec->input, spec->input_len);
}

void talk_release(struct sandbox_talk *talk) {
    buf_release(&talk->waiting);
}

bool talk_is_due(const struct sandbox_talk *talk) {
    return *talk->fd >= 0 && (talk->waiting.len > 0 || talk->is_closing);
}

/* Without a SIGPIPE, whoever handles that in this process. */
static ssize_t write_quietly(int fd, const void *data, size_t len) {
    static const struct timespec at_once = {0};
    sigset_t pipe_signal, before;
    (void)sigemptyset(&pipe_signal);
    (void)sigaddset(&pipe_signal, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
    ssize_t done = write(fd, data, len);
    int errnum = errno;
    if (done < 0 && errnum == EPIPE && !sigismember(&before, SIGPIPE))
        (void)sigtimedwait(&pipe_signal, NULL, &at_once);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = errnum;
    return done;
}

void talk_flush(struct sandbox_talk *talk) {
    while (*talk->fd >= 0 && talk->waiting.len > 0) {
        ssize_t done = write_quietly(*talk->fd, talk->waiting.data, talk->waiting.len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (done < 0) {
            buf_reset(&talk->waiting);
            mem_closep(talk->fd);
            return;
        }
        buf_consume(&talk->waiting, (size_t)done);
    }
    if (talk->is_closing)
        mem_closep(talk->fd);
}

bool sandbox_talk_send(struct sandbox_talk *talk, const char *data, size_t len) {
    if (*talk->fd < 0 || talk->is_closing || len > WAITING_MAX_BYTES - talk->waiting.len)
        return false;
    buf_put(&talk->waiting, data, len);
    return true;
}

void sandbox_talk_close(struct sandbox_talk *talk) {
    talk->is_closing = true;
}

void sandbox_talk_end(struct sandbox_talk *talk, int64_t grace_ms) {
    talk->is_closing = talk->is_over = true;
    talk->end_mono_ms = clock_mono_ms() + grace_ms;
}
