/* Tests of git/refs: compare-and-set, locks that others hold or left, listing, and what a name resolves to. */
#include "fixture.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <utime.h>

#include "base/clock.h"

static const char absent[] = "0123456789012345678901234567890123456789";
static const char *first, *second, *third;

static int set_up_commits(void **state) {
    int result = set_up(state);
    if (result != 0)
        return result;
    put("a", "1");
    first = commit("", "one");
    put("a", "2");
    second = commit(first, "two");
    put("a", "3");
    third = commit(second, "three");
    return 0;
}

static const char *ref(const char *name) {
    char *sha = arena_alloc(arena, SHA_LEN);
    ok(repo_ref_get(repo, name, sha, &err));
    return sha;
}

static void compares_and_sets(void **state) {
    const char *name = "refs/heads/feat/task-001-x";
    assert_string_equal(ref(name), "");
    fails(ERR_CONFLICT, repo_ref_set(repo, name, first, second, &err));
    ok(repo_ref_set(repo, name, "", first, &err));
    fails(ERR_CONFLICT, repo_ref_set(repo, name, "", second, &err));
    fails(ERR_CONFLICT, repo_ref_set(repo, name, second, third, &err));
    assert_string_equal(ref(name), first);
    ok(repo_ref_set(repo, name, first, second, &err));
    ok(repo_ref_set(repo, name, NULL, third, &err));
    ok(repo_ref_set(repo, name, third, third, &err));
    assert_string_equal(ref(name), third);
    assert_string_equal(sh("git -C %s rev-parse %s", bare, name), arena_printf(arena, "%s\n", third));
    check_repository();
}

static void deletes(void **state) {
    const char *name = "refs/heads/feat/x";
    ok(repo_ref_set(repo, name, "", first, &err));
    fails(ERR_CONFLICT, repo_ref_set(repo, name, second, "", &err));
    fails(ERR_CONFLICT, repo_ref_set(repo, name, "", "", &err));
    ok(repo_ref_set(repo, name, first, "", &err));
    assert_string_equal(ref(name), "");
    fails(ERR_CONFLICT, repo_ref_set(repo, name, first, "", &err));
    ok(repo_ref_set(repo, name, NULL, "", &err));
    ok(repo_ref_set(repo, name, "", "", &err));
    ok(repo_ref_set(repo, "refs/heads/feat", NULL, first, &err));
}

static void deletes_packed_refs(void **state) {
    set_ref("refs/heads/a", first);
    set_ref("refs/heads/b", second);
    sh("git -C %s pack-refs --all", bare);
    assert_string_equal(ref("refs/heads/a"), first);
    fails(ERR_CONFLICT, repo_ref_set(repo, "refs/heads/a", second, third, &err));
    ok(repo_ref_set(repo, "refs/heads/a", first, "", &err));
    ok(repo_ref_set(repo, "refs/heads/b", second, third, &err));
    assert_string_equal(ref("refs/heads/a"), "");
    assert_string_equal(sh("git -C %s for-each-ref --format='%%(refname) %%(objectname)'", bare),
                        arena_printf(arena, "refs/heads/b %s\n", third));
}

static void refuses_bad_input(void **state) {
    static const char *const names[] = {"main",
                                        "HEAD",
                                        "refs/heads/a..b",
                                        "refs/heads/a.lock",
                                        "refs/heads/",
                                        "refs/heads/../../x",
                                        "refs/heads/a b",
                                        "refs/heads/a\nb",
                                        "",
                                        "/etc/passwd",
                                        "refs/heads/a\x7f",
                                        "refs/heads/\xff"};
    char out[SHA_LEN];
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        fails(ERR_VALIDATION, repo_ref_set(repo, names[i], NULL, first, &err));
        fails(ERR_VALIDATION, repo_ref_get(repo, names[i], out, &err));
    }
    fails(ERR_NOT_FOUND, repo_ref_set(repo, "refs/heads/x", NULL, absent, &err));
    fails(ERR_NOT_FOUND, repo_ref_set(repo, "refs/heads/x", NULL, "main", &err));
    fails(ERR_VALIDATION, repo_ref_set(repo, "refs/heads/x", "main", first, &err));
    set_ref("refs/heads/feat", first);
    err = (struct err){0};
    assert_true(repo_ref_set(repo, "refs/heads/feat/x", NULL, first, &err) < 0);
    set_ref("refs/heads/run/1", first);
    fails(ERR_CONFLICT, repo_ref_set(repo, "refs/heads/run", NULL, first, &err));
}

static void takes_stale_locks_away(void **state) {
    const char *lock = fs_join(arena, bare, "refs/heads/main.lock");
    const struct utimbuf long_ago = {1705320000, 1705320000};
    ok(fs_write_file(lock, "", 0, 0644, &err));
    assert_int_equal(utime(lock, &long_ago), 0);
    set_ref("refs/heads/main", first);
    assert_string_equal(ref("refs/heads/main"), first);
    assert_false(fs_exists(lock));
}

static atomic_bool is_over;

static void *unlink_lock(void *path) {
    for (int i = 0; i < 1000; i++)
        (void)sched_yield();
    (void)unlink(path);
    return NULL;
}

