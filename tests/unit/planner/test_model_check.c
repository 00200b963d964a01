/* Unit test of model_check, model_steps and model_tasks: every fault of what a model makes is named. */
#include "plans.h"

#include "planner/model_parts.h"

struct checking {
    struct arena *arena;
    struct faults faults;
};

static int set_up(void **state) {
    struct checking *c = mem_alloc(sizeof *c);
    c->arena = arena_create();
    c->faults.arena = c->arena;
    *state = c;
    return 0;
}

static int tear_down(void **state) {
    struct checking *c = *state;
    arena_destroy(c->arena);
    free(c);
    return 0;
}

/* JSON with ' for ". */
static json_t *json_of(struct checking *c, const char *text) {
    struct err err = {0};
    json_t *value = NULL;
    char *copy = arena_strdup(c->arena, text);
    for (char *at = copy; *at; at++)
        *at = (char)(*at == '\'' ? '"' : *at);
    if (json_parse(c->arena, copy, strlen(copy), &value, &err) < 0)
        fail_msg("%s: %s", err.message, text);
    return value;
}

static void says(struct checking *c, const char *wanted) {
    if (!*wanted && c->faults.count > 0)
        fail_msg("unexpected: %s", faults_list(&c->faults));
    if (*wanted && !strstr(faults_list(&c->faults), wanted))
        fail_msg("\"%s\" instead of \"…%s…\"", faults_list(&c->faults), wanted);
    c->faults.count = 0;
}

/* ---- Plans */

static const char plan_text[] =
    "{'tagline': 'Notes', 'routes': [{'method': 'GET', 'path': '/', 'kind': 'page', 'auth': false, 'summary': 'All'},"
    " {'method': 'POST', 'path': '/api/notes', 'kind': 'api', 'auth': false, 'summary': 'Makes one'},"
    " {'method': 'GET', 'path': '/api/notes/[id]', 'kind': 'api', 'auth': false, 'summary': 'One'}],"
    " 'setup': [], 'criteria': ["
    " {'id': 'AC-1', 'title': 'Made', 'statement': 'Given nothing, when one is made, then it is there.',"
    "  'check': {'kind': 'http', 'steps': ["
    "   {'note': 'Made', 'as': 'owner', 'request': {'method': 'POST', 'path': '/api/notes', 'json': {'title': 'A'}},"
    "    'expect': {'status': 201, 'json': {'title': 'A'}}, 'save': {'note': 'id'}, 'route': 'POST /api/notes'},"
    "   {'note': 'Read', 'request': {'method': 'GET', 'path': '/api/notes/${note}?full=1'},"
    "    'expect': {'status': 200, 'contains': ['A']}, 'route': 'GET /api/notes/[id]'},"
    "   {'note': 'Shown', 'request': {'method': 'GET', 'path': '/'}, 'expect': {'status': 200}, 'route': 'GET /'}]}},"
    " {'id': 'AC-2', 'title': 'Told', 'statement': 'The README tells how it is started.',"
    "  'check': {'kind': 'files', 'paths': ['README.md'], 'contains': ['npm start']}},"
    " {'id': 'AC-3', 'title': 'Tested', 'statement': 'Its own tests pass.', 'check': {'kind': 'tests'}}]}";

static void a_good_plan_has_no_faults(void **state) {
    struct checking *c = *state;
    plan_judge(json_of(c, plan_text), false, &c->faults);
    says(c, "");
}

