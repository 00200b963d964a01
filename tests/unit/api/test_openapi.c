/* openapi: every row of the route table is in the document as it is, and the document holds together. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/call.h"
#include "api/openapi.h"
#include "api/openapi_operation.h"
#include "api/reference.h"
#include "base/arena.h"
#include "base/mem.h"
#include "base/str.h"
#include "model/states.h"

struct fixture {
    struct arena *arena;
    json_t *document;
    const struct api_route *routes;
    size_t count;
};

static int set_up(void **state) {
    struct fixture *f = mem_alloc(sizeof *f);
    struct err err = {0};
    f->arena = arena_create();
    f->routes = api_routes(&f->count);
    if (openapi_make(f->routes, f->count, f->arena, &f->document, &err) < 0)
        fail_msg("%s", err.message);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    arena_destroy(f->arena);
    free(f);
    return 0;
}

static const char *method_word(struct arena *arena, enum http_method method) {
    static const char *const names[] = {
#define X(value, name) [value] = name,
        HTTP_METHOD_LIST(X)
#undef X
    };
    return str_lower(arena, names[method]);
}

static json_t *operation_at(const struct fixture *f, const struct api_route *route) {
    json_t *parameters = json_own(f->arena, json_array());
    const char *path = operation_path(route->path, parameters, f->arena);
    assert_non_null(path);
    json_t *item = json_object_get(json_object_get(f->document, "paths"), path);
    assert_int_equal(json_array_size(json_object_get(item, "parameters")), json_array_size(parameters));
    return json_object_get(item, method_word(f->arena, route->method));
}

static void every_route_is_an_operation(void **state) {
    struct fixture *f = *state;
    json_t *names = json_own(f->arena, json_object()), *item, *operation;
    const char *path, *method;
    size_t total = 0;
    for (size_t i = 0; i < f->count; i++) {
        operation = operation_at(f, &f->routes[i]);
        assert_string_equal(json_str(operation, "operationId", ""), f->routes[i].operation);
        assert_null(json_object_get(names, f->routes[i].operation)); /* no other has it */
        json_object_set_new(names, f->routes[i].operation, json_true());
    }
    json_object_foreach (json_object_get(f->document, "paths"), path, item) {
        json_object_foreach (item, method, operation)
            total += !str_eq(method, "parameters");
    }
    assert_int_equal(total, f->count);
}

static void every_tag_is_described(void **state) {
    struct fixture *f = *state;
    size_t k;
    json_t *tag;
    for (size_t i = 0; i < f->count; i++) {
        bool is_known = false;
        json_array_foreach (json_object_get(f->document, "tags"), k, tag)
            is_known = is_known || str_eq(json_str(tag, "name", NULL), f->routes[i].tag);
        if (!is_known)
            fail_msg("reference/document.json does not have the tag %s", f->routes[i].tag);
    }
}

/* {"$ref": "#/a/b"} names something. */
static void check_references(const struct fixture *f, json_t *value) {
    const char *name;
    size_t i;
    json_t *member;
    json_object_foreach (value, name, member) {
        if (str_eq(name, "$ref") && json_is_string(member)) {
            char *path = arena_strdup(f->arena, json_string_value(member) + 2);
            for (char *at = path; *at; at++)
                *at = *at == '/' ? '.' : *at;
            if (!json_at(f->document, path))
                fail_msg("%s is not there", json_string_value(member));
        }
        check_references(f, member);
    }
    json_array_foreach (value, i, member)
        check_references(f, member);
}

static void every_reference_leads_somewhere(void **state) {
    struct fixture *f = *state;
    check_references(f, f->document);
}

static void every_field_is_there(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < f->count; i++) {
        const struct api_route *route = &f->routes[i];
        json_t *operation = operation_at(f, route), *parameters = json_object_get(operation, "parameters");
        json_t *schema = json_at(operation, "requestBody.content.application/json.schema");
        size_t query_count = 0, k;
        json_t *parameter;
        json_array_foreach (parameters, k, parameter)
            query_count += str_eq(json_str(parameter, "in", NULL), "query");
        for (const struct api_field *field = route->query; field && field->name; field++) {
            assert_non_null(field->help);
            query_count--;
        }
        assert_int_equal(query_count, 0);
        for (const struct api_field *field = route->body; field && field->name; field++) {
            assert_non_null(field->help);
            json_t *property = json_object_get(json_object_get(schema, "properties"), field->name);
            if (!property)
                fail_msg("%s lacks %s", route->operation, field->name);
        }
        if (route->body)
            assert_true(json_is_false(json_object_get(schema, "additionalProperties")));
    }
}

