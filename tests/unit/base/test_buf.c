/* Tests of base/buf. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

static void grows_and_stays_terminated(void **state) {
    struct buf buf = {0};
    buf_puts(&buf, "ab");
    buf_putc(&buf, 'c');
    buf_put(&buf, "de", 2);
    buf_put(&buf, NULL, 0);
    buf_printf(&buf, "%d", 42);
    assert_string_equal(buf.data, "abcde42");
    assert_int_equal(buf.len, 7);
    for (int i = 0; i < 10000; i++)
        buf_putc(&buf, 'x');
    assert_int_equal(strlen(buf.data), 10007);
    buf_reset(&buf);
    assert_string_equal(buf.data, "");
    buf_release(&buf);
    buf_release(&buf);
    buf_release(NULL);
    assert_null(buf.data);
}

static void formats_long_text(void **state) {
    struct buf buf = {0};
    char text[1000];
    memset(text, 'y', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    buf_printf(&buf, "<%s>", text);
    assert_int_equal(buf.len, 1001);
    assert_int_equal(buf.data[1000], '>');
    buf_release(&buf);
}

static void stops_at_its_limit(void **state) {
    struct buf buf;
    buf_init(&buf, 5);
    buf_puts(&buf, "abc");
    buf_puts(&buf, "def");
    assert_true(buf.overflowed);
    assert_string_equal(buf.data, "abc");
    buf_putc(&buf, 'x'); /* would fit, but would leave a gap */
    assert_string_equal(buf.data, "abc");
    assert_null(buf_reserve(&buf, 1));
    buf_reset(&buf);
    buf_puts(&buf, "12345");
    assert_false(buf.overflowed);
    assert_string_equal(buf.data, "12345");
    buf_putc(&buf, '6');
    assert_true(buf.overflowed);
    buf_reset(&buf);
    buf_printf(&buf, "%0300d", 1);
    assert_true(buf.overflowed);
    assert_int_equal(buf.len, 0);
    buf_release(&buf);
}

static void reserves_consumes_and_gives_away(void **state) {
    struct buf buf = {0};
    memcpy(buf_reserve(&buf, 100), "hello world", 11);
    buf_added(&buf, 11);
    assert_string_equal(buf.data, "hello world");
    buf_consume(&buf, 6);
    assert_string_equal(buf.data, "world");
    buf_consume(&buf, 99);
    assert_int_equal(buf.len, 0);
    buf_puts(&buf, "rest");
    char *text = buf_take(&buf);
    assert_string_equal(text, "rest");
    free(text);
    assert_null(buf.data);
    buf_consume(&buf, 1);
    text = buf_take(&buf);
    assert_string_equal(text, "");
    free(text);
    assert_null(buf_reserve(&buf, SIZE_MAX));
    assert_true(buf.overflowed);
    buf_release(&buf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_stays_terminated),
        cmocka_unit_test(formats_long_text),
        cmocka_unit_test(stops_at_its_limit),
        cmocka_unit_test(reserves_consumes_and_gives_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
