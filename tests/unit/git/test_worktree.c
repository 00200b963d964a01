/* Tests of git/worktree and git/checkout: what tools see inside, and that it can be done again after anything. */
#include "fixture.h"

static const char *first, *second;

static int set_up_commits(void **state) {
    int result = set_up(state);
    if (result != 0)
        return result;
    put("README.md", "hello\r\n");
    put_mode("run.sh", "#!/bin/sh\n", 0755);
    put(".gitattributes", "* text=auto eol=crlf\n");
    put("src/deep/grüße.txt", "ü");
    put("empty", "");
    assert_int_equal(symlink("../README.md", fs_join(arena, work, "src/link")), 0);
    first = commit("", "one");
    put("README.md", "two\n");
    second = commit(first, "two");
    set_ref("refs/heads/main", second);
    return 0;
}

static const char *path_of(const char *name) {
    return fs_join(arena, root, arena_printf(arena, "wt/%s", name));
}

static const char *list(void) {
    char **names, *text = arena_strdup(arena, "");
    size_t count;
    ok(worktree_list(repo, arena, &names, &count, &err));
    for (size_t i = 0; i < count; i++)
        text = arena_printf(arena, "%s%s\n", text, names[i]);
    return text;
}

static void check_clean(const char *path, const char *branch, const char *sha) {
    assert_string_equal(sh("git -C %s -c core.attributesFile=/dev/null status --porcelain", path), "");
    assert_string_equal(sh("git -C %s symbolic-ref HEAD", path), arena_printf(arena, "refs/heads/%s\n", branch));
    assert_string_equal(sh("git -C %s rev-parse HEAD", path), arena_printf(arena, "%s\n", sha));
}

static void makes_a_checkout(void **state) {
    const char *path = path_of("feat-task-001");
    ok(worktree_create(repo, "feat-task-001", path, "feat/task-001-ui-shell", first, &err));
    check_clean(path, "feat/task-001-ui-shell", first);
    sh("cd %s && test -x run.sh && test ! -x README.md && test \"$(readlink src/link)\" = ../README.md", path);
    assert_string_equal(sh("od -c %s/README.md | head -1", path), "0000000   h   e   l   l   o  \\r  \\n\n");
    assert_non_null(strstr(sh("git -C %s worktree list", bare), "feat/task-001-ui-shell"));
    assert_null(strstr(sh("git -C %s worktree prune --dry-run -v", bare), "feat"));
    assert_string_equal(list(), "feat-task-001\n");
    check_repository();
    sh("cd %s && git log --oneline && git diff --exit-code && echo x > new && git add new && git stash list", path);
}

static void makes_the_mode_whatever_the_umask(void **state) {
    mode_t old = umask(0077);
    ok(worktree_create(repo, "a", path_of("a"), "a", first, &err));
    umask(old);
    check_clean(path_of("a"), "a", first);
    assert_string_equal(sh("stat -c %%a %s/run.sh %s/empty", path_of("a"), path_of("a")), "755\n644\n");
}

static void makes_it_again(void **state) {
    const char *path = path_of("a");
    ok(worktree_create(repo, "a", path, "feat/a", first, &err));
    sh("cd %s && echo dirt > dirt && rm README.md && mkdir -p ro && touch ro/x && chmod 555 ro", path);
    ok(worktree_create(repo, "a", path, "feat/a", second, &err));
    check_clean(path, "feat/a", second);
    assert_false(fs_exists(fs_join(arena, path, "dirt")));
    assert_string_equal(list(), "a\n");
}

static void makes_it_again_after_a_crash(void **state) {
    static const char *const gone[] = {"worktrees/a/HEAD", "worktrees/a/commondir", "worktrees/a/gitdir",
                                       "worktrees/a/index"};
    const char *path = path_of("a");
    for (size_t i = 0; i < ARRAY_LEN(gone); i++) {
        ok(worktree_create(repo, "a", path, "feat/a", first, &err));
        ok(fs_remove_tree(fs_join(arena, bare, gone[i]), &err));
        sh("rm -rf %s/.git %s/src; touch %s/worktrees/a/index.lock", path, path, bare);
        assert_string_equal(list(), "a\n");
        ok(worktree_create(repo, "a", path, "feat/a", first, &err));
        check_clean(path, "feat/a", first);
    }
    ok(fs_remove_tree(path, &err));
    ok(worktree_create(repo, "a", path, "feat/a", first, &err));
    check_clean(path, "feat/a", first);
}

