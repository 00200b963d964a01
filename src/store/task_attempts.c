/* task_attempts: rows of task_attempt. */
#include "store/rows.h"
#include "store/runs.h"

#define ATTEMPT_COLUMNS "task_id, number, state, agent, base_sha, commit_sha, started_ms, completed_ms, error, feedback"

static int read_attempt(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct task_attempt *attempt = row;
    db_copy(stmt, 0, attempt->task_id, sizeof(attempt->task_id));
    attempt->number = db_int(stmt, 1);
    attempt->agent = db_text(stmt, 3, arena);
    db_copy(stmt, 4, attempt->base_sha, sizeof(attempt->base_sha));
    db_copy(stmt, 5, attempt->commit_sha, sizeof(attempt->commit_sha));
    attempt->started_ms = db_int(stmt, 6);
    attempt->completed_ms = db_int(stmt, 7);
    attempt->error = db_text(stmt, 8, arena);
    attempt->feedback = db_text(stmt, 9, arena);
    return row_enum(attempt_state, stmt, 2, &attempt->state, err);
}

int store_attempt_insert(struct db *db, const struct task_attempt *attempt, struct err *err) {
    int result = db_run(db, NULL, err,
                        "INSERT INTO task_attempt (" ATTEMPT_COLUMNS ")"
                        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                        "tittttiitt", attempt->task_id, attempt->number, attempt_state_name(attempt->state),
                        attempt->agent, attempt->base_sha, attempt->commit_sha, attempt->started_ms,
                        attempt->completed_ms, attempt->error, attempt->feedback);
    return rows_named(result, err, "store attempt %lld of task %s", (long long)attempt->number, attempt->task_id);
}

int store_attempt_move(struct db *db, const struct task_attempt *attempt, enum attempt_state from, bool *moved,
                       struct err *err) {
    int64_t changes = 0;
    int result = db_run(db, &changes, err,
                        "UPDATE task_attempt SET state = $4, commit_sha = $5, completed_ms = $6, error = $7,"
                        " feedback = $8 WHERE task_id = $1 AND number = $2 AND state = $3",
                        "titttitt", attempt->task_id, attempt->number, attempt_state_name(from),
                        attempt_state_name(attempt->state), attempt->commit_sha, attempt->completed_ms, attempt->error,
                        attempt->feedback);
    if (!result)
        *moved = changes > 0;
    return rows_named(result, err, "move attempt %lld of task %s", (long long)attempt->number, attempt->task_id);
}

int store_attempt_list(struct db *db, struct arena *arena, const char *task_id, struct task_attempt **rows,
                       size_t *count, struct err *err) {
    struct db_stmt *stmt;
    int result =
        db_query(db, &stmt, err, "SELECT " ATTEMPT_COLUMNS " FROM task_attempt WHERE task_id = $1 ORDER BY number", "t",
                 task_id);
    if (!result)
        result = rows_all(stmt, arena, sizeof(**rows), read_attempt, (void **)rows, count, err);
    return rows_named(result, err, "list the attempts at task %s", task_id);
}

int store_attempt_set_agent(struct db *db, const char *task_id, int64_t number, const char *agent, struct err *err) {
    int64_t changes = 0;
    int result = db_run(db, &changes, err, "UPDATE task_attempt SET agent = $3 WHERE task_id = $1 AND number = $2",
                        "tit", task_id, number, agent);
    if (!result)
        result = rows_touched(changes, "attempt at task", task_id, err);
    return rows_named(result, err, "name the agent of attempt %lld of task %s", (long long)number, task_id);
}
