/* replay: POSTs with an Idempotency-Key take effect once, however often they are sent. Source of the header:
 * draft-ietf-httpapi-idempotency-key-header.
 *
 * The key is stored in the transaction of the effect, and with it the answer, where the handler promised it
 * (reply_promise): a repeat after a crash finds both or neither. What a handler answers only later (because it waits
 * for processes to end) is stored then; a repeat that comes in between carries the handler out again, on a route that
 * says that it may (resumes), and is refused on another. Errors change nothing and are not stored. */
#ifndef API_REPLAY_H
#define API_REPLAY_H

#include "api/call.h"

struct replays;

struct replays *replays_create(void);
void replays_destroy(struct replays *replays); /* accepts NULL */

/* Whether requests of this route may have a key. */
bool replay_is_for(const struct api_route *route);
/* Answers as the first request of this key was answered, or has handle answer, once. Requests without a key go to
 * handle straight away. */
MUST_CHECK int replay_handle(struct api_call *call, api_handler *handle, struct err *err);

#endif
