/* Tests of git/scan, git/names and git/commit: what a hostile folder may hold, and what comes of it. */
#include "fixture.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

static struct change_list changes;
static char tree[SHA_LEN];

static void scan(const char *base) {
    ok(worktree_scan(repo, arena, work, base, tree, &changes, &err));
}

/* Expects a refusal that names path. */
static void refuses(const char *path) {
    char before[SHA_LEN];
    memcpy(before, tree, SHA_LEN);
    fails(ERR_VALIDATION, worktree_scan(repo, arena, work, "", tree, &changes, &err));
    if (!str_starts(err.message, path))
        fail_msg("%s is not named: %s", path, err.message);
    assert_string_equal(err.field, "path");
    assert_memory_equal(before, tree, SHA_LEN);
    sh("rm -rf %s && mkdir %s", work, work);
}

static const char *ls_tree(const char *sha) {
    return sh("git -C %s -c core.quotePath=false ls-tree -r --format='%%(objectmode) %%(path)' %s", bare, sha);
}

static void scans_modes_and_names(void **state) {
    put("README.md", "hello\n");
    put_mode("scripts/run.sh", "#!/bin/sh\n", 0755);
    put_mode("secret", "x", 0600);
    put_mode("group", "x", 0654);
    put("src/app/page.tsx", "export default 1\n");
    put("src/app-2/x", "");
    put("src/app.txt", "");
    put("grüße/日本語 file.txt", "ü");
    put("a\"b'c", "");
    put("dir/empty", "");
    assert_int_equal(symlink("../README.md", fs_join(arena, work, "src/link")), 0);
    assert_int_equal(symlink("app", fs_join(arena, work, "src/dirlink")), 0);
    ok(fs_mkdirs(fs_join(arena, work, "nothing/in/here"), 0755, &err));
    const char *sha = commit("", "one");
    check_repository();
    assert_string_equal(ls_tree(sha), "100644 README.md\n100644 \"a\\\"b'c\"\n100644 dir/empty\n100644 group\n"
                                      "100644 grüße/日本語 file.txt\n100755 scripts/run.sh\n100644 secret\n"
                                      "100644 src/app-2/x\n100644 src/app.txt\n100644 src/app/page.tsx\n"
                                      "120000 src/dirlink\n120000 src/link\n");
    /* The tree is what git itself would have made. */
    sh("git init -q %s", in_root("plain"));
    (void)sh("cp -a %s/. %s", work, in_root("plain"));
    scan("");
    assert_string_equal(sh("cd %s && git add -A && git write-tree", in_root("plain")),
                        arena_printf(arena, "%s\n", tree));
}

static void leaves_out(void **state) {
    put("a", "1");
    put("node_modules/x/index.js", "");
    put("packages/y/node_modules/z", "");
    put(".next/cache", "");
    put(".DS_Store", "");
    put("sub/.DS_Store", "");
    put(".git/config", "[core]\n\tfsmonitor = touch /tmp/owned\n");
    assert_int_equal(symlink("/etc", fs_join(arena, work, "sub/node_modules")), 0);
    scan("");
    assert_string_equal(changes_text(&changes), "A a 1\n");
    drop(".git");
    put(".git", "gitdir: /somewhere/else\n");
    scan("");
    assert_string_equal(changes_text(&changes), "A a 1\n");
}

