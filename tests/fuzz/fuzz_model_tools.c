/* fuzz_model_tools: a call of a tool as a model may make it: its name, its path, then JSON of further arguments, a line
 * each. Whatever it is, it answers in valid texts, soon, and nothing outside the worktree is read or changed. */
#include "fuzz.h"

#include <dirent.h>
#include <unistd.h>

#include "agent/model_tools.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/str.h"

#define SECRET "a text that is nowhere in the worktree"

static char dir[64], tree[80];
static size_t changes;

static const char *at(struct arena *arena, const char *path) {
    return fs_join(arena, dir, path);
}

static void put(struct arena *arena, const char *path, const char *text) {
    struct err err = {0};
    FUZZ_HOLDS(fs_write_file(at(arena, path), text, strlen(text), 0644, &err) == 0);
}

/* A worktree with ways out of it. */
static void make_tree(struct arena *arena) {
    struct err err = {0};
    FUZZ_HOLDS(fs_remove_tree(tree, &err) == 0);
    put(arena, "outside/secret", SECRET);
    put(arena, "tree/src/a.ts", "export const a = 1\nconst b = [a]\n");
    put(arena, "tree/.git", "gitdir: elsewhere\n");
    FUZZ_HOLDS(symlink("../outside", at(arena, "tree/out")) == 0);
    FUZZ_HOLDS(symlink("../../outside/secret", at(arena, "tree/src/link")) == 0);
    FUZZ_HOLDS(link(at(arena, "outside/secret"), at(arena, "tree/src/hard")) == 0);
    changes = 0;
}

static void remove_all(void) {
    struct err err = {0};
    (void)!fs_remove_tree(dir, &err);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    struct arena *arena = arena_create();
    (void)snprintf(dir, sizeof(dir), "/tmp/prazium-fuzz-tools-XXXXXX");
    FUZZ_HOLDS(mkdtemp(dir));
    (void)snprintf(tree, sizeof(tree), "%s/tree", dir);
    make_tree(arena);
    (void)atexit(remove_all);
    arena_destroy(arena);
    return 0;
}

static void check_outside(struct arena *arena) {
    CLEANUP(buf_release) struct buf text = {0};
    struct err err = {0};
    int names = 0;
    FUZZ_HOLDS(fs_read_file(at(arena, "outside/secret"), 1000, &text, &err) == 0 && str_eq(text.data, SECRET));
    FUZZ_HOLDS(fs_read_file(at(arena, "tree/.git"), 1000, &text, &err) == 0);
    DIR *folder = opendir(dir);
    FUZZ_HOLDS(folder);
    while (readdir(folder))
        names++;
    (void)closedir(folder);
    FUZZ_HOLDS(names == 4); /* ".", "..", "tree", "outside" */
}

static bool never(void *arg) {
    return false;
}

static void run(struct arena *arena, const char *name, json_t *arguments) {
    struct err err = {0};
    struct tool_answer answer = {0};
    struct agent_request request = {.definition = json_own(arena, json_pack("{s:[s,s], s:[s]}", "pathScope", "src/**",
                                                                            "*", "expectedOutputs", "b")),
                                    .arena = arena};
    struct bench bench = {.request = &request, .arena = arena, .is_cancelled = never};
    FUZZ_HOLDS(confine_open(&bench.confine, tree, &err) == 0);
    int rc = tools_run(&bench, name, arguments, arena, &answer, &err);
    confine_close(&bench.confine);
    const char *said = rc < 0 ? err.message : answer.text;
    FUZZ_HOLDS(said && (rc < 0 || str_is_utf8(said, strlen(said))));
    FUZZ_HOLDS(strlen(said) < 256 * 1024 && !strstr(said, SECRET));
    changes += bench.changes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    /* It learns the secret from our asking for it. */
    if (memmem(data, size, SECRET, strlen(SECRET)))
        return 0;
    CLEANUP(mem_freep) char *name = fuzz_part(&data, &size, '\n');
    CLEANUP(mem_freep) char *path = fuzz_part(&data, &size, '\n');
    CLEANUP(mem_freep) char *rest = fuzz_text(data, size);
    struct arena *arena = arena_create();
    struct err err = {0};
    json_t *arguments = NULL;
    const char *visible = text_visible(arena, rest);

    FUZZ_HOLDS(str_is_utf8(visible, strlen(visible)) && strlen(visible) <= 3 * strlen(rest) + 1);
    FUZZ_HOLDS(!strpbrk(visible, "\x1b\a\b\r"));
    (void)command_install_words(arena, rest);
    if (json_parse(arena, rest, strlen(rest), &arguments, &err) < 0 || !json_is_object(arguments))
        arguments = json_own(arena, json_object());
    if (path[0] && str_is_utf8(path, strlen(path)))
        (void)json_object_set_new(arguments, str_eq(name, "list_files") ? "pattern" : "path", json_string(path));
    /* What a command does is not the tool's. */
    if (!str_eq(name, "run_command"))
        run(arena, name, arguments);
    check_outside(arena);
    if (changes > 200)
        make_tree(arena);
    arena_destroy(arena);
    return 0;
}
