/* Tests of git/patch: git itself applies the patches. */
#include "fixture.h"

static const char *patch_of(const char *sha, unsigned context) {
    struct buf out = {0};
    ok(repo_patch(repo, sha, context, &out, &err));
    const char *text = arena_strndup(arena, out.data, out.len);
    assert_int_equal(strlen(text), out.len);
    buf_release(&out);
    return text;
}

/* Onto the files of parent ("" for none) the patch gives exactly the tree of sha, modes and all. */
static void check_applies(const char *parent, const char *sha) {
    struct buf out = {0};
    const char *file = in_root("patch"), *clone = in_root("clone");
    set_ref("refs/heads/main", sha);
    for (unsigned context = 0; context <= 100; context = context ? context * 10 : 1) {
        buf_reset(&out);
        ok(repo_patch(repo, sha, context, &out, &err));
        ok(fs_remove_tree(clone, &err));
        ok(fs_write_file(file, out.data, out.len, 0644, &err));
        (void)sh("git init -q %s && cd %s && git fetch -q %s main", clone, clone, bare);
        if (*parent)
            (void)sh("cd %s && git checkout -q --detach %s", clone, parent);
        (void)sh("cd %s && git apply --index --unidiff-zero --whitespace=nowarn %s", clone, file);
        assert_string_equal(sh("cd %s && git write-tree", clone), sh("git -C %s rev-parse %s^{tree}", bare, sha));
    }
    buf_release(&out);
}

static void says_what_changed(void **state) {
    put("a.txt", "one\ntwo\nthree\nfour\n");
    put("gone.txt", "x\n");
    const char *first = commit("", "one");
    put("a.txt", "one\ntwo\n3\nfour\n");
    put("new.txt", "no newline");
    drop("gone.txt");
    const char *second = commit(first, "two");
    const char *is = patch_of(second, 1);
    assert_string_equal(is, sh("git -C %s diff-tree -p -U1 --full-index --no-renames %s %s", bare, first, second));
    assert_non_null(strstr(is, "--- a/a.txt\n+++ b/a.txt\n@@ -2,3 +2,3 @@ one\n two\n-three\n+3\n four\n"));
    assert_non_null(strstr(is, "--- a/gone.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"));
    assert_non_null(strstr(is, "@@ -0,0 +1 @@\n+no newline\n\\ No newline at end of file\n"));
    check_applies(first, second);
}

static void text_of_all_kinds_applies(void **state) {
    put("windows.txt", "a\r\nb\r\n");
    put("with blank.txt", "1\n");
    put("grüße \"quoted\".txt", "2\n");
    put("latin.txt", "caf\xe9\n");
    put("becomes-link", "file\n");
    put("becomes-folder", "file\n");
    put("folder/becomes-file/x", "file\n");
    put("was-empty", "");
    put("becomes-empty", "x\n");
    put("run.sh", "#!/bin/sh\n");
    put("moved/from", "a longer text\nthat stays\nas it is\n");
    const char *first = commit("", "one");
    put("windows.txt", "a\r\nc\r\n");
    put("with blank.txt", "2\n");
    put("grüße \"quoted\".txt", "3\n");
    put("latin.txt", "caf\xe9s\n");
    drop("becomes-link");
    assert_int_equal(symlink("run.sh", fs_join(arena, work, "becomes-link")), 0);
    drop("becomes-folder");
    put("becomes-folder/x", "file\n");
    drop("folder/becomes-file");
    put("folder/becomes-file", "file\n");
    put("was-empty", "-- \n+++ b/x\n@@ -1 +1 @@\n");
    put("becomes-empty", "");
    put("new-empty", "");
    put_mode("run.sh", "#!/bin/sh\n", 0755);
    drop("moved/from");
    put("moved/to", "a longer text\nthat stays\nas it is\n");
    const char *second = commit(first, "two");
    check_applies(first, second);
    assert_string_equal(patch_of(commit(second, "nothing changed"), 3), "");
    assert_null(strstr(patch_of(second, 3), "rename"));
}

static void a_first_commit_applies_to_nothing(void **state) {
    put("a/b/c", "x\n");
    const char *first = commit("", "one");
    check_applies("", first);
}

/* Noise that nothing compresses, with NULs. */
static void put_noise(const char *name, size_t len, unsigned seed) {
    char *data = mem_alloc(len);
    for (size_t i = 0; i < len; i++)
        data[i] = (char)((seed = seed * 1103515245 + 12345) >> 16);
    data[0] = '\0';
    ok(fs_write_file(fs_join(arena, work, name), data, len, 0644, &err));
    free(data);
}

static void binary_files_apply(void **state) {
    put_noise("image.png", 70000, 1);
    put_noise("gone.bin", 1000, 2);
    const char *first = commit("", "one");
    put_noise("image.png", 70001, 1);
    put_noise("new.bin", 5000, 3);
    drop("gone.bin");
    const char *second = commit(first, "two");
    assert_non_null(strstr(patch_of(second, 3), "GIT binary patch\n"));
    check_applies(first, second);
}

/* Whatever a repository says of its files by attributes, it is for git on other machines. */
static void attributes_change_nothing(void **state) {
    put(".gitattributes", "*.txt -diff binary\n*.md diff=evil\n");
    put("a.txt", "1\n");
    const char *first = commit("", "one");
    put("a.txt", "2\n");
    const char *second = commit(first, "two");
    assert_non_null(strstr(patch_of(second, 3), "-1\n+2\n"));
}

static void more_than_fits_is_refused(void **state) {
    put_noise("a.bin", 10000, 1);
    const char *first = commit("", "one");
    struct buf out;
    buf_init(&out, 8000);
    buf_puts(&out, "before");
    fails(ERR_TOO_LARGE, repo_patch(repo, first, 3, &out, &err));
    assert_non_null(strstr(err.message, "larger than 8000 bytes"));
    assert_string_equal(out.data, "before");
    buf_release(&out);
    fails(ERR_NOT_FOUND, repo_patch(repo, "0123456789012345678901234567890123456789", 3, &out, &err));
    assert_string_equal(err.field, "ref");
}

#define patch_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        patch_test(says_what_changed),
        patch_test(text_of_all_kinds_applies),
        patch_test(a_first_commit_applies_to_nothing),
        patch_test(binary_files_apply),
        patch_test(attributes_change_nothing),
        patch_test(more_than_fits_is_refused),
    };
    return git_run(tests);
}
