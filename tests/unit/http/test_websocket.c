/* WebSockets over real sockets: messages, what comes together with the handshake, wake-ups, slow readers, pings. */
#include "sockets.h"

enum { WAKES = 500 };

static void test_messages(void **state) {
    static const size_t lengths[] = {0, 1, 125, 126, 127, 4095, 4096, 65535, 65536, 200000};
    struct client client = socket_open(*state);
    char *data = mem_alloc(200000);

    for (size_t i = 0; i < 200000; i++)
        data[i] = (char)('a' + i % 23);
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        send_frame(&client, FIN | TEXT, data, lengths[i]);
        expect_frame(&client, TEXT, data, lengths[i]);
        send_frame(&client, FIN | BINARY, data, lengths[i]);
        expect_frame(&client, BINARY, data, lengths[i]);
    }
    free(data);
    client_close(&client);
}

static void test_fragments(void **state) {
    struct client client = socket_open(*state);

    send_frame(&client, TEXT, "he", 2);
    send_frame(&client, FIN | PING, "amid", 4);
    expect_frame(&client, PONG, "amid", 4);
    send_frame(&client, CONTINUATION, "ll", 2);
    send_frame(&client, FIN | PONG, "", 0); /* nobody asked */
    send_frame(&client, FIN | CONTINUATION, "o", 1);
    expect_text(&client, "hello");
    send_frame(&client, BINARY, "\xff", 1);
    send_frame(&client, FIN | CONTINUATION, "\xfe", 1);
    expect_frame(&client, BINARY, "\xff\xfe", 2);
    send_frame(&client, TEXT, "\xe2\x82", 2);
    send_frame(&client, FIN | CONTINUATION, "\xac", 1);
    expect_text(&client, "\u20ac");
    client_close(&client);
}

/* Frames that arrive byte by byte, and many in one piece. */
static void test_pieces(void **state) {
    struct client client = socket_open(*state);
    struct buf bytes = {0};

    put_frame(&bytes, TEXT, "he", 2);
    put_frame(&bytes, FIN | PING, "p", 1);
    put_frame(&bytes, FIN | CONTINUATION, "llo", 3);
    for (size_t i = 0; i < bytes.len; i++)
        client_send_bytes(&client, bytes.data + i, 1);
    expect_frame(&client, PONG, "p", 1);
    expect_text(&client, "hello");
    buf_reset(&bytes);
    for (int i = 0; i < 5000; i++) {
        char text[16];
        put_frame(&bytes, FIN | TEXT, text, (size_t)snprintf(text, sizeof(text), "%d", i));
    }
    client_send_bytes(&client, bytes.data, bytes.len);
    for (int i = 0; i < 5000; i++) {
        char text[16];
        (void)snprintf(text, sizeof(text), "%d", i);
        expect_text(&client, text);
    }
    buf_release(&bytes);
    client_close(&client);
}

/* A client may send with its handshake what it would send after it. */
static void test_early_data(void **state) {
    struct fixture *fixture = *state;
    static const size_t counts[] = {1, 100, 600};

    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        struct client client = client_open(fixture->port);
        struct buf bytes = {0};
        buf_puts(&bytes, i % 2 ? HANDSHAKE_FOR("/pooled") : HANDSHAKE_FOR("/ws"));
        for (size_t k = 0; k < counts[i]; k++) {
            char text[32];
            put_frame(&bytes, FIN | TEXT, text, (size_t)snprintf(text, sizeof(text), "early %zu", k));
        }
        put_frame(&bytes, FIN | CLOSE, "\x03\xe8", 2);
        client_send_bytes(&client, bytes.data, bytes.len);
        buf_release(&bytes);
        expect_handshake(&client);
        for (size_t k = 0; k < counts[i]; k++) {
            char text[32];
            (void)snprintf(text, sizeof(text), "early %zu", k);
            expect_text(&client, text);
        }
        expect_close(&client, 1000, "");
        client_close(&client);
        wait_for(&fixture->closed);
    }
    /* Half of a frame early, and the rest late. */
    struct client client = client_open(fixture->port);
    struct buf bytes = {0};
    buf_puts(&bytes, HANDSHAKE_FOR("/ws"));
    put_frame(&bytes, FIN | TEXT, "hello", 5);
    client_send_bytes(&client, bytes.data, bytes.len - 3);
    expect_handshake(&client);
    client_send_bytes(&client, bytes.data + bytes.len - 3, 3);
    expect_text(&client, "hello");
    buf_release(&bytes);
    client_close(&client);
}

