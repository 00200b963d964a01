/* The routing table: which route a path finds, and with which parameters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "http/internal.h"

static void nothing(struct http_request *request, struct http_reply *reply, void *context) {
}

#define ROUTE(m, p)                                                                                                    \
    { .method = m, .path = p, .handle = nothing }

static const struct http_route routes[] = {
    ROUTE(HTTP_GET, "/"),
    ROUTE(HTTP_GET, "/v1/projects"),
    ROUTE(HTTP_POST, "/v1/projects"),
    ROUTE(HTTP_GET, "/v1/projects/:project"),
    ROUTE(HTTP_DELETE, "/v1/projects/:project"),
    ROUTE(HTTP_GET, "/v1/projects/new"),
    ROUTE(HTTP_GET, "/v1/projects/:project/files"),
    ROUTE(HTTP_GET, "/v1/projects/:id/files/*path"),
    ROUTE(HTTP_GET, "/v1/projects/:id/files/special/raw"),
    ROUTE(HTTP_GET, "/v1/projects/:project/runs/:run/tasks/:task"),
    ROUTE(HTTP_HEAD, "/probe"),
    ROUTE(HTTP_GET, "/slash/"),
    ROUTE(HTTP_GET, "/web/*rest"),
    ROUTE(HTTP_POST, "/web/login"),
};

struct expectation {
    enum http_method method;
    const char *path;
    const char *route;   /* NULL: none */
    const char *allowed; /* where there is none; "" unknown path */
    const char *first, *second;
};

static const struct expectation expectations[] = {
    {HTTP_GET, "/", "/", NULL, NULL, NULL},
    {HTTP_GET, "/v1/projects", "/v1/projects", NULL, NULL, NULL},
    {HTTP_HEAD, "/v1/projects", "/v1/projects", NULL, NULL, NULL},
    {HTTP_GET, "/v1/projects/", NULL, "", NULL, NULL},
    {HTTP_GET, "/v1", NULL, "", NULL, NULL},
    {HTTP_GET, "//v1/projects", NULL, "", NULL, NULL},
    {HTTP_PUT, "/v1/projects", NULL, "GET, HEAD, POST, OPTIONS", NULL, NULL},
    {HTTP_OTHER, "/v1/projects", NULL, "GET, HEAD, POST, OPTIONS", NULL, NULL},
    {HTTP_GET, "/v1/projects/proj_1", "/v1/projects/:project", NULL, "proj_1", NULL},
    {HTTP_GET, "/v1/projects/new", "/v1/projects/new", NULL, NULL, NULL},
    {HTTP_DELETE, "/v1/projects/new", "/v1/projects/:project", NULL, "new", NULL},
    {HTTP_GET, "/v1/%70rojects/a%20b%2Fc", "/v1/projects/:project", NULL, "a b/c", NULL},
    {HTTP_GET, "/v1/projects/p/files", "/v1/projects/:project/files", NULL, "p", NULL},
    {HTTP_GET, "/v1/projects/p/files/", NULL, "", NULL, NULL},
    {HTTP_GET, "/v1/projects/p/files/a", "/v1/projects/:id/files/*path", NULL, "p", "a"},
    {HTTP_GET, "/v1/projects/p/files/src/app%2Fx/p%C3%A4ge.tsx", "/v1/projects/:id/files/*path", NULL, "p",
     "src/app/x/p\xc3\xa4ge.tsx"},
    {HTTP_GET, "/v1/projects/p/files/special/raw", "/v1/projects/:id/files/special/raw", NULL, "p", NULL},
    {HTTP_GET, "/v1/projects/p/files/special/other", "/v1/projects/:id/files/*path", NULL, "p", "special/other"},
    {HTTP_GET, "/v1/projects/p/files/a//b/", "/v1/projects/:id/files/*path", NULL, "p", "a//b/"},
    {HTTP_POST, "/v1/projects/p/files/a", NULL, "GET, HEAD, OPTIONS", NULL, NULL},
    {HTTP_GET, "/v1/projects/p/runs/r/tasks/t", "/v1/projects/:project/runs/:run/tasks/:task", NULL, "p", "r"},
    {HTTP_GET, "/v1/projects/p/runs//tasks/t", NULL, "", NULL, NULL},
    {HTTP_HEAD, "/probe", "/probe", NULL, NULL, NULL},
    {HTTP_GET, "/probe", NULL, "HEAD, OPTIONS", NULL, NULL},
    {HTTP_GET, "/slash/", "/slash/", NULL, NULL, NULL},
    {HTTP_GET, "/slash", NULL, "", NULL, NULL},
    {HTTP_GET, "/web/login", "/web/*rest", NULL, "login", NULL},
    {HTTP_POST, "/web/login", "/web/login", NULL, NULL, NULL},
};

