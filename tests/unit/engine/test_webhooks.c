/* webhooks: a message from its first attempt to its last, and one sender at a time. */
#include "../net/receiver.h"
#include "hooks_fixture.h"

#include "engine/attempts.h"
#include "engine/janitor.h"
#include "engine/webhooks.h"

#define HOUR_MS INT64_C(3600000)

struct bench {
    struct fixture *f;
    struct receiver *receiver;
    struct webhook *webhook;
    _Atomic(const char *) reply; /* for all requests */
};

static const char *answer_all(const struct received *request, void *arg) {
    struct bench *bench = arg;
    return bench->reply;
}

static int set_up(void **state) {
    struct bench *bench = mem_alloc(sizeof *bench);
    struct fixture *f = bench->f = fixture_create();
    fixture_close(f);
    f->config.allows_private_webhooks = true;
    fixture_open(f);
    bench->receiver = receiver_start(answer_all, bench);
    bench->webhook = add_webhook(f, arena_printf(f->arena, "http://127.0.0.1:%d/hook", bench->receiver->port));
    *state = bench;
    return 0;
}

static int tear_down(void **state) {
    struct bench *bench = *state;
    receiver_stop(bench->receiver);
    fixture_destroy(bench->f);
    free(bench);
    return 0;
}

static struct webhook_delivery *ping(struct bench *bench) {
    struct fixture *f = bench->f;
    struct webhook_delivery *row = NULL;
    must(f, engine_webhook_ping(f->engine, f->account_id, bench->webhook->id, f->arena, &row, &f->err));
    return row;
}

/* The delivery once that many attempts have ended. What came of one is told to nobody: it is looked for. */
static struct webhook_delivery *tried(struct bench *bench, const struct webhook_delivery *of, int64_t attempts) {
    struct fixture *f = bench->f;
    int64_t deadline_ms = clock_mono_ms() + WAIT_MS;
    for (;;) {
        struct webhook_delivery *row = delivery_now(f, of);
        if (row->attempts == attempts && row->lease_until_ms == 0)
            return row;
        if (clock_mono_ms() > deadline_ms)
            fail_msg("%lld attempts, not %lld", (long long)row->attempts, (long long)attempts);
        pthread_mutex_lock(&f->lock);
        (void)wait_ms(&f->changed, &f->lock, 10);
        pthread_mutex_unlock(&f->lock);
    }
}

static void a_message_fails_after_its_last_attempt(void **state) {
    struct bench *bench = *state;
    struct fixture *f = bench->f;
    bench->reply = "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n";
    struct webhook_delivery *row = ping(bench);
    for (int64_t attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
        struct webhook_delivery *now = tried(bench, row, attempt);
        assert_int_equal(now->response_status, 500);
        assert_string_equal(now->error, "The receiver answered 500");
        if (attempt == ATTEMPTS_MAX) {
            assert_int_equal(now->state, DELIVERY_FAILED);
            assert_true(now->completed_ms > 0);
            break;
        }
        assert_int_equal(now->state, DELIVERY_PENDING);
        assert_true(now->next_attempt_ms > clock_now_ms());
        assert_true(now->next_attempt_ms <= clock_now_ms() + 29 * HOUR_MS);
        clock_advance_ms(now->next_attempt_ms - clock_now_ms() + 1);
        bus_publish(f->engine->bus, "webhooks", 0);
    }
    assert_int_equal(receiver_wait(bench->receiver, ATTEMPTS_MAX), ATTEMPTS_MAX);
    for (size_t i = 0; i < ATTEMPTS_MAX; i++) {
        CLEANUP(mem_freep) char *id = receiver_header(bench->receiver, i, "webhook-id");
        assert_string_equal(id, row->id);
    }
}

static void a_lapsed_claim_is_taken_over(void **state) {
    struct bench *bench = *state;
    struct fixture *f = bench->f;
    bench->reply = NULL; /* never */
    struct webhook_delivery *row = ping(bench);
    assert_int_equal(receiver_wait(bench->receiver, 1), 1);
    assert_true(delivery_now(f, row)->lease_until_ms > 0);
    /* As if its sender had died: the next one comes when the lease has ended, and not before. */
    bus_publish(f->engine->bus, "webhooks", 0);
    assert_int_equal(delivery_now(f, row)->attempts, 1);
    bench->reply = RECEIVER_OK;
    clock_advance_ms(delivery_now(f, row)->lease_until_ms - clock_now_ms() + 1);
    bus_publish(f->engine->bus, "webhooks", 0);
    assert_int_equal(tried(bench, row, 2)->state, DELIVERY_DELIVERED);
}

static void two_senders_send_each_once(void **state) {
    struct bench *bench = *state;
    struct fixture *f = bench->f;
    struct webhooks *second = NULL;
    struct webhook_delivery *rows[40];
    bench->reply = RECEIVER_OK;
    must(f, webhooks_start(&second, f->engine, &f->err));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        rows[i] = ping(bench);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(tried(bench, rows[i], 1)->state, DELIVERY_DELIVERED);
    webhooks_stop(second, 0);
    assert_int_equal(receiver_wait(bench->receiver, ARRAY_LEN(rows)), ARRAY_LEN(rows));
}

static void a_restart_sends_what_was_under_way(void **state) {
    struct bench *bench = *state;
    struct fixture *f = bench->f;
    bench->reply = NULL;
    struct webhook_delivery *row = ping(bench);
    assert_int_equal(receiver_wait(bench->receiver, 1), 1);
    fixture_close(f);
    bench->reply = RECEIVER_OK;
    fixture_open(f);
    assert_int_equal(tried(bench, row, 2)->state, DELIVERY_DELIVERED);
}

static void what_ended_long_ago_is_swept(void **state) {
    struct bench *bench = *state;
    struct fixture *f = bench->f;
    struct webhook_delivery *rows = NULL;
    bench->reply = RECEIVER_OK;
    (void)tried(bench, ping(bench), 1);
    clock_advance_ms(29 * 24 * HOUR_MS);
    janitor_sweep(f->engine, false);
    assert_int_equal(deliveries(f, bench->webhook, &rows), 1);
    clock_advance_ms(25 * HOUR_MS);
    janitor_sweep(f->engine, false);
    assert_int_equal(deliveries(f, bench->webhook, &rows), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(a_message_fails_after_its_last_attempt), T(a_lapsed_claim_is_taken_over), T(two_senders_send_each_once),
        T(a_restart_sends_what_was_under_way),     T(what_ended_long_ago_is_swept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
