/* model: the agent that is a language model with tools: it asks, carries out the calls, answers, until the model says
 * that the task is done. */
#ifndef AGENT_MODEL_H
#define AGENT_MODEL_H

#include "agent/agent.h"

/* Without a state of its own (self NULL): it works with the request's model. Learns from feedback. */
extern const struct agent_ops agent_model_ops;

#endif
