/* deliveries: exports until they expire, deployments until they stop. */
#include "fixture.h"

#include "store/deliveries.h"

static struct export add_export(struct fixture *f, const struct run *run) {
    struct export row = {.run_number = 1, .format = "zip", .state = EXPORT_PROCESSING, .created_ms = 4};
    id_make(row.id, "exp");
    memcpy(row.project_id, run->project_id, ID_LEN);
    memcpy(row.run_id, run->id, ID_LEN);
    memset(row.commit_sha, 'e', SHA_LEN - 1);
    must(f, store_export_insert(f->db, &row, &f->err));
    return row;
}

static void an_export_completes_and_expires(void **state) {
    struct fixture *f = *state;
    struct run run = add_run(f, add_project(f, "A", "").id);
    struct export row = add_export(f, &run), never = add_export(f, &run), *read = NULL, *due = NULL;
    bool moved = false;
    size_t count = 9;

    memset(row.sha256, 'a', sizeof(row.sha256) - 1);
    row.size_bytes = 5242880;
    row.completed_ms = 10;
    row.expires_ms = 100;
    must(f, store_export_move(f->db, &row, EXPORT_PROCESSING, EXPORT_COMPLETED, &moved, &f->err));
    assert_true(moved);
    must(f, store_export_move(f->db, &row, EXPORT_PROCESSING, EXPORT_FAILED, &moved, &f->err));
    assert_false(moved);
    never.error = "no run";
    must(f, store_export_move(f->db, &never, EXPORT_PROCESSING, EXPORT_FAILED, &moved, &f->err));
    must(f, store_export_get(reader(f), f->arena, row.id, run.project_id, &read, &f->err));
    assert_int_equal(read->state, EXPORT_COMPLETED);
    assert_string_equal(read->sha256, row.sha256);
    assert_string_equal(read->commit_sha, row.commit_sha);
    assert_string_equal(read->run_id, run.id);
    assert_string_equal(read->format, "zip");
    assert_int_equal(read->run_number, 1);
    assert_int_equal(read->size_bytes, 5242880);
    assert_int_equal(read->completed_ms, 10);
    assert_int_equal(read->expires_ms, 100);
    must(f, store_export_get(reader(f), f->arena, row.id, "proj_other", &read, &f->err));
    assert_null(read);
    must(f, store_export_due(reader(f), f->arena, 99, &due, &count, &f->err));
    assert_int_equal(count, 0);
    must(f, store_export_due(reader(f), f->arena, 100, &due, &count, &f->err));
    assert_int_equal(count, 1);
    assert_string_equal(due[0].id, row.id);
    must(f, store_export_move(f->db, &row, EXPORT_COMPLETED, EXPORT_EXPIRED, &moved, &f->err));
    must(f, store_export_due(reader(f), f->arena, 100, &due, &count, &f->err));
    assert_int_equal(count, 0);
}

static struct deployment add_deployment(struct fixture *f, const struct run *run) {
    struct deployment row = {.provider = "local", .state = DEPLOYMENT_DEPLOYING, .created_ms = 4, .updated_ms = 4};
    id_make(row.id, "dep");
    memcpy(row.project_id, run->project_id, ID_LEN);
    memcpy(row.run_id, run->id, ID_LEN);
    must(f, store_deployment_insert(f->db, &row, &f->err));
    return row;
}

static void a_deployment_lives_and_stops(void **state) {
    struct fixture *f = *state;
    struct run one = add_run(f, add_project(f, "A", "").id), two = add_run(f, add_project(f, "B", "").id);
    struct deployment first = add_deployment(f, &one), second = add_deployment(f, &two), *read = NULL, *rows = NULL;
    bool moved = false;
    size_t count = 0;

    first.url = "http://127.0.0.1:4000";
    first.port = 4000;
    first.updated_ms = 8;
    must(f, store_deployment_move(f->db, &first, DEPLOYMENT_LIVE, DEPLOYMENT_STOPPED, &moved, &f->err));
    assert_false(moved);
    must(f, store_deployment_list(reader(f), f->arena, NULL, DEPLOYMENT_DEPLOYING, &rows, &count, &f->err));
    assert_int_equal(count, 2);
    assert_string_equal(rows[0].id, first.id);
    must(f, store_deployment_move(f->db, &first, DEPLOYMENT_DEPLOYING, DEPLOYMENT_LIVE, &moved, &f->err));
    assert_true(moved);
    must(f, store_deployment_get(reader(f), f->arena, first.id, one.project_id, &read, &f->err));
    assert_int_equal(read->state, DEPLOYMENT_LIVE);
    assert_string_equal(read->url, first.url);
    assert_string_equal(read->provider, "local");
    assert_int_equal(read->port, 4000);
    assert_int_equal(read->updated_ms, 8);
    assert_null(read->error);
    must(f, store_deployment_list(reader(f), f->arena, one.project_id, DEPLOYMENT_LIVE, &rows, &count, &f->err));
    assert_int_equal(count, 1);
    must(f, store_deployment_list(reader(f), f->arena, two.project_id, DEPLOYMENT_LIVE, &rows, &count, &f->err));
    assert_int_equal(count, 0);
    must(f, store_deployment_get(reader(f), f->arena, second.id, one.project_id, &read, &f->err));
    assert_null(read);
}

static void pages_are_newest_first_and_filtered(void **state) {
    struct fixture *f = *state;
    struct run one = add_run(f, add_project(f, "A", "").id), two = add_run(f, add_project(f, "B", "").id);
    struct deployment first = add_deployment(f, &one), second = add_deployment(f, &one), *rows = NULL;
    struct export kept = add_export(f, &one), gone = add_export(f, &one), *exports = NULL;
    struct delivery_query query = {.project_id = one.project_id, .page = page_numbered(1, 1)};
    bool moved = false, deleted = false;
    size_t count = 0;
    int64_t total = 0;

    (void)add_deployment(f, &two);
    (void)add_export(f, &two);
    must(f, store_deployment_page(reader(f), f->arena, &query, &rows, &count, &total, &f->err));
    assert_int_equal(total, 2);
    assert_int_equal(count, 1);
    assert_string_equal(rows[0].id, second.id);
    query.page = page_numbered(2, 1);
    must(f, store_deployment_page(reader(f), f->arena, &query, &rows, &count, &total, &f->err));
    assert_string_equal(rows[0].id, first.id);
    must(f, store_deployment_move(f->db, &first, DEPLOYMENT_DEPLOYING, DEPLOYMENT_STOPPED, &moved, &f->err));
    query = (struct delivery_query){.project_id = one.project_id, .state = "stopped", .page = page_numbered(1, 9)};
    must(f, store_deployment_page(reader(f), f->arena, &query, &rows, &count, &total, &f->err));
    assert_int_equal(total, 1);
    assert_string_equal(rows[0].id, first.id);

    query.state = NULL;
    must(f, store_export_delete(f->db, gone.id, &deleted, &f->err));
    assert_true(deleted);
    must(f, store_export_delete(f->db, gone.id, &deleted, &f->err));
    assert_false(deleted);
    must(f, store_export_page(reader(f), f->arena, &query, &exports, &count, &total, &f->err));
    assert_int_equal(total, 1);
    assert_string_equal(exports[0].id, kept.id);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(an_export_completes_and_expires),
        T(a_deployment_lives_and_stops),
        T(pages_are_newest_first_and_filtered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
