/* memory: who is called, and that nobody is called after unsubscribing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>

#include "base/mem.h"
#include "bus/bus.h"

struct heard {
    int count;
    int64_t value;
    char topic[64];
};

static void listen_fn(const char *topic, int64_t value, void *arg) {
    struct heard *heard = arg;
    heard->count++;
    heard->value = value;
    (void)snprintf(heard->topic, sizeof(heard->topic), "%s", topic);
}

static int set_up(void **state) {
    struct bus *bus = NULL;
    int result = bus_open_memory(&bus, NULL);
    *state = bus;
    return result;
}

static int tear_down(void **state) {
    bus_close(*state);
    return 0;
}

static struct bus_subscription *subscribe(struct bus *bus, const char *topic, bus_fn *fn, void *arg) {
    struct bus_subscription *subscription = NULL;
    assert_int_equal(bus_subscribe(bus, topic, fn, arg, &subscription, NULL), 0);
    return subscription;
}

static void a_topic_reaches_its_own(void **state) {
    struct bus *bus = *state;
    struct heard jobs = {0}, again = {0}, run = {0};
    struct bus_subscription *first = subscribe(bus, "jobs", listen_fn, &jobs);
    struct bus_subscription *second = subscribe(bus, "jobs", listen_fn, &again);
    struct bus_subscription *third = subscribe(bus, "run:run_1", listen_fn, &run);

    assert_string_equal(bus_name(bus), "memory");
    bus_publish(bus, "nobody", 1);
    bus_publish(bus, "jobs", 7);
    assert_int_equal(jobs.count, 1);
    assert_int_equal(jobs.value, 7);
    assert_string_equal(jobs.topic, "jobs");
    assert_int_equal(again.count, 1);
    assert_int_equal(run.count, 0);
    bus_unsubscribe(first);
    bus_publish(bus, "jobs", 8);
    assert_int_equal(jobs.count, 1);
    assert_int_equal(again.count, 2);
    bus_publish(bus, "run:run_1", INT64_MAX);
    bus_publish(bus, "run:run_10", 9);
    assert_int_equal(run.count, 1);
    assert_true(run.value == INT64_MAX);
    bus_unsubscribe(second);
    bus_unsubscribe(third);
    bus_unsubscribe(NULL);
}

static void a_prefix_reaches_all_that_begin_so(void **state) {
    struct bus *bus = *state;
    struct heard runs = {0}, all = {0};
    struct bus_subscription *first = subscribe(bus, "run:*", listen_fn, &runs);
    struct bus_subscription *second = subscribe(bus, "*", listen_fn, &all);

    bus_publish(bus, "run:run_1", 1);
    bus_publish(bus, "run:", 2);
    bus_publish(bus, "run", 3);
    bus_publish(bus, "cancel:run:1", 4);
    assert_int_equal(runs.count, 2);
    assert_string_equal(runs.topic, "run:");
    assert_int_equal(all.count, 4);
    bus_unsubscribe(first);
    bus_unsubscribe(second);
    bus_publish(bus, "run:run_1", 5);
    assert_int_equal(all.count, 4);
}

static void thousands_of_topics(void **state) {
    enum { TOPICS = 3000 };
    struct bus *bus = *state;
    struct heard *heard = mem_alloc(TOPICS * sizeof(*heard));
    struct bus_subscription **subscriptions = mem_alloc(TOPICS * sizeof(struct bus_subscription *));
    char topic[32];

    for (int i = 0; i < TOPICS; i++) {
        (void)snprintf(topic, sizeof(topic), "run:%d", i);
        subscriptions[i] = subscribe(bus, topic, listen_fn, &heard[i]);
    }
    for (int i = 0; i < TOPICS; i++) {
        (void)snprintf(topic, sizeof(topic), "run:%d", i);
        bus_publish(bus, topic, i);
    }
    for (int i = 0; i < TOPICS; i++) {
        assert_int_equal(heard[i].count, 1);
        assert_int_equal(heard[i].value, i);
        bus_unsubscribe(subscriptions[i]);
    }
    free(subscriptions);
    free(heard);
}

static void closing_frees_what_is_left(void **state) {
    struct bus *bus = *state;
    struct heard heard = {0};
    (void)subscribe(bus, "left", listen_fn, &heard);
    (void)subscribe(bus, "left:*", listen_fn, &heard);
}

struct publisher {
    struct bus *bus;
    pthread_t thread;
    bool must_stop;
    int64_t published;
};

static void *publish_on(void *arg) {
    struct publisher *self = arg;
    while (!__atomic_load_n(&self->must_stop, __ATOMIC_RELAXED)) {
        bus_publish(self->bus, "run:1", 1);
        bus_publish(self->bus, "jobs", 1);
        (void)__atomic_add_fetch(&self->published, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void count_fn(const char *topic, int64_t value, void *arg) {
    (void)__atomic_add_fetch((int64_t *)arg, value, __ATOMIC_RELAXED);
}

/* arg is freed as soon as unsubscribing has returned: a late call would touch freed memory, which the sanitizers see.
 */
static void nobody_is_called_after_unsubscribing(void **state) {
    struct publisher publishers[3] = {0};
    int64_t calls = 0;
    for (size_t i = 0; i < ARRAY_LEN(publishers); i++) {
        publishers[i].bus = *state;
        assert_int_equal(pthread_create(&publishers[i].thread, NULL, publish_on, &publishers[i]), 0);
    }
    for (int round = 0; round < 500 || calls == 0; round++) {
        int64_t *exact = mem_alloc(sizeof(*exact)), *prefix = mem_alloc(sizeof(*prefix));
        struct bus_subscription *first = subscribe(*state, "run:1", count_fn, exact);
        struct bus_subscription *second = subscribe(*state, "run:*", count_fn, prefix);
        int64_t before = __atomic_load_n(&publishers[0].published, __ATOMIC_RELAXED);
        while (round % 50 == 0 && __atomic_load_n(&publishers[0].published, __ATOMIC_RELAXED) < before + 2)
            (void)sched_yield();
        bus_unsubscribe(first);
        bus_unsubscribe(second);
        calls += *exact + *prefix;
        free(exact);
        free(prefix);
    }
    for (size_t i = 0; i < ARRAY_LEN(publishers); i++)
        __atomic_store_n(&publishers[i].must_stop, true, __ATOMIC_RELAXED);
    for (size_t i = 0; i < ARRAY_LEN(publishers); i++)
        assert_int_equal(pthread_join(publishers[i].thread, NULL), 0);
    assert_true(calls > 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(a_topic_reaches_its_own),    T(a_prefix_reaches_all_that_begin_so),   T(thousands_of_topics),
        T(closing_frees_what_is_left), T(nobody_is_called_after_unsubscribing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
