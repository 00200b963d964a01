/* Unit test of the catalog by the planner: descriptions of many domains, the features they call for and the entities of
 * their plans. */
#include "plans.h"

static bool has_slug(const json_t *things, const char *slug) {
    return plans_find(things, "slug", slug) != NULL;
}

static int count_missing(const struct planner_spec *spec, const json_t *expected) {
    size_t i;
    json_t *slug;
    int missing = 0;
    const char *description = json_str(expected, "description", "");
    const json_t *features = json_object_get(spec->plan, "features"),
                 *entities = json_object_get(spec->plan, "entities");
    json_array_foreach (json_object_get(expected, "expectFeatures"), i, slug) {
        if (!has_slug(features, json_string_value(slug)) && ++missing)
            print_error("%.60s: the feature %s is not chosen\n", description, json_string_value(slug));
    }
    json_array_foreach (json_object_get(expected, "absentFeatures"), i, slug) {
        if (has_slug(features, json_string_value(slug)) && ++missing)
            print_error("%.60s: the feature %s is chosen\n", description, json_string_value(slug));
    }
    json_array_foreach (json_object_get(expected, "expectEntities"), i, slug) {
        if (!has_slug(entities, json_string_value(slug)) && ++missing)
            print_error("%.60s: there are no %s\n", description, json_string_value(slug));
    }
    return missing;
}

static void plans_are_as_expected(void **state) {
    struct fixture *f = *state;
    json_auto_t *list = json_load_file(TEST_SOURCE_ROOT "/tests/data/descriptions.json", 0, NULL);
    size_t i;
    json_t *expected;
    int missing = 0;
    assert_true(json_array_size(list) > 0);
    json_array_foreach (list, i, expected) {
        arena_reset(f->arena);
        struct planner_spec spec = plans_spec(f, json_str(expected, "description", ""), NULL);
        missing += count_missing(&spec, expected);
        plans_check(f, &spec);
    }
    assert_int_equal(missing, 0);
}

/* Each feature asked for by its first word, beside entities of no feature, still gives a whole plan. */
static void every_feature_gives_a_whole_plan(void **state) {
    struct fixture *f = *state;
    size_t i;
    json_t *feature;
    json_array_foreach ((json_t *)catalog_features(f->catalog), i, feature) {
        arena_reset(f->arena);
        char wish[300];
        const json_t *strong = json_at(feature, "words.strong");
        snprintf(wish, sizeof wish, "add %s", str_or(json_string_value(json_array_get(strong, 0)), ""));
        struct planner_spec spec = plans_spec(f, "Keep zebras and yaks.", wish);
        plans_check(f, &spec);
        if (!has_slug(json_object_get(spec.plan, "features"), json_str(feature, "slug", "")))
            print_message("%s: \"%s\" adds another feature\n", json_str(feature, "slug", ""), wish);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(plans_are_as_expected),
                                       cmocka_unit_test(every_feature_gives_a_whole_plan)};
    return cmocka_run_group_tests(tests, plans_setup, plans_teardown);
}
