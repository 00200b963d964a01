/* plans: what lists and searches read of 100,000 projects: by the statements that they really run, and counted in steps
 * of SQLite's machine, which are the same everywhere. */
#include "fixture.h"

#include <sqlite3.h>

enum { PROJECTS = 100000, TEXT_MAX = 4096 };

/* The statements that ended since watch(), of all connections in this process. */
static struct {
    int count;
    int64_t steps, scanned; /* scanned: rows that a scan of a whole table went over */
    char sql[8][TEXT_MAX];
} seen;

static int note(unsigned kind, void *context, void *stmt, void *elapsed_ns) {
    const char *sql = sqlite3_sql(stmt);
    int64_t steps = sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_VM_STEP, 1);
    int64_t scanned = sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_FULLSCAN_STEP, 1);
    /* What FTS5 runs inside is counted with the statement that asked it. */
    if (!sql || strncmp(sql, "SELECT", 6) != 0 || strstr(sql, "_text_"))
        return 0;
    seen.steps += steps;
    seen.scanned += scanned;
    if (seen.count < 8)
        (void)snprintf(seen.sql[seen.count++], TEXT_MAX, "%s", sql);
    return 0;
}

static int trace(sqlite3 *db, const char **message, const void *api) {
    return sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE, note, NULL);
}

/* A word in 49 of them, one in two of three, some in all. */
static void fill(struct fixture *f) {
    static const char sql[] =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $2)"
        " INSERT INTO project (id, account_id, name, description, state, spec_version, created_ms, updated_ms)"
        " SELECT printf('proj_%026d', i), $1, 'Project ' || i,"
        "  'A tool for teams' || CASE WHEN i % 2003 = 0 THEN ' with invoices' ELSE '' END"
        "  || CASE WHEN i % 3 > 0 THEN ' and calendars' ELSE '' END,"
        "  CASE WHEN i % 10 = 0 THEN 'archived' ELSE 'draft' END, 0, i, i FROM n";
    must(f, db_run(f->db, NULL, &f->err, sql, "ti", f->account_id, (int64_t)PROJECTS));
}

static int set_up_many(void **state) {
    (void)sqlite3_auto_extension((void (*)(void))trace);
    (void)fixture_set_up(state);
    fill(*state);
    return 0;
}

static int tear_down_many(void **state) {
    sqlite3_reset_auto_extension();
    return fixture_tear_down(state);
}

/* Each line of the plan of each statement, with what it must not say. */
static void check_plans(struct fixture *f) {
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    for (int i = 0; i < seen.count; i++) {
        CLEANUP(mem_freep) char *sql = mem_printf("EXPLAIN QUERY PLAN %s", seen.sql[i]);
        sqlite3_stmt *stmt = NULL;
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
        while (sqlite3_step(stmt) == SQLITE_ROW) {
            const char *line = (const char *)sqlite3_column_text(stmt, 3);
            bool is_scan = strncmp(line, "SCAN ", 5) == 0 && !strstr(line, "VIRTUAL TABLE INDEX") &&
                           strcmp(line, "SCAN page") != 0;
            if (is_scan)
                fail_msg("%s\n%s", line, seen.sql[i]);
        }
        (void)sqlite3_finalize(stmt);
    }
    (void)sqlite3_close(db);
}

static int64_t list(struct fixture *f, struct project_query query, size_t expected, int64_t total, int64_t most_steps) {
    struct project_row *rows = NULL;
    size_t count = 0;
    int64_t all = -1;
    query.account_id = f->account_id;
    memset(&seen, 0, sizeof(seen));
    must(f, store_project_list(reader(f), f->arena, &query, &rows, &count, &all, &f->err));
    assert_int_equal(count, expected);
    assert_int_equal(all, total);
    /* Only the page itself, once its ids are found. */
    assert_true(seen.scanned < query.page.limit);
    assert_int_equal(seen.count, 2);
    if (seen.steps > most_steps)
        fail_msg("%lld steps instead of %lld at most: %s", (long long)seen.steps, (long long)most_steps, seen.sql[1]);
    check_plans(f);
    return seen.steps;
}

static void lists_read_no_more_than_they_show(void **state) {
    struct fixture *f = *state;
    const struct page top = page_numbered(1, 20);
    struct page deep = top;
    deep.below_id = "proj_00000000000000000000050000";
    (void)list(f, (struct project_query){.page = top}, 20, PROJECTS * 9 / 10, 2000);
    /* A walk is as cheap far down as at the top. */
    (void)list(f, (struct project_query){.page = deep}, 20, PROJECTS * 9 / 10, 2000);
    (void)list(f, (struct project_query){.page = deep, .has_state = true, .state = PROJECT_ARCHIVED}, 20, PROJECTS / 10,
               2000);
}

static void a_search_for_few_reads_few(void **state) {
    struct fixture *f = *state;
    const struct page top = page_numbered(1, 20);
    (void)list(f, (struct project_query){.page = top, .search = "invoices"}, 20, 45, 5000);
    (void)list(f,
               (struct project_query){.page = top, .search = "invoices", .has_state = true, .state = PROJECT_ARCHIVED},
               4, 4, 5000);
    (void)list(f, (struct project_query){.page = top, .search = "project 77777"}, 1, 1, 2000);
    (void)list(f, (struct project_query){.page = top, .search = "proj zebra"}, 0, 0, 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_read_no_more_than_they_show),
        cmocka_unit_test(a_search_for_few_reads_few),
    };
    return cmocka_run_group_tests(tests, set_up_many, tear_down_many);
}
