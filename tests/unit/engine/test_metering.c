/* metering: what a call may come to is reserved at its price, and what it came to is entered. */
#include "fixture.h"

#include "engine/metering.h"
#include "store/spending.h"

static int run_set_up(void **state) {
    struct fixture *f = *state = fixture_create();
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    begin_run(f);
    return 0;
}

static struct usage_sum total(struct fixture *f) {
    struct usage_sum sum;
    must(f, store_usage_total(reader(f), f->run_id, 0, &sum, &f->err));
    return sum;
}

static struct spending_limits reserved(struct fixture *f) {
    struct spending_limits sum;
    must(f, store_reservation_sum(reader(f), f->account_id, NULL, &sum, &f->err));
    return sum;
}

static void each_attempt_is_entered(void **state) {
    struct fixture *f = *state;
    struct budget_scope scope = {
        .account_id = f->account_id, .project_id = f->project_id, .run_id = f->run_id, .purpose = "task"};
    struct llm_model model = {.format = LLM_ANTHROPIC, .name = "claude-sonnet-4-5"};
    struct metering metering;
    struct llm_meter *meter = &metering.meter;
    metering_init(&metering, f->engine, &scope, &model);

    must(f, meter->reserve(meter->arg, 1000, 100, &f->err));
    assert_int_equal(reserved(f).cost_micros, 3750 + 1500); /* as if all were written to the cache */
    assert_int_equal(reserved(f).tokens, 1100);
    meter->settle(meter->arg, &(struct llm_usage){.input_tokens = 400, .cached_input_tokens = 300, .output_tokens = 10},
                  true);
    assert_int_equal(reserved(f).cost_micros, 0);
    assert_int_equal(total(f).cost_micros, 300 + 90 + 150);
    assert_int_equal(total(f).input_tokens, 400);

    /* One that broke off may have come to all of it; one that was never answered came to nothing. */
    must(f, meter->reserve(meter->arg, 1000, 100, &f->err));
    meter->settle(meter->arg, &(struct llm_usage){.input_tokens = 1}, false);
    assert_int_equal(total(f).cost_micros, 540 + 5250);
    must(f, meter->reserve(meter->arg, 1000, 100, &f->err));
    meter->settle(meter->arg, &(struct llm_usage){0}, true);
    assert_int_equal(total(f).cost_micros, 540 + 5250);
    assert_int_equal(total(f).calls, 2);
    assert_int_equal(reserved(f).cost_micros, 0);
}

static void unknown_models_have_no_price(void **state) {
    struct fixture *f = *state;
    struct budget_scope scope = {
        .account_id = f->account_id, .project_id = f->project_id, .run_id = f->run_id, .purpose = "task"};
    struct llm_model model = {.format = LLM_OLLAMA, .name = "qwen3:8b"};
    struct metering metering;
    metering_init(&metering, f->engine, &scope, &model);
    must(f, metering.meter.reserve(&metering, 1000, 100, &f->err));
    metering.meter.settle(&metering, &(struct llm_usage){.input_tokens = 400, .output_tokens = 10}, true);
    assert_int_equal(total(f).cost_micros, 0);
    assert_int_equal(total(f).unpriced_calls, 1);

    /* Until the data directory has one. */
    static const char prices[] = "{\"qwen3\": {\"input\": 1, \"output\": 10}}";
    const char *path = arena_printf(f->arena, "%s/prices.json", engine_data_dir(f->engine));
    must(f, fs_write_file(path, prices, strlen(prices), 0600, &f->err));
    fixture_reopen(f);
    metering_init(&metering, f->engine, &scope, &model);
    assert_true(metering.is_priced);
    assert_int_equal(metering.price.output, 10000000);
}

#define T(name) cmocka_unit_test_setup_teardown(name, run_set_up, fixture_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(each_attempt_is_entered),
        T(unknown_models_have_no_price),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
