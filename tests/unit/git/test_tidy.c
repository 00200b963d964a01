/* Tests of git/tidy: nothing that is reached is lost, what is not goes, and readers beside it notice nothing. */
#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>

static size_t count_packs(void) {
    return strtoul(sh("ls %s/objects/pack/*.pack 2>/dev/null | wc -l", bare), NULL, 10);
}

/* As if all that is there had been written long ago. */
static void age(void) {
    sh("find %s/objects -type f -exec touch -d '1 hour ago' {} +", bare);
}

static bool has_object(const char *sha) {
    char command[256];
    (void)snprintf(command, sizeof(command), "git -C %s cat-file -e %s 2>/dev/null", bare, sha);
    return system(command) == 0;
}

static const char *make_history(size_t count) {
    const char *sha = "";
    for (size_t i = 0; i < count; i++) {
        put("log", arena_printf(arena, "entry %zu\n", i));
        put(arena_printf(arena, "files/%zu", i), arena_printf(arena, "%zu", i));
        sha = commit(sha, arena_printf(arena, "commit %zu", i));
    }
    set_ref("refs/heads/main", sha);
    return sha;
}

static void brings_packs_together(void **state) {
    (void)make_history(40);
    assert_int_equal(count_packs(), 40);
    const char *log = sh("git -C %s log --stat main", bare);
    ok(repo_tidy(repo, &err));
    assert_int_equal(count_packs(), 1);
    assert_string_equal(sh("git -C %s log --stat main", bare), log);
    check_repository();
    /* Again: there is nothing to do. */
    const char *before = sh("stat -c '%%n %%y' %s/objects/pack/*", bare);
    ok(repo_tidy(repo, &err));
    assert_string_equal(sh("stat -c '%%n %%y' %s/objects/pack/*", bare), before);
}

static void leaves_few_packs(void **state) {
    (void)make_history(5);
    age();
    ok(repo_tidy(repo, &err));
    assert_int_equal(count_packs(), 5);
    check_repository();
}

static void drops_what_nothing_reaches(void **state) {
    const char *main_sha = make_history(3);
    put("large", "unreached");
    const char *lost = commit(main_sha, "lost");
    put("large", "on a branch");
    const char *branch = commit(main_sha, "branch");
    set_ref("refs/prazium/run-1/feat/x", branch);
    put("large", "tagged");
    const char *tagged = commit(main_sha, "tagged");
    sh("git -C %s -c user.name=x -c user.email=x tag -a -m t v1 %s", bare, tagged);
    ok(repo_tidy(repo, &err));
    assert_true(has_object(lost)); /* too young */
    age();
    ok(repo_tidy(repo, &err));
    assert_false(has_object(lost));
    assert_true(has_object(branch));
    assert_true(has_object("v1^{commit}"));
    assert_int_equal(count_packs(), 1);
    assert_string_equal(sh("git -C %s count-objects -v | sed -n 's/^count: //p'", bare), "0\n");
    assert_string_equal(sh("git -C %s fsck --strict --unreachable", bare), "");
    check_repository();
}

static void keeps_heads_of_worktrees(void **state) {
    const char *main_sha = make_history(2);
    put("x", "detached");
    const char *detached = commit(main_sha, "detached");
    put("x", "lost");
    const char *lost = commit(main_sha, "lost");
    ok(worktree_create(repo, "a", in_root("wt/a"), "feat/a", main_sha, &err));
    sh("git -C %s checkout -q --detach %s", in_root("wt/a"), detached);
    age();
    ok(repo_tidy(repo, &err));
    assert_true(has_object(detached));
    assert_false(has_object(lost));
    assert_string_equal(sh("git -C %s status --porcelain", in_root("wt/a")), "");
    check_repository();
}

static void keeps_what_the_young_stand_on(void **state) {
    const char *main_sha = make_history(2);
    put("x", "old and unreached");
    const char *old = commit(main_sha, "old");
    age();
    put("x", "young");
    const char *young = commit(old, "young");
    ok(repo_tidy(repo, &err));
    assert_true(has_object(old));
    set_ref("refs/heads/late", young);
    check_repository();
}

/* A writer that finds an object in an old pack counts on it. */
static void keeps_what_was_used_again(void **state) {
    const char *main_sha = make_history(2);
    struct change_list changes;
    struct commit_spec spec = {.parents = {main_sha}, .message = "again", .time_ms = TIME_MS};
    char tree[SHA_LEN], sha[SHA_LEN];
    put("x", "first unreached, then used");
    (void)commit(main_sha, "lost");
    age();
    ok(worktree_scan(repo, arena, work, main_sha, tree, &changes, &err));
    struct repo *other = NULL;
    ok(repo_open(&other, bare, &err));
    ok(repo_tidy(other, &err));
    repo_close(other);
    ok(repo_commit_tree(repo, tree, &spec, sha, &err));
    set_ref("refs/heads/again", sha);
    check_repository();
}

