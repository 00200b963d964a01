/* Tests of base/fs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"

static struct arena *arena;
static char root[64];
static struct err err;

static const char *in_root(const char *relative) {
    return fs_join(arena, root, relative);
}

static int set_up(void **state) {
    arena = arena_create();
    strcpy(root, "/tmp/test-fs-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state) {
    int result = fs_remove_tree(root, &err);
    if (result < 0)
        print_error("%s\n", err.message);
    result = result < 0 || fs_exists(root);
    arena_destroy(arena);
    return result;
}

static void put(const char *relative, const char *text) {
    if (fs_write_file(in_root(relative), text, strlen(text), 0644, &err) != 0)
        fail_msg("%s", err.message);
}

static unsigned mode_of(const char *path) {
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

static void makes_folders(void **state) {
    assert_int_equal(fs_mkdirs(in_root("a/b//c/"), 0755, &err), 0);
    assert_true(fs_is_dir(in_root("a/b/c")));
    assert_int_equal(fs_mkdirs(in_root("a/b/c"), 0755, &err), 0);
    assert_int_equal(fs_mkdirs("/", 0755, &err), 0);
    put("file", "");
    assert_int_equal(fs_mkdirs(in_root("file"), 0755, &err), -ERR_INTERNAL);
    assert_true(fs_mkdirs(in_root("file/x"), 0755, &err) < 0);
    assert_non_null(strstr(err.message, "file"));
    assert_int_equal(chdir(root), 0);
    assert_int_equal(fs_mkdirs("rel/x", 0700, &err), 0);
    assert_int_equal(mode_of(in_root("rel/x")), 0700);
    assert_int_equal(chdir("/"), 0);
}

static void writes_and_reads(void **state) {
    CLEANUP(buf_release) struct buf out = {0};
    put("x/y/z.txt", "hello");
    assert_int_equal(fs_read_file(in_root("x/y/z.txt"), 5, &out, &err), 0);
    assert_string_equal(out.data, "hello");
    put("x/y/z.txt", "h");
    assert_int_equal(fs_read_file(in_root("x/y/z.txt"), 5, &out, &err), 0);
    assert_string_equal(out.data, "helloh");
    put("empty", "");
    buf_release(&out);
    assert_int_equal(fs_read_file(in_root("empty"), 0, &out, &err), 0);
    assert_string_equal(out.data, "");
    assert_int_equal(fs_write_file(in_root("x/run.sh"), "", 0, 0755, &err), 0);
    assert_int_equal(mode_of(in_root("x/run.sh")), 0755);
    assert_int_equal(fs_write_file(in_root("x/run.sh"), "", 0, 0600, &err), 0);
    assert_int_equal(mode_of(in_root("x/run.sh")), 0600);
}

static void reads_within_limits(void **state) {
    CLEANUP(buf_release) struct buf out = {0};
    CLEANUP(mem_freep) char *large = mem_alloc(100001);
    memset(large, 'x', 100000);
    put("large", large);
    buf_puts(&out, "before");
    assert_int_equal(fs_read_file(in_root("large"), 99999, &out, &err), -ERR_TOO_LARGE);
    assert_string_equal(out.data, "before");
    assert_int_equal(fs_read_file(in_root("large"), 100000, &out, &err), 0);
    assert_int_equal(out.len, 100006);
    CLEANUP(buf_release) struct buf small = {.max_bytes = 50};
    assert_int_equal(fs_read_file(in_root("large"), SIZE_MAX, &small, &err), -ERR_TOO_LARGE);
    assert_int_equal(small.len, 0);
    assert_int_equal(fs_read_file(in_root("none"), 9, &out, &err), -ERR_NOT_FOUND);
    assert_int_equal(fs_read_file(in_root("large/x"), 9, &out, &err), -ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "large/x"));
    assert_int_equal(fs_read_file(root, 9, &out, &err), -ERR_VALIDATION);
    assert_int_equal(mkfifo(in_root("pipe"), 0600), 0);
    assert_int_equal(fs_read_file(in_root("pipe"), 9, &out, &err), -ERR_VALIDATION);
    assert_true(fs_write_file(in_root("pipe"), "x", 1, 0600, &err) < 0);
    /* procfs tells no size. */
    assert_int_equal(fs_read_file("/proc/self/status", 100000, &out, &err), 0);
}

