/* proxy_link: one connection of a command to the outside. */
#include "sandbox/proxy_link.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/address.h"
#include "sandbox/hosts.h"

enum {
    HEAD_MAX_BYTES = 16 << 10,
    HEAD_MS = 10000,
    CONNECT_MS = 10000,
    WRITE_MS = 60000,
    IDLE_MS = 15 * 60 * 1000, /* a model may think for a while */
    CHUNK_BYTES = 32 << 10,
    HOST_SIZE = 256,
};

/* Until the descriptor is ready; false when the time is over or all is to end. */
static bool wait_for(const struct link *link, int fd, short events, int64_t timeout_ms) {
    struct pollfd fds[] = {{.fd = fd, .events = events}, {.fd = link->stop_fd, .events = POLLIN}};
    int64_t deadline_ms = clock_mono_ms() + timeout_ms;
    for (;;) {
        int64_t left_ms = deadline_ms - clock_mono_ms();
        int ready = poll(fds, ARRAY_LEN(fds), left_ms > 0 ? (int)left_ms : 0);
        if (ready < 0 && errno == EINTR)
            continue;
        return ready > 0 && !fds[1].revents;
    }
}

static bool is_later(ssize_t result) {
    return result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

static bool write_all(const struct link *link, int fd, const char *data, size_t len) {
    while (len > 0) {
        ssize_t done = send(fd, data, len, MSG_NOSIGNAL);
        if (done > 0) {
            data += done;
            len -= (size_t)done;
        } else if (!is_later(done) || !wait_for(link, fd, POLLOUT, WRITE_MS)) {
            return false;
        }
    }
    return true;
}

/* ---- to the other side */

static int connect_to(const struct link *link, const struct addrinfo *address) {
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int errnum = 0;
    socklen_t len = sizeof(errnum);
    if (fd < 0)
        return -1;
    bool is_there = connect(fd, address->ai_addr, address->ai_addrlen) == 0;
    if (!is_there && errno == EINPROGRESS)
        is_there = wait_for(link, fd, POLLOUT, CONNECT_MS) &&
                   getsockopt(fd, SOL_SOCKET, SO_ERROR, &errnum, &len) == 0 && errnum == 0;
    if (!is_there)
        mem_closep(&fd);
    return fd;
}

/* The descriptor, or -1; *is_refused if it is for the address. */
static int reach(const struct link *link, const char *host, int port, enum hosts_answer answer, bool *is_refused) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    char service[8];
    int fd = -1;
    (void)snprintf(service, sizeof(service), "%d", port);
    *is_refused = answer == HOSTS_REFUSED;
    if (*is_refused || getaddrinfo(host, service, &hints, &found) != 0)
        return -1;
    for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next) {
        if (answer == HOSTS_ALLOWED || net_address_is_public(at->ai_addr))
            fd = connect_to(link, at);
        else
            *is_refused = true;
    }
    freeaddrinfo(found);
    return fd;
}

/* ---- both ways */

/* False at the end of what from says. */
static bool pass_on(const struct link *link, int from, int to) {
    char data[CHUNK_BYTES];
    ssize_t len = recv(from, data, sizeof(data), 0);
    return is_later(len) || (len > 0 && write_all(link, to, data, (size_t)len));
}

static void relay(const struct link *link, int other) {
    struct pollfd fds[] = {
        {.fd = link->fd, .events = POLLIN}, {.fd = other, .events = POLLIN}, {.fd = link->stop_fd, .events = POLLIN}};
    while (fds[0].fd >= 0 || fds[1].fd >= 0) {
        int ready = poll(fds, ARRAY_LEN(fds), IDLE_MS);
        if (ready == 0 || fds[2].revents)
            return;
        if (ready > 0 && fds[0].revents && !pass_on(link, link->fd, other)) {
            (void)shutdown(other, SHUT_WR);
            fds[0].fd = -1;
        }
        if (ready > 0 && fds[1].revents && !pass_on(link, other, link->fd)) {
            (void)shutdown(link->fd, SHUT_WR);
            return; /* there is nothing more to be had */
        }
    }
}

/* ---- what is asked for */

/* The request's head into head, with what was read beyond it; its length, or 0. */
static size_t read_head(const struct link *link, struct buf *head) {
    int64_t deadline_ms = clock_mono_ms() + HEAD_MS;
    for (;;) {
        char *at = head->len ? strstr(head->data, "\r\n\r\n") : NULL;
        if (at)
            return (size_t)(at - head->data) + strlen("\r\n\r\n");
        char *room = buf_reserve(head, HEAD_MAX_BYTES / 4);
        if (!room || !wait_for(link, link->fd, POLLIN, deadline_ms - clock_mono_ms()))
            return 0;
        ssize_t len = recv(link->fd, room, HEAD_MAX_BYTES / 4, 0);
        if (len > 0)
            buf_added(head, (size_t)len);
        else if (!is_later(len))
            return 0;
    }
}

