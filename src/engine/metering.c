/* metering: the budget as the meter of a model's call. */
#include "engine/metering.h"

#include "base/log.h"
#include "engine/context.h"

static int reserve(void *arg, int64_t input_tokens, int64_t output_tokens, struct err *err) {
    struct metering *metering = arg;
    const struct price *price = &metering->price;

    metering->most = (struct llm_usage){.input_tokens = input_tokens, .output_tokens = output_tokens};
    /* All of the input may come to be written to the provider's cache, which costs more than reading it does. */
    if (price->cache_write > price->input)
        metering->most.cache_write_tokens = input_tokens;
    return budget_reserve(metering->engine, metering->scope, price_of(price, &metering->most),
                          input_tokens + output_tokens, &metering->reservation, err);
}

/* What nobody knows counts as the most it can have been. */
static void settle(void *arg, const struct llm_usage *usage, bool is_known) {
    struct metering *metering = arg;
    const struct llm_usage *used = is_known ? usage : &metering->most;
    struct budget_use use = {.provider = llm_format_name(metering->model->format),
                             .model = metering->model->name,
                             .input_tokens = used->input_tokens,
                             .cached_tokens = used->cached_input_tokens,
                             .cache_write_tokens = used->cache_write_tokens,
                             .output_tokens = used->output_tokens,
                             .cost_micros = price_of(&metering->price, used),
                             .is_priced = metering->is_priced && is_known};
    bool is_nothing = used->input_tokens == 0 && used->output_tokens == 0;
    struct err err = {0};

    int rc = is_nothing ? budget_release(metering->engine, &metering->reservation, &err)
                        : budget_settle(metering->engine, &metering->reservation, &use, &err);
    if (rc < 0)
        log_event(LOG_ERROR, "what a model used could not be entered", "run", metering->scope->run_id, "reason",
                  err.message, NULL);
}

void metering_init(struct metering *metering, struct engine *engine, const struct budget_scope *scope,
                   const struct llm_model *model) {
    *metering = (struct metering){.meter = {.reserve = reserve, .settle = settle, .arg = metering},
                                  .engine = engine,
                                  .scope = scope,
                                  .model = model};
    metering->is_priced = price_find(engine->prices, model->name, &metering->price);
}
