/* run: one build of a project's spec, its tasks and its events. */
#ifndef MODEL_RUN_H
#define MODEL_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "model/spending.h"
#include "model/states.h"

#define SHA_LEN 41

struct run {
    char id[ID_LEN];
    char project_id[ID_LEN];
    int64_t number; /* from 1, dense per project */
    enum run_state state;
    const char *trigger; /* "manual", "retry", "api", … */
    int64_t spec_version;
    char resumes_run_id[ID_LEN]; /* whose merged tasks it takes over, or "" */
    bool is_cancel_requested;
    char base_sha[SHA_LEN]; /* head of main when the run began, or "" for an empty repository */
    char head_sha[SHA_LEN]; /* the integration branch; the row is the truth, the ref follows it */
    const char *tasks_json; /* {"tasks": […], "mergeOrder": […]}, or NULL before decomposition */
    const char *verification_json;
    const char *error;         /* why it failed, or NULL */
    const char *settings_json; /* who carries out: {"agents", "taskAgents": {slug: agents}}, as a project's; or NULL */
    struct spending_limits limits;
    int64_t max_attempts;      /* at a task */
    const char *waiting_json;  /* {"reason", "limit", "spent", "message", "resumesAt"} while it waits, or NULL */
    enum run_state waits_from; /* the state it goes back to, while it waits */
    int64_t resumes_ms;        /* when it goes on by itself; 0: it does not */
    int64_t event_count;       /* sequence of the latest event */
    int64_t created_ms, started_ms, completed_ms; /* 0: not yet */
    /* filled by lists and single reads, not stored */
    int64_t tasks_total, tasks_succeeded, tasks_failed;
    struct usage_sum usage;
};

struct task {
    char id[ID_LEN];
    char run_id[ID_LEN];
    char project_id[ID_LEN];
    int64_t sequence; /* from 1, within the run; also the place in mergeOrder */
    const char *slug; /* [a-z0-9-] */
    enum task_state state;
    const char *definition_json; /* {id, slug, description, instructions, dependencies, pathScope, expectedOutputs,
                                    criteria, parts} */
    const char *branch;          /* feat/task-001-ui-shell */
    int64_t attempts;            /* tries begun */
    char base_sha[SHA_LEN];      /* what the latest try started from */
    char commit_sha[SHA_LEN];    /* the task's one commit, once its work was accepted */
    char merge_sha[SHA_LEN];     /* the commit on the integration branch that brought it in */
    const char *result_json;     /* {filesCreated, filesModified, filesDeleted, commitSha} */
    const char *error;
    int64_t started_ms, completed_ms;
};

/* One try at a task. */
struct task_attempt {
    char task_id[ID_LEN];
    int64_t number; /* from 1, dense per task */
    enum attempt_state state;
    const char *agent;        /* its name */
    char base_sha[SHA_LEN];   /* what it started from */
    char commit_sha[SHA_LEN]; /* what it came to, or "" */
    int64_t started_ms, completed_ms;
    const char *error;    /* why it is not what the task came to, or NULL */
    const char *feedback; /* what the next attempt is told of it, or NULL */
};

struct event {
    char id[ID_LEN];
    char run_id[ID_LEN];
    char project_id[ID_LEN];
    char task_id[ID_LEN]; /* "" when it is about the run */
    int64_t sequence;     /* from 1, dense per run */
    enum event_type type;
    const char *payload_json;
    int64_t created_ms;
};

#endif
