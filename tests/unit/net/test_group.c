/* Many requests at a time: nobody waits for the slow, answers are cut where they must be, and only public addresses are
 * connected to, whatever a name resolves to. */
#include "receiver.h"

#include <netdb.h>
#include <netinet/in.h>
#include <semaphore.h>

#include "base/arena.h"
#include "base/str.h"
#include "net/net.h"

/* ---- What names resolve to: ours instead of libc's. "slow.test" hangs until it is let go. */

static sem_t slow_is_let_go, slow_has_ended;
static atomic_int resolved;

static struct addrinfo *address_of(const char *ip, int port) {
    struct addrinfo *info = mem_alloc(sizeof(*info));
    struct sockaddr_in6 *six = mem_alloc(sizeof(*six));
    struct sockaddr_in *four = (struct sockaddr_in *)six;
    info->ai_addr = (struct sockaddr *)six;
    info->ai_socktype = SOCK_STREAM;
    info->ai_protocol = IPPROTO_TCP;
    if (inet_pton(AF_INET, ip, &four->sin_addr) == 1) {
        info->ai_family = four->sin_family = AF_INET;
        info->ai_addrlen = sizeof(*four);
        four->sin_port = htons((uint16_t)port);
    } else {
        if (inet_pton(AF_INET6, ip, &six->sin6_addr) != 1)
            abort();
        info->ai_family = six->sin6_family = AF_INET6;
        info->ai_addrlen = sizeof(*six);
        six->sin6_port = htons((uint16_t)port);
    }
    return info;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out) {
    static const struct {
        const char *name, *addresses[3];
    } names[] = {
        {"rebound.test", {"127.0.0.1"}},
        {"mapped.test", {"::ffff:127.0.0.1"}},
        {"several.test", {"10.1.2.3", "::1"}},
        {"local.test", {"127.0.0.1"}},
    };
    int port = service ? atoi(service) : 0;
    atomic_fetch_add(&resolved, 1);
    if (str_eq(name, "slow.test")) {
        while (sem_wait(&slow_is_let_go) != 0)
            ;
        sem_post(&slow_has_ended);
        return EAI_AGAIN;
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (!str_eq(name, names[i].name))
            continue;
        struct addrinfo **last = out;
        for (size_t k = 0; k < 3 && names[i].addresses[k]; k++, last = &(*last)->ai_next)
            *last = address_of(names[i].addresses[k], port);
        return 0;
    }
    return EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *info) {
    while (info) {
        struct addrinfo *next = info->ai_next;
        free(info->ai_addr);
        free(info);
        info = next;
    }
}

/* ---- */

static const char *by_path(const struct received *request, void *arg) {
    if (strstr(request->head, " /hang "))
        return NULL;
    if (strstr(request->head, " /big "))
        return arg;
    if (strstr(request->head, " /away "))
        return "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n";
    return RECEIVER_OK;
}

struct fixture {
    struct receiver *receiver;
    struct net_group *group;
    struct arena *arena;
    struct err err;
};

static int set_up(void **state) {
    struct fixture *f = mem_alloc(sizeof(*f));
    f->arena = arena_create();
    f->group = net_group_create();
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    net_group_destroy(f->group);
    if (f->receiver)
        receiver_stop(f->receiver);
    arena_destroy(f->arena);
    free(f);
    return 0;
}

/* A request to the receiver under this name; as the arena's. */
static struct net_request *request_to(struct fixture *f, const char *host, const char *path) {
    struct net_request *request = arena_alloc(f->arena, sizeof(*request));
    request->method = "POST";
    request->url = arena_printf(f->arena, "http://%s:%d%s", host, f->receiver->port, path);
    request->body = "{}";
    request->body_len = 2;
    request->total_timeout_ms = 20000;
    return request;
}

static void begin(struct fixture *f, const struct net_request *request, const char *tag) {
    if (net_group_start(f->group, request, f->arena, (void *)tag, &f->err))
        fail_msg("%s", f->err.message);
}

