/* task_attempts: each try at a task is kept, with what came of it and what the next one is told. */
#ifndef ENGINE_TASK_ATTEMPTS_H
#define ENGINE_TASK_ATTEMPTS_H

#include "model/run.h"
#include "store/db.h"

#define TASK_ATTEMPTS_DEFAULT 3
#define TASK_ATTEMPTS_MAX 10

/* The next attempt of this agent begins, on task->base_sha: counted in task->attempts. One that was left open came to
 * no end. */
MUST_CHECK int attempt_begin(struct db *db, struct arena *arena, int64_t now_ms, struct task *task, const char *agent,
                             struct err *err);
/* What came of the latest attempt; nothing when it is not in the state `from`. */
struct attempt_end {
    enum attempt_state from, to;
    const char *error, *feedback; /* or NULL */
};
MUST_CHECK int attempt_move(struct db *db, struct arena *arena, int64_t now_ms, const struct task *task,
                            const struct attempt_end *end, struct err *err);
/* The one that is running ends as its task moves to this state; error may be NULL. */
MUST_CHECK int attempt_follow(struct db *db, struct arena *arena, int64_t now_ms, const struct task *task,
                              enum task_state to, const char *error, struct err *err);

/* What the attempts so far say. */
struct attempt_record {
    int64_t failures;     /* failed or rejected */
    const char *error;    /* of the latest that has feedback */
    const char *feedback; /* of the latest that has any; NULL when the latest to end well came after it */
};
MUST_CHECK int attempt_look(struct db *db, struct arena *arena, const char *task_id, struct attempt_record *out,
                            struct err *err);

#endif
