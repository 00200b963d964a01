/* support: what the tests of the sandbox share: a folder of their own, short ways to run a script, and counting what is
 * left. */
#ifndef TEST_SANDBOX_SUPPORT_H
#define TEST_SANDBOX_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "sandbox/sandbox.h"

#define SHELL(script) ((const char *const[]){"sh", "-c", script, NULL})

struct fixture {
    struct arena *arena;
    char dir[64];
    const char *home;
    struct sandbox_fence *fence; /* of the tests behind one */
    /* Part of the arguments of processes that a test starts; unlike any other's. */
    char marker[64];
    struct err err;
};

static inline int fixture_setup(void **state) {
    struct fixture *fixture = mem_alloc(sizeof(*fixture));
    fixture->arena = arena_create();
    strcpy(fixture->dir, "/tmp/prazium-sandbox-XXXXXX");
    if (!mkdtemp(fixture->dir))
        return -1;
    fixture->home = fs_join(fixture->arena, fixture->dir, "home");
    (void)snprintf(fixture->marker, sizeof(fixture->marker), "8%d%06d", (int)getpid(), rand() % 1000000);
    *state = fixture;
    return sandbox_start(&fixture->err);
}

/* As fixture_setup, with a fence in DIR/fence, DIR/work to work in, and DIR/secret beside it. */
static inline int fenced_setup(void **state) {
    if (fixture_setup(state) != 0)
        return -1;
    struct fixture *fixture = *state;
    const char *dir = fs_join(fixture->arena, fixture->dir, "fence");
    const char *work = fs_join(fixture->arena, fixture->dir, "work");
    const char *secret = fs_join(fixture->arena, fixture->dir, "secret");
    if (fs_mkdirs(work, 0700, &fixture->err) < 0 || fs_write_file(secret, "secret\n", 7, 0600, &fixture->err) < 0)
        return -1;
    return sandbox_fence_open(&fixture->fence, SANDBOX_AUTO, dir, &fixture->err);
}

static inline int fixture_teardown(void **state) {
    struct fixture *fixture = *state;
    sandbox_fence_close(fixture->fence);
    int rc = fs_remove_tree(fixture->dir, &fixture->err);
    arena_destroy(fixture->arena);
    free(fixture);
    return rc;
}

static inline struct sandbox_spec spec_of(const struct fixture *fixture, const char *const *argv) {
    return (struct sandbox_spec){.argv = argv, .dir = fixture->dir, .home = fixture->home, .wall_ms = 60000};
}

/* True where this machine lets nobody be fenced in; then that is what is to be told. */
static inline bool must_do_without_fence(struct fixture *fixture) {
    const char *fault = sandbox_fence_fault(fixture->fence);
    struct sandbox_fence *fence = NULL;
    if (!fault)
        return false;
    print_message("no fence on this machine: %s\n", fault);
    const char *dir = fs_join(fixture->arena, fixture->dir, "fence");
    assert_int_equal(sandbox_fence_open(&fence, SANDBOX_BWRAP, dir, &fixture->err), -ERR_UNAVAILABLE);
    assert_non_null(strstr(fixture->err.message, fault));
    return true;
}

static inline struct sandbox_spec fenced_spec_of(const struct fixture *fixture, const char *const *argv) {
    return (struct sandbox_spec){.argv = argv,
                                 .dir = fs_join(fixture->arena, fixture->dir, "work"),
                                 .home = fixture->home,
                                 .fence = fixture->fence,
                                 .wall_ms = 60000};
}

/* The script with each @ replaced by the marker. */
static inline const char *const *script_of(const struct fixture *fixture, const char *script) {
    size_t marker_len = strlen(fixture->marker);
    char *text = arena_alloc(fixture->arena, strlen(script) * (marker_len + 1) + 1);
    char *at = text;
    for (; *script; script++) {
        if (*script == '@')
            at = stpcpy(at, fixture->marker);
        else
            *at++ = *script;
    }
    const char **argv = arena_array(fixture->arena, 4, sizeof(*argv));
    argv[0] = "sh";
    argv[1] = "-c";
    argv[2] = text;
    return argv;
}

static inline bool has_marker(const char *pid, const char *marker) {
    char path[300];
    char text[8192];
    (void)snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
    CLEANUP(mem_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text));
    return len > 0 && memmem(text, (size_t)len, marker, strlen(marker));
}

/* Living processes with the marker among their arguments. */
static inline int count_left(const struct fixture *fixture) {
    DIR *dir = opendir("/proc");
    int count = 0;
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && has_marker(entry->d_name, fixture->marker);
    (void)closedir(dir);
    return count;
}

/* Children of this process, zombies too, that nobody waited for. */
static inline int count_children(void) {
    DIR *dir = opendir("/proc");
    int count = 0;
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        char path[300];
        char text[512];
        int parent = 0;
        (void)snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
        CLEANUP(mem_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
        if (len <= 0)
            continue;
        text[len] = '\0';
        const char *rest = strrchr(text, ')');
        count += rest && sscanf(rest + 1, " %*c %d", &parent) == 1 && parent == getpid();
    }
    (void)closedir(dir);
    return count;
}

/* For is_cancelled: true once the flag is set, as on_line does with a line "ready". */
static inline bool flag_is_set(void *arg) {
    return *(bool *)arg;
}

static inline void set_flag_when_ready(const char *line, size_t len, void *arg) {
    if (len == 5 && memcmp(line, "ready", 5) == 0)
        *(bool *)arg = true;
}

#endif
