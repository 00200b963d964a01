/* Tests of git/tree and git/archive: looking into a commit, and taking it away as a zip. */
#include "fixture.h"

#include <locale.h>
#include <time.h>

static const char *sha;

static int set_up_commit(void **state) {
    int result = set_up(state);
    if (result != 0)
        return result;
    put("README.md", "hello\n");
    put("a/z", "22");
    put("a/b/c", "333");
    put("a.txt", "");
    put("grüße.txt", "ü");
    put_mode("run.sh", "#!/bin/sh\necho ran\n", 0755);
    assert_int_equal(symlink("../README.md", fs_join(arena, work, "a/link")), 0);
    sha = commit("", "one");
    return 0;
}

static const char *list(const char *path) {
    struct tree_entry *entries;
    size_t count;
    char *text = arena_strdup(arena, "");
    ok(repo_list(repo, arena, sha, path, &entries, &count, &err));
    for (size_t i = 0; i < count; i++)
        text = arena_printf(arena, "%s%s %s %d\n", text, entries[i].is_directory ? "d" : "f", entries[i].name,
                            (int)entries[i].size_bytes);
    return text;
}

static void lists(void **state) {
    static const char *const absent[] = {"b",    "a/x", "README.md", "a/z",  "../a",
                                         "a/..", ".",   "a//b",      "a\\b", "a/b/c/d"};
    struct tree_entry *entries;
    size_t count = 99;
    const char *top = "d a 0\nf README.md 6\nf a.txt 0\nf grüße.txt 2\nf run.sh 19\n";
    assert_string_equal(list(""), top);
    assert_string_equal(list("/"), top);
    assert_string_equal(list("a"), "d b 0\nf link 12\nf z 2\n");
    assert_string_equal(list("/a/"), "d b 0\nf link 12\nf z 2\n");
    assert_string_equal(list("a/b"), "f c 3\n");
    for (size_t i = 0; i < ARRAY_LEN(absent); i++) {
        fails(ERR_NOT_FOUND, repo_list(repo, arena, sha, absent[i], &entries, &count, &err));
        assert_string_equal(err.field, "path");
    }
    assert_int_equal(count, 99);
    ok(repo_list(repo, arena, "", "/", &entries, &count, &err));
    assert_int_equal(count, 0);
    fails(ERR_NOT_FOUND, repo_list(repo, arena, "", "a", &entries, &count, &err));
    fails(ERR_NOT_FOUND, repo_list(repo, arena, "main", "", &entries, &count, &err));
    assert_string_equal(err.field, "ref");
}

static void reads(void **state) {
    const char *data = NULL;
    size_t len = 0;
    ok(repo_read(repo, arena, sha, "a/b/c", 3, &data, &len, &err));
    assert_int_equal(len, 3);
    assert_string_equal(data, "333");
    ok(repo_read(repo, arena, sha, "/a.txt", 0, &data, &len, &err));
    assert_int_equal(len, 0);
    ok(repo_read(repo, arena, sha, "grüße.txt", 100, &data, &len, &err));
    assert_string_equal(data, "ü");
    fails(ERR_TOO_LARGE, repo_read(repo, arena, sha, "a/b/c", 2, &data, &len, &err));
    fails(ERR_NOT_FOUND, repo_read(repo, arena, sha, "a", 100, &data, &len, &err));
    assert_string_equal(err.field, "path");
    fails(ERR_NOT_FOUND, repo_read(repo, arena, sha, "absent", 100, &data, &len, &err));
    fails(ERR_NOT_FOUND, repo_read(repo, arena, sha, "", 100, &data, &len, &err));
    fails(ERR_NOT_FOUND, repo_read(repo, arena, "", "a.txt", 100, &data, &len, &err));
    assert_string_equal(data, "ü");
}

static void names_all_paths(void **state) {
    char **paths, *text = arena_strdup(arena, "");
    size_t count;
    ok(repo_paths(repo, arena, sha, &paths, &count, &err));
    for (size_t i = 0; i < count; i++)
        text = arena_printf(arena, "%s%s\n", text, paths[i]);
    assert_string_equal(text, "README.md\na.txt\na/b/c\na/link\na/z\ngrüße.txt\nrun.sh\n");
    ok(repo_paths(repo, arena, "", &paths, &count, &err));
    assert_int_equal(count, 0);
}