static void makes_an_empty_one(void **state) {
    const char *path = path_of("a");
    char sha[SHA_LEN];
    set_ref("refs/heads/feat/a", first);
    ok(worktree_create(repo, "a", path, "feat/a", "", &err));
    ok(repo_ref_get(repo, "refs/heads/feat/a", sha, &err));
    assert_string_equal(sha, "");
    assert_string_equal(sh("git -C %s status --porcelain --branch", path), "## No commits yet on feat/a\n");
    assert_string_equal(sh("ls -A %s", path), ".git\n");
}

static void removes(void **state) {
    ok(worktree_create(repo, "a", path_of("a"), "feat/a", first, &err));
    ok(worktree_create(repo, "b", path_of("b"), "feat/b", first, &err));
    ok(worktree_remove(repo, "a", path_of("a"), &err));
    ok(worktree_remove(repo, "a", path_of("a"), &err));
    assert_false(fs_exists(path_of("a")));
    assert_string_equal(list(), "b\n");
    ok(worktree_remove(repo, "b", path_of("b"), &err));
    assert_string_equal(list(), "");
    check_repository();
}

static void refuses(void **state) {
    static const char *const names[] = {"", ".", "..", "../x", "a/b", ".hidden", "a b", "a\n"};
    static const char *const branches[] = {"", "a..b", "a.lock", "-\x7f", "a b"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        fails(ERR_VALIDATION, worktree_create(repo, names[i], path_of("a"), "a", first, &err));
        fails(ERR_VALIDATION, worktree_remove(repo, names[i], path_of("a"), &err));
    }
    for (size_t i = 0; i < ARRAY_LEN(branches); i++)
        fails(ERR_VALIDATION, worktree_create(repo, "a", path_of("a"), branches[i], first, &err));
    fails(ERR_NOT_FOUND, worktree_create(repo, "a", path_of("a"), "a", "main", &err));
    assert_false(fs_exists(path_of("a")));
    assert_string_equal(list(), "");
    /* What is not its own stays. */
    sh("mkdir -p %s && echo precious > %s/file", path_of("b"), path_of("b"));
    fails(ERR_CONFLICT, worktree_create(repo, "b", path_of("b"), "b", first, &err));
    assert_true(fs_exists(fs_join(arena, path_of("b"), "file")));
    assert_string_equal(list(), "");
    fails(ERR_CONFLICT, repo_checkout(repo, first, path_of("b"), &err));
    assert_true(fs_exists(fs_join(arena, path_of("b"), "file")));
}

static void scans_what_it_made(void **state) {
    struct change_list changes;
    char tree[SHA_LEN];
    ok(worktree_create(repo, "a", path_of("a"), "feat/a", second, &err));
    sh("cd %s && git config core.fsmonitor 'touch %s' && git config filter.evil.clean 'touch %s'", path_of("a"),
       in_root("owned"), in_root("owned"));
    ok(worktree_scan(repo, arena, path_of("a"), second, tree, &changes, &err));
    assert_int_equal(changes.count, 0);
    assert_string_equal(sh("git -C %s rev-parse %s^{tree}", bare, second), arena_printf(arena, "%s\n", tree));
    assert_false(fs_exists(in_root("owned")));
}

static void checks_out_plainly(void **state) {
    ok(repo_checkout(repo, second, in_root("out/x"), &err));
    sh("diff -r --no-dereference %s %s", work, in_root("out/x"));
    ok(repo_checkout(repo, "", in_root("out/none"), &err));
    assert_string_equal(sh("ls -A %s", in_root("out/none")), "");
    ok(repo_checkout(repo, second, in_root("out/none"), &err));
    fails(ERR_NOT_FOUND, repo_checkout(repo, "0123456789012345678901234567890123456789", in_root("out/y"), &err));
    assert_false(fs_exists(in_root("out/y")));
}

