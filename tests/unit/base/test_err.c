/* Tests of base/err. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/err.h"

static void sets_code_and_message(void **state) {
    struct err err = {.field = "old"};
    assert_int_equal(err_set(&err, ERR_NOT_FOUND, "no %s", "run"), -ERR_NOT_FOUND);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_string_equal(err.message, "no run");
    assert_string_equal(err.field, "");
    assert_int_equal(err_set(NULL, ERR_CONFLICT, "x"), -ERR_CONFLICT);
}

static void names_the_field(void **state) {
    struct err err = {0};
    assert_int_equal(err_field(&err, ERR_VALIDATION, "title", "is empty"), -ERR_VALIDATION);
    assert_string_equal(err.field, "title");
    char long_name[100];
    memset(long_name, 'f', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    err_field(&err, ERR_VALIDATION, long_name, "x");
    assert_int_equal(strlen(err.field), sizeof(err.field) - 1);
}

static void appends_the_reason_of_the_system(void **state) {
    struct err err = {0};
    assert_int_equal(err_errno(&err, ERR_INTERNAL, ENOENT, "open %s", "a"), -ERR_INTERNAL);
    assert_string_equal(err.message, "open a: No such file or directory");
}

static void wraps_in_front(void **state) {
    struct err err = {0};
    err_field(&err, ERR_CONFLICT, "slug", "taken");
    assert_int_equal(err_wrap(&err, "project %d", 3), -ERR_CONFLICT);
    assert_string_equal(err.message, "project 3: taken");
    assert_string_equal(err.field, "slug");
    assert_true(err_wrap(NULL, "x") < 0);
    struct err unset = {0};
    assert_int_equal(err_wrap(&unset, "x"), -ERR_INTERNAL);
}

static void an_argument_may_be_the_old_message(void **state) {
    struct err err = {0};
    err_set(&err, ERR_INTERNAL, "inner");
    err_set(&err, ERR_TIMEOUT, "outer (%s)", err.message);
    assert_string_equal(err.message, "outer (inner)");
    err_wrap(&err, "%s", err.message);
    assert_string_equal(err.message, "outer (inner): outer (inner)");
}

static void cuts_long_messages(void **state) {
    struct err err = {0};
    char text[600];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    err_set(&err, ERR_INTERNAL, "%s", text);
    assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
    err_wrap(&err, "%s", text);
    assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
    err_errno(&err, ERR_INTERNAL, EIO, "%s", text);
    assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
}

static void every_code_has_a_row(void **state) {
#define X(code, name, http, exit)                                                                                      \
    assert_string_equal(err_name(code), name);                                                                         \
    assert_int_equal(err_http_status(code), http);                                                                     \
    assert_int_equal(err_exit_code(code), exit);
    ERR_LIST(X)
#undef X
    assert_string_equal(err_name((enum err_code)999), "INTERNAL_ERROR");
    assert_int_equal(err_http_status(ERR_NONE), 500);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_code_and_message),
        cmocka_unit_test(names_the_field),
        cmocka_unit_test(appends_the_reason_of_the_system),
        cmocka_unit_test(wraps_in_front),
        cmocka_unit_test(an_argument_may_be_the_old_message),
        cmocka_unit_test(cuts_long_messages),
        cmocka_unit_test(every_code_has_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
