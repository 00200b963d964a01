/* task_attempts: each try at a task is kept, with what came of it and what the next one is told. */
#include "engine/task_attempts.h"

#include "base/str.h"
#include "store/runs.h"

/* The latest one in *out, NULL if there is none. */
static int latest(struct db *db, struct arena *arena, const char *task_id, struct task_attempt **out, struct err *err) {
    struct task_attempt *rows = NULL;
    size_t count = 0;
    int rc = store_attempt_list(db, arena, task_id, &rows, &count, err);
    *out = rc == 0 && count > 0 ? &rows[count - 1] : NULL;
    return rc;
}

int attempt_move(struct db *db, struct arena *arena, int64_t now_ms, const struct task *task,
                 const struct attempt_end *end, struct err *err) {
    struct task_attempt *attempt = NULL;
    bool moved = false;
    int rc = latest(db, arena, task->id, &attempt, err);
    if (rc < 0 || !attempt || attempt->state != end->from)
        return rc;
    attempt->state = end->to;
    attempt->error = end->error;
    attempt->feedback = end->feedback;
    attempt->completed_ms = now_ms;
    if (task->commit_sha[0])
        (void)str_copy(attempt->commit_sha, SHA_LEN, task->commit_sha);
    return store_attempt_move(db, attempt, end->from, &moved, err);
}

int attempt_follow(struct db *db, struct arena *arena, int64_t now_ms, const struct task *task, enum task_state to,
                   const char *error, struct err *err) {
    struct attempt_end end = {.from = ATTEMPT_RUNNING, .to = ATTEMPT_INTERRUPTED, .error = error};
    switch (to) {
    case TASK_RUNNING:
        return 0;
    case TASK_SUCCEEDED:
        end.to = ATTEMPT_SUCCEEDED;
        break;
    case TASK_FAILED:
        end.to = ATTEMPT_FAILED;
        break;
    case TASK_PENDING:
    case TASK_CANCELLED:
    case TASK_SKIPPED:
        break;
    }
    return attempt_move(db, arena, now_ms, task, &end, err);
}

int attempt_begin(struct db *db, struct arena *arena, int64_t now_ms, struct task *task, const char *agent,
                  struct err *err) {
    struct attempt_end lost = {.from = ATTEMPT_RUNNING, .to = ATTEMPT_INTERRUPTED, .error = "it came to no end"};
    int rc = attempt_move(db, arena, now_ms, task, &lost, err);
    if (rc < 0)
        return rc;
    task->attempts++;
    struct task_attempt attempt = {
        .number = task->attempts, .state = ATTEMPT_RUNNING, .agent = agent, .started_ms = now_ms};
    (void)str_copy(attempt.task_id, ID_LEN, task->id);
    (void)str_copy(attempt.base_sha, SHA_LEN, task->base_sha);
    return store_attempt_insert(db, &attempt, err);
}

int attempt_look(struct db *db, struct arena *arena, const char *task_id, struct attempt_record *out, struct err *err) {
    struct task_attempt *rows = NULL;
    size_t count = 0;
    struct attempt_record record = {0};
    int rc = store_attempt_list(db, arena, task_id, &rows, &count, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        record.failures += rows[i].state == ATTEMPT_FAILED || rows[i].state == ATTEMPT_REJECTED;
        if (!rows[i].feedback && rows[i].state != ATTEMPT_SUCCEEDED)
            continue;
        record.feedback = rows[i].feedback;
        record.error = rows[i].error;
    }
    *out = record;
    return 0;
}