static void scans_nothing(void **state) {
    scan("");
    assert_string_equal(tree, "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
    assert_int_equal(changes.count, 0);
    const char *sha = commit("", "empty");
    set_ref("refs/heads/main", sha);
    check_repository();
    put("a", "1");
    const char *next = commit(sha, "one");
    drop("a");
    scan(next);
    assert_string_equal(tree, "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
    assert_string_equal(changes_text(&changes), "D a 0\n");
    check_repository();
}

static void tells_changes(void **state) {
    put("keep", "1");
    put("change", "1");
    put("remove", "1");
    put("mode", "1");
    put("file-to-dir", "1");
    put("dir-to-file/a", "1");
    put("dir-to-file/b", "1");
    put("dir/deep/er", "1");
    put("linked", "1");
    const char *base = commit("", "one");
    put("change", "22");
    drop("remove");
    put_mode("mode", "1", 0755);
    drop("file-to-dir");
    put("file-to-dir/x", "333");
    put("file-to-dir.txt", "");
    drop("dir-to-file");
    put("dir-to-file", "4444");
    drop("linked");
    assert_int_equal(symlink("keep", fs_join(arena, work, "linked")), 0);
    scan(base);
    assert_string_equal(changes_text(&changes), "M change 2\nA dir-to-file 4\nD dir-to-file/a 0\nD dir-to-file/b 0\n"
                                                "D file-to-dir 0\nA file-to-dir.txt 0\nA file-to-dir/x 3\nM linked 4\n"
                                                "M mode 1\nD remove 0\n");
    struct commit_spec spec = {.parents = {base}, .message = "two", .time_ms = TIME_MS};
    char sha[SHA_LEN];
    ok(repo_commit_tree(repo, tree, &spec, sha, &err));
    ok(repo_diff(repo, arena, sha, base, &changes, &err));
    assert_string_equal(changes_text(&changes), "M change 1\nD dir-to-file 0\nA dir-to-file/a 1\nA dir-to-file/b 1\n"
                                                "A file-to-dir 1\nD file-to-dir.txt 0\nD file-to-dir/x 0\nM linked 1\n"
                                                "M mode 1\nA remove 1\n");
    ok(repo_diff(repo, arena, base, base, &changes, &err));
    assert_int_equal(changes.count, 0);
    scan(sha);
    assert_int_equal(changes.count, 0);
}

static void refuses_links(void **state) {
    static const char *const targets[] = {"/etc/passwd",    "../x", "..",          "sub/../../x",
                                          "x/..",           "./..", ".git/config", ".GIT",
                                          "sub/.git/hooks", "a\\b", "//etc"};
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        assert_int_equal(symlink(targets[i], fs_join(arena, work, "link")), 0);
        refuses("link ");
    }
    put("sub/deep/file", "");
    assert_int_equal(symlink("../../../x", fs_join(arena, work, "sub/deep/link")), 0);
    refuses("sub/deep/link is a symlink that leaves the tree");
    put("sub/deep/file", "");
    assert_int_equal(symlink("../../x", fs_join(arena, work, "sub/deep/link")), 0);
    assert_int_equal(symlink(".", fs_join(arena, work, "self")), 0);
    assert_int_equal(symlink("nowhere", fs_join(arena, work, "dangling")), 0);
    scan("");
    assert_int_equal(changes.count, 4);
}

static void refuses_special_files(void **state) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    put("sub/x", "");
    assert_int_equal(mkfifo(fs_join(arena, work, "sub/pipe"), 0644), 0);
    refuses("sub/pipe is a named pipe");
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", work);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    refuses("socket is a socket");
    (void)close(fd);
    if (mknod(fs_join(arena, work, "null"), S_IFCHR | 0666, makedev(1, 3)) == 0)
        refuses("null is a device file");
}

static void refuses_files_that_are_more_than_files(void **state) {
    put_mode("sub/tool", "x", 04755);
    refuses("sub/tool is a set-user-id or set-group-id file");
    put_mode("tool", "x", 02755);
    refuses("tool is a set-user-id or set-group-id file");
    const char *outside = arena_printf(arena, "%s-outside", work);
    sh("echo secret > %s && ln %s %s/linked", outside, outside, work);
    refuses("linked is a hard link");
    (void)unlink(outside);
    static const char *const names[] = {".gitattributes", "sub/.gitattributes", ".GitAttributes"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        put(names[i], "*.png binary\n*.txt text filter=evil\n");
        refuses(arena_printf(arena, "%s names a filter", names[i]));
    }
}

