/* clock: wall and monotonic time in milliseconds; settable, so that tests need not wait. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_ISO_LEN 25 /* "2024-01-15T10:30:00.123Z" and its NUL */

struct arena;

int64_t clock_now_ms(void);        /* Unix time plus the offset set by tests */
int64_t clock_mono_ms(void);       /* never goes back; plus the same offset */
void clock_advance_ms(int64_t ms); /* tests only: moves both clocks */

/* ISO 8601 in UTC with milliseconds and Z. Returns out. */
char *clock_iso(int64_t unix_ms, char out[CLOCK_ISO_LEN]);
/* Accepts YYYY-MM-DDTHH:MM:SS[.fff…](Z|±HH:MM) and YYYY-MM-DD. */
bool clock_parse_iso(const char *text, int64_t *unix_ms);

#endif
