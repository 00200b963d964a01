/* budget: what calls of models may cost, and what they did cost.
 *
 * Before each attempt that is sent, what it may come to at most is reserved; after it, what it did come to is entered
 * and the reservation freed. Limits (of the run, and of the account in this month) are held against what is entered and
 * reserved together, in one transaction, so that calls side by side can never pass one. That holds as long as the
 * estimate is an upper bound, which is the caller's duty: what a call used is entered as it is. */
#ifndef ENGINE_BUDGET_H
#define ENGINE_BUDGET_H

#include "engine/journal.h"
#include "model/spending.h"

/* What a call is made for. */
struct budget_scope {
    const char *account_id, *project_id;
    const char *run_id, *task_id; /* or NULL */
    const char *purpose;          /* "questions", "spec", "decompose", "task", "agent", … */
    const struct job *job;        /* on whose lease the work is done: without it no call is made; or NULL */
    /* How long to wait for room that reservations of other calls take, and when to give up. */
    int64_t wait_ms;
    bool (*is_cancelled)(void *arg); /* or NULL */
    void *cancel_arg;
};

/* Why there is no room. */
struct budget_refusal {
    enum wait_reason reason;
    int64_t limit, spent, reserved, wanted; /* micro-USD or tokens, by the reason */
    int64_t resumes_ms;                     /* when there may be room again by itself; 0: when a limit is raised */
    bool is_passing;                        /* there is room once what is reserved is settled */
    bool is_waiting;                        /* the run waits already, for whatever reason */
};

/* {"run_cost_limit", …} in words, with its numbers; into the arena. */
const char *budget_words(struct arena *arena, const struct budget_refusal *refusal);

/* What was reserved, and for what; the caller keeps it until it is settled. */
struct budget_reservation {
    struct reservation row;
    char project_id[ID_LEN], task_id[ID_LEN];
    char purpose[32];
    struct budget_refusal refusal; /* after ERR_BUDGET */
};

/* ERR_BUDGET when there is no room (out->refusal says why), ERR_STALE or ERR_CANCELLED when the work is not to go on.
 * cost_micros and tokens (input and output together): the most that the call can come to. */
MUST_CHECK int budget_reserve(struct engine *engine, const struct budget_scope *scope, int64_t cost_micros,
                              int64_t tokens, struct budget_reservation *out, struct err *err);

/* What a call used, as its provider says. */
struct budget_use {
    const char *provider, *model;
    int64_t input_tokens; /* all of them; the next two are parts of it */
    int64_t cached_tokens, cache_write_tokens, output_tokens;
    int64_t cost_micros;
    bool is_priced;
};
/* Enters it, frees the reservation, and tells it as the event USAGE of the run, if that has not ended. Also when the
 * reservation was freed meanwhile; a second time it does nothing. */
MUST_CHECK int budget_settle(struct engine *engine, const struct budget_reservation *reservation,
                             const struct budget_use *use, struct err *err);
/* Frees the reservation of a call that was not made. */
MUST_CHECK int budget_release(struct engine *engine, const struct budget_reservation *reservation, struct err *err);

/* In a transaction: whether there is room for this much. *is_room false: *out says why. */
MUST_CHECK int budget_look(struct journal *journal, const struct budget_scope *scope, int64_t cost_micros,
                           int64_t tokens, bool *is_room, struct budget_refusal *out, struct err *err);

#endif
