/* fuzz_plan: plans that came from outside; one that passes the check can be rendered. */
#include "plans.h"

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    plans_open();
    return 0;
}

static int ignore(const char *path, const char *data, size_t len, void *arg, struct err *err) {
    return 0;
}

static void render(struct arena *arena, json_t *view) {
    struct part *parts = NULL;
    size_t count = 0;
    struct err err = {0};

    if (stack_parts(plans.stack, view, arena, &parts, &count, &err) < 0)
        return;
    for (size_t i = 0; i < count; i++)
        (void)!stack_render(plans.stack, view, &parts[i], ignore, NULL, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_create();
    json_t *plan = NULL, *view = NULL;
    struct err err = {0};
    int result = json_parse(arena, size ? (const char *)data : "", size, &plan, &err);

    if (result == 0)
        result = blueprint_view(plan, arena, &view, &err);
    FUZZ_HOLDS(result == 0 || result == -ERR_VALIDATION);
    if (result == 0)
        render(arena, view);
    arena_destroy(arena);
    return 0;
}
