/* fuzz_answers: answers to questions; those that pass the check give a plan. */
#include "plans.h"

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    plans_open();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena *arena = arena_create();
    struct planner_input input = plans_input;
    struct planner_spec spec = {0};
    json_t *answers = NULL;
    struct err err = {0};
    int result = json_parse(arena, size ? (const char *)data : "", size, &answers, &err);

    if (result == 0)
        result = planner_check_answers(plans.questions, answers, &err);
    FUZZ_HOLDS(result == 0 || result == -ERR_VALIDATION);
    input.questions = plans.questions;
    input.answers = answers;
    if (result == 0) {
        FUZZ_HOLDS(planner_spec(plans.planner, &input, arena, &spec, &err) == 0);
        plans_check(arena, spec.plan);
    }
    arena_destroy(arena);
    return 0;
}
