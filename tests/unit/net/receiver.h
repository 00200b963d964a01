/* receiver: an HTTP server of the test's own: keeps what it is sent, answers what the test says, or nothing at all. */
#ifndef TEST_NET_RECEIVER_H
#define TEST_NET_RECEIVER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/wait.h"

enum { RECEIVER_MAX = 512, RECEIVER_WAIT_MS = 60000 };

struct received {
    char *head; /* request line and headers */
    char *body;
    size_t body_len;
};

/* The answer to a request, as it goes over the wire; NULL: none ever comes. Called under the receiver's lock. */
typedef const char *receiver_fn(const struct received *request, void *arg);

struct receiver {
    receiver_fn *answer;
    void *arg;
    int listener, port;
    pthread_t thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t changed;
    struct received all[RECEIVER_MAX];
    size_t count;
    size_t accepted;
    int hanging, most_hanging;
    bool is_ending;
    struct receiver_peer {
        struct receiver *receiver;
        pthread_t thread;
        int fd;
    } peers[RECEIVER_MAX];
};

#define RECEIVER_OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static inline bool receiver_read(int fd, struct received *out) {
    struct buf seen = {0};
    char text[65536];
    for (;;) {
        const char *end = seen.len ? strstr(seen.data, "\r\n\r\n") : NULL;
        if (end) {
            const char *length = strcasestr(seen.data, "\r\nContent-Length:");
            size_t head = (size_t)(end + 4 - seen.data), body = 0;
            if (length && length < end)
                body = strtoul(length + 17, NULL, 10);
            if (seen.len >= head + body) {
                out->head = mem_strndup(seen.data, head);
                out->body = mem_strndup(seen.data + head, body);
                out->body_len = body;
                buf_release(&seen);
                return true;
            }
        }
        ssize_t got = recv(fd, text, sizeof(text), 0);
        if (got <= 0)
            break;
        buf_put(&seen, text, (size_t)got);
    }
    buf_release(&seen);
    return false;
}

static inline void *receiver_serve(void *arg) {
    struct receiver_peer *peer = arg;
    struct receiver *receiver = peer->receiver;
    struct received request;
    char byte;
    while (receiver_read(peer->fd, &request)) {
        pthread_mutex_lock(&receiver->lock);
        if (receiver->count == RECEIVER_MAX)
            abort();
        receiver->all[receiver->count++] = request;
        const char *answer = receiver->answer ? receiver->answer(&request, receiver->arg) : RECEIVER_OK;
        if (!answer && ++receiver->hanging > receiver->most_hanging)
            receiver->most_hanging = receiver->hanging;
        pthread_cond_broadcast(&receiver->changed);
        pthread_mutex_unlock(&receiver->lock);
        if (answer) {
            (void)!send(peer->fd, answer, strlen(answer), MSG_NOSIGNAL);
            continue;
        }
        (void)!recv(peer->fd, &byte, 1, 0); /* until the other side goes */
        pthread_mutex_lock(&receiver->lock);
        receiver->hanging--;
        pthread_cond_broadcast(&receiver->changed);
        pthread_mutex_unlock(&receiver->lock);
        break;
    }
    (void)shutdown(peer->fd, SHUT_RDWR);
    return NULL;
}

static inline void *receiver_accept(void *arg) {
    struct receiver *receiver = arg;
    for (;;) {
        int fd = accept4(receiver->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            return NULL;
        pthread_mutex_lock(&receiver->lock);
        if (receiver->is_ending || receiver->accepted == RECEIVER_MAX) {
            pthread_mutex_unlock(&receiver->lock);
            (void)close(fd);
            return NULL;
        }
        struct receiver_peer *peer = &receiver->peers[receiver->accepted++];
        peer->receiver = receiver;
        peer->fd = fd;
        if (pthread_create(&peer->thread, NULL, receiver_serve, peer) != 0)
            abort();
        pthread_mutex_unlock(&receiver->lock);
    }
}

/* answer NULL: 200 to everybody. */
static inline struct receiver *receiver_start(receiver_fn *answer, void *arg) {
    struct receiver *receiver = mem_alloc(sizeof(*receiver));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    receiver->answer = answer;
    receiver->arg = arg;
    pthread_mutex_init(&receiver->lock, NULL);
    wait_init(&receiver->changed);
    receiver->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(receiver->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(receiver->listener, 128), 0);
    assert_int_equal(getsockname(receiver->listener, (struct sockaddr *)&address, &len), 0);
    receiver->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&receiver->thread, NULL, receiver_accept, receiver), 0);
    return receiver;
}

static inline void receiver_stop(struct receiver *receiver) {
    pthread_mutex_lock(&receiver->lock);
    receiver->is_ending = true;
    pthread_mutex_unlock(&receiver->lock);
    (void)shutdown(receiver->listener, SHUT_RDWR);
    (void)pthread_join(receiver->thread, NULL);
    (void)close(receiver->listener);
    for (size_t i = 0; i < receiver->accepted; i++) {
        (void)shutdown(receiver->peers[i].fd, SHUT_RDWR);
        (void)pthread_join(receiver->peers[i].thread, NULL);
        (void)close(receiver->peers[i].fd);
    }
    for (size_t i = 0; i < receiver->count; i++) {
        free(receiver->all[i].head);
        free(receiver->all[i].body);
    }
    pthread_cond_destroy(&receiver->changed);
    pthread_mutex_destroy(&receiver->lock);
    free(receiver);
}

/* Waits until this many requests have come; how many there are. */
static inline size_t receiver_wait(struct receiver *receiver, size_t count) {
    int64_t deadline_ms = clock_mono_ms() + RECEIVER_WAIT_MS;
    pthread_mutex_lock(&receiver->lock);
    while (receiver->count < count && clock_mono_ms() < deadline_ms)
        (void)wait_ms(&receiver->changed, &receiver->lock, 1000);
    size_t seen = receiver->count;
    pthread_mutex_unlock(&receiver->lock);
    return seen;
}

/* The value of a header of the index-th request, in memory of the caller's (free()); NULL when it has none. */
static inline char *receiver_header(struct receiver *receiver, size_t index, const char *name) {
    char *line = mem_printf("\r\n%s: ", name), *value = NULL;
    pthread_mutex_lock(&receiver->lock);
    const char *at = index < receiver->count ? strcasestr(receiver->all[index].head, line) : NULL;
    if (at)
        value = mem_strndup(at + strlen(line), strcspn(at + strlen(line), "\r"));
    pthread_mutex_unlock(&receiver->lock);
    free(line);
    return value;
}

#endif
