/* budget: limits hold however calls race; what was used is entered once, and what the dead reserved comes free. */
#include "fixture.h"

#include "engine/budget.h"
#include "engine/janitor.h"
#include "store/spending.h"

enum { THREADS = 8, CALLS = 25, LIMIT_MICROS = 400000, CALL_MICROS = 10000, CALL_TOKENS = 100 };

struct limit_call {
    const char *account_id, *run_id;
    struct spending_limits limits;
};

static int set_limits_in_tx(struct db *db, void *arg, struct err *err) {
    const struct limit_call *call = arg;
    return call->run_id ? store_run_set_limits(db, call->run_id, &call->limits, err)
                        : store_account_set_limits(db, call->account_id, &call->limits, err);
}

static void set_limits(struct fixture *f, bool is_of_run, int64_t cost_micros, int64_t tokens) {
    struct limit_call call = {.account_id = f->account_id, .limits = {.cost_micros = cost_micros, .tokens = tokens}};
    if (is_of_run)
        call.run_id = f->run_id;
    must(f, store_write(f->engine->store, set_limits_in_tx, &call, &f->err));
}

static struct budget_scope scope_of(struct fixture *f) {
    return (struct budget_scope){
        .account_id = f->account_id, .project_id = f->project_id, .run_id = f->run_id, .purpose = "task"};
}

static struct budget_use use_of(int64_t cost_micros, int64_t tokens) {
    return (struct budget_use){.provider = "test",
                               .model = "small",
                               .input_tokens = tokens - tokens / 4,
                               .cached_tokens = tokens / 8,
                               .output_tokens = tokens / 4,
                               .cost_micros = cost_micros,
                               .is_priced = true};
}

static struct usage_sum total(struct fixture *f, const char *subject_id, int64_t month) {
    struct usage_sum sum;
    must(f, store_usage_total(reader(f), subject_id, month, &sum, &f->err));
    return sum;
}

static struct spending_limits reserved(struct fixture *f) {
    struct spending_limits sum;
    must(f, store_reservation_sum(reader(f), f->account_id, NULL, &sum, &f->err));
    return sum;
}

static int run_set_up(void **state) {
    struct fixture *f = *state = fixture_create();
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    begin_run(f);
    return 0;
}

#define budget_test(name) cmocka_unit_test_setup_teardown(name, run_set_up, fixture_tear_down)

/* ---- Racing */

struct racer {
    struct fixture *f;
    pthread_t thread;
    int settled, refused;
    bool is_wrong;
};

/* Reads what is spent and reserved at one moment. */
static int look_in_read(struct db *db, void *arg, struct err *err) {
    struct racer *racer = arg;
    struct usage_sum spent;
    struct spending_limits open;
    int rc = store_usage_total(db, racer->f->run_id, 0, &spent, err);
    if (rc == 0)
        rc = store_reservation_sum(db, racer->f->account_id, racer->f->run_id, &open, err);
    racer->is_wrong |= rc < 0 || spent.cost_micros + open.cost_micros > LIMIT_MICROS;
    return rc;
}

static void *race(void *arg) {
    struct racer *racer = arg;
    struct fixture *f = racer->f;
    struct budget_scope scope = scope_of(f);
    for (int i = 0; i < CALLS; i++) {
        struct budget_reservation reservation;
        struct err err = {0};
        /* Each uses less than it reserves, so that room comes free again while others reserve. */
        struct budget_use use = use_of(CALL_MICROS - i * 10, CALL_TOKENS);
        int rc = budget_reserve(f->engine, &scope, CALL_MICROS, CALL_TOKENS, &reservation, &err);
        racer->is_wrong |= store_read(f->engine->store, look_in_read, racer, &err) < 0;
        racer->refused += rc == -ERR_BUDGET;
        racer->is_wrong |= rc < 0 && rc != -ERR_BUDGET;
        if (rc == 0 && budget_settle(f->engine, &reservation, &use, &err) == 0)
            racer->settled++;
    }
    store_thread_end(f->engine->store);
    return NULL;
}

