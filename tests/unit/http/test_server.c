/* Requests and answers over real sockets: what handlers see, what hooks see, files, the pool. */
#include "client.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"

struct fixture {
    struct http_server *server;
    int port;
    sem_t entered, may_go; /* the handler `held` waits in the pool */
    sem_t after;           /* posted by the hook for each request */
    atomic_int threads, statuses[600];
    atomic_long last_bytes;
    atomic_int cut;
};

static void get_echo(struct http_request *request, struct http_reply *reply, void *context) {
    struct arena *arena = http_request_arena(request);
    char *text = arena_printf(arena, "%s|%s|%s", http_request_method_name(request), http_request_path(request),
                              http_request_query(request));
    for (size_t i = 0; i < http_request_query_count(request); i++) {
        struct http_pair pair = http_request_query_at(request, i);
        text = arena_printf(arena, "%s|%s=%s", text, pair.name, pair.value);
    }
    size_t times = 0;
    const char *twice = http_request_query_param(request, "twice", &times);
    text = arena_printf(arena, "%s|%s*%zu|%s|%s|%s|%s|%s", text, str_or(twice, "-"), times,
                        str_or(http_request_header(request, "x-CASE"), "-"),
                        str_or(http_request_cookie(request, "session"), "-"),
                        str_or(http_request_param(request, "name"), "-"), http_request_peer(request),
                        http_request_user(request) ? (char *)http_request_user(request) : "-");
    http_reply_body(reply, "text/plain", text, strlen(text));
}

static void post_echo(struct http_request *request, struct http_reply *reply, void *context) {
    size_t len = 0;
    const char *body = http_request_body(request, &len);
    assert_non_null(http_request_thread(request));
    http_reply_status(reply, 201);
    http_reply_body_copy(reply, "application/octet-stream", body, len);
}

static void held(struct http_request *request, struct http_reply *reply, void *context) {
    struct fixture *fixture = context;
    (void)sem_post(&fixture->entered);
    (void)sem_wait(&fixture->may_go);
    http_reply_body(reply, "text/plain", "held", 4);
}

static void get_file(struct http_request *request, struct http_reply *reply, void *context) {
    int fd = open(http_request_query_param(request, "path", NULL), O_RDONLY | O_CLOEXEC);
    int64_t offset = 0, length = 0;
    (void)str_to_int(http_request_query_param(request, "offset", NULL), 0, INT64_MAX, &offset);
    (void)str_to_int(http_request_query_param(request, "length", NULL), 0, INT64_MAX, &length);
    http_reply_status(reply, 206);
    http_reply_file(reply, "application/zip", fd, (uint64_t)offset, (uint64_t)length);
}

static void get_large(struct http_request *request, struct http_reply *reply, void *context) {
    size_t len = 8 * 1024 * 1024;
    char *body = arena_alloc(http_request_arena(request), len);
    for (size_t i = 0; i < len; i++)
        body[i] = (char)('a' + i % 23);
    http_reply_body(reply, "text/plain", body, len);
}

static void get_odd(struct http_request *request, struct http_reply *reply, void *context) {
    http_reply_header(reply, "X-Evil", "a\r\nX-Injected: yes");
    http_reply_header(reply, "X-Good", "fine");
    http_reply_body(reply, "text/plain", "dropped", 7);
    http_reply_error(reply, 409, "odd");
}

static void get_empty(struct http_request *request, struct http_reply *reply, void *context) {
    http_reply_status(reply, 204);
}

static bool before(struct http_request *request, struct http_reply *reply, void *context) {
    size_t len = 1;
    (void)http_request_body(request, &len);
    assert_int_equal(len, 0);
    http_reply_header(reply, "X-Before", http_request_route(request) ? http_request_route(request)->path : "none");
    const char *key = http_request_header(request, "Authorization");
    if (key && str_eq(key, "bad")) {
        http_reply_error(reply, 401, "Who are you?");
        return true;
    }
    http_request_set_user(request, (void *)"user");
    return false;
}

static void on_error(struct http_request *request, struct http_reply *reply, int status, const char *message,
                     void *context) {
    char *body = arena_printf(http_request_arena(request), "{\"error\":%d,\"message\":\"%s\"}", status, message);
    http_reply_body(reply, "application/json", body, strlen(body));
}

