/* Tests of git/repo and git/locks: making, opening, and what a crash leaves. */
#include "fixture.h"

#include <utime.h>

static void creates_what_git_accepts(void **state) {
    assert_string_equal(sh("git -C %s rev-parse --is-bare-repository", bare), "true\n");
    assert_string_equal(sh("git -C %s symbolic-ref HEAD", bare), "refs/heads/main\n");
    check_repository();
}

static void creates_twice(void **state) {
    put("a", "1");
    const char *sha = commit("", "one");
    char found[SHA_LEN];
    set_ref("refs/heads/main", sha);
    ok(repo_create(bare, &err));
    ok(repo_ref_get(repo, "refs/heads/main", found, &err));
    assert_string_equal(found, sha);
}

static void creates_what_was_half_made(void **state) {
    static const char *const missing[] = {"HEAD", "config", "objects/pack", "refs/heads", "refs", "objects"};
    for (size_t i = 0; i < ARRAY_LEN(missing); i++) {
        ok(fs_remove_tree(fs_join(arena, bare, missing[i]), &err));
        ok(repo_create(bare, &err));
        check_repository();
    }
    assert_string_equal(sh("git -C %s symbolic-ref HEAD", bare), "refs/heads/main\n");
}

static void opens_only_repositories(void **state) {
    struct repo *other = NULL;
    fails(ERR_NOT_FOUND, repo_open(&other, in_root("absent.git"), &err));
    fails(ERR_NOT_FOUND, repo_open(&other, work, &err));
    assert_null(other);
    repo_close(NULL);
}

static void ignores_configuration_of_others(void **state) {
    sh("printf '[core]\\n\\tautocrlf = true\\n\\thooksPath = /nowhere\\n[user]\\n\\tname = Somebody\\n' > %s",
       in_root("home"));
    (void)setenv("GIT_CONFIG_GLOBAL", in_root("home"), 1);
    (void)setenv("HOME", root, 1);
    put("a", "one\r\ntwo\n");
    const char *sha = commit("", "one");
    (void)setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
    assert_string_equal(sh("git -C %s show %s:a | od -c | head -1", bare, sha),
                        "0000000   o   n   e  \\r  \\n   t   w   o  \\n\n");
    assert_string_equal(sh("git -C %s log -1 --format='%%an <%%ae> %%cn %%ct %%s' %s", bare, sha),
                        "Prazium <prazium@localhost> Prazium 1705320000 one\n");
}

static void tells_ancestors(void **state) {
    bool is_ancestor = false;
    put("a", "1");
    const char *first = commit("", "one");
    put("a", "2");
    const char *second = commit(first, "two");
    put("a", "3");
    const char *other = commit(first, "other");
    ok(repo_is_ancestor(repo, first, second, &is_ancestor, &err));
    assert_true(is_ancestor);
    ok(repo_is_ancestor(repo, first, first, &is_ancestor, &err));
    assert_true(is_ancestor);
    ok(repo_is_ancestor(repo, second, first, &is_ancestor, &err));
    assert_false(is_ancestor);
    ok(repo_is_ancestor(repo, second, other, &is_ancestor, &err));
    assert_false(is_ancestor);
    fails(ERR_NOT_FOUND, repo_is_ancestor(repo, first, "0123456789012345678901234567890123456789", &is_ancestor, &err));
    fails(ERR_NOT_FOUND, repo_is_ancestor(repo, "main", first, &is_ancestor, &err));
}

static void clears_locks_at_once(void **state) {
    static const char *const leftovers[] = {"refs/heads/main.lock",
                                            "refs/heads/feat/x.lock",
                                            "HEAD.lock",
                                            "packed-refs.lock",
                                            "objects/pack/pack_git2_0123456789abcdef",
                                            "objects/pack/pack_git2_0123456789abcdef.idx.lock",
                                            "objects/pack/pack-0123456789012345678901234567890123456789.idx",
                                            "objects/ab/tmp_object_git2_0123",
                                            "pending-worktrees/x/HEAD"};
    put("a", "1");
    const char *sha = commit("", "one");
    set_ref("refs/heads/main", sha);
    for (size_t i = 0; i < ARRAY_LEN(leftovers); i++)
        ok(fs_write_file(fs_join(arena, bare, leftovers[i]), "", 0, 0644, &err));
    ok(repo_clear_locks(repo, &err));
    for (size_t i = 0; i < ARRAY_LEN(leftovers); i++)
        assert_false(fs_exists(fs_join(arena, bare, leftovers[i])));
    check_repository();
    put("a", "2");
    ok(repo_ref_set(repo, "refs/heads/main", sha, commit(sha, "two"), &err));
}

static void tidies_only_old_locks(void **state) {
    const char *fresh = fs_join(arena, bare, "refs/heads/fresh.lock");
    const char *old = fs_join(arena, bare, "refs/heads/old.lock");
    const struct utimbuf long_ago = {1705320000, 1705320000};
    ok(fs_write_file(fresh, "", 0, 0644, &err));
    ok(fs_write_file(old, "", 0, 0644, &err));
    assert_int_equal(utime(old, &long_ago), 0);
    ok(repo_tidy(repo, &err));
    assert_true(fs_exists(fresh));
    assert_false(fs_exists(old));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        git_test(creates_what_git_accepts),
        git_test(creates_twice),
        git_test(creates_what_was_half_made),
        git_test(opens_only_repositories),
        git_test(ignores_configuration_of_others),
        git_test(tells_ancestors),
        git_test(clears_locks_at_once),
        git_test(tidies_only_old_locks),
    };
    return git_run(tests);
}
