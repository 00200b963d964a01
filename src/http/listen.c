/* listen: the listening sockets, one a loop, and accepting from them. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "http/internal.h"

enum { BACKLOG = 1024, ACCEPT_TURNS = 64, PAUSE_MS = 200 };

int listen_parse(const char *text, struct listen_address *out, struct err *err) {
    const char *colon = strrchr(text, ':');
    char host[64] = "";
    int64_t port = 0;

    memset(out, 0, sizeof(*out));
    size_t len = colon ? (size_t)(colon - text) : 0;
    if (!colon || len >= sizeof(host) || !str_to_int(colon + 1, 0, 65535, &port))
        return err_set(err, ERR_VALIDATION, "%s is no address and port to listen on", text);
    memcpy(host, text, len);
    struct sockaddr_in *in = (struct sockaddr_in *)&out->address;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out->address;
    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        host[len - 1] = '\0';
        memmove(host, host + 1, len - 1);
    } else if (len == 0 || strcmp(host, "localhost") == 0) {
        (void)str_copy(host, sizeof(host), len ? "127.0.0.1" : "0.0.0.0");
    }
    if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t)port);
        out->len = sizeof(*in);
    } else if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons((uint16_t)port);
        out->len = sizeof(*in6);
    } else {
        return err_set(err, ERR_VALIDATION, "%s is no address and port to listen on", text);
    }
    return 0;
}

/* The first socket is bound without SO_REUSEPORT, so that it fails when another server has the port; it gets the option
 * afterwards, for its fellows to join. */
static int bind_and_listen(int fd, struct listen_address *address, bool is_first) {
    int on = 1;

    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)))
        return -1;
    if (address->address.ss_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){0}, sizeof(int));
    if (!is_first && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)))
        return -1;
    if (bind(fd, (struct sockaddr *)&address->address, address->len))
        return -1;
    if (is_first && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)))
        return -1;
    return listen(fd, BACKLOG);
}

int listen_open(struct listen_address *address, bool is_first, int *out, struct err *err) {
    int fd = socket(address->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return err_errno(err, ERR_UNAVAILABLE, errno, "socket");
    socklen_t len = sizeof(address->address);
    if (bind_and_listen(fd, address, is_first) || getsockname(fd, (struct sockaddr *)&address->address, &len)) {
        int result = err_errno(err, ERR_UNAVAILABLE, errno, "cannot listen");
        (void)close(fd);
        return result;
    }
    *out = fd;
    return 0;
}

static void pause_accepting(struct http_loop *loop) {
    http_watch_remove(loop->listener.watch);
    loop->listener.watch = NULL;
    loop->listener.retry_ms = loop->now_ms + PAUSE_MS;
    if (loop->next_sweep_ms > loop->listener.retry_ms)
        loop->next_sweep_ms = loop->listener.retry_ms;
}

static bool is_exhausted(int errnum) {
    return errnum == EMFILE || errnum == ENFILE || errnum == ENOBUFS || errnum == ENOMEM;
}

/* Level-triggered: without a pause, a connection that cannot be accepted would keep the loop spinning. */
static void on_ready(struct http_watch *watch, uint32_t ready, void *arg) {
    struct http_loop *loop = arg;
    struct http_server *server = loop->server;

    for (int turn = 0; turn < ACCEPT_TURNS; turn++) {
        struct sockaddr_storage address;
        socklen_t len = sizeof(address);
        if (atomic_load(&server->connections) >= server->config.max_connections) {
            pause_accepting(loop);
            return;
        }
        int fd = accept4(loop->listener.fd, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            (void)MHD_add_connection(loop->daemon, fd, (struct sockaddr *)&address, len);
        else if (is_exhausted(errno))
            pause_accepting(loop);
        else if (errno == ECONNABORTED || errno == EINTR)
            continue;
        if (fd < 0)
            return;
    }
}

void listen_resume(struct http_loop *loop) {
    struct listener *listener = &loop->listener;

    if (listener->fd < 0 || listener->watch || listener->retry_ms > loop->now_ms)
        return;
    if (http_loop_watch(loop, listener->fd, EPOLLIN, on_ready, loop, &listener->watch, NULL))
        listener->retry_ms = loop->now_ms + PAUSE_MS;
}

void listen_close(struct http_loop *loop) {
    struct listener *listener = &loop->listener;

    if (listener->watch)
        http_watch_remove(listener->watch);
    listener->watch = NULL;
    if (listener->fd >= 0)
        (void)close(listener->fd);
    listener->fd = -1;
}
