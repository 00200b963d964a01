/* Tests of blueprint/plan_check: every way of breaking the plan's format is named by its path. */
#include "fixture.h"

struct row {
    const char *path;  /* where to put value; "-" as the last name appends to a list */
    const char *value; /* NULL removes */
    const char *message;
};

static void change(struct fixture *fixture, json_t *plan, const struct row *row) {
    const char *dot = strrchr(row->path, '.'), *name = dot ? dot + 1 : row->path;
    json_t *owner = dot ? json_at(plan, arena_strndup(fixture->arena, row->path, (size_t)(dot - row->path))) : plan;
    json_t *value = row->value ? fixture_json(fixture, row->value) : NULL;
    if (json_is_array(owner) && str_eq(name, "-"))
        json_array_append(owner, value);
    else if (json_is_array(owner))
        json_array_set(owner, (size_t)strtol(name, NULL, 10), value);
    else if (value)
        json_object_set(owner, name, value);
    else
        json_object_del(owner, name);
}

static void refuse(const char *plan_name, const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct fixture fixture;
        json_t *view = NULL;
        fixture_init(&fixture);
        json_t *plan = fixture_plan(&fixture, plan_name);
        change(&fixture, plan, &rows[i]);
        int result = blueprint_view(plan, fixture.arena, &view, &fixture.err);
        if (result != -ERR_VALIDATION || strcmp(fixture.err.message, rows[i].message) != 0)
            fail_msg("%s = %s: expected \"%s\", got %d \"%s\"", rows[i].path, str_or(rows[i].value, "nothing"),
                     rows[i].message, result, fixture.err.message);
        assert_null(view);
        fixture_release(&fixture);
    }
}

static void refuses_a_broken_head(void **state) {
    static const struct row rows[] = {
        {"version", "2", "plan: version: must be 1"},
        {"name", "\"\"", "plan: name: must not be empty"},
        {"name", "1", "plan: name: must be a text"},
        {"slug", "\"A b\"", "plan: slug: \"A b\" is not a slug"},
        {"tagline", "1", "plan: tagline: must be a text"},
        {"capabilities.csv", NULL, "plan: capabilities.csv: must be a boolean"},
        {"capabilities", "[]", "plan: capabilities.auth: must be a boolean"},
        {"settings.weekStart", "\"friday\"", "plan: settings.weekStart: unknown value \"friday\""},
        {"settings.currency", NULL, "plan: settings.currency: must be a text"},
        {"roles", "{}", "plan: roles: must be a list of at most 500 objects"},
        {"roles.-", "{\"value\":\"x\",\"label\":\"X\",\"can\":\"fly\"}", "plan: roles[0].can: unknown value \"fly\""},
        {"modules", "[]", "plan: modules: \"things\" is in none"},
        {"criteria", NULL, "plan: criteria: must be a list of at most 500 objects"},
        {"openPoints", "[1]", "plan: openPoints[0]: is none of texts"},
    };
    refuse("minimal", rows, ARRAY_LEN(rows));
}