static void check(const struct router *router, const struct expectation *expected, struct arena *arena) {
    struct route_match found;

    assert_true(router_find(router, expected->method, expected->path, arena, &found));
    if (!expected->route) {
        assert_null(found.route);
        assert_string_equal(found.allowed ? router_allow(found.allowed, arena) : "", expected->allowed);
        return;
    }
    assert_non_null(found.route);
    assert_string_equal(found.route->path, expected->route);
    if (expected->first)
        assert_string_equal(found.params[0].value, expected->first);
    if (expected->second)
        assert_string_equal(found.params[1].value, expected->second);
}

static void test_finds(void **state) {
    struct router *router = NULL;
    struct arena *arena = arena_create();

    assert_int_equal(router_create(routes, ARRAY_LEN(routes), &router, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(expectations); i++)
        check(router, &expectations[i], arena);
    router_destroy(router);
    arena_destroy(arena);
}

static void test_refuses_malformed_paths(void **state) {
    static const char *const paths[] = {
        "/v1/%", "/v1/%2", "/v1/%zz", "/v1/%00", "/v1/projects/%ff", "/v1/projects/%c0%af", "/web/a/%ed%a0%80"};
    struct router *router = NULL;
    struct route_match found;
    struct arena *arena = arena_create();

    assert_int_equal(router_create(routes, ARRAY_LEN(routes), &router, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        assert_false(router_find(router, HTTP_GET, paths[i], arena, &found));
    router_destroy(router);
    arena_destroy(arena);
}

static void test_very_deep_path(void **state) {
    struct router *router = NULL;
    struct route_match found;
    struct arena *arena = arena_create();
    char *path = arena_alloc(arena, 4096);

    strcpy(path, "/web");
    for (int i = 0; i < 1000; i++)
        strcat(path, "/x");
    assert_int_equal(router_create(routes, ARRAY_LEN(routes), &router, NULL), 0);
    assert_true(router_find(router, HTTP_GET, path, arena, &found));
    assert_string_equal(found.route->path, "/web/*rest");
    assert_string_equal(found.params[0].value, path + 5);
    strcat(path, "/%zz");
    assert_false(router_find(router, HTTP_GET, path, arena, &found));
    assert_true(router_find(router, HTTP_GET, "*", arena, &found));
    assert_null(found.route);
    router_destroy(router);
    arena_destroy(arena);
}

static void test_refuses_bad_tables(void **state) {
    static const struct http_route bad[][2] = {
        {ROUTE(HTTP_GET, "no-slash"), ROUTE(HTTP_GET, "/a")},
        {ROUTE(HTTP_GET, "/*rest/more"), ROUTE(HTTP_GET, "/a")},
        {ROUTE(HTTP_GET, "/a/:x"), ROUTE(HTTP_GET, "/a/:y")},
        {ROUTE(HTTP_GET, "/a/:"), ROUTE(HTTP_GET, "/a")},
        {ROUTE(HTTP_OTHER, "/a"), ROUTE(HTTP_GET, "/a")},
        {ROUTE(HTTP_GET, "/a/*x"), ROUTE(HTTP_GET, "/a/*y")},
        {{.method = HTTP_GET, .path = "/none"}, ROUTE(HTTP_GET, "/a")},
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct router *router = NULL;
        struct err err = {0};
        assert_int_equal(router_create(bad[i], 2, &router, &err), -ERR_VALIDATION);
        assert_null(router);
        assert_true(err.message[0]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds),
        cmocka_unit_test(test_refuses_malformed_paths),
        cmocka_unit_test(test_very_deep_path),
        cmocka_unit_test(test_refuses_bad_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
