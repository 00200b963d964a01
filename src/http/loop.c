/* loop: the rounds of one thread: libmicrohttpd's, the mailbox's, the listener's, those of what is watched; and their
 * end. */
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "http/internal.h"

enum { EVENTS = 64, SWEEP_MS = 1000, DRAIN_SWEEP_MS = 100 };

static void on_mailbox(struct http_watch *watch, uint32_t ready, void *arg) {
    mailbox_deliver(watch->loop->mailbox);
}

static void on_daemon(struct http_watch *watch, uint32_t ready, void *arg) {
    /* libmicrohttpd is run in every round. */
}

static struct MHD_Daemon *start_daemon(struct http_loop *loop) {
    /* Without a thread or a listener of its own, see the head of exchange.c and listen.c. TURBO: it does not shut a
     * socket down before it tells us that it closes it. */
    unsigned flags = MHD_USE_EPOLL | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE |
                     MHD_USE_NO_LISTEN_SOCKET | MHD_USE_TURBO | MHD_USE_ERROR_LOG;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, exchange_access, loop, MHD_OPTION_EXTERNAL_LOGGER, overrule_logged, loop,
        MHD_OPTION_URI_LOG_CALLBACK, exchange_line, loop, MHD_OPTION_NOTIFY_COMPLETED, exchange_done, loop,
        MHD_OPTION_NOTIFY_CONNECTION, conn_notify, loop, MHD_OPTION_UNESCAPE_CALLBACK, conn_noop_unescape, loop,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY_BYTES, MHD_OPTION_CONNECTION_LIMIT, 1U << 20,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)WRITE_TIMEOUT_S, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
}

int loop_create(struct http_server *server, struct http_loop *loop, struct err *err) {
    struct list *lists[] = {&loop->conns,     &loop->streams, &loop->websockets,
                            &loop->lingerers, &loop->watches, &loop->dead_watches};
    struct http_watch *watch;

    loop->server = server;
    loop->listener.fd = -1;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        list_init(lists[i]);
    hash_random(&loop->id_state, sizeof(loop->id_state));
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0)
        return err_errno(err, ERR_UNAVAILABLE, errno, "epoll");
    int result = mailbox_create(&loop->mailbox, err);
    if (result)
        return result;
    loop->daemon = start_daemon(loop);
    const union MHD_DaemonInfo *info =
        loop->daemon ? MHD_get_daemon_info(loop->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info)
        return err_set(err, ERR_UNAVAILABLE, "libmicrohttpd does not start");
    result = http_loop_watch(loop, info->epoll_fd, EPOLLIN, on_daemon, NULL, &watch, err);
    return result ? result : http_loop_watch(loop, loop->mailbox->event_fd, EPOLLIN, on_mailbox, NULL, &watch, err);
}

void loop_release(struct http_loop *loop) {
    if (!loop->server)
        return;
    listen_close(loop);
    if (loop->daemon)
        MHD_stop_daemon(loop->daemon);
    if (loop->mailbox)
        mailbox_close(loop->mailbox);
    linger_end_all(loop);
    list_for_each (node, next, &loop->watches)
        http_watch_remove(container_of(node, struct http_watch, node));
    watches_free_dead(loop);
    request_release_spares(loop);
    buf_release(&loop->portion);
    mailbox_unref(loop->mailbox);
    if (loop->epoll_fd >= 0)
        (void)close(loop->epoll_fd);
}

static int wait_ms(struct http_loop *loop) {
    MHD_UNSIGNED_LONG_LONG daemon_ms = 0;
    int64_t wait = -1;

    bool must_sweep = !list_is_empty(&loop->conns) || loop->lingering || loop->is_draining ||
                      (loop->listener.fd >= 0 && !loop->listener.watch);
    if (must_sweep)
        wait = loop->next_sweep_ms > loop->now_ms ? loop->next_sweep_ms - loop->now_ms : 0;
    if (MHD_get_timeout(loop->daemon, &daemon_ms) == MHD_YES && (wait < 0 || (int64_t)daemon_ms < wait))
        wait = (int64_t)daemon_ms;
    return (int)wait;
}

