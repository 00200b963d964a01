/* Tests of blueprint/catalog: faults of feature files are named by file and key; the shipped catalog has none. */
#include "fixture.h"

static int open_with(struct fixture *fixture, const char *json, struct catalog **catalog) {
    struct assets *assets = NULL;
    *catalog = NULL;
    fixture_write(fixture, "features/notes.json", json);
    assert_int_equal(assets_open(&assets, fixture->dir, &fixture->err), 0);
    int result = catalog_open(catalog, assets, &fixture->err);
    assets_close(assets); /* the catalog keeps no text of it */
    return result;
}

#define FEATURE(more)                                                                                                  \
    "{\"slug\":\"notes\",\"title\":\"Notes\",\"summary\":\"S.\",\"words\":{\"strong\":[\"note\"]}" more "}"
#define ENTITY(fields)                                                                                                 \
    ",\"entities\":[{\"key\":\"notes\",\"name\":\"Note\",\"titleField\":\"a\",\"fields\":[" fields "]}]"
#define TEXT "{\"name\":\"a\",\"label\":\"A\",\"type\":\"text\"}"
#define QUESTION(more) ",\"questions\":[{\"id\":\"notes-x\",\"priority\":1,\"question\":\"Q?\"," more "}]"

static void opens_sound_features(void **state) {
    struct fixture fixture;
    struct catalog *catalog = NULL;
    fixture_init(&fixture);
    fixture_write(&fixture, "features/a.json",
                  "{\"slug\":\"a\",\"title\":\"A\",\"summary\":\"S.\",\"words\":{},\"requires\":[\"a-b\"]}");
    fixture_write(&fixture, "features/a-b.json", "{\"slug\":\"a-b\",\"title\":\"B\",\"summary\":\"S.\",\"words\":{}}");
    if (open_with(&fixture, FEATURE(ENTITY(TEXT)), &catalog) < 0)
        fail_msg("%s", fixture.err.message);
    assert_int_equal(json_array_size(catalog_features(catalog)), 3);
    assert_string_equal(json_str(json_array_get(catalog_features(catalog), 0), "slug", ""), "a");
    assert_string_equal(json_str(json_array_get(catalog_features(catalog), 1), "slug", ""), "a-b");
    assert_string_equal(json_str(catalog_feature(catalog, "notes"), "title", ""), "Notes");
    assert_null(catalog_feature(catalog, "none"));
    catalog_close(catalog);
    catalog_close(NULL);
    fixture_release(&fixture);
}

