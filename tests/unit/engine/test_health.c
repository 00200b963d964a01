/* health: what each cause does to the parts and to the whole. What is seen is given, but once. */
#include "fixture.h"

#include "engine/health.h"

/* As all is well; a test changes what it is about. */
static struct health_look well(void) {
    return (struct health_look){.disk_free_bytes = INT64_C(50) << 30,
                                .disk_total_bytes = INT64_C(100) << 30,
                                .workers = {.total = 4, .busy = 1},
                                .lease_ms = 15000};
}

static struct engine_health judged(struct fixture *f, struct health_look look) {
    struct engine_health health = {0};
    health_judge(&look, f->arena, &health);
    return health;
}

#define assert_levels(health, whole, database_is, workers_is)                                                          \
    do {                                                                                                               \
        assert_int_equal((health).level, whole);                                                                       \
        assert_int_equal((health).database, database_is);                                                              \
        assert_int_equal((health).workers, workers_is);                                                                \
        assert_int_equal((health).redis, HEALTH_HEALTHY);                                                              \
    } while (0)

static void all_is_well(void **state) {
    struct engine_health health = judged(*state, well());
    assert_levels(health, HEALTH_HEALTHY, HEALTH_HEALTHY, HEALTH_HEALTHY);
    assert_int_equal(health.reason_count, 0);
    assert_int_equal(health.workers_alive, 4);
    assert_string_equal(health_level_name(health.level), "healthy");
}

static void a_fence_that_is_missing_is_told(void **state) {
    struct health_look look = well();
    look.fence_fault = "bubblewrap is not installed";
    struct engine_health health = judged(*state, look);
    assert_levels(health, HEALTH_HEALTHY, HEALTH_HEALTHY, HEALTH_HEALTHY);
    assert_int_equal(health.reason_count, 1);
    assert_string_equal(health.reasons[0], "What is built and run is not fenced in: bubblewrap is not installed");
}

static void a_dead_database_is_unhealthy(void **state) {
    struct health_look look = well();
    look.database_fault = "The database does not work: the store stopped writing";
    struct engine_health health = judged(*state, look);
    assert_levels(health, HEALTH_UNHEALTHY, HEALTH_UNHEALTHY, HEALTH_HEALTHY);
    assert_int_equal(health.reason_count, 1);
    assert_string_equal(health.reasons[0], look.database_fault);
}

static void slow_writes_degrade(void **state) {
    struct health_look look = well();
    look.commit_ms = 2000;
    struct engine_health health = judged(*state, look);
    assert_levels(health, HEALTH_HEALTHY, HEALTH_HEALTHY, HEALTH_HEALTHY);
    look.commit_ms = 2001;
    health = judged(*state, look);
    assert_levels(health, HEALTH_DEGRADED, HEALTH_DEGRADED, HEALTH_HEALTHY);
    assert_string_equal(health.reasons[0], "Writes have been waiting for the disk for 2001 ms");
}

static void a_disk_that_is_nearly_full_degrades(void **state) {
    struct health_look look = well();
    look.disk_free_bytes = (INT64_C(1) << 30) - 1; /* just below one percent */
    struct engine_health health = judged(*state, look);
    assert_levels(health, HEALTH_DEGRADED, HEALTH_DEGRADED, HEALTH_HEALTHY);
    assert_string_equal(health.reasons[0], "The disk of the data directory is nearly full: 1023 MiB are free");
    look.disk_free_bytes = INT64_C(1) << 30;
    health = judged(*state, look);
    assert_levels(health, HEALTH_HEALTHY, HEALTH_HEALTHY, HEALTH_HEALTHY);
    look.disk_total_bytes = INT64_C(1) << 30;
    look.disk_free_bytes = (INT64_C(100) << 20) - 1; /* a tenth of a small disk is too little all the same */
    health = judged(*state, look);
    assert_levels(health, HEALTH_DEGRADED, HEALTH_DEGRADED, HEALTH_HEALTHY);
    look.disk_free_bytes = -1; /* nobody knows */
    health = judged(*state, look);
    assert_levels(health, HEALTH_HEALTHY, HEALTH_HEALTHY, HEALTH_HEALTHY);
}

static void no_workers_degrade(void **state) {
    struct health_look look = well();
    look.workers = (struct workers_state){0};
    struct engine_health health = judged(*state, look);
    assert_levels(health, HEALTH_DEGRADED, HEALTH_HEALTHY, HEALTH_DEGRADED);
    assert_int_equal(health.workers_alive, 0);
    assert_string_equal(health.reasons[0], "No worker runs: builds, exports and deployments wait");
}

