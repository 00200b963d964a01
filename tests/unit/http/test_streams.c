/* Streams: wake-ups from other threads, slow and vanished readers, heartbeats, and stopping with streams open. */
#include "client.h"

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "http/loop.h"

enum { WAKES = 1000, READERS = 20 };

/* What the streams are cursors over: numbers from 1 to `last`. */
struct fixture {
    struct http_server *server;
    int port;
    atomic_int last, end; /* the stream ends after `end` */
    atomic_int open;
    sem_t closed, began;
    atomic_size_t pulled;
    pthread_mutex_t lock; /* streams, count */
    struct http_stream *streams[512];
    size_t count;
    atomic_int pad_bytes;
    struct http_loop *loop; /* of the last stream */
};

struct cursor {
    struct fixture *fixture;
    struct http_stream *stream;
    int at;
};

static enum http_next next(void *arg, struct buf *out) {
    struct cursor *cursor = arg;
    struct fixture *fixture = cursor->fixture;
    int last = atomic_load(&fixture->last), pad = atomic_load(&fixture->pad_bytes);

    if (cursor->at == 0)
        (void)sem_post(&fixture->began);
    /* Ten at a time. */
    for (int i = 0; i < 10 && cursor->at < last; i++) {
        buf_printf(out, "id: %d\n", ++cursor->at);
        for (int at = 0; at < pad; at++)
            buf_putc(out, 'x');
        buf_puts(out, "\n");
    }
    atomic_fetch_add(&fixture->pulled, out->len);
    if (cursor->at >= atomic_load(&fixture->end))
        return HTTP_NEXT_END;
    return out->len ? HTTP_NEXT_DATA : HTTP_NEXT_IDLE;
}

static void on_close(void *arg) {
    struct cursor *cursor = arg;
    struct fixture *fixture = cursor->fixture;

    atomic_fetch_sub(&fixture->open, 1);
    http_stream_unref(cursor->stream);
    (void)sem_post(&fixture->closed);
    free(cursor);
}

static const struct http_stream_ops ops = {.next = next, .on_close = on_close, .heartbeat = ": beat\n\n"};

static void get_stream(struct http_request *request, struct http_reply *reply, void *context) {
    struct fixture *fixture = context;
    struct cursor *cursor = mem_alloc(sizeof(*cursor));

    cursor->fixture = fixture;
    atomic_fetch_add(&fixture->open, 1);
    cursor->stream = http_reply_stream(reply, "text/event-stream", &ops, cursor);
    http_reply_header(reply, "Cache-Control", "no-cache");
    (void)pthread_mutex_lock(&fixture->lock);
    fixture->loop = http_request_loop(request);
    /* For the wakers, who hold on to it beyond its end. */
    if (fixture->count < ARRAY_LEN(fixture->streams))
        fixture->streams[fixture->count++] = http_stream_ref(cursor->stream);
    (void)pthread_mutex_unlock(&fixture->lock);
}

static void get_mistake(struct http_request *request, struct http_reply *reply, void *context) {
    get_stream(request, reply, context);
    http_reply_error(reply, 500, "changed my mind");
}

static const struct http_route routes[] = {
    {.method = HTTP_GET, .path = "/stream", .handle = get_stream, .is_inline = true},
    {.method = HTTP_GET, .path = "/pooled", .handle = get_stream},
    {.method = HTTP_GET, .path = "/mistake", .handle = get_mistake},
};

static int set_up(void **state) {
    struct fixture *fixture = mem_alloc(sizeof(*fixture));
    struct http_config config = {
        .routes = routes, .route_count = ARRAY_LEN(routes), .context = fixture, .loop_count = 2, .pool_threads = 2};

    (void)sem_init(&fixture->closed, 0, 0);
    (void)sem_init(&fixture->began, 0, 0);
    (void)pthread_mutex_init(&fixture->lock, NULL);
    atomic_store(&fixture->end, 1 << 30);
    fixture->server = server_open(&config);
    fixture->port = http_server_port(fixture->server);
    *state = fixture;
    return 0;
}

static void wake_all(struct fixture *fixture) {
    (void)pthread_mutex_lock(&fixture->lock);
    for (size_t i = 0; i < fixture->count; i++)
        http_stream_wake(fixture->streams[i]);
    (void)pthread_mutex_unlock(&fixture->lock);
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;

    http_server_stop(fixture->server, 5000);
    assert_int_equal(atomic_load(&fixture->open), 0);
    wake_all(fixture); /* harmless by now */
    http_server_destroy(fixture->server);
    wake_all(fixture);
    for (size_t i = 0; i < fixture->count; i++)
        http_stream_unref(fixture->streams[i]);
    free(fixture);
    return 0;
}