static void racing_calls_never_pass_a_limit(void **state) {
    struct fixture *f = *state;
    struct racer racers[THREADS];
    int settled = 0, refused = 0;
    set_limits(f, true, LIMIT_MICROS, NO_LIMIT);
    for (int i = 0; i < THREADS; i++) {
        racers[i] = (struct racer){.f = f};
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(racers[i].thread, NULL);
        assert_false(racers[i].is_wrong);
        settled += racers[i].settled;
        refused += racers[i].refused;
    }
    assert_int_equal(settled + refused, THREADS * CALLS);
    assert_true(settled >= LIMIT_MICROS / CALL_MICROS);
    assert_true(refused > 0);
    struct usage_sum sum = total(f, f->run_id, 0);
    assert_int_equal(sum.calls, settled);
    assert_true(sum.cost_micros <= LIMIT_MICROS);
    /* No room was lost either: another call would not fit. */
    assert_true(sum.cost_micros + CALL_MICROS > LIMIT_MICROS);
    assert_int_equal(reserved(f).cost_micros, 0);
}

/* ---- One by one */

static void a_refusal_names_the_limit(void **state) {
    struct fixture *f = *state;
    struct budget_scope scope = scope_of(f);
    struct budget_reservation first, second;
    set_limits(f, true, 1500000, 1000);
    must(f, budget_reserve(f->engine, &scope, 1000000, 600, &first, &f->err));
    assert_int_equal(budget_reserve(f->engine, &scope, 600000, 10, &second, &f->err), -ERR_BUDGET);
    assert_string_equal(f->err.message, "The run's limit of $1.5 has no room: $0 are spent, $1 reserved, and the next "
                                        "call may come to $0.6");
    assert_int_equal(second.refusal.reason, WAIT_RUN_COST);
    assert_true(second.refusal.is_passing); /* there is room if the first comes to less */
    assert_int_equal(second.refusal.resumes_ms, 0);
    assert_int_equal(budget_reserve(f->engine, &scope, 1, 401, &second, &f->err), -ERR_BUDGET);
    assert_int_equal(second.refusal.reason, WAIT_RUN_TOKENS);
    must(f, budget_release(f->engine, &first, &f->err)); /* it was not made */
    must(f, budget_reserve(f->engine, &scope, 1500000, 1000, &second, &f->err));
    must(f, budget_release(f->engine, &second, &f->err));
    assert_int_equal(budget_reserve(f->engine, &scope, 1500001, 0, &second, &f->err), -ERR_BUDGET);
    assert_false(second.refusal.is_passing);
}

static void an_account_has_a_month(void **state) {
    struct fixture *f = *state;
    struct budget_scope scope = scope_of(f);
    struct budget_reservation one;
    int64_t now = clock_now_ms();
    set_limits(f, false, 1000, NO_LIMIT);
    must(f, budget_reserve(f->engine, &scope, 1000, 8, &one, &f->err));
    struct budget_use use = use_of(1000, 8);
    must(f, budget_settle(f->engine, &one, &use, &f->err));
    assert_int_equal(total(f, f->account_id, spending_month(now)).cost_micros, 1000);
    assert_int_equal(total(f, f->account_id, 0).cost_micros, 1000);
    assert_int_equal(total(f, f->project_id, 0).input_tokens, 6);
    assert_int_equal(budget_reserve(f->engine, &scope, 1, 1, &one, &f->err), -ERR_BUDGET);
    assert_int_equal(one.refusal.reason, WAIT_ACCOUNT_COST);
    assert_int_equal(one.refusal.resumes_ms, spending_next_month(now));
    /* The next month has room. */
    clock_advance_ms(spending_next_month(now) - clock_now_ms());
    must(f, budget_reserve(f->engine, &scope, 1000, 8, &one, &f->err));
    /* What no month has room for is not waited for. */
    assert_int_equal(budget_reserve(f->engine, &scope, 1001, 1, &one, &f->err), -ERR_BUDGET);
    assert_int_equal(one.refusal.resumes_ms, 0);
    clock_advance_ms(now - clock_now_ms());
}

static void what_was_used_is_entered_once_and_as_it_is(void **state) {
    struct fixture *f = *state;
    struct budget_scope scope = scope_of(f);
    struct budget_reservation one;
    struct budget_use use = use_of(5000, 80);
    set_limits(f, true, 1000, NO_LIMIT);
    scope.task_id = task_now(f, "one")->id;
    must(f, budget_reserve(f->engine, &scope, 1000, 8, &one, &f->err));
    assert_int_equal(reserved(f).tokens, 8);
    must(f, budget_settle(f->engine, &one, &use, &f->err)); /* more than was reserved */
    must(f, budget_settle(f->engine, &one, &use, &f->err));
    assert_int_equal(total(f, scope.task_id, 0).calls, 1);
    assert_int_equal(total(f, f->run_id, 0).cost_micros, 5000);
    assert_int_equal(run_now(f)->usage.cached_tokens, 10);
    assert_int_equal(event_count(f, "USAGE"), 1);
    assert_string_equal(event_text(f, "USAGE", 0, "model"), "small");
    assert_string_equal(event_text(f, "USAGE", 0, "costUsd"), "0.005");
    assert_int_equal(reserved(f).tokens, 0);
}

