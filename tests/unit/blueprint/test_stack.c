/* Tests of blueprint/stack: reading stack.json, the parts of a plan, their files; and the stack that is shipped. */
#include "fixture.h"

#include "base/glob.h"

static const char sound[] =
    "{\"name\":\"toy\",\"title\":\"Toy\",\"commands\":{\"build\":[\"make\",\"all\"]},\"parts\":{"
    "\"page\":{\"title\":\"Pages\",\"needs\":[\"entity\",\"base\"],\"scope\":[\"pages/**\"],\"files\":["
    "{\"template\":\"index.mustache\",\"path\":\"pages/index\"}]},"
    "\"entity\":{\"each\":\"entities\",\"title\":\"{{{plural}}}\",\"needs\":[\"base\"],\"scope\":[\"src/{{slug}}/**\"],"
    "\"files\":[{\"template\":\"one.mustache\",\"path\":\"src/{{slug}}/one\"},"
    "{\"template\":\"one.mustache\",\"path\":\"src/{{slug}}/dated\",\"when\":\"has.date\"}]},"
    "\"base\":{\"title\":\"Base\",\"needs\":[],\"scope\":[\"base\"],\"files\":["
    "{\"template\":\"plain\",\"path\":\"base\",\"copy\":true}]},"
    "\"view.board\":{\"each\":\"views\",\"kind\":\"board\",\"title\":\"{{{title}}}\",\"needs\":[\"entity\"],"
    "\"scope\":[\"views/{{slug}}\"],\"files\":[{\"template\":\"one.mustache\",\"path\":\"views/{{slug}}\"}]},"
    "\"extra\":{\"title\":\"Extra\",\"when\":\"capabilities.audit\",\"needs\":[],\"scope\":[\"extra\"],\"files\":[]}}}";

static void write_stack(struct fixture *fixture, const char *json) {
    fixture_write(fixture, "stacks/toy/stack.json", json);
    fixture_write(fixture, "stacks/toy/plain", "{{name}} stays\n");
    fixture_write(fixture, "stacks/toy/one.mustache", "{{{slug}}} of {{{settings.theme}}}\n  {{> parts/tail}}\n");
    fixture_write(fixture, "stacks/toy/parts/tail.mustache", "tail {{{slug}}}\n");
    fixture_write(fixture, "stacks/toy/index.mustache", "{{#entities}}{{{slug}}},{{/entities}}");
}

static int open_stack(struct fixture *fixture, const char *json, struct assets **assets, struct stack **stack) {
    write_stack(fixture, json);
    *stack = NULL;
    assert_int_equal(assets_open(assets, fixture->dir, &fixture->err), 0);
    return stack_open(stack, *assets, "toy", &fixture->err);
}

static const struct part *part_of(const struct part *parts, size_t count, const char *id) {
    for (size_t i = 0; i < count; i++)
        if (str_eq(parts[i].id, id))
            return &parts[i];
    return NULL;
}

static bool needs(const struct part *part, const char *id) {
    for (size_t i = 0; i < part->need_count; i++)
        if (str_eq(part->needs[i], id))
            return true;
    return false;
}

static void lists_the_parts_of_a_plan(void **state) {
    struct fixture fixture;
    struct assets *assets = NULL;
    struct stack *stack = NULL;
    struct part *parts = NULL;
    json_t *view = NULL;
    size_t count = 0;
    fixture_init(&fixture);
    assert_int_equal(open_stack(&fixture, sound, &assets, &stack), 0);
    assert_string_equal(stack_command(stack, "build")[1], "all");
    assert_null(stack_command(stack, "build")[2]);
    assert_null(stack_command(stack, "test"));

    json_t *plan = fixture_plan(&fixture, "projects");
    json_object_set_new(json_object_get(plan, "capabilities"), "audit", json_false());
    assert_int_equal(blueprint_view(plan, fixture.arena, &view, &fixture.err), 0);
    assert_int_equal(stack_parts(stack, view, fixture.arena, &parts, &count, &fixture.err), 0);
    const struct part *task = part_of(parts, count, "entity:tasks"), *team = part_of(parts, count, "entity:teams");
    const struct part *board = part_of(parts, count, "view:board"), *page = part_of(parts, count, "page");
    assert_string_equal(parts[0].id, "base");
    assert_null(part_of(parts, count, "extra"));
    assert_string_equal(task->title, "Tasks");
    assert_string_equal(task->kind, "entity");
    assert_string_equal(task->scope[0], "src/tasks/**");
    assert_string_equal(task->paths[0], "src/tasks/one");
    assert_int_equal(task->path_count, 2);
    assert_int_equal(team->path_count, 1);
    assert_true(needs(task, "base") && !needs(task, "entity:teams"));
    assert_true(needs(page, "entity:tasks") && needs(page, "entity:teams") && needs(page, "base"));
    /* A board needs the entity it shows, and no other. */
    assert_int_equal(board->need_count, 1);
    assert_true(needs(board, "entity:tasks"));
    assert_string_equal(board->kind, "view.board");
    /* Needs come first. */
    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < parts[i].need_count; n++)
            assert_true(part_of(parts, i, parts[i].needs[n]) != NULL);
    stack_close(stack);
    assets_close(assets);
    fixture_release(&fixture);
}