static void test_largest_message(void **state) {
    struct client client = socket_open(*state);
    char *data = mem_alloc(MAX_MESSAGE_BYTES + 1);

    memset(data, 'x', MAX_MESSAGE_BYTES + 1);
    send_frame(&client, FIN | TEXT, data, MAX_MESSAGE_BYTES);
    expect_frame(&client, TEXT, data, MAX_MESSAGE_BYTES);
    for (size_t sent = 0; sent < MAX_MESSAGE_BYTES; sent += 65536)
        send_frame(&client, (sent ? CONTINUATION : BINARY) | (sent + 65536 == MAX_MESSAGE_BYTES ? FIN : 0), data,
                   65536);
    expect_frame(&client, BINARY, data, MAX_MESSAGE_BYTES);
    /* Refused, though the peer does not stop: what says so arrives. */
    send_frame(&client, FIN | TEXT, data, MAX_MESSAGE_BYTES + 1);
    expect_close(&client, 1009, "");
    client_close(&client);
    client = socket_open(*state);
    send_frame(&client, TEXT, data, MAX_MESSAGE_BYTES);
    send_frame(&client, FIN | CONTINUATION, data, 1);
    expect_close(&client, 1009, "");
    client_close(&client);
    free(data);
}

static void take_numbers(struct client *client, int64_t last, size_t pad) {
    struct frame frame = {0};
    for (int64_t i = 1; i <= last; i++) {
        char number[32];
        int len = snprintf(number, sizeof(number), "%lld ", (long long)i);
        assert_true(take_frame(client, &frame));
        assert_int_equal(frame.opcode, TEXT);
        assert_int_equal(frame.len, (size_t)len + pad);
        assert_memory_equal(frame.data, number, (size_t)len);
    }
    frame_release(&frame);
}

/* 80 MB are there to be read, but nobody reads: only what fits into the sockets' buffers is asked for. */
static void test_slow_reader(void **state) {
    struct fixture *fixture = *state;
    struct client client = socket_open(fixture), other = socket_open(fixture);

    send_text(&client, "count 4000 20000");
    size_t before;
    do {
        before = atomic_load(&fixture->pulled);
        assert_true(before < 50 * 1000 * 1000);
        wake_all(fixture);
        send_text(&other, "go on");
        expect_text(&other, "go on");
        (void)client_read_more(&other, 300); /* nothing comes: a pause to see that nothing moves */
    } while (atomic_load(&fixture->pulled) != before || !before);
    take_numbers(&client, 4000, 20000);
    client_close(&client);
    client_close(&other);
}

struct sending {
    struct client client;
    int count;
    const char *data;
    size_t len;
};

static void *send_many(void *arg) {
    struct sending *sending = arg;
    for (int i = 0; i < sending->count; i++)
        send_frame(&sending->client, FIN | BINARY, sending->data, sending->len);
    return NULL;
}

/* Who sends and does not read what comes back is not read any further, and loses nothing. */
static void test_sender_that_does_not_read(void **state) {
    struct fixture *fixture = *state;
    char *data = mem_alloc(100000);
    struct sending sending = {.client = socket_open(fixture), .count = 400, .data = data, .len = 100000};
    pthread_t thread;
    int before;

    memset(data, 'x', sending.len);
    assert_int_equal(pthread_create(&thread, NULL, send_many, &sending), 0);
    struct client other = socket_open(fixture);
    do {
        before = atomic_load(&fixture->messages);
        send_text(&other, "go on");
        expect_text(&other, "go on");
        (void)client_read_more(&other, 300);
    } while (atomic_load(&fixture->messages) != before + 1);
    assert_true(before < 300); /* 30 MB */
    for (int i = 0; i < sending.count; i++)
        expect_frame(&sending.client, BINARY, data, sending.len);
    (void)pthread_join(thread, NULL);
    client_close(&sending.client);
    client_close(&other);
    free(data);
}

static void *wake_often(void *arg) {
    for (int i = 0; i < WAKES; i++)
        wake_all(arg);
    return NULL;
}

/* Wakers and messages at once: nothing is lost, and nothing comes twice. */
static void test_wakers(void **state) {
    struct fixture *fixture = *state;
    struct client clients[8];
    pthread_t threads[3];

    for (size_t i = 0; i < ARRAY_LEN(clients); i++)
        clients[i] = socket_open(fixture);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, wake_often, fixture), 0);
    for (size_t i = 0; i < ARRAY_LEN(clients); i++)
        send_text(&clients[i], "count 1000 10");
    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        take_numbers(&clients[i], 1000, 10);
        send_text(&clients[i], "still there?");
        expect_text(&clients[i], "still there?");
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        (void)pthread_join(threads[i], NULL);
    struct http_stats stats;
    http_server_stats(fixture->server, &stats);
    assert_int_equal(stats.websockets, ARRAY_LEN(clients));
    for (size_t i = 0; i < ARRAY_LEN(clients); i++)
        client_close(&clients[i]);
}