static void refuses_names(void **state) {
    static const char *const names[] = {"sub/.git",
                                        ".GIT",
                                        "sub/.Git",
                                        "git~1",
                                        "GIT~1",
                                        ".git ",
                                        ".git.",
                                        ".git. .",
                                        ".git::$INDEX_ALLOCATION",
                                        ".g\xe2\x80\x8cit",
                                        "\xef\xbb\xbf.git",
                                        "a\\b",
                                        "..\\x",
                                        ".gitmodules",
                                        "sub/.GITMODULES",
                                        "gitmod~1",
                                        "new\nline",
                                        "tab\tbed",
                                        "bell\a",
                                        "del\x7f",
                                        "bad\xff",
                                        "surrogate\xed\xa0\x80"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        put(names[i], "x");
        refuses(names[i]);
        put(arena_printf(arena, "%s/HEAD", names[i]), "x");
        refuses(names[i]);
    }
    put(".gitignore", "node_modules\n");
    put(".gitattributes", "*.txt text=auto\n");
    put("sub/.gitkeep", "");
    put("git~x", "");
    put("x.git/HEAD", "");
    put("...", "");
    (void)commit("", "fine");
    check_repository();
}

static void make_sparse(const char *name, off_t size) {
    int fd = open(fs_join(arena, work, name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, size), 0);
    (void)close(fd);
}

static void refuses_too_much(void **state) {
    char name[64];
    make_sparse("large", 32 * 1024 * 1024 + 1);
    refuses("large is larger than 32 MiB");
    make_sparse("huge", (off_t)1 << 40);
    refuses("huge is larger than 32 MiB");
    make_sparse("fits", 32 * 1024 * 1024);
    scan("");
    assert_string_equal(changes_text(&changes), "A fits 33554432\n");
    drop("fits");
    for (int i = 0; i < 20000; i++) {
        (void)snprintf(name, sizeof(name), "%d/%d", i / 1000, i);
        put(name, "");
    }
    scan("");
    assert_int_equal(changes.count, 20000);
    put("z/last", "");
    fails(ERR_VALIDATION, worktree_scan(repo, arena, work, "", tree, &changes, &err));
    assert_non_null(strstr(err.message, "20,000"));
}

static void refuses_deep_folders(void **state) {
    int fd = open(work, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(mkdirat(fd, "d", 0755), 0);
        int next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(next >= 0);
        (void)close(fd);
        fd = next;
    }
    (void)close(fd);
    fails(ERR_VALIDATION, worktree_scan(repo, arena, work, "", tree, &changes, &err));
    assert_non_null(strstr(err.message, "nested too deep"));
}

static void does_not_follow_the_root(void **state) {
    assert_int_equal(symlink("/etc", in_root("link")), 0);
    err = (struct err){0};
    assert_true(worktree_scan(repo, arena, in_root("link"), "", tree, &changes, &err) < 0);
    fails(ERR_NOT_FOUND, worktree_scan(repo, arena, in_root("absent"), "", tree, &changes, &err));
    fails(ERR_NOT_FOUND, worktree_scan(repo, arena, work, "main", tree, &changes, &err));
}

static size_t count_packs(void) {
    return strtoul(sh("ls %s/objects/pack/*.pack 2>/dev/null | wc -l", bare), NULL, 10);
}

static void commits_one_pack(void **state) {
    for (int i = 0; i < 50; i++)
        put(arena_printf(arena, "src/%d.ts", i), arena_printf(arena, "export const x%d = %d;\n", i, i));
    const char *first = commit("", "one");
    assert_int_equal(count_packs(), 1);
    put("src/1.ts", "changed\n");
    const char *second = commit(first, "two");
    assert_int_equal(count_packs(), 2);
    /* Only what is new: a file, two trees and the commit. */
    assert_int_equal(strtoul(sh("git -C %s count-objects -v | sed -n 's/^in-pack: //p'", bare), NULL, 10), 53 + 4);
    assert_int_equal(strtoul(sh("git -C %s count-objects -v | sed -n 's/^count: //p'", bare), NULL, 10), 0);
    assert_string_equal(commit(first, "two"), second);
    assert_int_equal(count_packs(), 2);
    check_repository();
}