static void every_fault_of_a_plan_is_named(void **state) {
    static const struct {
        const char *at, *key, *value, *says;
    } rows[] = {
        {NULL, "tagline", "''", "\"tagline\" is empty"},
        {NULL, "routes", "[]", "\"routes\" has 0 items"},
        {NULL, "routes", "{}", "\"routes\" must be an array"},
        {NULL, "criteria", "[]", "\"criteria\" has 0 items"},
        {"routes.0", "method", "'FETCH'", "routes.0: \"FETCH\" is no method of a route"},
        {"routes.0", "path", "'notes'", "routes.0: \"notes\" is no path of a route"},
        {"routes.0", "path", "'/a?b'", "routes.0: \"/a?b\" is no path of a route"},
        {"routes.1", "kind", "'page'", "routes.1: a page is asked for with GET"},
        {"routes.1", "kind", "'other'", "\"kind\" must be page or api"},
        {"routes.1", "auth", "'yes'", "\"auth\" must be true or false"},
        {"routes.1", "summary", "null", "routes.1: \"summary\" must be a text"},
        {"routes.2", "path", "'/api/other'", "routes.2: no step has \"route\": \"GET /api/other\""},
        {"routes.2", "path", "'/'", "\"GET /\" is there twice"},
        {"criteria.1", "id", "'AC-1'", "criteria.1: the id AC-1 is there twice"},
        {"criteria.1", "id", "'AC-01'", "\"AC-01\" is no id"},
        {"criteria.1", "id", "'2'", "\"2\" is no id"},
        {"criteria.1", "title", "''", "criteria.1: \"title\" is empty"},
        {"criteria.1", "statement", "'short'", "\"statement\" has 5 characters"},
        {"criteria.1", "check", "{'kind': 'none'}", "\"kind\" must be http, files, tests or build"},
        {"criteria.1", "check", "{'kind': 'http', 'steps': []}", "\"steps\" has 0 items"},
        {"criteria.1", "check", "null", "\"kind\" must be http, files, tests or build"},
        {"criteria.1.check", "paths", "[]", "\"paths\" has 0 items"},
        {"criteria.1.check", "paths", "['../x']", "paths.0 is no path"},
        {"criteria.1.check", "paths", "['src/**']", "paths.0 is no path"},
        {"criteria.1.check", "contains", "['']", "contains.0 must be a text"},
        {"criteria.0.check.steps.0", "note", "''", "criteria.0.steps.0: \"note\" is empty"},
        {"criteria.0.check.steps.0", "as", "'the owner'", "\"as\" names a cookie jar"},
        {"criteria.0.check.steps.0", "route", "'POST /x'", "the plan has no route \"POST /x\""},
        {"criteria.0.check.steps.0", "route", "'GET /'", "it does not ask for the route \"GET /\""},
        {"criteria.0.check.steps.0", "save", "{'1x': 'id'}", "\"1x\" is no name of a variable"},
        {"criteria.0.check.steps.0", "save", "{'note': ''}", "must be a path in the answer's JSON"},
        {"criteria.0.check.steps.0", "save", "{'other': 'id'}", "${note} is not saved by an earlier step"},
        {"criteria.0.check.steps.0.request", "method", "'TRACE'", "\"TRACE\" is no method that a step may use"},
        {"criteria.0.check.steps.0.request", "path", "'http://x/'", "is no path: it begins with /"},
        {"criteria.0.check.steps.0.request", "path", "'/${later}'", "${later} is not saved"},
        {"criteria.0.check.steps.0.request", "headers", "{'Host': 'x'}", "\"Host\" is no header that a step may set"},
        {"criteria.0.check.steps.0.request", "headers", "{'x-a': 'b\\r\\nc'}", "must have one line of text"},
        {"criteria.0.check.steps.1.request", "json", "{'a': 1}", "GET has no body"},
        {"criteria.0.check.steps.1.request", "path", "'/api/notes'", "it does not ask for the route"},
        {"criteria.0.check.steps.0.expect", "status", "'201'", "\"status\" must be the HTTP status"},
        {"criteria.0.check.steps.0.expect", "status", "42", "\"status\" must be the HTTP status"},
        {"criteria.0.check.steps.0.expect", "contains", "'A'", "\"contains\" must be an array of texts"},
        {"criteria.0.check.steps.0.expect", "absent", "['']", "absent.0 must be a text"},
        {"criteria.0.check.steps.0.expect", "min", "{'total': 'x'}", "It must be a number"},
        {"criteria.0.check.steps.0.expect", "header", "{'location': 1}", "must be a text"},
        {"criteria.0.check.steps.0.expect", "json", "{'a': '${b}'}", "${b} is not saved"},
        {"criteria.0", "statement", "'Uses sk-abcdefghijklmnopqrstuvwxyz for it.'", "looks like a secret (sk-…)"},
    };
    struct checking *c = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        json_t *plan = json_of(c, plan_text), *at = rows[i].at ? json_at(plan, rows[i].at) : plan;
        json_t *list = json_of(c, arena_printf(c->arena, "[%s]", rows[i].value));
        json_object_set(at, rows[i].key, json_array_get(list, 0));
        plan_judge(plan, false, &c->faults);
        says(c, rows[i].says);
    }
}

static void secrets_are_seen_for_what_they_are(void **state) {
    assert_non_null(secret_in("key AKIAABCDEFGHIJKLMNOP."));
    assert_non_null(secret_in("-----BEGIN RSA PRIVATE KEY-----\nMII"));
    assert_non_null(secret_in("\"ghp_abcdefghijklmnopqrstuvwxyz0123456789\""));
    assert_null(secret_in("a task-oriented, risk-adjusted-and-carefully-weighted-plan"));
    assert_null(secret_in("Keys begin with sk- and are long."));
    assert_null(secret_in(""));
}