/* A reader of the reference sees what each answer looks like. */
static void every_answer_has_an_example(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < f->count; i++) {
        const struct api_route *route = &f->routes[i];
        if (!route->answer || str_eq(route->answer, "OpenApi"))
            continue;
        json_t *schema = json_object_get(json_at(f->document, "components.schemas"), route->answer);
        if (!json_array_get(json_object_get(schema, "examples"), 0))
            fail_msg("the schema %s has no example", route->answer);
    }
}

static void errors_are_those_that_a_route_can_give(void **state) {
    struct fixture *f = *state;
    for (size_t i = 0; i < f->count; i++) {
        const struct api_route *route = &f->routes[i];
        json_t *responses = json_object_get(operation_at(f, route), "responses");
        static const char *const always[] = {"400", "431", "500", "503"};
        for (size_t k = 0; k < ARRAY_LEN(always); k++)
            assert_non_null(json_object_get(responses, always[k]));
        assert_int_equal(json_object_get(responses, "429") != NULL, !route->is_uncounted);
        assert_int_equal(json_object_get(responses, "401") != NULL,
                         route->role != ROLE_ANYONE || route->checks_password || route->may_identify);
        if (strchr(route->path, ':'))
            assert_non_null(json_object_get(responses, "404"));
        if (route->conflicts)
            assert_non_null(json_object_get(responses, "409"));
        if (route->role == ROLE_ADMIN)
            assert_non_null(json_object_get(responses, "403"));
        if (route->has_ranges)
            assert_non_null(json_object_get(responses, "416"));
    }
}

static void states_are_those_of_the_model(void **state) {
    struct fixture *f = *state;
    static const char *const names[] = {
#define X(value, name) name,
        RUN_STATE_LIST(X)
#undef X
    };
    json_t *words = json_at(f->document, "components.schemas.RunStatus.enum");
    assert_int_equal(json_array_size(words), ARRAY_LEN(names));
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_string_equal(json_string_value(json_array_get(words, i)), names[i]);
}