#define GET(target) "GET " target " HTTP/1.1\r\nHost: x\r\n\r\n"

static void *announce(void *arg) {
    struct fixture *fixture = arg;
    for (int i = 0; i < WAKES; i++) {
        atomic_fetch_add(&fixture->last, 1);
        wake_all(fixture);
    }
    return NULL;
}

static void check_dense(const struct answer *answer, int count) {
    const char *at = answer->body;
    for (int i = 1; i <= count; i++) {
        char line[32];
        int len = snprintf(line, sizeof(line), "id: %d\n\n", i);
        assert_int_equal(strncmp(at, line, (size_t)len), 0);
        at += len;
    }
    assert_int_equal(*at, 0);
}

/* The last wake-up of each writer must not be lost: without it a reader would wait for its tick. */
static void test_no_lost_wake_ups(void **state) {
    struct fixture *fixture = *state;
    static struct client clients[READERS];
    static struct answer answer;
    pthread_t writers[4];

    atomic_store(&fixture->end, 4 * WAKES);
    for (int i = 0; i < READERS; i++) {
        clients[i] = client_open(fixture->port);
        client_send(&clients[i], i % 2 ? GET("/stream") : GET("/pooled"));
    }
    for (int i = 0; i < READERS; i++)
        wait_for(&fixture->began);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&writers[i], NULL, announce, fixture), 0);
    for (int i = 0; i < READERS; i++) {
        client_answer(&clients[i], false, &answer);
        assert_int_equal(answer.status, 200);
        check_dense(&answer, 4 * WAKES);
        client_close(&clients[i]);
    }
    for (int i = 0; i < 4; i++)
        (void)pthread_join(writers[i], NULL);
    for (int i = 0; i < READERS; i++)
        wait_for(&fixture->closed);
}

static void test_one_at_a_time(void **state) {
    struct fixture *fixture = *state;
    struct client client = client_open(fixture->port);

    client_send(&client, GET("/stream"));
    assert_true(client_wait_for(&client, "\r\n\r\n"));
    wait_for(&fixture->began);
    for (int i = 1; i <= WAKES; i++) {
        char line[32];
        (void)snprintf(line, sizeof(line), "id: %d\n\n", i);
        atomic_store(&fixture->last, i);
        wake_all(fixture);
        assert_true(client_wait_for(&client, line));
        buf_reset(&client.in);
    }
    client_close(&client);
}

