/* client: calls, the stream that is taken up again, and downloads, against a server that says what the test wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/client.h"

enum { ANSWERS_MAX = 8 };

/* One connection an answer; "" closes at once. */
struct bench {
    struct arena *arena;
    struct client client;
    int listener;
    pthread_t thread;
    const char *answers[ANSWERS_MAX];
    char asked[ANSWERS_MAX][1024];
    int count;
    char seen[256]; /* types of events */
    struct err err;
};

static void *server_main(void *arg) {
    struct bench *bench = arg;
    while (bench->count < ANSWERS_MAX && bench->answers[bench->count]) {
        struct pollfd ready = {.fd = bench->listener, .events = POLLIN};
        if (poll(&ready, 1, 20000) <= 0)
            break;
        int fd = accept(bench->listener, NULL, NULL);
        size_t len = 0;
        char *asked = bench->asked[bench->count];
        while (!strstr(asked, "\r\n\r\n") && len < sizeof(bench->asked[0]) - 1) {
            ssize_t got = recv(fd, asked + len, sizeof(bench->asked[0]) - 1 - len, 0);
            if (got <= 0)
                break;
            len += (size_t)got;
        }
        const char *answer = bench->answers[bench->count++];
        (void)!send(fd, answer, strlen(answer), MSG_NOSIGNAL);
        (void)close(fd);
    }
    return NULL;
}

static int set_up(void **state) {
    struct bench *bench = mem_alloc(sizeof(*bench));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    bench->arena = arena_create();
    bench->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(bench->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(bench->listener, 8), 0);
    assert_int_equal(getsockname(bench->listener, (struct sockaddr *)&address, &len), 0);
    bench->client = (struct client){.net = net_client_create(),
                                    .url = arena_printf(bench->arena, "http://127.0.0.1:%d", ntohs(address.sin_port)),
                                    .key = "pzm_key",
                                    .arena = bench->arena};
    *state = bench;
    return 0;
}

static int tear_down(void **state) {
    struct bench *bench = *state;
    net_client_destroy(bench->client.net);
    (void)close(bench->listener);
    arena_destroy(bench->arena);
    free(bench);
    return 0;
}

static void serve(struct bench *bench, const char *const answers[]) {
    for (int i = 0; answers[i]; i++)
        bench->answers[i] = answers[i];
    assert_int_equal(pthread_create(&bench->thread, NULL, server_main, bench), 0);
}

static int note_event(const char *type, const json_t *data, void *arg) {
    struct bench *bench = arg;
    size_t len = strlen(bench->seen);
    (void)snprintf(bench->seen + len, sizeof(bench->seen) - len, "%s ", type);
    return 0;
}

#define CLOSING "Connection: close\r\n"
#define STREAM "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" CLOSING "\r\n"

static void an_envelope_is_opened(void **state) {
    struct bench *bench = *state;
    json_t *data = NULL;
    serve(bench,
          (const char *const[]){"HTTP/1.1 201 Created\r\n" CLOSING "\r\n{\"success\":true,\"data\":{\"id\":\"x\"}}",
                                "HTTP/1.1 409 Conflict\r\n" CLOSING
                                "\r\n{\"success\":false,\"error\":{\"code\":\"CONFLICT\",\"message\":\"no\"}}",
                                "HTTP/1.1 502 Bad Gateway\r\n" CLOSING "\r\n<html>", NULL});
    assert_int_equal(
        client_call(&bench->client, "POST", "/projects", json_pack("{s:s}", "name", "n"), &data, &bench->err), 0);
    assert_string_equal(json_str(data, "id", ""), "x");
    assert_true(str_starts(bench->asked[0], "POST /v1/projects HTTP/1.1\r\n"));
    assert_non_null(strstr(bench->asked[0], "Authorization: Bearer pzm_key\r\n"));
    assert_int_equal(client_call(&bench->client, "POST", "/x", NULL, &data, &bench->err), -ERR_CONFLICT);
    assert_string_equal(bench->err.message, "no");
    assert_int_equal(client_call(&bench->client, "GET", "/x", NULL, &data, &bench->err), -ERR_INTERNAL);
    assert_string_equal(bench->err.message, "the server answered 502: <html>");
    pthread_join(bench->thread, NULL);
}

