/* attempts: the waits between them, and what receivers ask for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/attempts.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

static void waits_grow_and_end(void **state) {
    static const int64_t least[] = {5000,      5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR,
                                    10 * HOUR, 14 * HOUR,  20 * HOUR,   24 * HOUR};
    for (size_t i = 0; i < ARRAY_LEN(least); i++) {
        int64_t shortest = INT64_MAX, longest = 0;
        for (int n = 0; n < 200; n++) {
            int64_t wait_ms = attempt_wait_ms((int64_t)i + 1, 0);
            assert_in_range(wait_ms, least[i], least[i] + least[i] / 5);
            shortest = wait_ms < shortest ? wait_ms : shortest;
            longest = wait_ms > longest ? wait_ms : longest;
        }
        assert_true(longest > shortest); /* what failed together does not come back together */
    }
    assert_int_equal(attempt_wait_ms(ATTEMPTS_MAX, 0), 0);
    assert_int_equal(attempt_wait_ms(ATTEMPTS_MAX, HOUR), 0);
    assert_int_equal(attempt_wait_ms(ATTEMPTS_MAX + 1, 0), 0);
    assert_int_equal(attempt_wait_ms(0, 0), 0);
}

static void what_is_asked_makes_a_wait_longer_only(void **state) {
    assert_int_equal(attempt_wait_ms(1, 10 * MINUTE), 10 * MINUTE);
    assert_in_range(attempt_wait_ms(2, 1000), 5 * MINUTE, 6 * MINUTE);
    assert_int_equal(attempt_wait_ms(1, 1000 * HOUR), 24 * HOUR);
    assert_in_range(attempt_wait_ms(1, -5), 5000, 6000);
}

static void retry_after_is_seconds_or_a_date(void **state) {
    const int64_t now_ms = INT64_C(1705320000000); /* Mon, 15 Jan 2024 12:00:00 GMT */
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {NULL, 0},
        {"", 0},
        {"0", 0},
        {"120", 120000},
        {"99999999999999999999", 0},
        {"-1", 0},
        {"1.5", 0},
        {"soon", 0},
        {"Mon, 15 Jan 2024 12:00:30 GMT", 30000},
        {"Mon, 15 Jan 2024 13:00:00 GMT", 3600000},
        {"Mon, 15 Jan 2024 11:00:00 GMT", 0},
        {"Mon, 15 Jan 2024 13:00:00 GMT and more", 0},
        {"Mon, 15 Jan 2024 13:00:00", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (attempt_asked_ms(cases[i].text, now_ms) != cases[i].ms)
            fail_msg("%s: %lld", cases[i].text, (long long)attempt_asked_ms(cases[i].text, now_ms));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_grow_and_end),
        cmocka_unit_test(what_is_asked_makes_a_wait_longer_only),
        cmocka_unit_test(retry_after_is_seconds_or_a_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
