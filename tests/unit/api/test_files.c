/* files: folders and files of the repository, by ref and path. */
#include "fixture.h"

static void folders_are_listed(void **state) {
    struct fixture *f = *state;
    const char *path = arena_printf(f->arena, "%s/files", add_project(f));
    assert_int_equal(ask(f, "GET", path, NULL), 200);
    assert_said(f, "data", "{\"ref\":\"main\",\"path\":\"/\",\"entries\":[]}"); /* nothing yet */
    const char *commit =
        commit_files(f, (const char *const[][2]){{"src/app/page.tsx", "x"}, {"README.md", "# Hi\n"}, {NULL, NULL}});
    assert_int_equal(ask(f, "GET", path, NULL), 200);
    assert_said(f, "data.entries",
                "[{\"name\":\"src\",\"type\":\"directory\"},{\"name\":\"README.md\",\"type\":\"file\",\"size\":5}]");
    static const char *const same[] = {"src", "/src", "src/", "/src/"};
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        assert_int_equal(ask(f, "GET", arena_printf(f->arena, "%s?path=%s&ref=%s", path, same[i], commit), NULL), 200);
        assert_said(f, "data.entries.0.name", "app");
        assert_said(f, "data.path", same[i]);
    }
    assert_int_equal(ask(f, "GET", arena_printf(f->arena, "%s?path=nowhere", path), NULL), 404);
    assert_said(f, "error.details.field", "path");
    assert_int_equal(ask(f, "GET", arena_printf(f->arena, "%s?path=../..", path), NULL), 400);
    assert_int_equal(ask(f, "GET", arena_printf(f->arena, "%s?ref=nowhere", path), NULL), 404);
    assert_said(f, "error.details.field", "ref");
}

static void files_are_read(void **state) {
    struct fixture *f = *state;
    const char *path = arena_printf(f->arena, "%s/files", add_project(f));
    commit_files(
        f, (const char *const[][2]){{"src/a b.txt", "grüß\n"}, {"logo", "\x89PNG\xff"}, {"empty", ""}, {NULL, NULL}});
    assert_int_equal(ask(f, "GET", arena_printf(f->arena, "%s/src/a%%20b.txt", path), NULL), 200);
    assert_said(
        f, "data",
        "{\"path\":\"src/a b.txt\",\"ref\":\"main\",\"content\":\"grüß\\n\",\"encoding\":\"utf-8\",\"size\":7}");
    assert_int_equal(ask(f, "GET", arena_printf(f->arena, "%s/logo?ref=main", path), NULL), 200);
    assert_said(f, "data.encoding", "base64");
    assert_said(f, "data.content", "iVBOR/8=");
    assert_int_equal(ask(f, "GET", arena_printf(f->arena, "%s/empty", path), NULL), 200);
    assert_said(f, "data.content", "");
    assert_int_equal(ask(f, "GET", arena_printf(f->arena, "%s/src", path), NULL), 404); /* a folder */
    assert_int_equal(ask(f, "GET", arena_printf(f->arena, "%s/none", path), NULL), 404);
    assert_int_equal(ask(f, "GET", arena_printf(f->arena, "%s/src/%%2e%%2e/logo", path), NULL), 400);
    assert_int_equal(ask_as(f, OTHER_KEY, "GET", arena_printf(f->arena, "%s/logo", path), "", NULL), 404);
}

int main(void) {
    const struct CMUnitTest tests[] = {api_test(folders_are_listed), api_test(files_are_read)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