static void a_broken_stream_is_taken_up_where_it_stood(void **state) {
    struct bench *bench = *state;
    serve(bench,
          (const char *const[]){STREAM "id: 1\nevent: RUN_STARTED\ndata: {}\n\n", "",
                                "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n" CLOSING "\r\n",
                                STREAM "id: 2\nevent: RUN_COMPLETED\ndata: {\"status\":\"succeeded\"}\n\n", NULL});
    assert_int_equal(client_follow(&bench->client, "/events", note_event, bench, &bench->err), 0);
    pthread_join(bench->thread, NULL);
    assert_string_equal(bench->seen, "RUN_STARTED RUN_COMPLETED ");
    assert_null(strstr(bench->asked[0], "Last-Event-ID"));
    assert_non_null(strstr(bench->asked[3], "Last-Event-ID: 1\r\n"));
}

static void a_refused_stream_is_not_asked_for_again(void **state) {
    struct bench *bench = *state;
    serve(bench, (const char *const[]){"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n" CLOSING "\r\n{}", NULL});
    assert_int_equal(client_follow(&bench->client, "/events", note_event, bench, &bench->err), -ERR_UNAUTHORIZED);
    pthread_join(bench->thread, NULL);
    assert_int_equal(bench->count, 1);
    bench->count = 0;
    serve(bench, (const char *const[]){"HTTP/1.1 204 No Content\r\n" CLOSING "\r\n", NULL});
    assert_int_equal(client_follow(&bench->client, "/events", note_event, bench, &bench->err),
                     0); /* there is no more */
    pthread_join(bench->thread, NULL);
}

static bool always(void *arg) {
    return true;
}

static void who_stops_does_not_wait(void **state) {
    struct bench *bench = *state;
    bench->client.is_cancelled = always;
    assert_int_equal(client_follow(&bench->client, "/events", note_event, bench, &bench->err), -ERR_CANCELLED);
}

static void a_download_is_whole_or_not_there(void **state) {
    struct bench *bench = *state;
    char dir[] = "/tmp/prazium-client-XXXXXX";
    assert_non_null(mkdtemp(dir));
    const char *file = arena_printf(bench->arena, "%s/app.zip", dir),
               *part = arena_printf(bench->arena, "%s.part", file);
    struct buf text = {0};
    serve(bench, (const char *const[]){"HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n" CLOSING "\r\n{\"no\":1",
                                       "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n" CLOSING "\r\nPK",
                                       "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n" CLOSING "\r\nPKzz", NULL});
    assert_int_equal(client_download(&bench->client, "/d", file, &bench->err), -ERR_UNAVAILABLE);
    assert_string_equal(bench->err.message, "the download answered 404");
    assert_false(fs_exists(file));
    assert_true(client_download(&bench->client, "/d", file, &bench->err) < 0); /* cut off */
    assert_false(fs_exists(file));
    assert_false(fs_exists(part));
    assert_int_equal(client_download(&bench->client, "/d", file, &bench->err), 0);
    assert_int_equal(fs_read_file(file, 100, &text, &bench->err), 0);
    assert_string_equal(text.data, "PKzz");
    assert_false(fs_exists(part));
    buf_release(&text);
    pthread_join(bench->thread, NULL);
    assert_int_equal(
        client_download(&bench->client, "/d", arena_printf(bench->arena, "%s/none/app.zip", dir), &bench->err),
        -ERR_UNAVAILABLE);
    assert_int_equal(fs_remove_tree(dir, &bench->err), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_envelope_is_opened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_broken_stream_is_taken_up_where_it_stood, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refused_stream_is_not_asked_for_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_stops_does_not_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_download_is_whole_or_not_there, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
