/* agents: carrying out a task by the agents of its choice: the first, and whoever takes its place. */
#ifndef ENGINE_AGENTS_H
#define ENGINE_AGENTS_H

#include "engine/agent_notes.h"
#include "engine/choice.h"

struct agents_call {
    struct job_context *context;
    const struct run *run;
    struct task *task;
    const json_t *definition;
    const char *feedback; /* or NULL */
    const char *worktree;
    struct choice choice;
    /* A worktree as at the beginning, for who takes over. */
    int (*begin_anew)(void *arg, struct err *err);
    void *arg;
    /* What came of it: */
    struct agent_notes notes;
    const struct agent *agent; /* who worked last; never NULL after a success */
    const char *summary;       /* in the arena of the context */
};

/* How the attempt's row names an agent of the choice. */
const char *agents_name(struct engine *engine, const struct agent_choice *agent);

/* An agent that cannot work at all (its program or model is not to be had, or its quota is used up and nobody knows
 * until when) is followed by the next of the choice, on a fresh worktree, as an event of the run tells. Any other
 * failure is the call's, and so is that of the last one. */
MUST_CHECK int agents_run(struct agents_call *call, struct err *err);

#endif