static void refuses_broken_entities(void **state) {
    static const struct row rows[] = {
        {"entities", "[]", "plan: entities: must not be empty"},
        {"entities.0.slug", "\"users\"", "plan: entities[0].slug: \"users\" is reserved"},
        {"entities.0.slug", "\"files\"", "plan: entities[0].slug: \"files\" is reserved"},
        {"entities.0.slug", "\"2024\"", "plan: entities[0].slug: must have a letter"},
        {"entities.0.slug", "\"a--b\"", "plan: entities[0].slug: \"a--b\" is not a slug"},
        {"entities.0.name", "\"\"", "plan: entities[0].name: must not be empty"},
        {"entities.0.titleField", "\"none\"", "plan: entities[0].titleField: teams has no field \"none\""},
        {"entities.1.slug", "\"teams\"", "plan: entities[1].slug: \"teams\" is there twice"},
        {"entities.1.name", "\"Team\"", "plan: entities[1].name: \"Team\" is the name of teams, too"},
        {"entities.0.fields", "[]", "plan: entities[0].titleField: teams has no field \"name\""},
        {"entities.0.fields.0.type", "\"colour\"", "plan: entities[0].fields[0].type: unknown type \"colour\""},
        {"entities.0.fields.0.name", "\"Name\"",
         "plan: entities[0].fields[0].name: \"Name\" is not a lowerCamelCase name"},
        {"entities.0.fields.0.name", "\"a_b\"",
         "plan: entities[0].fields[0].name: \"a_b\" is not a lowerCamelCase name"},
        {"entities.0.fields.0.name", "\"createdAt\"",
         "plan: entities[0].fields[0].name: every row has \"createdAt\" already"},
        {"entities.0.fields.0.label", NULL, "plan: entities[0].fields[0].label: must be a text"},
        {"entities.0.fields.0.required", "1", "plan: entities[0].fields[0].required: must be a boolean"},
        {"entities.0.fields.0.max", "0", "plan: entities[0].fields[0].max: must be a whole number from 1"},
        {"entities.0.fields.0.default", "1", "plan: entities[0].fields[0].default: is no value of type text"},
        {"entities.0.fields.1", "{\"name\":\"name\",\"label\":\"L\",\"type\":\"text\"}",
         "plan: entities[0].fields[1].name: \"name\" is there twice"},
        {"entities.0.fields.1", "{\"name\":\"n\",\"label\":\"L\",\"type\":\"integer\",\"min\":3,\"max\":2}",
         "plan: entities[0].fields[1].max: is below min"},
        {"entities.0.fields.1", "{\"name\":\"n\",\"label\":\"L\",\"type\":\"choice\",\"options\":[]}",
         "plan: entities[0].fields[1].options: must not be empty"},
        {"entities.0.fields.1",
         "{\"name\":\"n\",\"label\":\"L\",\"type\":\"choice\",\"options\":[{\"value\":\"a\",\"label\":\"A\"},"
         "{\"value\":\"a\",\"label\":\"B\"}]}",
         "plan: entities[0].fields[1].options[1].value: is there twice"},
        {"entities.0.fields.1",
         "{\"name\":\"n\",\"label\":\"L\",\"type\":\"choice\",\"default\":\"b\",\"options\":[{\"value\":\"a\","
         "\"label\":\"A\"}]}",
         "plan: entities[0].fields[1].default: is none of the options"},
        {"entities.0.fields.1",
         "{\"name\":\"n\",\"label\":\"L\",\"type\":\"choice\",\"options\":[{\"value\":\"a\",\"label\":\"A\","
         "\"tone\":\"loud\"}]}",
         "plan: entities[0].fields[1].options[0].tone: unknown value \"loud\""},
        {"entities.0.fields.1", "{\"name\":\"n\",\"label\":\"L\",\"type\":\"ref\",\"entity\":\"tasks\"}",
         "plan: entities[0].fields[1].entity: \"tasks\" comes later"},
        {"entities.0.fields.1", "{\"name\":\"n\",\"label\":\"L\",\"type\":\"ref\",\"entity\":\"ghosts\"}",
         "plan: entities[0].fields[1].entity: there is no entity \"ghosts\""},
        {"entities.0.fields.1",
         "{\"name\":\"n\",\"label\":\"L\",\"type\":\"ref\",\"entity\":\"teams\",\"required\":true}",
         "plan: entities[0].fields[1].entity: a required reference to its own entity leaves no way to a first row"},
        {"entities.1.fields.1",
         "{\"name\":\"n\",\"label\":\"L\",\"type\":\"ref\",\"entity\":\"teams\",\"onDelete\":\"explode\"}",
         "plan: entities[1].fields[1].onDelete: unknown value \"explode\""},
    };
    refuse("projects", rows, ARRAY_LEN(rows));
}