static void test_keep_alive_after_a_stream(void **state) {
    struct fixture *fixture = *state;
    struct client client = client_open(fixture->port);
    static struct answer answer;

    atomic_store(&fixture->last, 25);
    atomic_store(&fixture->end, 25);
    for (int i = 0; i < 3; i++) {
        client_send(&client, GET("/stream"));
        client_answer(&client, false, &answer);
        check_dense(&answer, 25);
        assert_string_equal(answer_header(&answer, "Cache-Control"), "no-cache");
    }
    client_send(&client, "HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    client_answer(&client, true, &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer_header(&answer, "Content-Type"), "text/event-stream");
    client_send(&client, GET("/mistake"));
    client_answer(&client, false, &answer);
    assert_int_equal(answer.status, 500);
    client_send(&client, "GET /stream HTTP/1.0\r\n\r\n");
    client_answer(&client, false, &answer);
    check_dense(&answer, 25);
    client_close(&client);
    for (int i = 0; i < 6; i++)
        wait_for(&fixture->closed);
}

/* 200 MB are there to be read, but nobody reads: only what fits into the sockets' buffers is asked for. */
static void test_slow_reader(void **state) {
    struct fixture *fixture = *state;
    struct client client = client_open(fixture->port), other = client_open(fixture->port);
    static struct answer answer;

    atomic_store(&fixture->pad_bytes, 20000);
    atomic_store(&fixture->last, 10000);
    atomic_store(&fixture->end, 10000);
    client_send(&client, GET("/stream"));
    wait_for(&fixture->began);
    size_t before;
    do {
        before = atomic_load(&fixture->pulled);
        assert_true(before < 50 * 1000 * 1000);
        wake_all(fixture);
        atomic_store(&fixture->pad_bytes, 20000);
        (void)client_read_more(&other, 300); /* nothing comes: a pause to see that nothing moves */
    } while (atomic_load(&fixture->pulled) != before || !before);
    client_answer(&client, false, &answer);
    assert_int_equal(answer.status, 200);
    assert_true(answer.body_len > 200 * 1000 * 1000);
    client_close(&client);
    client_close(&other);
}

static void test_vanished_readers(void **state) {
    struct fixture *fixture = *state;
    struct client reset = client_open(fixture->port), closed = client_open(fixture->port);
    struct linger hard = {.l_onoff = 1};

    client_send(&reset, GET("/stream"));
    client_send(&closed, GET("/stream"));
    wait_for(&fixture->began);
    wait_for(&fixture->began);
    (void)setsockopt(reset.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    client_close(&reset);
    client_close(&closed);
    clock_advance_ms(16000); /* found at the next tick */
    wait_for(&fixture->closed);
    wait_for(&fixture->closed);
    wake_all(fixture);
}

static void test_heartbeats(void **state) {
    struct fixture *fixture = *state;
    struct client client = client_open(fixture->port);

    client_send(&client, GET("/stream"));
    wait_for(&fixture->began);
    for (int i = 0; i < 3; i++) {
        clock_advance_ms(15000);
        assert_true(client_wait_for(&client, ": beat\n\n"));
        buf_reset(&client.in);
    }
    /* A tick finds what no wake-up announced. */
    atomic_store(&fixture->last, 1);
    clock_advance_ms(15000);
    assert_true(client_wait_for(&client, "id: 1\n"));
    client_close(&client);
}

static void test_many_idle_streams(void **state) {
    struct fixture *fixture = *state;
    static struct client clients[300];

    for (int i = 0; i < 300; i++) {
        clients[i] = client_open(fixture->port);
        client_send(&clients[i], GET("/stream"));
    }
    for (int i = 0; i < 300; i++)
        wait_for(&fixture->began);
    struct http_stats stats;
    http_server_stats(fixture->server, &stats);
    assert_int_equal(stats.streams, 300);
    atomic_store(&fixture->last, 3);
    wake_all(fixture);
    for (int i = 0; i < 300; i++) {
        assert_true(client_wait_for(&clients[i], "id: 3\n"));
        if (i % 3)
            client_close(&clients[i]);
    }
    /* Stopped with streams open, of living clients and of vanished ones. */
    http_server_stop(fixture->server, 20000);
    assert_int_equal(atomic_load(&fixture->open), 0);
    for (int i = 0; i < 300; i += 3) {
        assert_true(client_wait_for(&clients[i], "\r\n0\r\n\r\n"));
        assert_true(client_wait_closed(&clients[i]));
        client_close(&clients[i]);
    }
}

static void test_stop_does_not_wait_for_slow_readers(void **state) {
    struct fixture *fixture = *state;
    struct client client = client_open(fixture->port);

    atomic_store(&fixture->pad_bytes, 20000);
    atomic_store(&fixture->last, 10000);
    client_send(&client, GET("/stream"));
    wait_for(&fixture->began);
    http_server_stop(fixture->server, 200);
    assert_int_equal(atomic_load(&fixture->open), 0);
    client_close(&client);
}

struct watched {
    sem_t done;
    int fds[2];
    struct http_loop *loop;
    atomic_int calls;
};

static void on_ready(struct http_watch *watch, uint32_t ready, void *arg) {
    struct watched *watched = arg;
    char text[8];

    atomic_fetch_add(&watched->calls, 1);
    if (ready & EPOLLIN)
        assert_int_equal(read(watched->fds[0], text, sizeof(text)), 2);
    if (ready == EPOLLHUP)
        http_watch_remove(watch);
    (void)sem_post(&watched->done);
}

static void start_watching(void *arg) {
    struct watched *watched = arg;
    struct http_watch *watch = NULL;
    assert_int_equal(http_loop_watch(watched->loop, watched->fds[0], EPOLLIN, on_ready, watched, &watch, NULL), 0);
}

static void test_watches_and_posts(void **state) {
    struct fixture *fixture = *state;
    struct client client = client_open(fixture->port);
    struct watched watched = {0};

    (void)sem_init(&watched.done, 0, 0);
    assert_int_equal(pipe2(watched.fds, O_CLOEXEC), 0);
    client_send(&client, GET("/stream"));
    wait_for(&fixture->began);
    watched.loop = fixture->loop;
    http_loop_post(watched.loop, start_watching, &watched);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(write(watched.fds[1], "hi", 2), 2);
        wait_for(&watched.done);
    }
    http_server_stop(fixture->server, 2000);
    wait_for(&watched.done);
    assert_int_equal(atomic_load(&watched.calls), 4);
    (void)close(watched.fds[0]);
    (void)close(watched.fds[1]);
    client_close(&client);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_no_lost_wake_ups, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_at_a_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keep_alive_after_a_stream, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slow_reader, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_vanished_readers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_heartbeats, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_idle_streams, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stop_does_not_wait_for_slow_readers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_watches_and_posts, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
