/* handshake: which requests become a WebSocket, and how the others are refused. */
#include "frames.h"

#include "base/mem.h"
#include "base/str.h"

static enum http_next next(void *arg) {
    return HTTP_NEXT_IDLE;
}

static void on_message(void *arg, const char *data, size_t len, bool is_text) {
}

static void on_close(void *arg) {
    struct http_websocket **ws = arg;
    http_websocket_unref(*ws);
    free(ws);
}

static const struct http_websocket_ops ops = {.on_message = on_message, .next = next, .on_close = on_close};

static void get_ws(struct http_request *request, struct http_reply *reply, void *context) {
    struct http_websocket **ws = mem_alloc(sizeof(struct http_websocket *));

    http_reply_header(reply, "X-Ours", "stays");
    *ws = http_reply_websocket(reply, &ops, ws, 1000);
    if (!*ws)
        free(ws); /* it stayed ours */
}

static const struct http_route routes[] = {
    {.method = HTTP_GET, .path = "/ws", .handle = get_ws, .is_inline = true},
    {.method = HTTP_GET, .path = "/pooled", .handle = get_ws},
    {.method = HTTP_POST, .path = "/ws", .handle = get_ws, .is_inline = true},
};

static int set_up(void **state) {
    struct http_config config = {.routes = routes, .route_count = ARRAY_LEN(routes), .loop_count = 1};
    *state = server_open(&config);
    return 0;
}

static int tear_down(void **state) {
    http_server_destroy(*state);
    return 0;
}

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define UPGRADE "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define GET "GET /ws HTTP/1.1\r\nHost: x\r\n"

static void test_accepted(void **state) {
    static const char *const requests[] = {
        GET UPGRADE CONNECTION VERSION KEY "\r\n",
        "GET /pooled HTTP/1.1\r\nHost: x\r\n" UPGRADE CONNECTION VERSION KEY "\r\n",
        GET "upgrade: WebSocket\r\nconnection: keep-alive, UPGRADE\r\n" VERSION KEY "\r\n",
        GET "Upgrade: h2c , websocket\r\nConnection: keep-alive\r\nConnection: Upgrade\r\n" VERSION KEY "\r\n",
        GET UPGRADE CONNECTION VERSION KEY "Sec-WebSocket-Extensions: permessage-deflate\r\n"
                                           "Sec-WebSocket-Protocol: chat\r\nOrigin: http://y\r\n\r\n",
        GET UPGRADE CONNECTION VERSION KEY "Content-Length: 0\r\n\r\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        struct client client = client_open(http_server_port(*state));
        client_send(&client, requests[i]);
        assert_true(client_wait_for(&client, "\r\n\r\n"));
        const char *head = client.in.data;
        assert_non_null(strcasestr(head, "\r\nUpgrade: websocket\r\n"));
        assert_non_null(strcasestr(head, "\r\nConnection: Upgrade\r\n"));
        assert_non_null(strstr(head, "\r\nX-Ours: stays\r\n"));
        /* What the client proposed and is not spoken here is not agreed to. */
        assert_null(strcasestr(head, "Sec-WebSocket-Extensions"));
        assert_null(strcasestr(head, "Sec-WebSocket-Protocol"));
        assert_null(strcasestr(head, "Content-Length"));
        assert_null(strcasestr(head, "Transfer-Encoding"));
        expect_handshake(&client);
        send_close(&client, 1000);
        expect_close(&client, 1000, "");
        client_close(&client);
    }
}

static void check_refused(struct http_server *server, int status, const char *text) {
    static struct answer answer;

    exchange(http_server_port(server), text, &answer);
    if (answer.status != status)
        fail_msg("%d instead of %d for %s", answer.status, status, text);
    assert_null(answer_header(&answer, "Sec-WebSocket-Accept"));
    if (strncmp(text, "HEAD", 4) != 0)
        assert_true(answer.body_len > 0);
    if (status != 426)
        return;
    /* RFC 9110 section 15.5.22, and what versions are spoken: RFC 6455 section 4.4. */
    assert_string_equal(answer_header(&answer, "Upgrade"), "websocket");
    assert_non_null(strcasestr(answer_header(&answer, "Connection"), "Upgrade"));
    assert_string_equal(answer_header(&answer, "Sec-WebSocket-Version"), "13");
}

