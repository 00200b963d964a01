/* call: who may ask, what input is refused and how the refusal names it. */
#include "fixture.h"

static void a_key_is_needed(void **state) {
    struct fixture *f = *state;
    assert_int_equal(ask_as(f, NULL, "GET", "/v1/projects", "", NULL), 401);
    assert_said(f, "error.code", "UNAUTHORIZED");
    assert_said(f, "success", "false");
    assert_string_equal(answer_header(&f->answer, "WWW-Authenticate"), "Bearer realm=\"prazium\"");
    assert_int_equal(ask_as(f, "pzm_00000000000000000000000000000003avgqzw", "GET", "/v1/projects", "", NULL), 401);
    assert_int_equal(ask_as(f, "nokey", "GET", "/v1/projects", "", NULL), 401);
    assert_int_equal(ask_as(f, NULL, "GET", "/v1/projects", "Authorization: Basic cHpt\r\n", NULL), 401);
    assert_int_equal(ask_as(f, NULL, "GET", "/v1/projects", "authorization: bearer " MEMBER_KEY "\r\n", NULL), 200);
    assert_int_equal(ask_as(f, NULL, "POST", "/v1/projects", "Content-Type: application/json\r\n", "{}"), 401);
    assert_int_equal(ask_as(f, NULL, "GET", "/health", "", NULL), 200);
    assert_int_equal(ask_as(f, NULL, "GET", "/v1/nothing", "", NULL), 404);
    assert_said(f, "error.code", "NOT_FOUND");
    assert_int_equal(ask(f, "PUT", "/v1/projects", "{}"), 405);
    assert_said(f, "error.code", "METHOD_NOT_ALLOWED");
}

static void bodies_that_are_none_are_refused(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *type, *body;
        int status;
        const char *message;
    } rows[] = {
        {"application/json", "", 400, "A JSON body is required"},
        {"text/plain", "{}", 415, "The body must be application/json"},
        {"application/jsonx", "{}", 415, "The body must be application/json"},
        {"application/json", "[]", 400, "The body must be a JSON object"},
        {"Application/JSON; charset=utf-8", "{}", 400, "Project name is required"},
        {"application/json", "{\"name\":\"\\u0000\"}", 400, NULL},
        {"application/json", "{\"name\":\"a\",\"name\":\"b\"}", 400, NULL},
        {"application/json", "{\"name\":", 400, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *type = arena_printf(f->arena, "Content-Type: %s\r\n", rows[i].type);
        assert_int_equal(ask_as(f, MEMBER_KEY, "POST", "/v1/projects", type, rows[i].body), rows[i].status);
        if (rows[i].message)
            assert_said(f, "error.message", rows[i].message);
    }
}

static void every_fault_is_named(void **state) {
    struct fixture *f = *state;
    assert_int_equal(ask(f, "POST", "/v1/projects", "{\"description\":7,\"colour\":\"red\"}"), 400);
    assert_said(f, "error.code", "VALIDATION_ERROR");
    assert_said(f, "error.details.field", "colour");
    assert_said(f, "error.details.fields.0.message", "colour is not a known field");
    assert_said(f, "error.details.fields.1.message", "Project name is required");
    assert_said(f, "error.details.fields.2.message", "Project description must be a string");
    assert_int_equal(strlen(said(f, "error.details.requestId")) > 0, 1);
    assert_int_equal(ask(f, "POST", "/v1/projects", "{\"name\":\"  \",\"description\":\"d\"}"), 400);
    assert_said(f, "error.message", "Project name is required");
    const char *path = add_project(f);
    assert_int_equal(ask(f, "PATCH", path, "{\"name\":null}"), 400);
    assert_said(f, "error.message", "Project name must be a string");
    assert_int_equal(ask(f, "PATCH", path, "{\"name\":\"\"}"), 400);
    assert_said(f, "error.message", "Project name must not be empty");
    assert_int_equal(ask(f, "PATCH", path, "{}"), 400);
    assert_said(f, "error.message", "name, description or a setting is required");
    assert_int_equal(ask(f, "PATCH", path, "{\"name\":\" Trimmed \"}"), 200);
    assert_said(f, "data.name", "Trimmed");
    assert_said(f, "data.description", "An app.");
}

