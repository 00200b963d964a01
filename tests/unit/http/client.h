/* client: a raw HTTP client for the tests of this layer; every wait has a deadline. */
#ifndef TEST_HTTP_CLIENT_H
#define TEST_HTTP_CLIENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "http/http.h"

enum { CLIENT_WAIT_MS = 20000 };

/* What was received and not yet taken. */
struct client {
    int fd;
    struct buf in;
    bool is_closed; /* by the peer */
};

struct answer {
    int status;
    char head[8192];
    char body[65536];
    size_t body_len; /* all of it; body has its start */
};

/* For what a handler or a hook signals. */
static inline void wait_for(sem_t *event) {
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += CLIENT_WAIT_MS / 1000;
    assert_int_equal(sem_timedwait(event, &until), 0);
}

static inline struct client client_open(int port) {
    struct client client = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(client.fd >= 0);
    assert_int_equal(connect(client.fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return client;
}

static inline void client_close(struct client *client) {
    if (client->fd >= 0)
        (void)close(client->fd);
    client->fd = -1;
    buf_release(&client->in);
}

static inline void client_send_bytes(struct client *client, const void *data, size_t len) {
    const char *at = data;
    while (len) {
        ssize_t sent = send(client->fd, at, len, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
            return; /* the server may refuse before it has read everything */
        assert_true(sent > 0);
        at += sent;
        len -= (size_t)sent;
    }
}

static inline void client_send(struct client *client, const char *text) {
    client_send_bytes(client, text, strlen(text));
}

/* More bytes, or is_closed. False after the deadline. */
static inline bool client_read_more(struct client *client, int wait_ms) {
    struct pollfd ready = {.fd = client->fd, .events = POLLIN};
    if (client->is_closed || poll(&ready, 1, wait_ms) <= 0)
        return false;
    char *at = buf_reserve(&client->in, 65536);
    ssize_t got = recv(client->fd, at, 65536, 0);
    if (got <= 0)
        client->is_closed = true;
    else
        buf_added(&client->in, (size_t)got);
    return true;
}

/* Waits until text is among what was received; false if the connection ended or the deadline passed first. */
static inline bool client_wait_for(struct client *client, const char *text) {
    while (!client->in.len || !memmem(client->in.data, client->in.len, text, strlen(text))) {
        if (client->is_closed || !client_read_more(client, CLIENT_WAIT_MS))
            return false;
    }
    return true;
}

static inline bool client_wait_closed(struct client *client) {
    while (!client->is_closed) {
        if (!client_read_more(client, CLIENT_WAIT_MS))
            return false;
    }
    return true;
}

static inline const char *answer_header(const struct answer *answer, const char *name) {
    static char value[1024];
    char start[128];
    (void)snprintf(start, sizeof(start), "\r\n%s: ", name);
    const char *at = strcasestr(answer->head, start);
    if (!at)
        return NULL;
    at += strlen(start);
    (void)snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\r"), at);
    return value;
}

static inline void client_take(struct client *client, struct answer *answer, size_t len) {
    while (client->in.len < len)
        assert_true(client_read_more(client, CLIENT_WAIT_MS) && !client->is_closed);
    size_t room = sizeof(answer->body) - 1 > answer->body_len ? sizeof(answer->body) - 1 - answer->body_len : 0;
    memcpy(answer->body + (room ? answer->body_len : 0), client->in.data, len < room ? len : room);
    answer->body_len += len;
    buf_consume(&client->in, len);
}

static inline void client_take_chunks(struct client *client, struct answer *answer) {
    for (;;) {
        assert_true(client_wait_for(client, "\r\n"));
        size_t len = strtoul(client->in.data, NULL, 16);
        char *end = strstr(client->in.data, "\r\n");
        buf_consume(&client->in, (size_t)(end - client->in.data) + 2);
        client_take(client, answer, len);
        assert_true(client_wait_for(client, "\r\n"));
        buf_consume(&client->in, 2);
        if (!len)
            return;
    }
}

/* Reads one answer; status 0: the connection ended without one. */
static inline void client_answer(struct client *client, bool is_head, struct answer *answer) {
    memset(answer, 0, sizeof(*answer));
    if (!client_wait_for(client, "\r\n\r\n"))
        return;
    char *end = strstr(client->in.data, "\r\n\r\n");
    size_t len = (size_t)(end - client->in.data) + 4;
    assert_true(len < sizeof(answer->head));
    memcpy(answer->head, client->in.data, len);
    buf_consume(&client->in, len);
    answer->status = atoi(answer->head + 9);
    if (is_head || answer->status == 204 || answer->status == 304 || answer->status == 100)
        return;
    const char *length = answer_header(answer, "Content-Length");
    if (length) {
        client_take(client, answer, strtoul(length, NULL, 10));
    } else if (answer_header(answer, "Transfer-Encoding")) {
        client_take_chunks(client, answer);
    } else {
        assert_true(client_wait_closed(client));
        client_take(client, answer, client->in.len);
    }
}

/* One request on a connection of its own. */
static inline void exchange(int port, const char *text, struct answer *answer) {
    struct client client = client_open(port);
    client_send(&client, text);
    client_answer(&client, strncmp(text, "HEAD ", 5) == 0, answer);
    client_close(&client);
}

static inline struct http_server *server_open(struct http_config *config) {
    struct http_server *server = NULL;
    struct err err = {0};
    if (!config->listen)
        config->listen = "127.0.0.1:0";
    if (http_server_start(config, &server, &err))
        fail_msg("%s", err.message);
    return server;
}

#endif
