/* exchange: the HTTP steps of checks, against a server that says what the test wrote down. */
#include "fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "engine/exchange.h"
#include "net/net.h"

enum { ANSWERS_MAX = 16 };

/* Answers request after request in true wire format, and keeps what was asked. */
struct server {
    int listener, port;
    pthread_t thread;
    const char *answers[ANSWERS_MAX]; /* NULL ends; "" closes without a word */
    char asked[ANSWERS_MAX][2048];
    int count;
};

static int read_request(int fd, char *out, size_t size) {
    size_t len = 0, want = SIZE_MAX;
    while (len < size - 1 && len < want) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (poll(&ready, 1, 20000) <= 0)
            return -1;
        ssize_t got = recv(fd, out + len, size - 1 - len, 0);
        if (got <= 0)
            return -1;
        len += (size_t)got;
        out[len] = '\0';
        char *end = strstr(out, "\r\n\r\n"), *length = strcasestr(out, "\r\ncontent-length:");
        if (end)
            want = (size_t)(end + 4 - out) + (length ? strtoul(length + 17, NULL, 10) : 0);
    }
    return 0;
}

static void *server_main(void *arg) {
    struct server *server = arg;
    int fd = -1;
    while (server->count < ANSWERS_MAX && server->answers[server->count]) {
        struct pollfd ready = {.fd = server->listener, .events = POLLIN};
        if (fd < 0 && (poll(&ready, 1, 20000) <= 0 || (fd = accept(server->listener, NULL, NULL)) < 0))
            break;
        if (read_request(fd, server->asked[server->count], sizeof(server->asked[0])) < 0) {
            (void)close(fd);
            fd = -1;
            continue;
        }
        const char *answer = server->answers[server->count++];
        (void)!send(fd, answer, strlen(answer), MSG_NOSIGNAL);
        if (!*answer || strcasestr(answer, "connection: close")) {
            (void)close(fd);
            fd = -1;
        }
    }
    if (fd >= 0)
        (void)close(fd);
    return NULL;
}

static void server_start(struct server *server, const char *const answers[]) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    *server = (struct server){.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    for (int i = 0; answers[i]; i++)
        server->answers[i] = answers[i];
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(server->listener, 8), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, server_main, server), 0);
}

static void server_stop(struct server *server) {
    pthread_join(server->thread, NULL);
    (void)close(server->listener);
}

#define JSON_ANSWER(status, extra, body, length)                                                                       \
    "HTTP/1.1 " status "\r\nContent-Type: application/json; charset=utf-8\r\n" extra "Content-Length: " length         \
    "\r\n\r\n" body

struct bench {
    struct arena *arena;
    struct server server;
    struct exchanges *exchanges;
    json_t *evidence;
    const char *fault;
    struct err err;
    bool is_cancelled;
};

static bool is_cancelled(void *arg) {
    struct bench *bench = arg;
    return bench->is_cancelled;
}

static int set_up(void **state) {
    struct bench *bench = mem_alloc(sizeof(*bench));
    bench->arena = arena_create();
    bench->evidence = json_array();
    *state = bench;
    return 0;
}

static int tear_down(void **state) {
    struct bench *bench = *state;
    exchanges_destroy(bench->exchanges);
    json_decref(bench->evidence);
    arena_destroy(bench->arena);
    free(bench);
    return 0;
}

static void serve(struct bench *bench, const char *const answers[]) {
    server_start(&bench->server, answers);
    bench->exchanges = exchanges_create(bench->server.port, is_cancelled, bench);
}

/* Runs the steps, written with ' for ". */
static int run(struct bench *bench, const char *steps) {
    json_t *parsed = NULL;
    char *text = arena_strdup(bench->arena, steps);
    for (char *at = text; *at; at++)
        if (*at == '\'')
            *at = '"';
    assert_int_equal(json_parse(bench->arena, text, strlen(text), &parsed, &bench->err), 0);
    return exchanges_run(bench->exchanges, parsed, bench->arena, bench->evidence, &bench->fault, &bench->err);
}

