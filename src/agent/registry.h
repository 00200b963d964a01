/* registry: the kinds of agents, by the names that options and the API know them by. */
#ifndef AGENT_REGISTRY_H
#define AGENT_REGISTRY_H

#include "agent/agent.h"

#define AGENT_KINDS_MAX 16

/* What there is to know of a kind before it is asked to work. */
struct agent_kind {
    const char *name;
    const char *title; /* for people */
    const struct agent_ops
        *ops;                /* with no state of its own (self NULL), but for blueprint; NULL: not in this program */
    const char *program;     /* that must be found in PATH, or NULL */
    bool needs_model;        /* works with the model that is set up */
    bool needs_command;      /* a command line, which the operator gives; its first word is the program */
    bool needs_fence;        /* runs what nobody has looked at: behind the fence, or where the operator has none */
    bool knows_only_catalog; /* cannot carry out what a model planned */
};

/* In the order they are told in. */
const struct agent_kind *agent_kinds(size_t *count);
/* NULL when there is no such kind. */
const struct agent_kind *agent_kind_find(const char *name);

#endif