static void *advance_clock(void *arg) {
    while (!atomic_load(&is_over)) {
        clock_advance_ms(100);
        (void)sched_yield();
    }
    return NULL;
}

static void waits_for_living_locks(void **state) {
    char *lock = fs_join(arena, bare, "refs/heads/main.lock");
    pthread_t thread;
    ok(fs_write_file(lock, "", 0, 0644, &err));
    assert_int_equal(pthread_create(&thread, NULL, unlink_lock, lock), 0);
    set_ref("refs/heads/main", first);
    assert_int_equal(pthread_join(thread, NULL), 0);
    ok(fs_write_file(lock, "", 0, 0644, &err));
    atomic_store(&is_over, false);
    assert_int_equal(pthread_create(&thread, NULL, advance_clock, NULL), 0);
    fails(ERR_UNAVAILABLE, repo_ref_set(repo, "refs/heads/main", NULL, second, &err));
    atomic_store(&is_over, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(fs_exists(lock));
}

static const char *list(const char *prefix) {
    char **names, *text = arena_strdup(arena, "");
    size_t count;
    ok(repo_ref_list(repo, arena, prefix, &names, &count, &err));
    for (size_t i = 0; i < count; i++)
        text = arena_printf(arena, "%s%s\n", text, names[i]);
    return text;
}

static void lists_sorted(void **state) {
    assert_string_equal(list("refs/"), "");
    set_ref("refs/heads/b", first);
    set_ref("refs/heads/a/b", first);
    set_ref("refs/heads/a-b", first);
    set_ref("refs/tags/v1", first);
    set_ref("refs/prazium/run-1/feat/x", first);
    sh("git -C %s pack-refs --all", bare);
    set_ref("refs/heads/c", first);
    assert_string_equal(list("refs/heads/"), "refs/heads/a-b\nrefs/heads/a/b\nrefs/heads/b\nrefs/heads/c\n");
    assert_string_equal(list("refs/prazium/"), "refs/prazium/run-1/feat/x\n");
    assert_string_equal(list("refs/nothing/"), "");
}

static const char *resolve(const char *name) {
    char *sha = arena_alloc(arena, SHA_LEN);
    ok(repo_resolve(repo, name, sha, &err));
    return sha;
}

static void resolves(void **state) {
    set_ref("refs/heads/main", third);
    set_ref("refs/heads/feat/task-001-x", second);
    set_ref("refs/tags/v1", first);
    set_ref("refs/prazium/run-2/feat/task-002-y", first);
    set_ref("refs/prazium/run-10/feat/task-002-y", second);
    set_ref("refs/prazium/run-9/feat/task-002-y", third);
    sh("git -C %s -c user.name=x -c user.email=x@x tag -a -m annotated v2 %s", bare, second);
    assert_string_equal(resolve("main"), third);
    assert_string_equal(resolve("feat/task-001-x"), second);
    assert_string_equal(resolve("v1"), first);
    assert_string_equal(resolve("v2"), second);
    assert_string_equal(resolve("run-9/feat/task-002-y"), third);
    assert_string_equal(resolve("feat/task-002-y"), second);
    assert_string_equal(resolve(first), first);
    assert_string_equal(resolve(arena_strndup(arena, second, 7)), second);
    assert_string_equal(resolve(arena_strndup(arena, second, 20)), second);
}

static void does_not_resolve(void **state) {
    static const char *const names[] = {"",         "nothing", "main~1",   "main^", "main^{tree}",      "main:a",
                                        "a..b",     "@{-1}",   "main@{1}", "a\nb",  "../../etc/passwd", "/main",
                                        "main/",    "ma*",     "a b",      "HEAD",  "refs/heads/main",  "\xff",
                                        "main.lock"};
    char out[SHA_LEN] = "before";
    set_ref("refs/heads/main", second);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        fails(ERR_NOT_FOUND, repo_resolve(repo, names[i], out, &err));
        assert_string_equal(err.field, "ref");
    }
    fails(ERR_NOT_FOUND, repo_resolve(repo, absent, out, &err));
    fails(ERR_NOT_FOUND, repo_resolve(repo, arena_strndup(arena, second, 6), out, &err));
    const char *tree = arena_strndup(arena, sh("git -C %s rev-parse %s^{tree}", bare, second), 40);
    fails(ERR_NOT_FOUND, repo_resolve(repo, tree, out, &err));
    fails(ERR_NOT_FOUND, repo_resolve(repo, arena_printf(arena, "%s0", second), out, &err));
    char *longest = arena_alloc(arena, 5000);
    memset(longest, 'a', 4999);
    fails(ERR_NOT_FOUND, repo_resolve(repo, longest, out, &err));
    assert_string_equal(out, "before");
}

#define ref_test(name) cmocka_unit_test_setup_teardown(name, set_up_commits, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        ref_test(compares_and_sets),      ref_test(deletes),
        ref_test(deletes_packed_refs),    ref_test(refuses_bad_input),
        ref_test(takes_stale_locks_away), ref_test(waits_for_living_locks),
        ref_test(lists_sorted),           ref_test(resolves),
        ref_test(does_not_resolve),
    };
    return git_run(tests);
}
