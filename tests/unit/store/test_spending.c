/* spending: sums follow the entries, reports group them, and a database from before has its runs as they were. */
#include "fixture.h"

#include "store/migrations.h"
#include "store/spending.h"

static void enter(struct fixture *f, const struct run *run, const char *model, int64_t cost_micros, int64_t at_ms) {
    struct usage_entry entry = {.purpose = "task",
                                .provider = "test",
                                .model = model,
                                .input_tokens = 10,
                                .cached_tokens = 4,
                                .cache_write_tokens = 2,
                                .output_tokens = 5,
                                .cost_micros = cost_micros,
                                .is_priced = cost_micros > 0,
                                .created_ms = at_ms};
    bool is_added = false;
    id_make(entry.id, "use");
    memcpy(entry.account_id, f->account_id, ID_LEN);
    memcpy(entry.project_id, run->project_id, ID_LEN);
    memcpy(entry.run_id, run->id, ID_LEN);
    must(f, store_usage_insert(f->db, &entry, &is_added, &f->err));
    assert_true(is_added);
    must(f, store_usage_insert(f->db, &entry, &is_added, &f->err));
    assert_false(is_added);
}

static void sums_follow_the_entries(void **state) {
    struct fixture *f = *state;
    struct project project = add_project(f, "One", "one");
    struct run run = add_run(f, project.id);
    struct run *read = NULL;
    struct usage_sum sum;
    enter(f, &run, "small", 100, 1700000000000);
    enter(f, &run, "small", 0, 1700000000001);
    enter(f, &run, "large", 900, 1704067200000); /* 2024-01-01 */
    must(f, store_run_get(f->db, f->arena, run.id, NULL, &read, &f->err));
    assert_int_equal(read->usage.calls, 3);
    assert_int_equal(read->usage.unpriced_calls, 1);
    assert_int_equal(read->usage.input_tokens, 30);
    assert_int_equal(read->usage.cache_write_tokens, 6);
    assert_int_equal(read->usage.output_tokens, 15);
    assert_int_equal(read->usage.cost_micros, 1000);
    must(f, store_usage_total(f->db, f->account_id, 202311, &sum, &f->err));
    assert_int_equal(sum.cost_micros, 100);
    must(f, store_usage_total(f->db, f->account_id, 202401, &sum, &f->err));
    assert_int_equal(sum.cost_micros, 900);
    must(f, store_usage_total(f->db, "run_of_nobody", 0, &sum, &f->err));
    assert_int_equal(sum.calls, 0);
    must(f, store_usage_everywhere(f->db, 0, &sum, &f->err));
    assert_int_equal(sum.cost_micros, 1000);
    must(f, store_usage_everywhere(f->db, 202401, &sum, &f->err));
    assert_int_equal(sum.calls, 1);
}

static void reports_group_and_are_bounded(void **state) {
    struct fixture *f = *state;
    struct project project = add_project(f, "One", "one"), other = add_project(f, "Two", "two");
    struct run run = add_run(f, project.id), other_run = add_run(f, other.id);
    struct usage_row *rows = NULL;
    struct usage_sum sum;
    size_t count = 0;
    enter(f, &run, "small", 100, 1704067200000 - 1);
    enter(f, &run, "large", 900, 1704067200000);
    enter(f, &other_run, "small", 50, 1704067200000 + 5);
    struct usage_query query = {.account_id = f->account_id, .to_ms = INT64_MAX, .group = USAGE_BY_DAY, .limit = 100};
    must(f, store_usage_list(f->db, f->arena, &query, &rows, &count, &f->err));
    assert_int_equal(count, 2);
    assert_string_equal(rows[0].key, "2023-12-31");
    assert_string_equal(rows[1].key, "2024-01-01");
    assert_int_equal(rows[1].sum.cost_micros, 950);
    query.group = USAGE_BY_MODEL;
    query.project_id = project.id;
    must(f, store_usage_list(f->db, f->arena, &query, &rows, &count, &f->err));
    assert_int_equal(count, 2);
    assert_string_equal(rows[0].key, "large"); /* what cost most is first */
    query.limit = 1;
    query.group = USAGE_BY_RUN;
    query.project_id = NULL;
    must(f, store_usage_list(f->db, f->arena, &query, &rows, &count, &f->err));
    assert_int_equal(count, 1);
    assert_string_equal(rows[0].key, run.id);
    must(f, store_usage_sum(f->db, &query, &sum, &f->err)); /* whatever the limit */
    assert_int_equal(sum.calls, 3);
    query.from_ms = 1704067200000;
    query.to_ms = 1704067200005;
    must(f, store_usage_sum(f->db, &query, &sum, &f->err));
    assert_int_equal(sum.cost_micros, 900);
}

/* The table run is made anew: what refers to it still does. */
static void runs_from_before_are_as_they_were(void **state) {
    struct fixture *f = *state;
    struct db *old = NULL;
    struct store *store = NULL;
    struct run *run = NULL;
    char *url = arena_printf(f->arena, "sqlite:%s/old.db", f->dir);
    must(f, db_open(&old, url, false, &f->err));
    must(f, migrations_run_to(old, 1, &f->err));
    must(f, db_run(old, NULL, &f->err, "INSERT INTO account VALUES ('acct_1', 'Old', 'free', 1)", ""));
    must(f, db_run(old, NULL, &f->err,
                   "INSERT INTO project VALUES (1, 'proj_1', 'acct_1', 'n', 'd', 'built', 1, 1, 1, NULL, NULL, NULL)",
                   ""));
    must(f, db_run(old, NULL, &f->err,
                   "INSERT INTO run VALUES ('run_1', 'proj_1', 1, 'succeeded', 'manual', 1, 0, 'b', 'h', 1, 2, 3, NULL,"
                   " '{}', '{\"status\":\"passed\"}')",
                   ""));
    must(f, db_run(old, NULL, &f->err,
                   "INSERT INTO task VALUES ('task_1', 'run_1', 'proj_1', 1, 's', 'succeeded', 'x', 1, 'b', 'c', 'm',"
                   " 1, 2, NULL, '{}', NULL)",
                   ""));
    must(f, db_run(old, NULL, &f->err,
                   "INSERT INTO export VALUES ('exp_1', 'proj_1', 'run_1', 1, 'zip', 'completed', 'c', 's', 1, NULL,"
                   " 1, 2, 3)",
                   ""));
    db_close(old);
    must(f, store_open(&store, &(struct store_config){.url = url}, &f->err));
    must(f, store_check(store, &f->err)); /* every reference, too */
    must(f, db_open(&old, url, false, &f->err));
    must(f, store_run_get(old, f->arena, "run_1", NULL, &run, &f->err));
    assert_non_null(run);
    assert_string_equal(run->verification_json, "{\"status\":\"passed\"}");
    assert_int_equal(run->tasks_total, 1);
    assert_int_equal(run->limits.cost_micros, NO_LIMIT);
    assert_int_equal(run->max_attempts, 3);
    /* And is still held to. */
    assert_int_not_equal(db_run(old, NULL, &f->err, "DELETE FROM run", ""), 0);
    db_close(old);
    store_close(store);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        T(sums_follow_the_entries),
        T(reports_group_and_are_bounded),
        T(runs_from_before_are_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
