/* runs: numbers, the one unfinished run of a project, moves, tasks and dense events. */
#include "fixture.h"

#include "store/counts.h"

#include <pthread.h>

static void numbers_are_dense_per_project(void **state) {
    struct fixture *f = *state;
    struct project a = add_project(f, "A", ""), b = add_project(f, "B", "");
    bool moved = false;

    struct run first = add_run(f, a.id);
    assert_int_equal(first.number, 1);
    must(f, store_run_move(f->db, first.id, RUN_QUEUED, RUN_CANCELLED, NULL, 9, &moved, &f->err));
    assert_true(moved);
    assert_int_equal(add_run(f, a.id).number, 2);
    assert_int_equal(add_run(f, b.id).number, 1);
}

static void a_second_unfinished_run_is_a_conflict(void **state) {
    struct fixture *f = *state;
    struct project project = add_project(f, "A", "");
    struct run first = add_run(f, project.id), second = first, *active = NULL;

    id_make(second.id, "run");
    second.number = 77;
    assert_int_equal(store_run_insert(f->db, &second, &f->err), -ERR_CONFLICT);
    assert_non_null(strstr(f->err.message, "not finished"));
    assert_non_null(strstr(f->err.message, second.id));
    assert_int_equal(second.number, 77);
    must(f, store_run_active(reader(f), f->arena, project.id, &active, &f->err));
    assert_string_equal(active->id, first.id);
}

static void a_run_keeps_all_its_members(void **state) {
    struct fixture *f = *state;
    struct project project = add_project(f, "A", "");
    struct run run = add_run(f, project.id), *read = NULL;

    run.started_ms = 6;
    run.is_cancel_requested = true;
    memset(run.base_sha, 'a', SHA_LEN - 1);
    memset(run.head_sha, 'b', SHA_LEN - 1);
    run.tasks_json = "{\"tasks\":[]}";
    run.verification_json = "{\"ok\":true}";
    must(f, store_run_update(f->db, &run, &f->err));
    must(f, store_run_get(reader(f), f->arena, run.id, project.id, &read, &f->err));
    assert_int_equal(read->started_ms, 6);
    assert_true(read->is_cancel_requested);
    assert_string_equal(read->base_sha, run.base_sha);
    assert_string_equal(read->head_sha, run.head_sha);
    assert_string_equal(read->tasks_json, run.tasks_json);
    assert_string_equal(read->verification_json, run.verification_json);
    assert_string_equal(read->trigger, "manual");
    assert_int_equal(read->spec_version, 1);
    assert_int_equal(read->created_ms, 5);
    assert_int_equal(read->event_count, 0);
    assert_null(read->error);

    must(f, store_run_get(reader(f), f->arena, run.id, "proj_other", &read, &f->err));
    assert_null(read);
    must(f, store_run_get(reader(f), f->arena, run.id, NULL, &read, &f->err));
    assert_non_null(read);
}

static void moves_compare_and_set(void **state) {
    struct fixture *f = *state;
    struct project project = add_project(f, "A", "");
    struct run run = add_run(f, project.id), *read = NULL;
    bool moved = true;

    must(f, store_run_move(f->db, run.id, RUN_EXECUTING, RUN_VERIFYING, NULL, 9, &moved, &f->err));
    assert_false(moved);
    must(f, store_run_move(f->db, run.id, RUN_QUEUED, RUN_DECOMPOSING, NULL, 9, &moved, &f->err));
    assert_true(moved);
    must(f, store_run_get(f->db, f->arena, run.id, NULL, &read, &f->err));
    assert_int_equal(read->completed_ms, 0);
    must(f, store_run_move(f->db, run.id, RUN_DECOMPOSING, RUN_FAILED, "no plan", 11, &moved, &f->err));
    must(f, store_run_get(f->db, f->arena, run.id, NULL, &read, &f->err));
    assert_int_equal(read->state, RUN_FAILED);
    assert_int_equal(read->completed_ms, 11);
    assert_string_equal(read->error, "no plan");
    must(f, store_run_latest(f->db, f->arena, project.id, RUN_FAILED, &read, &f->err));
    assert_string_equal(read->id, run.id);
    must(f, store_run_latest(f->db, f->arena, project.id, RUN_SUCCEEDED, &read, &f->err));
    assert_null(read);
    must(f, store_run_active(f->db, f->arena, project.id, &read, &f->err));
    assert_null(read);
}

