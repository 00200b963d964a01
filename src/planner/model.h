/* model: questions, spec and tasks by a language model. What it answers is held against the rules of docs/models.md,
 * "Planning"; what breaks them goes back to it with the faults named, three times at most. */
#ifndef PLANNER_MODEL_H
#define PLANNER_MODEL_H

#include "llm/llm.h"
#include "planner/planner.h"

/* Who is asked, and under which rules. */
struct planner_model {
    const struct assets *assets; /* the prompts */
    const struct stack *stack;   /* what is built with */
    const struct llm_model *model;
    const struct llm_meter *meter; /* or NULL */
    struct llm_tape *tape;         /* or NULL; scopes "questions", "spec", "decompose" */
    bool (*is_cancelled)(void *arg);
    void *cancel_arg;
};

/* Why there is no plan, beyond the error. */
struct planner_failure {
    bool is_faulty;       /* the model answered, and never as it should */
    int64_t resets_at_ms; /* after ERR_QUOTA: when there is quota again; 0: unknown */
};

/* All of these: errors are those of llm_call, or ERR_UNAVAILABLE with the faults of the last answer. failure may be
 * NULL.
 *
 * As planner_questions. */
MUST_CHECK int model_questions(const struct planner_model *by, const struct planner_input *input, struct arena *arena,
                               json_t **questions, struct planner_failure *failure, struct err *err);

/* What a new version begins from. */
struct planner_base {
    const json_t *plan, *documents; /* of the version before, whoever made it */
    const json_t *edited;           /* documents as a person has them now; NULL: nobody changed them */
};
/* As planner_spec; the plan has "source": "model". base NULL: the first version. With edited documents out->documents
 * has them word for word. */
MUST_CHECK int model_spec(const struct planner_model *by, const struct planner_input *input,
                          const struct planner_base *base, struct arena *arena, struct planner_spec *out,
                          struct planner_failure *failure, struct err *err);

/* As planner_decompose, 1 to 20 tasks, for a plan that model_spec made. documents: the spec's. */
MUST_CHECK int model_decompose(const struct planner_model *by, const json_t *plan, const json_t *documents,
                               const char *const *base_paths, size_t base_path_count, struct arena *arena,
                               json_t **tasks, struct planner_failure *failure, struct err *err);

/* Whether model_spec made it. */
bool plan_is_by_model(const json_t *plan);

#endif
