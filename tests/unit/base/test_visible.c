/* visible: what others say is shown, and does nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/visible.h"

static void assert_shown(const char *text, size_t max, bool keeps_lines, const char *shown) {
    CLEANUP(buf_release) struct buf out = {0};
    visible_put(&out, text, strlen(text), max, keeps_lines);
    assert_string_equal(out.data ? out.data : "", shown);
}

static void controls_are_seen(void **state) {
    assert_shown("a\tb\x1b[2J\r\x7f", 100, false, "a\tb\\x1b[2J\\x0d\\x7f");
    assert_shown("one\ntwo", 100, false, "one\\x0atwo");
    assert_shown("one\ntwo", 100, true, "one\ntwo");
    assert_shown("\xe2\x80\xae"
                 "abc \xef\xbb\xbf",
                 100, true, "\\u202eabc \\ufeff");
    assert_shown("caf\xc3\xa9 \xe9", 100, true, "caf\xc3\xa9 \xef\xbf\xbd");
    assert_shown("", 100, true, "");
}

static void what_is_too_long_is_cut_between_characters(void **state) {
    assert_shown("abcdefghij", 12, false, "abcde … (5 more bytes)");
    assert_shown("abc\xc3\xa9\xc3\xa9\xc3\xa9", 12, false, "abc\xc3\xa9 … (4 more bytes)");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(controls_are_seen),
        cmocka_unit_test(what_is_too_long_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
