/* Tests of git/ from many threads and from processes that are killed: no ref is lost, no object missing. */
#include "fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

enum { THREADS = 6, TASKS = 6, KILLS = 25 };

static const char integration[] = "refs/heads/run/1";

/* Moves the integration branch to a merge of theirs, again as long as somebody else is faster. */
static int merge_in(struct repo *mine, struct arena *own, const char *theirs, struct err *error) {
    const struct commit_spec spec = {.message = "merge", .time_ms = TIME_MS};
    for (;;) {
        struct merge_result merged;
        char ours[SHA_LEN];
        int result = repo_ref_get(mine, integration, ours, error);
        if (result == 0)
            result = repo_merge(mine, own, ours, theirs, &spec, &merged, error);
        if (result == 0 && merged.is_conflict)
            result = err_set(error, ERR_INTERNAL, "a conflict at %s", merged.conflicts[0]);
        if (result == 0)
            result = repo_ref_set(mine, integration, ours, merged.commit, error);
        if (result != -ERR_CONFLICT)
            return result;
    }
}

/* What a worker does with a task: worktree, files, scan, commit, branch, merge, and away with it. */
static int do_task(struct repo *mine, struct arena *own, const char *name, int task, struct err *error) {
    const char *id = arena_printf(own, "%s-%d", name, task);
    const char *path = arena_printf(own, "%s/wt/%s", root, id);
    const char *branch = arena_printf(own, "feat/%s", id);
    const char *branch_ref = arena_printf(own, "refs/heads/%s", branch);
    const char *file = arena_printf(own, "%s/src/%s/file-%d.txt", path, name, task);
    struct change_list changes;
    char base[SHA_LEN], tree[SHA_LEN], sha[SHA_LEN];
    struct commit_spec spec = {.parents = {base}, .message = id, .time_ms = TIME_MS};
    int result = repo_ref_get(mine, integration, base, error);
    if (result == 0)
        result = worktree_create(mine, id, path, branch, base, error);
    if (result == 0)
        result = fs_write_file(file, id, strlen(id), 0644, error);
    if (result == 0)
        result = worktree_scan(mine, own, path, base, tree, &changes, error);
    if (result == 0 && changes.count > 1)
        result = err_set(error, ERR_INTERNAL, "%zu changes", changes.count);
    if (result == 0)
        result = repo_commit_tree(mine, tree, &spec, sha, error);
    if (result == 0)
        result = repo_ref_set(mine, branch_ref, base, sha, error);
    if (result == 0)
        result = merge_in(mine, own, sha, error);
    if (result == 0)
        result = worktree_remove(mine, id, path, error);
    return result == 0 ? repo_ref_set(mine, branch_ref, sha, "", error) : result;
}

static struct err errors[THREADS];

static void *work_on(void *arg) {
    size_t number = (size_t)(uintptr_t)arg;
    struct repo *mine = NULL;
    struct arena *own = arena_create();
    const char *name = arena_printf(own, "t%zu", number);
    int result = repo_open(&mine, bare, &errors[number]);
    for (int task = 0; task < TASKS && result == 0; task++)
        result = do_task(mine, own, name, task, &errors[number]);
    repo_close(mine);
    arena_destroy(own);
    return result == 0 ? NULL : &errors[number];
}

static const char *start_integration(void) {
    put("README.md", "hello\n");
    const char *sha = commit("", "one");
    set_ref("refs/heads/main", sha);
    set_ref(integration, sha);
    return sha;
}

static void works_in_many_threads(void **state) {
    pthread_t threads[THREADS];
    (void)start_integration();
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work_on, (void *)(uintptr_t)i), 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *error;
        assert_int_equal(pthread_join(threads[i], &error), 0);
        if (error)
            fail_msg("%s", ((struct err *)error)->message);
    }
    check_repository();
    assert_int_equal(strtoul(sh("git -C %s ls-tree -r run/1 | wc -l", bare), NULL, 10), 1 + THREADS * TASKS);
    assert_int_equal(strtoul(sh("git -C %s rev-list --merges run/1 | wc -l", bare), NULL, 10), THREADS * TASKS);
    assert_string_equal(sh("git -C %s for-each-ref --format='%%(refname)'", bare),
                        "refs/heads/main\nrefs/heads/run/1\n");
    assert_string_equal(sh("ls -A %s/wt %s/worktrees %s/pending-worktrees | grep -v : | tr -d '\\n'", root, bare, bare),
                        "");
    assert_string_equal(sh("find %s -name '*.lock'", bare), "");
}

/* Does tasks until it is killed, telling of each. */
static _Noreturn void work_until_killed(int fd, int round) {
    struct err error = {0};
    struct repo *mine = NULL;
    struct arena *own = arena_create();
    const char *name = arena_printf(own, "r%d", round);
    int result = repo_open(&mine, bare, &error);
    for (int task = 0; result == 0; task++) {
        result = do_task(mine, own, name, task, &error);
        if (result == 0 && task % 7 == 6)
            result = repo_tidy(mine, &error);
        if (write(fd, "x", 1) != 1)
            _exit(1);
    }
    (void)fprintf(stderr, "%s\n", error.message);
    _exit(1);
}

/* Lets it finish a few tasks and be somewhere within another. */
static void kill_somewhere(int round) {
    int ends[2], status;
    char byte;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        work_until_killed(ends[1], round);
    (void)close(ends[1]);
    for (int i = 0; i <= round % 9; i++)
        assert_int_equal(read(ends[0], &byte, 1), 1);
    for (int i = 0; i < round * 37 % 400; i++)
        (void)sched_yield();
    (void)kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    (void)close(ends[0]);
}

static void survives_kills(void **state) {
    const char *main_sha = start_integration();
    char before[SHA_LEN], after[SHA_LEN];
    memcpy(before, main_sha, SHA_LEN);
    for (int round = 0; round < KILLS; round++) {
        repo_closep(&repo);
        kill_somewhere(round);
        ok(repo_create(bare, &err));
        ok(repo_open(&repo, bare, &err));
        ok(repo_clear_locks(repo, &err));
        check_repository();
        assert_string_equal(sh("find %s -name '*.lock' -not -path '*/worktrees/*'", bare), "");
        assert_string_equal(sh("find %s/objects -name '*git2*'", bare), "");
        ok(repo_ref_get(repo, integration, after, &err));
        bool is_ancestor = false;
        ok(repo_is_ancestor(repo, before, after, &is_ancestor, &err));
        assert_true(is_ancestor);
        assert_string_not_equal(before, after);
        memcpy(before, after, SHA_LEN);
        /* What it left can be done again. */
        char **names;
        size_t count;
        ok(worktree_list(repo, arena, &names, &count, &err));
        assert_true(count <= 1);
        for (size_t i = 0; i < count; i++) {
            const char *path = arena_printf(arena, "%s/wt/%s", root, names[i]);
            ok(worktree_create(repo, names[i], path, arena_printf(arena, "feat/%s", names[i]), before, &err));
            assert_string_equal(sh("git -C %s status --porcelain", path), "");
            ok(worktree_remove(repo, names[i], path, &err));
        }
        assert_string_equal(sh("ls -A %s/wt", root), "");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        git_test(works_in_many_threads),
        git_test(survives_kills),
    };
    return git_run(tests);
}
