/* fuzz_server: the bytes of a connection, through a real socket to a real server. */
#include "fuzz.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "http/http.h"

enum { MAX_BODY_BYTES = 200, WAIT_MS = 20000, PATIENCE_MS = 2 };

static int port;

const char *__asan_default_options(void);

/* What the server's threads hold is no leak of an input. */
const char *__asan_default_options(void) {
    return "detect_leaks=0";
}

static void echo(struct http_request *request, struct http_reply *reply, void *context) {
    size_t len = 0;
    const char *body = http_request_body(request, &len);

    FUZZ_HOLDS(len <= MAX_BODY_BYTES && body[len] == '\0');
    for (size_t i = 0; i < http_request_header_count(request); i++) {
        struct http_pair pair = http_request_header_at(request, i);
        FUZZ_HOLDS(pair.name[0] && !strpbrk(pair.name, " \t\r\n:") && !strpbrk(pair.value, "\r\n"));
    }
    for (size_t i = 0; i < http_request_query_count(request); i++)
        FUZZ_HOLDS(
            str_is_utf8(http_request_query_at(request, i).value, strlen(http_request_query_at(request, i).value)));
    (void)http_request_cookie(request, "session");
    http_reply_body_copy(reply, "text/plain", body, len);
}

static const struct http_route routes[] = {
    {.method = HTTP_GET, .path = "/echo", .handle = echo, .is_inline = true},
    {.method = HTTP_POST, .path = "/echo", .handle = echo, .is_inline = true},
    {.method = HTTP_PUT, .path = "/pooled/:name/*rest", .handle = echo},
};

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    struct http_config config = {.listen = "127.0.0.1:0",
                                 .routes = routes,
                                 .route_count = ARRAY_LEN(routes),
                                 .loop_count = 1,
                                 .pool_threads = 1,
                                 .max_body_bytes = MAX_BODY_BYTES};
    struct http_server *server = NULL; /* to the end of the process */
    struct err err;

    FUZZ_HOLDS(http_server_start(&config, &server, &err) == 0);
    port = http_server_port(server);
    return 0;
}

static int open_connection(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    /* Closed with a reset, so that no port is kept for its sake. */
    struct linger at_once = {.l_onoff = 1};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    FUZZ_HOLDS(fd >= 0);
    FUZZ_HOLDS(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) == 0);
    FUZZ_HOLDS(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    return fd;
}

/* False when nothing came in time; libFuzzer's own alarms are no reason. */
static bool wait_readable(int fd, int wait_ms) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    int count;

    do {
        count = poll(&ready, 1, wait_ms);
    } while (count < 0 && errno == EINTR);
    return count == 1;
}

/* Whatever came, the server ends the connection once we have; and what it says is HTTP. */
static void read_to_the_end(int fd) {
    char answer[4096];
    bool is_first = true;

    for (;;) {
        FUZZ_HOLDS(wait_readable(fd, WAIT_MS));
        ssize_t got = recv(fd, answer, sizeof(answer), 0);
        if (got <= 0)
            return;
        if (is_first)
            FUZZ_HOLDS(got < 9 || memcmp(answer, "HTTP/1.", 7) == 0);
        is_first = false;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int fd = open_connection();

    for (size_t at = 0; at < size;) {
        ssize_t sent = send(fd, data + at, size - at, MSG_NOSIGNAL);
        if (sent <= 0)
            break;
        at += (size_t)sent;
    }
    /* An end that comes together with the last bytes is found only a second later: see conn_sweep. */
    (void)wait_readable(fd, PATIENCE_MS);
    (void)shutdown(fd, SHUT_WR);
    read_to_the_end(fd);
    (void)close(fd);
    return 0;
}
