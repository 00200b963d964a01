/* The Range header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "http/http.h"

static void test_ranges(void **state) {
    static const struct {
        const char *header;
        int64_t size;
        enum http_range kind;
        int64_t first, last;
    } rows[] = {
        {NULL, 100, HTTP_RANGE_NONE, 0, 0},
        {"", 100, HTTP_RANGE_NONE, 0, 0},
        {"bytes", 100, HTTP_RANGE_NONE, 0, 0},
        {"bytes=", 100, HTTP_RANGE_NONE, 0, 0},
        {"bytes=-", 100, HTTP_RANGE_NONE, 0, 0},
        {"bytes=5", 100, HTTP_RANGE_NONE, 0, 0},
        {"lines=1-2", 100, HTTP_RANGE_NONE, 0, 0},
        {"bytes=0-1,5-6", 100, HTTP_RANGE_NONE, 0, 0},
        {"bytes=6-5", 100, HTTP_RANGE_NONE, 0, 0},
        {"bytes=a-b", 100, HTTP_RANGE_NONE, 0, 0},
        {"bytes=-1-2", 100, HTTP_RANGE_NONE, 0, 0},
        {"bytes=+1-2", 100, HTTP_RANGE_NONE, 0, 0},
        {"bytes= 1-2", 100, HTTP_RANGE_NONE, 0, 0},
        {"bytes=99999999999999999999-", 100, HTTP_RANGE_NONE, 0, 0},
        {"bytes=00000000000000000000000000001-2", 100, HTTP_RANGE_NONE, 0, 0},
        {"bytes=0-0", 100, HTTP_RANGE_ONE, 0, 0},
        {"Bytes=10-19", 100, HTTP_RANGE_ONE, 10, 19},
        {"bytes=90-", 100, HTTP_RANGE_ONE, 90, 99},
        {"bytes=90-9223372036854775807", 100, HTTP_RANGE_ONE, 90, 99},
        {"bytes=-10", 100, HTTP_RANGE_ONE, 90, 99},
        {"bytes=-100", 100, HTTP_RANGE_ONE, 0, 99},
        {"bytes=-9223372036854775807", 100, HTTP_RANGE_ONE, 0, 99},
        {"bytes=99-99", 100, HTTP_RANGE_ONE, 99, 99},
        {"bytes=100-", 100, HTTP_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=9223372036854775807-", 100, HTTP_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-0", 100, HTTP_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=0-", 0, HTTP_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-5", 0, HTTP_RANGE_UNSATISFIABLE, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t first = 0, last = 0;
        enum http_range kind = http_range(rows[i].header, rows[i].size, &first, &last);
        if (kind != rows[i].kind || first != rows[i].first || last != rows[i].last)
            fail_msg("%s: %d, %lld to %lld", rows[i].header, kind, (long long)first, (long long)last);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ranges)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
