/* queue: how many runs of an account may be under way at once, and which waits for a place. A run that has none stays
 * `queued` and has no job; when another of the account ends, the oldest begins in the same transaction. */
#ifndef ENGINE_QUEUE_H
#define ENGINE_QUEUE_H

#include "engine/journal.h"

/* Begins the run, or leaves it in the queue when its account has no room for it and it may wait: run->state says which.
 * ERR_RATE when it may not; then room says why. */
MUST_CHECK int queue_begin(struct journal *journal, const char *account_id, struct run *run, bool may_wait,
                           struct build_room *room, struct arena *room_arena, struct err *err);
/* A run of the account ended, or its tier changed: begins what waits, in order, while there is room. */
MUST_CHECK int queue_go_on(struct journal *journal, const char *account_id, struct err *err);
/* The same for the account of this project. */
MUST_CHECK int queue_go_on_for(struct journal *journal, const char *project_id, struct err *err);

#endif