static const char *zip(const char *prefix, const char *name) {
    int64_t size = 0;
    char *hash = arena_alloc(arena, 65);
    ok(repo_archive_zip(repo, sha, prefix, in_root(name), &size, hash, &err));
    assert_string_equal(sh("stat -c %%s %s", in_root(name)), arena_printf(arena, "%d\n", (int)size));
    assert_string_equal(sh("sha256sum < %s | cut -d' ' -f1", in_root(name)), arena_printf(arena, "%s\n", hash));
    assert_string_equal(sh("ls %s | grep -c tmp || true", root), "0\n");
    return hash;
}

static const char list_script[] = "import sys, zipfile\n"
                                  "z = zipfile.ZipFile(sys.argv[1])\n"
                                  "assert z.testzip() is None\n"
                                  "for i in z.infolist(): print('%s %o %s %d' % (i.filename, i.external_attr >> 16, "
                                  "'-'.join(map(str, i.date_time)), i.file_size))\n";

static void zips(void **state) {
    ok(fs_write_file(in_root("list.py"), list_script, sizeof(list_script) - 1, 0644, &err));
    (void)zip("studio", "one.zip");
    assert_string_equal(sh("PYTHONUTF8=1 python3 %s %s", in_root("list.py"), in_root("one.zip")),
                        "studio/README.md 100644 2024-1-15-12-0-0 6\nstudio/a.txt 100644 2024-1-15-12-0-0 0\n"
                        "studio/a/b/c 100644 2024-1-15-12-0-0 3\nstudio/a/link 120777 2024-1-15-12-0-0 12\n"
                        "studio/a/z 100644 2024-1-15-12-0-0 2\nstudio/grüße.txt 100644 2024-1-15-12-0-0 2\n"
                        "studio/run.sh 100755 2024-1-15-12-0-0 19\n");
}

static void zips_the_same_everywhere(void **state) {
    const char *first = zip("", "one.zip");
    (void)setenv("TZ", "Pacific/Auckland", 1);
    tzset();
    (void)setlocale(LC_ALL, "C.UTF-8");
    const char *second = zip("", "two.zip");
    (void)setlocale(LC_ALL, "C");
    (void)setenv("TZ", "America/New_York", 1);
    tzset();
    const char *third = zip("", "one.zip"); /* takes the place of the first */
    (void)unsetenv("TZ");
    tzset();
    assert_string_equal(first, second);
    assert_string_equal(first, third);
}

static void zips_much(void **state) {
    char *text = arena_alloc(arena, 3000001);
    for (int i = 0; i < 3000000; i++)
        text[i] = (char)('a' + i % 1009 * 7919 % 26);
    put("large", text);
    for (int i = 0; i < 300; i++)
        put(arena_printf(arena, "many/%d", i), "x");
    sha = commit("", "much");
    ok(fs_write_file(in_root("list.py"), list_script, sizeof(list_script) - 1, 0644, &err));
    (void)zip("", "one.zip");
    assert_int_equal(
        strtoul(sh("PYTHONUTF8=1 python3 %s %s | wc -l", in_root("list.py"), in_root("one.zip")), NULL, 10), 308);
}

static void zips_nothing(void **state) {
    struct commit_spec spec = {.parents = {""}, .message = "x", .time_ms = TIME_MS};
    char empty[SHA_LEN];
    ok(repo_commit_empty(repo, &spec, empty, &err));
    sha = empty;
    (void)zip("", "one.zip");
    ok(fs_write_file(in_root("list.py"), list_script, sizeof(list_script) - 1, 0644, &err));
    assert_string_equal(sh("python3 %s %s", in_root("list.py"), in_root("one.zip")), "");
}

static void refuses_to_zip(void **state) {
    int64_t size = 0;
    char hash[65];
    fails(ERR_VALIDATION, repo_archive_zip(repo, sha, "../up", in_root("z"), &size, hash, &err));
    fails(ERR_VALIDATION, repo_archive_zip(repo, sha, "/abs", in_root("z"), &size, hash, &err));
    fails(ERR_NOT_FOUND, repo_archive_zip(repo, "", "x", in_root("z"), &size, hash, &err));
    fails(ERR_INTERNAL, repo_archive_zip(repo, sha, "x", in_root("absent/z"), &size, hash, &err));
    assert_false(fs_exists(in_root("z")));
    assert_string_equal(sh("ls %s", root), "p.git\nw\n");
}

#define tree_test(name) cmocka_unit_test_setup_teardown(name, set_up_commit, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        tree_test(lists),
        tree_test(reads),
        tree_test(names_all_paths),
        tree_test(zips),
        tree_test(zips_the_same_everywhere),
        tree_test(zips_much),
        tree_test(zips_nothing),
        tree_test(refuses_to_zip),
    };
    return git_run(tests);
}