static void routes_fit_paths(void **state) {
    assert_true(route_fits("/", "/"));
    assert_true(route_fits("/", "/?page=2"));
    assert_true(route_fits("/tasks/[id]", "/tasks/${task}?x=/y"));
    assert_true(route_fits("/files/[...path]", "/files/a/b"));
    assert_true(route_fits("/files/[[...path]]", "/files"));
    assert_true(route_fits("/files/[[...path]]", "/files/a/b"));
    assert_false(route_fits("/files/[...path]", "/files"));
    assert_false(route_fits("/tasks/[id]", "/tasks/"));
    assert_false(route_fits("/tasks/[id]", "/tasks/1/edit"));
    assert_false(route_fits("/tasks", "/task"));
    assert_false(route_fits("/tasks", "/tasks/1"));
    assert_false(route_fits("/", "/tasks"));
}

/* ---- The model's form of steps */

static void steps_become_those_of_the_plan(void **state) {
    struct checking *c = *state;
    json_t *given = json_of(
        c, "[{'note': 'N', 'as': 'a', 'method': 'POST', 'path': '/x', 'headers': [{'name': 'x-a', 'value': '1'}],"
           " 'contentType': '', 'body': '{\\'n\\': 1}', 'status': 201, 'expectJson': [{'path': 'a.0', 'value': null}],"
           " 'expectHeaders': [{'name': 'location', 'value': '/y'}], 'expectAtLeast': [{'path': 't', 'value': 2}],"
           " 'contains': ['q'], 'absent': [], 'save': [{'name': 's', 'path': 'id'}], 'route': ''},"
           " {'note': 'M', 'as': '', 'method': 'POST', 'path': '/x', 'contentType': 'text/csv', 'body': 'a,b',"
           " 'status': 200}]");
    json_t *steps = json_own(c->arena, steps_take(c->arena, given, "steps", &c->faults));
    says(c, "");
    const char *wanted = "[{'note':'N','as':'a','request':{'method':'POST','path':'/x','headers':{'x-a':'1'},"
                         "'json':{'n':1}},'expect':{'status':201,'json':{'a.0':null},'header':{'location':'/y'},"
                         "'min':{'t':2},'contains':['q']},'save':{'s':'id'}},{'note':'M','request':{'method':'POST',"
                         "'path':'/x','text':'a,b','contentType':'text/csv'},'expect':{'status':200}}]";
    assert_string_equal(json_text(c->arena, steps), json_text(c->arena, json_of(c, wanted)));
}