static void does_not_write_through_a_symlink(void **state) {
    put("target", "old");
    assert_int_equal(symlink("target", in_root("link")), 0);
    assert_true(fs_write_file(in_root("link"), "new", 3, 0644, &err) < 0);
    CLEANUP(buf_release) struct buf out = {0};
    assert_int_equal(fs_read_file(in_root("target"), 9, &out, &err), 0);
    assert_string_equal(out.data, "old");
}

static int count_file(const char *relative, const struct stat *st, void *arg) {
    ++*(int *)arg;
    return 0;
}

static void replaces_atomically(void **state) {
    const char *path = in_root("key");
    assert_int_equal(fs_write_file_atomic(path, "one", 3, 0600, &err), 0);
    assert_int_equal(fs_write_file_atomic(path, "two", 3, 0640, &err), 0);
    assert_int_equal(mode_of(path), 0640);
    CLEANUP(buf_release) struct buf out = {0};
    assert_int_equal(fs_read_file(path, 9, &out, &err), 0);
    assert_string_equal(out.data, "two");
    assert_int_equal(fs_write_file_atomic(in_root("none/key"), "x", 1, 0600, &err), -ERR_NOT_FOUND);
    assert_int_equal(fs_mkdirs(in_root("dir"), 0755, &err), 0);
    assert_true(fs_write_file_atomic(in_root("dir"), "x", 1, 0600, &err) < 0);
    int count = 0; /* no temporary file is left */
    assert_int_equal(fs_walk(root, count_file, &count, &err), 0);
    assert_int_equal(count, 1);
}

static void answers_about_paths(void **state) {
    put("f", "");
    assert_int_equal(symlink("nowhere", in_root("dangling")), 0);
    assert_true(fs_exists(in_root("f")));
    assert_true(fs_exists(in_root("dangling")));
    assert_false(fs_exists(in_root("g")));
    assert_false(fs_exists(NULL));
    assert_true(fs_is_dir(root));
    assert_false(fs_is_dir(in_root("f")));
    assert_string_equal(fs_join(arena, "a", "b"), "a/b");
    assert_string_equal(fs_join(arena, "a/", "/b"), "a/b");
    assert_string_equal(fs_join(arena, "", "b"), "b");
    assert_string_equal(fs_join(arena, "a", ""), "a");
    assert_string_equal(fs_real(arena, in_root("./f")), in_root("f"));
    assert_null(fs_real(arena, in_root("g")));
    assert_null(fs_real(arena, NULL));
    uint64_t bytes = 0;
    assert_int_equal(fs_free_bytes(root, &bytes, &err), 0);
    assert_true(bytes > 0);
    assert_int_equal(fs_free_bytes(in_root("g"), &bytes, &err), -ERR_NOT_FOUND);
    assert_int_equal(fs_sync_dir(root, &err), 0);
    assert_int_equal(fs_sync_dir(in_root("g"), &err), -ERR_NOT_FOUND);
}

static void knows_safe_paths(void **state) {
    static const char *const safe[] = {"a", "a/b", ".a", "..a", "a..", "...", "src/app/[id]/page.tsx", ".git"};
    static const char *const unsafe[] = {NULL, "", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "a\\b"};
    for (size_t i = 0; i < ARRAY_LEN(safe); i++)
        assert_true(fs_is_safe_relative(safe[i]));
    for (size_t i = 0; i < ARRAY_LEN(unsafe); i++)
        assert_false(fs_is_safe_relative(unsafe[i]));
    char name[NAME_MAX + 2];
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_false(fs_is_safe_relative(name));
    name[NAME_MAX] = '\0';
    assert_true(fs_is_safe_relative(name));
}

static int note_path(const char *relative, const struct stat *st, void *arg) {
    struct buf *seen = arg;
    const char *kind = S_ISREG(st->st_mode) ? "" : S_ISLNK(st->st_mode) ? "@" : S_ISFIFO(st->st_mode) ? "|" : "?";
    buf_printf(seen, "%s%s ", relative, kind);
    return strcmp(relative, "stop") == 0 ? 7 : 0;
}