static void test_pings_of_the_client(void **state) {
    struct client client = socket_open(*state);
    char data[125];

    memset(data, 'p', sizeof(data));
    send_frame(&client, FIN | PING, data, sizeof(data));
    expect_frame(&client, PONG, data, sizeof(data));
    send_frame(&client, FIN | PING, "", 0);
    expect_frame(&client, PONG, "", 0);
    client_close(&client);
}

static void test_pings_of_the_server(void **state) {
    struct fixture *fixture = *state;
    struct client client = socket_open(fixture);

    for (int i = 0; i < 3; i++) {
        advance(fixture, PING_MS);
        expect_frame(&client, PING, "", 0);
        if (i == 1)
            send_text(&client, "any sign of life will do");
        else
            send_frame(&client, FIN | PONG, "", 0);
        if (i == 1)
            expect_text(&client, "any sign of life will do");
        send_frame(&client, FIN | PING, "seen", 4); /* what came before is read by then */
        expect_frame(&client, PONG, "seen", 4);
    }
    /* Whoever speaks is not asked. */
    for (int i = 0; i < 5; i++) {
        advance_to_a_tick(fixture, PING_MS / 2);
        send_text(&client, "here");
        expect_text(&client, "here");
    }
    client_close(&client);
}

static void test_unanswered_pings(void **state) {
    struct fixture *fixture = *state;
    struct client client = socket_open(fixture);

    advance(fixture, PING_MS);
    expect_frame(&client, PING, "", 0);
    advance(fixture, PING_MS);
    assert_int_equal(closing_code(&client, NULL), -1);
    wait_for(&fixture->closed);
    client_close(&client);
}

static void test_ticks(void **state) {
    struct fixture *fixture = *state;
    struct client client = socket_open(fixture);

    for (int i = 0; i < 3; i++) {
        advance_to_a_tick(fixture, 1000);
    }
    client_close(&client);
}

/* Whoever begins a message has to send it. */
static void test_message_that_does_not_come(void **state) {
    struct fixture *fixture = *state;
    struct client client = socket_open(fixture);

    send_frame(&client, TEXT, "beg", 3);
    send_frame(&client, FIN | PING, "", 0);
    expect_frame(&client, PONG, "", 0);
    advance_to_a_tick(fixture, 1000);
    /* 64 s for the bytes, 15 s besides. */
    for (int i = 0; i < 9; i++) {
        advance_to_a_tick(fixture, 7000);
        send_frame(&client, FIN | PING, "", 0);
        expect_frame(&client, PONG, "", 0);
    }
    advance(fixture, 64000 + HEADER_TIMEOUT_MS - 9 * 7000);
    expect_close(&client, 1008, "the message took too long");
    client_close(&client);
}

static void test_stalled_reader_is_cut(void **state) {
    struct fixture *fixture = *state;
    struct client client = socket_open(fixture);

    send_text(&client, "count 10000 20000");
    assert_true(client_wait_for(&client, "xxxx"));
    /* The first time, the last of what the socket's buffers take may still be moving. */
    for (int i = 0; i < 100 && sem_trywait(&fixture->closed) != 0; i++) {
        advance(fixture, STALL_MS);
        wait_for(&fixture->ticked);
    }
    assert_int_equal(atomic_load(&fixture->open), 0);
    client_close(&client);
}

static void test_outcome(void **state) {
    struct fixture *fixture = *state;
    struct client client = socket_open(fixture);

    send_text(&client, "hello");
    expect_text(&client, "hello");
    send_close(&client, 1000);
    expect_close(&client, 1000, "");
    client_close(&client);
    wait_for(&fixture->closed);
    wait_for(&fixture->after);
    assert_int_equal(atomic_load(&fixture->last_status), 101);
    assert_int_equal(atomic_load(&fixture->last_bytes), 7 + 4);
}

static void test_changed_mind(void **state) {
    struct fixture *fixture = *state;
    static struct answer answer;

    exchange(fixture->port, HANDSHAKE_FOR("/mistake"), &answer);
    assert_int_equal(answer.status, 500);
    wait_for(&fixture->closed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_messages, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_fragments, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_pieces, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_early_data, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_largest_message, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_slow_reader, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_sender_that_does_not_read, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_wakers, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_pings_of_the_client, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_pings_of_the_server, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_unanswered_pings, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_ticks, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_message_that_does_not_come, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_stalled_reader_is_cut, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_outcome, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_changed_mind, sockets_set_up, sockets_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
