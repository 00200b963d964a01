/* Unit test of tasks: decomposition, retired files, and the checks of any source's tasks. */
#include "plans.h"

static json_t *tasks_of(struct fixture *f, const struct planner_spec *spec, const char *const *base, size_t count) {
    json_t *tasks = NULL;
    struct err err = {0};
    if (planner_decompose(f->planner, spec->plan, base, count, f->arena, &tasks, &err) < 0)
        fail_msg("%s", err.message);
    return tasks;
}

static void instructions_say_what_to_build(void **state) {
    struct fixture *f = *state;
    struct planner_spec spec = plans_spec(f, plans_descriptions[0], NULL);
    json_t *tasks = tasks_of(f, &spec, NULL, 0), *list = json_object_get(tasks, "tasks"), *task;
    size_t i, outputs = 0;
    json_array_foreach (list, i, task) {
        char id[32];
        snprintf(id, sizeof id, "task-%03zu", i + 1);
        assert_string_equal(json_str(task, "id", ""), id);
        assert_string_equal(json_string_value(json_array_get(json_object_get(tasks, "mergeOrder"), i)), id);
        assert_true(strlen(json_str(task, "instructions", "")) > 100);
        outputs += json_array_size(json_object_get(task, "expectedOutputs"));
    }
    assert_true(outputs > 50);
    task = plans_find(list, "slug", "module-boards");
    assert_non_null(task);
    assert_non_null(strstr(json_str(task, "instructions", ""), "src/app/tasks/page.tsx"));
    assert_true(plans_has_text(json_object_get(task, "parts"), "entity:tasks"));
    assert_true(plans_has_text(json_object_get(task, "parts"), "view:board"));
}

static void old_files_are_retired(void **state) {
    struct fixture *f = *state;
    struct planner_spec spec = plans_spec(f, plans_descriptions[0], NULL);
    const char *base[] = {"README.md", "src/app/tasks/page.tsx", "src/app/tasks/old.tsx", "src/app/gone/page.tsx",
                          "src/app/gone/[id]/page.tsx"};
    json_t *task = plans_find(json_object_get(tasks_of(f, &spec, base, 5), "tasks"), "slug", "retire");
    assert_non_null(task);
    json_t *scope = json_object_get(task, "pathScope");
    assert_int_equal(json_array_size(scope), 2);
    assert_true(plans_has_text(scope, "src/app/gone/page.tsx"));
    assert_int_equal(json_array_size(json_object_get(task, "expectedOutputs")), 0);
    assert_null(plans_find(json_object_get(tasks_of(f, &spec, base, 3), "tasks"), "slug", "retire"));
}

/* One change to a good decomposition, and what the check says to it. */
static void refused(struct fixture *f, const struct planner_spec *spec, const json_t *good, const char *path,
                    const char *key, json_t *value, const char *says) {
    json_auto_t *bad = json_deep_copy(good);
    struct err err = {0};
    json_object_set_new(json_at(bad, path), key, value);
    assert_int_equal(planner_check_tasks(bad, spec->plan, &err), -ERR_VALIDATION);
    if (!strstr(err.message, says))
        fail_msg("\"%s\" instead of \"…%s…\"", err.message, says);
}

static void faulty_tasks_are_refused(void **state) {
    struct fixture *f = *state;
    struct planner_spec spec = plans_spec(f, plans_descriptions[0], NULL);
    json_t *good = tasks_of(f, &spec, NULL, 0);
    struct err err = {0};
    assert_int_equal(planner_check_tasks(good, spec.plan, &err), 0);
    refused(f, &spec, good, "tasks.0", "slug", json_string("UI Shell"), "is no slug");
    refused(f, &spec, good, "tasks.1", "slug", json_deep_copy(json_at(good, "tasks.0.slug")), "there twice");
    refused(f, &spec, good, "tasks.1", "id", json_string("task-001"), "twice");
    refused(f, &spec, good, "tasks.0", "dependencies", json_pack("[s]", "task-002"), "on which it depends");
    refused(f, &spec, good, "tasks.1", "dependencies", json_pack("[s]", "task-099"), "which is no task");
    refused(f, &spec, good, "tasks.4", "pathScope", json_pack("[s]", "../x"), "no valid pattern");
    refused(f, &spec, good, "tasks.0", "pathScope", json_pack("[s]", "nothing/**"), "outside its pathScope");
    refused(f, &spec, good, "tasks.0", "criteria", json_array(), "no task answers for");
    json_auto_t *bad = json_deep_copy(good);
    json_array_append_new(json_object_get(json_at(bad, "tasks.3"), "pathScope"), json_string("src/**"));
    assert_int_equal(planner_check_tasks(bad, spec.plan, &err), -ERR_VALIDATION);
    assert_non_null(strstr(err.message, "overlap"));
    assert_int_equal(planner_check_tasks(NULL, spec.plan, &err), -ERR_VALIDATION);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(instructions_say_what_to_build),
                                       cmocka_unit_test(old_files_are_retired),
                                       cmocka_unit_test(faulty_tasks_are_refused)};
    return cmocka_run_group_tests(tests, plans_setup, plans_teardown);
}