/* Lengths are of characters, not of bytes. */
static void lengths_count_characters(void **state) {
    struct fixture *f = *state;
    struct buf name = {0};
    for (int i = 0; i < 200; i++)
        buf_puts(&name, "ä");
    const char *body = arena_printf(f->arena, "{\"name\":\"%s\",\"description\":\"d\"}", name.data);
    assert_int_equal(ask(f, "POST", "/v1/projects", body), 201);
    assert_said(f, "data.name", name.data);
    body = arena_printf(f->arena, "{\"name\":\"%sä\",\"description\":\"d\"}", name.data);
    assert_int_equal(ask(f, "POST", "/v1/projects", body), 400);
    assert_said(f, "error.message", "Project name must be at most 200 characters");
    buf_release(&name);
}

static void queries_are_checked(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *query, *message;
    } rows[] = {
        {"page=0", "page must be a whole number from 1"},
        {"page=x", "page must be a whole number from 1"},
        {"pageSize=101", "pageSize must be a whole number from 1 to 100"},
        {"pageSize=1&pageSize=2", "pageSize must be given once"},
        {"status=done",
         "status must be one of: draft, clarifying, spec_review, approved, building, built, failed, archived"},
        {"colour=red", "colour is not a known query parameter"},
    };
    add_project(f);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(ask(f, "GET", arena_printf(f->arena, "/v1/projects?%s", rows[i].query), NULL), 400);
        assert_said(f, "error.message", rows[i].message);
    }
    assert_int_equal(ask(f, "GET", "/v1/projects?page=&status=draft&search=my", NULL), 200);
    assert_said(f, "data.0.name", "My App");
    assert_said(f, "pagination", "{\"page\":1,\"pageSize\":20,\"total\":1,\"totalPages\":1}");
    assert_int_equal(ask(f, "GET", "/v1/projects?page=2", NULL), 200);
    assert_said(f, "data", "[]");
}

static void ids_come_in_two_forms_and_belong_to_somebody(void **state) {
    struct fixture *f = *state;
    const char *path = add_project(f);
    assert_int_equal(ask(f, "GET", path, NULL), 200);
    assert_said(f, "data.status", "draft");
    assert_said(f, "data.spec", "null");
    assert_int_equal(ask_as(f, OTHER_KEY, "GET", path, "", NULL), 404); /* not 403: it does not exist for them */
    assert_said(f, "error.message", "Project not found");
    assert_int_equal(ask(f, "GET", "/v1/projects/proj_x", NULL), 404);
    assert_int_equal(ask(f, "GET", "/v1/projects/run_01m85s4trxebzrmzwnxs1eg5p2", NULL), 404);
    assert_int_equal(ask(f, "GET", arena_printf(f->arena, "%s/runs/run_x", path), NULL), 404);
    assert_said(f, "error.message", "Run not found");
    assert_int_equal(ask(f, "DELETE", path, NULL), 200);
    assert_said(f, "data.status", "archived");
    assert_int_equal(ask(f, "PATCH", path, "{\"name\":\"x\"}"), 409);
    assert_said(f, "error.code", "CONFLICT");
}

static void health_tells_of_its_parts(void **state) {
    struct fixture *f = *state;
    assert_int_equal(ask_as(f, NULL, "GET", "/v1/health", "", NULL), 200);
    assert_said(f, "status", "degraded"); /* nobody works here */
    assert_said(f, "components.database", "healthy");
    assert_said(f, "components.workers", "degraded");
    assert_string_equal(answer_header(&f->answer, "Cache-Control"), "no-store");
    assert_string_equal(answer_header(&f->answer, "X-Content-Type-Options"), "nosniff");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        api_test(a_key_is_needed),           api_test(bodies_that_are_none_are_refused),
        api_test(every_fault_is_named),      api_test(lengths_count_characters),
        api_test(queries_are_checked),       api_test(ids_come_in_two_forms_and_belong_to_somebody),
        api_test(health_tells_of_its_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
