/* queue: how many runs of an account are under way, and which begins next. */
#include "fixture.h"

#include "engine/janitor.h"

enum { PROJECTS = 6 };

struct waiting {
    char project_id[ID_LEN], run_id[ID_LEN];
};

struct tier_call {
    struct fixture *f;
    const char *tier;
};

static int set_tier_in_tx(struct db *db, void *arg, struct err *err) {
    struct tier_call *call = arg;
    struct account *account = NULL;
    int rc = store_account_get(db, call->f->arena, call->f->account_id, &account, err);
    if (rc < 0)
        return rc;
    account->tier = call->tier;
    return store_account_update(db, account, err);
}

/* In the row alone, as another process does it. */
static void set_tier(struct fixture *f, const char *tier) {
    struct tier_call call = {.f = f, .tier = tier};
    must(f, store_write(f->engine->store, set_tier_in_tx, &call, &f->err));
}

static int start(struct fixture *f, const char *project_id, bool may_queue, struct run **out, struct build_room *room,
                 struct arena *arena, struct err *err) {
    struct run_request request = {.trigger = "manual", .may_queue = may_queue};
    return engine_run_create(f->engine, f->account_id, project_id, &request, arena, out, room, err);
}

/* A run of a new project of the account, which may wait. */
static struct waiting enqueue(struct fixture *f) {
    struct waiting one;
    struct run *run = NULL;
    struct build_room room = {0};
    add_project(f, NULL);
    must(f, start(f, f->project_id, true, &run, &room, f->arena, &f->err));
    str_copy(one.project_id, sizeof one.project_id, f->project_id);
    str_copy(one.run_id, sizeof one.run_id, run->id);
    return one;
}

static void enqueue_all(struct fixture *f, struct waiting all[PROJECTS]) {
    for (size_t i = 0; i < PROJECTS; i++)
        all[i] = enqueue(f);
}

static void look_at(struct fixture *f, const struct waiting *one) {
    str_copy(f->project_id, sizeof f->project_id, one->project_id);
    str_copy(f->run_id, sizeof f->run_id, one->run_id);
}

/* A letter a run: q(ueued), d(ecomposing), c(ancelled), f(ailed). */
static const char *states_of(struct fixture *f, const struct waiting *all, size_t count) {
    char *text = arena_alloc(f->arena, count + 1);
    for (size_t i = 0; i < count; i++) {
        look_at(f, &all[i]);
        text[i] = run_state_name(run_now(f)->state)[0];
    }
    return text;
}

static const char *places_of(struct fixture *f, const struct waiting *all, size_t count) {
    char *text = arena_alloc(f->arena, count + 1);
    for (size_t i = 0; i < count; i++) {
        int64_t place = 0;
        look_at(f, &all[i]);
        must(f, store_run_queue_position(reader(f), run_now(f), &place, &f->err));
        text[i] = (char)('0' + place);
    }
    return text;
}

/* The run is cancelled and cleaned away. */
static void end(struct fixture *f, const struct waiting *one) {
    struct run *run = NULL;
    look_at(f, one);
    must(f, engine_run_cancel(f->engine, f->account_id, f->project_id, f->run_id, 0, f->arena, &run, &f->err));
    for (struct job *job; !run_state_is_terminal(run_now(f)->state);) {
        assert_non_null(job = claim(f));
        if (job->kind == JOB_RUN_FINISH)
            must(f, finish_run(hold(f, job), &f->err));
    }
}

static void runs_begin_in_order_as_others_end(void **state) {
    struct fixture *f = *state;
    struct waiting all[PROJECTS];
    set_tier(f, "free");
    enqueue_all(f, all);
    assert_string_equal(states_of(f, all, PROJECTS), "dqqqqq");
    assert_string_equal(places_of(f, all, PROJECTS), "012345");
    look_at(f, &all[1]);
    assert_string_equal(event_line(f), "");
    assert_int_equal(job_count(f, JOB_RUN_DECOMPOSE), 0);
    assert_int_equal(run_now(f)->started_ms, 0);
    assert_int_equal(project_now(f)->state, PROJECT_BUILDING);
    end(f, &all[0]);
    assert_string_equal(states_of(f, all, PROJECTS), "cdqqqq");
    assert_string_equal(places_of(f, all, PROJECTS), "001234");
    look_at(f, &all[1]);
    assert_string_equal(event_line(f), "RUN_STARTED");
    assert_int_equal(job_count(f, JOB_RUN_DECOMPOSE), 1);
    assert_true(run_now(f)->started_ms > 0);
    end(f, &all[1]);
    end(f, &all[2]);
    assert_string_equal(states_of(f, all, PROJECTS), "cccdqq");
}

