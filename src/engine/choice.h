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

/* What was said, from the general to the special; each may be NULL. Agents: [{"kind", "model"}]. */
struct choice_wishes {
    const json_t *project; /* its settings, as model/project.h has them */
    const json_t *run;     /* as model/run.h has them */
    const char *task_slug;
    const json_t *plan; /* planner is then who made it */
};
/* All but the key of a project's own model. ERR_CONFLICT, field "agent", when an agent that was asked for cannot carry
 * out what a model planned. */
MUST_CHECK int choice_make(struct engine *engine, const struct choice_wishes *wishes, struct arena *arena,
                           struct choice *out, struct err *err);

/* Outputs live in the arena, or as long as the engine. What was chosen and is not to be had now is no failure here. */
MUST_CHECK int choice_of_project(struct engine *engine, struct db *db, const struct project *project,
                                 struct arena *arena, struct choice *out, struct err *err);
/* task may be NULL. planner is who made the plan of the run's spec. */
MUST_CHECK int choice_of_run(struct engine *engine, struct db *db, const struct run *run, const struct task *task,
                             struct arena *arena, struct choice *out, struct err *err);

/* The same of a run as a whole, without the key: for looking at. */
MUST_CHECK int choice_look_at_run(struct engine *engine, struct db *db, const struct run *run, struct arena *arena,
                                  struct choice *out, struct err *err);

/* The operator's command for this kind, or NULL. */
const char *choice_command(const struct engine *engine, const char *kind);
/* Why this agent cannot work now, as a sentence's part ("its program codex is not to be found"); NULL: it can. */
const char *choice_fault(struct engine *engine, const struct choice *choice, const struct agent_choice *agent,
                         struct arena *arena);
/* Whether whoever is asked first makes more of this task when it is told what was wrong. */
MUST_CHECK int choice_learns(struct engine *engine, struct db *db, const struct run *run, const struct task *task,
                             struct arena *arena, bool *out, struct err *err);
#define CHOICE_MODEL_KEY "model-key" /* the secret of a project that is its model's key */

/* The agent itself; its ops are NULL when it is not in this program. */
const struct agent *choice_agent(struct engine *engine, const struct agent_choice *agent);

/* The server's own, for engine->defaults. ERR_VALIDATION with the option's name as the field. */
MUST_CHECK int choice_open(struct engine *engine, const struct engine_config *config, struct err *err);

#endif