/* A field of each kind, as its schema. */
static void fields_become_schemas(void **state) {
    struct fixture *f = *state;
    static const char *const colours[] = {"red", "blue", NULL};
    static const struct api_field inner[] = {{.name = "at", .kind = FIELD_TIME, .is_required = true}, {0}};
    static const struct api_field body[] = {
        {.name = "name", .kind = FIELD_TEXT, .max = 5, .is_required = true, .help = "what it is", .example = "\"x\""},
        {.name = "text", .kind = FIELD_TEXT, .is_empty_fine = true, .is_nullable = true},
        {.name = "count", .kind = FIELD_INT, .min = 1, .max = 9, .fallback = "3"},
        {.name = "flag", .kind = FIELD_BOOL, .fallback = "true"},
        {.name = "colour", .kind = FIELD_WORD, .words = colours, .is_nullable = true},
        {.name = "run", .kind = FIELD_ID, .prefix = "run"},
        {.name = "colours", .kind = FIELD_LIST, .words = colours, .min = 1, .max = 2},
        {.name = "times", .kind = FIELD_LIST, .members = inner},
        {.name = "inner", .kind = FIELD_OBJECT, .members = inner},
        {.name = "any", .kind = FIELD_ANY},
        {0}};
    static const struct api_route route = {.method = HTTP_POST,
                                           .path = "/v1/things/:project",
                                           .role = ROLE_MEMBER,
                                           .body = body,
                                           .operation = "makeThing",
                                           .tag = "Things",
                                           .summary = "Makes one",
                                           .status = 201,
                                           .answer = "Project"};
    json_t *operation = json_own(f->arena, operation_of(&route, json_at(f->document, "components.schemas")));
    json_t *schema = json_at(operation, "requestBody.content.application/json.schema");
    const char *id = "^(run_[0-7][0-9a-hjkmnp-tv-z]{25}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$";
    const char *times = "{\"type\":\"object\",\"required\":[\"at\"],\"properties\":{\"at\":{\"type\":\"string\","
                        "\"format\":\"date-time\"}},\"additionalProperties\":false}";
    assert_string_equal(
        json_text(f->arena, schema),
        arena_printf(f->arena,
                     "{\"type\":\"object\",\"required\":[\"name\"],\"properties\":{"
                     "\"name\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":5,"
                     "\"pattern\":\"\\\\S\",\"description\":\"What it is.\",\"examples\":[\"x\"]},"
                     "\"text\":{\"type\":[\"string\",\"null\"]},"
                     "\"count\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9,\"default\":3},"
                     "\"flag\":{\"type\":\"boolean\",\"default\":true},"
                     "\"colour\":{\"type\":[\"string\",\"null\"],\"enum\":[\"red\",\"blue\",null]},"
                     "\"run\":{\"type\":\"string\",\"pattern\":\"%s\"},"
                     "\"colours\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":2,"
                     "\"items\":{\"type\":\"string\",\"enum\":[\"red\",\"blue\"]}},"
                     "\"times\":{\"type\":\"array\",\"maxItems\":1000,\"items\":%s},\"inner\":%s,\"any\":{}},"
                     "\"additionalProperties\":false}",
                     id, times, times));
    assert_string_equal(json_text(f->arena, json_at(operation, "requestBody.content.application/json.example")),
                        "{\"name\":\"x\"}");
    assert_true(json_flag(json_object_get(operation, "requestBody"), "required", false));
    assert_string_equal(
        json_str(json_at(operation, "responses.201.content.application/json.schema.properties.data"), "$ref", ""),
        "#/components/schemas/Project");
    assert_true(json_flag(json_at(operation, "responses.201.content.application/json.example"), "success", false));
}

static void rows_that_say_too_little_are_refused(void **state) {
    struct fixture *f = *state;
    static const struct {
        struct api_route route;
        const char *message;
    } rows[] = {
        {{.path = "/v1/:nobody", .operation = "a", .tag = "T", .summary = "s"}, "/v1/:nobody has a parameter"},
        {{.path = "/v1/a", .tag = "T", .summary = "s"}, "/v1/a has no operation, tag or summary"},
        {{.path = "/v1/a", .operation = "a", .tag = "T", .summary = "s", .answer = "Nothing"}, "has no schema"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct api_route *routes = arena_array(f->arena, f->count + 1, sizeof *routes);
        json_t *document = NULL;
        struct err err = {0};
        memcpy(routes, f->routes, f->count * sizeof *routes);
        routes[f->count] = rows[i].route;
        assert_int_equal(openapi_make(routes, f->count + 1, f->arena, &document, &err), -ERR_INTERNAL);
        assert_null(document);
        if (!strstr(err.message, rows[i].message))
            fail_msg("\"%s\" does not say \"%s\"", err.message, rows[i].message);
    }
}

static void the_document_is_made_once(void **state) {
    struct reference *reference = reference_create();
    const char *first = NULL, *second = NULL, *etag = NULL;
    size_t len = 0;
    struct err err = {0};
    struct buf printed = {0};
    assert_int_equal(reference_document(reference, &first, &len, &etag, &err), 0);
    assert_int_equal(reference_document(reference, &second, &len, &etag, &err), 0);
    assert_ptr_equal(first, second);
    assert_int_equal(strlen(first), len);
    assert_int_equal(strlen(etag), 66);
    assert_int_equal(reference_print(&printed, &err), 0);
    assert_true(printed.len > len);
    buf_release(&printed);
    reference_destroy(reference);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_an_operation),
        cmocka_unit_test(every_tag_is_described),
        cmocka_unit_test(every_reference_leads_somewhere),
        cmocka_unit_test(every_field_is_there),
        cmocka_unit_test(every_answer_has_an_example),
        cmocka_unit_test(errors_are_those_that_a_route_can_give),
        cmocka_unit_test(states_are_those_of_the_model),
        cmocka_unit_test(fields_become_schemas),
        cmocka_unit_test(rows_that_say_too_little_are_refused),
        cmocka_unit_test(the_document_is_made_once),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
