/* model_prompt: what a model is told of its task. */
#ifndef AGENT_MODEL_PROMPT_H
#define AGENT_MODEL_PROMPT_H

#include "agent/agent.h"

/* The rules of the work, and the task; from the templates in blueprints/prompts. Nothing in them differs from one run
 * of the same spec to the next. room_bytes: what the documents may take in all. */
struct prompt {
    const char *system, *task;
};
MUST_CHECK int prompt_make(const struct agent_request *request, size_t room_bytes, struct arena *arena,
                           struct prompt *out, struct err *err);

/* What the last attempt came to, as the next is told; NULL when there was none. It may differ between runs. */
const char *prompt_feedback(const struct agent_request *request, struct arena *arena);

#endif
