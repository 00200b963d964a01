/* memory: the bus within one process. Subscriptions hang in a hash table by topic; those to a prefix in a list. */
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "bus/bus.h"

enum { FIRST_BUCKETS = 64 };

struct bus_subscription {
    struct list node; /* in a bucket, or in prefixes */
    struct bus *bus;
    bus_fn *fn;
    void *arg;
    size_t topic_len; /* of a prefix: without the star */
    bool is_prefix;
    char topic[];
};

struct bus {
    /* Guards all below. Publishers hold it for reading while they call, so that whoever holds it for writing knows that
     * no function runs. */
    pthread_rwlock_t lock;
    struct list *buckets;
    size_t bucket_count; /* a power of two, not below exact_count */
    size_t exact_count;
    struct list prefixes;
};

static size_t hash_of(const char *topic) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (; *topic; topic++)
        hash = (hash ^ (unsigned char)*topic) * UINT64_C(0x100000001b3);
    return (size_t)(hash ^ hash >> 32);
}

static struct list *bucket_of(const struct bus *bus, const char *topic) {
    return &bus->buckets[hash_of(topic) & (bus->bucket_count - 1)];
}

static struct list *buckets_create(size_t count) {
    struct list *buckets = mem_alloc(count * sizeof(*buckets));
    for (size_t i = 0; i < count; i++)
        list_init(&buckets[i]);
    return buckets;
}

static void grow(struct bus *bus) {
    struct list *old = bus->buckets;
    size_t old_count = bus->bucket_count;

    bus->bucket_count = old_count * 2;
    bus->buckets = buckets_create(bus->bucket_count);
    for (size_t i = 0; i < old_count; i++) {
        list_for_each (node, next_node, &old[i]) {
            list_remove(node);
            list_append(bucket_of(bus, container_of(node, struct bus_subscription, node)->topic), node);
        }
    }
    free(old);
}

int bus_open_memory(struct bus **out, struct err *err) {
    struct bus *bus = mem_alloc(sizeof(*bus));
    pthread_rwlockattr_t attr;
    (void)pthread_rwlockattr_init(&attr);
    /* Else a steady stream of publishers would keep subscribers out for good. */
    (void)pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    int errnum = pthread_rwlock_init(&bus->lock, &attr);
    (void)pthread_rwlockattr_destroy(&attr);
    if (errnum) {
        free(bus);
        return err_errno(err, ERR_UNAVAILABLE, errnum, "open the bus");
    }
    bus->bucket_count = FIRST_BUCKETS;
    bus->buckets = buckets_create(FIRST_BUCKETS);
    list_init(&bus->prefixes);
    *out = bus;
    return 0;
}

static void free_all(struct list *head) {
    list_for_each (node, next_node, head)
        free(container_of(node, struct bus_subscription, node));
}

void bus_close(struct bus *bus) {
    if (!bus)
        return;
    for (size_t i = 0; i < bus->bucket_count; i++)
        free_all(&bus->buckets[i]);
    free_all(&bus->prefixes);
    (void)pthread_rwlock_destroy(&bus->lock);
    free(bus->buckets);
    free(bus);
}

const char *bus_name(const struct bus *bus) {
    return "memory";
}

void bus_publish(struct bus *bus, const char *topic, int64_t value) {
    (void)pthread_rwlock_rdlock(&bus->lock);
    list_for_each (node, next_node, bucket_of(bus, topic)) {
        struct bus_subscription *subscription = container_of(node, struct bus_subscription, node);
        if (strcmp(subscription->topic, topic) == 0)
            subscription->fn(topic, value, subscription->arg);
    }
    list_for_each (node, next_node, &bus->prefixes) {
        struct bus_subscription *subscription = container_of(node, struct bus_subscription, node);
        if (strncmp(subscription->topic, topic, subscription->topic_len) == 0)
            subscription->fn(topic, value, subscription->arg);
    }
    (void)pthread_rwlock_unlock(&bus->lock);
}

int bus_subscribe(struct bus *bus, const char *topic, bus_fn *fn, void *arg, struct bus_subscription **out,
                  struct err *err) {
    size_t len = strlen(topic);
    struct bus_subscription *subscription = mem_alloc(sizeof(*subscription) + len + 1);
    subscription->bus = bus;
    subscription->fn = fn;
    subscription->arg = arg;
    subscription->is_prefix = len > 0 && topic[len - 1] == '*';
    subscription->topic_len = subscription->is_prefix ? len - 1 : len;
    memcpy(subscription->topic, topic, subscription->topic_len);

    (void)pthread_rwlock_wrlock(&bus->lock);
    if (subscription->is_prefix) {
        list_append(&bus->prefixes, &subscription->node);
    } else {
        if (bus->exact_count == bus->bucket_count)
            grow(bus);
        list_append(bucket_of(bus, topic), &subscription->node);
        bus->exact_count++;
    }
    (void)pthread_rwlock_unlock(&bus->lock);
    *out = subscription;
    return 0;
}

void bus_unsubscribe(struct bus_subscription *subscription) {
    if (!subscription)
        return;
    struct bus *bus = subscription->bus;
    (void)pthread_rwlock_wrlock(&bus->lock);
    list_remove(&subscription->node);
    if (!subscription->is_prefix)
        bus->exact_count--;
    (void)pthread_rwlock_unlock(&bus->lock);
    free(subscription);
}