static void the_head_moves_only_from_where_it_is(void **state) {
    struct fixture *f = *state;
    struct run run = add_run(f, add_project(f, "A", "").id);
    bool moved = false;

    must(f, store_run_set_head(f->db, run.id, "", "1111", &moved, &f->err));
    assert_true(moved);
    must(f, store_run_set_head(f->db, run.id, "", "2222", &moved, &f->err));
    assert_false(moved);
}

static void what_is_not_there_is_not_found(void **state) {
    struct fixture *f = *state;
    struct run run = {.id = "run_none"}, *read = &run;

    assert_int_equal(store_run_update(f->db, &run, &f->err), -ERR_NOT_FOUND);
    assert_int_equal(store_run_request_cancel(f->db, "run_none", &f->err), -ERR_NOT_FOUND);
    must(f, store_run_get(f->db, f->arena, "run_none", NULL, &read, &f->err));
    assert_null(read);
}

static void finish(struct fixture *f, const struct run *run, enum run_state to) {
    bool moved = false;
    must(f, store_run_move(f->db, run->id, RUN_QUEUED, to, NULL, 9, &moved, &f->err));
    assert_true(moved);
}

static void lists_page_and_filter_newest_first(void **state) {
    struct fixture *f = *state;
    struct project project = add_project(f, "A", "");
    struct run *rows = NULL;
    int64_t total = 0;
    size_t count = 0;
    for (int i = 0; i < 5; i++) {
        struct run run = add_run(f, project.id);
        if (i < 4)
            finish(f, &run, i % 2 ? RUN_FAILED : RUN_SUCCEEDED);
    }
    struct run_query query = {.project_id = project.id, .page = page_numbered(2, 2)};
    must(f, store_run_list(reader(f), f->arena, &query, &rows, &count, &total, &f->err));
    assert_int_equal(total, 5);
    assert_int_equal(count, 2);
    assert_int_equal(rows[0].number, 3);
    assert_int_equal(rows[1].number, 2);
    query = (struct run_query){
        .project_id = project.id, .has_state = true, .state = RUN_FAILED, .page = page_numbered(1, 20)};
    must(f, store_run_list(reader(f), f->arena, &query, &rows, &count, &total, &f->err));
    assert_int_equal(total, 2);
    assert_int_equal(count, 2);
    assert_int_equal(rows[0].number, 4);
    must(f, store_run_unfinished(reader(f), f->arena, &rows, &count, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].number, 5);
}

static void tasks_move_and_are_counted(void **state) {
    struct fixture *f = *state;
    struct run run = add_run(f, add_project(f, "A", "").id), *read_run = NULL;
    struct task one = add_task(f, &run, 1), two = add_task(f, &run, 2), *task = NULL, *rows = NULL;
    bool moved = false;
    size_t count = 0;

    must(f, store_task_move(f->db, one.id, TASK_PENDING, TASK_RUNNING, NULL, 10, &moved, &f->err));
    assert_true(moved);
    must(f, store_task_move(f->db, one.id, TASK_PENDING, TASK_RUNNING, NULL, 10, &moved, &f->err));
    assert_false(moved);
    must(f, store_task_move(f->db, one.id, TASK_RUNNING, TASK_SUCCEEDED, NULL, 20, &moved, &f->err));
    must(f, store_task_move(f->db, two.id, TASK_PENDING, TASK_SKIPPED, "task-001 failed", 30, &moved, &f->err));
    must(f, store_task_get(f->db, f->arena, one.id, run.id, &task, &f->err));
    assert_int_equal(task->state, TASK_SUCCEEDED);
    assert_int_equal(task->started_ms, 10);
    assert_int_equal(task->completed_ms, 20);
    task->attempts = 2;
    task->result_json = "{}";
    task->error = "once";
    memset(task->commit_sha, 'c', SHA_LEN - 1);
    must(f, store_task_update(f->db, task, &f->err));
    must(f, store_task_list(f->db, f->arena, run.id, &rows, &count, &f->err));
    assert_int_equal(count, 2);
    assert_string_equal(rows[0].id, one.id);
    assert_int_equal(rows[0].attempts, 2);
    assert_string_equal(rows[0].result_json, "{}");
    assert_string_equal(rows[0].error, "once");
    assert_string_equal(rows[0].commit_sha, task->commit_sha);
    assert_string_equal(rows[0].branch, "feat/task-001-shell");
    assert_int_equal(rows[1].started_ms, 0);
    assert_int_equal(rows[1].completed_ms, 30);
    assert_string_equal(rows[1].error, "task-001 failed");
    must(f, store_task_get(f->db, f->arena, one.id, "run_other", &task, &f->err));
    assert_null(task);
    must(f, store_run_get(f->db, f->arena, run.id, NULL, &read_run, &f->err));
    assert_int_equal(read_run->tasks_total, 2);
    assert_int_equal(read_run->tasks_succeeded, 1);
    assert_int_equal(read_run->tasks_failed, 0);
}