/* Trees that our own scan would not have written. */
static void refuses_hostile_trees(void **state) {
    static const char *const before_id[] = {"120000 blob", "100644 blob", "100644 blob", "100644 blob"};
    static const char *const names[] = {"link", ".git", ".GIT", "a\\\\b"};
    const char *blob = arena_strndup(arena, sh("printf /etc | git -C %s hash-object -w --stdin", bare), 40);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *sha =
            sh("cd %s && export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x && "
               "tree=$(printf '%s %s\\t%s\\n' | git mktree) && git commit-tree -m x $tree",
               bare, before_id[i], blob, names[i]);
        sha = arena_strndup(arena, sha, 40);
        fails(ERR_VALIDATION, repo_checkout(repo, sha, in_root("out"), &err));
        assert_false(fs_exists(in_root("out")));
        fails(ERR_VALIDATION, worktree_create(repo, "a", path_of("a"), "a", sha, &err));
        assert_false(fs_exists(path_of("a")));
        assert_string_equal(list(), "");
    }
}

static void sees_a_changed_pointer(void **state) {
    const char *path = path_of("a"), *pointer = fs_join(arena, path, ".git");
    ok(worktree_create(repo, "a", path, "feat/a", first, &err));
    ok(worktree_check(repo, "a", path, &err));
    static const char *const attacks[] = {"rm -f %s",
                                          "echo 'gitdir: /somewhere/else' > %s",
                                          "rm %s && mkdir %s",
                                          "rm %s && git init -q $(dirname %s)",
                                          "mv %s %s-away && ln -s %s-away %s",
                                          "ln %s %s-away",
                                          "rm %s && mkfifo %s",
                                          ": > %s",
                                          "echo >> %s"};
    for (size_t i = 0; i < ARRAY_LEN(attacks); i++) {
        char *script = arena_strdup(arena, attacks[i]), *at;
        while ((at = strstr(script, "%s"))) {
            *at = '\0';
            script = arena_printf(arena, "%s%s%s", script, pointer, at + 2);
        }
        sh("%s", script);
        fails(ERR_VALIDATION, worktree_check(repo, "a", path, &err));
        assert_string_equal(err.message, ".git was changed, removed or replaced");
        ok(worktree_remove(repo, "a", path, &err));
        ok(worktree_create(repo, "a", path, "feat/a", first, &err));
    }
    ok(worktree_check(repo, "a", path, &err));
    fails(ERR_VALIDATION, worktree_check(repo, "b", path, &err));
}

static void sees_a_changed_repository(void **state) {
    static const struct {
        const char *script, *name; /* run in the repository */
    } attacks[] = {
        {"git config filter.evil.smudge 'touch /tmp/owned'", "config"},
        {"rm config; ln -s /dev/null config", "config"},
        {"mkdir -p hooks; echo 'touch /tmp/owned' > hooks/post-checkout", "hooks"},
        {"mkdir -p info; echo '* filter=evil' > info/attributes", "info/attributes"},
        {"echo /somewhere/else > objects/info/alternates", "objects/info/alternates"},
    };
    const char *path = path_of("a");
    ok(worktree_create(repo, "a", path, "feat/a", first, &err));
    for (size_t i = 0; i < ARRAY_LEN(attacks); i++) {
        sh("cd %s; %s", bare, attacks[i].script);
        fails(ERR_VALIDATION, worktree_check(repo, "a", path, &err));
        assert_string_equal(err.message, arena_printf(arena, "the repository's %s was changed", attacks[i].name));
        /* It is mended, so that the next is not to blame. */
        ok(worktree_check(repo, "a", path, &err));
        check_repository();
    }
}

#define worktree_test(name) cmocka_unit_test_setup_teardown(name, set_up_commits, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        worktree_test(makes_a_checkout),
        worktree_test(makes_the_mode_whatever_the_umask),
        worktree_test(makes_it_again),
        worktree_test(makes_it_again_after_a_crash),
        worktree_test(makes_an_empty_one),
        worktree_test(removes),
        worktree_test(refuses),
        worktree_test(scans_what_it_made),
        worktree_test(sees_a_changed_pointer),
        worktree_test(sees_a_changed_repository),
        worktree_test(checks_out_plainly),
        worktree_test(refuses_hostile_trees),
    };
    return git_run(tests);
}
