/* states: names from the X-lists, and the tables of legal transitions. */
#include "model/states.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define X(value, name) [value] = (name),
static const char *const project_state_names[] = {PROJECT_STATE_LIST(X)};
static const char *const run_state_names[] = {RUN_STATE_LIST(X)};
static const char *const task_state_names[] = {TASK_STATE_LIST(X)};
static const char *const attempt_state_names[] = {ATTEMPT_STATE_LIST(X)};
static const char *const wait_reason_names[] = {WAIT_REASON_LIST(X)};
static const char *const export_state_names[] = {EXPORT_STATE_LIST(X)};
static const char *const deployment_state_names[] = {DEPLOYMENT_STATE_LIST(X)};
static const char *const delivery_state_names[] = {DELIVERY_STATE_LIST(X)};
static const char *const job_state_names[] = {JOB_STATE_LIST(X)};
static const char *const job_kind_names[] = {JOB_KIND_LIST(X)};
static const char *const event_type_names[] = {EVENT_TYPE_LIST(X)};
static const char *const webhook_event_names[] = {WEBHOOK_EVENT_LIST(X)};
#undef X

static int index_of(const char *const names[], size_t count, const char *name) {
    for (size_t i = 0; name && i < count; i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    return -1;
}

#define STATES_DEFINE(type)                                                                                            \
    const char *type##_name(enum type value) {                                                                         \
        return type##_names[value];                                                                                    \
    }                                                                                                                  \
    bool type##_parse(const char *name, enum type *out) {                                                              \
        int i = index_of(type##_names, sizeof(type##_names) / sizeof(type##_names[0]), name);                          \
        if (i < 0)                                                                                                     \
            return false;                                                                                              \
        *out = (enum type)i;                                                                                           \
        return true;                                                                                                   \
    }
STATES_DEFINE(project_state)
STATES_DEFINE(run_state)
STATES_DEFINE(task_state)
STATES_DEFINE(attempt_state)
STATES_DEFINE(wait_reason)
STATES_DEFINE(export_state)
STATES_DEFINE(deployment_state)
STATES_DEFINE(delivery_state)
STATES_DEFINE(job_state)
STATES_DEFINE(job_kind)
STATES_DEFINE(event_type)
STATES_DEFINE(webhook_event)
#undef STATES_DEFINE

/* A row is the set of states that may follow, one bit each. */
#define TO(state) (UINT32_C(1) << (state))

static const uint32_t project_moves[] = {
    [PROJECT_DRAFT] = TO(PROJECT_CLARIFYING) | TO(PROJECT_ARCHIVED),
    [PROJECT_CLARIFYING] = TO(PROJECT_CLARIFYING) | TO(PROJECT_SPEC_REVIEW) | TO(PROJECT_ARCHIVED),
    [PROJECT_SPEC_REVIEW] =
        TO(PROJECT_SPEC_REVIEW) | TO(PROJECT_CLARIFYING) | TO(PROJECT_APPROVED) | TO(PROJECT_ARCHIVED),
    [PROJECT_APPROVED] = TO(PROJECT_SPEC_REVIEW) | TO(PROJECT_CLARIFYING) | TO(PROJECT_BUILDING) | TO(PROJECT_ARCHIVED),
    /* A cancelled run leaves the project as approved. */
    [PROJECT_BUILDING] = TO(PROJECT_BUILT) | TO(PROJECT_FAILED) | TO(PROJECT_APPROVED),
    [PROJECT_BUILT] = TO(PROJECT_BUILDING) | TO(PROJECT_SPEC_REVIEW) | TO(PROJECT_CLARIFYING) | TO(PROJECT_ARCHIVED),
    [PROJECT_FAILED] = TO(PROJECT_BUILDING) | TO(PROJECT_SPEC_REVIEW) | TO(PROJECT_CLARIFYING) | TO(PROJECT_ARCHIVED),
    [PROJECT_ARCHIVED] = 0,
};

static const uint32_t run_moves[] = {
    [RUN_QUEUED] = TO(RUN_DECOMPOSING) | TO(RUN_CANCELLED) | TO(RUN_FAILED),
    [RUN_DECOMPOSING] = TO(RUN_EXECUTING) | TO(RUN_WAITING) | TO(RUN_FAILED) | TO(RUN_CANCELLED),
    [RUN_EXECUTING] = TO(RUN_VERIFYING) | TO(RUN_WAITING) | TO(RUN_FAILED) | TO(RUN_CANCELLED),
    /* What it found may send tasks back. */
    [RUN_VERIFYING] = TO(RUN_SUCCEEDED) | TO(RUN_EXECUTING) | TO(RUN_WAITING) | TO(RUN_FAILED) | TO(RUN_CANCELLED),
    /* Back to where it came from. */
    [RUN_WAITING] = TO(RUN_DECOMPOSING) | TO(RUN_EXECUTING) | TO(RUN_VERIFYING) | TO(RUN_FAILED) | TO(RUN_CANCELLED),
    [RUN_SUCCEEDED] = 0,
    [RUN_FAILED] = 0,
    [RUN_CANCELLED] = 0,
};

static const uint32_t task_moves[] = {
    [TASK_PENDING] = TO(TASK_RUNNING) | TO(TASK_SKIPPED) | TO(TASK_CANCELLED),
    /* Back, when its run waits. */
    [TASK_RUNNING] = TO(TASK_SUCCEEDED) | TO(TASK_FAILED) | TO(TASK_CANCELLED) | TO(TASK_PENDING),
    /* Back, when verification found that it does not do what it was to. */
    [TASK_SUCCEEDED] = TO(TASK_PENDING),
    [TASK_FAILED] = 0,
    [TASK_CANCELLED] = 0,
    [TASK_SKIPPED] = 0,
};

static const uint32_t export_moves[] = {
    [EXPORT_PROCESSING] = TO(EXPORT_COMPLETED) | TO(EXPORT_FAILED),
    [EXPORT_COMPLETED] = TO(EXPORT_EXPIRED),
    [EXPORT_FAILED] = 0,
    [EXPORT_EXPIRED] = 0,
};

static const uint32_t deployment_moves[] = {
    [DEPLOYMENT_DEPLOYING] = TO(DEPLOYMENT_LIVE) | TO(DEPLOYMENT_FAILED) | TO(DEPLOYMENT_STOPPED),
    /* A server that starts again brings its live deployments back through deploying. */
    [DEPLOYMENT_LIVE] = TO(DEPLOYMENT_DEPLOYING) | TO(DEPLOYMENT_FAILED) | TO(DEPLOYMENT_STOPPED),
    [DEPLOYMENT_FAILED] = 0,
    [DEPLOYMENT_STOPPED] = 0,
};
#undef TO

bool project_state_may_move(enum project_state from, enum project_state to) {
    return project_moves[from] >> to & 1;
}

bool run_state_may_move(enum run_state from, enum run_state to) {
    return run_moves[from] >> to & 1;
}

bool task_state_may_move(enum task_state from, enum task_state to) {
    return task_moves[from] >> to & 1;
}

bool export_state_may_move(enum export_state from, enum export_state to) {
    return export_moves[from] >> to & 1;
}

bool deployment_state_may_move(enum deployment_state from, enum deployment_state to) {
    return deployment_moves[from] >> to & 1;
}

bool run_state_is_terminal(enum run_state state) {
    return run_moves[state] == 0;
}

bool task_state_is_terminal(enum task_state state) {
    return state != TASK_PENDING && state != TASK_RUNNING;
}