static void after(struct http_request *request, const struct http_outcome *outcome, void *context) {
    struct fixture *fixture = context;
    assert_true(outcome->elapsed_us >= 0 && outcome->status < 600);
    atomic_fetch_add(&fixture->statuses[outcome->status], 1);
    atomic_store(&fixture->last_bytes, (long)outcome->body_bytes);
    if (!outcome->is_complete)
        atomic_fetch_add(&fixture->cut, 1);
    (void)sem_post(&fixture->after);
}

static void *thread_began(void *context) {
    struct fixture *fixture = context;
    atomic_fetch_add(&fixture->threads, 1);
    return fixture;
}

static void thread_ended(void *thread, void *context) {
    struct fixture *fixture = context;
    assert_ptr_equal(thread, context);
    atomic_fetch_sub(&fixture->threads, 1);
}

static const struct http_route routes[] = {
    {.method = HTTP_GET, .path = "/echo", .handle = get_echo, .is_inline = true},
    {.method = HTTP_GET, .path = "/echo/:name", .handle = get_echo},
    {.method = HTTP_POST, .path = "/echo", .handle = post_echo},
    {.method = HTTP_PUT, .path = "/echo", .handle = post_echo, .is_inline = true, .max_body_bytes = 10},
    {.method = HTTP_GET, .path = "/held", .handle = held},
    {.method = HTTP_GET, .path = "/slow", .handle = held, .is_slow = true},
    {.method = HTTP_GET, .path = "/file", .handle = get_file},
    {.method = HTTP_GET, .path = "/large", .handle = get_large},
    {.method = HTTP_GET, .path = "/odd", .handle = get_odd, .is_inline = true},
    {.method = HTTP_GET, .path = "/empty", .handle = get_empty, .is_inline = true},
};

static int set_up(void **state) {
    struct fixture *fixture = mem_alloc(sizeof(*fixture));
    struct http_config config = {
        .routes = routes,
        .route_count = ARRAY_LEN(routes),
        .hooks = {before, on_error, after, thread_began, thread_ended},
        .context = fixture,
        .loop_count = 2,
        .pool_threads = 2,
        .pool_queue = 2,
        .slow_threads = 3,
    };
    (void)sem_init(&fixture->entered, 0, 0);
    (void)sem_init(&fixture->may_go, 0, 0);
    (void)sem_init(&fixture->after, 0, 0);
    fixture->server = server_open(&config);
    fixture->port = http_server_port(fixture->server);
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    http_server_stop(fixture->server, 5000);
    assert_int_equal(atomic_load(&fixture->threads), 0);
    http_server_destroy(fixture->server);
    free(fixture);
    return 0;
}

#define GET(target, more) "GET " target " HTTP/1.1\r\nHost: x\r\n" more "\r\n"

static void test_what_handlers_see(void **state) {
    struct fixture *fixture = *state;
    struct answer answer;

    exchange(fixture->port,
             GET("/echo?a=1+2&b&twice=x%26y&twice=z&=e", "X-Case:  one \r\nCookie: a=b; session=\"s=1\"; z=\r\n"),
             &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body, "GET|/echo|a=1+2&b&twice=x%26y&twice=z&=e|a=1 2|b=|twice=x&y|twice=z|=e|x&y*2|"
                                     "one|s=1|-|127.0.0.1|user");
    assert_string_equal(answer_header(&answer, "Content-Type"), "text/plain");
    assert_string_equal(answer_header(&answer, "X-Before"), "/echo");
    exchange(fixture->port, GET("/echo/J%C3%BCrgen%2F1?", "Cookie: xsession=1\r\nCookie: session=2\r\n"), &answer);
    assert_string_equal(answer.body, "GET|/echo/J%C3%BCrgen%2F1||-*0|-|2|J\xc3\xbcrgen/1|127.0.0.1|user");
    exchange(fixture->port, GET("http://example.org/echo?q", ""), &answer);
    assert_string_equal(answer.body, "GET|/echo|q|q=|-*0|-|-|-|127.0.0.1|user");
    exchange(fixture->port, GET("/odd", ""), &answer);
    assert_int_equal(answer.status, 409);
    assert_null(answer_header(&answer, "X-Injected"));
    assert_string_equal(answer_header(&answer, "X-Good"), "fine");
    assert_string_equal(answer.body, "{\"error\":409,\"message\":\"odd\"}");
}