static void refuses_what_needs_a_capability(void **state) {
    static const struct row rows[] = {
        {"entities.0.fields.-", "{\"name\":\"owner\",\"label\":\"L\",\"type\":\"user\"}",
         "a user field needs the capability auth"},
        {"entities.0.fields.-", "{\"name\":\"scan\",\"label\":\"L\",\"type\":\"file\"}",
         "a file field needs the capability uploads"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture fixture;
        json_t *view = NULL;
        fixture_init(&fixture);
        json_t *plan = fixture_plan(&fixture, "minimal");
        change(&fixture, plan, &rows[i]);
        assert_int_equal(blueprint_view(plan, fixture.arena, &view, &fixture.err), -ERR_VALIDATION);
        assert_non_null(strstr(fixture.err.message, rows[i].message));
        fixture_release(&fixture);
    }
}

static void refuses_broken_rules(void **state) {
    static const struct row rows[] = {
        {"entities.0.rules.0", "{\"kind\":\"magic\"}", "plan: entities[0].rules[0].kind: unknown rule \"magic\""},
        {"entities.0.rules.0", "{\"kind\":\"unique\",\"fields\":[\"x\"],\"message\":\"m\"}",
         "plan: entities[0].rules[0].fields[0]: teams has no field \"x\""},
        {"entities.0.rules.0", "{\"kind\":\"unique\",\"fields\":[],\"message\":\"m\"}",
         "plan: entities[0].rules[0].fields: must not be empty"},
        {"entities.0.rules.0", "{\"kind\":\"unique\",\"fields\":[\"name\"]}",
         "plan: entities[0].rules[0].message: must be a text"},
        {"entities.0.rules.0", "{\"kind\":\"order\",\"from\":\"name\",\"to\":\"name\",\"message\":\"m\"}",
         "plan: entities[0].rules[0].from: field \"name\" of teams has the wrong type: text"},
        {"entities.0.rules.0", "{\"kind\":\"threshold\",\"field\":\"name\",\"limit\":3,\"label\":\"l\"}",
         "plan: entities[0].rules[0].field: field \"name\" of teams has the wrong type: text"},
        {"entities.2.rules.0", "{\"kind\":\"threshold\",\"field\":\"estimate\",\"limit\":\"title\",\"label\":\"l\"}",
         "plan: entities[2].rules[0].limit: field \"title\" of tasks has the wrong type: text"},
        {"entities.2.rules.0", "{\"kind\":\"threshold\",\"field\":\"estimate\",\"limit\":null,\"label\":\"l\"}",
         "plan: entities[2].rules[0].limit: must be a number or name a field"},
        {"entities.0.rules.0",
         "{\"kind\":\"rollup\",\"name\":\"n\",\"label\":\"l\",\"from\":\"ghosts\",\"ref\":\"x\",\"fn\":\"count\"}",
         "plan: entities[0].rules[0].from: there is no entity \"ghosts\""},
        {"entities.0.rules.0",
         "{\"kind\":\"rollup\",\"name\":\"name\",\"label\":\"l\",\"from\":\"projects\",\"ref\":\"x\",\"fn\":\"count\"}",
         "plan: entities[0].rules[0].name: \"name\" is no free lowerCamelCase name"},
        {"entities.0.rules.0",
         "{\"kind\":\"rollup\",\"name\":\"n\",\"label\":\"l\",\"from\":\"tasks\",\"ref\":\"project\",\"fn\":\"count\"}",
         "plan: entities[0].rules[0].ref: does not refer to teams"},
    };
    refuse("projects", rows, ARRAY_LEN(rows));
}

static void refuses_broken_views(void **state) {
    static const struct row rows[] = {
        {"views.1.kind", "\"gantt\"", "plan: views[1].kind: unknown value \"gantt\""},
        {"views.1.entity", "\"ghosts\"", "plan: views[1].entity: there is no entity \"ghosts\""},
        {"views.1.field", "\"none\"", "plan: views[1].field: tasks has no field \"none\""},
        {"views.1.field", "\"title\"", "plan: views[1].field: field \"title\" of tasks has the wrong type: text"},
        {"views.1.slug", "\"tasks\"", "plan: views[1].slug: \"tasks\" is an entity's"},
        {"views.1.slug", "\"search\"", "plan: views[1].slug: \"search\" is reserved"},
        {"views.1.slug", "\"dashboard\"", "plan: views[1].slug: \"dashboard\" is there twice"},
        {"views.0.kind", "\"board\"", "plan: views[0].slug: \"dashboard\" is reserved"},
        {"views.0.cards.0.entity", "\"ghosts\"", "plan: views[0].cards[0].entity: there is no entity \"ghosts\""},
        {"views.0.cards.0.fn", "\"max\"", "plan: views[0].cards[0].fn: unknown value \"max\""},
        {"views.0.cards.0.where.in.0", "\"lost\"", "plan: views[0].cards[0].where.in[0]: is no value of status"},
        {"views.0.cards.1.flag", "true", "plan: views[0].cards[1].flag: tasks has no threshold"},
        {"views.0.recent.0", "\"ghosts\"", "plan: views[0].recent[0]: there is no entity \"ghosts\""},
        {"modules.0.entities.0", "\"ghosts\"", "plan: modules[0].entities[0]: there is no \"ghosts\" to place"},
        {"modules.0.entities.0", "\"tasks\"", "plan: modules[0].entities[2]: \"tasks\" is placed twice"},
        {"modules.0.views.0", "\"dashboard\"", "plan: modules[0].views[0]: there is no \"dashboard\" to place"},
        {"modules.1.slug", "\"work\"", "plan: modules[1].slug: is there twice"},
    };
    refuse("projects", rows, ARRAY_LEN(rows));
}

static void refuses_what_is_no_plan(void **state) {
    static const char *const texts[] = {"[]", "null", "1", "\"x\"", "{}"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct fixture fixture;
        json_t *view = NULL;
        fixture_init(&fixture);
        assert_int_equal(blueprint_view(fixture_json(&fixture, texts[i]), fixture.arena, &view, &fixture.err),
                         -ERR_VALIDATION);
        fixture_release(&fixture);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_a_broken_head),   cmocka_unit_test(refuses_broken_entities),
        cmocka_unit_test(refuses_broken_rules),    cmocka_unit_test(refuses_broken_views),
        cmocka_unit_test(refuses_what_is_no_plan), cmocka_unit_test(refuses_what_needs_a_capability),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
