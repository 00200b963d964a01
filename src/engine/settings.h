/* settings: who plans a project and who carries it out, as its account says. */
#ifndef ENGINE_SETTINGS_H
#define ENGINE_SETTINGS_H

#include "engine/engine.h"

#define SETTINGS_TASKS_MAX 100 /* with agents of their own, in a run */

/* What is to be set; the rest stays. NULL: as the server has it. */
struct settings_change {
    bool sets_planner, sets_agents, sets_model;
    const char *planner;  /* "blueprint" or "model" */
    const json_t *agents; /* [{"kind", "model"}] */
    const json_t *model; /* {"provider", "name", "url", "key"}. Without "key" the one that is there stays, if it goes to
                            the same provider and url; null takes it away */
};

/* Who carries a run out. NULL: as the project says. */
struct run_agents {
    const json_t *agents;      /* [{"kind", "model"}] */
    const json_t *task_agents; /* {slug: agents} */
};

/* For people, without keys: {"planner", "agent": [{"kind", "model"}], "model": {"provider", "name", "url", "hasKey",
 * "isOwn"} or null}, as it is in the end. */
json_t *engine_project_settings(struct engine *engine, const struct project *project, struct arena *arena);
/* {"agent": [{"kind", "model"}], "taskAgents": {slug: agents}} */
json_t *engine_run_settings(struct engine *engine, struct db *db, const struct run *run, struct arena *arena);

/* The kinds of agents that this server has. */
struct agent_row {
    const char *name, *title;
    const char *reason; /* why it cannot work now, where nobody sets anything up; NULL: it can */
    bool is_default;    /* asked first when nobody says otherwise */
};
void engine_agents(struct engine *engine, struct arena *arena, struct agent_row **out, size_t *count);

/* In a transaction: the project's new settings, into *project and its secrets; the row is the caller's to write.
 * ERR_VALIDATION with the field: "planner", "agent[0].kind", "model.url". */
struct journal;
MUST_CHECK int settings_apply(struct journal *journal, struct project *project, const struct settings_change *change,
                              struct err *err);
/* In a transaction: the run's, before its row is written, on top of what it has. */
MUST_CHECK int settings_apply_run(struct journal *journal, struct run *run, const struct run_agents *agents,
                                  struct err *err);
/* In a transaction: what nobody will use any more. */
MUST_CHECK int settings_forget_key(struct journal *journal, struct project *project, struct err *err);

#endif
