/* fuzz_tasks: tasks for a plan, from whatever source. */
#include "plans.h"

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    plans_open();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_create();
    json_t *tasks = NULL;
    struct err err = {0};

    if (json_parse(arena, size ? (const char *)data : "", size, &tasks, &err) == 0) {
        int result = planner_check_tasks(tasks, plans.spec.plan, &err);
        FUZZ_HOLDS(result == 0 || (result < 0 && err.message[0]));
    }
    arena_destroy(arena);
    return 0;
}