static void names_file_and_key(void **state) {
    static const struct {
        const char *json, *message;
    } rows[] = {
        {"[]", "must be an object"},
        {"{\"slug\":\"notes\"}", "title: is missing"},
        {FEATURE(",\"colour\":1"), "colour: unknown key"},
        {FEATURE(",\"order\":100"), "order: must be from 1 to 99"},
        {FEATURE(",\"covers\":\"x\""), "covers: must be a list of texts"},
        {FEATURE(",\"capabilities\":{\"fly\":true}"), "capabilities: unknown capability \"fly\""},
        {FEATURE(",\"settings\":{\"theme\":\"beige\"}"), "settings: unknown theme \"beige\""},
        {FEATURE(",\"requires\":[\"ghosts\"]"), "requires: there is no feature \"ghosts\""},
        {FEATURE(",\"roles\":[{\"value\":\"a\",\"label\":\"A\",\"can\":\"fly\"}]"), "roles[0]: unknown right \"fly\""},
        {FEATURE(ENTITY("{\"name\":\"b\",\"label\":\"B\",\"type\":\"text\"}")),
         "entities[0]: titleField: there is no field \"a\""},
        {FEATURE(ENTITY("{\"name\":\"a\",\"label\":\"A\",\"type\":\"colour\"}")),
         "entities[0].fields[0]: unknown type \"colour\""},
        {FEATURE(ENTITY("{\"name\":\"a\",\"label\":\"A\",\"type\":\"text\",\"size\":1}")),
         "entities[0].fields[0].size: unknown key"},
        {FEATURE(ENTITY(TEXT "," TEXT)), "entities[0].fields[1]: \"a\" is there twice"},
        {FEATURE(ENTITY("{\"name\":\"a\",\"type\":\"text\"}")), "entities[0].fields[0]: label is missing"},
        {FEATURE(ENTITY("{\"name\":\"a\",\"type\":\"ref\"}")), "entities[0].fields[0]: entity goes with the type ref"},
        {FEATURE(ENTITY("{\"name\":\"a\",\"label\":\"A\",\"type\":\"choice\"}")),
         "entities[0].fields[0]: options go with the type choice"},
        {FEATURE(ENTITY("{\"name\":\"a\",\"label\":\"A\",\"type\":\"choice\",\"options\":[\"X|loud\"]}")),
         "entities[0].fields[0].options[0]: unknown tone \"loud\""},
        {FEATURE(",\"extend\":[{\"entity\":\"x\",\"rules\":[{\"kind\":\"magic\"}]}]"),
         "extend[0].rules[0]: unknown kind \"magic\""},
        {FEATURE(",\"extend\":[{\"entity\":\"x\",\"rules\":[{\"kind\":\"unique\",\"fields\":[\"a\"]}]}]"),
         "extend[0].rules[0].message: is missing"},
        {FEATURE(",\"views\":[{\"kind\":\"board\",\"slug\":\"b\",\"title\":\"B\",\"entity\":\"x\"}]"),
         "views[0].field: is missing"},
        {FEATURE(",\"views\":[{\"kind\":\"dashboard\"}]"), "views[0]: unknown kind \"dashboard\""},
        {FEATURE(",\"cards\":[{\"label\":\"L\",\"entity\":\"x\",\"fn\":\"sum\"}]"), "cards[0]: field is missing"},
        {FEATURE(QUESTION("\"type\":\"boolean\",\"default\":1,\"effects\":[]")), "questions[0].default: is no answer"},
        {FEATURE(QUESTION("\"type\":\"poll\",\"default\":1,\"effects\":[]")), "questions[0]: unknown type \"poll\""},
        {FEATURE(QUESTION("\"type\":\"single_choice\",\"options\":[\"a\"],\"default\":\"a\",\"effects\":[]")),
         "questions[0]: options: 2 to 8 go with a choice"},
        {FEATURE(QUESTION("\"type\":\"boolean\",\"default\":true,\"effects\":[{\"settings\":{}}]")),
         "questions[0].effects[0]: must have one of is, not, has, lacks, any"},
        {FEATURE(QUESTION("\"type\":\"boolean\",\"default\":true,\"effects\":[{\"is\":false}]")),
         "questions[0].effects[0]: changes nothing"},
        {FEATURE(QUESTION("\"type\":\"boolean\",\"default\":true,\"effects\":[{\"is\":false,\"add\":{\"features\":"
                          "[\"ghosts\"]}}]")),
         "questions[0]: there is no feature \"ghosts\""},
        {FEATURE(",\"criteria\":[{\"title\":\"T\",\"statement\":\"S\",\"steps\":[{\"note\":\"n\"}]}]"),
         "criteria[0].steps[0]: must have either request or create"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture fixture;
        struct catalog *catalog = NULL;
        fixture_init(&fixture);
        assert_int_equal(open_with(&fixture, rows[i].json, &catalog), -ERR_VALIDATION);
        assert_null(catalog);
        assert_string_equal(fixture.err.message,
                            arena_printf(fixture.arena, "features/notes.json: %s", rows[i].message));
        fixture_release(&fixture);
    }
}

static void opens_the_shipped_catalog(void **state) {
    struct fixture fixture;
    struct assets *assets = NULL;
    struct catalog *catalog = NULL;
    fixture_init(&fixture);
    assert_int_equal(assets_open(&assets, NULL, &fixture.err), 0);
    if (catalog_open(&catalog, assets, &fixture.err) < 0)
        fail_msg("%s", fixture.err.message);
    assert_true(json_array_size(catalog_features(catalog)) > 0);
    catalog_close(catalog);
    assets_close(assets);
    fixture_release(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_sound_features),
        cmocka_unit_test(names_file_and_key),
        cmocka_unit_test(opens_the_shipped_catalog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
