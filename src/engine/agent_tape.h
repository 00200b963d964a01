/* agent_tape: the work of agents that are programs, kept in a recording, and done again from it without them. */
#ifndef ENGINE_AGENT_TAPE_H
#define ENGINE_AGENT_TAPE_H

#include "engine/context.h"

/* Whether calls of models are not all that a recording must hold of it. */
bool agent_tape_is_for(const struct agent_kind *kind);

/* DIR/<scope>/work.json holds what the agent told and how it ended, DIR/<scope>/files/ what it wrote; without the key
 * of its model. Symbolic links are left out.
 *
 * In place of the agent's run. ERR_CONFLICT in a replay: the recording has nothing of this attempt, or of another
 * task. */
MUST_CHECK int agent_tape_run(struct engine *engine, const struct agent *agent, const struct agent_request *request,
                              struct agent_result *result, struct err *err);

#endif
