/* journal: the only setter of states. A row and its event change in one transaction; wake-ups follow the commit. */
#ifndef ENGINE_JOURNAL_H
#define ENGINE_JOURNAL_H

#include "engine/context.h"
#include "engine/task_log.h"

/* A run that got events, up to this one. */
struct woken_run {
    struct woken_run *next;
    char run_id[ID_LEN], project_id[ID_LEN];
    int64_t sequence;
};

/* One transaction in the making. */
struct journal {
    struct engine *engine;
    struct db *db;
    struct arena *arena; /* of this transaction */
    int64_t now_ms;
    bool wakes_workers, wakes_webhooks;
    struct woken_run *woken; /* the runs that got events */
    int64_t events;          /* appended */
    char cancelled_run[ID_LEN];
    struct task_notes notes; /* for the logs of tasks, after the commit */
};

typedef int journal_fn(struct journal *journal, void *arg, struct err *err);

/* Runs fn in a transaction; on return 0 its work is durable and everybody concerned was woken. fn may run twice: it
 * must derive all it writes from the database and from arg's inputs. */
MUST_CHECK int journal_write(struct engine *engine, journal_fn *fn, void *arg, struct err *err);

/* State changes: ERR_CONFLICT when the transition is not legal or the row was in another state. The struct's state
 * follows. */
MUST_CHECK int journal_project_move(struct journal *journal, struct project *project, enum project_state to,
                                    struct err *err);
/* Tells the event that belongs to the transition; for a terminal state also closes what is open of the run's tasks and
 * moves the project. error may be NULL. For RUN_WAITING, run->waiting_json says why. */
MUST_CHECK int journal_run_move(struct journal *journal, struct run *run, enum run_state to, const char *error,
                                struct err *err);
/* error: why it failed, or, back to TASK_PENDING, why it is to be tried again. */
MUST_CHECK int journal_task_move(struct journal *journal, struct task *task, enum task_state to, const char *error,
                                 struct err *err);
MUST_CHECK int journal_export_move(struct journal *journal, struct export *row, enum export_state to, struct err *err);
MUST_CHECK int journal_deployment_move(struct journal *journal, struct deployment *row, enum deployment_state to,
                                       struct err *err);

/* An event beside a state change. payload is JSON text of an object; task may be NULL; the log of one that is not tells
 * of it. */
MUST_CHECK int journal_event(struct journal *journal, const struct run *run, const struct task *task,
                             enum event_type type, const char *payload_json, struct err *err);

/* A line in the task's log, beside those that its events make. */
void journal_note(struct journal *journal, const struct task *task, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

struct job_spec {
    enum job_kind kind;
    const char *project_id;
    const char *run_id;     /* or NULL */
    const char *subject_id; /* or NULL */
    bool is_exclusive;      /* one at a time for this kind and subject (or run) */
    const char *payload_json;
    int64_t max_attempts; /* 0: 3 */
    int64_t delay_ms;
};
MUST_CHECK int journal_enqueue(struct journal *journal, const struct job_spec *spec, struct err *err);

#endif