static void one_that_is_cancelled_leaves_the_queue(void **state) {
    struct fixture *f = *state;
    struct waiting all[PROJECTS];
    set_tier(f, "free");
    enqueue_all(f, all);
    end(f, &all[1]);
    end(f, &all[3]);
    assert_string_equal(event_line(f), "RUN_COMPLETED");
    assert_int_equal(job_count(f, JOB_RUN_FINISH), 0); /* there is nothing to clean */
    assert_int_equal(project_now(f)->state, PROJECT_APPROVED);
    assert_string_equal(states_of(f, all, PROJECTS), "dcqcqq");
    assert_string_equal(places_of(f, all, PROJECTS), "001023");
    end(f, &all[0]);
    assert_string_equal(states_of(f, all, PROJECTS), "ccdcqq");
}

static void a_higher_tier_begins_what_waits(void **state) {
    struct fixture *f = *state;
    struct waiting all[PROJECTS];
    set_tier(f, "free");
    enqueue_all(f, all);
    set_tier(f, "pro");
    must(f, engine_account_changed(f->engine, f->account_id, &f->err));
    assert_string_equal(states_of(f, all, PROJECTS), "dddddq");
    /* A lower one stops nothing, and lets nothing begin. */
    set_tier(f, "free");
    must(f, engine_account_changed(f->engine, f->account_id, &f->err));
    end(f, &all[2]);
    assert_string_equal(states_of(f, all, PROJECTS), "ddcddq");
}

static void who_comes_later_does_not_overtake(void **state) {
    struct fixture *f = *state;
    struct waiting all[3], late;
    struct run *run = NULL;
    struct build_room room = {0};
    set_tier(f, "free");
    for (size_t i = 0; i < 3; i++)
        all[i] = enqueue(f);
    /* Another process raises the tier; whoever asks next finds room, and others who wait for it. */
    set_tier(f, "pro");
    late = enqueue(f);
    assert_string_equal(states_of(f, all, 3), "ddd");
    assert_string_equal(states_of(f, &late, 1), "d");
    set_tier(f, "free");
    all[0] = enqueue(f);
    all[1] = enqueue(f);
    set_tier(f, "pro");
    add_project(f, NULL);
    assert_int_equal(start(f, f->project_id, false, &run, &room, f->arena, &f->err), -ERR_RATE);
    assert_string_equal(states_of(f, all, 2), "qq"); /* who is refused changes nothing */
    janitor_sweep(f->engine, false);
    assert_string_equal(states_of(f, all, 2), "dq");
}

static void the_queue_outlives_a_restart(void **state) {
    struct fixture *f = *state;
    struct waiting all[PROJECTS];
    set_tier(f, "free");
    enqueue_all(f, all);
    fixture_reopen(f);
    assert_string_equal(states_of(f, all, PROJECTS), "dqqqqq");
    assert_string_equal(places_of(f, all, PROJECTS), "012345");
    end(f, &all[0]);
    fixture_reopen(f);
    assert_string_equal(states_of(f, all, PROJECTS), "cdqqqq");
    look_at(f, &all[1]);
    assert_int_equal(job_count(f, JOB_RUN_DECOMPOSE), 1);
}

/* Its cleaning fails until it is given up. */
static void a_run_that_cannot_be_cleaned_makes_room(void **state) {
    struct fixture *f = *state;
    struct waiting all[2];
    struct run *run = NULL;
    set_tier(f, "free");
    all[0] = enqueue(f);
    all[1] = enqueue(f);
    look_at(f, &all[0]);
    must(f, engine_run_cancel(f->engine, f->account_id, f->project_id, f->run_id, 0, f->arena, &run, &f->err));
    bury(f, take_job(f, JOB_RUN_FINISH)->job, bury_run_job, "the disk is full");
    assert_string_equal(states_of(f, all, 2), "cd");
}

