/* desk: a worktree in a temporary folder, and what an agent is asked with there. */
#ifndef TEST_AGENT_DESK_H
#define TEST_AGENT_DESK_H

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

#include "agent/model_tools.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/states.h"
#include "sandbox/sandbox.h"

struct desk {
    struct arena *arena;
    char dir[64];
    const char *tree;
    struct agent_request request;
    struct bench bench;
    struct tool_answer answer;
    struct buf notes; /* a line each: TYPE {…} */
    struct err err;
    bool is_cancelled;
    const char *cancel_at; /* a note that begins so cancels */
};

static bool desk_is_cancelled(void *arg) {
    return ((struct desk *)arg)->is_cancelled;
}

static void desk_note(const struct agent_note *note, void *arg) {
    struct desk *desk = arg;
    CLEANUP(mem_freep)
    char *line = mem_printf("%s %s\n", event_type_name(note->type), json_text(desk->arena, note->payload));
    buf_puts(&desk->notes, line);
    desk->is_cancelled = desk->is_cancelled || (desk->cancel_at && str_starts(line, desk->cancel_at));
}

/* JSON with ' for ". */
static inline json_t *desk_json(struct desk *desk, const char *text) {
    json_t *value = NULL;
    char *copy = arena_strdup(desk->arena, text);
    for (char *c = copy; *c; c++)
        *c = (char)(*c == '\'' ? '"' : *c);
    if (json_parse(desk->arena, copy, strlen(copy), &value, &desk->err) < 0)
        fail_msg("%s: %s", text, desk->err.message);
    return value;
}

static inline const char *desk_path(struct desk *desk, const char *path) {
    return fs_join(desk->arena, desk->dir, path);
}

/* Below the desk's folder, of which "tree" is the worktree. */
static inline void desk_put(struct desk *desk, const char *path, const char *text) {
    if (fs_write_file(desk_path(desk, path), text, strlen(text), 0644, &desk->err) < 0)
        fail_msg("%s", desk->err.message);
}

/* NULL when there is no such file. */
static inline const char *desk_get(struct desk *desk, const char *path) {
    CLEANUP(buf_release) struct buf text = {0};
    if (fs_read_file(desk_path(desk, path), 8 << 20, &text, &desk->err) < 0)
        return NULL;
    return arena_strndup(desk->arena, text.data, text.len);
}

static inline void desk_init(struct desk *desk, const char *definition) {
    memset(desk, 0, sizeof(*desk));
    desk->arena = arena_create();
    desk->bench.confine.fd = -1;
    strcpy(desk->dir, "/tmp/prazium-agent-XXXXXX");
    assert_non_null(mkdtemp(desk->dir));
    assert_int_equal(sandbox_start(&desk->err), 0);
    desk->tree = desk_path(desk, "tree");
    assert_int_equal(fs_mkdirs(desk->tree, 0755, &desk->err), 0);
    assert_int_equal(fs_mkdirs(desk_path(desk, "home"), 0700, &desk->err), 0);
    desk_put(desk, "tree/.git", "gitdir: elsewhere\n");
    desk->request = (struct agent_request){.definition = desk_json(desk, definition),
                                           .plan = desk_json(desk, "{'name': 'Toy'}"),
                                           .documents = desk_json(desk, "{}"),
                                           .worktree = desk->tree,
                                           .home = desk_path(desk, "home"),
                                           .attempt = 1,
                                           .scope = "task/toy/1",
                                           .arena = desk->arena,
                                           .is_cancelled = desk_is_cancelled,
                                           .cancel_arg = desk,
                                           .on_note = desk_note,
                                           .note_arg = desk};
    static const char *env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", NULL};
    desk->request.tool_env = env;
}

static inline void desk_release(struct desk *desk) {
    confine_close(&desk->bench.confine);
    assert_int_equal(fs_remove_tree(desk->dir, &desk->err), 0);
    buf_release(&desk->notes);
    arena_destroy(desk->arena);
}

/* For tests of single tools. */
static inline void desk_open_bench(struct desk *desk) {
    desk->bench = (struct bench){
        .request = &desk->request, .arena = desk->arena, .is_cancelled = desk_is_cancelled, .cancel_arg = desk};
    assert_int_equal(confine_open(&desk->bench.confine, desk->tree, &desk->err), 0);
}

static inline int desk_tool(struct desk *desk, const char *name, const char *arguments) {
    desk->err = (struct err){0};
    return tools_run(&desk->bench, name, desk_json(desk, arguments), desk->arena, &desk->answer, &desk->err);
}

static inline void desk_tool_says(struct desk *desk, const char *name, const char *arguments, const char *text) {
    if (desk_tool(desk, name, arguments) < 0)
        fail_msg("%s %s: %s", name, arguments, desk->err.message);
    assert_string_equal(desk->answer.text, text);
}

static inline void desk_tool_fails(struct desk *desk, const char *name, const char *arguments, const char *part) {
    if (desk_tool(desk, name, arguments) == 0)
        fail_msg("%s %s: %s", name, arguments, desk->answer.text);
    if (!strstr(desk->err.message, part))
        fail_msg("%s %s: %s", name, arguments, desk->err.message);
}

#endif
