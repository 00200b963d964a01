/* What is sealed is read with the secret alone, and only as it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/seal.h"

static int set_up(void **state) {
    *state = arena_create();
    return 0;
}

static int tear_down(void **state) {
    arena_destroy(*state);
    return 0;
}

static void test_opens_with_the_secret(void **state) {
    struct arena *arena = *state;
    const char text[] = "{\"key\":\"pzm_\"}\0and more";
    size_t len = 0;
    char *sealed = seal_close(arena, "secret", text, sizeof text);
    assert_null(strstr(sealed, "pzm"));
    char *opened = seal_open(arena, "secret", sealed, &len);
    assert_non_null(opened);
    assert_int_equal(len, sizeof text);
    assert_memory_equal(opened, text, sizeof text);
    sealed = seal_close(arena, "", "", 0);
    assert_string_equal(seal_open(arena, "", sealed, &len), "");
    assert_int_equal(len, 0);
}

static void test_differs_each_time(void **state) {
    assert_string_not_equal(seal_close(*state, "secret", "a", 1), seal_close(*state, "secret", "a", 1));
}

static void test_refuses_what_is_not_it(void **state) {
    struct arena *arena = *state;
    size_t len = 7;
    char *sealed = seal_close(arena, "secret", "answer", 6);
    assert_null(seal_open(arena, "Secret", sealed, &len));
    assert_null(seal_open(arena, "secret", "", &len));
    assert_null(seal_open(arena, "secret", "no base64!", &len));
    assert_null(seal_open(arena, "secret", "AAAA", &len));
    for (size_t i = 0; i < strlen(sealed); i++) {
        char *damaged = arena_strdup(arena, sealed);
        damaged[i] = damaged[i] == 'A' ? 'B' : 'A';
        assert_null(seal_open(arena, "secret", damaged, &len));
        damaged[i] = '\0';
        assert_null(seal_open(arena, "secret", damaged, &len));
    }
    assert_int_equal(len, 7);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {T(test_opens_with_the_secret), T(test_differs_each_time),
                                       T(test_refuses_what_is_not_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
