/* Tests of base/clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"

static void writes_iso(void **state) {
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z"},         {1705314600123, "2024-01-15T10:30:00.123Z"},
        {-1, "1969-12-31T23:59:59.999Z"},        {951782400000, "2000-02-29T00:00:00.000Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"}, {INT64_MIN, "0000-01-01T00:00:00.000Z"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[CLOCK_ISO_LEN];
        assert_ptr_equal(clock_iso(rows[i].ms, text), text);
        assert_string_equal(text, rows[i].text);
        int64_t back;
        assert_true(clock_parse_iso(text, &back));
        if (rows[i].ms != INT64_MAX && rows[i].ms != INT64_MIN)
            assert_true(back == rows[i].ms);
    }
}

static void agrees_with_the_c_library(void **state) {
    for (int64_t ms = -62167219200000; ms <= 253402300799999; ms += 1234567890123) {
        char text[CLOCK_ISO_LEN], expected[80];
        int64_t back;
        time_t seconds = ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000);
        struct tm tm;
        gmtime_r(&seconds, &tm);
        snprintf(expected, sizeof(expected), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
                 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ms - seconds * 1000));
        assert_string_equal(clock_iso(ms, text), expected);
        assert_true(clock_parse_iso(text, &back));
        assert_true(back == ms);
    }
}

static void reads_iso(void **state) {
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"2024-01-15", 1705276800000},
        {"2024-01-15T10:30:00Z", 1705314600000},
        {"2024-01-15T10:30:00.1Z", 1705314600100},
        {"2024-01-15T10:30:00.123999Z", 1705314600123},
        {"2024-01-15T12:30:00+02:00", 1705314600000},
        {"2024-01-15T05:00:00-05:30", 1705314600000},
        {"2024-02-29", 1709164800000},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t ms = 0;
        assert_true(clock_parse_iso(rows[i].text, &ms));
        assert_true(ms == rows[i].ms);
    }
}

static void refuses_what_is_no_date(void **state) {
    static const char *const bad[] = {
        NULL,
        "",
        "2024",
        "2024-1-15",
        "2024-02-30",
        "2023-02-29",
        "1900-02-29",
        "2024-13-01",
        "2024-00-01",
        "2024-01-00",
        "2024-01-32",
        "2024-04-31",
        "2024-01-15T",
        "2024-01-15T10:30:00",
        "2024-01-15T10:30Z",
        "2024-01-15T24:00:00Z",
        "2024-01-15T10:60:00Z",
        "2024-01-15T10:30:60Z",
        "2024-01-15T10:30:00.Z",
        "2024-01-15T10:30:00.1",
        "2024-01-15T10:30:00Zx",
        "2024-01-15T10:30:00+2:00",
        "2024-01-15T10:30:00+0200",
        "2024-01-15T10:30:00+24:00",
        "2024-01-15 10:30:00Z",
        " 2024-01-15",
        "2024-01-15 ",
        "-024-01-15",
        "2024-01-15t10:30:00z",
    };
    int64_t ms = 5;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(clock_parse_iso(bad[i], &ms));
    assert_true(ms == 5);
}

static void can_be_moved(void **state) {
    int64_t wall = clock_now_ms(), mono = clock_mono_ms();
    clock_advance_ms(3600000);
    assert_true(clock_now_ms() >= wall + 3600000);
    assert_true(clock_mono_ms() >= mono + 3600000);
    clock_advance_ms(-3600000);
    assert_true(clock_mono_ms() >= mono);
    assert_true(clock_mono_ms() < mono + 3600000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_iso),   cmocka_unit_test(agrees_with_the_c_library),
        cmocka_unit_test(reads_iso),    cmocka_unit_test(refuses_what_is_no_date),
        cmocka_unit_test(can_be_moved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