static void test_not_asked_for(void **state) {
    check_refused(*state, 426, GET "\r\n");
    check_refused(*state, 426, GET "Connection: close\r\n\r\n");
    check_refused(*state, 426, GET CONNECTION VERSION KEY "\r\n");
    check_refused(*state, 426, GET "Upgrade: websockets\r\n" CONNECTION VERSION KEY "\r\n");
    check_refused(*state, 426, GET "Upgrade: h2c\r\n" CONNECTION VERSION KEY "\r\n");
}

static void test_other_versions(void **state) {
    check_refused(*state, 426, GET UPGRADE CONNECTION KEY "\r\n");
    check_refused(*state, 426, GET UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 8\r\n\r\n");
    check_refused(*state, 426, GET UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 013\r\n\r\n");
    check_refused(*state, 426, GET UPGRADE CONNECTION KEY "Sec-WebSocket-Version: 13, 8\r\n\r\n");
    check_refused(*state, 426, GET UPGRADE CONNECTION KEY VERSION VERSION "\r\n");
}

static void test_malformed(void **state) {
    check_refused(*state, 400, GET UPGRADE VERSION KEY "\r\n");
    check_refused(*state, 400, GET UPGRADE "Connection: keep-alive\r\n" VERSION KEY "\r\n");
    check_refused(*state, 400, GET UPGRADE "Connection: Upgraded\r\n" VERSION KEY "\r\n");
    check_refused(*state, 400, "POST /ws HTTP/1.1\r\nHost: x\r\n" UPGRADE CONNECTION VERSION KEY "\r\n");
    check_refused(*state, 400, "HEAD /ws HTTP/1.1\r\nHost: x\r\n" UPGRADE CONNECTION VERSION KEY "\r\n");
    check_refused(*state, 400, "GET /ws HTTP/1.0\r\nHost: x\r\n" UPGRADE CONNECTION VERSION KEY "\r\n");
    check_refused(*state, 400, GET UPGRADE CONNECTION VERSION KEY "Content-Length: 2\r\n\r\nhi");
    check_refused(*state, 400, GET UPGRADE CONNECTION VERSION KEY "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
}

static void test_keys(void **state) {
    static const char *const keys[] = {
        "",                                                          /* none */
        "Sec-WebSocket-Key: \r\n",                                   /* empty */
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n",             /* not padded */
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j\r\n",               /* of 15 bytes */
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWE=\r\n",           /* of 17 */
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n",           /* with bits beyond the 16th byte */
        "Sec-WebSocket-Key: dGhlIHNhbXBs!SBub25jZQ==\r\n",           /* no base64 */
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ== x\r\n",         /* with something behind */
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==, dGhlIA==\r\n", /* two in one */
        KEY KEY,                                                     /* two */
    };
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        char request[512];
        (void)snprintf(request, sizeof(request), GET UPGRADE CONNECTION VERSION "%s\r\n", keys[i]);
        check_refused(*state, 400, request);
    }
}

/* After a refusal the connection serves on. */
static void test_connection_goes_on(void **state) {
    struct client client = client_open(http_server_port(*state));
    static struct answer answer;

    client_send(&client, GET UPGRADE CONNECTION VERSION "\r\n");
    client_answer(&client, false, &answer);
    assert_int_equal(answer.status, 400);
    client_send(&client, GET UPGRADE CONNECTION KEY "\r\n");
    client_answer(&client, false, &answer);
    assert_int_equal(answer.status, 426);
    client_send(&client, HANDSHAKE_FOR("/ws"));
    expect_handshake(&client);
    client_close(&client);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_accepted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_not_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_versions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_malformed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_connection_goes_on, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