static void odd_steps_are_faults(void **state) {
    struct checking *c = *state;
    static const char *const rows[][2] = {
        {"{}", "steps must be an array"},
        {"[1]", "s.0: a step must be an object"},
        {"[{'body': '{broken'}]", "\"body\" is no JSON"},
        {"[{'expectJson': {}}]", "\"expectJson\" must be an array"},
        {"[{'save': [{'name': ''}]}]", "save.0 must have \"name\" and \"path\""},
        {"[{'save': [{'name': 'a', 'path': 'b'}, {'name': 'a', 'path': 'c'}]}]", "save names \"a\" twice"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        json_decref(steps_take(c->arena, json_of(c, rows[i][0]), "s", &c->faults));
        says(c, rows[i][1]);
    }
}

static void control_characters_are_made_visible(void **state) {
    struct checking *c = *state;
    json_t *given = json_of(c, "{'a': ['x\\u001b[31m\\r\\ny\\tz\\u007f\\u0085\\r']}");
    json_t *clean = model_clean(c->arena, given);
    assert_string_equal(json_string_value(json_at(clean, "a.0")), "x␛[31m\ny\tz␡\xef\xbf\xbd␍");
}

/* ---- Tasks */

static const char tasks_text[] =
    "{'tasks': ["
    " {'slug': 'base', 'description': 'Base', 'instructions': 'Make the project and the frame of the app as it is "
    "due.',"
    "  'dependencies': [], 'pathScope': ['package.json', 'src/lib/**'], 'expectedOutputs': ['package.json'],"
    "  'criteria': ['AC-3']},"
    " {'slug': 'notes', 'description': 'Notes', 'instructions': 'Make the notes: a list, a form, and the API of them.',"
    "  'dependencies': ['base'], 'pathScope': ['src/app/**'], 'expectedOutputs': ['src/app/page.tsx'],"
    "  'criteria': ['AC-1']},"
    " {'slug': 'docs', 'description': 'README', 'instructions': 'Write the README, which tells how the app is "
    "started.',"
    "  'dependencies': ['base'], 'pathScope': ['README.md'], 'expectedOutputs': ['README.md'], 'criteria': ['AC-2']}],"
    " 'mergeOrder': ['base', 'docs', 'notes']}";

static void tasks_become_definitions(void **state) {
    struct checking *c = *state;
    json_t *tasks = tasks_take(c->arena, json_of(c, tasks_text), json_of(c, plan_text), &c->faults);
    says(c, "");
    assert_non_null(tasks);
    assert_string_equal(json_text(c->arena, json_object_get(tasks, "mergeOrder")),
                        "[\"task-001\",\"task-002\",\"task-003\"]");
    json_t *notes = plans_find(json_object_get(tasks, "tasks"), "slug", "notes");
    assert_string_equal(json_str(notes, "id", ""), "task-003");
    assert_string_equal(json_text(c->arena, json_object_get(notes, "dependencies")), "[\"task-001\"]");
    assert_int_equal(json_array_size(json_object_get(notes, "parts")), 0);
}

static void every_fault_of_tasks_is_named(void **state) {
    static const struct {
        const char *at, *key, *value, *says;
    } rows[] = {
        {NULL, "tasks", "[]", "\"tasks\" has 0 items"},
        {NULL, "mergeOrder", "['base', 'docs']", "mergeOrder: it must name every task once"},
        {NULL, "mergeOrder", "['base', 'docs', 'docs']", "\"docs\" is no task, or there twice"},
        {NULL, "mergeOrder", "['base', 'docs', 'other']", "\"other\" is no task"},
        {NULL, "mergeOrder", "['docs', 'base', 'notes']", "docs: it depends on base, which does not come before it"},
        {"tasks.0", "slug", "'Base'", "\"slug\" must be 1 to 40 of"},
        {"tasks.0", "slug", "'docs'", "this slug is there twice"},
        {"tasks.0", "description", "''", "\"description\" is empty"},
        {"tasks.0", "instructions", "'Do it'", "\"instructions\" has 5 characters"},
        {"tasks.0", "instructions", "'Use the key sk-abcdefghijklmnopqrstuvwxyz of ours.'", "what looks like a secret"},
        {"tasks.0", "dependencies", "['notes']", "base: it depends on notes, which does not come before it"},
        {"tasks.0", "dependencies", "['base']", "base: it depends on base"},
        {"tasks.1", "dependencies", "['gone']", "notes: it depends on \"gone\", which is no task"},
        {"tasks.0", "pathScope", "[]", "\"pathScope\" has 0 items"},
        {"tasks.0", "pathScope", "['/etc/**']", "is no pattern of files"},
        {"tasks.0", "pathScope", "['.git/**']", "is no pattern of files"},
        {"tasks.2", "pathScope", "['README.md', 'src/app/[id]/**']", "the tasks notes and docs would run side by side"},
        {"tasks.0", "expectedOutputs", "['src/app/page.tsx']", "the output src/app/page.tsx is outside its pathScope"},
        {"tasks.0", "expectedOutputs", "['src/lib/*.ts']", "is no path of a file"},
        {"tasks.0", "criteria", "['AC-9']", "\"AC-9\", is no criterion of the plan"},
        {"tasks.0", "criteria", "[]", "no task answers for the criterion AC-3"},
    };
    struct checking *c = *state;
    json_t *plan = json_of(c, plan_text);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        json_t *tasks = json_of(c, tasks_text), *at = rows[i].at ? json_at(tasks, rows[i].at) : tasks;
        json_t *list = json_of(c, arena_printf(c->arena, "[%s]", rows[i].value));
        json_object_set(at, rows[i].key, json_array_get(list, 0));
        assert_null(tasks_take(c->arena, tasks, plan, &c->faults));
        says(c, rows[i].says);
    }
}

static void many_faults_are_told_in_part(void **state) {
    struct checking *c = *state;
    for (int i = 0; i < FAULTS_MAX + 5; i++)
        faults_add(&c->faults, "", "fault %d of %0500d", i, 0);
    assert_non_null(strstr(faults_list(&c->faults), "- and 5 more\n"));
    assert_null(strstr(faults_list(&c->faults), "fault 20 "));
    assert_non_null(strstr(faults_brief(&c->faults), "and 22 more"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(a_good_plan_has_no_faults),           T(every_fault_of_a_plan_is_named),
        T(secrets_are_seen_for_what_they_are),  T(routes_fit_paths),
        T(steps_become_those_of_the_plan),      T(odd_steps_are_faults),
        T(control_characters_are_made_visible), T(tasks_become_definitions),
        T(every_fault_of_tasks_is_named),       T(many_faults_are_told_in_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
