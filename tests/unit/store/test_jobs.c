/* jobs: claims in order, leases and their tokens, exclusive keys, and the end of a run. */
#include "fixture.h"

#include <pthread.h>

enum { LEASE_MS = 1000 };

static struct job job_of(enum job_kind kind, const char *run_id, const char *key, int64_t run_after_ms) {
    struct job job = {.kind = kind, .run_after_ms = run_after_ms, .max_attempts = 2, .created_ms = 1};
    id_make(job.id, "job");
    (void)snprintf(job.run_id, sizeof(job.run_id), "%s", run_id);
    (void)snprintf(job.exclusive_key, sizeof(job.exclusive_key), "%s", key);
    return job;
}

static struct job enqueue(struct fixture *f, enum job_kind kind, const char *run_id, const char *key, int64_t due_ms) {
    struct job job = job_of(kind, run_id, key, due_ms);
    bool added = false;
    must(f, store_job_enqueue(f->db, &job, &added, &f->err));
    assert_true(added);
    return job;
}

static struct job *claim(struct fixture *f, int64_t now_ms) {
    struct job *job = NULL;
    struct claim wish = {.worker = "wrk_1", .now_ms = now_ms, .lease_ms = LEASE_MS};
    must(f, store_job_claim(f->db, f->arena, &wish, &job, &f->err));
    return job;
}

static struct job *get(struct fixture *f, const char *id) {
    struct job *job = NULL;
    must(f, store_job_get(reader(f), f->arena, id, &job, &f->err));
    return job;
}

static void the_oldest_due_is_claimed_first(void **state) {
    struct fixture *f = *state;
    struct job late = enqueue(f, JOB_EXPORT_MAKE, "", "", 300);
    struct job second = enqueue(f, JOB_EXPORT_MAKE, "", "", 100);
    struct job third = enqueue(f, JOB_EXPORT_MAKE, "", "", 100);
    struct job first = enqueue(f, JOB_EXPORT_MAKE, "", "", 50);
    int64_t due_ms = 0;

    assert_null(claim(f, 49));
    must(f, store_job_next_due(f->db, &due_ms, &f->err));
    assert_int_equal(due_ms, 50);
    assert_string_equal(claim(f, 200)->id, first.id);
    assert_string_equal(claim(f, 200)->id, second.id);
    assert_string_equal(claim(f, 200)->id, third.id);
    assert_null(claim(f, 200));
    must(f, store_job_next_due(f->db, &due_ms, &f->err));
    assert_int_equal(due_ms, 300);
    assert_string_equal(claim(f, 300)->id, late.id);
    must(f, store_job_next_due(f->db, &due_ms, &f->err));
    assert_int_equal(due_ms, 0);
}

static void a_claim_is_a_lease(void **state) {
    struct fixture *f = *state;
    struct run run = add_run(f, add_project(f, "A", "").id);
    struct job job = job_of(JOB_TASK_EXECUTE, run.id, "task:1", 10);

    memcpy(job.project_id, run.project_id, ID_LEN);
    (void)snprintf(job.subject_id, sizeof(job.subject_id), "task_1");
    job.payload_json = "{\"a\":1}";
    must(f, store_job_enqueue(f->db, &job, NULL, &f->err));
    struct job *held = claim(f, 20);
    assert_int_equal(held->kind, JOB_TASK_EXECUTE);
    assert_int_equal(held->state, JOB_CLAIMED);
    assert_string_equal(held->run_id, run.id);
    assert_string_equal(held->project_id, run.project_id);
    assert_string_equal(held->subject_id, "task_1");
    assert_string_equal(held->exclusive_key, "task:1");
    assert_string_equal(held->payload_json, "{\"a\":1}");
    assert_string_equal(held->lease.worker, "wrk_1");
    assert_int_equal(held->lease.token, 1);
    assert_int_equal(held->lease.expires_ms, 20 + LEASE_MS);
    must(f, store_job_renew(f->db, job.id, 1, 5000, &f->err));
    assert_int_equal(get(f, job.id)->lease.expires_ms, 5000);
    must(f, store_job_guard(f->db, job.id, 1, &f->err));
    must(f, store_job_finish(f->db, job.id, 1, &f->err));
    assert_null(get(f, job.id));
}