static void another_account_has_room_of_its_own(void **state) {
    struct fixture *f = *state;
    struct account account = {.name = "Other", .tier = "free", .created_ms = 2};
    struct waiting all[3];
    set_tier(f, "free");
    all[0] = enqueue(f);
    all[1] = enqueue(f);
    id_make(account.id, "acct");
    must(f, store_write(f->engine->store, add_account_in_tx, &account, &f->err));
    str_copy(f->account_id, sizeof f->account_id, account.id);
    all[2] = enqueue(f);
    assert_string_equal(states_of(f, all, 3), "dqd");
    end(f, &all[2]);
    assert_string_equal(states_of(f, all, 3), "dqc");
}

/* ---- Racing starts */

struct racer {
    struct fixture *f;
    char project_id[ID_LEN];
    bool may_queue;
    int rc;
    struct run run;
    size_t active;
    pthread_barrier_t *barrier;
    pthread_t thread;
};

static void *race(void *arg) {
    struct racer *racer = arg;
    struct arena *arena = arena_create();
    struct run *run = NULL;
    struct build_room room = {0};
    struct err err = {0};
    (void)pthread_barrier_wait(racer->barrier);
    racer->rc = start(racer->f, racer->project_id, racer->may_queue, &run, &room, arena, &err);
    if (racer->rc == 0) {
        str_copy(racer->run.id, sizeof racer->run.id, run->id);
        racer->run.state = run->state;
    }
    racer->active = room.active;
    arena_destroy(arena);
    store_thread_end(racer->f->engine->store);
    return NULL;
}

static void race_all(struct fixture *f, struct racer racers[PROJECTS], bool may_queue) {
    pthread_barrier_t barrier;
    assert_int_equal(pthread_barrier_init(&barrier, NULL, PROJECTS), 0);
    for (size_t i = 0; i < PROJECTS; i++) {
        add_project(f, NULL);
        racers[i] = (struct racer){.f = f, .may_queue = may_queue, .barrier = &barrier};
        str_copy(racers[i].project_id, sizeof racers[i].project_id, f->project_id);
    }
    for (size_t i = 0; i < PROJECTS; i++)
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    for (size_t i = 0; i < PROJECTS; i++)
        assert_int_equal(pthread_join(racers[i].thread, NULL), 0);
    (void)pthread_barrier_destroy(&barrier);
}

static void racing_starts_keep_the_limit(void **state) {
    struct fixture *f = *state;
    struct racer racers[PROJECTS];
    size_t begun = 0;
    set_tier(f, "free");
    race_all(f, racers, false);
    for (size_t i = 0; i < PROJECTS; i++) {
        str_copy(f->project_id, sizeof f->project_id, racers[i].project_id);
        begun += racers[i].rc == 0;
        if (racers[i].rc == 0) {
            assert_int_equal(racers[i].run.state, RUN_DECOMPOSING);
            continue;
        }
        assert_int_equal(racers[i].rc, -ERR_RATE);
        assert_int_equal(racers[i].active, 1);
        assert_int_equal(project_now(f)->state, PROJECT_APPROVED); /* as if nobody had asked */
    }
    assert_int_equal(begun, 1);
}

static void racing_starts_that_may_wait_all_have_a_place(void **state) {
    struct fixture *f = *state;
    struct racer racers[PROJECTS];
    struct waiting all[PROJECTS];
    int seen[PROJECTS] = {0};
    set_tier(f, "free");
    race_all(f, racers, true);
    for (size_t i = 0; i < PROJECTS; i++) {
        assert_int_equal(racers[i].rc, 0);
        str_copy(all[i].project_id, sizeof all[i].project_id, racers[i].project_id);
        str_copy(all[i].run_id, sizeof all[i].run_id, racers[i].run.id);
    }
    const char *places = places_of(f, all, PROJECTS);
    for (size_t i = 0; i < PROJECTS; i++) {
        assert_int_equal(racers[i].run.state, places[i] == '0' ? RUN_DECOMPOSING : RUN_QUEUED);
        assert_int_equal(seen[places[i] - '0']++, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        engine_test(runs_begin_in_order_as_others_end),
        engine_test(one_that_is_cancelled_leaves_the_queue),
        engine_test(a_higher_tier_begins_what_waits),
        engine_test(who_comes_later_does_not_overtake),
        engine_test(the_queue_outlives_a_restart),
        engine_test(a_run_that_cannot_be_cleaned_makes_room),
        engine_test(another_account_has_room_of_its_own),
        engine_test(racing_starts_keep_the_limit),
        engine_test(racing_starts_that_may_wait_all_have_a_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
