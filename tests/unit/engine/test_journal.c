/* journal: legal moves only, a row and its event together or not at all, and wake-ups after the commit. */
#include "fixture.h"

struct move_call {
    struct fixture *f;
    enum run_state run_to;
    enum task_state task_to;
    const char *payload;
    int told_inside;
    int calls;
};

static int move_run_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct move_call *call = arg;
    struct run *run = NULL;
    int rc = store_run_get(journal->db, journal->arena, call->f->run_id, NULL, &run, err);
    return rc < 0 ? rc : journal_run_move(journal, run, call->run_to, "why", err);
}

static int move_task_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct move_call *call = arg;
    struct task *task = NULL;
    int rc = load_task(journal->db, journal->arena, task_now(call->f, "one")->id, &task, err);
    return rc < 0 ? rc : journal_task_move(journal, task, call->task_to, NULL, err);
}

static void begin(struct fixture *f) {
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    add_task(f, "task-002", "two", "task-001", "b/**", "b/x");
    begin_run(f);
}

static void terminal_states_never_change(void **state) {
    struct fixture *f = *state;
    static const enum run_state ends[] = {RUN_SUCCEEDED, RUN_FAILED, RUN_CANCELLED};
    begin(f);
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct move_call call = {.f = f, .run_to = ends[i]};
        if (run_now(f)->state == RUN_EXECUTING && ends[i] == RUN_SUCCEEDED) {
            /* Not before it was verified. */
            assert_int_equal(journal_write(f->engine, move_run_in_tx, &call, &f->err), -ERR_CONFLICT);
            assert_run(f, RUN_EXECUTING);
            call.run_to = RUN_VERIFYING;
            must(f, journal_write(f->engine, move_run_in_tx, &call, &f->err));
            call.run_to = RUN_SUCCEEDED;
        }
        must(f, journal_write(f->engine, move_run_in_tx, &call, &f->err));
        for (enum run_state to = RUN_QUEUED; to <= RUN_CANCELLED; to++) {
            struct move_call other = {.f = f, .run_to = to};
            size_t before = event_count(f, NULL);
            assert_int_equal(journal_write(f->engine, move_run_in_tx, &other, &f->err), -ERR_CONFLICT);
            assert_non_null(strstr(f->err.message, "cannot become"));
            assert_run(f, ends[i]);
            assert_int_equal(event_count(f, NULL), before);
        }
        assert_true(run_now(f)->completed_ms > 0);
        begin_run(f);
    }
}

static void a_run_that_ends_leaves_no_task_open(void **state) {
    struct fixture *f = *state;
    begin(f);
    struct move_call call = {.f = f, .run_to = RUN_FAILED, .task_to = TASK_RUNNING};
    must(f, journal_write(f->engine, move_task_in_tx, &call, &f->err));
    must(f, journal_write(f->engine, move_run_in_tx, &call, &f->err));
    assert_task(f, "one", TASK_FAILED);
    assert_task(f, "two", TASK_SKIPPED);
    assert_int_equal(project_now(f)->state, PROJECT_FAILED);
    assert_string_equal(event_line(f), "RUN_STARTED TASK_STARTED TASK_COMPLETED TASK_COMPLETED RUN_COMPLETED");
    assert_string_equal(event_text(f, "RUN_COMPLETED", 0, "status"), "failed");
    assert_string_equal(event_text(f, "RUN_COMPLETED", 0, "error"), "why");
    begin_run(f);
    call.run_to = RUN_CANCELLED;
    must(f, journal_write(f->engine, move_task_in_tx, &call, &f->err));
    must(f, journal_write(f->engine, move_run_in_tx, &call, &f->err));
    assert_task(f, "one", TASK_CANCELLED);
    assert_task(f, "two", TASK_CANCELLED);
    assert_int_equal(project_now(f)->state, PROJECT_APPROVED);
}

/* The move is made, its event cannot be: neither is there. */
static int move_and_break_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct move_call *call = arg;
    struct run *run = NULL, nobody = {.id = "run_nobody"};
    int rc = store_run_get(journal->db, journal->arena, call->f->run_id, NULL, &run, err);
    if (rc == 0)
        rc = journal_run_move(journal, run, RUN_VERIFYING, NULL, err);
    return rc < 0 ? rc : journal_event(journal, &nobody, NULL, EVENT_CHECK_COMPLETED, "{}", err);
}

