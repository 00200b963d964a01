/* Tests of blueprint/assets: a folder, and the compiled-in data, which are the same. */
#include "fixture.h"

static void reads_a_folder(void **state) {
    struct fixture fixture;
    struct assets *assets = NULL;
    const char **paths = NULL;
    size_t count = 0, len = 0;
    fixture_init(&fixture);
    fixture_write(&fixture, "features/b.json", "{}");
    fixture_write(&fixture, "features/a.json", "one\n");
    fixture_write(&fixture, "features/README.md", "for people");
    fixture_write(&fixture, "features/.hidden", "no");
    fixture_write(&fixture, "stacks/next/docs/README.md.mustache", "yes");
    fixture_write(&fixture, "stacks/next/empty", "");
    fixture_write(&fixture, "other/x", "no");
    fixture_write(&fixture, "meson.build", "no");
    assert_int_equal(assets_open(&assets, fixture.dir, &fixture.err), 0);

    assets_list(assets, "", fixture.arena, &paths, &count);
    assert_int_equal(count, 4);
    assert_string_equal(paths[0], "features/a.json");
    assert_string_equal(paths[1], "features/b.json");
    assert_string_equal(paths[2], "stacks/next/docs/README.md.mustache");
    assert_string_equal(paths[3], "stacks/next/empty");
    assets_list(assets, "features/b", fixture.arena, &paths, &count);
    assert_int_equal(count, 1);
    assets_list(assets, "lexicon/", fixture.arena, &paths, &count);
    assert_int_equal(count, 0);

    assert_string_equal(assets_get(assets, "features/a.json", &len), "one\n");
    assert_int_equal(len, 4);
    assert_string_equal(assets_get(assets, "stacks/next/empty", &len), "");
    assert_int_equal(len, 0);
    assert_null(assets_get(assets, "features", &len));
    assert_null(assets_get(assets, "features/c.json", &len));
    assets_close(assets);
    fixture_release(&fixture);
}

static void has_the_same_compiled_in(void **state) {
    struct fixture fixture;
    struct assets *packed = NULL, *folder = NULL;
    const char **packed_paths = NULL, **folder_paths = NULL;
    size_t packed_count = 0, folder_count = 0;
    fixture_init(&fixture);
    assert_int_equal(assets_open(&packed, NULL, &fixture.err), 0);
    assert_int_equal(assets_open(&folder, TEST_SOURCE_ROOT "/blueprints", &fixture.err), 0);
    assets_list(packed, "", fixture.arena, &packed_paths, &packed_count);
    assets_list(folder, "", fixture.arena, &folder_paths, &folder_count);
    assert_int_equal(packed_count, folder_count);
    assert_true(packed_count > 50);
    for (size_t i = 0; i < packed_count; i++) {
        size_t packed_len = 0, folder_len = 0;
        assert_string_equal(packed_paths[i], folder_paths[i]);
        const char *packed_data = assets_get(packed, packed_paths[i], &packed_len);
        const char *folder_data = assets_get(folder, packed_paths[i], &folder_len);
        assert_int_equal(packed_len, folder_len);
        assert_memory_equal(packed_data, folder_data, packed_len);
        assert_int_equal(packed_data[packed_len], 0);
    }
    assets_close(packed);
    assets_close(folder);
    fixture_release(&fixture);
}

static void refuses_what_is_no_folder(void **state) {
    struct assets *assets = NULL;
    struct err err = {0};
    assert_int_equal(assets_open(&assets, "/nonexistent/x", &err), -ERR_NOT_FOUND);
    assert_null(assets);
    assets_close(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_folder),
        cmocka_unit_test(has_the_same_compiled_in),
        cmocka_unit_test(refuses_what_is_no_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