static void answer(const struct link *link, const char *status, const char *host, int port, const char *text) {
    char body[HOST_SIZE + 128], head[256];
    int len = snprintf(body, sizeof(body), "%s:%d %s\n", host, port, text);
    int head_len = snprintf(
        head, sizeof(head),
        "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n", status, len);
    if (write_all(link, link->fd, head, (size_t)head_len))
        (void)write_all(link, link->fd, body, (size_t)len);
}

struct request {
    char *method, *target, *version; /* NUL-terminated, in the head */
    char *fields;                    /* the lines after the first, each with its CRLF */
    char host[HOST_SIZE];
    int port;
    bool is_tunnel;
    const char *path; /* when it is none */
};

static bool split_target(struct request *request) {
    static const char scheme[] = "http://";
    char place[HOST_SIZE + 16];
    request->is_tunnel = str_eq(request->method, "CONNECT");
    if (request->is_tunnel)
        return hosts_split(request->target, request->host, sizeof(request->host), &request->port);
    if (strncasecmp(request->target, scheme, strlen(scheme)) != 0)
        return false;
    const char *at = request->target + strlen(scheme);
    size_t len = strcspn(at, "/?#");
    if (len == 0 || len + 4 > sizeof(place) || memchr(at, '@', len))
        return false;
    request->path = at[len] == '/' ? at + len : at[len] == '\0' ? "/" : NULL;
    (void)snprintf(place, sizeof(place), "%.*s", (int)len, at);
    const char *colon = strrchr(place, ':');
    if (!colon || strchr(colon, ']'))
        (void)snprintf(place + len, sizeof(place) - len, ":80");
    return request->path && hosts_split(place, request->host, sizeof(request->host), &request->port);
}

static bool parse(char *head, struct request *out) {
    char *end = strstr(head, "\r\n");
    char *first = strchr(head, ' '), *second = first ? strchr(first + 1, ' ') : NULL;
    if (!second || second > end)
        return false;
    *first = *second = *end = '\0';
    *out = (struct request){.method = head, .target = first + 1, .version = second + 1, .fields = end + 2};
    return str_starts(out->version, "HTTP/1.") && split_target(out);
}

static bool is_hop_field(const char *line) {
    static const char *const names[] = {"connection:", "keep-alive:", "proxy-", "upgrade:", "te:"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strncasecmp(line, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* The request as its server takes it. One a connection: the next may be for another. */
static bool send_request(const struct link *link, int other, const struct request *request, const char *rest,
                         size_t rest_len) {
    CLEANUP(buf_release) struct buf out = {0};
    buf_printf(&out, "%s %s HTTP/1.1\r\n", request->method, request->path);
    for (const char *line = request->fields; !str_starts(line, "\r\n");) {
        const char *next = strstr(line, "\r\n") + 2;
        if (!is_hop_field(line))
            buf_put(&out, line, (size_t)(next - line));
        line = next;
    }
    buf_puts(&out, "Connection: close\r\n\r\n");
    buf_put(&out, rest, rest_len);
    return write_all(link, other, out.data, out.len);
}

static void serve(const struct link *link) {
    static const char established[] = "HTTP/1.1 200 Connection established\r\n\r\n";
    CLEANUP(buf_release) struct buf head;
    struct request request;
    bool is_refused = false;
    buf_init(&head, HEAD_MAX_BYTES);
    size_t head_len = read_head(link, &head);
    if (head_len == 0)
        return;
    if (!parse(head.data, &request)) {
        answer(link, "400 Bad Request", "-", 0, "no request for a proxy");
        return;
    }
    enum hosts_answer allowed = hosts_check(link->hosts, request.host, request.port);
    CLEANUP(mem_closep) int other = reach(link, request.host, request.port, allowed, &is_refused);
    if (other < 0 && is_refused)
        link->on_refusal(link->arg, request.host, request.port);
    if (other < 0) {
        answer(link, is_refused ? "403 Forbidden" : "502 Bad Gateway", request.host, request.port,
               is_refused ? "is not among the hosts that may be spoken to from here" : "cannot be reached");
        return;
    }
    const char *rest = head.data + head_len;
    size_t rest_len = head.len - head_len;
    bool is_begun = request.is_tunnel ? write_all(link, link->fd, established, strlen(established)) &&
                                            write_all(link, other, rest, rest_len)
                                      : send_request(link, other, &request, rest, rest_len);
    if (is_begun)
        relay(link, other);
}

static void forward(const struct link *link) {
    bool is_refused;
    CLEANUP(mem_closep) int other = reach(link, "127.0.0.1", link->forward_port, HOSTS_ALLOWED, &is_refused);
    if (other >= 0)
        relay(link, other);
}

void link_run(struct link *link) {
    if (link->forward_port)
        forward(link);
    else
        serve(link);
    mem_closep(&link->fd);
}
