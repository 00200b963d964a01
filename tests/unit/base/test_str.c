/* Tests of base/str. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/str.h"

static struct arena *arena;

static int set_up(void **state) {
    arena = arena_create();
    return 0;
}

static int tear_down(void **state) {
    arena_destroy(arena);
    return 0;
}

static void compares(void **state) {
    assert_true(str_eq("a", "a"));
    assert_true(str_eq(NULL, NULL));
    assert_false(str_eq("a", NULL));
    assert_true(str_starts("abc", "ab"));
    assert_false(str_starts("a", "ab"));
    assert_true(str_ends("abc", "bc"));
    assert_false(str_ends("c", "bc"));
    assert_true(str_contains_nocase("Hello World", "LO wo"));
    assert_true(str_contains_nocase("x", ""));
    assert_false(str_contains_nocase("hell", "hello"));
    assert_false(str_contains_nocase(NULL, "a"));
    assert_true(str_eq_secret("secret", "secret"));
    assert_false(str_eq_secret("secret", "secreT"));
    assert_false(str_eq_secret("secret", "secre"));
    assert_false(str_eq_secret(NULL, NULL));
    assert_string_equal(str_or(NULL, "x"), "x");
}

static void copies_with_a_limit(void **state) {
    char out[4];
    assert_true(str_copy(out, sizeof(out), "abc"));
    assert_string_equal(out, "abc");
    assert_false(str_copy(out, sizeof(out), "abcd"));
    assert_string_equal(out, "abc");
    assert_true(str_copy(out, sizeof(out), NULL));
    assert_string_equal(out, "");
    assert_false(str_copy(out, 0, "a"));
}

static void reads_whole_numbers(void **state) {
    static const char *const bad[] = {"",    "-",   "+1", " 1", "1 ", "1x", "0x1", "9223372036854775808",
                                      "1.0", "--1", NULL};
    int64_t value = 77;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(str_to_int(bad[i], INT64_MIN, INT64_MAX, &value));
    assert_int_equal(value, 77);
    assert_true(str_to_int("9223372036854775807", INT64_MIN, INT64_MAX, &value));
    assert_true(value == INT64_MAX);
    assert_true(str_to_int("-9223372036854775808", INT64_MIN, INT64_MAX, &value));
    assert_true(value == INT64_MIN);
    assert_true(str_to_int("007", 0, 7, &value));
    assert_int_equal(value, 7);
    assert_false(str_to_int("8", 0, 7, &value));
    assert_false(str_to_int("-1", 0, 7, &value));
}

static void knows_utf8(void **state) {
    static const char *const good[] = {"", "abc", "é", "€", "😀", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {
        "\x80",
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x80\x80",
        "\xed\xa0\x80",
        "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
        "\xe2\x82",
        "a\xc3",
        "\xe2\x28\xa1",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(str_is_utf8(good[i], strlen(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(str_is_utf8(bad[i], strlen(bad[i])));
    assert_false(str_is_utf8("a\0b", 3));
    assert_false(str_is_utf8("é", 1));
    assert_int_equal(str_utf8_len("aé€😀"), 4);
    assert_int_equal(str_utf8_next("€x", 4), 3);
    assert_int_equal(str_utf8_next("", 0), 0);
}

static void trims_lowers_and_makes_slugs(void **state) {
    assert_string_equal(str_trim(arena, " \t a b \r\n"), "a b");
    assert_string_equal(str_trim(arena, "  "), "");
    assert_null(str_trim(arena, NULL));
    assert_string_equal(str_lower(arena, "AbÄ9"), "abÄ9");
    assert_string_equal(str_slug(arena, "My SaaS App!", 50, "app"), "my-saas-app");
    assert_string_equal(str_slug(arena, "--a--b--", 50, "app"), "a-b");
    assert_string_equal(str_slug(arena, "abc def", 4, "app"), "abc");
    assert_string_equal(str_slug(arena, "abc def", 5, "app"), "abc-d");
    assert_string_equal(str_slug(arena, "abcdef", 3, "app"), "abc");
    assert_string_equal(str_slug(arena, "…!", 9, "app"), "app");
    assert_string_equal(str_slug(arena, NULL, 9, "app"), "app");
    assert_string_equal(str_slug(arena, "a", 0, "app"), "app");
}

static void splits(void **state) {
    char **parts;
    size_t count;
    str_split(arena, ",a, b,,c ", ", ", &parts, &count);
    assert_int_equal(count, 3);
    assert_string_equal(parts[0], "a");
    assert_string_equal(parts[1], "b");
    assert_string_equal(parts[2], "c");
    str_split(arena, " ,", ", ", &parts, &count);
    assert_int_equal(count, 0);
    str_split(arena, NULL, ",", &parts, &count);
    assert_int_equal(count, 0);
    str_split(arena, "one", ",", &parts, &count);
    assert_int_equal(count, 1);
}

static bool decodes(const char *text, bool plus_is_space, const char *expected) {
    char copy[64];
    str_copy(copy, sizeof(copy), text);
    return str_url_decode(copy, plus_is_space) && strcmp(copy, expected) == 0;
}

static void codes_urls(void **state) {
    assert_true(decodes("a%20b+c", true, "a b c"));
    assert_true(decodes("a%2fb+c", false, "a/b+c"));
    assert_true(decodes("%C3%a9", false, "é"));
    assert_true(decodes("", false, ""));
    static const char *const bad[] = {"%", "%2", "%zz", "%00", "a%", "%2%"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char copy[8];
        str_copy(copy, sizeof(copy), bad[i]);
        assert_false(str_url_decode(copy, true));
    }
    assert_string_equal(str_url_encode(arena, "a b/é~-._Z9"), "a%20b%2F%C3%A9~-._Z9");
    assert_string_equal(str_url_encode(arena, NULL), "");
}

static void takes_heads_and_tails_and_mends(void **state) {
    assert_int_equal(str_head_len("abc", 5), 3);
    assert_int_equal(str_head_len("abc", 3), 3);
    assert_int_equal(str_head_len("abc", 2), 2);
    assert_int_equal(str_head_len("a\xc3\xa4z", 2), 1);
    assert_int_equal(str_head_len("a\xc3\xa4z", 3), 3);
    assert_int_equal(str_head_len("\xc3\xa4", 1), 0);
    assert_int_equal(str_head_len("", 0), 0);
    assert_string_equal(str_tail("abc", 5), "abc");
    assert_string_equal(str_tail("abc", 2), "bc");
    assert_string_equal(str_tail("a\xc3\xa4z", 2), "z"); /* not the second half of a character */
    assert_string_equal(str_tail("", 0), "");
    assert_null(str_mend(arena, NULL));
    assert_string_equal(str_mend(arena, "a\xc3\xa4z"), "a\xc3\xa4z");
    assert_string_equal(str_mend(arena, "a\xc3z\xff"), "a\xef\xbf\xbdz\xef\xbf\xbd");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares),
        cmocka_unit_test(copies_with_a_limit),
        cmocka_unit_test(reads_whole_numbers),
        cmocka_unit_test(knows_utf8),
        cmocka_unit_test(trims_lowers_and_makes_slugs),
        cmocka_unit_test(splits),
        cmocka_unit_test(codes_urls),
        cmocka_unit_test(takes_heads_and_tails_and_mends),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
