/* What the server refuses, and that it stays well: ambiguous framing, limits, slow senders, too few descriptors. */
#include "client.h"

#include <sched.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

struct fixture {
    struct http_server *server;
    int port;
};

static void echo(struct http_request *request, struct http_reply *reply, void *context) {
    size_t len = 0;
    const char *body = http_request_body(request, &len);
    http_reply_body_copy(reply, "text/plain", body, len);
}

static void on_error(struct http_request *request, struct http_reply *reply, int status, const char *message,
                     void *context) {
    char *body = arena_printf(http_request_arena(request), "envelope %d %s %s", status,
                              http_request_method_name(request), http_request_path(request));
    http_reply_header(reply, "X-Hook", "yes");
    http_reply_body(reply, "application/json", body, strlen(body));
}

static const struct http_route routes[] = {
    {.method = HTTP_GET, .path = "/echo", .handle = echo, .is_inline = true},
    {.method = HTTP_POST, .path = "/echo", .handle = echo, .is_inline = true},
    {.method = HTTP_POST, .path = "/pooled", .handle = echo, .max_body_bytes = 100},
};

static struct http_config config_of(void) {
    return (struct http_config){.routes = routes,
                                .route_count = ARRAY_LEN(routes),
                                .hooks = {.on_error = on_error},
                                .loop_count = 1,
                                .pool_threads = 1,
                                .max_body_bytes = 100000};
}

static int set_up(void **state) {
    struct fixture *fixture = mem_alloc(sizeof(*fixture));
    struct http_config config = config_of();
    fixture->server = server_open(&config);
    fixture->port = http_server_port(fixture->server);
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    http_server_stop(fixture->server, 5000);
    http_server_destroy(fixture->server);
    free(fixture);
    return 0;
}

struct refusal {
    const char *name;
    const char *text;
    size_t len; /* 0: strlen */
    int status;
    bool is_ours; /* answered by the hook */
};

#define SENT(bytes) bytes, sizeof(bytes) - 1
#define LINE "POST /echo HTTP/1.1\r\nHost: x\r\n"