static void writes_much_in_parts(void **state) {
    char *text = arena_alloc(arena, 5000001);
    for (int i = 0; i < 30; i++) {
        memset(text, 'a' + i % 26, 5000000);
        text[i] = '\n';
        put(arena_printf(arena, "%d.txt", i), text);
    }
    const char *sha = commit("", "much");
    set_ref("refs/heads/main", sha);
    assert_true(count_packs() > 1);
    check_repository();
    ok(repo_checkout(repo, sha, in_root("out"), &err));
    sh("diff -r %s %s", work, in_root("out"));
}

static void commits_deterministically(void **state) {
    struct commit_spec spec = {
        .parents = {""}, .message = "msg", .time_ms = TIME_MS + 999, .author_name = "Ana María", .author_email = "a@x"};
    char one[SHA_LEN], two[SHA_LEN];
    struct repo *other = NULL;
    put("a", "1");
    scan("");
    ok(repo_commit_tree(repo, tree, &spec, one, &err));
    ok(repo_create(in_root("q.git"), &err));
    ok(repo_open(&other, in_root("q.git"), &err));
    ok(worktree_scan(other, arena, work, "", tree, &changes, &err));
    ok(repo_commit_tree(other, tree, &spec, two, &err));
    repo_close(other);
    assert_string_equal(one, two);
    const char *git_made =
        sh("cd %s && GIT_AUTHOR_NAME='Ana María' GIT_AUTHOR_EMAIL=a@x GIT_COMMITTER_NAME='Ana María' "
           "GIT_COMMITTER_EMAIL=a@x GIT_AUTHOR_DATE='1705320000 +0000' GIT_COMMITTER_DATE='1705320000 +0000' "
           "git commit-tree -m msg %s",
           bare, tree);
    assert_string_equal(git_made, arena_printf(arena, "%s\n", one));
}

static void commits_empty(void **state) {
    struct commit_spec spec = {.parents = {""}, .message = "root", .time_ms = TIME_MS};
    char sha[SHA_LEN], next[SHA_LEN];
    ok(repo_commit_empty(repo, &spec, sha, &err));
    assert_string_equal(ls_tree(sha), "");
    put("a", "1");
    const char *full = commit(sha, "one");
    spec.parents[0] = full;
    ok(repo_commit_empty(repo, &spec, next, &err));
    assert_string_equal(ls_tree(next), "100644 a\n");
    set_ref("refs/heads/main", next);
    assert_string_equal(sh("git -C %s log --format=%%s main", bare), "root\none\nroot\n");
    check_repository();
}

static void refuses_bad_commits(void **state) {
    struct commit_spec spec = {.parents = {""}, .message = "x", .time_ms = TIME_MS};
    char sha[SHA_LEN];
    put("a", "1");
    scan("");
    fails(ERR_NOT_FOUND, repo_commit_tree(repo, "0123456789012345678901234567890123456789", &spec, sha, &err));
    fails(ERR_NOT_FOUND, repo_commit_tree(repo, "x", &spec, sha, &err));
    spec.author_name = "<>";
    fails(ERR_VALIDATION, repo_commit_tree(repo, tree, &spec, sha, &err));
    spec.author_name = NULL;
    spec.time_ms = -1;
    fails(ERR_VALIDATION, repo_commit_tree(repo, tree, &spec, sha, &err));
    spec.time_ms = TIME_MS;
    spec.parents[0] = "0123456789012345678901234567890123456789";
    fails(ERR_NOT_FOUND, repo_commit_tree(repo, tree, &spec, sha, &err));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        git_test(scans_modes_and_names),
        git_test(leaves_out),
        git_test(scans_nothing),
        git_test(tells_changes),
        git_test(refuses_links),
        git_test(refuses_special_files),
        git_test(refuses_files_that_are_more_than_files),
        git_test(refuses_names),
        git_test(refuses_too_much),
        git_test(refuses_deep_folders),
        git_test(does_not_follow_the_root),
        git_test(commits_one_pack),
        git_test(writes_much_in_parts),
        git_test(commits_deterministically),
        git_test(commits_empty),
        git_test(refuses_bad_commits),
    };
    return git_run(tests);
}