static void walks_in_byte_order(void **state) {
    CLEANUP(buf_release) struct buf seen = {0};
    static const char *const files[] = {"b", "a/z", "a/b/c", "a-b", "a.b", "a0", "Z", "é", "a/b.c", "c/d/e/f"};
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        put(files[i], "x");
    assert_int_equal(symlink("a", in_root("link")), 0);
    assert_int_equal(symlink("/", in_root("a/up")), 0);
    assert_int_equal(mkfifo(in_root("pipe"), 0600), 0);
    assert_int_equal(fs_mkdirs(in_root("empty"), 0755, &err), 0);
    assert_int_equal(fs_walk(root, note_path, &seen, &err), 0);
    assert_string_equal(seen.data, "Z a-b a.b a/b.c a/b/c a/up@ a/z a0 b c/d/e/f link@ pipe| é ");
    buf_reset(&seen);
    put("stop", "");
    assert_int_equal(fs_walk(root, note_path, &seen, &err), 7);
    assert_true(str_ends(seen.data, "stop "));
    assert_int_equal(fs_walk(in_root("none"), note_path, &seen, &err), -ERR_NOT_FOUND);
    assert_true(fs_walk(in_root("b"), note_path, &seen, &err) < 0);
}

/* A tree that is deeper than any path can say, as a hostile program may leave it. */
static void make_deep(int depth) {
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < depth; i++) {
        assert_int_equal(mkdirat(fd, "dddddddd", 0755), 0);
        int file = openat(fd, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        mem_closep(&file);
        int next = openat(fd, "dddddddd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(next >= 0);
        mem_closep(&fd);
        fd = next;
    }
    mem_closep(&fd);
}

static void bears_deep_trees(void **state) {
    make_deep(3000);
    int count = 0;
    assert_int_equal(fs_walk(root, count_file, &count, &err), -ERR_VALIDATION);
    assert_int_equal(fs_remove_tree(root, &err), 0);
    assert_false(fs_exists(root));
}

static void removes_what_cannot_be_written(void **state) {
    put("outside/keep", "x");
    put("tree/locked/inner/file", "x");
    put("tree/.moved-0", "x");
    assert_int_equal(symlink(in_root("outside"), in_root("tree/link")), 0);
    assert_int_equal(symlink("nowhere", in_root("tree/locked/dangling")), 0);
    assert_int_equal(mkfifo(in_root("tree/pipe"), 0600), 0);
    assert_int_equal(chmod(in_root("tree/locked/inner"), 0), 0);
    assert_int_equal(chmod(in_root("tree/locked"), 0555), 0);
    assert_int_equal(chmod(in_root("tree"), 0), 0);
    if (fs_remove_tree(in_root("tree"), &err) != 0)
        fail_msg("%s", err.message);
    assert_false(fs_exists(in_root("tree")));
    assert_true(fs_exists(in_root("outside/keep")));
    assert_int_equal(fs_remove_tree(in_root("tree"), &err), 0);
    assert_int_equal(fs_remove_tree(in_root("outside/keep"), &err), 0);
    assert_int_equal(symlink(in_root("outside"), in_root("link")), 0);
    assert_int_equal(fs_remove_tree(in_root("link"), &err), 0);
    assert_true(fs_is_dir(in_root("outside")));
}

static void locks_once(void **state) {
    int first = -1, second = -1;
    assert_int_equal(fs_lock(in_root("lock"), &first, &err), 0);
    assert_int_equal(mode_of(in_root("lock")), 0600);
    assert_int_equal(fs_lock(in_root("lock"), &second, &err), -ERR_CONFLICT);
    assert_int_equal(second, -1);
    mem_closep(&first);
    assert_int_equal(fs_lock(in_root("lock"), &second, &err), 0);
    mem_closep(&second);
}

#define fs_test(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        fs_test(makes_folders),       fs_test(writes_and_reads),
        fs_test(reads_within_limits), fs_test(does_not_write_through_a_symlink),
        fs_test(replaces_atomically), fs_test(answers_about_paths),
        fs_test(knows_safe_paths),    fs_test(walks_in_byte_order),
        fs_test(bears_deep_trees),    fs_test(removes_what_cannot_be_written),
        fs_test(locks_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
