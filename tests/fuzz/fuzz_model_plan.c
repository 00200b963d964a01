/* fuzz_model_plan: what a model answers when it plans: steps, plans and tasks. */
#include "fuzz.h"

#include "base/json.h"
#include "planner/model_parts.h"

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_create();
    struct faults faults = {.arena = arena};
    json_t *answer = NULL;
    struct err err = {0};

    if (json_parse(arena, size ? (const char *)data : "", size, &answer, &err) == 0) {
        json_t *clean = model_clean(arena, answer);
        json_t *steps = json_own(arena, steps_take(arena, json_object_get(clean, "setup"), "setup", &faults));
        struct step_rules rules = {.routes = json_object_get(clean, "routes"),
                                   .saved = json_own(arena, json_object()),
                                   .covered = json_own(arena, json_object())};
        steps_judge(&rules, steps, "setup", &faults);
        plan_judge(clean, size % 2 == 0, &faults);
        size_t before = faults.count;
        json_t *tasks = tasks_take(arena, clean, clean, &faults);
        /* What is taken has no fault, and what has none is taken. */
        FUZZ_HOLDS((tasks != NULL) == (faults.count == 0));
        FUZZ_HOLDS(faults.count >= before);
        FUZZ_HOLDS(faults.count == 0 || faults_list(&faults)[0] == '-');
    }
    arena_destroy(arena);
    return 0;
}
