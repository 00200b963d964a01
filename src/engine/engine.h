/* engine: the life of projects, runs, exports and deployments; what the API and the CLI call. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "bus/bus.h"
#include "git/git.h"
#include "model/delivery.h"
#include "model/project.h"
#include "model/run.h"
#include "store/store.h"

struct engine;
struct llm_model;

struct engine_config {
    const char *data_dir;         /* made if absent */
    const char *database_url;     /* NULL: sqlite in data_dir */
    const char *blueprints_dir;   /* NULL: the compiled-in ones */
    int worker_count;             /* 0: none; negative: the core count */
    int64_t lease_ms;             /* 0: 15 s */
    const char *sandbox;          /* how what is built and run is fenced in: auto (NULL), bwrap, off */
    bool allows_private_webhooks; /* webhooks may go to this machine and its network */
    const char *master_key;       /* of secrets at rest, see base/vault.h; outlives the engine; NULL: DATA/master.key */
    const struct llm_model *model; /* which the engine copies, but for its strings; NULL or without a name: none */
    bool allows_private_models;    /* accounts may name models on this machine and its network */
    const char *planner;           /* blueprint (NULL) or model */
    const char *agents;            /* KIND or KIND:MODEL, by commas: the first, then who takes its place; or NULL */
    const char *agent_command, *acp_command; /* of the kinds "command" and "acp", or NULL */
    const char *record_dir;                  /* models' calls are kept in this folder; or NULL */
    const char *replay_dir;                  /* and answered from this one, with neither key nor network; or NULL */
};

/* Takes the data directory (ERR_CONFLICT when another server has it), opens the store, recovers what an earlier
 * instance left, starts workers and the janitor. */
MUST_CHECK int engine_open(struct engine **out, const struct engine_config *config, struct err *err);
/* Before whoever asks is stopped: planning by models ends, and is answered with ERR_UNAVAILABLE from now on. engine
 * NULL: nothing. */
void engine_stop_planning(struct engine *engine);
/* Drains: no new jobs; running ones have grace_ms to finish, then go back to the queue. Stops deployments. */
void engine_close(struct engine *engine, int64_t grace_ms);

struct store *engine_store(struct engine *engine);
struct bus *engine_bus(struct engine *engine);
const char *engine_data_dir(const struct engine *engine);
bool engine_is_draining(const struct engine *engine);

enum health_level { HEALTH_HEALTHY, HEALTH_DEGRADED, HEALTH_UNHEALTHY };
const char *health_level_name(enum health_level level);
struct engine_health {
    enum health_level level; /* the worst of the parts */
    enum health_level database, redis /* whatever carries wake-ups */, workers;
    const char *database_name, *bus_name;
    int workers_total, workers_busy, workers_alive; /* alive: not stuck */
    const char *reasons[8];                         /* sentences: why a part is not healthy */
    size_t reason_count;
};
void engine_get_health(struct engine *engine, struct arena *arena, struct engine_health *out);
/* Events appended by this process. */
int64_t engine_events_appended(const struct engine *engine);

/* The project's repository, opened (made, with its empty first commit, if a crash came in between). The caller closes
 * it. */
MUST_CHECK int engine_repo_open(struct engine *engine, const char *project_id, struct repo **out, struct err *err);
const char *engine_repo_path(const struct engine *engine, const char *project_id, struct arena *arena);
const char *engine_worktree_path(const struct engine *engine, const struct task *task, struct arena *arena);
const char *engine_export_path(const struct engine *engine, const char *export_id, struct arena *arena);
/* A task's log: text that grows by whole lines (bus topic "log:<task id>") until the owner may not write it any more.
 * There is none before the first line. */
const char *engine_task_log_path(const struct engine *engine, const struct task *task, struct arena *arena);

/* Outputs live in the arena. What is made is there before its transaction ends, for whoever has company in it
 * (store_accompany); on failure it means nothing.
 *
 * Projects. account_id says on whose behalf: others' projects are ERR_NOT_FOUND. settings (engine/settings.h) may be
 * NULL: as they are. */
struct settings_change;
struct run_agents;
MUST_CHECK int engine_project_create(struct engine *engine, const char *account_id, const char *name,
                                     const char *description, const struct settings_change *settings,
                                     struct arena *arena, struct project **out, struct err *err);
/* name or description may be NULL: kept. */
MUST_CHECK int engine_project_update(struct engine *engine, const char *account_id, const char *id, const char *name,
                                     const char *description, const struct settings_change *settings,
                                     struct arena *arena, struct project **out, struct err *err);
/* Stops its deployments, too. */
MUST_CHECK int engine_project_archive(struct engine *engine, const char *account_id, const char *id, struct err *err);
MUST_CHECK int engine_project_clarify(struct engine *engine, const char *account_id, const char *id,
                                      struct arena *arena, json_t **questions, struct err *err);