static int collect(const char *path, const char *data, size_t len, void *arg, struct err *err) {
    buf_printf(arg, "[%s]%.*s", path, (int)len, data);
    return 0;
}

static int stop(const char *path, const char *data, size_t len, void *arg, struct err *err) {
    ++*(int *)arg;
    return -ERR_CANCELLED;
}

static void renders_files(void **state) {
    struct fixture fixture;
    struct assets *assets = NULL;
    struct stack *stack = NULL;
    struct part *parts = NULL;
    json_t *view = NULL;
    size_t count = 0;
    int calls = 0;
    CLEANUP(buf_release) struct buf out = {0};
    fixture_init(&fixture);
    assert_int_equal(open_stack(&fixture, sound, &assets, &stack), 0);
    assert_int_equal(blueprint_view(fixture_plan(&fixture, "projects"), fixture.arena, &view, &fixture.err), 0);
    assert_int_equal(stack_parts(stack, view, fixture.arena, &parts, &count, &fixture.err), 0);
    const struct part *base = part_of(parts, count, "base"), *task = part_of(parts, count, "entity:tasks");
    assert_int_equal(stack_render(stack, view, base, collect, &out, &fixture.err), 0);
    assert_string_equal(out.data, "[base]{{name}} stays\n");
    buf_reset(&out);
    assert_int_equal(stack_render(stack, view, task, collect, &out, &fixture.err), 0);
    assert_string_equal(out.data, "[src/tasks/one]tasks of indigo\n  tail tasks\n"
                                  "[src/tasks/dated]tasks of indigo\n  tail tasks\n");
    assert_int_equal(stack_render(stack, view, task, stop, &calls, &fixture.err), -ERR_CANCELLED);
    assert_int_equal(calls, 1);
    stack_close(stack);
    assets_close(assets);
    fixture_release(&fixture);
}

static void refuses_a_broken_stack(void **state) {
#define PARTS(text) "{\"name\":\"toy\",\"title\":\"T\",\"commands\":{},\"parts\":{" text "}}"
    static const struct {
        const char *json, *message;
    } rows[] = {
        {"{", "stacks/toy/stack.json: line 1, column 1: string or '}' expected near end of file"},
        {"[]", "stacks/toy/stack.json: must be an object"},
        {"{\"name\":\"other\",\"title\":\"T\",\"commands\":{},\"parts\":{}}",
         "stacks/toy/stack.json: name: is not that of the folder"},
        {"{\"name\":\"toy\",\"title\":\"T\",\"commands\":{\"fly\":[]},\"parts\":{}}",
         "stacks/toy/stack.json: commands.fly: unknown key"},
        {"{\"name\":\"toy\",\"title\":\"T\",\"commands\":{\"build\":[]},\"parts\":{}}",
         "stacks/toy/stack.json: commands.build: must not be empty"},
        {PARTS(""), "stacks/toy/stack.json: parts: must be an object of parts"},
        {PARTS("\"a\":{\"title\":\"A\",\"needs\":[\"b\"],\"scope\":[],\"files\":[]}"),
         "stacks/toy/stack.json: parts.a.needs: there is no part \"b\""},
        {PARTS("\"a\":{\"title\":\"A\",\"needs\":[\"b\"],\"scope\":[],\"files\":[]},"
               "\"b\":{\"title\":\"B\",\"needs\":[\"a\"],\"scope\":[],\"files\":[]}"),
         "stacks/toy/stack.json: parts.a: needs itself, by way of others"},
        {PARTS("\"a\":{\"title\":\"A\",\"needs\":[],\"scope\":[],\"files\":[{\"template\":\"x\",\"path\":\"y\"}]}"),
         "stacks/toy/stack.json: parts.a.files[0].template: no file x"},
        {PARTS("\"a\":{\"title\":\"A\",\"needs\":[],\"scope\":[],\"files\":[{\"template\":\"plain\"}]}"),
         "stacks/toy/stack.json: parts.a.files[0].path: must be a text"},
        {PARTS("\"a\":{\"title\":\"A\",\"each\":\"days\",\"needs\":[],\"scope\":[],\"files\":[]}"),
         "stacks/toy/stack.json: parts.a.each: must be entities or views"},
        {PARTS("\"a\":{\"title\":\"A\",\"each\":\"views\",\"needs\":[],\"scope\":[],\"files\":[]}"),
         "stacks/toy/stack.json: parts.a.kind: goes with each: views"},
        {PARTS("\"a\":{\"title\":\"A\",\"neds\":[],\"scope\":[],\"files\":[]}"),
         "stacks/toy/stack.json: parts.a.neds: unknown key"},
    };
#undef PARTS
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture fixture;
        struct assets *assets = NULL;
        struct stack *stack = NULL;
        fixture_init(&fixture);
        assert_int_equal(open_stack(&fixture, rows[i].json, &assets, &stack), -ERR_VALIDATION);
        assert_null(stack);
        if (i > 0)
            assert_string_equal(fixture.err.message, rows[i].message);
        assets_close(assets);
        fixture_release(&fixture);
    }
}

