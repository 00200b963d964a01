/* How WebSockets end: the closing handshake from either side, broken rules, vanished peers, and the server's stop. */
#include "sockets.h"

/* ---- By the client. ---- */

static void test_client_closes(void **state) {
    static const int codes[] = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct client client = socket_open(fixture);
        send_close(&client, codes[i]);
        expect_close(&client, codes[i], "");
        client_close(&client);
        wait_for(&fixture->closed);
    }
}

static void test_client_closes_without_a_code(void **state) {
    struct client client = socket_open(*state);

    send_frame(&client, FIN | CLOSE, "", 0);
    expect_close(&client, 0, "");
    client_close(&client);
}

/* What came before the close is answered, what comes after it is not read. */
static void test_client_closes_amid(void **state) {
    struct client client = socket_open(*state);
    struct buf bytes = {0};

    put_frame(&bytes, FIN | TEXT, "before", 6);
    put_frame(&bytes, TEXT, "never ends", 10);
    put_frame(&bytes, FIN | CLOSE,
              "\x03\xe9"
              "going",
              7);
    put_frame(&bytes, FIN | TEXT, "after", 5);
    client_send_bytes(&client, bytes.data, bytes.len);
    buf_release(&bytes);
    expect_text(&client, "before");
    expect_close(&client, 1001, "going");
    client_close(&client);
}

static void check_broken(void *state, int code, int first, const char *data, size_t len) {
    struct client client = socket_open(state);

    send_frame(&client, first, data, len);
    send_text(&client, "not read any more");
    expect_close(&client, code, "");
    client_close(&client);
}

static void test_close_codes_that_may_not_be_sent(void **state) {
    static const int codes[] = {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535};

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        char data[2] = {(char)(codes[i] >> 8), (char)codes[i]};
        check_broken(*state, 1002, FIN | CLOSE, data, 2);
    }
    check_broken(*state, 1002, FIN | CLOSE, "\x03", 1);
    check_broken(*state, 1007, FIN | CLOSE, "\x03\xe8\xff", 3);
    check_broken(*state, 1007, FIN | CLOSE, "\x03\xe8\xe2\x82", 4);
}

static void test_broken_rules(void **state) {
    static const char long_data[126];

    check_broken(*state, 1002, FIN | RSV1 | TEXT, "x", 1);
    check_broken(*state, 1002, FIN | 3, "x", 1);
    check_broken(*state, 1002, FIN | 0xb, "x", 1);
    check_broken(*state, 1002, FIN | CONTINUATION, "x", 1);
    check_broken(*state, 1002, PING, "x", 1);
    check_broken(*state, 1002, FIN | PING, long_data, sizeof(long_data));
    check_broken(*state, 1002, FIN | CLOSE, long_data, sizeof(long_data));
    check_broken(*state, 1007, FIN | TEXT, "\xff", 1);
    check_broken(*state, 1007, FIN | TEXT, "\xe2\x82", 2);
    struct client client = socket_open(*state);
    client_send_bytes(&client, "\x81\x05hello", 7); /* not masked */
    expect_close(&client, 1002, "");
    client_close(&client);
}

/* ---- By the server. ---- */

static void test_server_closes(void **state) {
    struct fixture *fixture = *state;
    struct client client = socket_open(fixture);

    send_text(&client, "close 4401 who are you?");
    assert_int_equal(closing_code(&client, "who are you?"), 4401);
    /* What is said now is not answered any more: neither messages nor pings. */
    send_text(&client, "hello?");
    send_frame(&client, FIN | PING, "x", 1);
    send_close(&client, 4401);
    assert_true(client_wait_closed(&client));
    assert_int_equal(client.in.len, 0);
    assert_int_equal(atomic_load(&fixture->messages), 1);
    client_close(&client);
    client = socket_open(fixture);
    send_text(&client, "end");
    assert_int_equal(closing_code(&client, ""), 1000);
    send_close(&client, 1000);
    assert_true(client_wait_closed(&client));
    client_close(&client);
}

static void test_reason_is_cut_to_what_fits(void **state) {
    struct client client = socket_open(*state);
    char text[256] = "close 3000 ", reason[124];

    memset(text + strlen(text), 'r', 123);
    memset(reason, 'r', 123);
    reason[123] = '\0';
    send_text(&client, text);
    assert_int_equal(closing_code(&client, reason), 3000);
    client_close(&client);
    /* Between characters. */
    client = socket_open(*state);
    (void)snprintf(text, sizeof(text), "close 3000 %.122s\u20ac", reason);
    reason[122] = '\0';
    send_text(&client, text);
    assert_int_equal(closing_code(&client, reason), 3000);
    client_close(&client);
}

static void test_close_that_is_not_answered(void **state) {
    struct fixture *fixture = *state;
    struct client client = socket_open(fixture);

    send_text(&client, "close 1000 ");
    assert_int_equal(closing_code(&client, ""), 1000);
    advance(fixture, 5000);
    assert_true(client_wait_closed(&client));
    wait_for(&fixture->closed);
    client_close(&client);
}

