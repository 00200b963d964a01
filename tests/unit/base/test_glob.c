/* Tests of base/glob: examples, and comparison with plain search over all short paths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/glob.h"
#include "base/mem.h"

static void matches(void **state) {
    static const struct {
        const char *pattern, *path;
        bool expected;
    } rows[] = {
        {"a", "a", true},
        {"a", "b", false},
        {"a", "a/b", false},
        {"*", "a", true},
        {"*", "a/b", false},
        {"*.ts", "x.ts", true},
        {"*.ts", ".ts", true},
        {"*.ts", "x.tsx", false},
        {"a?c", "abc", true},
        {"a?c", "aéc", true},
        {"a?c", "ac", false},
        {"a??c", "aéc", false},
        {"?", "/", false},
        {"**", "a", true},
        {"**", "a/b/c", true},
        {"**", "", false},
        {"a/**", "a", false},
        {"a/**", "a/b", true},
        {"a/**", "a/b/c", true},
        {"a/**", "ab/c", false},
        {"**/b", "b", true},
        {"**/b", "a/a/b", true},
        {"**/b", "a/b/c", false},
        {"a/**/b", "a/b", true},
        {"a/**/b", "a/x/y/b", true},
        {"a/**/b", "a/x/b/y", false},
        {"**/**", "a", true},
        {"**/a/**", "a", false},
        {"**/a/**", "x/a/a", true},
        {"**/a/*/b/**/c", "a/a/x/b/c/b/c", true},
        {"a**b", "axxb", true},
        {"a**b", "ax/xb", false},
        {"*a*b*c*", "xxaxbxbxcx", true},
        {"*a*b*c*", "xxaxcxbx", false},
        {"src/app/**/page.tsx", "src/app/page.tsx", true},
        {"src/app/**/page.tsx", "src/app/(main)/items/[id]/page.tsx", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (glob_match(rows[i].pattern, rows[i].path) != rows[i].expected)
            fail_msg("%s against %s", rows[i].pattern, rows[i].path);
}

