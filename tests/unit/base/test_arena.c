/* Tests of base/arena. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/arena.h"

static void gives_zeroed_aligned_memory(void **state) {
    struct arena *arena = arena_create();
    for (int round = 0; round < 2; round++) {
        for (size_t size = 0; size < 3000; size += 7) {
            unsigned char *memory = arena_alloc(arena, size);
            assert_int_equal((uintptr_t)memory % 16, 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(memory[i], 0);
            memset(memory, 0xee, size);
        }
        arena_reset(arena); /* the kept chunk must not show the old bytes */
        assert_int_equal(arena_used_bytes(arena), 0);
    }
    arena_destroy(arena);
    arena_destroy(NULL);
    arena_reset(NULL);
}

static void takes_large_and_counts_used(void **state) {
    struct arena *arena = arena_create();
    char *large = arena_alloc(arena, 10 * 1024 * 1024);
    memset(large, 1, 10 * 1024 * 1024);
    assert_true(arena_used_bytes(arena) >= 10 * 1024 * 1024);
    int *numbers = arena_array(arena, 10, sizeof(*numbers));
    numbers[9] = 9;
    assert_int_equal(numbers[0], 0);
    arena_destroy(arena);
}

static void copies_and_formats_text(void **state) {
    struct arena *arena = arena_create();
    assert_null(arena_strdup(arena, NULL));
    assert_string_equal(arena_strdup(arena, "abc"), "abc");
    assert_string_equal(arena_strndup(arena, "abc", 2), "ab");
    assert_string_equal(arena_strndup(arena, "abc", 20), "abc");
    assert_string_equal(arena_printf(arena, "%d-%s", 7, "x"), "7-x");
    char text[1000];
    memset(text, 'y', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    const char *formatted = arena_printf(arena, "<%s>", text);
    assert_int_equal(strlen(formatted), 1001);
    assert_int_equal(formatted[1000], '>');
    arena_destroy(arena);
}

static char order[8];

static void note(void *arg) {
    strcat(order, arg);
}

static void runs_deferred_last_first(void **state) {
    struct arena *arena = arena_create();
    order[0] = '\0';
    arena_defer(arena, note, arena_strdup(arena, "a"));
    arena_defer(arena, note, arena_strdup(arena, "b"));
    arena_reset(arena);
    assert_string_equal(order, "ba");
    arena_defer(arena, note, arena_strdup(arena, "c"));
    arena_destroy(arena);
    assert_string_equal(order, "bac");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_zeroed_aligned_memory),
        cmocka_unit_test(takes_large_and_counts_used),
        cmocka_unit_test(copies_and_formats_text),
        cmocka_unit_test(runs_deferred_last_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