static void drops_loose_objects_and_empty_folders(void **state) {
    const char *main_sha = make_history(2);
    sh("cd %s && export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x && "
       "git update-ref refs/heads/loose $(git commit-tree -m loose -p %s main^{tree}) && echo lost | git hash-object "
       "-w --stdin",
       bare, main_sha);
    sh("mkdir -p %s/refs/heads/feat/empty/deep %s/refs/prazium/run-1", bare, bare);
    age();
    ok(repo_tidy(repo, &err));
    assert_string_equal(sh("git -C %s count-objects -v | sed -n 's/^count: //p'", bare), "0\n");
    assert_false(fs_exists(fs_join(arena, bare, "refs/heads/feat")));
    assert_false(fs_exists(fs_join(arena, bare, "refs/prazium/run-1")));
    assert_true(fs_exists(fs_join(arena, bare, "refs/heads")));
    assert_true(has_object("loose^{commit}"));
    check_repository();
}

static void does_nothing_to_what_is_broken(void **state) {
    const char *main_sha = make_history(3);
    put("x", "lost");
    (void)commit(main_sha, "lost");
    age();
    sh("cd %s/objects/pack && for i in *.idx; do ! git show-index < $i | grep -q %s || rm -f ${i%%.idx}.pack; done",
       bare, main_sha);
    const char *before = sh("ls %s/objects/pack/*.pack", bare);
    /* As another process would find it: in this one the pack is still open. */
    repo_closep(&repo);
    ok(repo_open(&repo, bare, &err));
    fails(ERR_INTERNAL, repo_tidy(repo, &err));
    assert_string_equal(sh("ls %s/objects/pack/*.pack", bare), before);
}

static void tidies_an_empty_repository(void **state) {
    ok(repo_tidy(repo, &err));
    put("x", "lost");
    (void)commit("", "lost");
    age();
    ok(repo_tidy(repo, &err));
    assert_int_equal(count_packs(), 0);
    check_repository();
}

static atomic_bool is_over;
static char head[SHA_LEN];

static int read_all(struct repo *mine, struct arena *own, struct err *error) {
    char **paths;
    size_t count, len;
    const char *data;
    int result = repo_paths(mine, own, head, &paths, &count, error);
    for (size_t i = 0; i < count && result == 0; i++)
        result = repo_read(mine, own, head, paths[i], 1000, &data, &len, error);
    return result;
}

/* Reads with one handle for long, and with a new one each time. NULL, or what went wrong. */
static void *read_on(void *arg) {
    static struct err error;
    struct repo *mine = NULL, *brief = NULL;
    struct arena *own = arena_create();
    int result = repo_open(&mine, bare, &error);
    while (result == 0 && !atomic_load(&is_over)) {
        arena_reset(own);
        result = read_all(mine, own, &error);
        if (result == 0)
            result = repo_open(&brief, bare, &error);
        if (result == 0)
            result = read_all(brief, own, &error);
        repo_closep(&brief);
    }
    repo_close(mine);
    arena_destroy(own);
    return result == 0 ? NULL : &error;
}

static void readers_notice_nothing(void **state) {
    pthread_t readers[2];
    const char *sha = make_history(35);
    memcpy(head, sha, SHA_LEN);
    atomic_store(&is_over, false);
    for (size_t i = 0; i < ARRAY_LEN(readers); i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_on, NULL), 0);
    for (int round = 0; round < 12; round++) {
        put("x", arena_printf(arena, "round %d", round));
        const char *next = commit(sha, arena_printf(arena, "round %d", round));
        set_ref("refs/heads/other", next);
        age();
        ok(repo_tidy(repo, &err));
        assert_int_equal(count_packs(), 1);
    }
    atomic_store(&is_over, true);
    for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
        void *error;
        assert_int_equal(pthread_join(readers[i], &error), 0);
        if (error)
            fail_msg("%s", ((struct err *)error)->message);
    }
    check_repository();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        git_test(brings_packs_together),
        git_test(leaves_few_packs),
        git_test(drops_what_nothing_reaches),
        git_test(keeps_heads_of_worktrees),
        git_test(keeps_what_the_young_stand_on),
        git_test(keeps_what_was_used_again),
        git_test(drops_loose_objects_and_empty_folders),
        git_test(does_nothing_to_what_is_broken),
        git_test(tidies_an_empty_repository),
        git_test(readers_notice_nothing),
    };
    return git_run(tests);
}
