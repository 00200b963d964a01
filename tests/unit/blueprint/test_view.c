/* Tests of blueprint/view: what templates find in the decorated plan. */
#include "fixture.h"

static json_t *view_of(struct fixture *fixture, const char *name) {
    json_t *view = NULL;
    if (blueprint_view(fixture_plan(fixture, name), fixture->arena, &view, &fixture->err) < 0)
        fail_msg("%s: %s", name, fixture->err.message);
    return view;
}

static json_t *item_of(const json_t *list, const char *key, const char *value) {
    for (size_t i = 0; i < json_array_size(list); i++)
        if (str_eq(json_str(json_array_get(list, i), key, NULL), value))
            return json_array_get(list, i);
    return NULL;
}

static json_t *entity_of(const json_t *view, const char *slug) {
    return item_of(json_object_get(view, "entities"), "slug", slug);
}

static void expect(struct fixture *fixture, const json_t *owner, const char *path, const char *json) {
    const json_t *value = json_at(owner, path);
    if (!value)
        fail_msg("%s is missing", path);
    if (!json_equal(value, fixture_json(fixture, json)))
        fail_msg("%s: expected %s, got %s", path, json, json_text(fixture->arena, value));
}

static void decorates_the_top(void **state) {
    struct fixture fixture;
    fixture_init(&fixture);
    const json_t *view = view_of(&fixture, "projects");
    expect(&fixture, view, "nameJson", "\"\\\"Northstar\\\"\"");
    expect(&fixture, view, "initial", "\"N\"");
    expect(&fixture, view, "themeHue", "272");
    expect(&fixture, view, "weekStartDay", "1");
    expect(&fixture, view, "has.auth", "true");
    expect(&fixture, view, "has.board", "true");
    expect(&fixture, view, "has.map", "false");
    expect(&fixture, view, "has.choice", "true");
    expect(&fixture, view, "rolesWrite.0.value", "\"admin\"");
    expect(&fixture, view, "rolesWrite.1.isLast", "true");
    expect(&fixture, view, "dashboard.kind", "\"dashboard\"");
    expect(&fixture, view, "pageViews.0.isFirst", "true");
    expect(&fixture, view, "moduleNav.0.items.0.href", "\"/board\"");
    expect(&fixture, view, "moduleNav.0.items.0.hrefJson", "\"\\\"/board\\\"\"");
    assert_int_equal(json_array_size(json_object_get(view, "rolesWrite")), 2);
    fixture_release(&fixture);
}

static void decorates_entities(void **state) {
    struct fixture fixture;
    fixture_init(&fixture);
    const json_t *view = view_of(&fixture, "projects");
    const json_t *entry = entity_of(view, "time-entries"), *team = entity_of(view, "teams");
    expect(&fixture, entry, "Type", "\"TimeEntry\"");
    expect(&fixture, entry, "var", "\"timeEntry\"");
    expect(&fixture, entry, "vars", "\"timeEntries\"");
    expect(&fixture, entry, "table", "\"time_entries\"");
    expect(&fixture, entry, "aName", "\"a time entry\"");
    expect(&fixture, entry, "auth", "true");
    expect(&fixture, team, "isFirst", "true");
    expect(&fixture, team, "has.children", "true");
    expect(&fixture, team, "children.0.slug", "\"projects\"");
    assert_true(json_array_size(json_object_get(entry, "listFields")) <= 5);
    fixture_release(&fixture);
}

static void decorates_fields(void **state) {
    struct fixture fixture;
    fixture_init(&fixture);
    const json_t *view = view_of(&fixture, "projects");
    const json_t *fields = json_object_get(entity_of(view, "tasks"), "fields");
    const json_t *status = item_of(fields, "name", "status"), *project = item_of(fields, "name", "project");
    const json_t *due = item_of(fields, "name", "dueOn");
    expect(&fixture, status, "is.choice", "true");
    expect(&fixture, status, "is.textLike", "true");
    expect(&fixture, status, "sqlType", "\"TEXT\"");
    expect(&fixture, status, "options.0.isFirst", "true");
    expect(&fixture, status, "options.0.valueSql", "\"'todo'\"");
    expect(&fixture, project, "refType", "\"Project\"");
    expect(&fixture, project, "refTable", "\"projects\"");
    expect(&fixture, project, "is.reference", "true");
    expect(&fixture, due, "column", "\"due_on\"");
    expect(&fixture, due, "inputType", "\"date\"");
    fixture_release(&fixture);
}

