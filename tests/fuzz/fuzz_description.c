/* fuzz_description: a description and, each behind a NUL, what is said of the spec: a plan that can be built, or a
 * clear refusal. */
#include "plans.h"

enum { FEEDBACK_MAX = 4 };

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    plans_open();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    CLEANUP(mem_freep) char *description = fuzz_part(&data, &size, '\0');
    char *said[FEEDBACK_MAX];
    const char *feedback[FEEDBACK_MAX];
    struct arena *arena = arena_create();
    struct planner_input input = {.name = "Fuzz", .description = str_mend(arena, description), .feedback = feedback};
    struct planner_spec spec = {0};
    json_t *questions = NULL;
    struct err err = {0};

    while (size && input.feedback_count < FEEDBACK_MAX) {
        said[input.feedback_count] = fuzz_part(&data, &size, '\0');
        feedback[input.feedback_count] = str_mend(arena, said[input.feedback_count]);
        input.feedback_count++;
    }
    int result = 0;
    if (!input.feedback_count) { /* it tries every answer, and is slow */
        result = planner_questions(plans.planner, &input, arena, &questions, &err);
        FUZZ_HOLDS(result == 0 ? json_array_size(questions) >= 3 : result == -ERR_VALIDATION);
    }
    result = planner_spec(plans.planner, &input, arena, &spec, &err);
    FUZZ_HOLDS(result == 0 || result == -ERR_VALIDATION);
    if (result == 0)
        plans_check(arena, spec.plan);
    for (size_t i = 0; i < input.feedback_count; i++)
        free(said[i]);
    arena_destroy(arena);
    return 0;
}
