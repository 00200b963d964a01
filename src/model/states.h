/* states: the states of things as X-lists, their names, and which transitions are legal. */
#ifndef MODEL_STATES_H
#define MODEL_STATES_H

#include <stdbool.h>

#define PROJECT_STATE_LIST(X)                                                                                          \
    X(PROJECT_DRAFT, "draft")                                                                                          \
    X(PROJECT_CLARIFYING, "clarifying")                                                                                \
    X(PROJECT_SPEC_REVIEW, "spec_review")                                                                              \
    X(PROJECT_APPROVED, "approved")                                                                                    \
    X(PROJECT_BUILDING, "building")                                                                                    \
    X(PROJECT_BUILT, "built")                                                                                          \
    X(PROJECT_FAILED, "failed")                                                                                        \
    X(PROJECT_ARCHIVED, "archived")

#define RUN_STATE_LIST(X)                                                                                              \
    X(RUN_QUEUED, "queued")                                                                                            \
    X(RUN_DECOMPOSING, "decomposing")                                                                                  \
    X(RUN_EXECUTING, "executing")                                                                                      \
    X(RUN_VERIFYING, "verifying")                                                                                      \
    X(RUN_WAITING, "waiting") /* for money, or for a provider's quota */                                               \
    X(RUN_SUCCEEDED, "succeeded")                                                                                      \
    X(RUN_FAILED, "failed")                                                                                            \
    X(RUN_CANCELLED, "cancelled")

#define TASK_STATE_LIST(X)                                                                                             \
    X(TASK_PENDING, "pending")                                                                                         \
    X(TASK_RUNNING, "running")                                                                                         \
    X(TASK_SUCCEEDED, "succeeded")                                                                                     \
    X(TASK_FAILED, "failed")                                                                                           \
    X(TASK_CANCELLED, "cancelled")                                                                                     \
    X(TASK_SKIPPED, "skipped")

/* One try at a task. A rejected one was merged, and what verification found sent the task back. */
#define ATTEMPT_STATE_LIST(X)                                                                                          \
    X(ATTEMPT_RUNNING, "running")                                                                                      \
    X(ATTEMPT_SUCCEEDED, "succeeded")                                                                                  \
    X(ATTEMPT_FAILED, "failed")                                                                                        \
    X(ATTEMPT_REJECTED, "rejected")                                                                                    \
    X(ATTEMPT_INTERRUPTED, "interrupted") /* came to no end: it counts as none */

/* Why a run waits. */
#define WAIT_REASON_LIST(X)                                                                                            \
    X(WAIT_RUN_COST, "run_cost_limit")                                                                                 \
    X(WAIT_RUN_TOKENS, "run_token_limit")                                                                              \
    X(WAIT_ACCOUNT_COST, "account_cost_limit")                                                                         \
    X(WAIT_ACCOUNT_TOKENS, "account_token_limit")                                                                      \
    X(WAIT_PROVIDER_QUOTA, "provider_quota")

#define EXPORT_STATE_LIST(X)                                                                                           \
    X(EXPORT_PROCESSING, "processing")                                                                                 \
    X(EXPORT_COMPLETED, "completed")                                                                                   \
    X(EXPORT_FAILED, "failed")                                                                                         \
    X(EXPORT_EXPIRED, "expired")

#define DEPLOYMENT_STATE_LIST(X)                                                                                       \
    X(DEPLOYMENT_DEPLOYING, "deploying")                                                                               \
    X(DEPLOYMENT_LIVE, "live")                                                                                         \
    X(DEPLOYMENT_FAILED, "failed")                                                                                     \
    X(DEPLOYMENT_STOPPED, "stopped")

#define DELIVERY_STATE_LIST(X)                                                                                         \
    X(DELIVERY_PENDING, "pending")                                                                                     \
    X(DELIVERY_DELIVERED, "delivered")                                                                                 \
    X(DELIVERY_FAILED, "failed")

#define JOB_STATE_LIST(X)                                                                                              \
    X(JOB_PENDING, "pending")                                                                                          \
    X(JOB_CLAIMED, "claimed")                                                                                          \
    X(JOB_DEAD, "dead") /* out of attempts; finished jobs are deleted */

#define JOB_KIND_LIST(X)                                                                                               \
    X(JOB_RUN_DECOMPOSE, "run_decompose")                                                                              \
    X(JOB_TASK_EXECUTE, "task_execute")                                                                                \
    X(JOB_RUN_ADVANCE, "run_advance")                                                                                  \
    X(JOB_RUN_VERIFY, "run_verify")                                                                                    \
    X(JOB_RUN_FINISH, "run_finish")                                                                                    \
    X(JOB_RUN_RESUME, "run_resume")                                                                                    \
    X(JOB_EXPORT_MAKE, "export_make")                                                                                  \
    X(JOB_DEPLOYMENT_START, "deployment_start")                                                                        \
    X(JOB_WEBHOOK_DELIVER, "webhook_deliver")

