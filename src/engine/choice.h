/* choice: who plans a project and who carries out its tasks: the server's defaults, what the project says, what the run
 * says, what it says of one task; the more special counts. */
#ifndef ENGINE_CHOICE_H
#define ENGINE_CHOICE_H

#include "agent/registry.h"
#include "engine/engine.h"
#include "llm/llm.h"

#define CHOICE_AGENTS_MAX 4

struct agent_choice {
    const char *kind;    /* by its name */
    const char *model;   /* its name; NULL: the agent's own, or that of the model that is set up */
    const char *command; /* the operator's, of kinds that need one; or NULL */
};

struct choice {
    const char *planner;    /* "blueprint" or "model" */
    struct llm_model model; /* the one that is set up, with its key */
    bool has_model;
    struct agent_choice agents[CHOICE_AGENTS_MAX]; /* the first, then who takes its place when it cannot work */
    size_t agent_count;                            /* 1 and more */
};

/* Outputs live in the arena, or as long as the engine. What was chosen and is not to be had now is no failure here. */
MUST_CHECK int choice_of_project(struct engine *engine, struct db *db, const struct project *project,
                                 struct arena *arena, struct choice *out, struct err *err);
/* task may be NULL. planner is who made the plan of the run's spec. */
MUST_CHECK int choice_of_run(struct engine *engine, struct db *db, const struct run *run, const struct task *task,
                             struct arena *arena, struct choice *out, struct err *err);

/* Why this agent cannot work now, as a sentence's part ("its program codex is not in PATH"); NULL: it can. */
const char *choice_fault(struct engine *engine, const struct choice *choice, const struct agent_choice *agent,
                         struct arena *arena);
/* Whether whoever is asked first makes more of a task when it is told what was wrong. */
bool choice_learns(struct engine *engine, const struct choice *choice);
/* The agent itself; its ops are NULL when it is not in this program. */
const struct agent *choice_agent(struct engine *engine, const struct agent_choice *agent);

/* The server's own, for engine->defaults. ERR_VALIDATION with the option's name as the field. */
MUST_CHECK int choice_open(struct engine *engine, const struct engine_config *config, struct err *err);

#endif