static void silent_or_stuck_workers_degrade_when_jobs_wait(void **state) {
    struct health_look look = well();
    look.workers.beat_ms = 15001;
    struct engine_health health = judged(*state, look);
    assert_levels(health, HEALTH_HEALTHY, HEALTH_HEALTHY, HEALTH_HEALTHY); /* nothing waits for them */
    assert_int_equal(health.workers_alive, 0);
    look.has_due_jobs = true;
    health = judged(*state, look);
    assert_levels(health, HEALTH_DEGRADED, HEALTH_HEALTHY, HEALTH_DEGRADED);
    assert_string_equal(health.reasons[0], "Jobs wait, and the workers gave no sign of life for 15001 ms");
    look.workers = (struct workers_state){.total = 4, .busy = 4, .stuck = 3};
    health = judged(*state, look);
    assert_levels(health, HEALTH_HEALTHY, HEALTH_HEALTHY, HEALTH_HEALTHY); /* one is at work */
    assert_int_equal(health.workers_alive, 1);
    look.workers.stuck = 4;
    health = judged(*state, look);
    assert_levels(health, HEALTH_DEGRADED, HEALTH_HEALTHY, HEALTH_DEGRADED);
}

static void every_reason_is_told(void **state) {
    struct health_look look = well();
    look.database_fault = "gone";
    look.commit_ms = 60000;
    look.disk_free_bytes = 0;
    look.workers = (struct workers_state){0};
    struct engine_health health = judged(*state, look);
    assert_levels(health, HEALTH_UNHEALTHY, HEALTH_UNHEALTHY, HEALTH_DEGRADED);
    assert_int_equal(health.reason_count, 4);
}

static void a_look_at_a_server_without_workers(void **state) {
    struct fixture *f = *state;
    struct engine_health health;
    engine_get_health(f->engine, f->arena, &health);
    assert_int_equal(health.redis, HEALTH_HEALTHY);
    assert_int_equal(health.workers, HEALTH_DEGRADED);
    assert_string_equal(health.database_name, "sqlite");
    assert_string_equal(health.bus_name, "memory");
}

static void a_look_at_workers(void **state) {
    struct fixture *f = *state;
    struct workers_state workers;
    must(f, workers_start(&f->engine->workers, f->engine, 2, &f->err));
    workers_look(f->engine->workers, &workers);
    assert_int_equal(workers.total, 2);
    assert_int_equal(workers.stuck, 0);
    assert_true(workers.beat_ms < 15000);
    workers_look(NULL, &workers);
    assert_int_equal(workers.total, 0);
}

static atomic_bool may_go_on;

static bool may_end(struct fixture *f) {
    return atomic_load(&may_go_on);
}

/* Listens to nobody. */
static int hang(struct fixture *f, const struct agent_request *request, struct agent_result *result, struct err *err) {
    (void)wait_until(f, may_end);
    return err_set(err, ERR_STALE, "too late");
}

static bool is_working(struct fixture *f) {
    return atomic_load(&f->tries) > 0;
}

static bool is_lost(struct fixture *f) {
    struct workers_state workers;
    workers_look(f->engine->workers, &workers);
    assert_int_equal(workers.stuck, 0);
    return workers.lost == 1;
}

/* Its lease was lost a lease ago, and it is still at it, while the job waits for somebody else. */
static void a_worker_that_is_stuck_is_seen(void **state) {
    struct fixture *f = *state;
    struct engine_health health;
    atomic_store(&may_go_on, false);
    f->work = hang;
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    must(f, workers_start(&f->engine->workers, f->engine, 1, &f->err));
    begin_run(f);
    assert_true(wait_until(f, is_working));
    assert_int_equal(reclaim(f), 1);
    assert_true(wait_until(f, is_lost));
    clock_advance_ms(f->engine->lease_ms + 1);
    engine_get_health(f->engine, f->arena, &health);
    assert_int_equal(health.workers, HEALTH_DEGRADED);
    assert_int_equal(health.workers_alive, 0);
    atomic_store(&may_go_on, true);
}

static void agents_that_cannot_work_are_told(void **state) {
    struct fixture *f = *state;
    struct health_look look = well();
    look.agents_fault = "The agent codex cannot work: its program codex is not to be found";
    struct engine_health out = judged(f, look);
    assert_int_equal(out.level, HEALTH_DEGRADED);
    assert_string_equal(out.reasons[0], look.agents_fault);
    look.has_agent = true; /* another takes its place */
    out = judged(f, look);
    assert_int_equal(out.level, HEALTH_HEALTHY);
    assert_int_equal(out.reason_count, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        engine_test(agents_that_cannot_work_are_told),
        engine_test(all_is_well),
        engine_test(a_fence_that_is_missing_is_told),
        engine_test(a_dead_database_is_unhealthy),
        engine_test(slow_writes_degrade),
        engine_test(a_disk_that_is_nearly_full_degrades),
        engine_test(no_workers_degrade),
        engine_test(silent_or_stuck_workers_degrade_when_jobs_wait),
        engine_test(every_reason_is_told),
        engine_test(a_look_at_a_server_without_workers),
        engine_test(a_look_at_workers),
        engine_test(a_worker_that_is_stuck_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