/* The next outcome; a failure when none comes in half a minute. */
static struct net_outcome next(struct fixture *f) {
    struct net_outcome outcome = {0};
    int64_t deadline_ms = clock_mono_ms() + 30000;
    while (!net_group_next(f->group, 1000, &outcome))
        assert_true(clock_mono_ms() < deadline_ms);
    return outcome;
}

static void nobody_waits_for_the_slow(void **state) {
    struct fixture *f = *state;
    f->receiver = receiver_start(by_path, NULL);
    struct net_request *slow = request_to(f, "127.0.0.1", "/hang");
    slow->total_timeout_ms = 1500;
    begin(f, slow, "slow");
    for (int i = 0; i < 20; i++)
        begin(f, request_to(f, "127.0.0.1", "/ok"), "quick");
    assert_int_equal(net_group_count(f->group), 21);
    for (int i = 0; i < 20; i++) {
        struct net_outcome outcome = next(f);
        assert_string_equal(outcome.tag, "quick");
        assert_int_equal(outcome.result, 0);
        assert_int_equal(outcome.response.status, 200);
        assert_string_equal(outcome.response.body, "ok");
    }
    struct net_outcome outcome = next(f);
    assert_string_equal(outcome.tag, "slow");
    assert_int_equal(outcome.result, -ERR_TIMEOUT);
    assert_int_equal(net_group_count(f->group), 0);
    /* What is under way at the end is stopped. */
    begin(f, request_to(f, "127.0.0.1", "/hang"), "left");
    assert_false(net_group_next(f->group, 1, &outcome));
}

static void *wake_after_hanging(void *arg) {
    struct fixture *f = arg;
    (void)receiver_wait(f->receiver, 1);
    net_group_wake(f->group);
    return NULL;
}

static void waiting_ends_at_a_wake_up(void **state) {
    struct fixture *f = *state;
    struct net_outcome outcome;
    pthread_t thread;
    f->receiver = receiver_start(by_path, NULL);
    begin(f, request_to(f, "127.0.0.1", "/hang"), "slow");
    assert_int_equal(pthread_create(&thread, NULL, wake_after_hanging, f), 0);
    int64_t began_ms = clock_mono_ms();
    assert_false(net_group_next(f->group, 15000, &outcome));
    assert_true(clock_mono_ms() - began_ms < 10000);
    (void)pthread_join(thread, NULL);
}

static void a_name_that_takes_long_delays_nobody(void **state) {
    struct fixture *f = *state;
    f->receiver = receiver_start(by_path, NULL);
    struct net_request *slow = request_to(f, "slow.test", "/ok");
    slow->total_timeout_ms = slow->connect_timeout_ms = 200;
    begin(f, slow, "slow");
    struct net_outcome outcome = next(f);
    assert_string_equal(outcome.tag, "slow");
    assert_int_equal(outcome.result, -ERR_TIMEOUT);
    /* It is still being looked up. */
    begin(f, request_to(f, "127.0.0.1", "/ok"), "quick");
    outcome = next(f);
    assert_string_equal(outcome.tag, "quick");
    assert_int_equal(outcome.result, 0);
    sem_post(&slow_is_let_go);
    while (sem_wait(&slow_has_ended) != 0)
        ;
}

static void answers_are_cut(void **state) {
    struct fixture *f = *state;
    struct buf big = {0};
    buf_puts(&big, "HTTP/1.1 500 Oh\r\nContent-Length: 100000\r\n\r\n");
    for (int i = 0; i < 10000; i++)
        buf_puts(&big, "0123456789");
    f->receiver = receiver_start(by_path, big.data);
    struct net_request *request = request_to(f, "127.0.0.1", "/big");
    request->max_body_bytes = 1024;
    request->cuts_body = true;
    begin(f, request, "big");
    struct net_outcome outcome = next(f);
    assert_int_equal(outcome.result, 0);
    assert_int_equal(outcome.response.status, 500);
    assert_int_equal(outcome.response.body_len, 1024);
    request->cuts_body = false;
    begin(f, request, "big");
    assert_int_equal(next(f).result, -ERR_TOO_LARGE);
    buf_release(&big);
}