static const char *evidence(struct bench *bench, const char *path) {
    const char *text = json_string_value(json_at(bench->evidence, path));
    return text ? text : json_text(bench->arena, json_at(bench->evidence, path));
}

static void values_are_saved_and_filled_in(void **state) {
    struct bench *bench = *state;
    serve(bench, (const char *const[]){
                     JSON_ANSWER("201 Created", "", "{\"id\":7,\"name\":\"A \\\"b\\\"\",\"tags\":[\"x\"]}", "38"),
                     JSON_ANSWER("200 OK", "", "{\"items\":[{\"id\":7}],\"total\":1}", "30"), NULL});
    assert_int_equal(
        run(bench,
            "[{'note': 'make', 'request': {'method': 'POST', 'path': '/api/x', 'json': {'at': '${today}', 'n': 1}},"
            " 'expect': {'status': 201, 'json': {'tags.0': 'x'}}, 'save': {'id': 'id', 'name': 'name'},"
            " 'route': 'POST /api/x'},"
            "{'note': 'see', 'request': {'method': 'PUT', 'path': '/api/x/${id}?n=${none}', 'json': {'ref': '${id}',"
            " 'say': 'id ${id}: ${name}'}}, 'expect': {'json': {'items.0.id': '${id}', 'total': 1.0}, 'min': {'total': "
            "1},"
            " 'header': {'Content-Type': 'application/json'}, 'contains': ['items'], 'absent': ['secret']},"
            " 'route': 'PUT /api/x/[id]'}]"),
        0);
    server_stop(&bench->server);
    assert_null(bench->fault);
    char today[CLOCK_ISO_LEN];
    clock_iso(clock_now_ms(), today)[10] = '\0';
    assert_true(str_starts(bench->server.asked[0], "POST /api/x HTTP/1.1\r\n"));
    assert_non_null(strstr(bench->server.asked[0], arena_printf(bench->arena, "{\"at\":\"%s\",\"n\":1}", today)));
    assert_non_null(strcasestr(bench->server.asked[0], "origin: http://127.0.0.1:"));
    assert_true(str_starts(bench->server.asked[1], "PUT /api/x/7?n=${none} HTTP/1.1\r\n") ||
                str_starts(bench->server.asked[1], "PUT /api/x/7?n=$"));
    assert_non_null(strstr(bench->server.asked[1], "{\"ref\":7,\"say\":\"id 7: A \\\"b\\\"\"}"));
    assert_true(exchanges_covered(bench->exchanges, "POST /api/x"));
    assert_true(exchanges_covered(bench->exchanges, "PUT /api/x/[id]"));
    assert_false(exchanges_covered(bench->exchanges, "GET /api/x"));
    assert_string_equal(evidence(bench, "0.note"), "make");
    assert_string_equal(evidence(bench, "0.response.status"), "201");
    assert_string_equal(evidence(bench, "1.ok"), "true");
}

static void each_jar_keeps_its_own_cookies(void **state) {
    struct bench *bench = *state;
    serve(bench, (const char *const[]){
                     JSON_ANSWER("200 OK", "Set-Cookie: session=abc; Path=/; HttpOnly\r\nSet-Cookie: theme=dark\r\n",
                                 "{}", "2"),
                     JSON_ANSWER("200 OK", "", "{}", "2"), JSON_ANSWER("200 OK", "", "{}", "2"),
                     JSON_ANSWER("200 OK", "Set-Cookie: session=gone; max-age=0\r\n", "{}", "2"),
                     JSON_ANSWER("200 OK", "Set-Cookie: theme=Max-Age=0\r\n", "{}", "2"),
                     JSON_ANSWER("200 OK", "", "{}", "2"), NULL});
    assert_int_equal(
        run(bench, "[{'as': 'owner', 'request': {'path': '/sign-in'}}, {'as': 'owner', 'request': {'path': '/a'}},"
                   " {'request': {'path': '/b'}}, {'as': 'owner', 'request': {'path': '/out'}},"
                   " {'as': 'owner', 'request': {'path': '/c'}}, {'as': 'owner', 'request': {'path': '/d'}}]"),
        0);
    server_stop(&bench->server);
    assert_null(bench->fault);
    assert_null(strcasestr(bench->server.asked[0], "\r\ncookie:"));
    assert_non_null(strcasestr(bench->server.asked[1], "\r\ncookie: session=abc; theme=dark\r\n"));
    assert_null(strcasestr(bench->server.asked[2], "\r\ncookie:"));
    assert_non_null(
        strcasestr(bench->server.asked[4], "\r\ncookie: theme=dark\r\n")); /* forgotten, in any case of letters */
    assert_non_null(
        strcasestr(bench->server.asked[5], "\r\ncookie: theme=Max-Age=0\r\n")); /* a value is no attribute */
    assert_string_equal(evidence(bench, "1.request.as"), "owner");
}

