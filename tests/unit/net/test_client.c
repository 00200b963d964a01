/* The HTTP client against a scripted server: what it sends, what it makes of answers, its deadlines and limits. */
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
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "net/net.h"

/* Answers each connection's requests in turn from one script, then closes. */
struct script {
    const char *answers[8]; /* NULL ends; "" is silence until the client goes */
    int listener, port;
    pthread_t thread;
    struct buf seen; /* all that was received */
    atomic_int accepted;
};

static bool read_request(int fd, struct buf *seen) {
    char text[65536];
    size_t start = seen->len;

    for (;;) {
        const char *end = seen->len > start ? strstr(seen->data + start, "\r\n\r\n") : NULL;
        if (end) {
            const char *length = strcasestr(seen->data + start, "\r\nContent-Length:");
            size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
            if (seen->len >= (size_t)(end + 4 - seen->data) + body)
                return true;
        }
        ssize_t got = recv(fd, text, sizeof(text), 0);
        if (got <= 0)
            return false;
        buf_put(seen, text, (size_t)got);
    }
}

static void *serve(void *arg) {
    struct script *script = arg;
    size_t next = 0;
    char byte;

    while (script->answers[next]) {
        int fd = accept4(script->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            break;
        atomic_fetch_add(&script->accepted, 1);
        while (script->answers[next] && read_request(fd, &script->seen)) {
            const char *answer = script->answers[next++];
            if (answer[0])
                (void)!send(fd, answer, strlen(answer), MSG_NOSIGNAL);
            else
                (void)!recv(fd, &byte, 1, 0);
            if (strstr(answer, "Connection: close"))
                break;
        }
        (void)close(fd);
    }
    return NULL;
}

static void start(struct script *script) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);

    script->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(script->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(script->listener, 8), 0);
    assert_int_equal(getsockname(script->listener, (struct sockaddr *)&address, &len), 0);
    script->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&script->thread, NULL, serve, script), 0);
}

static void finish(struct script *script) {
    (void)shutdown(script->listener, SHUT_RDWR);
    (void)pthread_join(script->thread, NULL);
    (void)close(script->listener);
    buf_release(&script->seen);
}

struct fixture {
    struct net_client *client;
    struct arena *arena;
};

static int set_up(void **state) {
    struct fixture *fixture = mem_alloc(sizeof(*fixture));
    fixture->client = net_client_create();
    fixture->arena = arena_create();
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    net_client_destroy(fixture->client);
    arena_destroy(fixture->arena);
    free(fixture);
    return 0;
}

static char *url_of(struct fixture *fixture, const struct script *script, const char *path) {
    return arena_printf(fixture->arena, "http://127.0.0.1:%d%s", script->port, path);
}

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-One:  a b \r\nx-one: c\r\nX-Empty:\r\n\r\nok"

static void test_requests(void **state) {
    struct fixture *fixture = *state;
    struct script script = {
        .answers = {OK_ANSWER, OK_ANSWER, OK_ANSWER, "HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n\r\n"}};
    struct net_response response;
    struct err err = {0};
    const struct net_header headers[] = {{"Authorization", "Bearer x"}, {"X-Nothing", ""}};

    (void)setenv("http_proxy", "http://127.0.0.1:1", 1);
    start(&script);
    struct net_request request = {
        .method = "GET", .url = url_of(fixture, &script, "/a?b"), .headers = headers, .header_count = 2};
    assert_int_equal(net_request(fixture->client, &request, fixture->arena, &response, &err), 0);
    assert_int_equal(response.status, 200);
    assert_string_equal(response.body, "ok");
    assert_int_equal(response.body_len, 2);
    assert_int_equal(response.header_count, 4);
    assert_string_equal(response.headers[1].name, "x-one");
    assert_string_equal(response.headers[1].value, "a b");
    assert_string_equal(net_response_header(&response, "X-ONE"), "a b");
    assert_string_equal(net_response_header(&response, "x-empty"), "");
    assert_null(net_response_header(&response, "x-two"));
    request =
        (struct net_request){.method = "POST", .url = url_of(fixture, &script, "/p"), .body = "a\0b", .body_len = 3};
    assert_int_equal(net_request(fixture->client, &request, fixture->arena, &response, &err), 0);
    request = (struct net_request){.method = "DELETE", .url = url_of(fixture, &script, "/d")};
    assert_int_equal(net_request(fixture->client, &request, fixture->arena, &response, &err), 0);
    request = (struct net_request){.method = "HEAD", .url = url_of(fixture, &script, "/h")};
    assert_int_equal(net_request(fixture->client, &request, fixture->arena, &response, &err), 0);
    assert_int_equal(response.status, 404);
    assert_int_equal(response.body_len, 0);
    assert_int_equal(atomic_load(&script.accepted), 1); /* kept alive */
    const char *seen = script.seen.data;
    assert_non_null(strstr(seen, "GET /a?b HTTP/1.1\r\n"));
    assert_non_null(strstr(seen, "\r\nAuthorization: Bearer x\r\nX-Nothing:\r\n"));
    assert_non_null(strstr(seen, "POST /p HTTP/1.1\r\n"));
    assert_non_null(memmem(seen, script.seen.len, "\r\n\r\na\0b", 7));
    assert_null(memmem(seen, script.seen.len, "urlencoded", 10));
    finish(&script);
    (void)unsetenv("http_proxy");
}