static void overlaps(void **state) {
    static const struct {
        const char *a, *b;
        bool expected;
    } rows[] = {
        {"src/a/**", "src/b/**", false},
        {"src/**", "src/b/**", true},
        {"src/*/x.ts", "src/a/*", true},
        {"src/*/x.ts", "src/a/*/y", false},
        {"a/**", "a", false},
        {"**/a", "a/**", true},
        {"**", "x", true},
        {"a*", "*b", true},
        {"a*c", "*b*", true},
        {"a?c", "abd", false},
        {"*.ts", "*.tsx", false},
        {"a/**/b", "a/*/c", false},
        {"a/**/b", "**/c/*", true},
        {"?", "é", true},
        {"é*", "è*", false},
        {".?", "?.", false}, /* they share ".." only, which is no name */
        {"..?", "?..", true},
        {"a//b", "**", false},
        {"src/app/api/items/**", "src/app/api/*/route.ts", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (glob_overlap(rows[i].a, rows[i].b) != rows[i].expected ||
            glob_overlap(rows[i].b, rows[i].a) != rows[i].expected)
            fail_msg("%s with %s", rows[i].a, rows[i].b);
    }
}

static void knows_valid_patterns(void **state) {
    static const char *const bad[] = {NULL, "", "/a", "a/", "a//b", ".", "a/..", "./a", "a\\b", "\xff"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(glob_is_valid(bad[i]));
    assert_true(glob_is_valid("a/.b/..c/**/*"));
    char text[600];
    for (size_t i = 0; i < 512; i++)
        text[i] = i % 2 ? '/' : '*';
    text[511] = 'a';
    text[512] = '\0';
    assert_true(glob_is_valid(text));
    assert_true(glob_overlap(text, text));
    assert_true(glob_overlap(text, "**"));
    memset(text, '*', 512);
    assert_true(glob_overlap(text, text));
    memset(text, 'a', 513);
    text[513] = '\0';
    assert_false(glob_is_valid(text));
    assert_false(glob_match(text, text));
}

/* Backtracking patterns and long paths must not take exponential time. */
static void is_fast_in_bad_cases(void **state) {
    char pattern[512] = "", path[8192] = "";
    for (int i = 0; i < 80; i++)
        strcat(pattern, "**/a/");
    strcat(pattern, "b");
    for (int i = 0; i < 4000; i++)
        strcat(path, "a/");
    strcat(path, "c");
    assert_false(glob_match(pattern, path));
    pattern[0] = '\0';
    for (int i = 0; i < 200; i++)
        strcat(pattern, "*a");
    memset(path, 'a', 4000);
    strcpy(path + 4000, "b");
    assert_false(glob_match(pattern, path));
}

/* ---- against plain search ---- */

/* The meaning of patterns, written down as plainly as can be. */
static bool slow_name(const char *pattern, size_t pattern_len, const char *name, size_t len) {
    if (pattern_len == 0)
        return len == 0;
    if (*pattern == '*')
        return slow_name(pattern + 1, pattern_len - 1, name, len) ||
               (len > 0 && slow_name(pattern, pattern_len, name + 1, len - 1));
    return len > 0 && (*pattern == '?' || *pattern == *name) &&
           slow_name(pattern + 1, pattern_len - 1, name + 1, len - 1);
}

static bool slow_match(const char *pattern, const char *path) {
    if (!pattern || !path)
        return !pattern && !path;
    size_t pattern_len = strcspn(pattern, "/"), len = strcspn(path, "/");
    const char *rest_pattern = pattern[pattern_len] ? pattern + pattern_len + 1 : NULL;
    const char *rest_path = path[len] ? path + len + 1 : NULL;
    if (pattern_len == 2 && memcmp(pattern, "**", 2) == 0) {
        if (!rest_pattern)
            return true; /* what is left of path holds one name at least */
        return slow_match(rest_pattern, path) || (rest_path && slow_match(pattern, rest_path));
    }
    return slow_name(pattern, pattern_len, path, len) && slow_match(rest_pattern, rest_path);
}

enum { MOST_PATHS = 256, LONGEST_PATH = 16, ROUNDS = 20000 };

/* All paths that matter for the patterns of a test: it says why no longer one does. */
struct universe {
    char paths[MOST_PATHS][LONGEST_PATH];
    size_t count;
};

/* The k-th word over two letters, counted by length, with separator (or none if 0) between the letters. */
static void put_word(char *out, size_t k, const char letters[2], char separator) {
    size_t len = 0;
    for (k++; k > 1; k /= 2) {
        if (len > 0 && separator)
            out[len++] = separator;
        out[len++] = letters[k % 2];
    }
    out[len] = '\0';
}

static void make_universe(struct universe *universe, size_t longest, const char letters[2], char separator) {
    universe->count = 0;
    for (size_t k = 1; k + 1 < (size_t)2 << longest; k++) {
        char *path = universe->paths[universe->count];
        put_word(path, k, letters, separator);
        if (strcmp(path, ".") != 0 && strcmp(path, "..") != 0)
            universe->count++;
    }
}

static uint32_t seed = 12345;

static uint32_t below(uint32_t bound) {
    seed = seed * 1664525 + 1013904223;
    return (seed >> 16) % bound;
}

/* Up to four of the pieces, with separator between them. */
static void random_pattern(char *out, const char *const *pieces, uint32_t piece_count, const char *separator) {
    do {
        *out = '\0';
        for (uint32_t i = 1 + below(4); i > 0; i--) {
            strcat(out, pieces[below(piece_count)]);
            strcat(out, i > 1 ? separator : "");
        }
    } while (!glob_is_valid(out));
}

static void compare_with_search(const struct universe *universe, const char *a, const char *b) {
    bool has_common = false;
    for (size_t i = 0; i < universe->count; i++) {
        const char *path = universe->paths[i];
        bool is_in_a = slow_match(a, path);
        if (is_in_a != glob_match(a, path))
            fail_msg("%s against %s: %d expected", a, path, is_in_a);
        has_common |= is_in_a && slow_match(b, path);
    }
    if (has_common != glob_overlap(a, b))
        fail_msg("%s with %s: %d expected", a, b, has_common);
}

/* Names: a shortest common name needs no more characters than the two patterns have fixed ones, three each beside a
 * star; three are needed to be no "..": so names of six characters are enough. */
static void agrees_with_search_over_names(void **state) {
    static const char *const pieces[] = {"a", ".", "*", "?"};
    static struct universe universe;
    make_universe(&universe, 6, (const char[2]){'a', '.'}, 0);
    for (int round = 0; round < ROUNDS; round++) {
        char a[16], b[16];
        random_pattern(a, pieces, ARRAY_LEN(pieces), "");
        random_pattern(b, pieces, ARRAY_LEN(pieces), "");
        compare_with_search(&universe, a, b);
    }
}

/* Lists of names: likewise, three names each beside a `**`, and one for a `**` at the end. */
static void agrees_with_search_over_lists_of_names(void **state) {
    static const char *const pieces[] = {"a", "b", "*", "?", "**", "**"};
    static struct universe universe;
    make_universe(&universe, 7, (const char[2]){'a', 'b'}, '/');
    for (int round = 0; round < ROUNDS; round++) {
        char a[16], b[16];
        random_pattern(a, pieces, ARRAY_LEN(pieces), "/");
        random_pattern(b, pieces, ARRAY_LEN(pieces), "/");
        compare_with_search(&universe, a, b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches),
        cmocka_unit_test(overlaps),
        cmocka_unit_test(knows_valid_patterns),
        cmocka_unit_test(is_fast_in_bad_cases),
        cmocka_unit_test(agrees_with_search_over_names),
        cmocka_unit_test(agrees_with_search_over_lists_of_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