static void test_methods(void **state) {
    struct fixture *fixture = *state;
    struct answer answer;

    exchange(fixture->port, "HEAD /echo HTTP/1.1\r\nHost: x\r\n\r\n", &answer);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer_header(&answer, "Content-Length"), "36");
    exchange(fixture->port, "DELETE /echo HTTP/1.1\r\nHost: x\r\n\r\n", &answer);
    assert_int_equal(answer.status, 405);
    assert_string_equal(answer_header(&answer, "Allow"), "GET, HEAD, POST, PUT, OPTIONS");
    exchange(fixture->port, "BREW /echo HTTP/1.1\r\nHost: x\r\n\r\n", &answer);
    assert_int_equal(answer.status, 405);
    exchange(fixture->port, "OPTIONS /echo HTTP/1.1\r\nHost: x\r\n\r\n", &answer);
    assert_int_equal(answer.status, 204);
    assert_string_equal(answer_header(&answer, "Allow"), "GET, HEAD, POST, PUT, OPTIONS");
    exchange(fixture->port, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", &answer);
    assert_int_equal(answer.status, 404);
    exchange(fixture->port, GET("/nothing", ""), &answer);
    assert_int_equal(answer.status, 404);
    assert_string_equal(answer.body, "{\"error\":404,\"message\":\"There is nothing here\"}");
    assert_string_equal(answer_header(&answer, "X-Before"), "none");
    exchange(fixture->port, GET("/empty", ""), &answer);
    assert_int_equal(answer.status, 204);
}

static void test_request_ids(void **state) {
    struct fixture *fixture = *state;
    struct answer answer;
    char first[64];

    exchange(fixture->port, GET("/echo", "X-Request-Id: my-id_1.2\r\n"), &answer);
    assert_string_equal(answer_header(&answer, "X-Request-Id"), "my-id_1.2");
    exchange(fixture->port, GET("/echo", "X-Request-Id: a b\r\n"), &answer);
    (void)str_copy(first, sizeof(first), answer_header(&answer, "X-Request-Id"));
    assert_true(str_starts(first, "req_") && strlen(first) == 20);
    exchange(fixture->port, GET("/nothing", ""), &answer);
    assert_string_not_equal(answer_header(&answer, "X-Request-Id"), first);
}

static void test_before_may_answer(void **state) {
    struct fixture *fixture = *state;
    struct client client = client_open(fixture->port);
    struct answer answer;

    /* A small body is thrown away, and the connection goes on. */
    client_send(&client, "POST /echo HTTP/1.1\r\nHost: x\r\nAuthorization: bad\r\nContent-Length: 5\r\n\r\n12345");
    client_answer(&client, false, &answer);
    assert_int_equal(answer.status, 401);
    assert_string_equal(answer.body, "{\"error\":401,\"message\":\"Who are you?\"}");
    client_send(&client, GET("/echo/again", "Authorization: good\r\n"));
    client_answer(&client, false, &answer);
    assert_int_equal(answer.status, 200);
    /* A large one is not waited for. */
    client_send(&client, "POST /echo HTTP/1.1\r\nHost: x\r\nAuthorization: bad\r\nContent-Length: 500000\r\n\r\n");
    client_answer(&client, false, &answer);
    assert_int_equal(answer.status, 401);
    assert_true(client_wait_closed(&client));
    client_close(&client);
    for (int i = 0; i < 3; i++)
        wait_for(&fixture->after);
    assert_int_equal(atomic_load(&fixture->statuses[401]), 2);
    assert_int_equal(atomic_load(&fixture->statuses[200]), 1);
}

