/* writer: groups that share a commit, functions that fail alone, and the bounds of the queue. */
#include "fixture.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>

#include "base/clock.h"
#include "store/writer.h"

enum { DEADLINE_MS = 60000 };

static int add_one(struct db *db, void *arg, struct err *err) {
    struct account account = {.name = "n", .tier = "free"};
    memcpy(account.id, arg, ID_LEN);
    return store_account_insert(db, &account, err);
}

static int add_and_fail(struct db *db, void *arg, struct err *err) {
    int result = add_one(db, arg, err);
    return result ? result : err_set(err, ERR_VALIDATION, "changed my mind");
}

static bool is_there(struct fixture *f, const char *id) {
    struct account *account = NULL;
    must(f, store_account_get(reader(f), f->arena, id, &account, &f->err));
    return account != NULL;
}

/* One of many threads; checks on the way, reports what went wrong. */
struct writer_thread {
    struct fixture *f;
    pthread_t thread;
    char failure[600];
};

static void *write_many(void *arg) {
    struct writer_thread *self = arg;
    struct arena *arena = arena_create();
    struct err err = {0};
    for (int i = 0; i < 30 && !self->failure[0]; i++) {
        char id[ID_LEN], undone[ID_LEN];
        struct account *seen = NULL, *unseen = NULL;
        struct db *db = NULL;
        id_make(id, "acct");
        id_make(undone, "acct");
        int fails = store_write(self->f->store, add_and_fail, undone, &err);
        if (fails != -ERR_VALIDATION || strcmp(err.message, "changed my mind") != 0)
            (void)snprintf(self->failure, sizeof(self->failure), "a failure was lost: %s", err.message);
        if (store_write(self->f->store, add_one, id, &err) || store_reader(self->f->store, &db, &err) ||
            store_account_get(db, arena, id, &seen, &err) || store_account_get(db, arena, undone, &unseen, &err))
            (void)snprintf(self->failure, sizeof(self->failure), "%s", err.message);
        else if (!seen || unseen)
            (void)snprintf(self->failure, sizeof(self->failure), "a write is %s", seen ? "not undone" : "not visible");
        arena_reset(arena);
    }
    arena_destroy(arena);
    return NULL;
}