static void test_redirects(void **state) {
    struct fixture *fixture = *state;
    static const char moved[] = "HTTP/1.1 302 Found\r\nLocation: /next\r\nX-Old: 1\r\nContent-Length: 0\r\n\r\n";
    struct script script = {.answers = {moved, moved, OK_ANSWER}};
    struct net_response response;
    struct err err = {0};

    start(&script);
    struct net_request request = {.method = "GET", .url = url_of(fixture, &script, "/")};
    assert_int_equal(net_request(fixture->client, &request, fixture->arena, &response, &err), 0);
    assert_int_equal(response.status, 302);
    request.follow_redirects = true;
    assert_int_equal(net_request(fixture->client, &request, fixture->arena, &response, &err), 0);
    assert_int_equal(response.status, 200);
    assert_null(net_response_header(&response, "x-old"));
    finish(&script);
}

static bool after_three(void *arg) {
    return ++*(int *)arg > 3;
}

static void test_failures(void **state) {
    struct fixture *fixture = *state;
    struct script script = {
        .answers = {"", "", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\nhalf", OK_ANSWER}};
    struct net_response response = {.status = 77};
    struct err err = {0};
    int asked = 0, port = 0;

    start(&script);
    struct net_request request = {.method = "GET", .url = url_of(fixture, &script, "/"), .total_timeout_ms = 150};
    assert_int_equal(net_request(fixture->client, &request, fixture->arena, &response, &err), -ERR_TIMEOUT);
    request.total_timeout_ms = 10000;
    request.is_cancelled = after_three;
    request.cancel_arg = &asked;
    int64_t began_ms = clock_mono_ms();
    assert_int_equal(net_request(fixture->client, &request, fixture->arena, &response, &err), -ERR_CANCELLED);
    assert_true(clock_mono_ms() - began_ms < 5000);
    request.is_cancelled = NULL;
    assert_int_equal(net_request(fixture->client, &request, fixture->arena, &response, &err), -ERR_UNAVAILABLE);
    assert_int_equal(response.status, 77); /* untouched on failure */
    assert_int_equal(net_request(fixture->client, &request, fixture->arena, &response, &err), 0);
    finish(&script);
    assert_int_equal(net_free_port(&port, &err), 0);
    assert_true(port > 0);
    request.url = arena_printf(fixture->arena, "http://127.0.0.1:%d/", port);
    assert_int_equal(net_request(fixture->client, &request, fixture->arena, &response, &err), -ERR_UNAVAILABLE);
    static const char *const bad[] = {"", "nonsense", "file:///etc/passwd", "gopher://127.0.0.1/", "http://"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        request.url = bad[i];
        assert_int_equal(net_request(fixture->client, &request, fixture->arena, &response, &err), -ERR_VALIDATION);
    }
    const struct net_header evil = {"X-A", "b\r\nX-Injected: 1"};
    request = (struct net_request){.method = "GET", .url = "http://127.0.0.1/", .headers = &evil, .header_count = 1};
    assert_int_equal(net_request(fixture->client, &request, fixture->arena, &response, &err), -ERR_VALIDATION);
}

static int collect(const char *data, size_t len, void *arg) {
    struct buf *buf = arg;
    buf_put(buf, data, len);
    return buf->len > 8;
}

static void test_limits(void **state) {
    struct fixture *fixture = *state;
    static const char chunked[] =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n4\r\nefgh\r\n0\r\n\r\n";
    static const char more[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n0123456789";
    struct script script = {.answers = {OK_ANSWER, chunked, chunked, chunked, more}};
    struct net_response response;
    struct buf got = {0};
    struct err err = {0};

    start(&script);
    struct net_request request = {.method = "GET", .url = url_of(fixture, &script, "/"), .max_body_bytes = 1};
    assert_int_equal(net_request(fixture->client, &request, fixture->arena, &response, &err), -ERR_TOO_LARGE);
    request.max_body_bytes = 7;
    assert_int_equal(net_request(fixture->client, &request, fixture->arena, &response, &err), -ERR_TOO_LARGE);
    request.max_body_bytes = 8;
    assert_int_equal(net_request(fixture->client, &request, fixture->arena, &response, &err), 0);
    assert_string_equal(response.body, "abcdefgh");
    request.on_body = collect;
    request.on_body_arg = &got;
    assert_int_equal(net_request(fixture->client, &request, fixture->arena, &response, &err), 0);
    assert_int_equal(response.body_len, 0);
    assert_string_equal(got.data, "abcdefgh");
    request.max_body_bytes = 0;
    assert_int_equal(net_request(fixture->client, &request, fixture->arena, &response, &err), -ERR_CANCELLED);
    buf_release(&got);
    finish(&script);
}

static void test_unix_socket(void **state) {
    struct fixture *fixture = *state;
    struct script script = {.answers = {OK_ANSWER}};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct net_response response;
    struct err err = {0};
    char dir[] = "/tmp/net-test-XXXXXX";

    assert_non_null(mkdtemp(dir));
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", dir);
    script.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(script.listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(script.listener, 8), 0);
    assert_int_equal(pthread_create(&script.thread, NULL, serve, &script), 0);
    struct net_request request = {.method = "GET", .url = "http://worker/x", .unix_socket = address.sun_path};
    assert_int_equal(net_request(fixture->client, &request, fixture->arena, &response, &err), 0);
    assert_string_equal(response.body, "ok");
    assert_non_null(strstr(script.seen.data, "Host: worker"));
    finish(&script);
    (void)unlink(address.sun_path);
    (void)rmdir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_requests, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_redirects, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unix_socket, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
