/* projects: what a list shows, in which order, and what a search finds; and specs. */
#include "fixture.h"

static struct project_row *list(struct fixture *f, const struct project_query *query, size_t *count, int64_t *total) {
    struct project_row *rows = NULL;
    must(f, store_project_list(reader(f), f->arena, query, &rows, count, total, &f->err));
    return rows;
}

/* How many a search finds, in its total and on its page. */
static void finds(struct fixture *f, const char *search, int64_t expected) {
    struct project_query query = {.account_id = f->account_id, .search = search, .page = page_numbered(1, 100)};
    int64_t total = -1;
    size_t count = 0;
    (void)list(f, &query, &count, &total);
    if (total != expected || (int64_t)count != expected)
        fail_msg("\"%s\" found %zu of %lld, not %lld", search, count, (long long)total, (long long)expected);
}

static void a_project_keeps_all_its_members(void **state) {
    struct fixture *f = *state;
    struct project project = add_project(f, "Größe \"1\"", "It's a 'test'; DROP TABLE project;--"), *read = NULL;
    bool moved = false;

    project.questions_json = "[1]";
    project.answers_json = "[2]";
    project.feedback_json = "[3]";
    project.spec_version = 4;
    project.updated_ms = 77;
    must(f, store_project_set_planning(f->db, &project, &f->err));
    project.name = "Other";
    must(f, store_project_update(f->db, &project, &f->err));
    must(f, store_project_move(f->db, project.id, PROJECT_CLARIFYING, PROJECT_APPROVED, 80, &moved, &f->err));
    assert_false(moved);
    must(f, store_project_move(f->db, project.id, PROJECT_DRAFT, PROJECT_CLARIFYING, 80, &moved, &f->err));
    assert_true(moved);
    must(f, store_project_get(reader(f), f->arena, project.id, f->account_id, &read, &f->err));
    assert_string_equal(read->name, "Other");
    assert_string_equal(read->description, project.description);
    assert_string_equal(read->questions_json, "[1]");
    assert_string_equal(read->answers_json, "[2]");
    assert_string_equal(read->feedback_json, "[3]");
    assert_int_equal(read->spec_version, 4);
    assert_int_equal(read->created_ms, 1);
    assert_int_equal(read->updated_ms, 80);
    assert_int_equal(read->state, PROJECT_CLARIFYING);
    must(f, store_project_get(reader(f), f->arena, project.id, "acct_other", &read, &f->err));
    assert_null(read);
    must(f, store_project_get(reader(f), f->arena, project.id, NULL, &read, &f->err));
    assert_non_null(read);
    (void)snprintf(project.id, sizeof(project.id), "proj_none");
    assert_int_equal(store_project_update(f->db, &project, &f->err), -ERR_NOT_FOUND);
    assert_int_equal(store_project_set_planning(f->db, &project, &f->err), -ERR_NOT_FOUND);
}

static void every_state_can_be_stored(void **state) {
    struct fixture *f = *state;
    struct project project = add_project(f, "A", ""), *read = NULL;
    bool moved = false;
    for (int i = PROJECT_DRAFT; i < PROJECT_ARCHIVED; i++) {
        must(f, store_project_move(f->db, project.id, (enum project_state)i, (enum project_state)(i + 1), 1, &moved,
                                   &f->err));
        assert_true(moved);
        must(f, store_project_get(f->db, f->arena, project.id, NULL, &read, &f->err));
        assert_int_equal(read->state, i + 1);
    }
}

static void lists_are_newest_first_with_their_latest_run(void **state) {
    struct fixture *f = *state;
    struct project projects[5];
    char other_account[ID_LEN];
    size_t count = 0;
    int64_t total = 0;
    bool moved = false;

    for (int i = 0; i < 5; i++)
        projects[i] = add_project(f, "A", "d");
    char mine[ID_LEN];
    memcpy(mine, f->account_id, ID_LEN);
    add_account(f, other_account);
    memcpy(f->account_id, other_account, ID_LEN);
    (void)add_project(f, "theirs", "");
    memcpy(f->account_id, mine, ID_LEN);
    struct run run = add_run(f, projects[3].id);
    must(f, store_run_move(f->db, run.id, RUN_QUEUED, RUN_FAILED, NULL, 2, &moved, &f->err));
    run = add_run(f, projects[3].id);
    must(f, store_project_move(f->db, projects[2].id, PROJECT_DRAFT, PROJECT_ARCHIVED, 9, &moved, &f->err));

    struct project_query query = {.account_id = mine, .page = page_numbered(1, 3)};
    struct project_row *rows = list(f, &query, &count, &total);
    assert_int_equal(total, 4);
    assert_int_equal(count, 3);
    assert_string_equal(rows[0].project.id, projects[4].id);
    assert_string_equal(rows[0].project.description, "d");
    assert_false(rows[0].has_run);
    assert_string_equal(rows[1].project.id, projects[3].id);
    assert_true(rows[1].has_run);
    assert_string_equal(rows[1].latest_run.id, run.id);
    assert_int_equal(rows[1].latest_run.number, 2);
    assert_int_equal(rows[1].latest_run.state, RUN_QUEUED);
    assert_string_equal(rows[2].project.id, projects[1].id);
    query.page = page_numbered(2, 3);
    rows = list(f, &query, &count, &total);
    assert_int_equal(count, 1);
    assert_string_equal(rows[0].project.id, projects[0].id);
    query.page = page_numbered(3, 3);
    (void)list(f, &query, &count, &total);
    assert_int_equal(count, 0);
    assert_int_equal(total, 4);
    query = (struct project_query){
        .account_id = mine, .has_state = true, .state = PROJECT_ARCHIVED, .page = page_numbered(1, 9)};
    rows = list(f, &query, &count, &total);
    assert_int_equal(total, 1);
    assert_string_equal(rows[0].project.id, projects[2].id);
}