static void a_sequence_is_taken_once(void **state) {
    struct fixture *f = *state;
    struct run run = add_run(f, add_project(f, "A", "").id);
    struct task task = add_task(f, &run, 1);

    id_make(task.id, "task");
    assert_int_equal(store_task_insert(f->db, &task, &f->err), -ERR_CONFLICT);
    (void)snprintf(task.run_id, sizeof(task.run_id), "run_none");
    assert_int_equal(store_task_insert(f->db, &task, &f->err), -ERR_INTERNAL);
    assert_non_null(strstr(f->err.message, "store task"));
}

static struct event event_of(const struct run *run, enum event_type type, const char *task_id, int64_t created_ms) {
    struct event event = {.type = type, .payload_json = "{}", .created_ms = created_ms};
    id_make(event.id, "evt");
    memcpy(event.run_id, run->id, ID_LEN);
    memcpy(event.project_id, run->project_id, ID_LEN);
    (void)snprintf(event.task_id, sizeof(event.task_id), "%s", task_id);
    return event;
}

static void events_are_dense_and_time_never_goes_back(void **state) {
    struct fixture *f = *state;
    struct run run = add_run(f, add_project(f, "A", "").id), *read = NULL;
    static const int64_t times[] = {100, 200, 150, 201};
    static const int64_t kept[] = {100, 200, 200, 201};

    for (int i = 0; i < 4; i++) {
        struct event event = event_of(&run, EVENT_TASK_OUTPUT, "", times[i]);
        must(f, store_event_append(f->db, &event, &f->err));
        assert_int_equal(event.sequence, i + 1);
        assert_int_equal(event.created_ms, kept[i]);
    }
    must(f, store_run_get(f->db, f->arena, run.id, NULL, &read, &f->err));
    assert_int_equal(read->event_count, 4);
    struct event stray = event_of(&run, EVENT_RUN_STARTED, "", 1);
    (void)snprintf(stray.run_id, sizeof(stray.run_id), "run_none");
    assert_int_equal(store_event_append(f->db, &stray, &f->err), -ERR_INTERNAL);
}

static void event_cursors_filter(void **state) {
    struct fixture *f = *state;
    struct run run = add_run(f, add_project(f, "A", "").id);
    struct event *rows = NULL;
    size_t count = 0;
    for (int i = 1; i <= 6; i++) {
        struct event event =
            event_of(&run, i % 2 ? EVENT_FILE_CREATED : EVENT_TASK_OUTPUT, i > 3 ? "task_b" : "", i * 10);
        must(f, store_event_append(f->db, &event, &f->err));
    }
    struct event_query query = {.run_id = run.id, .after_sequence = 2, .limit = 3};
    must(f, store_event_list(reader(f), f->arena, &query, &rows, &count, &f->err));
    assert_int_equal(count, 3);
    assert_int_equal(rows[0].sequence, 3);
    assert_string_equal(rows[0].task_id, "");
    assert_int_equal(rows[2].sequence, 5);
    assert_string_equal(rows[2].task_id, "task_b");
    query = (struct event_query){
        .run_id = run.id, .has_type = true, .type = EVENT_FILE_CREATED, .task_id = "task_b", .limit = 100};
    must(f, store_event_list(reader(f), f->arena, &query, &rows, &count, &f->err));
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].sequence, 5);
    query = (struct event_query){.run_id = run.id, .after_ms = 40, .limit = 100};
    must(f, store_event_list(reader(f), f->arena, &query, &rows, &count, &f->err));
    assert_int_equal(count, 2);
    assert_int_equal(rows[0].created_ms, 50);
}