/* Both at once: each takes the other's for the answer. */
static void test_both_close(void **state) {
    struct client client = socket_open(*state);
    struct buf bytes = {0};

    put_frame(&bytes, FIN | TEXT, "close 1001 x", 12);
    put_frame(&bytes, FIN | CLOSE, "\x03\xe8", 2);
    client_send_bytes(&client, bytes.data, bytes.len);
    buf_release(&bytes);
    expect_close(&client, 1001, "x");
    client_close(&client);
}

/* ---- Peers that go without a word. ---- */

static void test_half_closed(void **state) {
    struct fixture *fixture = *state;
    struct client client = socket_open(fixture);

    assert_int_equal(shutdown(client.fd, SHUT_WR), 0);
    assert_true(client_wait_closed(&client));
    assert_int_equal(client.in.len, 0);
    wait_for(&fixture->closed);
    client_close(&client);
}

static void test_half_closed_after_its_last_words(void **state) {
    struct fixture *fixture = *state;
    struct client client = socket_open(fixture);

    for (int i = 0; i < 100; i++)
        send_text(&client, "last words");
    assert_int_equal(shutdown(client.fd, SHUT_WR), 0);
    for (int i = 0; i < 100; i++)
        expect_text(&client, "last words");
    assert_true(client_wait_closed(&client));
    wait_for(&fixture->closed);
    client_close(&client);
    client = socket_open(fixture);
    send_close(&client, 1000);
    assert_int_equal(shutdown(client.fd, SHUT_WR), 0);
    expect_close(&client, 1000, "");
    wait_for(&fixture->closed);
    client_close(&client);
}

static void test_vanished(void **state) {
    struct fixture *fixture = *state;
    struct linger hard = {.l_onoff = 1};
    struct client closed = socket_open(fixture), reset = socket_open(fixture), busy = socket_open(fixture);

    client_close(&closed);
    wait_for(&fixture->closed);
    (void)setsockopt(reset.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    client_close(&reset);
    wait_for(&fixture->closed);
    /* Also while much is on its way to it. */
    send_text(&busy, "count 10000 20000");
    assert_true(client_wait_for(&busy, "xxxx"));
    (void)setsockopt(busy.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    client_close(&busy);
    wait_for(&fixture->closed);
    wake_all(fixture);
}

/* Before the handshake is answered: the pool's thread is the only one, and made to wait by what came first. */
static void test_vanished_amid_the_handshake(void **state) {
    struct fixture *fixture = *state;

    for (int i = 0; i < 50; i++) {
        struct client client = client_open(fixture->port);
        struct linger hard = {.l_onoff = 1};
        client_send(&client, HANDSHAKE_FOR("/pooled"));
        (void)setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
        client_close(&client);
    }
    struct client client = socket_open(fixture);
    send_text(&client, "well");
    expect_text(&client, "well");
    client_close(&client);
}

/* ---- The server's stop. ---- */

struct stopping {
    struct http_server *server;
    int64_t grace_ms;
};

static void *stop(void *arg) {
    struct stopping *stopping = arg;
    http_server_stop(stopping->server, stopping->grace_ms);
    return NULL;
}

static void test_stop(void **state) {
    struct fixture *fixture = *state;
    struct stopping stopping = {fixture->server, 60000};
    struct client clients[10];
    pthread_t thread;

    for (size_t i = 0; i < ARRAY_LEN(clients); i++)
        clients[i] = socket_open(fixture);
    send_frame(&clients[0], TEXT, "amid a message", 14);
    assert_int_equal(pthread_create(&thread, NULL, stop, &stopping), 0);
    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        assert_int_equal(closing_code(&clients[i], "the server stops"), 1001);
        if (i % 2)
            send_close(&clients[i], 1001);
        else
            (void)shutdown(clients[i].fd, SHUT_WR);
        assert_true(client_wait_closed(&clients[i]));
    }
    (void)pthread_join(thread, NULL); /* well before its time */
    assert_int_equal(atomic_load(&fixture->open), 0);
    for (size_t i = 0; i < ARRAY_LEN(clients); i++)
        client_close(&clients[i]);
}

static void test_stop_does_not_wait_for_ever(void **state) {
    struct fixture *fixture = *state;
    struct client silent = socket_open(fixture), slow = socket_open(fixture);

    send_text(&slow, "count 10000 20000");
    assert_true(client_wait_for(&slow, "xxxx"));
    http_server_stop(fixture->server, 200);
    assert_int_equal(atomic_load(&fixture->open), 0);
    assert_int_equal(closing_code(&silent, "the server stops"), 1001);
    assert_true(client_wait_closed(&silent));
    client_close(&silent);
    client_close(&slow);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_client_closes, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_client_closes_without_a_code, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_client_closes_amid, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_close_codes_that_may_not_be_sent, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_broken_rules, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_server_closes, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_reason_is_cut_to_what_fits, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_close_that_is_not_answered, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_both_close, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_half_closed, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_half_closed_after_its_last_words, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_vanished, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_vanished_amid_the_handshake, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_stop, sockets_set_up, sockets_tear_down),
        cmocka_unit_test_setup_teardown(test_stop_does_not_wait_for_ever, sockets_set_up, sockets_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