/* Stores the answers and the new spec version. */
MUST_CHECK int engine_project_answer(struct engine *engine, const char *account_id, const char *id,
                                     const json_t *answers, struct arena *arena, struct spec **out, struct err *err);
/* feedback may be NULL. */
MUST_CHECK int engine_project_regenerate(struct engine *engine, const char *account_id, const char *id,
                                         const char *feedback, struct arena *arena, struct spec **out, struct err *err);
/* A new version with these documents ({name: text}; the others stay); its plan follows what is understood of the
 * change. version: the one that was edited, 0 for whichever is the newest; ERR_CONFLICT when there is a newer one. */
MUST_CHECK int engine_project_edit_spec(struct engine *engine, const char *account_id, const char *id,
                                        const json_t *documents, int64_t version, struct arena *arena,
                                        struct spec **out, struct err *err);
MUST_CHECK int engine_project_approve(struct engine *engine, const char *account_id, const char *id,
                                      struct arena *arena, struct spec **out, struct err *err);

/* How many runs of an account may be under way, and which are. */
struct build_room {
    int64_t limit;
    size_t active;
    const char **run_ids; /* active of them */
};
struct run_request {
    const char *trigger;
    bool may_queue;                       /* when there is no room, wait for it: the run is queued */
    const struct spending_limits *limits; /* NULL: none */
    int64_t max_attempts;                 /* at a task; 0: the default */
    const struct run_agents *agents;      /* engine/settings.h; NULL: as the project says */
};
/* New limits: those that are set take the place of what was. */
struct limits_change {
    bool sets_cost, sets_tokens;
    struct spending_limits limits;
};

/* Runs. ERR_CONFLICT when a run is active, or there is no approved spec; ERR_RATE when the account has as many under
 * way as its tier has, which are then in room. */
MUST_CHECK int engine_run_create(struct engine *engine, const char *account_id, const char *project_id,
                                 const struct run_request *request, struct arena *arena, struct run **out,
                                 struct build_room *room, struct err *err);
/* A new run of the same spec, with the old one's limits, attempts and agents, but for request->agents. With a task,
 * which must have failed, been skipped or been cancelled, it takes over what the old run had merged, if main has not
 * moved since. */
MUST_CHECK int engine_run_retry(struct engine *engine, const char *account_id, const char *project_id,
                                const char *run_id, const char *task_id, const struct run_request *request,
                                struct arena *arena, struct run **out, struct build_room *room, struct err *err);
/* A run that waits goes on. ERR_CONFLICT when it does not wait; ERR_VALIDATION, with the field ("limits.costUsd"), when
 * the limits it would go on with are spent. */
MUST_CHECK int engine_run_resume(struct engine *engine, const char *account_id, const char *project_id,
                                 const char *run_id, const struct limits_change *change, struct arena *arena,
                                 struct run **out, struct err *err);
/* The account's tier or limits may be others: what waits for room begins, or goes on, if there is some now. */
MUST_CHECK int engine_account_changed(struct engine *engine, const char *account_id, struct err *err);
/* Returns when the run's processes are gone and it is cancelled, or with the state it is in after wait_ms. */
MUST_CHECK int engine_run_cancel(struct engine *engine, const char *account_id, const char *project_id,
                                 const char *run_id, int64_t wait_ms, struct arena *arena, struct run **out,
                                 struct err *err);

/* Exports and deployments. run_id NULL: the project's newest succeeded run. */
MUST_CHECK int engine_export_create(struct engine *engine, const char *account_id, const char *project_id,
                                    const char *run_id, const char *format, struct arena *arena, struct export **out,
                                    struct err *err);
MUST_CHECK int engine_deployment_create(struct engine *engine, const char *account_id, const char *project_id,
                                        const char *run_id, const char *provider, struct arena *arena,
                                        struct deployment **out, struct err *err);
/* The row and the file go; one that is being made is dropped. ERR_NOT_FOUND when there is none. */
MUST_CHECK int engine_export_delete(struct engine *engine, const char *account_id, const char *project_id,
                                    const char *export_id, struct err *err);
/* Returns when the deployment's processes are gone. ERR_CONFLICT when it is stopped already, or has failed;
 * ERR_UNAVAILABLE when they are still ending after half a minute. */
MUST_CHECK int engine_deployment_stop(struct engine *engine, const char *account_id, const char *project_id,
                                      const char *deployment_id, struct arena *arena, struct deployment **out,
                                      struct err *err);

/* Where this server can deploy to. */
struct provider {
    const char *name, *description;
    const char *reason; /* why it cannot be used now; NULL: it can */
};
void engine_providers(struct engine *engine, struct arena *arena, struct provider **out, size_t *count);

#endif
