/* model_parts: what the parts of planning by model share. For the layer's own files, and their tests. */
#ifndef PLANNER_MODEL_PARTS_H
#define PLANNER_MODEL_PARTS_H

#include "planner/faults.h"
#include "planner/model.h"

/* ---- model_ask.c */

/* Takes an answer apart; what is wrong with it goes into faults. The answer is an object. */
typedef void model_judge(const json_t *answer, void *arg, struct faults *faults);

struct model_asking {
    const char *scope;  /* also the name of the schema: prompts/<scope>.json */
    const char *prompt; /* the template: prompts/<scope>.mustache */
    json_t *context;    /* what it is rendered with */
    model_judge *judge;
    void *judge_arg;
};
/* Asks until judge finds no fault. */
MUST_CHECK int model_ask(const struct planner_model *by, const struct model_asking *asking, struct arena *arena,
                         struct planner_failure *failure, struct err *err);
/* {"name", "description", "answers", "feedback"} for templates. */
json_t *model_context(const struct planner_input *input, struct arena *arena);
/* Control characters made visible, in every text of value: a new value. */
json_t *model_clean(struct arena *arena, const json_t *value);

/* ---- model_steps.c */

/* Steps in the form that a model writes, as the plan has them (docs/blueprints.md, "Checks"). New reference. */
json_t *steps_take(struct arena *arena, const json_t *given, const char *place, struct faults *faults);

struct step_rules {
    const json_t *routes; /* of the plan */
    json_t *saved;        /* {name: true}: variables that were saved before */
    json_t *covered;      /* {"GET /tasks": true} */
    size_t count;         /* of all steps */
};
/* Holds steps of a plan against the rules. */
void steps_judge(struct step_rules *rules, const json_t *steps, const char *place, struct faults *faults);
/* "/api/tasks/[id]" is the route of "/api/tasks/${task}?full=1". */
bool route_fits(const char *route, const char *path);

/* ---- model_check.c */
/* is_edited: a person wrote the criteria, of which there may be none, and of whose checks nobody may know (kind none).
 */
void plan_judge(const json_t *plan, bool is_edited, struct faults *faults);
/* The beginning of what looks like a key or a password's hash in text, or NULL. */
const char *secret_in(const char *text);

/* ---- model_tasks.c */

/* Tasks as a model writes them, by slugs, as definitions; NULL after faults. */
json_t *tasks_take(struct arena *arena, const json_t *answer, const json_t *plan, struct faults *faults);

#endif
