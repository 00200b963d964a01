/* plans: a planner over the blueprints of the source tree, and a spec to begin with. */
#ifndef TESTS_FUZZ_PLANS_H
#define TESTS_FUZZ_PLANS_H

#include "fuzz.h"

#include "base/json.h"
#include "base/str.h"
#include "planner/planner.h"

static struct {
    struct planner *planner;
    struct stack *stack;
    struct arena *arena;
    json_t *questions;
    struct planner_spec spec; /* of plans_input */
} plans;

static const struct planner_input plans_input = {
    .name = "Loans",
    .description = "A library of things: members list tools they own, others borrow them, with due dates and reviews."};

static inline void plans_open(void) {
    struct assets *assets = NULL;
    struct catalog *catalog = NULL;
    struct err err;

    plans.arena = arena_create();
    FUZZ_HOLDS(assets_open(&assets, TEST_SOURCE_ROOT "/blueprints", &err) == 0);
    FUZZ_HOLDS(catalog_open(&catalog, assets, &err) == 0);
    FUZZ_HOLDS(stack_open(&plans.stack, assets, "next", &err) == 0);
    FUZZ_HOLDS(planner_create(&plans.planner, assets, catalog, plans.stack, &err) == 0);
    FUZZ_HOLDS(planner_questions(plans.planner, &plans_input, plans.arena, &plans.questions, &err) == 0);
    FUZZ_HOLDS(planner_spec(plans.planner, &plans_input, plans.arena, &plans.spec, &err) == 0);
}

/* A plan that the planner made can be built. */
static inline void plans_check(struct arena *arena, const json_t *plan) {
    json_t *view = NULL, *tasks = NULL;
    struct err err = {0};
    int result = blueprint_view(plan, arena, &view, &err);

    if (result == 0)
        result = planner_decompose(plans.planner, plan, NULL, 0, arena, &tasks, &err);
    if (result == 0)
        result = planner_check_tasks(tasks, plan, &err);
    if (result < 0)
        (void)fprintf(stderr, "%s: %s\n", err.field, err.message);
    FUZZ_HOLDS(result == 0);
}

#endif