static int run_ends_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct fixture *f = arg;
    struct run *run = NULL;
    int rc = store_run_get(journal->db, journal->arena, f->run_id, NULL, &run, err);
    return rc < 0 ? rc : journal_run_move(journal, run, RUN_FAILED, NULL, err);
}

/* A call that comes back after its run has ended is entered, and nothing follows RUN_COMPLETED. */
static void after_the_end_nothing_is_reserved_and_nothing_told(void **state) {
    struct fixture *f = *state;
    struct budget_scope scope = scope_of(f);
    struct budget_reservation one, two;
    struct budget_use use = use_of(5000, 80);
    must(f, budget_reserve(f->engine, &scope, 1000, 8, &one, &f->err));
    must(f, journal_write(f->engine, run_ends_in_tx, f, &f->err));
    must(f, budget_settle(f->engine, &one, &use, &f->err));
    assert_int_equal(total(f, f->run_id, 0).cost_micros, 5000);
    assert_int_equal(event_count(f, "USAGE"), 0);
    assert_int_equal(budget_reserve(f->engine, &scope, 1, 1, &two, &f->err), -ERR_CANCELLED);
}

static void what_the_dead_reserved_comes_free(void **state) {
    struct fixture *f = *state;
    struct budget_scope scope = scope_of(f);
    struct budget_reservation one, two, three;
    struct budget_use use = use_of(700, 8);
    struct job_context *job = take_job(f, JOB_TASK_EXECUTE);
    scope.job = job->job;
    must(f, budget_reserve(f->engine, &scope, 1000, 8, &one, &f->err));
    janitor_sweep(f->engine, false);
    assert_int_equal(reserved(f).cost_micros, 1000); /* its worker lives */
    reclaim(f);
    janitor_sweep(f->engine, false);
    assert_int_equal(reserved(f).cost_micros, 0);
    assert_int_equal(budget_reserve(f->engine, &scope, 1, 1, &two, &f->err), -ERR_STALE);
    must(f, budget_settle(f->engine, &one, &use, &f->err)); /* late, and true all the same */
    assert_int_equal(total(f, f->run_id, 0).cost_micros, 700);
    /* Without a job: after an hour, or with the next start. */
    scope.job = NULL;
    must(f, budget_reserve(f->engine, &scope, 1000, 8, &two, &f->err));
    clock_advance_ms(3600001);
    must(f, budget_reserve(f->engine, &scope, 500, 8, &three, &f->err));
    janitor_sweep(f->engine, false);
    clock_advance_ms(-3600001);
    assert_int_equal(reserved(f).cost_micros, 500);
    fixture_reopen(f);
    assert_int_equal(reserved(f).cost_micros, 0);
}

struct late_settle {
    struct fixture *f;
    struct budget_reservation reservation;
};

static bool settle_when_asked(void *arg) {
    struct late_settle *late = arg;
    struct budget_use use = use_of(100, 8);
    if (late->f)
        must(late->f, budget_settle(late->f->engine, &late->reservation, &use, &late->f->err));
    late->f = NULL;
    return false;
}

/* What only a call under way takes is waited for. */
static void waits_for_what_others_give_back(void **state) {
    struct fixture *f = *state;
    struct budget_scope scope = scope_of(f);
    struct budget_reservation two;
    struct late_settle late = {.f = f};
    set_limits(f, true, 1000, NO_LIMIT);
    must(f, budget_reserve(f->engine, &scope, 800, 8, &late.reservation, &f->err));
    scope.wait_ms = WAIT_MS;
    scope.is_cancelled = settle_when_asked;
    scope.cancel_arg = &late;
    must(f, budget_reserve(f->engine, &scope, 900, 8, &two, &f->err));
    assert_null(late.f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        budget_test(racing_calls_never_pass_a_limit),
        budget_test(a_refusal_names_the_limit),
        budget_test(an_account_has_a_month),
        budget_test(what_was_used_is_entered_once_and_as_it_is),
        budget_test(after_the_end_nothing_is_reserved_and_nothing_told),
        budget_test(what_the_dead_reserved_comes_free),
        budget_test(waits_for_what_others_give_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
