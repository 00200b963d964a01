/* plannings: the planning by models that is under way. It takes minutes, so that each has a thread of its own, and goes
 * on when whoever asked for it gives up; whoever asks for the same meanwhile waits for what is there. */
#ifndef ENGINE_PLANNINGS_H
#define ENGINE_PLANNINGS_H

#include "engine/context.h"

#define PLANNINGS_MOST 64       /* at once */
#define PLANNING_WAIT_MS 600000 /* for one, by whoever asked for it */

struct planning_order;
/* Carries the order out. What it makes lives in the arena, or as long as the order. */
typedef int planning_fn(struct engine *engine, const struct planning_order *order, struct arena *arena,
                        struct err *err);

/* What is asked for of a project. */
struct planning_order {
    planning_fn *carry_out;
    const char *account_id, *id; /* of the project */
    const json_t *answers, *documents;
    const char *feedback;
    int64_t version;
    /* Where what is made goes, before its transaction ends; the others are NULL. */
    json_t **questions;
    struct spec **spec;
    bool (*is_cancelled)(void *arg); /* or NULL */
    void *cancel_arg;
};

struct plannings *plannings_create(struct engine *engine);
/* Cancels what is under way and waits for it; nothing begins any more. More than once is fine. */
void plannings_stop(struct plannings *plannings);
void plannings_destroy(struct plannings *plannings); /* accepts NULL */

/* Waits for the order, carried out once however often it is asked for at a time; state: what it is made from, beside
 * the order itself. ERR_CONFLICT when another one of the same project is under way; ERR_UNAVAILABLE after
 * PLANNING_WAIT_MS, when it goes on, and when there are too many. */
MUST_CHECK int plannings_run(struct plannings *plannings, const struct planning_order *order, const char *state,
                             struct arena *arena, struct err *err);

#endif
