/* waiting: runs that wait, for room in a limit or for a provider's quota, and how they go on.
 *
 * While a run waits nothing of it is scheduled. Tasks that were at work when it began to wait finish, or stop where
 * they meet the limit themselves; what is merged stays merged. It keeps its place among the account's concurrent
 * builds. */
#ifndef ENGINE_WAITING_H
#define ENGINE_WAITING_H

#include "engine/journal.h"

/* A job that could not go on for want of room or quota: its task is pending again, no attempt is lost, the job is done,
 * and its run waits; unless there is room by now: then the job goes back to the queue. */
MUST_CHECK int waiting_set_aside(struct job_context *context, const struct err *why, struct err *err);
/* True when why is a reason to wait, and the job is one that can. */
bool waiting_is_due(const struct job_context *context, const struct err *why);

/* In a transaction: the task, at work no more, is pending again. Nothing when its work waits to be merged. */
MUST_CHECK int waiting_put_back(struct journal *journal, struct task *task, const char *reason, struct err *err);
/* In a transaction: the run goes on from where it was. */
MUST_CHECK int waiting_end(struct journal *journal, struct run *run, struct err *err);
/* In a transaction: the limits of the account may have been raised: what waits for them goes on if there is room. */
MUST_CHECK int waiting_end_for_account(struct journal *journal, const char *account_id, struct err *err);

#endif
