/* clock: time in milliseconds, and its ISO 8601 form. */
#include "base/clock.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

#define MS_PER_DAY INT64_C(86400000)
#define EARLIEST_MS INT64_C(-62167219200000) /* 0000-01-01T00:00:00.000Z */
#define LATEST_MS INT64_C(253402300799999)   /* 9999-12-31T23:59:59.999Z */

static _Atomic int64_t offset_ms;

static int64_t read_ms(clockid_t id) {
    struct timespec now = {0};
    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + atomic_load_explicit(&offset_ms, memory_order_relaxed);
}

int64_t clock_now_ms(void) {
    return read_ms(CLOCK_REALTIME);
}

int64_t clock_mono_ms(void) {
    return read_ms(CLOCK_MONOTONIC);
}

void clock_advance_ms(int64_t ms) {
    atomic_fetch_add(&offset_ms, ms);
}

/* Days from 1970-01-01 in the proleptic Gregorian calendar. Years are counted from March, so that a leap day is the
 * last day of its year; 400 years have 146097 days. */
static int64_t days_from_date(int64_t year, int month, int day) {
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static void date_from_days(int64_t days, int *year, int *month, int *day) {
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t from_march = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * from_march + 2) / 5 + 1);
    *month = (int)(from_march < 10 ? from_march + 3 : from_march - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

static char *put_number(char *out, int value, int digits) {
    for (int i = digits - 1; i >= 0; i--) {
        out[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return out + digits;
}

char *clock_iso(int64_t unix_ms, char out[CLOCK_ISO_LEN]) {
    if (unix_ms < EARLIEST_MS)
        unix_ms = EARLIEST_MS;
    if (unix_ms > LATEST_MS)
        unix_ms = LATEST_MS;
    int64_t days = unix_ms / MS_PER_DAY;
    int64_t rest = unix_ms % MS_PER_DAY;
    if (rest < 0) {
        rest += MS_PER_DAY;
        days--;
    }
    int year, month, day;
    date_from_days(days, &year, &month, &day);

    char *at = put_number(out, year, 4);
    *at++ = '-';
    at = put_number(at, month, 2);
    *at++ = '-';
    at = put_number(at, day, 2);
    *at++ = 'T';
    at = put_number(at, (int)(rest / 3600000), 2);
    *at++ = ':';
    at = put_number(at, (int)(rest / 60000 % 60), 2);
    *at++ = ':';
    at = put_number(at, (int)(rest / 1000 % 60), 2);
    *at++ = '.';
    at = put_number(at, (int)(rest % 1000), 3);
    *at++ = 'Z';
    *at = '\0';
    return out;
}

/* Exactly count digits; moves *text past them. */
static bool take_number(const char **text, int count, int *out) {
    int value = 0;
    for (int i = 0; i < count; i++) {
        char c = (*text)[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *text += count;
    *out = value;
    return true;
}

static bool take_char(const char **text, char c) {
    if (**text != c)
        return false;
    ++*text;
    return true;
}

static int days_in_month(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && is_leap ? 29 : days[month - 1];
}

static bool take_date(const char **text, int64_t *out_ms) {
    int year, month, day;
    if (!take_number(text, 4, &year) || !take_char(text, '-') || !take_number(text, 2, &month) ||
        !take_char(text, '-') || !take_number(text, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *out_ms = days_from_date(year, month, day) * MS_PER_DAY;
    return true;
}

static bool take_time(const char **text, int64_t *out_ms) {
    int hour, minute, second;
    int ms = 0;
    if (!take_number(text, 2, &hour) || !take_char(text, ':') || !take_number(text, 2, &minute) ||
        !take_char(text, ':') || !take_number(text, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    if (take_char(text, '.')) {
        size_t digits = strspn(*text, "0123456789");
        if (digits == 0)
            return false;
        for (size_t i = 0; i < 3; i++)
            ms = ms * 10 + (i < digits ? (*text)[i] - '0' : 0);
        *text += digits;
    }
    *out_ms = (int64_t)hour * 3600000 + minute * 60000 + second * 1000 + ms;
    return true;
}

static bool take_zone(const char **text, int64_t *out_ms) {
    int hours, minutes;
    *out_ms = 0;
    if (take_char(text, 'Z'))
        return true;
    int sign = **text == '-' ? -1 : 1;
    if (!take_char(text, '+') && !take_char(text, '-'))
        return false;
    if (!take_number(text, 2, &hours) || !take_char(text, ':') || !take_number(text, 2, &minutes))
        return false;
    if (hours > 23 || minutes > 59)
        return false;
    *out_ms = sign * ((int64_t)hours * 3600000 + minutes * 60000);
    return true;
}

bool clock_parse_iso(const char *text, int64_t *unix_ms) {
    int64_t date_ms = 0, time_ms = 0, zone_ms = 0;
    if (!text || !take_date(&text, &date_ms))
        return false;
    if (*text != '\0') {
        if (!take_char(&text, 'T') || !take_time(&text, &time_ms) || !take_zone(&text, &zone_ms))
            return false;
    }
    if (*text != '\0')
        return false;
    *unix_ms = date_ms + time_ms - zone_ms;
    return true;
}
