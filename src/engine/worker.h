/* worker: threads that claim jobs, keep their leases and carry them out. */
#ifndef ENGINE_WORKER_H
#define ENGINE_WORKER_H

#include "engine/context.h"

/* Starts count threads and the one that renews leases. */
MUST_CHECK int workers_start(struct workers **out, struct engine *engine, int count, struct err *err);
/* No new claims; running jobs have grace_ms to finish, then are told to stop and go back to the queue. Accepts NULL. */
void workers_stop(struct workers *workers, int64_t grace_ms);
void workers_count(struct workers *workers, int *total, int *busy);

struct workers_state {
    int total, busy;
    int lost;        /* still at a job whose lease was lost */
    int stuck;       /* of them, since more than a lease ago */
    int64_t beat_ms; /* since the heartbeat last kept all leases */
};
void workers_look(struct workers *workers, struct workers_state *out);

#endif