struct appender {
    struct fixture *f;
    const struct run *run;
};

static int append_one(struct db *db, void *arg, struct err *err) {
    struct event event = event_of(arg, EVENT_TASK_OUTPUT, "", 1);
    return store_event_append(db, &event, err);
}

static void *append_many(void *arg) {
    struct appender *appender = arg;
    for (int i = 0; i < 50; i++) {
        struct err err = {0};
        if (store_write(appender->f->store, append_one, (void *)appender->run, &err))
            return mem_strdup(err.message);
    }
    return NULL;
}

static void events_stay_dense_under_concurrent_appends(void **state) {
    struct fixture *f = *state;
    struct run run = add_run(f, add_project(f, "A", "").id);
    struct appender appender = {f, &run};
    struct event *rows = NULL;
    pthread_t threads[8];
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, append_many, &appender), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *failure = NULL;
        assert_int_equal(pthread_join(threads[i], &failure), 0);
        assert_null(failure);
    }
    struct event_query query = {.run_id = run.id, .limit = 1000};
    must(f, store_event_list(reader(f), f->arena, &query, &rows, &count, &f->err));
    assert_int_equal(count, 400);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(rows[i].sequence, i + 1);
}

static void everything_is_counted_by_state(void **state) {
    struct fixture *f = *state;
    struct store_counts counts;
    struct project project = add_project(f, "A", "");
    struct run run = add_run(f, project.id);
    struct job due = {.kind = JOB_RUN_VERIFY, .run_after_ms = 100, .max_attempts = 3},
               later = {.kind = JOB_RUN_VERIFY, .run_after_ms = 101, .max_attempts = 3};
    bool moved = false;

    finish(f, &run, RUN_FAILED);
    (void)add_run(f, project.id);
    must(f, store_project_move(f->db, project.id, PROJECT_DRAFT, PROJECT_BUILDING, 3, &moved, &f->err));
    (void)add_project(f, "draft", "");
    id_make(due.id, "job");
    id_make(later.id, "job");
    must(f, store_job_enqueue(f->db, &due, NULL, &f->err));
    must(f, store_job_enqueue(f->db, &later, NULL, &f->err));
    must(f, store_counts(reader(f), 100, &counts, &f->err));
    assert_int_equal(counts.projects[PROJECT_BUILDING], 1);
    assert_int_equal(counts.projects[PROJECT_DRAFT], 1);
    assert_int_equal(counts.projects[PROJECT_ARCHIVED], 0);
    assert_int_equal(counts.runs[RUN_FAILED], 1);
    assert_int_equal(counts.runs[RUN_QUEUED] + counts.runs[RUN_DECOMPOSING], 1);
    assert_int_equal(counts.runs[RUN_SUCCEEDED], 0);
    assert_int_equal(counts.jobs[JOB_PENDING], 2);
    assert_int_equal(counts.jobs[JOB_CLAIMED], 0);
    assert_int_equal(counts.jobs_due, 1);
    assert_int_equal(counts.deployments[DEPLOYMENT_LIVE], 0);
    assert_int_equal(counts.webhook_deliveries[DELIVERY_PENDING], 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(numbers_are_dense_per_project),
        T(a_second_unfinished_run_is_a_conflict),
        T(a_run_keeps_all_its_members),
        T(moves_compare_and_set),
        T(the_head_moves_only_from_where_it_is),
        T(what_is_not_there_is_not_found),
        T(lists_page_and_filter_newest_first),
        T(tasks_move_and_are_counted),
        T(a_sequence_is_taken_once),
        T(events_are_dense_and_time_never_goes_back),
        T(event_cursors_filter),
        T(events_stay_dense_under_concurrent_appends),
        T(everything_is_counted_by_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
