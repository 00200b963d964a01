/* Tests of the way out of a fence: only to the hosts that are allowed, by CONNECT, by plain requests, and to the
 * loopback by its own port. */
#include "support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

/* A server out here, which answers each connection with what it heard first. */
struct echo {
    int fd, stop_fd, port;
    pthread_t thread;
};

static void *echo_main(void *arg) {
    const struct echo *echo = arg;
    struct pollfd fds[] = {{.fd = echo->stop_fd, .events = POLLIN}, {.fd = echo->fd, .events = POLLIN}};
    while (poll(fds, 2, -1) > 0 && !fds[0].revents) {
        static const char head[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nheard: ";
        char heard[4096];
        CLEANUP(mem_closep) int fd = accept4(echo->fd, NULL, NULL, SOCK_CLOEXEC);
        ssize_t len = fd < 0 ? 0 : recv(fd, heard, sizeof(heard), 0);
        if (len > 0 && send(fd, head, strlen(head), MSG_NOSIGNAL) > 0)
            (void)!send(fd, heard, (size_t)len, MSG_NOSIGNAL);
    }
    return NULL;
}

static void echo_start(struct echo *echo) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    echo->stop_fd = eventfd(0, EFD_CLOEXEC);
    echo->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(echo->fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(echo->fd, 16), 0);
    assert_int_equal(getsockname(echo->fd, (struct sockaddr *)&address, &len), 0);
    echo->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&echo->thread, NULL, echo_main, echo), 0);
}

static void echo_stop(struct echo *echo) {
    (void)eventfd_write(echo->stop_fd, 1);
    (void)pthread_join(echo->thread, NULL);
    mem_closep(&echo->fd);
    mem_closep(&echo->stop_fd);
}

/* What a program behind the fence hears when it says this to that port of its loopback: JavaScript's string. */
static struct sandbox_result say(struct fixture *fixture, const char *const *hosts, int port, const char *what) {
    struct sandbox_result result;
    const char *script = arena_printf(fixture->arena,
                                      "const s = require('node:net').connect(%d, '127.0.0.1'); s.on('error', (e) => "
                                      "console.log(e.code)); s.pipe(process.stdout); s.write('%s');",
                                      port, what);
    struct sandbox_spec spec = fenced_spec_of(fixture, (const char *const[]){"node", "-e", script, NULL});
    spec.network = SANDBOX_NETWORK_PROXY;
    spec.hosts = hosts;
    if (sandbox_run(&spec, fixture->arena, &result, &fixture->err) != 0)
        fail_msg("%s", fixture->err.message);
    return result;
}

enum { PROXY = 3128 };

static void allowed_hosts_are_reached(void **state) {
    struct fixture *fixture = *state;
    struct arena *arena = fixture->arena;
    struct echo echo;
    if (must_do_without_fence(fixture))
        return;
    echo_start(&echo);
    const char *const hosts[] = {"example.com:443", arena_printf(arena, "127.0.0.1:%d", echo.port), NULL};
    struct sandbox_result result =
        say(fixture, hosts, PROXY,
            arena_printf(arena,
                         "GET http://127.0.0.1:%d/a/b?c HTTP/1.1\\r\\nHost: x\\r\\nProxy-Connection: "
                         "keep-alive\\r\\nconnection: keep-alive\\r\\nContent-Length: 4\\r\\n\\r\\nbody",
                         echo.port));
    assert_string_equal(result.output,
                        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nheard: GET /a/b?c HTTP/1.1\r\nHost: "
                        "x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody");
    assert_null(result.refused);
    result = say(fixture, hosts, PROXY,
                 arena_printf(arena, "CONNECT 127.0.0.1:%d HTTP/1.1\\r\\nHost: x\\r\\n\\r\\nhello", echo.port));
    assert_string_equal(
        result.output,
        "HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 200 OK\r\nConnection: close\r\n\r\nheard: hello");
    /* At its own port, as programs that take no proxy for the loopback go there. */
    result = say(fixture, hosts, echo.port, "hello");
    assert_string_equal(result.output, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nheard: hello");
    echo_stop(&echo);
}

static void others_are_refused(void **state) {
    struct fixture *fixture = *state;
    struct arena *arena = fixture->arena;
    struct echo echo;
    if (must_do_without_fence(fixture))
        return;
    echo_start(&echo);
    const char *place = arena_printf(arena, "127.0.0.1:%d", echo.port);
    const char *const none[] = {"example.com:443", NULL};
    const char *const anything_public[] = {"*:*", NULL};
    const char *const *lists[] = {NULL, none, anything_public};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        struct sandbox_result result =
            say(fixture, lists[i], PROXY, arena_printf(arena, "CONNECT %s HTTP/1.1\\r\\n\\r\\n", place));
        assert_true(str_starts(result.output, "HTTP/1.1 403 Forbidden\r\n"));
        assert_true(str_ends(result.output, "is not among the hosts that may be spoken to from here\n"));
        assert_string_equal(result.refused, place);
        /* Nor is there a way by the side. */
        assert_string_equal(say(fixture, lists[i], echo.port, "hello").output, "ECONNREFUSED\n");
    }
    echo_stop(&echo);
}

static void nonsense_is_refused(void **state) {
    struct fixture *fixture = *state;
    if (must_do_without_fence(fixture))
        return;
    const char *const hosts[] = {"example.com:443", NULL};
    const char *const wrong[] = {"GET / HTTP/1.1\\r\\n\\r\\n", "CONNECT example.com HTTP/1.1\\r\\n\\r\\n",
                                 "GET http://user@example.com/ HTTP/1.1\\r\\n\\r\\n", "nonsense\\r\\n\\r\\n",
                                 "GET https://example.com/ HTTP/1.1\\r\\n\\r\\n"};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_true(str_starts(say(fixture, hosts, PROXY, wrong[i]).output, "HTTP/1.1 400 Bad Request\r\n"));
}

static void the_environment_names_it(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_result result;
    if (must_do_without_fence(fixture))
        return;
    struct sandbox_spec spec = fenced_spec_of(fixture, SHELL("echo $HTTPS_PROXY $http_proxy $NO_PROXY"));
    spec.network = SANDBOX_NETWORK_PROXY;
    assert_int_equal(sandbox_run(&spec, fixture->arena, &result, &fixture->err), 0);
    assert_string_equal(result.output, "http://127.0.0.1:3128 http://127.0.0.1:3128 localhost,127.0.0.1\n");
    spec.network = SANDBOX_NETWORK_OFF;
    assert_int_equal(sandbox_run(&spec, fixture->arena, &result, &fixture->err), 0);
    assert_string_equal(result.output, "\n");
}

/* Neither a connection that says nothing nor one that never ends keeps anything up. */
static void it_ends_with_the_command(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_result result;
    if (must_do_without_fence(fixture))
        return;
    struct sandbox_spec spec = fenced_spec_of(
        fixture, (const char *const[]){"node", "-e",
                                       "let n = 0; for (let i = 0; i < 80; i++) require('node:net').connect(3128, "
                                       "'127.0.0.1', () => { if (++n === 70) process.exit(5) }).on('error', () => {})",
                                       NULL});
    spec.network = SANDBOX_NETWORK_PROXY;
    assert_int_equal(sandbox_run(&spec, fixture->arena, &result, &fixture->err), 0);
    assert_int_equal(result.exit_code, 5);
    assert_int_equal(count_children(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(allowed_hosts_are_reached, fenced_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(others_are_refused, fenced_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(nonsense_is_refused, fenced_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(the_environment_names_it, fenced_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(it_ends_with_the_command, fenced_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
