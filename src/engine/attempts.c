/* attempts: when a message to a webhook is sent again. */
#include "engine/attempts.h"

#include <stddef.h>
#include <time.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define ASKED_MAX_MS (24 * HOUR_MS)

/* The wait at index i follows the attempt number i + 1. */
static const int64_t waits_ms[] = {5 * SECOND_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 5 * HOUR_MS,
                                   10 * HOUR_MS,  14 * HOUR_MS,  20 * HOUR_MS,   24 * HOUR_MS};
_Static_assert(ARRAY_LEN(waits_ms) == ATTEMPTS_MAX - 1, "a wait between each two attempts");

int64_t attempt_wait_ms(int64_t attempts, int64_t asked_ms) {
    if (attempts < 1 || attempts >= ATTEMPTS_MAX)
        return 0;
    int64_t least = waits_ms[attempts - 1], wait_ms = least + hash_random_below((uint32_t)(least / 5 + 1));
    if (asked_ms > ASKED_MAX_MS)
        asked_ms = ASKED_MAX_MS;
    return asked_ms > wait_ms ? asked_ms : wait_ms;
}

int64_t attempt_asked_ms(const char *retry_after, int64_t now_ms) {
    struct tm date = {0};
    int64_t seconds = 0;
    if (!retry_after)
        return 0;
    if (str_to_int(retry_after, 0, INT32_MAX, &seconds))
        return seconds * SECOND_MS;
    /* The program's locale is C: names of days and months are English. */
    const char *end = strptime(retry_after, "%a, %d %b %Y %H:%M:%S GMT", &date);
    if (!end || *end)
        return 0;
    int64_t at_ms = (int64_t)timegm(&date) * SECOND_MS;
    return at_ms > now_ms ? at_ms - now_ms : 0;
}
