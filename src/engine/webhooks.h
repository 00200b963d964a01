/* webhooks: the thread that sends webhooks what they are told.
 *
 * Each message is sent at least once: a delivery is claimed before an attempt and its outcome recorded afterwards; if
 * that is lost, it is sent again. Several such threads, in several processes, may share a database. */
#ifndef ENGINE_WEBHOOKS_H
#define ENGINE_WEBHOOKS_H

#include "engine/context.h"

MUST_CHECK int webhooks_start(struct webhooks **out, struct engine *engine, struct err *err);
/* Begins nothing new; what is under way has grace_ms to end, then it is sent again at the next start. Accepts NULL. */
void webhooks_stop(struct webhooks *webhooks, int64_t grace_ms);

#endif