static void decorates_rules_and_views(void **state) {
    struct fixture fixture;
    fixture_init(&fixture);
    const json_t *view = view_of(&fixture, "studio");
    const json_t *bookings = entity_of(view, "bookings");
    expect(&fixture, bookings, "rules.capacity.0.limitColumn", "\"capacity\"");
    expect(&fixture, bookings, "rules.capacity.0.hasWhere", "true");
    expect(&fixture, bookings, "has.capacity", "true");
    expect(&fixture, view, "has.capacity", "true");
    const json_t *products = entity_of(view, "products");
    expect(&fixture, products, "rules.threshold.0.limitSql", "\"\\\"reorder_level\\\"\"");
    expect(&fixture, products, "rules.threshold.0.limitField.name", "\"reorderLevel\"");
    expect(&fixture, products, "rules.threshold.1.limitSql", "\"0\"");
    assert_null(json_at(products, "rules.threshold.1.limitField"));
    const json_t *board = item_of(json_object_get(view_of(&fixture, "projects"), "views"), "kind", "board");
    expect(&fixture, board, "path", "\"/board\"");
    expect(&fixture, board, "entitySlug", "\"tasks\"");
    expect(&fixture, board, "entity.Type", "\"Task\"");
    expect(&fixture, board, "fieldField.name", "\"status\"");
    fixture_release(&fixture);
}

static void gives_the_same_every_time(void **state) {
    static const char *const names[] = {"minimal", "projects", "studio"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct fixture fixture;
        fixture_init(&fixture);
        const char *before = json_text(fixture.arena, fixture_plan(&fixture, names[i]));
        json_t *plan = fixture_json(&fixture, before), *a = NULL, *b = NULL;
        assert_int_equal(blueprint_view(plan, fixture.arena, &a, &fixture.err), 0);
        assert_int_equal(blueprint_view(plan, fixture.arena, &b, &fixture.err), 0);
        assert_string_equal(json_text(fixture.arena, a), json_text(fixture.arena, b));
        assert_string_equal(json_text(fixture.arena, plan), before); /* the plan is left as it was */
        fixture_release(&fixture);
    }
}

static void keeps_clear_of_reserved_names(void **state) {
    struct fixture fixture;
    fixture_init(&fixture);
    json_t *plan = fixture_plan(&fixture, "minimal"), *view = NULL;
    json_t *entity = json_array_get(json_object_get(plan, "entities"), 0);
    json_object_set_new(entity, "name", json_string("Event"));
    assert_int_equal(blueprint_view(plan, fixture.arena, &view, &fixture.err), 0);
    expect(&fixture, view, "entities.0.Type", "\"EventItem\"");
    expect(&fixture, view, "entities.0.var", "\"eventItem\"");
    fixture_release(&fixture);
}

/* Lists and calendars show how far a row is, whatever other choice stands before that. */
static void finds_the_status(void **state) {
    struct fixture fixture;
    fixture_init(&fixture);
    json_t *plan = fixture_plan(&fixture, "projects"), *view = NULL;
    json_t *fields = json_object_get(item_of(json_object_get(plan, "entities"), "slug", "tasks"), "fields");
    json_t *urgency = json_incref(item_of(fields, "name", "priority"));
    json_array_insert_new(fields, 1, urgency);
    json_array_remove(fields, 4);
    assert_int_equal(blueprint_view(plan, fixture.arena, &view, &fixture.err), 0);
    expect(&fixture, entity_of(view, "tasks"), "statusField.name", "\"status\"");
    fixture_release(&fixture);
}

/* On the page of a class its bookings are listed by their members, on a member's page by their classes. */
static void tells_rows_apart(void **state) {
    struct fixture fixture;
    fixture_init(&fixture);
    const json_t *view = view_of(&fixture, "studio"), *booking = entity_of(view, "bookings");
    expect(&fixture, booking, "titleInfo.is.ref", "true");
    const char *title = json_str(json_object_get(booking, "titleInfo"), "name", ""),
               *beside = json_str(json_object_get(booking, "besideTitle"), "name", "");
    assert_string_not_equal(title, beside);
    const json_t *titled = entity_of(view, json_str(json_object_get(booking, "titleInfo"), "entity", ""));
    const json_t *other = entity_of(view, json_str(json_object_get(booking, "besideTitle"), "entity", ""));
    const json_t *child = item_of(json_object_get(titled, "children"), "slug", "bookings");
    assert_string_equal(json_str(json_object_get(child, "insteadOfTitle"), "name", ""), beside);
    child = item_of(json_object_get(other, "children"), "slug", "bookings");
    assert_null(json_object_get(child, "insteadOfTitle"));
    expect(&fixture, child, "isTitlePlain", "true");
    fixture_release(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decorates_the_top),         cmocka_unit_test(decorates_entities),
        cmocka_unit_test(decorates_fields),          cmocka_unit_test(finds_the_status),
        cmocka_unit_test(tells_rows_apart),          cmocka_unit_test(decorates_rules_and_views),
        cmocka_unit_test(gives_the_same_every_time), cmocka_unit_test(keeps_clear_of_reserved_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
