/* files: PLAN.json OUT [BLUEPRINTS]: renders every part of the plan into OUT and prints the parts as JSON. */
#include <stdio.h>

#include "base/arena.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "blueprint/blueprint.h"

enum { LARGEST_PLAN_BYTES = 16 * 1024 * 1024 };

struct job {
    const char *out;
    struct arena *arena;
};

static int write_file(const char *path, const char *data, size_t len, void *arg, struct err *err) {
    const struct job *job = arg;
    return fs_write_file(fs_join(job->arena, job->out, path), data, len, 0644, err);
}

static void print_list(struct jw *jw, const char *key, const char **texts, size_t count) {
    jw_key(jw, key);
    jw_array(jw);
    for (size_t i = 0; i < count; i++)
        jw_str(jw, texts[i]);
    jw_array_end(jw);
}

static void print_part(struct jw *jw, const struct part *part) {
    jw_object(jw);
    jw_kstr(jw, "id", part->id);
    jw_kstr(jw, "kind", part->kind);
    jw_kstr(jw, "title", part->title);
    print_list(jw, "needs", part->needs, part->need_count);
    print_list(jw, "scope", part->scope, part->scope_count);
    print_list(jw, "paths", part->paths, part->path_count);
    jw_object_end(jw);
}

static int render_all(const struct stack *stack, json_t *view, const struct job *job, struct err *err) {
    CLEANUP(buf_release) struct buf text = {0};
    struct part *parts = NULL;
    size_t count = 0;
    struct jw jw;
    int result = stack_parts(stack, view, job->arena, &parts, &count, err);
    jw_init(&jw, &text);
    jw_array(&jw);
    for (size_t i = 0; i < count && result == 0; i++) {
        print_part(&jw, &parts[i]);
        result = stack_render(stack, view, &parts[i], write_file, (void *)job, err);
    }
    jw_array_end(&jw);
    if (result == 0)
        (void)puts(text.data);
    return result;
}

static int run(char **argv, struct arena *arena, struct err *err) {
    CLEANUP(buf_release) struct buf text = {0};
    const struct job job = {argv[2], arena};
    struct assets *assets = NULL;
    struct stack *stack = NULL;
    json_t *plan = NULL, *view = NULL;
    int result;
    if ((result = fs_read_file(argv[1], LARGEST_PLAN_BYTES, &text, err)) < 0 ||
        (result = json_parse(arena, text.data, text.len, &plan, err)) < 0 ||
        (result = blueprint_view(plan, arena, &view, err)) < 0 || (result = assets_open(&assets, argv[3], err)) < 0)
        return result;
    result = stack_open(&stack, assets, "next", err);
    if (result == 0)
        result = render_all(stack, view, &job, err);
    stack_close(stack);
    assets_close(assets);
    return result;
}

int main(int argc, char **argv) {
    struct arena *arena = arena_create();
    struct err err = {0};
    int result = argc == 3 || argc == 4 ? run(argv, arena, &err)
                                        : err_set(&err, ERR_VALIDATION, "usage: files PLAN.json OUT [BLUEPRINTS]");
    if (result < 0)
        (void)fprintf(stderr, "%s\n", err.message);
    arena_destroy(arena);
    return result < 0 ? 1 : 0;
}
