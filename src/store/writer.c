/* writer: group commit. What came in while the last commit ran is the next group. */
#include "store/writer.h"

#include <assert.h>
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum { GROUP_MAX = 256 };

/* On the stack of the thread that waits for it. */
struct request {
    struct request *next;
    store_fn *fn;
    void *arg;
    int result;
    struct err err;
    uint32_t is_done; /* a futex; set last */
};

struct writer {
    struct db *db;
    struct writer_limits limits;
    pthread_t thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t has_work;
    struct request *first, **last;
    size_t queued;
    bool is_stopping; /* destroy waits for the thread */
    bool has_failed;  /* a commit failed for good; failure says why */
    struct err failure;
    struct store_stats stats;
    int64_t began_ms; /* when the group under way was taken; 0: there is none */
};

static void wake(struct request *request) {
    /* Past this store the request may be gone: FUTEX_WAKE needs only the address, and a wake-up too many is harmless
     * since all waiters look again. */
    uint32_t *word = &request->is_done;
    __atomic_store_n(word, 1, __ATOMIC_RELEASE);
    (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* False when timeout_ms passed first; 0 waits for good. */
static bool wait_done(struct request *request, int64_t timeout_ms) {
    struct timespec end;
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    int64_t end_ns = end.tv_nsec + timeout_ms % 1000 * 1000000;
    end.tv_sec += timeout_ms / 1000 + end_ns / 1000000000;
    end.tv_nsec = end_ns % 1000000000;
    while (!__atomic_load_n(&request->is_done, __ATOMIC_ACQUIRE)) {
        /* FUTEX_WAIT_BITSET takes an absolute time. */
        long status = syscall(SYS_futex, &request->is_done, FUTEX_WAIT_BITSET_PRIVATE, 0, timeout_ms ? &end : NULL,
                              NULL, FUTEX_BITSET_MATCH_ANY);
        if (status < 0 && errno == ETIMEDOUT)
            return __atomic_load_n(&request->is_done, __ATOMIC_ACQUIRE);
    }
    return true;
}

static int run_one(struct db *db, struct request *request, struct err *err) {
    int result = db_run(db, NULL, err, "SAVEPOINT one", "");
    if (result)
        return result;
    request->err = (struct err){0};
    request->result = request->fn(db, request->arg, &request->err);
    if (request->result) {
        result = db_run(db, NULL, err, "ROLLBACK TO SAVEPOINT one", "");
        if (result)
            return result;
    }
    return db_run(db, NULL, err, "RELEASE SAVEPOINT one", "");
}

/* All functions in one open transaction. When it broke (an error that undoes the whole of it, such as a full disk),
 * *broke is the request at which it did, else count. */
static int run_all(struct db *db, struct request **group, size_t count, size_t *broke, struct err *err) {
    for (size_t i = 0; i < count; i++) {
        int result = run_one(db, group[i], err);
        if (result) {
            *broke = i;
            return result;
        }
    }
    *broke = count;
    return 0;
}

static void fail_all(struct request **group, size_t count, const struct err *err) {
    for (size_t i = 0; i < count; i++) {
        /* Who failed for a reason of its own keeps it. */
        if (group[i]->result)
            continue;
        group[i]->result = -(int)err->code;
        group[i]->err = *err;
    }
}

static void stop_for_good(struct writer *writer, const struct err *err) {
    (void)pthread_mutex_lock(&writer->lock);
    writer->has_failed = true;
    writer->failure = *err;
    (void)pthread_mutex_unlock(&writer->lock);
}

static void commit(struct writer *writer, struct request **group, size_t count) {
    struct err err = {0};
    int64_t carried = 0;
    for (size_t i = 0; i < count; i++)
        carried += group[i]->result == 0;
    if (carried == 0) {
        (void)writer->db->driver->execute(writer->db, "ROLLBACK", NULL);
        return;
    }
    if (db_run(writer->db, NULL, &err, "COMMIT", "")) {
        (void)err_wrap(&err, "commit");
        /* Whether the group is on disk is unknown after a failed fsync, and a second one would not tell: the kernel
         * forgets what it could not write. */
        if (err.code == ERR_UNAVAILABLE)
            stop_for_good(writer, &err);
        fail_all(group, count, &err);
        (void)writer->db->driver->execute(writer->db, "ROLLBACK", NULL);
        return;
    }
    (void)pthread_mutex_lock(&writer->lock);
    writer->stats.commits++;
    writer->stats.writes += carried;
    (void)pthread_mutex_unlock(&writer->lock);
}

/* A request whose function broke the transaction is left with its error, and the others run again without it. */
static void run_group(struct writer *writer, struct request **group, size_t count) {
    while (count > 0) {
        struct err err = {0};
        size_t broke = 0;
        if (db_run(writer->db, NULL, &err, writer->db->driver->begin_write, "")) {
            (void)err_wrap(&err, "begin");
            fail_all(group, count, &err);
            return;
        }
        if (run_all(writer->db, group, count, &broke, &err) == 0) {
            commit(writer, group, count);
            return;
        }
        (void)writer->db->driver->execute(writer->db, "ROLLBACK", NULL);
        struct request *culprit = group[broke];
        if (!culprit->result) {
            culprit->result = -(int)err.code;
            culprit->err = err;
        }
        count--;
        for (size_t i = broke; i < count; i++)
            group[i] = group[i + 1];
        for (size_t i = 0; i < count; i++)
            group[i]->result = 0;
    }
}

/* The next group; 0 when there is none and there will be none. */
static size_t take_group(struct writer *writer, struct request *group[GROUP_MAX], struct err *failure) {
    size_t count = 0;
    (void)pthread_mutex_lock(&writer->lock);
    writer->began_ms = 0;
    while (!writer->first && !writer->is_stopping)
        (void)pthread_cond_wait(&writer->has_work, &writer->lock);
    while (writer->first && count < GROUP_MAX) {
        group[count++] = writer->first;
        writer->first = writer->first->next;
    }
    if (!writer->first)
        writer->last = &writer->first;
    writer->queued -= count;
    if (count > 0)
        writer->began_ms = clock_mono_ms();
    if (writer->has_failed)
        *failure = writer->failure;
    (void)pthread_mutex_unlock(&writer->lock);
    return count;
}

static void *thread_main(void *arg) {
    struct writer *writer = arg;
    struct request *group[GROUP_MAX], *rest[GROUP_MAX];
    struct err failure = {0};
    size_t count;

    while ((count = take_group(writer, group, &failure)) > 0) {
        for (size_t i = 0; i < count; i++)
            rest[i] = group[i];
        if (failure.code)
            fail_all(rest, count, &failure);
        else
            run_group(writer, rest, count);
        for (size_t i = 0; i < count; i++)
            wake(group[i]);
    }
    return NULL;
}

int writer_create(struct writer **out, struct db *db, const struct writer_limits *limits, struct err *err) {
    struct writer *writer = mem_alloc(sizeof(*writer));
    writer->db = db;
    writer->limits = *limits;
    writer->last = &writer->first;
    (void)pthread_mutex_init(&writer->lock, NULL);
    (void)pthread_cond_init(&writer->has_work, NULL);
    int errnum = pthread_create(&writer->thread, NULL, thread_main, writer);
    if (errnum) {
        (void)pthread_cond_destroy(&writer->has_work);
        (void)pthread_mutex_destroy(&writer->lock);
        free(writer);
        return err_errno(err, ERR_UNAVAILABLE, errnum, "start the writer");
    }
    (void)pthread_setname_np(writer->thread, "store-writer");
    *out = writer;
    return 0;
}

void writer_destroy(struct writer *writer) {
    if (!writer)
        return;
    (void)pthread_mutex_lock(&writer->lock);
    writer->is_stopping = true;
    (void)pthread_cond_signal(&writer->has_work);
    (void)pthread_mutex_unlock(&writer->lock);
    (void)pthread_join(writer->thread, NULL);
    writer->db->driver->close(writer->db);
    (void)pthread_cond_destroy(&writer->has_work);
    (void)pthread_mutex_destroy(&writer->lock);
    free(writer);
}

static int refusal(const struct writer *writer, struct err *err) {
    if (writer->is_stopping)
        return err_set(err, ERR_UNAVAILABLE, "the store is closing");
    if (writer->has_failed)
        return err_set(err, ERR_UNAVAILABLE, "the store stopped writing: %s", writer->failure.message);
    return 0;
}

static int enqueue(struct writer *writer, struct request *request, struct err *err) {
    (void)pthread_mutex_lock(&writer->lock);
    int result = refusal(writer, err);
    if (!result && writer->queued >= writer->limits.queued)
        result = err_set(err, ERR_UNAVAILABLE, "too many writes are waiting");
    if (!result) {
        *writer->last = request;
        writer->last = &request->next;
        writer->queued++;
        (void)pthread_cond_signal(&writer->has_work);
    }
    (void)pthread_mutex_unlock(&writer->lock);
    return result;
}

/* True when the request was still queued, and is no longer. */
static bool withdraw(struct writer *writer, struct request *request) {
    bool found = false;
    (void)pthread_mutex_lock(&writer->lock);
    for (struct request **at = &writer->first; *at; at = &(*at)->next) {
        if (*at != request)
            continue;
        *at = request->next;
        if (writer->last == &request->next)
            writer->last = at;
        writer->queued--;
        found = true;
        break;
    }
    (void)pthread_mutex_unlock(&writer->lock);
    return found;
}

int writer_run(struct writer *writer, store_fn *fn, void *arg, struct err *err) {
    struct request request = {.fn = fn, .arg = arg};
    /* The writer would wait for itself. */
    assert(!pthread_equal(pthread_self(), writer->thread));

    int result = enqueue(writer, &request, err);
    if (result)
        return result;
    if (!wait_done(&request, writer->limits.queued_ms)) {
        if (withdraw(writer, &request))
            return err_set(err, ERR_UNAVAILABLE, "the disk took no writes for %lld ms",
                           (long long)writer->limits.queued_ms);
        /* Begun: fn and the writer use this stack until the commit returns. */
        (void)wait_done(&request, 0);
    }
    if (request.result && err)
        *err = request.err;
    return request.result;
}

int writer_health(struct writer *writer, struct err *err) {
    (void)pthread_mutex_lock(&writer->lock);
    int result = refusal(writer, err);
    (void)pthread_mutex_unlock(&writer->lock);
    return result;
}

void writer_stats(struct writer *writer, struct store_stats *out) {
    (void)pthread_mutex_lock(&writer->lock);
    *out = writer->stats;
    out->queued = (int64_t)writer->queued;
    out->commit_ms = writer->began_ms ? clock_mono_ms() - writer->began_ms : 0;
    (void)pthread_mutex_unlock(&writer->lock);
}