static void a_stale_token_is_refused_everywhere(void **state) {
    struct fixture *f = *state;
    struct job job = enqueue(f, JOB_EXPORT_MAKE, "", "", 0);
    int64_t count = 0;
    bool is_dead = false;

    assert_int_equal(claim(f, 0)->lease.token, 1);
    must(f, store_job_reclaim(f->db, LEASE_MS - 1, false, &count, &f->err));
    assert_int_equal(count, 0);
    must(f, store_job_reclaim(f->db, LEASE_MS, false, &count, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(get(f, job.id)->interruptions, 1);
    assert_int_equal(get(f, job.id)->attempts, 0);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(store_job_renew(f->db, job.id, 1, 9999, &f->err), -ERR_STALE);
        assert_int_equal(store_job_guard(f->db, job.id, 1, &f->err), -ERR_STALE);
        assert_int_equal(store_job_finish(f->db, job.id, 1, &f->err), -ERR_STALE);
        assert_int_equal(store_job_fail(f->db, job.id, 1, "x", 0, &is_dead, &f->err), -ERR_STALE);
        assert_int_equal(store_job_release(f->db, job.id, 1, 0, &f->err), -ERR_STALE);
        assert_false(is_dead);
        /* Now pending; in the second round held by another. */
        if (round == 0)
            assert_int_equal(claim(f, 2000)->lease.token, 2);
    }
    must(f, store_job_guard(f->db, job.id, 2, &f->err));
    must(f, store_job_finish(f->db, job.id, 2, &f->err));
}

static void failures_count_and_the_last_one_kills(void **state) {
    struct fixture *f = *state;
    struct job job = enqueue(f, JOB_EXPORT_MAKE, "", "export:1", 0);
    bool is_dead = true;

    (void)claim(f, 0);
    must(f, store_job_fail(f->db, job.id, 1, "no disk", 500, &is_dead, &f->err));
    assert_false(is_dead);
    assert_int_equal(get(f, job.id)->attempts, 1);
    assert_string_equal(get(f, job.id)->last_error, "no disk");
    assert_string_equal(get(f, job.id)->lease.worker, "");
    assert_null(claim(f, 499));
    assert_int_equal(claim(f, 500)->lease.token, 2);
    must(f, store_job_fail(f->db, job.id, 2, "no disk again", 600, &is_dead, &f->err));
    assert_true(is_dead);
    assert_int_equal(get(f, job.id)->state, JOB_DEAD);
    assert_null(claim(f, 9999));
    /* The dead do not hold their key. */
    (void)enqueue(f, JOB_EXPORT_MAKE, "", "export:1", 0);
    assert_non_null(claim(f, 9999));
}

static void a_release_costs_no_attempt(void **state) {
    struct fixture *f = *state;
    struct job job = enqueue(f, JOB_EXPORT_MAKE, "", "", 0);
    (void)claim(f, 0);
    must(f, store_job_release(f->db, job.id, 1, 70, &f->err));
    assert_int_equal(get(f, job.id)->state, JOB_PENDING);
    assert_int_equal(get(f, job.id)->attempts, 0);
    assert_int_equal(get(f, job.id)->interruptions, 0);
    assert_null(claim(f, 69));
    assert_int_equal(claim(f, 70)->lease.token, 2);
}

static void one_pending_and_one_claimed_a_key(void **state) {
    struct fixture *f = *state;
    struct job first = enqueue(f, JOB_RUN_ADVANCE, "", "advance:1", 0);
    struct job dropped = job_of(JOB_RUN_ADVANCE, "", "advance:1", 0);
    int64_t due_ms = -1;
    bool added = true;

    must(f, store_job_enqueue(f->db, &dropped, &added, &f->err));
    assert_false(added);
    assert_string_equal(claim(f, 0)->id, first.id);
    /* Only the key is forgiven, not an id that is taken. */
    assert_int_equal(store_job_enqueue(f->db, &first, &added, &f->err), -ERR_CONFLICT);
    struct job second = enqueue(f, JOB_RUN_ADVANCE, "", "advance:1", 0);
    assert_null(claim(f, 0));
    must(f, store_job_next_due(f->db, &due_ms, &f->err));
    assert_int_equal(due_ms, 0);
    struct job other = enqueue(f, JOB_RUN_ADVANCE, "", "advance:2", 0);
    assert_string_equal(claim(f, 0)->id, other.id);
    must(f, store_job_finish(f->db, first.id, 1, &f->err));
    assert_string_equal(claim(f, 0)->id, second.id);
}

/* However a claimed job goes back, a pending one with its key is already what it would become. */
static void going_back_to_a_taken_key_deletes(void **state) {
    struct fixture *f = *state;
    bool is_dead = true;
    int64_t count = 0;

    for (int way = 0; way < 4; way++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "key:%d", way);
        struct job old = enqueue(f, JOB_RUN_ADVANCE, "", key, 0);
        assert_string_equal(claim(f, 0)->id, old.id);
        struct job new = enqueue(f, JOB_RUN_ADVANCE, "", key, 0);
        if (way == 0)
            must(f, store_job_release(f->db, old.id, 1, 0, &f->err));
        else if (way == 1)
            must(f, store_job_fail(f->db, old.id, 1, "x", 0, &is_dead, &f->err));
        else
            must(f, store_job_reclaim(f->db, LEASE_MS, way == 3, &count, &f->err));
        assert_null(get(f, old.id));
        assert_int_equal(get(f, new.id)->state, JOB_PENDING);
        assert_string_equal(claim(f, 0)->id, new.id);
        must(f, store_job_finish(f->db, new.id, 1, &f->err));
    }
    assert_false(is_dead);
    assert_int_equal(count, 1);
}

