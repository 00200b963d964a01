/* Tests of planner/criteria: what criteria say is what their steps ask. */
#include "plans.h"

#define HELP_DESK                                                                                                      \
    "A help desk where customers open tickets, agents reply and assign priorities, and managers see response times."

static const char *path_of(const json_t *step) {
    return json_str(json_object_get(step, "request"), "path", "");
}

static json_t *steps_of(const struct planner_spec *spec, const char *title) {
    json_t *criterion = plans_find(json_object_get(spec->plan, "criteria"), "title", title);
    assert_non_null(criterion);
    return json_object_get(json_object_get(criterion, "check"), "steps");
}

static const json_t *step_at(const json_t *steps, const char *path) {
    size_t i;
    json_t *step;
    json_array_foreach ((json_t *)steps, i, step) {
        if (str_eq(path_of(step), path))
            return step;
    }
    return NULL;
}

/* They count up in the order in which ACCEPTANCE.md shows them: by feature. */
static void numbers_by_feature(void **state) {
    struct fixture *f = *state;
    struct planner_spec spec = plans_spec(f, HELP_DESK, NULL);
    json_t *criterion, *seen = json_own(f->arena, json_object());
    const char *last = "";
    size_t i;
    json_array_foreach (json_object_get(spec.plan, "criteria"), i, criterion) {
        const char *feature = json_str(criterion, "feature", "");
        assert_string_equal(json_str(criterion, "id", ""), arena_printf(f->arena, "AC-%zu", i + 1));
        if (!str_eq(feature, last))
            assert_null(json_object_get(seen, feature));
        json_object_set_new(seen, feature, json_true());
        last = feature;
    }
    const char *text = json_str(spec.documents, "ACCEPTANCE.md", "");
    assert_non_null(strstr(text, "/api/tickets/{row}"));
    assert_null(strstr(text, "${"));
}

static void closes_every_page(void **state) {
    struct fixture *f = *state;
    struct planner_spec spec = plans_spec(f, HELP_DESK, NULL);
    const json_t *steps = steps_of(&spec, "Without a session nothing is shown");
    size_t i;
    json_t *route;
    json_array_foreach (json_object_get(spec.plan, "routes"), i, route) {
        const char *path = json_str(route, "path", "");
        if (!str_eq(json_str(route, "method", ""), "GET") || !json_flag(route, "auth", false) || strchr(path, '['))
            continue;
        const json_t *step = step_at(steps, path);
        assert_non_null(step);
        assert_null(json_object_get(step, "as"));
        assert_int_equal(json_int(json_object_get(step, "expect"), "status", 0), str_starts(path, "/api/") ? 401 : 307);
    }
}

/* What a title promises for every kind is asked of every kind. */
static void searches_every_kind(void **state) {
    struct fixture *f = *state;
    struct planner_spec spec = plans_spec(f, "Expenses with receipts, clients and projects.", NULL);
    const json_t *steps = steps_of(&spec, "Search finds records of every kind");
    size_t i;
    json_t *entity;
    json_array_foreach (json_object_get(spec.plan, "entities"), i, entity) {
        const json_t *title = plans_field(&spec, json_str(entity, "slug", ""), json_str(entity, "titleField", ""));
        if (str_eq(json_str(title, "type", ""), "text"))
            assert_non_null(step_at(steps, arena_printf(f->arena, "/api/%s", json_str(entity, "slug", ""))));
    }
}

/* The README must say it, not just be there. */
static void reads_the_readme(void **state) {
    struct fixture *f = *state;
    struct planner_spec spec = plans_spec(f, HELP_DESK, NULL);
    const json_t *criterion =
        plans_find(json_object_get(spec.plan, "criteria"), "title", "A README says how to run it");
    const json_t *check = json_object_get(criterion, "check");
    assert_true(plans_has_text(json_object_get(check, "paths"), "README.md"));
    assert_true(plans_has_text(json_object_get(check, "contains"), "npm start"));
    assert_true(plans_has_text(json_object_get(check, "contains"), json_str(spec.plan, "tagline", "?")));
}

/* A timer is started with what its page sends: what time is spent on, and nothing else. */
static void starts_timers_as_the_page_does(void **state) {
    struct fixture *f = *state;
    struct planner_spec spec = plans_spec(f, "A project management tool with task boards and time tracking.", NULL);
    const json_t *step = step_at(steps_of(&spec, "The timer runs and stops"), "/api/timer/start");
    assert_non_null(step);
    const json_t *body = json_object_get(json_object_get(step, "request"), "json");
    assert_int_equal(json_object_size(body), 1);
    assert_non_null(json_object_get(body, "task"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_by_feature),
        cmocka_unit_test(closes_every_page),
        cmocka_unit_test(searches_every_kind),
        cmocka_unit_test(reads_the_readme),
        cmocka_unit_test(starts_timers_as_the_page_does),
    };
    return cmocka_run_group_tests(tests, plans_setup, plans_teardown);
}
