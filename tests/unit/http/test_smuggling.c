/* No request hides in another's body: what could be read in two ways is refused, and nothing after it is seen; what is
 * taken ends where RFC 9112 says, and the request after it is the next one. */
#include "client.h"

#include "base/mem.h"
#include "base/str.h"

struct fixture {
    struct http_server *server;
    int port;
};

/* "GET /second|" or "POST /echo|body" */
static void tell(struct http_request *request, struct http_reply *reply, void *context) {
    size_t len = 0;
    const char *body = http_request_body(request, &len);
    char *text = arena_printf(http_request_arena(request), "%s %s|%s", http_request_method_name(request),
                              http_request_path(request), body);
    http_reply_body(reply, "text/plain", text, strlen(text));
}

static const struct http_route routes[] = {
    {.method = HTTP_POST, .path = "/echo", .handle = tell, .is_inline = true},
    {.method = HTTP_GET, .path = "/echo", .handle = tell, .is_inline = true},
    {.method = HTTP_GET, .path = "/second", .handle = tell, .is_inline = true},
    {.method = HTTP_GET, .path = "/hidden", .handle = tell, .is_inline = true},
    {.method = HTTP_POST, .path = "/pooled", .handle = tell},
};

static int set_up(void **state) {
    struct fixture *fixture = mem_alloc(sizeof(*fixture));
    struct http_config config = {.routes = routes,
                                 .route_count = ARRAY_LEN(routes),
                                 .loop_count = 1,
                                 .pool_threads = 1,
                                 .max_body_bytes = 100000};
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

#define POST "POST /echo HTTP/1.1\r\nHost: x\r\n"
#define HIDDEN "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
#define CHUNKS POST "Transfer-Encoding: chunked\r\n\r\n"
#define SECOND "GET /second HTTP/1.1\r\nHost: x\r\n\r\n"

struct row {
    const char *name, *text;
    const char *body; /* what the handler sees; NULL: refused with 400 */
};

static const struct row rows[] = {
    {"a length and what follows", POST "Content-Length: 5\r\n\r\nhello", "hello"},
    {"no length: no body", POST "\r\n", ""},
    {"white space around a length", POST "Content-Length:   5\r\n\r\nhello", "hello"},
    {"a request as body", POST "Content-Length: 33\r\n\r\n" HIDDEN, HIDDEN},
    {"a request as chunk", CHUNKS "21\r\n" HIDDEN "\r\n0\r\n\r\n", HIDDEN},
    {"chunks", CHUNKS "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "abcde"},
    {"no chunk", CHUNKS "0\r\n\r\n", ""},
    {"zeros for the last chunk", CHUNKS "1\r\na\r\n000\r\n\r\n", "a"},
    {"zeros before a size", CHUNKS "0003\r\nabc\r\n0\r\n\r\n", "abc"},
    {"size in capitals", CHUNKS "A\r\n0123456789\r\n0\r\n\r\n", "0123456789"},
    {"an extension", CHUNKS "3;name=value\r\nabc\r\n0\r\n\r\n", "abc"},
    {"an extension in quotes", CHUNKS "3;name=\"a;b\"\r\nabc\r\n0;last\r\n\r\n", "abc"},
    {"a trailer", CHUNKS "3\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n", "abc"},
    {"a trailer that looks like framing", CHUNKS "3\r\nabc\r\n0\r\nContent-Length: 33\r\n\r\n", "abc"},
    {"another case of chunked", POST "Transfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", "a"},
    {"GET with a body", "GET /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 33\r\n\r\n" HIDDEN, HIDDEN},
    /* Lengths that are none. */
    {"hexadecimal length", POST "Content-Length: 0x5\r\n\r\nhello", NULL},
    {"length with a fraction", POST "Content-Length: 5.0\r\n\r\nhello", NULL},
    {"length with an exponent", POST "Content-Length: 5e0\r\n\r\nhello", NULL},
    {"length with white space inside", POST "Content-Length: 3 6\r\n\r\n" HIDDEN, NULL},
    {"length with a semicolon", POST "Content-Length: 5;\r\n\r\nhello", NULL},
    {"length in quotes", POST "Content-Length: \"5\"\r\n\r\nhello", NULL},
    {"empty length", POST "Content-Length: \r\n\r\nhello", NULL},
    {"length of a vertical tab", POST "Content-Length: \v5\r\n\r\nhello", NULL},
    {"length beyond 64 bits", POST "Content-Length: 18446744073709551621\r\n\r\nhello", NULL},
    {"equal lengths in a list", POST "Content-Length: 5,5\r\n\r\nhello", NULL},
    {"an underscore for the hyphen beside a length", POST "Content_Length: 36\r\nContent-Length: 0\r\n\r\n", ""},
    /* Encodings that are none. */
    {"chunked with a vertical tab", POST "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n" HIDDEN, NULL},
    {"chunked with a tab after", POST "Transfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n" HIDDEN, NULL},
    {"chunked in quotes", POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n" HIDDEN, NULL},
    {"chunked with a parameter", POST "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n" HIDDEN, NULL},
    {"chunked and identity", POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" HIDDEN, NULL},
    {"identity", POST "Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello", NULL},
    {"xchunked", POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" HIDDEN, NULL},
    {"empty encoding", POST "Transfer-Encoding:\r\nContent-Length: 5\r\n\r\nhello", NULL},
    {"space before the colon of an encoding", POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" HIDDEN, NULL},
    {"encoding on a continued line", POST "X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" HIDDEN, NULL},
    {"encoding after a bare CR", POST "X: y\rTransfer-Encoding: chunked\r\n\r\n" HIDDEN, NULL},
    {"encoding split over lines", POST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" HIDDEN, NULL},
    /* Chunks that are none. */
    {"chunk with a sign", CHUNKS "+3\r\nabc\r\n0\r\n\r\n", NULL},
    {"chunk with a minus", CHUNKS "-3\r\nabc\r\n0\r\n\r\n", NULL},
    {"chunk with 0x", CHUNKS "0x3\r\nabc\r\n0\r\n\r\n", NULL},
    {"chunk with a space before", CHUNKS " 3\r\nabc\r\n0\r\n\r\n", NULL},
    {"chunk with an underscore", CHUNKS "1_0\r\nabc\r\n0\r\n\r\n", NULL},
    {"chunk beyond 64 bits", CHUNKS "10000000000000003\r\nabc\r\n0\r\n\r\n", NULL},
    {"chunk without a size", CHUNKS "\r\nabc\r\n0\r\n\r\n", NULL},
    {"chunk of an extension only", CHUNKS ";a=b\r\nabc\r\n0\r\n\r\n", NULL},
    {"chunk longer than its size", CHUNKS "3\r\nabcd\r\n0\r\n\r\n", NULL},
    {"chunk shorter than its size", CHUNKS "5\r\nabc\r\n0\r\n\r\n" HIDDEN, NULL},
};

static void check_refused(struct client *client, const struct row *row) {
    struct answer answer;

    client_answer(client, false, &answer);
    if (answer.status != 400 && answer.status != 413)
        fail_msg("%s: %d %s", row->name, answer.status, answer.body);
    if (!client_wait_closed(client) || client->in.len)
        fail_msg("%s: there is more: %s", row->name, client->in.len ? client->in.data : "not closed");
}

static void check_taken(struct client *client, const struct row *row) {
    const char *method = str_starts(row->text, "GET") ? "GET" : "POST";
    struct answer answer;
    char wanted[1000];

    (void)snprintf(wanted, sizeof(wanted), "%s /echo|%s", method, row->body);
    client_answer(client, false, &answer);
    if (answer.status != 200 || !str_eq(answer.body, wanted))
        fail_msg("%s: %d %s", row->name, answer.status, answer.body);
    client_answer(client, false, &answer);
    if (!str_eq(answer.body, "GET /second|"))
        fail_msg("%s: then came %d %s", row->name, answer.status, answer.body);
}

static void check_row(int port, const struct row *row, size_t portion) {
    struct client client = client_open(port);
    char text[2000];
    size_t len = (size_t)snprintf(text, sizeof(text), "%s%s", row->text, SECOND);

    for (size_t at = 0; at < len; at += portion)
        client_send_bytes(&client, text + at, len - at < portion ? len - at : portion);
    if (row->body)
        check_taken(&client, row);
    else
        check_refused(&client, row);
    client_close(&client);
}

static void test_one_request_after_another(void **state) {
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check_row(fixture->port, &rows[i], SIZE_MAX / 2);
        check_row(fixture->port, &rows[i], 7);
    }
}

/* The body of a request that is refused for another reason is no request either. */
static void test_bodies_that_nobody_wants(void **state) {
    struct fixture *fixture = *state;
    static const struct {
        const char *text;
        int status;
    } unwanted[] = {
        {"POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 33\r\n\r\n" HIDDEN, 404},
        {"PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 33\r\n\r\n" HIDDEN, 405},
        {"HEAD /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 33\r\n\r\n" HIDDEN, 200},
    };
    for (size_t i = 0; i < ARRAY_LEN(unwanted); i++) {
        struct client client = client_open(fixture->port);
        struct answer answer;
        client_send(&client, unwanted[i].text);
        client_send(&client, SECOND);
        client_answer(&client, str_starts(unwanted[i].text, "HEAD"), &answer);
        assert_int_equal(answer.status, unwanted[i].status);
        client_answer(&client, false, &answer);
        assert_string_equal(answer.body, "GET /second|");
        client_close(&client);
    }
}

/* The size of a chunk says nothing of how much will come: what comes is counted. */
static void test_a_chunk_without_end(void **state) {
    struct fixture *fixture = *state;
    struct client client = client_open(fixture->port);
    struct answer answer;
    char portion[10000];

    memset(portion, 'x', sizeof(portion));
    client_send(&client, CHUNKS "ffffffffffffffff\r\n");
    for (int i = 0; i < 11; i++)
        client_send_bytes(&client, portion, sizeof(portion));
    client_answer(&client, false, &answer);
    assert_int_equal(answer.status, 413);
    assert_true(client_wait_closed(&client));
    client_close(&client);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_request_after_another, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bodies_that_nobody_wants, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_chunk_without_end, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
