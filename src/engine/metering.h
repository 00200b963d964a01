/* metering: the budget as the meter of a model's call: each attempt is reserved at its most, and entered as it was. */
#ifndef ENGINE_METERING_H
#define ENGINE_METERING_H

#include "engine/budget.h"
#include "llm/llm.h"
#include "llm/price.h"

/* For one call at a time; the caller keeps it while its meter is in use. */
struct metering {
    struct llm_meter meter; /* for llm_request */
    struct engine *engine;
    const struct budget_scope *scope;
    const struct llm_model *model;
    struct price price;
    bool is_priced;
    struct budget_reservation reservation; /* its refusal says why, after ERR_BUDGET */
    struct llm_usage most;                 /* what was reserved */
};

void metering_init(struct metering *metering, struct engine *engine, const struct budget_scope *scope,
                   const struct llm_model *model);

#endif