static void test_bodies(void **state) {
    struct fixture *fixture = *state;
    struct client client = client_open(fixture->port);
    struct answer answer;
    char body[60000];

    for (size_t i = 0; i < sizeof(body); i++)
        body[i] = (char)(i * 7);
    for (int round = 0; round < 3; round++) {
        client_send(&client, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n");
        client_send_bytes(&client, body, sizeof(body));
        client_answer(&client, false, &answer);
        assert_int_equal(answer.status, 201);
        assert_int_equal(answer.body_len, sizeof(body));
        assert_memory_equal(answer.body, body, sizeof(body));
    }
    client_send(&client,
                "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nWiki\r\n6;x=y\r\npedia \r\n");
    client_send(&client, "3\r\nyes\r\n0\r\nTrailer: 1\r\n\r\n");
    client_answer(&client, false, &answer);
    assert_int_equal(answer.status, 201);
    assert_string_equal(answer.body, "Wikipedia yes");
    client_send(&client, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    client_answer(&client, false, &answer);
    assert_int_equal(answer.status, 201);
    assert_int_equal(answer.body_len, 0);
    client_close(&client);
}

static void test_one_byte_at_a_time(void **state) {
    struct fixture *fixture = *state;
    struct client client = client_open(fixture->port);
    const char *text = "PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789";
    struct answer answer;
    int on = 1;

    (void)setsockopt(client.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    for (; *text; text++)
        client_send_bytes(&client, text, 1);
    client_answer(&client, false, &answer);
    assert_int_equal(answer.status, 201);
    assert_string_equal(answer.body, "0123456789");
    client_close(&client);
}

static void test_pipelining(void **state) {
    struct fixture *fixture = *state;
    struct client client = client_open(fixture->port);
    struct answer answer;

    for (int i = 0; i < 50; i++) {
        /* Inline, pooled, with a body, and an error in turn: the answers keep the order. */
        client_send(&client,
                    GET("/echo?one", "")
                        GET("/echo/two",
                            "") "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nthree" GET("/four", ""));
    }
    for (int i = 0; i < 50; i++) {
        client_answer(&client, false, &answer);
        assert_non_null(strstr(answer.body, "|one="));
        client_answer(&client, false, &answer);
        assert_non_null(strstr(answer.body, "|two|"));
        client_answer(&client, false, &answer);
        assert_string_equal(answer.body, "three");
        client_answer(&client, false, &answer);
        assert_int_equal(answer.status, 404);
    }
    client_close(&client);
}

static void test_keep_alive(void **state) {
    struct fixture *fixture = *state;
    struct client client = client_open(fixture->port);
    struct answer answer;

    client_send(&client, GET("/echo", ""));
    client_answer(&client, false, &answer);
    client_send(&client, GET("/echo", "Connection: close\r\n"));
    client_answer(&client, false, &answer);
    assert_string_equal(answer_header(&answer, "Connection"), "close");
    assert_true(client_wait_closed(&client));
    client_close(&client);
    client = client_open(fixture->port);
    client_send(&client, "GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    client_answer(&client, false, &answer);
    assert_int_equal(answer.status, 200);
    client_send(&client, "GET /echo HTTP/1.0\r\n\r\n");
    client_answer(&client, false, &answer);
    assert_int_equal(answer.status, 200);
    assert_true(client_wait_closed(&client));
    client_close(&client);
}

static void test_large_answer(void **state) {
    struct fixture *fixture = *state;
    struct answer answer;

    exchange(fixture->port, GET("/large", ""), &answer);
    assert_int_equal(answer.body_len, 8 * 1024 * 1024);
    wait_for(&fixture->after);
    assert_int_equal(atomic_load(&fixture->last_bytes), 8 * 1024 * 1024);
}

static void test_files(void **state) {
    struct fixture *fixture = *state;
    struct answer answer;
    char path[] = "/tmp/http-file-XXXXXX", text[512];
    int fd = mkstemp(path);

    for (int i = 0; i < 100000; i++)
        assert_int_equal(write(fd, &(char){(char)('A' + i % 26)}, 1), 1);
    (void)close(fd);
    (void)snprintf(text, sizeof(text), "GET /file?path=%s&offset=26&length=50000 HTTP/1.1\r\nHost: x\r\n\r\n", path);
    exchange(fixture->port, text, &answer);
    assert_int_equal(answer.status, 206);
    assert_int_equal(answer.body_len, 50000);
    assert_memory_equal(answer.body, "ABCDEFGHIJKLMNOPQRSTUVWXYZABC", 29);
    (void)snprintf(text, sizeof(text), "GET /file?path=%s&offset=0&length=0 HTTP/1.1\r\nHost: x\r\n\r\n", path);
    exchange(fixture->port, text, &answer);
    assert_int_equal(answer.body_len, 0);
    (void)snprintf(text, sizeof(text), "HEAD /file?path=%s&offset=0&length=777 HTTP/1.1\r\nHost: x\r\n\r\n", path);
    exchange(fixture->port, text, &answer);
    assert_string_equal(answer_header(&answer, "Content-Length"), "777");
    (void)unlink(path);
}

static void test_vanished_client(void **state) {
    struct fixture *fixture = *state;
    struct client client = client_open(fixture->port);

    client_send(&client, GET("/held", ""));
    wait_for(&fixture->entered);
    struct linger reset = {.l_onoff = 1};
    (void)setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    client_close(&client);
    (void)sem_post(&fixture->may_go);
    wait_for(&fixture->after);
    assert_int_equal(atomic_load(&fixture->cut), 1);
}

/* It has sent all it will, and still reads. */
static void test_half_closed_client(void **state) {
    struct fixture *fixture = *state;
    static const char *const texts[] = {GET("/echo", ""), GET("/echo/pooled", ""), GET("/large", "")};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct client client = client_open(fixture->port);
        static struct answer answer;
        client_send(&client, texts[i]);
        (void)shutdown(client.fd, SHUT_WR);
        client_answer(&client, false, &answer);
        assert_int_equal(answer.status, 200);
        assert_true(client_wait_closed(&client));
        client_close(&client);
    }
}

static void *stop(void *arg) {
    struct fixture *fixture = arg;
    http_server_stop(fixture->server, 10000);
    return NULL;
}

/* Every loop has closed its listener, which is the first thing of its draining. */
static void wait_for_refusal(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    bool is_refused = false;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    while (!is_refused) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        is_refused = connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 && errno == ECONNREFUSED;
        (void)close(fd);
    }
}

static void test_stop_lets_requests_finish(void **state) {
    struct fixture *fixture = *state;
    struct client busy = client_open(fixture->port), waiting = client_open(fixture->port);
    struct client idle = client_open(fixture->port);
    struct answer answer;
    pthread_t stopper;

    client_send(&idle, GET("/echo", ""));
    client_answer(&idle, false, &answer);
    client_send(&busy, GET("/held", ""));
    wait_for(&fixture->entered);
    client_send(&waiting, GET("/held", ""));
    wait_for(&fixture->entered);
    assert_int_equal(pthread_create(&stopper, NULL, stop, fixture), 0);
    client_answer(&idle, false, &answer); /* closed: the server is draining */
    assert_int_equal(answer.status, 0);
    wait_for_refusal(fixture->port);
    (void)sem_post(&fixture->may_go);
    (void)sem_post(&fixture->may_go);
    client_answer(&busy, false, &answer);
    assert_string_equal(answer.body, "held");
    assert_string_equal(answer_header(&answer, "Connection"), "close");
    client_answer(&waiting, false, &answer);
    assert_string_equal(answer.body, "held");
    (void)pthread_join(stopper, NULL);
    client_close(&busy);
    client_close(&waiting);
    client_close(&idle);
}

static void test_stop_without_grace(void **state) {
    struct fixture *fixture = *state;
    struct client held = client_open(fixture->port), half = client_open(fixture->port);

    client_send(&half, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345");
    client_send(&held, GET("/held", ""));
    wait_for(&fixture->entered);
    (void)sem_post(&fixture->may_go);
    http_server_stop(fixture->server, 0);
    assert_true(client_wait_closed(&held));
    assert_true(client_wait_closed(&half));
    client_close(&held);
    client_close(&half);
}

static void test_all_addresses(void **state) {
    struct fixture *fixture = *state;
    static const char *const addresses[] = {"[::]:0", ":0", "localhost:0"};

    for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
        struct http_config config = {.listen = addresses[i], .routes = routes, .route_count = 1, .context = fixture};
        struct http_server *server = NULL;
        static struct answer answer;
        if (http_server_start(&config, &server, NULL))
            continue; /* a machine without IPv6 */
        exchange(http_server_port(server), GET("/echo", ""), &answer);
        assert_string_equal(answer.body, "GET|/echo||-*0|-|-|-|127.0.0.1|-");
        http_server_stop(server, 1000);
        http_server_destroy(server);
    }
}

/* What is slow has threads of its own, as many as it needs: the others do not wait for it, nor it for them. */
static void test_slow_requests(void **state) {
    struct fixture *fixture = *state;
    struct client slow[3];
    struct answer answer;
    for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
        slow[i] = client_open(fixture->port);
        client_send(&slow[i], GET("/slow", ""));
        wait_for(&fixture->entered);
    }
    exchange(fixture->port, GET("/echo/x", ""), &answer);
    assert_int_equal(answer.status, 200);
    for (size_t i = 0; i < ARRAY_LEN(slow); i++)
        (void)sem_post(&fixture->may_go);
    for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
        client_answer(&slow[i], false, &answer);
        assert_string_equal(answer.body, "held");
        client_close(&slow[i]);
    }
}

