/* linger: a closed connection whose peer may still be sending is kept and drained for a while, since closing it with
 * bytes unread makes the kernel send a reset, which can destroy the answer on its way. Source: RFC 9112 section 9.6. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/internal.h"

enum { MAX_LINGERING = 512, DRAIN_BYTES = 1024 * 1024, DRAIN_TURNS = 8 };

struct lingerer {
    struct list node;
    struct http_loop *loop;
    struct http_watch *watch;
    int fd;
    int64_t until_ms;
};

static void finish(struct lingerer *lingerer) {
    http_watch_remove(lingerer->watch);
    (void)close(lingerer->fd);
    list_remove(&lingerer->node);
    lingerer->loop->lingering--;
    free(lingerer);
}

static void on_ready(struct http_watch *watch, uint32_t ready, void *arg) {
    struct lingerer *lingerer = arg;

    for (int turn = 0; turn < DRAIN_TURNS; turn++) {
        /* MSG_TRUNC throws the bytes away without copying them. */
        ssize_t got = recv(lingerer->fd, NULL, DRAIN_BYTES, MSG_TRUNC | MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0) {
            finish(lingerer);
            return;
        }
    }
}

bool linger_owns(const struct http_watch *watch) {
    return watch->fn == on_ready;
}

void linger_start(struct http_loop *loop, int fd) {
    struct lingerer *lingerer = mem_alloc(sizeof(*lingerer));

    (void)shutdown(fd, SHUT_WR);
    lingerer->loop = loop;
    lingerer->fd = fd;
    lingerer->until_ms = clock_mono_ms() + LINGER_MS;
    if (loop->lingering >= MAX_LINGERING ||
        http_loop_watch(loop, fd, EPOLLIN, on_ready, lingerer, &lingerer->watch, NULL)) {
        (void)close(fd);
        free(lingerer);
        return;
    }
    list_append(&loop->lingerers, &lingerer->node);
    loop->lingering++;
}

void linger_sweep(struct http_loop *loop) {
    list_for_each (node, next, &loop->lingerers) {
        struct lingerer *lingerer = container_of(node, struct lingerer, node);
        if (lingerer->until_ms > loop->now_ms)
            return;
        finish(lingerer);
    }
}

void linger_end_all(struct http_loop *loop) {
    list_for_each (node, next, &loop->lingerers)
        finish(container_of(node, struct lingerer, node));
}