static void words_are_found_by_their_beginnings(void **state) {
    struct fixture *f = *state;
    (void)add_project(f, "Time-Tracker", "Hours of a team, and its café.");
    (void)add_project(f, "Bookings", "Rooms and times");

    finds(f, NULL, 2);
    finds(f, "", 2);
    finds(f, "  \t ", 2);
    finds(f, "time", 2);
    finds(f, "TIME", 2);
    finds(f, "tracker", 1);
    finds(f, "track time", 1);
    finds(f, "time-track", 1);
    finds(f, "acker", 0);
    finds(f, "time zebra", 0);
    finds(f, "team rooms", 0);
    finds(f, "CAFÉ", 1);
    finds(f, "caf", 1);
    finds(f, "cafe", 1);
    finds(f, "CAFE\xcc\x81", 1); /* the accent as a character of its own */
    finds(f, "bo\xc3\xb6kings", 1);
    finds(f, "t", 2);
    finds(f, "tim", 2);
}

static void a_search_is_never_syntax(void **state) {
    struct fixture *f = *state;
    (void)add_project(f, "AND", "or NOT near(x)");
    static const char *const hostile[] = {"\"",     "\"\"",  "*",   "^",      "(",        ")",          "{",
                                          "name:x", "NEAR(", "-",   "+",      "a\"b",     "x\" OR \"y", "';--",
                                          "%",      "_",     "\\",  "\x01",   "--",       "NOT",        "OR",
                                          "AND",    "a AND", "* *", "\"* \"", "name : {", "\xff\xfe",   "a + b"};
    for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
        struct project_query query = {.account_id = f->account_id, .search = hostile[i], .page = page_numbered(1, 9)};
        int64_t total = 0;
        size_t count = 0;
        (void)list(f, &query, &count, &total);
    }
    finds(f, "AND", 1);
    finds(f, "not", 1);
    finds(f, "near(x)", 1);
    finds(f, "x OR y", 0);
    finds(f, "%", 0);
    finds(f, "!!!", 0);
    finds(f, "and !!!", 1);
}

static void a_search_follows_changes(void **state) {
    struct fixture *f = *state;
    struct project project = add_project(f, "Alpha", "first");
    bool moved = false;
    project.name = "Beta";
    project.description = "second";
    must(f, store_project_update(f->db, &project, &f->err));
    finds(f, "alpha", 0);
    finds(f, "first", 0);
    finds(f, "beta second", 1);
    must(f, store_project_move(f->db, project.id, PROJECT_DRAFT, PROJECT_ARCHIVED, 2, &moved, &f->err));
    finds(f, "beta", 0);
    struct project_query query = {.account_id = f->account_id,
                                  .has_state = true,
                                  .state = PROJECT_ARCHIVED,
                                  .search = "beta",
                                  .page = page_numbered(1, 9)};
    int64_t total = 0;
    size_t count = 0;
    (void)list(f, &query, &count, &total);
    assert_int_equal(total, 1);
    must(f, store_check(f->store, &f->err));
}