static const struct refusal refusals[] = {
    {"both framings", SENT(LINE "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400, true},
    {"both framings, other order", SENT(LINE "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"), 400,
     true},
    {"two lengths", SENT(LINE "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde"), 400, true},
    {"two equal lengths", SENT(LINE "Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd"), 400, true},
    {"length in a list", SENT(LINE "Content-Length: 4, 4\r\n\r\nabcd"), 400, true},
    {"length with a sign", SENT(LINE "Content-Length: +4\r\n\r\nabcd"), 400, true},
    {"negative length", SENT(LINE "Content-Length: -1\r\n\r\n"), 400, true},
    {"huge length", SENT(LINE "Content-Length: 99999999999999999999999\r\n\r\n"), 413, true},
    {"length over the limit", SENT(LINE "Content-Length: 100001\r\n\r\n"), 413, true},
    {"length over the route's limit", SENT("POST /pooled HTTP/1.1\r\nHost: x\r\nContent-Length: 101\r\n\r\n"), 413,
     true},
    {"unknown encoding", SENT(LINE "Transfer-Encoding: gzip\r\n\r\n"), 400, true},
    {"stacked encodings", SENT(LINE "Transfer-Encoding: gzip, chunked\r\n\r\n"), 400, true},
    {"two encodings", SENT(LINE "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400,
     true},
    {"encoding with white space after", SENT(LINE "Transfer-Encoding: chunked \r\n\r\n0\r\n\r\n"), 400, true},
    {"chunks in HTTP/1.0", SENT("POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400, true},
    {"bad chunk", SENT(LINE "Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n"), 400, true},
    {"NUL in a value", SENT("GET /echo HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n"), 400, true},
    {"NUL in the last value", SENT("GET /echo HTTP/1.1\r\nX-A: a\r\nHost: x\0y\r\n\r\n"), 400, true},
    {"NUL at a value's start", SENT("GET /echo HTTP/1.1\r\nHost: x\r\nX-A: \0b\r\nX-B: c\r\n\r\n"), 400, true},
    {"NUL at a value's end", SENT("GET /echo HTTP/1.1\r\nHost: x\r\nX-A: b\0\r\nX-B: c\r\n\r\n"), 400, true},
    {"NUL hides a header", SENT("GET /echo HTTP/1.1\r\nHost: x\r\nX-A: b\0: c\r\nX-B: c\r\n\r\n"), 400, true},
    {"NUL in a name", SENT("GET /echo HTTP/1.1\r\nHost: x\r\nX\0A: b\r\n\r\n"), 400, true},
    {"NUL in the address", SENT("GET /echo\0x HTTP/1.1\r\nHost: x\r\n\r\n"), 400, true},
    {"NUL in the query", SENT("GET /echo?a\0b HTTP/1.1\r\nHost: x\r\n\r\n"), 400, true},
    {"NUL in the method", SENT("G\0T /echo HTTP/1.1\r\nHost: x\r\n\r\n"), 400, true},
    {"control character in a value", SENT("GET /echo HTTP/1.1\r\nHost: x\r\nX-A: a\001b\r\n\r\n"), 400, true},
    {"bare CR in a value", SENT("GET /echo HTTP/1.1\r\nHost: x\r\nX-A: a\rb\r\n\r\n"), 400, true},
    {"DEL in a value", SENT("GET /echo HTTP/1.1\r\nHost: x\r\nX-A: a\177b\r\n\r\n"), 400, true},
    {"space before the colon", SENT("GET /echo HTTP/1.1\r\nHost : x\r\n\r\n"), 400, true},
    {"empty name", SENT("GET /echo HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n"), 400, true},
    {"no colon", SENT("GET /echo HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n"), 400, true},
    {"continued line", SENT("GET /echo HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\n\r\n"), 400, true},
    {"continued last line", SENT("GET /echo HTTP/1.1\r\nX-A: a\r\nHost: x\r\n\ty\r\n\r\n"), 400, true},
    {"no Host", SENT("GET /echo HTTP/1.1\r\n\r\n"), 400, true},
    {"two Hosts", SENT("GET /echo HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"), 400, true},
    {"bad escape", SENT("GET /echo%zz HTTP/1.1\r\nHost: x\r\n\r\n"), 400, true},
    {"cut escape", SENT("GET /echo% HTTP/1.1\r\nHost: x\r\n\r\n"), 400, true},
    {"escaped NUL", SENT("GET /echo%00 HTTP/1.1\r\nHost: x\r\n\r\n"), 400, true},
    {"no UTF-8", SENT("GET /echo/%ff HTTP/1.1\r\nHost: x\r\n\r\n"), 400, true},
    {"bad escape in the query", SENT("GET /echo?a=%g1 HTTP/1.1\r\nHost: x\r\n\r\n"), 400, true},
    {"no UTF-8 in the query", SENT("GET /echo?a=%c3 HTTP/1.1\r\nHost: x\r\n\r\n"), 400, true},
    {"space in the address", SENT("GET /echo HTTP/1.1 HTTP/1.1\r\nHost: x\r\n\r\n"), 400, true},
    {"relative address", SENT("GET echo HTTP/1.1\r\nHost: x\r\n\r\n"), 400, true},
    {"unknown expectation", SENT(LINE "Expect: miracles\r\nContent-Length: 1\r\n\r\n"), 417, true},
    {"no request at all", SENT("nonsense\r\n\r\n"), 400, true},
    {"TLS", SENT("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 \n"), 400, true},
    {"HTTP/2", SENT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505, true},
};

static void test_refusals(void **state) {
    struct fixture *fixture = *state;
    struct answer answer;

    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        const struct refusal *refusal = &refusals[i];
        struct client client = client_open(fixture->port);
        client_send_bytes(&client, refusal->text, refusal->len);
        client_answer(&client, false, &answer);
        if (answer.status != refusal->status || (refusal->is_ours && !answer_header(&answer, "X-Hook")))
            fail_msg("%s: %d %s", refusal->name, answer.status, answer.head);
        if (!client_wait_closed(&client))
            fail_msg("%s: not closed", refusal->name);
        if (client.in.len) /* no second request was seen */
            fail_msg("%s: more after it: %s", refusal->name, client.in.data);
        client_close(&client);
    }
    /* Still well. */
    exchange(fixture->port, LINE "Content-Length: 2\r\n\r\nok", &answer);
    assert_string_equal(answer.body, "ok");
}

static void test_bare_line_feeds_are_taken(void **state) {
    struct fixture *fixture = *state;
    struct answer answer;
    exchange(fixture->port, "\r\nPOST /echo HTTP/1.1\nHost: x\nContent-Length: 2\n\nok", &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "ok");
}

static void send_headers(struct client *client, int count, int value_len) {
    client_send(client, "GET /echo HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; i < count; i++) {
        char line[256];
        (void)snprintf(line, sizeof(line), "X-%d: %0*d\r\n", i, value_len, i);
        client_send(client, line);
    }
    client_send(client, "\r\n");
}

static void test_header_limits(void **state) {
    struct fixture *fixture = *state;
    struct answer answer;
    static const struct {
        int count, value_len, status;
    } cases[] = {{99, 20, 200}, {100, 1, 431}, {70, 200, 431}, {90, 250, 431}, {2000, 200, 431}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct client client = client_open(fixture->port);
        send_headers(&client, cases[i].count, cases[i].value_len);
        client_answer(&client, false, &answer);
        if (answer.status != cases[i].status)
            fail_msg("%d headers of %d: %d", cases[i].count, cases[i].value_len, answer.status);
        client_close(&client);
    }
    static const size_t lengths[] = {8000, 9000, 12000, 20000, 100000};
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        struct client client = client_open(fixture->port);
        client_send(&client, "GET /echo?");
        for (size_t at = 0; at < lengths[i]; at += 100)
            client_send(&client,
                        "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhhiiiiii"
                        "iiiijjjjjjjjjj");
        client_send(&client, " HTTP/1.1\r\nHost: x\r\n\r\n");
        client_answer(&client, false, &answer);
        assert_int_equal(answer.status, lengths[i] <= 8000 ? 200 : 414);
        client_close(&client);
    }
}

/* The whole body is sent before the answer is read, and the answer must have survived. */
static void test_refused_body_keeps_the_answer(void **state) {
    struct fixture *fixture = *state;
    struct answer answer;
    char *body = mem_alloc(4 * 1024 * 1024);

    for (int round = 0; round < 5; round++) {
        struct client client = client_open(fixture->port);
        client_send(&client, LINE "Content-Length: 4194304\r\n\r\n");
        client_send_bytes(&client, body, 4 * 1024 * 1024);
        client_answer(&client, false, &answer);
        assert_int_equal(answer.status, 413);
        assert_string_equal(answer.body, "envelope 413 POST /echo");
        client_close(&client);
    }
    /* Of unknown length: refused when the limit is passed. */
    struct client client = client_open(fixture->port);
    client_send(&client, LINE "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 64; i++) {
        client_send(&client, "8000\r\n");
        client_send_bytes(&client, body, 0x8000);
        client_send(&client, "\r\n");
    }
    client_send(&client, "0\r\n\r\n");
    client_answer(&client, false, &answer);
    assert_int_equal(answer.status, 413);
    assert_string_equal(answer.body, "envelope 413 POST /echo");
    client_close(&client);
    free(body);
}

static void test_expect_continue(void **state) {
    struct fixture *fixture = *state;
    struct client client = client_open(fixture->port);
    struct answer answer;

    client_send(&client, LINE "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    client_answer(&client, false, &answer);
    assert_int_equal(answer.status, 100);
    client_send(&client, "abc");
    client_answer(&client, false, &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "abc");
    client_send(&client, LINE "Expect: 100-continue\r\nContent-Length: 300000\r\n\r\n");
    client_answer(&client, false, &answer);
    assert_int_equal(answer.status, 413);
    assert_true(client_wait_closed(&client));
    client_close(&client);
}

static void wait_for_connections(struct http_server *server, size_t count) {
    struct http_stats stats;
    do {
        (void)sched_yield();
        http_server_stats(server, &stats);
    } while (stats.connections != count);
}

static void wait_for_requests(struct http_server *server, size_t count) {
    struct http_stats stats;
    do {
        (void)sched_yield();
        http_server_stats(server, &stats);
    } while (stats.requests != count);
}

static void test_slow_senders(void **state) {
    struct fixture *fixture = *state;
    struct client silent = client_open(fixture->port), line = client_open(fixture->port);
    struct client headers = client_open(fixture->port), body = client_open(fixture->port);
    struct client idle = client_open(fixture->port);
    struct answer answer;

    client_send(&idle, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    client_answer(&idle, false, &answer);
    assert_int_equal(answer.status, 200);
    client_send(&line, "GET /ec");
    client_send(&headers, "GET /echo HTTP/1.1\r\nHost:");
    client_send(&body, LINE "Content-Length: 10\r\n\r\n01234");
    wait_for_connections(fixture->server, 5);
    wait_for_requests(fixture->server, 2);
    clock_advance_ms(14000);
    exchange(fixture->port, LINE "Content-Length: 2\r\n\r\nok", &answer);
    assert_int_equal(answer.status, 200);
    clock_advance_ms(2000);
    client_answer(&headers, false, &answer);
    assert_int_equal(answer.status, 408);
    assert_string_equal(answer.body, "envelope 408  ");
    client_answer(&body, false, &answer);
    assert_int_equal(answer.status, 408);
    assert_string_equal(answer.body, "envelope 408 POST /echo");
    client_answer(&line, false, &answer);
    assert_int_equal(answer.status, 408);
    client_answer(&silent, false, &answer);
    assert_int_equal(answer.status, 0);
    client_answer(&idle, false, &answer);
    assert_int_equal(answer.status, 0);
    struct client *all[] = {&silent, &line, &headers, &body, &idle};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        assert_true(client_wait_closed(all[i]));
        client_close(all[i]);
    }
}

/* Gone in the midst of a request, the last bytes together with the end. */
static void test_vanished_senders(void **state) {
    struct fixture *fixture = *state;
    static const char *const texts[] = {"GET /ec", "GET /echo HTTP/1.1\r\nHos", LINE "Content-Length: 10\r\n\r\n123",
                                        LINE "Transfer-Encoding: chunked\r\n\r\n5\r\n12"};

    for (int i = 0; i < 40; i++) {
        struct client client = client_open(fixture->port);
        client_send(&client, texts[i % 4]);
        client_close(&client);
    }
    int64_t began_ms = clock_mono_ms();
    wait_for_connections(fixture->server, 0);
    assert_true(clock_mono_ms() - began_ms < 10000);
}

/* A byte now and then does not keep an upload alive for ever. */
static void test_trickling_body(void **state) {
    struct fixture *fixture = *state;
    struct client client = client_open(fixture->port);
    struct answer answer;

    client_send(&client, LINE "Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n");
    client_answer(&client, false, &answer);
    assert_int_equal(answer.status, 100);
    for (int i = 0; i < 10 && !client.is_closed; i++) {
        client_send(&client, "x");
        (void)client_read_more(&client, 50);
        clock_advance_ms(10000);
        (void)client_read_more(&client, 1500);
    }
    client_answer(&client, false, &answer);
    assert_int_equal(answer.status, 408);
    client_close(&client);
}

static void test_connection_limit(void **state) {
    struct http_config config = config_of();
    struct client clients[4];
    struct answer answer;

    config.max_connections = 3;
    struct http_server *server = server_open(&config);
    for (int i = 0; i < 4; i++) {
        clients[i] = client_open(http_server_port(server));
        client_send(&clients[i], "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
        if (i < 3) {
            client_answer(&clients[i], false, &answer);
            assert_int_equal(answer.status, 200);
        }
    }
    assert_false(client_read_more(&clients[3], 300)); /* it waits in the kernel's queue */
    client_close(&clients[0]);
    client_answer(&clients[3], false, &answer);
    assert_int_equal(answer.status, 200);
    for (int i = 1; i < 4; i++)
        client_close(&clients[i]);
    http_server_stop(server, 5000);
    http_server_destroy(server);
}

static double cpu_seconds(void) {
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Without descriptors nothing is accepted, nothing spins, and it goes on as soon as there are some. */
static void test_no_descriptors_left(void **state) {
    struct fixture *fixture = *state;
    struct client kept = client_open(fixture->port), waiting = client_open(fixture->port);
    struct rlimit before, none;
    struct answer answer;

    client_send(&kept, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    client_answer(&kept, false, &answer);
    client_close(&waiting);
    waiting.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)fixture->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int connected = connect(waiting.fd, (struct sockaddr *)&address, sizeof(address));
    client_send(&waiting, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    double cpu_before = cpu_seconds();
    bool was_answered = client_read_more(&waiting, 1000);
    double cpu_used = cpu_seconds() - cpu_before;
    client_send(&kept, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    client_answer(&kept, false, &answer);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(connected, 0);
    assert_false(was_answered);
    assert_int_equal(answer.status, 200);
    assert_true(cpu_used < 0.3);
    client_answer(&waiting, false, &answer);
    assert_int_equal(answer.status, 200);
    client_close(&waiting);
    client_close(&kept);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bare_line_feeds_are_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_header_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused_body_keeps_the_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_expect_continue, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slow_senders, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_vanished_senders, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_trickling_body, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_connection_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_descriptors_left, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
