/* model_source: the model that plans, as the planner asks it. */
#include "engine/model_source.h"

#include "engine/context.h"

int model_source_init(struct model_source *source, struct engine *engine, const struct choice *choice,
                      const struct budget_scope *scope, struct err *err) {
    if (!choice->has_model)
        return err_set(err, ERR_UNAVAILABLE, "No model is set up that could plan this");
    *source = (struct model_source){.model = choice->model, .scope = *scope};
    metering_init(&source->metering, engine, &source->scope, &source->model);
    source->by = (struct planner_model){.assets = engine->assets,
                                        .stack = engine->stack,
                                        .model = &source->model,
                                        .meter = &source->metering.meter,
                                        .tape = engine->tape,
                                        .is_cancelled = scope->is_cancelled,
                                        .cancel_arg = scope->cancel_arg};
    return 0;
}