static void a_failing_event_rolls_the_state_back(void **state) {
    struct fixture *f = *state;
    begin(f);
    size_t before = event_count(f, NULL);
    struct move_call call = {.f = f};
    assert_true(journal_write(f->engine, move_and_break_in_tx, &call, &f->err) < 0);
    assert_run(f, RUN_EXECUTING);
    assert_int_equal(event_count(f, NULL), before);
    /* And the numbers go on without a gap. */
    call.run_to = RUN_VERIFYING;
    must(f, journal_write(f->engine, move_run_in_tx, &call, &f->err));
    assert_string_equal(event_line(f), "RUN_STARTED VERIFICATION_STARTED");
}

struct listener {
    struct fixture *f;
    int told;
    int64_t value;
    bool was_committed;
};

static void listen_run(const char *topic, int64_t value, void *arg) {
    struct listener *listener = arg;
    listener->told++;
    listener->value = value;
}

static int count_told_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct move_call *call = arg;
    struct run *run = NULL;
    int rc = store_run_get(journal->db, journal->arena, call->f->run_id, NULL, &run, err);
    if (rc == 0)
        rc = journal_event(journal, run, NULL, EVENT_CHECK_COMPLETED, call->payload, err);
    call->calls++;
    return rc == 0 && call->told_inside ? err_set(err, ERR_INTERNAL, "thought better of it") : rc;
}

static void wake_ups_follow_the_commit(void **state) {
    struct fixture *f = *state;
    begin(f);
    struct listener listener = {.f = f};
    struct bus_subscription *subscription;
    struct move_call call = {.f = f, .payload = "{}", .told_inside = 1};
    must(f, bus_subscribe(f->engine->bus, arena_printf(f->arena, "run:%s", f->run_id), listen_run, &listener,
                          &subscription, &f->err));
    assert_int_equal(journal_write(f->engine, count_told_in_tx, &call, &f->err), -ERR_INTERNAL);
    assert_int_equal(listener.told, 0); /* nothing came of it, nobody is told */
    call.told_inside = 0;
    must(f, journal_write(f->engine, count_told_in_tx, &call, &f->err));
    assert_int_equal(listener.told, 1);
    assert_int_equal(listener.value, run_now(f)->event_count);
    bus_unsubscribe(subscription);
}

static int enqueue_twice_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct fixture *f = arg;
    struct job_spec spec = {
        .kind = JOB_RUN_ADVANCE, .project_id = f->project_id, .run_id = f->run_id, .is_exclusive = true};
    int rc = journal_enqueue(journal, &spec, err);
    return rc < 0 ? rc : journal_enqueue(journal, &spec, err);
}

static void an_exclusive_job_waits_once(void **state) {
    struct fixture *f = *state;
    begin(f);
    must(f, journal_write(f->engine, enqueue_twice_in_tx, f, &f->err));
    assert_int_equal(job_count(f, JOB_RUN_ADVANCE), 1);
}

struct export_call {
    struct fixture *f;
    struct export *row;
    enum export_state to;
};

static int move_export_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct export_call *call = arg;
    struct export row = *call->row;
    int rc = journal_export_move(journal, &row, call->to, err);
    return rc;
}

static int insert_export_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct export_call *call = arg;
    return store_export_insert(journal->db, call->row, err);
}

static void exports_move_by_their_table(void **state) {
    struct fixture *f = *state;
    begin(f);
    struct export row = {.state = EXPORT_PROCESSING, .format = "zip", .created_ms = 1};
    id_make(row.id, "exp");
    str_copy(row.project_id, sizeof(row.project_id), f->project_id);
    str_copy(row.run_id, sizeof(row.run_id), f->run_id);
    struct export_call call = {.f = f, .row = &row, .to = EXPORT_EXPIRED};
    must(f, journal_write(f->engine, insert_export_in_tx, &call, &f->err));
    assert_int_equal(journal_write(f->engine, move_export_in_tx, &call, &f->err), -ERR_CONFLICT);
    assert_non_null(strstr(f->err.message, "is processing and cannot become expired"));
    call.to = EXPORT_COMPLETED;
    must(f, journal_write(f->engine, move_export_in_tx, &call, &f->err));
    /* The row moved on; who still believes it processing is refused. */
    assert_int_equal(journal_write(f->engine, move_export_in_tx, &call, &f->err), -ERR_CONFLICT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        engine_test(terminal_states_never_change),         engine_test(a_run_that_ends_leaves_no_task_open),
        engine_test(a_failing_event_rolls_the_state_back), engine_test(wake_ups_follow_the_commit),
        engine_test(an_exclusive_job_waits_once),          engine_test(exports_move_by_their_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
