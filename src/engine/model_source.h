/* model_source: the model that plans, as the planner asks it: metered, and stopped when its work is. */
#ifndef ENGINE_MODEL_SOURCE_H
#define ENGINE_MODEL_SOURCE_H

#include "engine/choice.h"
#include "engine/metering.h"
#include "planner/model.h"

/* Kept while it is in use; scope.is_cancelled stops the calls, too. */
struct model_source {
    struct llm_model model;
    struct budget_scope scope;
    struct metering metering;
    struct planner_model by;
    struct planner_failure failure;
};

/* ERR_UNAVAILABLE when no model is set up. */
MUST_CHECK int model_source_init(struct model_source *source, struct engine *engine, const struct choice *choice,
                                 const struct budget_scope *scope, struct err *err);

#endif