static void headers_have_an_end(void **state) {
    struct fixture *f = *state;
    struct buf big = {0};
    buf_puts(&big, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 40000; i++)
        buf_puts(&big, "X: 0123456789\r\n");
    f->receiver = receiver_start(by_path, big.data);
    begin(f, request_to(f, "127.0.0.1", "/big"), "big");
    struct net_outcome outcome = next(f);
    assert_int_equal(outcome.result, -ERR_TOO_LARGE);
    assert_string_equal(outcome.err.message, "the answer's headers are larger than 262144 bytes");
    buf_release(&big);
}

static void only_public_addresses(void **state) {
    struct fixture *f = *state;
    static const char *const closed[][2] = {
        {"127.0.0.1", "127.0.0.1 is not a public address"},
        {"0x7f000001", "127.0.0.1 is not a public address"},
        {"[::1]", "::1 is not a public address"},
        {"[::ffff:127.0.0.1]", "::ffff:127.0.0.1 is not a public address"},
        {"rebound.test", "127.0.0.1 is not a public address"},
        {"mapped.test", "::ffff:127.0.0.1 is not a public address"},
        {"several.test", NULL},
    };
    f->receiver = receiver_start(by_path, NULL);
    (void)setenv("http_proxy", "http://127.0.0.1:1", 1);
    for (size_t i = 0; i < ARRAY_LEN(closed); i++) {
        struct net_request *request = request_to(f, closed[i][0], "/ok");
        request->only_public = true;
        begin(f, request, "closed");
        struct net_outcome outcome = next(f);
        if (outcome.result != -ERR_FORBIDDEN)
            fail_msg("%s: %d %s", closed[i][0], outcome.result, outcome.err.message);
        if (closed[i][1])
            assert_string_equal(outcome.err.message, closed[i][1]);
    }
    assert_int_equal(f->receiver->accepted, 0);
    /* The same name without the rule, so that it was the rule that held. No proxy of the environment is asked. */
    struct net_request *request = request_to(f, "local.test", "/away");
    request->without_proxy = true;
    begin(f, request, "open");
    struct net_outcome outcome = next(f);
    assert_int_equal(outcome.result, 0);
    assert_int_equal(outcome.response.status, 302);
    assert_string_equal(net_response_header(&outcome.response, "location"), "/ok");
    assert_true(atomic_load(&resolved) > 0);
    (void)unsetenv("http_proxy");
}

/* A connection that was kept from before the rule is not taken over. */
static void kept_connections_are_not_public(void **state) {
    struct fixture *f = *state;
    f->receiver = receiver_start(by_path, NULL);
    begin(f, request_to(f, "127.0.0.1", "/ok"), "open");
    assert_int_equal(next(f).result, 0);
    struct net_request *request = request_to(f, "127.0.0.1", "/ok");
    request->only_public = true;
    begin(f, request, "closed");
    assert_int_equal(next(f).result, -ERR_FORBIDDEN);
    assert_int_equal(f->receiver->accepted, 1);
    assert_int_equal(receiver_wait(f->receiver, 1), 1);
}

static void what_cannot_begin(void **state) {
    struct fixture *f = *state;
    struct net_request request = {.method = "POST", .url = "file:///etc/passwd"};
    assert_int_equal(net_group_start(f->group, &request, f->arena, NULL, &f->err), -ERR_VALIDATION);
    assert_int_equal(net_group_count(f->group), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nobody_waits_for_the_slow, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waiting_ends_at_a_wake_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_name_that_takes_long_delays_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers_are_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(headers_have_an_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_public_addresses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(kept_connections_are_not_public, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_begin, set_up, tear_down),
    };
    (void)sem_init(&slow_is_let_go, 0, 0);
    (void)sem_init(&slow_has_ended, 0, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