static void sweep(struct http_loop *loop) {
    if (loop->now_ms < loop->next_sweep_ms)
        return;
    bool is_hurried = loop->is_draining || (loop->listener.fd >= 0 && !loop->listener.watch);
    loop->next_sweep_ms = loop->now_ms + (is_hurried ? DRAIN_SWEEP_MS : SWEEP_MS);
    conn_sweep(loop);
    streams_tick(loop);
    websockets_sweep(loop);
    linger_sweep(loop);
    listen_resume(loop);
}

static void run_once(struct http_loop *loop) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(loop->epoll_fd, events, EVENTS, wait_ms(loop));

    loop->now_ms = clock_mono_ms();
    for (int i = 0; i < count; i++) {
        struct http_watch *watch = events[i].data.ptr;
        if (watch->loop)
            watch->fn(watch, events[i].events, watch->arg);
    }
    (void)MHD_run(loop->daemon);
    sweep(loop);
    watches_free_dead(loop);
}

static void cut_idle(struct http_loop *loop) {
    list_for_each (node, next, &loop->conns) {
        struct conn *conn = container_of(node, struct conn, node);
        if (conn->stage == CONN_WAITING && !conn->request)
            conn_cut(conn);
    }
    loop->is_idle_cut = true;
}

static void cut_all(struct http_loop *loop) {
    loop->is_cut = true;
    list_for_each (node, next, &loop->conns)
        conn_cut(container_of(node, struct conn, node));
    websockets_cut(loop);
    linger_end_all(loop);
}

/* libmicrohttpd may not be stopped while a connection is suspended. Those of WebSockets are among conns to their end.
 */
static bool is_finished(const struct http_loop *loop) {
    bool is_quiet = list_is_empty(&loop->conns) && !loop->lingering;
    return loop->is_draining && !loop->suspended && (is_quiet || loop->is_cut);
}

static void on_drain(struct note *note) {
    struct http_loop *loop = container_of(note, struct http_loop, drain_note);

    loop->is_draining = true;
    loop->cut_ms = atomic_load(&loop->server->grace_until_ms);
    loop->next_sweep_ms = 0;
    listen_close(loop);
    streams_end(loop);
    websockets_end(loop);
    list_for_each (node, next, &loop->watches) {
        struct http_watch *watch = container_of(node, struct http_watch, node);
        bool is_own = watch->fn == on_mailbox || watch->fn == on_daemon;
        if (!is_own && !linger_owns(watch) && !websocket_owns(watch))
            watch->fn(watch, EPOLLHUP, watch->arg);
    }
}

static void *loop_main(void *arg) {
    struct http_loop *loop = arg;
    const struct http_config *config = &loop->server->config;

    (void)pthread_setname_np(pthread_self(), "http-loop");
    loop->thread_state = config->hooks.thread_start ? config->hooks.thread_start(config->context) : NULL;
    loop->now_ms = clock_mono_ms();
    listen_resume(loop);
    while (!is_finished(loop)) {
        run_once(loop);
        if (loop->is_draining && !loop->is_idle_cut)
            cut_idle(loop); /* after a round that read what had come by then */
        if (loop->is_draining && !loop->is_cut && loop->now_ms >= loop->cut_ms)
            cut_all(loop);
    }
    /* Here, so that hooks and streams meet only this thread. */
    loop->is_cut = true;
    MHD_stop_daemon(loop->daemon);
    loop->daemon = NULL;
    mailbox_close(loop->mailbox);
    if (config->hooks.thread_stop)
        config->hooks.thread_stop(loop->thread_state, config->context);
    return NULL;
}

int loop_start(struct http_loop *loop, struct err *err) {
    loop->drain_note.fn = on_drain;
    int failure = thread_start(&loop->thread, loop_main, loop);
    if (failure)
        return err_errno(err, ERR_UNAVAILABLE, failure, "cannot start a thread");
    loop->is_started = true;
    return 0;
}
