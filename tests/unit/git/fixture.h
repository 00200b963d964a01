/* fixture: a bare repository in a folder of its own, a folder to scan, and git's command line to check against. */
#ifndef TESTS_GIT_FIXTURE_H
#define TESTS_GIT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "git/git.h"

#define TIME_MS INT64_C(1705320000000) /* 2024-01-15T12:00:00Z */

static struct arena *arena;
static struct err err;
static struct repo *repo;
static char root[64];
static char bare[80]; /* root/p.git */
static char work[80]; /* root/w */

/* Fails the test with the error's message unless the call gave 0. */
#define ok(call)                                                                                                       \
    do {                                                                                                               \
        err = (struct err){0};                                                                                         \
        if ((call) != 0)                                                                                               \
            fail_msg("%s: %s: %s", #call, err.field, err.message);                                                     \
    } while (0)
#define fails(code_, call)                                                                                             \
    do {                                                                                                               \
        err = (struct err){0};                                                                                         \
        assert_int_equal((call), -(int)(code_));                                                                       \
        assert_int_equal(err.code, code_);                                                                             \
        assert_true(strlen(err.message) > 0);                                                                          \
    } while (0)

/* Output of a shell command, which must succeed; git in it sees no configuration but the repository's. */
__attribute__((format(printf, 1, 2))) static inline const char *sh(const char *format, ...) {
    char command[4096], line[4096];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    char *text = arena_strdup(arena, "");
    FILE *pipe = popen(arena_printf(arena, "( %s ) 2>&1", command), "r");
    assert_non_null(pipe);
    while (fgets(line, sizeof(line), pipe))
        text = arena_printf(arena, "%s%s", text, line);
    int status = pclose(pipe);
    if (status != 0)
        fail_msg("%s: status %d: %s", command, status, text);
    return text;
}

static inline const char *in_root(const char *relative) {
    return fs_join(arena, root, relative);
}

static inline void put_mode(const char *relative, const char *text, mode_t mode) {
    ok(fs_write_file(fs_join(arena, work, relative), text, strlen(text), mode, &err));
}

static inline void put(const char *relative, const char *text) {
    put_mode(relative, text, 0644);
}

static inline void drop(const char *relative) {
    ok(fs_remove_tree(fs_join(arena, work, relative), &err));
}

/* Scans the folder and commits it on top of parent ("" for none). */
static inline const char *commit(const char *parent, const char *message) {
    struct change_list changes;
    struct commit_spec spec = {.parents = {parent}, .message = message, .time_ms = TIME_MS};
    char tree[SHA_LEN];
    char *sha = arena_alloc(arena, SHA_LEN);
    ok(worktree_scan(repo, arena, work, parent, tree, &changes, &err));
    ok(repo_commit_tree(repo, tree, &spec, sha, &err));
    return sha;
}

static inline void set_ref(const char *name, const char *sha) {
    ok(repo_ref_set(repo, name, NULL, sha, &err));
}

/* git's own judgement of the repository. */
static inline void check_repository(void) {
    const char *text = sh("git -C %s fsck --strict --full --no-dangling", bare);
    if (strstr(text, "error") || strstr(text, "warning") || strstr(text, "missing"))
        fail_msg("%s", text);
}

/* "A path size" lines. */
static inline const char *changes_text(const struct change_list *changes) {
    static const char letters[] = {[CHANGE_CREATED] = 'A', [CHANGE_MODIFIED] = 'M', [CHANGE_DELETED] = 'D'};
    char *text = arena_strdup(arena, "");
    for (size_t i = 0; i < changes->count; i++)
        text = arena_printf(arena, "%s%c %s %d\n", text, letters[changes->items[i].kind], changes->items[i].path,
                            (int)changes->items[i].size_bytes);
    return text;
}

static inline int set_up(void **state) {
    arena = arena_create();
    strcpy(root, "/tmp/test-git-XXXXXX");
    if (!mkdtemp(root))
        return -1;
    (void)snprintf(bare, sizeof(bare), "%s/p.git", root);
    (void)snprintf(work, sizeof(work), "%s/w", root);
    err = (struct err){0};
    if (mkdir(work, 0755) < 0 || repo_create(bare, &err) < 0 || repo_open(&repo, bare, &err) < 0) {
        print_error("%s\n", err.message);
        return -1;
    }
    return 0;
}

static inline int tear_down(void **state) {
    repo_closep(&repo);
    int result = fs_remove_tree(root, &err);
    arena_destroy(arena);
    return result;
}

static inline int start_git(void **state) {
    (void)setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
    (void)setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
    (void)setenv("HOME", "/nonexistent", 1);
    return git_start(&err);
}

static inline int stop_git(void **state) {
    git_stop();
    return 0;
}

#define git_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define git_run(tests) cmocka_run_group_tests(tests, start_git, stop_git)

#endif
