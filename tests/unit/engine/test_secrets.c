/* secrets: under the server's master key, the project's before the account's. */
#include "fixture.h"

#include <sys/stat.h>

#include "engine/context.h"
#include "engine/secrets.h"

static const char *find(struct fixture *f, const char *project_id) {
    const char *text = NULL;
    must(f, engine_secret_find(f->engine, f->account_id, project_id, "model", f->arena, &text, &f->err));
    return text;
}

static void the_projects_come_before_the_accounts(void **state) {
    struct fixture *f = *state;
    bool deleted = false;
    add_project(f, NULL);
    assert_null(find(f, f->project_id));
    must(f, engine_secret_put(f->engine, f->account_id, NULL, "model", "of the account", &f->err));
    assert_string_equal(find(f, f->project_id), "of the account");
    must(f, engine_secret_put(f->engine, f->account_id, f->project_id, "model", "of the project", &f->err));
    assert_string_equal(find(f, f->project_id), "of the project");
    assert_string_equal(find(f, NULL), "of the account");
    must(f, engine_secret_delete(f->engine, f->account_id, f->project_id, "model", &deleted, &f->err));
    assert_true(deleted);
    assert_string_equal(find(f, f->project_id), "of the account");
}

static void the_key_is_a_file_or_given(void **state) {
    struct fixture *f = *state;
    const char *path = arena_printf(f->arena, "%s/master.key", engine_data_dir(f->engine)), *text = NULL;
    must(f, engine_secret_put(f->engine, f->account_id, NULL, "model", "sk", &f->err));
    assert_true(fs_exists(path));
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(engine_secret_find(f->engine, f->account_id, NULL, "model", f->arena, &text, &f->err),
                     -ERR_FORBIDDEN);
    assert_int_equal(chmod(path, 0600), 0);
    assert_string_equal(find(f, NULL), "sk");
    f->engine->master_key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    assert_int_equal(engine_secret_find(f->engine, f->account_id, NULL, "model", f->arena, &text, &f->err),
                     -ERR_FORBIDDEN);
    must(f, engine_secret_put(f->engine, f->account_id, NULL, "model", "anew", &f->err));
    assert_string_equal(find(f, NULL), "anew");
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(the_projects_come_before_the_accounts),
        T(the_key_is_a_file_or_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