static void finds_faults_with_a_plan(void **state) {
#define PARTS(text) "{\"name\":\"toy\",\"title\":\"T\",\"commands\":{},\"parts\":{" text "}}"
    static const struct {
        const char *json, *message;
    } rows[] = {
        {PARTS("\"a\":{\"title\":\"A\",\"needs\":[],\"scope\":[\"src/**\"],\"files\":[]},"
               "\"b\":{\"title\":\"B\",\"needs\":[],\"scope\":[\"lib\",\"src/*/x\"],\"files\":[]}"),
         "stack: the scopes of a and b overlap: src/** and src/*/x"},
        {PARTS("\"a\":{\"title\":\"A\",\"each\":\"entities\",\"needs\":[],\"scope\":[\"src\"],\"files\":[]}"),
         "stack: the scopes of a:teams and a:projects overlap: src and src"},
        {PARTS("\"a\":{\"title\":\"A\",\"needs\":[],\"scope\":[\"src\"],\"files\":[{\"template\":\"plain\","
               "\"path\":\"lib\"}]}"),
         "stack: part a: lib is outside its scope"},
        {PARTS("\"a\":{\"title\":\"A\",\"needs\":[],\"scope\":[\"**\"],\"files\":[{\"template\":\"plain\","
               "\"path\":\"../x\"}]}"),
         "stack: part a: ../x is outside its scope"},
        {PARTS("\"a\":{\"title\":\"A\",\"needs\":[],\"scope\":[\"/x\"],\"files\":[]}"),
         "stack: part a: \"/x\" is not a valid pattern"},
        {PARTS("\"a\":{\"title\":\"A\",\"needs\":[],\"scope\":[\"x\"],\"files\":[{\"template\":\"plain\",\"path\":"
               "\"x\"},{\"template\":\"plain\",\"path\":\"x\"}]}"),
         "stack: part a: x is there twice"},
    };
#undef PARTS
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fixture fixture;
        struct assets *assets = NULL;
        struct stack *stack = NULL;
        struct part *parts = NULL;
        json_t *view = NULL;
        size_t count = 0;
        fixture_init(&fixture);
        if (open_stack(&fixture, rows[i].json, &assets, &stack) < 0)
            fail_msg("%s", fixture.err.message);
        assert_int_equal(blueprint_view(fixture_plan(&fixture, "projects"), fixture.arena, &view, &fixture.err), 0);
        assert_int_equal(stack_parts(stack, view, fixture.arena, &parts, &count, &fixture.err), -ERR_INTERNAL);
        assert_string_equal(fixture.err.message, rows[i].message);
        stack_close(stack);
        assets_close(assets);
        fixture_release(&fixture);
    }
}

static void opens_none_that_is_not_there(void **state) {
    struct fixture fixture;
    struct assets *assets = NULL;
    struct stack *stack = NULL;
    fixture_init(&fixture);
    assert_int_equal(assets_open(&assets, fixture.dir, &fixture.err), 0);
    assert_int_equal(stack_open(&stack, assets, "toy", &fixture.err), -ERR_NOT_FOUND);
    assets_close(assets);
    fixture_release(&fixture);
}

static int count_file(const char *path, const char *data, size_t len, void *arg, struct err *err) {
    ++*(size_t *)arg;
    if (len == 0)
        fail_msg("%s is empty", path);
    if (!str_is_utf8(data, len))
        fail_msg("%s is no UTF-8", path);
    return 0;
}

static void renders_the_shipped_stack(void **state) {
    static const char *const names[] = {"minimal", "projects", "studio"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct fixture fixture;
        struct assets *assets = NULL;
        struct stack *stack = NULL;
        struct part *parts = NULL;
        json_t *view = NULL;
        size_t count = 0, files = 0, paths = 0;
        fixture_init(&fixture);
        assert_int_equal(assets_open(&assets, NULL, &fixture.err), 0);
        if (stack_open(&stack, assets, "next", &fixture.err) < 0)
            fail_msg("%s", fixture.err.message);
        assert_non_null(stack_command(stack, "start"));
        assert_int_equal(blueprint_view(fixture_plan(&fixture, names[i]), fixture.arena, &view, &fixture.err), 0);
        if (stack_parts(stack, view, fixture.arena, &parts, &count, &fixture.err) < 0)
            fail_msg("%s", fixture.err.message);
        for (size_t p = 0; p < count; p++) {
            paths += parts[p].path_count;
            if (stack_render(stack, view, &parts[p], count_file, &files, &fixture.err) < 0)
                fail_msg("%s", fixture.err.message);
        }
        assert_int_equal(files, paths);
        assert_true(files > 40);
        stack_close(stack);
        assets_close(assets);
        fixture_release(&fixture);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_the_parts_of_a_plan),    cmocka_unit_test(renders_files),
        cmocka_unit_test(refuses_a_broken_stack),       cmocka_unit_test(finds_faults_with_a_plan),
        cmocka_unit_test(opens_none_that_is_not_there), cmocka_unit_test(renders_the_shipped_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