/* Pages out of many are found another way than pages out of few. */
static void a_search_in_very_many(void **state) {
    enum { MANY = 1200 };
    struct fixture *f = *state;
    struct project newest = {0};
    struct project_query query = {.account_id = f->account_id, .search = "common", .page = page_numbered(1, 3)};
    size_t count = 0;
    int64_t total = 0;
    bool moved = false;

    must(f, db_run(f->db, NULL, &f->err, "BEGIN", ""));
    for (int i = 0; i < MANY; i++)
        newest = add_project(f, i % 2 ? "even rare" : "odd", "common");
    must(f, store_project_move(f->db, newest.id, PROJECT_DRAFT, PROJECT_ARCHIVED, 1, &moved, &f->err));
    must(f, db_run(f->db, NULL, &f->err, "COMMIT", ""));
    for (int64_t page = 1; page <= MANY / 3; page++) {
        query.page = page_numbered(page, 3);
        struct project_row *rows = list(f, &query, &count, &total);
        assert_int_equal(total, MANY - 1);
        assert_int_equal(count, page == MANY / 3 ? 2 : 3);
        for (size_t i = 0; i < count; i++)
            assert_string_equal(rows[i].project.name, (page * 3 + (int64_t)i) % 2 ? "odd" : "even rare");
        assert_true(count < 2 || strcmp(rows[0].project.id, rows[1].project.id) > 0);
    }
    query = (struct project_query){
        .account_id = f->account_id, .search = "common", .has_state = true, .page = page_numbered(1, 3)};
    (void)list(f, &query, &count, &total);
    assert_int_equal(total, MANY - 1);
    query.search = "rare com";
    struct project_row *rows = list(f, &query, &count, &total);
    assert_int_equal(total, MANY / 2 - 1);
    assert_string_equal(rows[2].project.name, "even rare");
}

static void too_many_words_are_refused(void **state) {
    struct fixture *f = *state;
    char search[200] = "";
    struct project_row *rows = NULL;
    size_t count = 0;
    int64_t total = 0;
    for (int i = 0; i < 33; i++)
        strcat(search, "word ");
    struct project_query query = {.account_id = f->account_id, .search = search, .page = page_numbered(1, 9)};
    assert_int_equal(store_project_list(reader(f), f->arena, &query, &rows, &count, &total, &f->err), -ERR_VALIDATION);
    assert_string_equal(f->err.field, "search");
}

static void specs_have_versions_and_one_approval(void **state) {
    struct fixture *f = *state;
    struct project project = add_project(f, "A", "");
    struct spec spec = {.version = 1, .documents_json = "{}", .plan_json = "{\"p\":1}", .created_ms = 3}, *read = NULL;
    memcpy(spec.project_id, project.id, ID_LEN);
    must(f, store_spec_insert(f->db, &spec, &f->err));
    assert_int_equal(store_spec_insert(f->db, &spec, &f->err), -ERR_CONFLICT);
    spec.version = 2;
    spec.open_points_json = "[]";
    spec.is_edited = true;
    must(f, store_spec_insert(f->db, &spec, &f->err));
    must(f, store_spec_approve(f->db, project.id, 2, 10, &f->err));
    must(f, store_spec_approve(f->db, project.id, 2, 20, &f->err));
    assert_int_equal(store_spec_approve(f->db, project.id, 3, 20, &f->err), -ERR_NOT_FOUND);
    must(f, store_spec_get(f->db, f->arena, project.id, 1, &read, &f->err));
    assert_int_equal(read->approved_ms, 0);
    assert_null(read->open_points_json);
    must(f, store_spec_get(f->db, f->arena, project.id, 2, &read, &f->err));
    assert_int_equal(read->approved_ms, 10);
    assert_int_equal(read->version, 2);
    assert_string_equal(read->project_id, project.id);
    assert_string_equal(read->documents_json, "{}");
    assert_string_equal(read->plan_json, "{\"p\":1}");
    assert_string_equal(read->open_points_json, "[]");
    assert_int_equal(read->created_ms, 3);
    assert_true(read->is_edited);
    struct spec *rows = NULL;
    size_t count = 0;
    int64_t total = 0;
    must(f, store_spec_list(f->db, f->arena, project.id, &(struct page){.limit = 1, .below_number = INT64_MAX}, &rows,
                            &count, &total, &f->err));
    assert_int_equal(total, 2);
    assert_int_equal(count, 1);
    assert_int_equal(rows[0].version, 2);
    assert_int_equal(rows[0].approved_ms, 10);
    assert_true(rows[0].is_edited);
    assert_null(rows[0].documents_json);
    must(f, store_spec_list(f->db, f->arena, project.id, &(struct page){.limit = 1, .below_number = 2}, &rows, &count,
                            &total, &f->err));
    assert_int_equal(rows[0].version, 1);
    assert_false(rows[0].is_edited);
    must(f, store_spec_get(f->db, f->arena, project.id, 3, &read, &f->err));
    assert_null(read);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(a_project_keeps_all_its_members),
        T(every_state_can_be_stored),
        T(lists_are_newest_first_with_their_latest_run),
        T(words_are_found_by_their_beginnings),
        T(a_search_is_never_syntax),
        T(a_search_follows_changes),
        T(a_search_in_very_many),
        T(too_many_words_are_refused),
        T(specs_have_versions_and_one_approval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
