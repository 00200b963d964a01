/* Tests of sandbox/output: what is kept of much output, and how it comes in lines. */
#include "support.h"

#include "base/buf.h"
#include "sandbox/output.h"

static void keeps_all_within_bounds(void **state) {
    struct arena *arena = arena_create();
    struct output output;
    size_t len;
    output_init(&output, 8, 8);
    assert_string_equal(output_text(&output, arena, &len), "");
    assert_int_equal(len, 0);
    output_put(&output, "0123", 4);
    output_put(&output, "456789ab", 8);
    output_put(&output, "cdef", 4);
    assert_string_equal(output_text(&output, arena, &len), "0123456789abcdef");
    assert_int_equal(len, 16);
    assert_int_equal(output.total_bytes, 16);
    output_release(&output);
    arena_destroy(arena);
}

static void says_what_was_cut(void **state) {
    struct arena *arena = arena_create();
    struct output output;
    size_t len;
    output_init(&output, 4, 6);
    for (int i = 0; i < 100; i++)
        output_put(&output, "ab\n", 3);
    assert_string_equal(output_text(&output, arena, &len), "ab\na\n[... 290 bytes cut ...]\nab\nab\n");
    output_release(&output);
    output_init(&output, 0, 6);
    output_put(&output, "0123456789\n", 11);
    assert_string_equal(output_text(&output, arena, &len), "[... 5 bytes cut ...]\n56789\n");
    output_release(&output);
    arena_destroy(arena);
}

static void the_ring_turns_at_any_size(void **state) {
    struct arena *arena = arena_create();
    for (size_t step = 1; step < 40; step++) {
        struct output output;
        struct buf all = {0};
        size_t len;
        output_init(&output, 5, 11);
        for (size_t i = 0; i < 20; i++) {
            char part[40];
            for (size_t j = 0; j < step; j++)
                part[j] = (char)('a' + (i * step + j) % 26);
            output_put(&output, part, step);
            buf_put(&all, part, step);
        }
        const char *text = output_text(&output, arena, &len);
        size_t tail = all.len < 11 ? all.len : 11;
        assert_memory_equal(text, all.data, 5);
        assert_memory_equal(text + len - tail, all.data + all.len - tail, tail);
        output_release(&output);
        buf_release(&all);
    }
    arena_destroy(arena);
}

static void cuts_between_characters(void **state) {
    struct arena *arena = arena_create();
    for (size_t head = 1; head < 9; head++) {
        struct output output;
        size_t len;
        output_init(&output, head, head);
        for (int i = 0; i < 20; i++)
            output_put(&output, "é€😀", 9);
        const char *text = output_text(&output, arena, &len);
        assert_true(str_is_utf8(text, len));
        output_release(&output);
    }
    arena_destroy(arena);
}

static void collect(const char *line, size_t len, void *arg) {
    buf_put(arg, line, len);
    buf_putc(arg, '|');
}

static void hands_over_lines(void **state) {
    struct buf lines = {0};
    struct output output;
    output_init(&output, 8, 8);
    output_watch(&output, 5, collect, &lines);
    output_put(&output, "one\ntw", 6);
    assert_string_equal(lines.data, "one|");
    output_put(&output, "o\r\n\nlonger than that", 20);
    output_put(&output, " by far\nlast", 12);
    assert_string_equal(lines.data, "one|two||longe|");
    output_end(&output);
    output_end(&output);
    assert_string_equal(lines.data, "one|two||longe|last|");
    output_release(&output);
    buf_release(&lines);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_all_within_bounds),    cmocka_unit_test(says_what_was_cut),
        cmocka_unit_test(the_ring_turns_at_any_size), cmocka_unit_test(cuts_between_characters),
        cmocka_unit_test(hands_over_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
