/* attempts: when a message to a webhook is sent again. */
#ifndef ENGINE_ATTEMPTS_H
#define ENGINE_ATTEMPTS_H

#include <stdint.h>

#define ATTEMPTS_MAX 10 /* of one message: over three days and a quarter */

/* The wait after so many attempts have failed, in ms, up to a fifth longer so that what failed together does not come
 * back together: about 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h; 0 when there is to be no other. asked_ms:
 * what the receiver asked for, which only makes it longer, up to 24 h. Source: Standard Webhooks 1.0.0, "Deliverability
 * and reliability". */
int64_t attempt_wait_ms(int64_t attempts, int64_t asked_ms);
/* The header Retry-After in ms from now: seconds, or a date (RFC 9110, 10.2.3); 0 when there is none, or it is neither,
 * or has passed. */
int64_t attempt_asked_ms(const char *retry_after, int64_t now_ms);

#endif
