/* spending: months, and dollars as text. */
#include "model/spending.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

int64_t spending_month(int64_t time_ms) {
    char iso[CLOCK_ISO_LEN];
    clock_iso(time_ms, iso);
    return strtoll(iso, NULL, 10) * 100 + strtoll(iso + 5, NULL, 10);
}

int64_t spending_next_month(int64_t time_ms) {
    char day[48];
    int64_t month = spending_month(time_ms), next_ms = time_ms;
    month = month % 100 == 12 ? month + 89 : month + 1;
    (void)snprintf(day, sizeof day, "%04lld-%02lld-01", (long long)(month / 100), (long long)(month % 100));
    (void)clock_parse_iso(day, &next_ms);
    return next_ms;
}

char *spending_day(char out[DAY_TEXT_LEN], int64_t days) {
    char iso[CLOCK_ISO_LEN];
    (void)snprintf(out, DAY_TEXT_LEN, "%.10s", clock_iso(days * 86400000, iso));
    return out;
}

char *spending_usd(int64_t micros, char out[USD_TEXT_LEN]) {
    uint64_t size = micros < 0 ? 0 - (uint64_t)micros : (uint64_t)micros;
    int len = snprintf(out, USD_TEXT_LEN, "%s%llu.%06llu", micros < 0 ? "-" : "",
                       (unsigned long long)(size / MICROS_PER_USD), (unsigned long long)(size % MICROS_PER_USD));
    while (out[len - 1] == '0')
        out[--len] = '\0';
    if (out[len - 1] == '.')
        out[--len] = '\0';
    return out;
}
