/* secrets: kept sealed, each for its place. */
#include "fixture.h"

#include "base/buf.h"
#include "base/fs.h"
#include "store/secrets.h"

static const struct vault_key key = {{1, 2, 3}};

static void secrets_are_kept_and_replaced(void **state) {
    struct fixture *f = *state;
    struct project project = add_project(f, "A", "");
    const char *text = "x";
    struct secret_row *rows = NULL;
    size_t count = 0;
    bool deleted = false;

    must(f, store_secret_get(reader(f), f->arena, &key, f->account_id, NULL, "model", &text, &f->err));
    assert_null(text);
    must(f, store_secret_put(f->db, &key, f->account_id, NULL, "model", "sk-account", 10, &f->err));
    must(f, store_secret_put(f->db, &key, f->account_id, project.id, "model", "sk-project", 11, &f->err));
    must(f, store_secret_put(f->db, &key, f->account_id, NULL, "model", "sk-new", 12, &f->err));
    must(f, store_secret_put(f->db, &key, f->account_id, NULL, "a", "1", 13, &f->err));
    must(f, store_secret_get(reader(f), f->arena, &key, f->account_id, NULL, "model", &text, &f->err));
    assert_string_equal(text, "sk-new");
    must(f, store_secret_get(reader(f), f->arena, &key, f->account_id, project.id, "model", &text, &f->err));
    assert_string_equal(text, "sk-project");
    must(f, store_secret_list(reader(f), f->arena, f->account_id, NULL, &rows, &count, &f->err));
    assert_int_equal(count, 2);
    assert_string_equal(rows[0].name, "a");
    assert_string_equal(rows[1].name, "model");
    assert_null(rows[1].project_id);
    assert_int_equal(rows[1].created_ms, 10);
    assert_int_equal(rows[1].updated_ms, 12);
    must(f, store_secret_list(reader(f), f->arena, f->account_id, project.id, &rows, &count, &f->err));
    assert_int_equal(count, 1);
    assert_string_equal(rows[0].project_id, project.id);

    must(f, store_secret_delete(f->db, f->account_id, NULL, "model", &deleted, &f->err));
    assert_true(deleted);
    must(f, store_secret_delete(f->db, f->account_id, NULL, "model", &deleted, &f->err));
    assert_false(deleted);
    must(f, store_secret_get(reader(f), f->arena, &key, f->account_id, project.id, "model", &text, &f->err));
    assert_string_equal(text, "sk-project");
}

/* Whoever can write to the database still cannot have one secret read as another. */
static void secrets_stay_in_their_place(void **state) {
    struct fixture *f = *state;
    const struct vault_key other = {{9}};
    const char *text = NULL;
    char stranger[ID_LEN];

    add_account(f, stranger);
    must(f, store_secret_put(f->db, &key, f->account_id, NULL, "model", "sk-secret", 10, &f->err));
    assert_int_equal(store_secret_get(reader(f), f->arena, &other, f->account_id, NULL, "model", &text, &f->err),
                     -ERR_FORBIDDEN);
    must(f, store_secret_get(reader(f), f->arena, &key, stranger, NULL, "model", &text, &f->err));
    assert_null(text);
    must(f, db_run(f->db, NULL, &f->err, "UPDATE secret SET account_id = $1", "t", stranger));
    assert_int_equal(store_secret_get(reader(f), f->arena, &key, stranger, NULL, "model", &text, &f->err),
                     -ERR_FORBIDDEN);
}

static void no_plain_text_is_in_the_files(void **state) {
    struct fixture *f = *state;
    static const char *const ends[] = {"", "-wal"};
    must(f, store_secret_put(f->db, &key, f->account_id, NULL, "the-name-of-it", "sk-plain-secret", 10, &f->err));
    bool is_there = false;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        CLEANUP(buf_release) struct buf data = {0};
        const char *path = arena_printf(f->arena, "%s%s", f->path, ends[i]);
        if (!fs_exists(path))
            continue;
        must(f, fs_read_file(path, 64 << 20, &data, &f->err));
        is_there = is_there || memmem(data.data, data.len, "the-name-of-it", 14);
        assert_null(memmem(data.data, data.len, "sk-plain-secret", 15));
    }
    assert_true(is_there);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(secrets_are_kept_and_replaced),
        T(secrets_stay_in_their_place),
        T(no_plain_text_is_in_the_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
