/* runs: rows of run, task and event. States and events are changed by engine/journal only. */
#ifndef STORE_RUNS_H
#define STORE_RUNS_H

#include "model/run.h"
#include "store/db.h"
#include "store/page.h"

struct run_query {
    const char *project_id;
    bool has_state;
    enum run_state state;
    struct page page;
};

/* run->number is set by the insert (one more than the project's highest). ERR_CONFLICT when the project has a run in no
 * terminal state. */
MUST_CHECK int store_run_insert(struct db *db, struct run *run, struct err *err);
/* *out NULL when there is none, or when it is not of project_id (may be NULL: any). Fills the task counts. */
MUST_CHECK int store_run_get(struct db *db, struct arena *arena, const char *id, const char *project_id,
                             struct run **out, struct err *err);
/* Newest first, with task counts; tasks_json and verification_json are left out. */
MUST_CHECK int store_run_list(struct db *db, struct arena *arena, const struct run_query *query, struct run **rows,
                              size_t *count, int64_t *total, struct err *err);
/* The run of this project that is not in a terminal state; *out NULL if none. */
MUST_CHECK int store_run_active(struct db *db, struct arena *arena, const char *project_id, struct run **out,
                                struct err *err);
/* The project's newest run in this state. */
MUST_CHECK int store_run_latest(struct db *db, struct arena *arena, const char *project_id, enum run_state state,
                                struct run **out, struct err *err);
/* The project's first run with a number above this one; *out NULL if there is none yet. */
MUST_CHECK int store_run_next(struct db *db, struct arena *arena, const char *project_id, int64_t number,
                              struct run **out, struct err *err);
/* All runs in no terminal state, oldest first. */
MUST_CHECK int store_run_unfinished(struct db *db, struct arena *arena, struct run **rows, size_t *count,
                                    struct err *err);
/* The ids of the account's runs that are neither queued nor ended, oldest first. */
MUST_CHECK int store_run_under_way(struct db *db, struct arena *arena, const char *account_id, const char ***ids,
                                   size_t *count, struct err *err);
/* The account's queued runs, oldest first. */
MUST_CHECK int store_run_queued(struct db *db, struct arena *arena, const char *account_id, struct run **rows,
                                size_t *count, struct err *err);
/* How many queued runs of its account are before it, and itself: 1 for the next. 0 when it is not queued. */
MUST_CHECK int store_run_queue_position(struct db *db, const struct run *run, int64_t *out, struct err *err);
/* Compare and set of the state; sets completed_ms for terminal states, and error when not NULL. */
MUST_CHECK int store_run_move(struct db *db, const char *id, enum run_state from, enum run_state to, const char *error,
                              int64_t now_ms, bool *moved, struct err *err);
/* Writes started_ms, base_sha, head_sha, tasks_json, verification_json, is_cancel_requested as they are in run. Here
 * and in the other updates: ERR_NOT_FOUND when there is no such row. */
MUST_CHECK int store_run_update(struct db *db, const struct run *run, struct err *err);
/* Writes waiting_json, waits_from and resumes_ms as they are in run. */
MUST_CHECK int store_run_set_waiting(struct db *db, const struct run *run, struct err *err);
/* The account's runs that wait, oldest first. */
MUST_CHECK int store_run_waiting(struct db *db, struct arena *arena, const char *account_id, struct run **rows,
                                 size_t *count, struct err *err);
MUST_CHECK int store_run_request_cancel(struct db *db, const char *id, struct err *err);
/* head_sha from old to new; *moved false when it was another. */
MUST_CHECK int store_run_set_head(struct db *db, const char *id, const char *old_sha, const char *new_sha, bool *moved,
                                  struct err *err);

MUST_CHECK int store_task_insert(struct db *db, const struct task *task, struct err *err);
MUST_CHECK int store_task_get(struct db *db, struct arena *arena, const char *id, const char *run_id, struct task **out,
                              struct err *err);
/* By sequence. */
MUST_CHECK int store_task_list(struct db *db, struct arena *arena, const char *run_id, struct task **rows,
                               size_t *count, struct err *err);
/* Compare and set of the state; sets started_ms at TASK_RUNNING (once), completed_ms for terminal states (else to 0),
 * error when not NULL; one that succeeded has none. */
MUST_CHECK int store_task_move(struct db *db, const char *id, enum task_state from, enum task_state to,
                               const char *error, int64_t now_ms, bool *moved, struct err *err);
/* Writes attempts, base_sha, commit_sha, merge_sha, result_json, error as they are in task. */
MUST_CHECK int store_task_update(struct db *db, const struct task *task, struct err *err);

/* Attempts at a task. ERR_CONFLICT when there is one with this number. */
MUST_CHECK int store_attempt_insert(struct db *db, const struct task_attempt *attempt, struct err *err);
/* Writes state, commit_sha, completed_ms, error and feedback as they are in attempt; *moved false when its state was
 * not from any more. */
MUST_CHECK int store_attempt_move(struct db *db, const struct task_attempt *attempt, enum attempt_state from,
                                  bool *moved, struct err *err);
/* Another agent has taken it over. */
MUST_CHECK int store_attempt_set_agent(struct db *db, const char *task_id, int64_t number, const char *agent,
                                       struct err *err);
/* By number. */
MUST_CHECK int store_attempt_list(struct db *db, struct arena *arena, const char *task_id, struct task_attempt **rows,
                                  size_t *count, struct err *err);

struct event_query {
    const char *run_id;
    int64_t after_sequence; /* 0: from the beginning */
    int64_t after_ms;       /* 0: any; else created_ms > after_ms */
    bool has_type;
    enum event_type type;
    const char *task_id; /* NULL: any */
    int64_t limit;
};
/* Gives the event the run's next sequence and stores it (event->sequence is set). event->created_ms is moved up to that
 * of the event before, should it be less. */
MUST_CHECK int store_event_append(struct db *db, struct event *event, struct err *err);
/* By sequence. */
MUST_CHECK int store_event_list(struct db *db, struct arena *arena, const struct event_query *query,
                                struct event **rows, size_t *count, struct err *err);

#endif
