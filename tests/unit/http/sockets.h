/* sockets: a server of WebSockets that do as they are told, for the tests of this layer. What is said to one comes
 * back, but for "count N PAD" (the numbers 1 to N, each with PAD bytes more), "close CODE REASON", and "end". */
#ifndef TEST_HTTP_SOCKETS_H
#define TEST_HTTP_SOCKETS_H

#include "frames.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "http/loop.h"

enum {
    MAX_MESSAGE_BYTES = 1024 * 1024,
    PING_MS = 20000,
    HEADER_TIMEOUT_MS = 15000,
    STALL_MS = 60000,
    SOCKETS_MAX = 64
};

struct fixture {
    struct http_server *server;
    int port;
    atomic_int open, messages, last_status;
    atomic_size_t pulled;
    atomic_llong last_bytes;
    sem_t began, closed, ticked, after;
    pthread_mutex_t lock; /* sockets, count, loop */
    struct http_websocket *sockets[SOCKETS_MAX];
    size_t count;
    struct http_loop *loop; /* of the last one */
};

struct sock {
    struct fixture *fixture;
    struct http_websocket *ws;
    bool has_begun, is_ending;
    int64_t at, last, pad;
};

static inline void on_message(void *arg, const char *data, size_t len, bool is_text) {
    struct sock *sock = arg;
    long long last, pad;
    int code, used = 0;

    atomic_fetch_add(&sock->fixture->messages, 1);
    if (is_text && sscanf(data, "count %lld %lld", &last, &pad) == 2) {
        sock->at = 0, sock->last = last, sock->pad = pad;
    } else if (is_text && sscanf(data, "close %d %n", &code, &used) == 1) {
        http_websocket_close(sock->ws, code, used ? data + used : "");
        http_websocket_send(sock->ws, true, "too late", 8);
        http_websocket_close(sock->ws, 1000, "too late");
    } else if (is_text && str_eq(data, "end")) {
        sock->is_ending = true;
    } else {
        http_websocket_send(sock->ws, is_text, data, len);
    }
}

/* Ten at a time. */
static inline enum http_next next(void *arg) {
    struct sock *sock = arg;
    struct buf line = {0};
    int count = 0;

    if (!sock->has_begun)
        (void)sem_post(&sock->fixture->began);
    sock->has_begun = true;
    for (; count < 10 && sock->at < sock->last; count++) {
        buf_reset(&line);
        buf_printf(&line, "%lld ", (long long)++sock->at);
        for (int64_t i = 0; i < sock->pad; i++)
            buf_putc(&line, 'x');
        http_websocket_send(sock->ws, true, line.data, line.len);
        atomic_fetch_add(&sock->fixture->pulled, line.len);
    }
    buf_release(&line);
    if (sock->is_ending)
        return HTTP_NEXT_END;
    return count ? HTTP_NEXT_DATA : HTTP_NEXT_IDLE;
}

static inline void on_tick(void *arg) {
    (void)sem_post(&((struct sock *)arg)->fixture->ticked);
}

static inline void on_close(void *arg) {
    struct sock *sock = arg;

    atomic_fetch_sub(&sock->fixture->open, 1);
    http_websocket_unref(sock->ws);
    (void)sem_post(&sock->fixture->closed);
    (void)sem_post(&sock->fixture->ticked);
    free(sock);
}

static const struct http_websocket_ops socket_ops = {
    .on_message = on_message, .next = next, .on_tick = on_tick, .on_close = on_close};

static inline void get_ws(struct http_request *request, struct http_reply *reply, void *context) {
    struct fixture *fixture = context;
    struct sock *sock = mem_alloc(sizeof(*sock));

    sock->fixture = fixture;
    atomic_fetch_add(&fixture->open, 1);
    sock->ws = http_reply_websocket(reply, &socket_ops, sock, MAX_MESSAGE_BYTES);
    assert_non_null(sock->ws);
    (void)pthread_mutex_lock(&fixture->lock);
    fixture->loop = http_request_loop(request);
    /* For the wakers, who hold on to it beyond its end. */
    if (fixture->count < SOCKETS_MAX)
        fixture->sockets[fixture->count++] = http_websocket_ref(sock->ws);
    (void)pthread_mutex_unlock(&fixture->lock);
}

static inline void get_mistake(struct http_request *request, struct http_reply *reply, void *context) {
    get_ws(request, reply, context);
    http_reply_error(reply, 500, "changed my mind");
}

static inline void after(struct http_request *request, const struct http_outcome *outcome, void *context) {
    struct fixture *fixture = context;
    atomic_store(&fixture->last_status, outcome->status);
    atomic_store(&fixture->last_bytes, (long long)outcome->body_bytes);
    (void)sem_post(&fixture->after);
}

static const struct http_route socket_routes[] = {
    {.method = HTTP_GET, .path = "/ws", .handle = get_ws, .is_inline = true},
    {.method = HTTP_GET, .path = "/pooled", .handle = get_ws},
    {.method = HTTP_GET, .path = "/mistake", .handle = get_mistake, .is_inline = true},
};

static inline int sockets_set_up(void **state) {
    struct fixture *fixture = mem_alloc(sizeof(*fixture));
    struct http_config config = {.routes = socket_routes,
                                 .route_count = ARRAY_LEN(socket_routes),
                                 .context = fixture,
                                 .hooks = {.after = after},
                                 .loop_count = 1,
                                 .pool_threads = 1,
                                 .header_timeout_ms = HEADER_TIMEOUT_MS,
                                 .websocket_ping_ms = PING_MS};

    (void)sem_init(&fixture->began, 0, 0);
    (void)sem_init(&fixture->closed, 0, 0);
    (void)sem_init(&fixture->ticked, 0, 0);
    (void)sem_init(&fixture->after, 0, 0);
    (void)pthread_mutex_init(&fixture->lock, NULL);
    fixture->server = server_open(&config);
    fixture->port = http_server_port(fixture->server);
    *state = fixture;
    return 0;
}

static inline void wake_all(struct fixture *fixture) {
    (void)pthread_mutex_lock(&fixture->lock);
    for (size_t i = 0; i < fixture->count; i++)
        http_websocket_wake(fixture->sockets[i]);
    (void)pthread_mutex_unlock(&fixture->lock);
}

static inline int sockets_tear_down(void **state) {
    struct fixture *fixture = *state;

    http_server_stop(fixture->server, 0);
    assert_int_equal(atomic_load(&fixture->open), 0);
    wake_all(fixture); /* harmless by now */
    http_server_destroy(fixture->server);
    wake_all(fixture);
    for (size_t i = 0; i < fixture->count; i++)
        http_websocket_unref(fixture->sockets[i]);
    free(fixture);
    return 0;
}

/* A WebSocket that has begun. */
static inline struct client socket_open(struct fixture *fixture) {
    struct client client = client_open(fixture->port);

    client_send(&client, HANDSHAKE_FOR("/ws"));
    expect_handshake(&client);
    wait_for(&fixture->began);
    return client;
}

static inline void do_nothing(void *arg) {
}

/* The server's clock goes on, and it looks at it at once: each open socket says when it was seen to, by `ticked`, and
 * once more if it was closed. */
static inline void advance(struct fixture *fixture, int64_t ms) {
    clock_advance_ms(ms);
    http_loop_post(fixture->loop, do_nothing, NULL);
}

static inline void advance_to_a_tick(struct fixture *fixture, int64_t ms) {
    while (sem_trywait(&fixture->ticked) == 0)
        continue;
    advance(fixture, ms);
    wait_for(&fixture->ticked);
}

#endif