#define EVENT_TYPE_LIST(X)                                                                                             \
    X(EVENT_RUN_STARTED, "RUN_STARTED")                                                                                \
    X(EVENT_RUN_DECOMPOSED, "RUN_DECOMPOSED")                                                                          \
    X(EVENT_TASK_STARTED, "TASK_STARTED")                                                                              \
    X(EVENT_FILE_CREATED, "FILE_CREATED")                                                                              \
    X(EVENT_FILE_MODIFIED, "FILE_MODIFIED")                                                                            \
    X(EVENT_FILE_DELETED, "FILE_DELETED")                                                                              \
    X(EVENT_TASK_OUTPUT, "TASK_OUTPUT")                                                                                \
    X(EVENT_TASK_COMPLETED, "TASK_COMPLETED")                                                                          \
    X(EVENT_TASK_RETRIED, "TASK_RETRIED")                                                                              \
    X(EVENT_SCOPE_VIOLATION, "SCOPE_VIOLATION")                                                                        \
    X(EVENT_MERGE_COMPLETED, "MERGE_COMPLETED")                                                                        \
    X(EVENT_MERGE_CONFLICT, "MERGE_CONFLICT")                                                                          \
    X(EVENT_VERIFICATION_STARTED, "VERIFICATION_STARTED")                                                              \
    X(EVENT_CHECK_COMPLETED, "CHECK_COMPLETED")                                                                        \
    X(EVENT_VERIFICATION_COMPLETED, "VERIFICATION_COMPLETED")                                                          \
    X(EVENT_MESSAGE, "MESSAGE")                                                                                        \
    X(EVENT_COMMAND_STARTED, "COMMAND_STARTED")                                                                        \
    X(EVENT_COMMAND_COMPLETED, "COMMAND_COMPLETED")                                                                    \
    X(EVENT_USAGE, "USAGE")                                                                                            \
    X(EVENT_RUN_WAITING, "RUN_WAITING")                                                                                \
    X(EVENT_RUN_RESUMED, "RUN_RESUMED")                                                                                \
    X(EVENT_RUN_COMPLETED, "RUN_COMPLETED")

/* What webhooks are told of. Documented in docs/webhooks.md. */
#define WEBHOOK_EVENT_LIST(X)                                                                                          \
    X(WEBHOOK_SPEC_READY, "spec.ready")                                                                                \
    X(WEBHOOK_SPEC_APPROVED, "spec.approved")                                                                          \
    X(WEBHOOK_PROJECT_ARCHIVED, "project.archived")                                                                    \
    X(WEBHOOK_RUN_STARTED, "run.started")                                                                              \
    X(WEBHOOK_RUN_VERIFYING, "run.verifying")                                                                          \
    X(WEBHOOK_RUN_COMPLETED, "run.completed")                                                                          \
    X(WEBHOOK_TASK_STARTED, "task.started")                                                                            \
    X(WEBHOOK_TASK_COMPLETED, "task.completed")                                                                        \
    X(WEBHOOK_EXPORT_COMPLETED, "export.completed")                                                                    \
    X(WEBHOOK_EXPORT_FAILED, "export.failed")                                                                          \
    X(WEBHOOK_DEPLOYMENT_LIVE, "deployment.live")                                                                      \
    X(WEBHOOK_DEPLOYMENT_FAILED, "deployment.failed")                                                                  \
    X(WEBHOOK_DEPLOYMENT_STOPPED, "deployment.stopped")

#define X(value, name) value,
enum project_state { PROJECT_STATE_LIST(X) };
enum run_state { RUN_STATE_LIST(X) };
enum task_state { TASK_STATE_LIST(X) };
enum attempt_state { ATTEMPT_STATE_LIST(X) };
enum wait_reason { WAIT_REASON_LIST(X) };
enum export_state { EXPORT_STATE_LIST(X) };
enum deployment_state { DEPLOYMENT_STATE_LIST(X) };
enum delivery_state { DELIVERY_STATE_LIST(X) };
enum job_state { JOB_STATE_LIST(X) };
enum job_kind { JOB_KIND_LIST(X) };
enum event_type { EVENT_TYPE_LIST(X) };
enum webhook_event { WEBHOOK_EVENT_LIST(X) };
#undef X

/* For each list: the name of a value, and the value of a name (false if there is none). */
#define STATES_DECLARE(type)                                                                                           \
    const char *type##_name(enum type value);                                                                          \
    bool type##_parse(const char *name, enum type *out);
STATES_DECLARE(project_state)
STATES_DECLARE(run_state)
STATES_DECLARE(task_state)
STATES_DECLARE(attempt_state)
STATES_DECLARE(wait_reason)
STATES_DECLARE(export_state)
STATES_DECLARE(deployment_state)
STATES_DECLARE(delivery_state)
STATES_DECLARE(job_state)
STATES_DECLARE(job_kind)
STATES_DECLARE(event_type)
STATES_DECLARE(webhook_event)
#undef STATES_DECLARE

/* Legal transitions; a terminal state has none (but see task_state_is_terminal). */
bool project_state_may_move(enum project_state from, enum project_state to);
bool run_state_may_move(enum run_state from, enum run_state to);
bool task_state_may_move(enum task_state from, enum task_state to);
bool export_state_may_move(enum export_state from, enum export_state to);
bool deployment_state_may_move(enum deployment_state from, enum deployment_state to);

bool run_state_is_terminal(enum run_state state);
/* Nothing is to be done for it, as things stand: verification may send one that succeeded back. */
bool task_state_is_terminal(enum task_state state);

#endif
