/* Unit test of specs: every description gives a whole plan, and what a good engineer would model is in it. */
#include "plans.h"

static void every_description_gives_a_whole_plan(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(plans_descriptions); i++) {
        arena_reset(f->arena);
        struct planner_spec spec = plans_spec(f, plans_descriptions[i], NULL);
        plans_check(f, &spec);
        assert_in_range(json_array_size(json_object_get(spec.plan, "entities")), 2, 12);
    }
}

static void the_same_input_gives_the_same_bytes(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_LEN(plans_descriptions); i += 3) {
        arena_reset(f->arena);
        struct planner_spec first = plans_spec(f, plans_descriptions[i], NULL),
                            second = plans_spec(f, plans_descriptions[i], NULL);
        assert_string_equal(json_text(f->arena, first.plan), json_text(f->arena, second.plan));
        assert_string_equal(json_text(f->arena, first.documents), json_text(f->arena, second.documents));
    }
}

static const char *rule_kind_of(const struct planner_spec *spec, const char *entity, const char *kind) {
    return json_str(plans_find(json_object_get(plans_entity(spec, entity), "rules"), "kind", kind), "kind", NULL);
}

static void has_entities(const struct planner_spec *spec, const char *slugs) {
    char copy[400], *save = NULL;
    snprintf(copy, sizeof copy, "%s", slugs);
    for (char *slug = strtok_r(copy, " ", &save); slug; slug = strtok_r(NULL, " ", &save))
        if (!plans_entity(spec, slug))
            fail_msg("there are no %s", slug);
}

static void the_yoga_studio_knows_spots_and_packs(void **state) {
    struct fixture *f = *state;
    struct planner_spec spec = plans_spec(f, plans_descriptions[1], NULL);
    has_entities(&spec, "classes instructors members class-packs bookings");
    assert_non_null(rule_kind_of(&spec, "bookings", "capacity"));
    assert_non_null(rule_kind_of(&spec, "bookings", "credit"));
    assert_non_null(rule_kind_of(&spec, "bookings", "unique"));
    assert_non_null(plans_find(json_object_get(spec.plan, "views"), "kind", "calendar"));
}

static void the_repair_shop_flags_low_stock(void **state) {
    struct fixture *f = *state;
    struct planner_spec spec = plans_spec(f, plans_descriptions[2], NULL);
    has_entities(&spec, "parts suppliers purchase-orders");
    const json_t *threshold = plans_find(json_object_get(plans_entity(&spec, "parts"), "rules"), "kind", "threshold");
    assert_string_equal(json_str(threshold, "limit", ""), "reorderLevel");
    assert_int_equal(json_int(plans_field(&spec, "parts", "reorderLevel"), "default", 0), 5);
    assert_string_equal(json_str(plans_field(&spec, "parts", "supplier"), "entity", ""), "suppliers");
}

static void the_description_names_the_entities(void **state) {
    struct fixture *f = *state;
    struct planner_spec spec = plans_spec(f, plans_descriptions[5], NULL);
    has_entities(&spec, "clients invoices expenses receipts");
    assert_non_null(plans_find(json_object_get(spec.plan, "views"), "kind", "report"));
    spec = plans_spec(f, plans_descriptions[4], NULL);
    has_entities(&spec, "customers tickets");
}

static void nouns_without_a_feature_become_entities(void **state) {
    struct fixture *f = *state;
    struct planner_spec spec =
        plans_spec(f, "A log for model railways: locomotives, wagons, signal posts and derailments.", NULL);
    has_entities(&spec, "locomotives wagons signal-posts derailments");
    plans_check(f, &spec);
    spec = plans_spec(f, "Keep dives, dive sites and dive buddies.", NULL);
    has_entities(&spec, "dives dive-sites");
}

static void negation_takes_a_feature_out(void **state) {
    struct fixture *f = *state;
    struct planner_spec spec =
        plans_spec(f, "A task board for projects, without time tracking and without sign-in.", NULL);
    assert_null(plans_entity(&spec, "time-entries"));
    assert_false(json_flag(json_object_get(spec.plan, "capabilities"), "auth", true));
    plans_check(f, &spec);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_description_gives_a_whole_plan),
        cmocka_unit_test(the_same_input_gives_the_same_bytes),
        cmocka_unit_test(the_yoga_studio_knows_spots_and_packs),
        cmocka_unit_test(the_repair_shop_flags_low_stock),
        cmocka_unit_test(the_description_names_the_entities),
        cmocka_unit_test(nouns_without_a_feature_become_entities),
        cmocka_unit_test(negation_takes_a_feature_out),
    };
    return cmocka_run_group_tests(tests, plans_setup, plans_teardown);
}
