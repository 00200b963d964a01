/* Unit test of feedback: what is understood changes the plan, the rest becomes an open point. */
#include "plans.h"

#define BOARDS plans_descriptions[0]

static void features_come_and_go(void **state) {
    struct fixture *f = *state;
    struct planner_spec spec = plans_spec(f, "A task board for projects.", "Please add notifications.");
    assert_true(json_flag(json_object_get(spec.plan, "capabilities"), "notifications", false));
    assert_int_equal(json_array_size(spec.open_points), 0);
    spec = plans_spec(f, BOARDS, "remove time tracking");
    assert_null(plans_entity(&spec, "time-entries"));
    assert_int_equal(json_array_size(spec.open_points), 0);
    spec = plans_spec(f, BOARDS, "We don't need time tracking, and add invoices");
    assert_null(plans_entity(&spec, "time-entries"));
    assert_non_null(plans_entity(&spec, "invoices"));
    plans_check(f, &spec);
}

static void entities_are_renamed(void **state) {
    struct fixture *f = *state;
    struct planner_spec spec = plans_spec(f, BOARDS, "Rename tasks to tickets.");
    assert_null(plans_entity(&spec, "tasks"));
    assert_non_null(plans_entity(&spec, "tickets"));
    assert_int_equal(json_array_size(spec.open_points), 0);
    plans_check(f, &spec);
    spec = plans_spec(f, BOARDS, "call the projects campaigns");
    assert_non_null(plans_entity(&spec, "campaigns"));
}

static void fields_are_added_and_removed(void **state) {
    struct fixture *f = *state;
    struct planner_spec spec =
        plans_spec(f, "A log for model railways: locomotives and wagons.", "wagons need a due date and a priority");
    assert_string_equal(json_str(plans_field(&spec, "wagons", "dueDate"), "type", ""), "date");
    assert_string_equal(json_str(plans_field(&spec, "wagons", "priority"), "type", ""), "choice");
    spec = plans_spec(f, BOARDS, "add a field budget to projects");
    assert_string_equal(json_str(plans_field(&spec, "projects", "budget"), "type", ""), "money");
    assert_int_equal(json_array_size(spec.open_points), 0);
    plans_check(f, &spec);
    spec = plans_spec(f, BOARDS, "remove the due date from tasks");
    assert_null(plans_field(&spec, "tasks", "dueOn"));
    plans_check(f, &spec);
    spec = plans_spec(f, BOARDS, "the due date of tasks must be required");
    assert_true(json_flag(plans_field(&spec, "tasks", "dueOn"), "required", false));
}

/* The type that is said, and names with "on" and "of" in them. */
static void fields_have_types_and_long_names(void **state) {
    struct fixture *f = *state;
    struct planner_spec spec = plans_spec(f, BOARDS, "add a field weight as a whole number to projects");
    assert_string_equal(json_str(plans_field(&spec, "projects", "weight"), "type", ""), "integer");
    spec = plans_spec(f, BOARDS, "add a date of birth as date to tasks; make the date of birth of tasks required");
    assert_string_equal(json_str(plans_field(&spec, "tasks", "dateOfBirth"), "type", ""), "date");
    assert_true(json_flag(plans_field(&spec, "tasks", "dateOfBirth"), "required", false));
    spec = plans_spec(f, BOARDS, "remove the due on from tasks");
    assert_null(plans_field(&spec, "tasks", "dueOn"));
    spec = plans_spec(f, BOARDS, "rename the due on of tasks to deadline");
    assert_string_equal(json_str(plans_field(&spec, "tasks", "dueOn"), "label", ""), "Deadline");
    assert_int_equal(json_array_size(spec.open_points), 0);
}

static void entities_are_added(void **state) {
    struct fixture *f = *state;
    struct planner_spec spec =
        plans_spec(f, "A log for model railways: locomotives and wagons.", "add derailments; also include stations");
    assert_non_null(plans_entity(&spec, "derailments"));
    assert_non_null(plans_entity(&spec, "stations"));
    plans_check(f, &spec);
}

static void settings_are_set(void **state) {
    struct fixture *f = *state;
    struct planner_spec spec = plans_spec(
        f, plans_descriptions[5], "Use dollars as the currency. The week should start on sunday. Make it green.");
    assert_string_equal(json_str(json_object_get(spec.plan, "settings"), "currency", ""), "USD");
    assert_string_equal(json_str(json_object_get(spec.plan, "settings"), "weekStart", ""), "sunday");
    assert_string_equal(json_str(json_object_get(spec.plan, "settings"), "theme", ""), "emerald");
    assert_int_equal(json_array_size(spec.open_points), 0);
    /* Several in one sentence. */
    spec = plans_spec(f, plans_descriptions[5], "Amounts are in GBP, weeks start on Sunday, the colour is rose.");
    assert_string_equal(json_str(json_object_get(spec.plan, "settings"), "currency", ""), "GBP");
    assert_string_equal(json_str(json_object_get(spec.plan, "settings"), "weekStart", ""), "sunday");
    assert_string_equal(json_str(json_object_get(spec.plan, "settings"), "theme", ""), "rose");
}

static void more_detail_is_given(void **state) {
    struct fixture *f = *state;
    struct planner_spec plain = plans_spec(f, BOARDS, NULL),
                        spec = plans_spec(f, BOARDS, "Add more detail about the notification system");
    assert_string_not_equal(json_text(f->arena, plain.plan), json_text(f->arena, spec.plan));
    assert_non_null(strstr(json_str(spec.documents, "SPEC.md", ""), "in detail"));
    assert_int_equal(json_array_size(spec.open_points), 0);
}

static void what_is_not_understood_is_an_open_point(void **state) {
    struct fixture *f = *state;
    struct planner_spec spec = plans_spec(f, BOARDS, "Paint the moon in plaid.");
    assert_int_equal(json_array_size(spec.open_points), 1);
    assert_int_equal(json_array_size(json_object_get(spec.plan, "openPoints")), 1);
    assert_non_null(strstr(json_str(spec.documents, "SPEC.md", ""), "plaid"));
    plans_check(f, &spec);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_come_and_go),         cmocka_unit_test(entities_are_renamed),
        cmocka_unit_test(fields_are_added_and_removed), cmocka_unit_test(fields_have_types_and_long_names),
        cmocka_unit_test(entities_are_added),           cmocka_unit_test(settings_are_set),
        cmocka_unit_test(more_detail_is_given),         cmocka_unit_test(what_is_not_understood_is_an_open_point),
    };
    return cmocka_run_group_tests(tests, plans_setup, plans_teardown);
}
