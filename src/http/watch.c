/* watch: the epoll set of a loop: work posted from other threads, and descriptors watched. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/mem.h"
#include "http/internal.h"

struct posted {
    struct note note;
    void (*fn)(void *arg);
    void *arg;
};

static void on_posted(struct note *note) {
    struct posted *posted = container_of(note, struct posted, note);
    posted->fn(posted->arg);
    free(posted);
}

void http_loop_post(struct http_loop *loop, void (*fn)(void *arg), void *arg) {
    struct posted *posted = mem_alloc(sizeof(*posted));

    *posted = (struct posted){.note.fn = on_posted, .fn = fn, .arg = arg};
    if (!mailbox_put(loop->mailbox, &posted->note))
        free(posted);
}

int http_loop_watch(struct http_loop *loop, int fd, uint32_t events, http_watch_fn *fn, void *arg,
                    struct http_watch **out, struct err *err) {
    struct http_watch *watch = mem_alloc(sizeof(*watch));
    struct epoll_event event = {.events = events, .data.ptr = watch};

    *watch = (struct http_watch){.loop = loop, .fd = fd, .fn = fn, .arg = arg};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event)) {
        int failure = errno;
        free(watch);
        return err_errno(err, ERR_UNAVAILABLE, failure, "cannot watch a descriptor");
    }
    list_append(&loop->watches, &watch->node);
    *out = watch;
    return 0;
}

void http_watch_change(struct http_watch *watch, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (watch->loop)
        (void)epoll_ctl(watch->loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
}

void http_watch_remove(struct http_watch *watch) {
    struct http_loop *loop = watch->loop;

    if (!loop)
        return;
    (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->loop = NULL;
    list_remove(&watch->node);
    list_append(&loop->dead_watches, &watch->node); /* an event at hand may still name it */
}

void watches_free_dead(struct http_loop *loop) {
    list_for_each (node, next, &loop->dead_watches) {
        list_remove(node);
        free(container_of(node, struct http_watch, node));
    }
}
