/* context: what the parts of the engine share. Not for the layers above. */
#ifndef ENGINE_CONTEXT_H
#define ENGINE_CONTEXT_H

#include <pthread.h>
#include <stdatomic.h>

#include "agent/registry.h"
#include "blueprint/blueprint.h"
#include "engine/choice.h"
#include "engine/engine.h"
#include "llm/llm.h"
#include "model/job.h"
#include "planner/planner.h"
#include "sandbox/sandbox.h"

struct price_table;
struct workers;
struct services;
struct janitor;
struct plannings;
struct llm_tape;
struct webhooks;
struct tools;

struct engine {
    const char *data_dir; /* absolute */
    int lock_fd;          /* DATA/lock: one server a data directory */
    bool has_git;         /* started, so to be stopped: others in the process may use it, too */
    int64_t lease_ms;
    bool allows_private_webhooks;
    struct llm_model model;     /* name NULL: none */
    const char *recording_dir;  /* of the tape, absolute; or NULL */
    struct llm_tape *tape;      /* models' calls are kept, or answered from it; or NULL */
    struct price_table *prices; /* the built-in ones, and those of DATA/prices.json */
    const char *master_key;     /* or NULL: the data directory has it */
    char tag[ID_LEN];           /* marks our children across restarts; a hash of data_dir */
    struct store *store;
    struct bus *bus;
    struct assets *assets;
    struct catalog *catalog;
    struct stack *stack;
    pthread_mutex_t planner_lock;         /* guards the making of catalog and planner */
    struct planner *planner;              /* by engine_planner() */
    struct agent agents[AGENT_KINDS_MAX]; /* in the order of agent_kinds() */
    struct choice defaults;               /* who plans and who carries out, where nobody says otherwise */
    bool has_listed_agents;               /* the operator listed the agents, rather than that they follow the planner */
    bool allows_private_models;           /* accounts' models may be of this machine and its network */
    const char *agent_command, *acp_command; /* the operator's, or NULL */
    struct plannings *plannings;
    struct workers *workers;
    struct services *services; /* running local deployments */
    struct janitor *janitor;
    struct webhooks *webhooks;
    pthread_mutex_t tools_lock; /* guards tools */
    const struct tools *tools;  /* by tools_of() */
    enum sandbox_mode sandbox;  /* as it was asked for */
    struct sandbox_fence *fence;
    struct arena *arena; /* of the strings above */
    atomic_bool is_draining;
    atomic_llong events_appended; /* since the start */
};

/* The planner, made at its first use. */
MUST_CHECK int engine_planner(struct engine *engine, const struct planner **out, struct err *err);

struct budget_reservation;

/* A claimed job in a worker's hands. */
struct job_context {
    struct engine *engine;
    struct arena *arena; /* until the job ends */
    struct job *job;
    atomic_bool is_lost;      /* the lease is gone: stop, record nothing */
    atomic_bool is_cancelled; /* the run is to be cancelled */
    bool is_final;            /* after a failure: another attempt would end as this one did */
    /* After ERR_BUDGET, what there was no room for; after ERR_QUOTA, when there is quota again (0: unknown). */
    const struct budget_reservation *refused;
    int64_t resets_ms;
};

/* True when the work should stop at once: lost, cancelled or draining past its grace. */
bool job_should_stop(void *job_context);

/* A handler does the work and, in its last transaction, records the result and finishes the job under its token.
 * Errors: ERR_STALE and ERR_CANCELLED mean stop; anything else is a failed attempt. */
typedef int job_handler(struct job_context *context, struct err *err);
job_handler decompose_run, execute_task, advance_run, verify_run, finish_run, resume_run, make_export, start_deployment;

/* What follows when a job is out of attempts: inside the transaction that buries it. */
struct journal;
typedef int job_burial(struct journal *journal, const struct job *job, const char *message, struct err *err);
job_burial bury_run_job, bury_task_job, bury_export_job, bury_deployment_job;

#endif