static void a_restart_takes_all_leases_back(void **state) {
    struct fixture *f = *state;
    int64_t count = 0;
    for (int i = 0; i < 3; i++) {
        (void)enqueue(f, JOB_EXPORT_MAKE, "", "", 0);
        assert_non_null(claim(f, 0));
    }
    must(f, store_job_reclaim(f->db, 1, false, &count, &f->err));
    assert_int_equal(count, 0);
    must(f, store_job_reclaim(f->db, 1, true, &count, &f->err));
    assert_int_equal(count, 3);
    assert_int_equal(claim(f, 0)->lease.token, 2);
}

static void a_run_finishes_when_nothing_of_it_is_at_work(void **state) {
    struct fixture *f = *state;
    struct run run = add_run(f, add_project(f, "A", "").id), other = add_run(f, add_project(f, "B", "").id);
    struct job task = enqueue(f, JOB_TASK_EXECUTE, run.id, "", 0);
    struct job finish = enqueue(f, JOB_RUN_FINISH, run.id, "finish", 1);
    struct job elsewhere = enqueue(f, JOB_TASK_EXECUTE, other.id, "", 2);
    struct job pending = enqueue(f, JOB_TASK_EXECUTE, run.id, "", 3);
    struct job *rows = NULL;
    size_t count = 0;

    assert_string_equal(claim(f, 2)->id, task.id);
    assert_string_equal(claim(f, 2)->id, elsewhere.id);
    assert_null(claim(f, 2));
    must(f, store_job_list(f->db, f->arena, run.id, &rows, &count, &f->err));
    assert_int_equal(count, 3);
    must(f, store_job_delete_pending(f->db, run.id, &f->err));
    assert_null(get(f, pending.id));
    assert_non_null(get(f, finish.id));
    assert_non_null(get(f, task.id));
    must(f, store_job_finish(f->db, task.id, 1, &f->err));
    assert_string_equal(claim(f, 2)->id, finish.id);
}

static int claim_one(struct db *db, void *arg, struct err *err) {
    struct arena *arena = arena_create();
    struct claim wish = {.worker = "wrk_1", .lease_ms = LEASE_MS};
    struct job *job = NULL;
    int result = store_job_claim(db, arena, &wish, &job, err);
    *(bool *)arg = job != NULL;
    arena_destroy(arena);
    return result;
}

static void *claim_all(void *arg) {
    struct fixture *f = arg;
    intptr_t count = 0;
    bool was_there = true;
    while (store_write(f->store, claim_one, &was_there, NULL) == 0 && was_there)
        count++;
    return (void *)count;
}

static void no_job_is_claimed_twice(void **state) {
    struct fixture *f = *state;
    pthread_t threads[8];
    intptr_t total = 0;
    for (int i = 0; i < 100; i++)
        (void)enqueue(f, JOB_EXPORT_MAKE, "", "", 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, claim_all, f), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *count = NULL;
        assert_int_equal(pthread_join(threads[i], &count), 0);
        total += (intptr_t)count;
    }
    assert_int_equal(total, 100);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(the_oldest_due_is_claimed_first),
        T(a_claim_is_a_lease),
        T(a_stale_token_is_refused_everywhere),
        T(failures_count_and_the_last_one_kills),
        T(a_release_costs_no_attempt),
        T(one_pending_and_one_claimed_a_key),
        T(going_back_to_a_taken_key_deletes),
        T(a_restart_takes_all_leases_back),
        T(a_run_finishes_when_nothing_of_it_is_at_work),
        T(no_job_is_claimed_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
