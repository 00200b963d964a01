/* db: binding, columns, kept statements, and errors that say what happened. */
#include "fixture.h"

static void parameters_bind_by_number_and_kind(void **state) {
    struct fixture *f = *state;
    struct db_stmt *stmt = NULL;
    bool has_row = false;
    char small[3];

    must(f,
         db_query(
             f->db, &stmt, &f->err,
             "SELECT $3, $1, $1 || '$2', $2 + 1, CAST($4 AS TEXT), CAST($5 AS TEXT), \"$1\" FROM (SELECT 9 AS \"$1\")",
             "titss", "text", (int64_t)41, "three", "", "full"));
    must(f, db_step(stmt, &has_row, &f->err));
    assert_true(has_row);
    assert_string_equal(db_text(stmt, 0, f->arena), "three");
    assert_string_equal(db_text(stmt, 1, f->arena), "text");
    assert_string_equal(db_text(stmt, 2, f->arena), "text$2");
    assert_int_equal(db_int(stmt, 3), 42);
    assert_null(db_text(stmt, 4, f->arena));
    assert_int_equal(db_int(stmt, 4), 0);
    assert_string_equal(db_text(stmt, 5, f->arena), "full");
    assert_int_equal(db_int(stmt, 6), 9);
    db_copy(stmt, 0, small, sizeof(small));
    assert_string_equal(small, "th");
    db_copy(stmt, 4, small, sizeof(small));
    assert_string_equal(small, "");
    must(f, db_step(stmt, &has_row, &f->err));
    assert_false(has_row);
    db_finishp(&stmt);
    assert_null(stmt);
    db_finishp(&stmt);
}

static void a_statement_can_run_inside_itself(void **state) {
    struct fixture *f = *state;
    static const char sql[] = "SELECT $1 UNION ALL SELECT $1 + 1";
    struct db_stmt *outer = NULL, *inner = NULL;
    bool has_row = false;

    must(f, db_query(f->db, &outer, &f->err, sql, "i", (int64_t)1));
    must(f, db_step(outer, &has_row, &f->err));
    must(f, db_query(f->db, &inner, &f->err, sql, "i", (int64_t)10));
    must(f, db_step(inner, &has_row, &f->err));
    assert_int_equal(db_int(inner, 0), 10);
    must(f, db_step(outer, &has_row, &f->err));
    assert_int_equal(db_int(outer, 0), 2);
    db_finish(inner);
    db_finish(outer);
    must(f, db_query(f->db, &outer, &f->err, sql, "i", (int64_t)20));
    must(f, db_step(outer, &has_row, &f->err));
    assert_int_equal(db_int(outer, 0), 20);
    db_finish(outer);
}

/* More statements than the cache holds, at an address that is used again. */
static void a_reused_address_is_not_mistaken(void **state) {
    struct fixture *f = *state;
    char sql[64];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 600; i++) {
            struct db_stmt *stmt = NULL;
            bool has_row = false;
            (void)snprintf(sql, sizeof(sql), "SELECT %d + $1", i);
            must(f, db_query(f->db, &stmt, &f->err, sql, "i", (int64_t)round));
            must(f, db_step(stmt, &has_row, &f->err));
            assert_int_equal(db_int(stmt, 0), i + round);
            db_finish(stmt);
        }
    }
}

static void many_at_work_at_once(void **state) {
    struct fixture *f = *state;
    static const char sql[] = "SELECT $1";
    struct db_stmt *stmts[20];
    bool has_row = false;
    for (int i = 0; i < 20; i++) {
        must(f, db_query(f->db, &stmts[i], &f->err, sql, "i", (int64_t)i));
        must(f, db_step(stmts[i], &has_row, &f->err));
    }
    for (int i = 0; i < 20; i++) {
        assert_int_equal(db_int(stmts[i], 0), i);
        db_finish(stmts[i]);
    }
}

static void errors_are_told_apart(void **state) {
    struct fixture *f = *state;
    struct account account = {.id = "acct_twice", .name = "n", .tier = "free"};
    struct db_stmt *stmt = NULL;
    int64_t changes = -1;

    must(f, store_account_insert(f->db, &account, &f->err));
    assert_int_equal(store_account_insert(f->db, &account, &f->err), -ERR_CONFLICT);
    assert_int_equal(f->err.code, ERR_CONFLICT);
    assert_non_null(strstr(f->err.message, "store account acct_twice: "));
    account = (struct account){.id = "acct_gold", .name = "n", .tier = "gold"};
    assert_int_equal(store_account_insert(f->db, &account, &f->err), -ERR_INTERNAL);
    assert_int_equal(db_query(f->db, &stmt, &f->err, "SELECT nothing FROM nowhere", ""), -ERR_INTERNAL);
    assert_null(stmt);
    assert_int_equal(db_query(f->db, &stmt, &f->err, "SELECT \"no such name\"", ""), -ERR_INTERNAL);
    assert_int_equal(store_account_insert(f->db, &account, NULL), -ERR_INTERNAL);
    assert_int_equal(db_run(f->db, NULL, &f->err, "SELECT 1", "i", (int64_t)1), -ERR_INTERNAL);
    must(f, db_run(f->db, &changes, &f->err, "UPDATE account SET name = 'm'", ""));
    assert_int_equal(changes, 2);
}

static void a_reader_cannot_write(void **state) {
    struct fixture *f = *state;
    struct account account = {.id = "acct_new", .name = "n", .tier = "free"};
    assert_int_equal(store_account_insert(reader(f), &account, &f->err), -ERR_UNAVAILABLE);
}

static void urls_name_a_driver(void **state) {
    struct fixture *f = *state;
    struct db *db = NULL;
    assert_int_equal(db_open(&db, "mysql://user:secret@host", false, &f->err), -ERR_VALIDATION);
    assert_null(strstr(f->err.message, "secret"));
    assert_int_equal(db_open(&db, "sqlite:", false, &f->err), -ERR_VALIDATION);
    assert_int_equal(db_open(&db, "sqlite:/nowhere/at/all.db", false, &f->err), -ERR_UNAVAILABLE);
    assert_non_null(strstr(f->err.message, "/nowhere/at/all.db"));
    assert_null(db);
    db_close(NULL);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(parameters_bind_by_number_and_kind),
        T(a_statement_can_run_inside_itself),
        T(a_reused_address_is_not_mistaken),
        T(many_at_work_at_once),
        T(errors_are_told_apart),
        T(a_reader_cannot_write),
        T(urls_name_a_driver),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