static void many_threads_share_commits(void **state) {
    struct fixture *f = *state;
    struct writer_thread threads[32] = {0};
    struct store_stats stats;
    int64_t accounts = 0;

    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        threads[i].f = f;
        assert_int_equal(pthread_create(&threads[i].thread, NULL, write_many, &threads[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_join(threads[i].thread, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_string_equal(threads[i].failure, "");
    store_get_stats(f->store, &stats);
    assert_int_equal(stats.writes, 32 * 30);
    assert_int_equal(stats.queued, 0);
    assert_true(stats.commits < stats.writes);
    must(f, store_account_count(reader(f), &accounts, &f->err));
    assert_int_equal(accounts, 1 + 32 * 30);
}

/* A group of known members: the gate holds the writer while they queue. */
struct gate {
    sem_t entered, opened;
};

static int wait_at_gate(struct db *db, void *arg, struct err *err) {
    struct gate *gate = arg;
    (void)sem_post(&gate->entered);
    while (sem_wait(&gate->opened) != 0)
        ;
    return 0;
}

struct member {
    struct fixture *f;
    store_fn *fn;
    void *arg;
    pthread_t thread;
    int result;
    struct err err;
};

static void *run_member(void *arg) {
    struct member *member = arg;
    member->result = store_write(member->f->store, member->fn, member->arg, &member->err);
    return NULL;
}

static void await_queued(struct fixture *f, int64_t count) {
    int64_t end_ms = clock_mono_ms() + DEADLINE_MS;
    struct store_stats stats;
    do {
        (void)sched_yield();
        store_get_stats(f->store, &stats);
    } while (stats.queued < count && clock_mono_ms() < end_ms);
    assert_int_equal(stats.queued, count);
}

/* Lets all members run in one group; each sees what its own write came to. */
static void run_group(struct fixture *f, struct member *members, size_t count) {
    struct gate gate;
    struct member first = {.f = f, .fn = wait_at_gate, .arg = &gate};
    (void)sem_init(&gate.entered, 0, 0);
    (void)sem_init(&gate.opened, 0, 0);
    assert_int_equal(pthread_create(&first.thread, NULL, run_member, &first), 0);
    while (sem_wait(&gate.entered) != 0)
        ;
    for (size_t i = 0; i < count; i++) {
        members[i].f = f;
        assert_int_equal(pthread_create(&members[i].thread, NULL, run_member, &members[i]), 0);
        await_queued(f, (int64_t)i + 1);
    }
    (void)sem_post(&gate.opened);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pthread_join(members[i].thread, NULL), 0);
    assert_int_equal(pthread_join(first.thread, NULL), 0);
    (void)sem_destroy(&gate.entered);
    (void)sem_destroy(&gate.opened);
}

static void a_group_is_one_commit(void **state) {
    struct fixture *f = *state;
    struct member members[5] = {0};
    struct store_stats before, after;

    char ids[5][ID_LEN];

    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        members[i] = (struct member){.fn = i == 2 ? add_and_fail : add_one, .arg = id_make(ids[i], "acct")};
    store_get_stats(f->store, &before);
    run_group(f, members, ARRAY_LEN(members));
    store_get_stats(f->store, &after);
    /* The gate's own, and the group's. */
    assert_int_equal(after.commits - before.commits, 2);
    assert_int_equal(after.writes - before.writes, 5);
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        assert_int_equal(members[i].result, i == 2 ? -ERR_VALIDATION : 0);
        assert_int_equal(is_there(f, ids[i]), i != 2);
    }
}

/* As an error does that makes SQLite undo the whole transaction. */
static int break_transaction(struct db *db, void *arg, struct err *err) {
    int result = db_run(db, NULL, err, "ROLLBACK", "");
    return result ? result : err_set(err, ERR_UNAVAILABLE, "it broke");
}

static int break_and_say_nothing(struct db *db, void *arg, struct err *err) {
    return db_run(db, NULL, err, "ROLLBACK", "");
}

static void who_breaks_a_group_is_left_out(void **state) {
    struct fixture *f = *state;
    struct member members[5] = {0};
    char ids[5][ID_LEN];

    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        members[i] = (struct member){.fn = add_one, .arg = id_make(ids[i], "acct")};
    members[1].fn = break_transaction;
    members[3].fn = break_and_say_nothing;
    run_group(f, members, ARRAY_LEN(members));
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        assert_int_equal(members[i].result != 0, i == 1 || i == 3);
        assert_int_equal(is_there(f, ids[i]), members[i].result == 0);
    }
    assert_string_equal(members[1].err.message, "it broke");
    assert_int_not_equal(members[3].err.code, ERR_NONE);
}

static void the_queue_is_bounded(void **state) {
    struct fixture *f = *state;
    struct writer_limits limits = {.queued = 0, .queued_ms = 60000};
    struct writer *writer = NULL;
    struct err err = {0};
    char id[ID_LEN];

    must(f, writer_create(&writer, take(f->db), &limits, &f->err));
    assert_int_equal(writer_run(writer, add_one, id_make(id, "acct"), &err), -ERR_UNAVAILABLE);
    assert_non_null(strstr(err.message, "too many"));
    writer_destroy(writer);
    assert_false(is_there(f, id));
}

/* A write that holds the writer until the gate is opened. */
struct late {
    struct writer *writer;
    struct gate gate;
    int result;
};

static void *run_late(void *arg) {
    struct late *late = arg;
    late->result = writer_run(late->writer, wait_at_gate, &late->gate, NULL);
    return NULL;
}

static void a_write_that_cannot_begin_is_given_up(void **state) {
    struct fixture *f = *state;
    struct writer_limits limits = {.queued = 9, .queued_ms = 20};
    struct late late = {.result = -1};
    struct err err = {0};
    pthread_t thread;
    char given_up[ID_LEN], later[ID_LEN];

    must(f, writer_create(&late.writer, take(f->db), &limits, &f->err));
    (void)sem_init(&late.gate.entered, 0, 0);
    (void)sem_init(&late.gate.opened, 0, 0);
    assert_int_equal(pthread_create(&thread, NULL, run_late, &late), 0);
    while (sem_wait(&late.gate.entered) != 0)
        ;
    assert_int_equal(writer_run(late.writer, add_one, id_make(given_up, "acct"), &err), -ERR_UNAVAILABLE);
    assert_non_null(strstr(err.message, "20 ms"));
    (void)sem_post(&late.gate.opened);
    assert_int_equal(pthread_join(thread, NULL), 0);
    /* What has begun is waited for, however long. */
    assert_int_equal(late.result, 0);
    must(f, writer_run(late.writer, add_one, id_make(later, "acct"), &f->err));
    writer_destroy(late.writer);
    assert_false(is_there(f, given_up));
    assert_true(is_there(f, later));
    (void)sem_destroy(&late.gate.entered);
    (void)sem_destroy(&late.gate.opened);
}

static void what_was_written_outlives_the_store(void **state) {
    struct fixture *f = *state;
    struct member members[3] = {0};
    char ids[3][ID_LEN];

    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        members[i] = (struct member){.fn = add_one, .arg = id_make(ids[i], "acct")};
    run_group(f, members, ARRAY_LEN(members));
    store_close(take(f->store));
    fixture_open(f);
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        assert_true(is_there(f, ids[i]));
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(many_threads_share_commits),
        T(a_group_is_one_commit),
        T(who_breaks_a_group_is_left_out),
        T(the_queue_is_bounded),
        T(a_write_that_cannot_begin_is_given_up),
        T(what_was_written_outlives_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