static void test_full_pool(void **state) {
    struct fixture *fixture = *state;
    struct client clients[4];
    struct answer answer;

    for (int i = 0; i < 4; i++) {
        clients[i] = client_open(fixture->port);
        client_send(&clients[i], GET("/held", ""));
        if (i < 2)
            wait_for(&fixture->entered);
    }
    struct http_stats stats;
    do
        http_server_stats(fixture->server, &stats);
    while (stats.pool_waiting < 2);
    /* Two at work, two waiting: the next is turned away, while what runs inline goes on. */
    exchange(fixture->port, GET("/held", ""), &answer);
    assert_int_equal(answer.status, 503);
    assert_string_equal(answer.body, "{\"error\":503,\"message\":\"The server is too busy\"}");
    exchange(fixture->port, GET("/echo", ""), &answer);
    assert_int_equal(answer.status, 200);
    for (int i = 0; i < 4; i++)
        (void)sem_post(&fixture->may_go);
    for (int i = 0; i < 4; i++) {
        client_answer(&clients[i], false, &answer);
        assert_string_equal(answer.body, "held");
        client_close(&clients[i]);
    }
}

static void test_many_connections(void **state) {
    struct fixture *fixture = *state;
    static struct client clients[300];
    struct answer answer;

    for (int i = 0; i < 300; i++)
        clients[i] = client_open(fixture->port);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 300; i++)
            client_send(&clients[i], GET("/echo", ""));
        for (int i = 0; i < 300; i++) {
            client_answer(&clients[i], false, &answer);
            assert_int_equal(answer.status, 200);
        }
    }
    struct http_stats stats;
    http_server_stats(fixture->server, &stats);
    assert_int_equal(stats.connections, 300);
    for (int i = 0; i < 300; i++)
        client_close(&clients[i]);
}

static void test_second_server_on_the_port(void **state) {
    struct fixture *fixture = *state;
    char listen[32];
    struct http_config config = {.listen = listen, .loop_count = 1};
    struct http_server *server = NULL;
    struct err err = {0};

    (void)snprintf(listen, sizeof(listen), "127.0.0.1:%d", fixture->port);
    assert_int_equal(http_server_start(&config, &server, &err), -ERR_UNAVAILABLE);
    assert_null(server);
    config.listen = "nonsense";
    assert_int_equal(http_server_start(&config, &server, &err), -ERR_VALIDATION);
    config.listen = "127.0.0.1:99999";
    assert_int_equal(http_server_start(&config, &server, &err), -ERR_VALIDATION);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_handlers_see, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_methods, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_request_ids, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_before_may_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bodies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_byte_at_a_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pipelining, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keep_alive, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_large_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_vanished_client, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_half_closed_client, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stop_lets_requests_finish, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stop_without_grace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_all_addresses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full_pool, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slow_requests, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_connections, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_second_server_on_the_port, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