static void headers_and_text_are_sent(void **state) {
    struct bench *bench = *state;
    serve(bench, (const char *const[]){JSON_ANSWER("200 OK", "", "{\"token\":\"t1\"}", "14"),
                                       JSON_ANSWER("200 OK", "", "{}", "2"), NULL});
    assert_int_equal(
        run(bench,
            "[{'request': {'method': 'POST', 'path': '/import', 'text': 'a,b', 'contentType': 'text/csv'}, 'save': "
            "{'t': 'token'}},"
            " {'request': {'path': '/x', 'headers': {'authorization': 'Bearer ${t}', 'Origin': 'http://evil'}}}]"),
        0);
    server_stop(&bench->server);
    assert_non_null(strcasestr(bench->server.asked[0], "\r\ncontent-type: text/csv\r\n"));
    assert_non_null(strstr(bench->server.asked[0], "\r\n\r\na,b"));
    assert_non_null(strcasestr(bench->server.asked[1], "\r\nauthorization: Bearer t1\r\n"));
    assert_non_null(strcasestr(bench->server.asked[1], "\r\norigin: http://evil\r\n"));
    assert_null(strcasestr(bench->server.asked[1], "origin: http://127"));
}

/* One answer, one expectation, and the fault in words; NULL when all is as expected. */
static void faults_say_what_is_wrong(void **state) {
    static const struct {
        const char *answer, *expect, *fault;
    } cases[] = {
        {JSON_ANSWER("500 Oops", "", "{}", "2"), "{}", "status 500, expected 200"},
        {JSON_ANSWER("404 Not Found", "", "{}", "2"), "{'status': 404}", NULL},
        {JSON_ANSWER("200 OK", "", "{\"a\":1}", "7"), "{'json': {'a': 2}}", "a is 1, expected 2"},
        {JSON_ANSWER("200 OK", "", "{\"a\":1}", "7"), "{'json': {'a': '1'}}", "a is 1, expected \"1\""},
        {JSON_ANSWER("200 OK", "", "{\"a\":null}", "10"), "{'json': {'a': null}}", NULL},
        {JSON_ANSWER("200 OK", "", "{}", "2"), "{'json': {'a.b': true}}", "a.b is missing, expected true"},
        {JSON_ANSWER("200 OK", "", "{\"a\":2}", "7"), "{'min': {'a': 3}}", "a is 2, expected at least 3"},
        {JSON_ANSWER("200 OK", "", "hello", "5"), "{'json': {'a': 2}}", "the answer is not JSON"},
        {JSON_ANSWER("200 OK", "", "hello", "5"), "{'contains': ['bye']}", "the answer does not contain \"bye\""},
        {JSON_ANSWER("200 OK", "", "hello", "5"), "{'absent': ['ell']}", "the answer contains \"ell\""},
        {JSON_ANSWER("200 OK", "", "hello", "5"), "{'header': {'content-type': 'text/html'}}",
         "header content-type is application/json; charset=utf-8, expected text/html…"},
        {JSON_ANSWER("200 OK", "", "hello", "5"), "{'header': {'location': '/x'}}",
         "header location is missing, expected /x…"},
        {"HTTP/1.1 307 Temporary Redirect\r\nLocation: /sign-in?next=%2Fx\r\nContent-Length: 0\r\n\r\n",
         "{'status': 307, 'header': {'location': '/sign-in'}}", NULL},
        {"HTTP/1.1 200 OK\r\nX-Odd: \xe4\r\nContent-Length: 0\r\n\r\n", "{'header': {'x-odd': 'o'}}",
         "header x-odd is \xe4, expected o…"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        void *inner = NULL;
        set_up(&inner);
        struct bench *bench = inner;
        serve(bench, (const char *const[]){cases[i].answer, NULL});
        assert_int_equal(
            run(bench, arena_printf(bench->arena,
                                    "[{'note': 'Look', 'request': {'path': '/x'}, 'expect': %s, 'route': 'GET /x'}]",
                                    cases[i].expect)),
            0);
        server_stop(&bench->server);
        if (cases[i].fault) {
            assert_string_equal(bench->fault, arena_printf(bench->arena, "Look: GET /x: %s", cases[i].fault));
            assert_string_equal(evidence(bench, "0.ok"), "false");
            assert_non_null(json_at(bench->evidence, "0.fault")); /* also when its bytes are no UTF-8 */
            assert_false(exchanges_covered(bench->exchanges, "GET /x"));
        } else {
            assert_null(bench->fault);
            assert_true(exchanges_covered(bench->exchanges, "GET /x"));
        }
        tear_down(&inner);
    }
}

static void the_first_fault_ends_the_steps(void **state) {
    struct bench *bench = *state;
    serve(bench, (const char *const[]){JSON_ANSWER("200 OK", "", "{}", "2"), "", NULL});
    assert_int_equal(
        run(bench, "[{'request': {'path': '/1'}}, {'request': {'path': '/2'}}, {'request': {'path': '/3'}}]"), 0);
    assert_non_null(bench->fault); /* the connection broke */
    assert_int_equal(json_array_size(bench->evidence), 2);
    assert_null(json_at(bench->evidence, "1.response"));
    server_stop(&bench->server);
    assert_int_equal(run(bench, "[{'request': {'path': 'no-slash'}}]"), -ERR_INTERNAL);
}

static void evidence_is_short_and_whole(void **state) {
    struct bench *bench = *state;
    struct buf answer = {0};
    buf_puts(&answer, "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n");
    for (int i = 0; i < 799; i++)
        buf_putc(&answer, 'a');
    while (answer.len < strlen("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n") + 1999)
        buf_puts(&answer, "\xc3\xa4"); /* the cut would be amid one */
    buf_putc(&answer, 'z');
    serve(bench, (const char *const[]){answer.data, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xff\xfe", NULL});
    assert_int_equal(run(bench, "[{'request': {'path': '/1'}}, {'request': {'path': '/2'}}]"), 0);
    server_stop(&bench->server);
    buf_release(&answer);
    const char *body = evidence(bench, "0.response.body");
    assert_int_equal(strlen(body), 799 + strlen("…"));
    assert_string_equal(evidence(bench, "1.response.body"), "(binary)");
}

static void a_cancelled_run_stops(void **state) {
    struct bench *bench = *state;
    serve(bench, (const char *const[]){NULL});
    bench->is_cancelled = true; /* nobody ever answers */
    assert_int_equal(run(bench, "[{'request': {'path': '/1'}}]"), -ERR_CANCELLED);
    server_stop(&bench->server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_are_saved_and_filled_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_jar_keeps_its_own_cookies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(headers_and_text_are_sent, set_up, tear_down),
        cmocka_unit_test(faults_say_what_is_wrong),
        cmocka_unit_test_setup_teardown(the_first_fault_ends_the_steps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(evidence_is_short_and_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cancelled_run_stops, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
