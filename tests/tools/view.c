/* view: PLAN.json [BLUEPRINTS]: the decorated plan, as JSON on stdout. */
#include <stdio.h>

#include "base/arena.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "blueprint/blueprint.h"

enum { LARGEST_PLAN_BYTES = 16 * 1024 * 1024 };

static int print_view(const char *path, struct arena *arena, struct err *err) {
    CLEANUP(buf_release) struct buf text = {0};
    json_t *plan = NULL, *view = NULL;
    int result = fs_read_file(path, LARGEST_PLAN_BYTES, &text, err);
    if (result < 0 || (result = json_parse(arena, text.data, text.len, &plan, err)) < 0 ||
        (result = blueprint_view(plan, arena, &view, err)) < 0)
        return result;
    (void)puts(json_text(arena, view));
    return 0;
}

int main(int argc, char **argv) {
    struct arena *arena = arena_create();
    struct err err = {0};
    int result = argc == 2 ? print_view(argv[1], arena, &err) : err_set(&err, ERR_VALIDATION, "usage: view PLAN.json");
    if (result < 0)
        (void)fprintf(stderr, "%s\n", err.message);
    arena_destroy(arena);
    return result < 0 ? 1 : 0;
}
