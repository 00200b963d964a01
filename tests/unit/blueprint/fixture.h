/* fixture: a temporary folder of assets, and plans of tests/data. For the tests of blueprint/ and agent/. */
#ifndef TEST_FIXTURE_H
#define TEST_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "blueprint/blueprint.h"

struct fixture {
    char dir[64];
    struct arena *arena;
    struct err err;
};

static inline void fixture_init(struct fixture *fixture) {
    memset(fixture, 0, sizeof(*fixture));
    (void)str_copy(fixture->dir, sizeof(fixture->dir), "/tmp/prazium-test-XXXXXX");
    assert_non_null(mkdtemp(fixture->dir));
    fixture->arena = arena_create();
}

static inline void fixture_release(struct fixture *fixture) {
    assert_int_equal(fs_remove_tree(fixture->dir, &fixture->err), 0);
    arena_destroy(fixture->arena);
}

static inline void fixture_write(struct fixture *fixture, const char *path, const char *text) {
    const char *full = fs_join(fixture->arena, fixture->dir, path);
    assert_int_equal(fs_write_file(full, text, strlen(text), 0644, &fixture->err), 0);
}

/* The file below the fixture's folder, or NULL. */
static inline const char *fixture_read(struct fixture *fixture, const char *path) {
    CLEANUP(buf_release) struct buf text = {0};
    struct err err = {0};
    if (fs_read_file(fs_join(fixture->arena, fixture->dir, path), 1 << 24, &text, &err) < 0)
        return NULL;
    return arena_strndup(fixture->arena, text.data, text.len);
}

static inline json_t *fixture_json(struct fixture *fixture, const char *text) {
    json_t *value = NULL;
    if (json_parse(fixture->arena, text, strlen(text), &value, &fixture->err) < 0)
        fail_msg("%s: %s", text, fixture->err.message);
    return value;
}

/* name: of a file in tests/data/plans, without its suffix. */
static inline json_t *fixture_plan(struct fixture *fixture, const char *name) {
    CLEANUP(buf_release) struct buf text = {0};
    CLEANUP(mem_freep) char *path = mem_printf("%s/tests/data/plans/%s.json", TEST_SOURCE_ROOT, name);
    if (fs_read_file(path, 1 << 24, &text, &fixture->err) < 0)
        fail_msg("%s", fixture->err.message);
    return fixture_json(fixture, text.data);
}

#endif
