/* tasks: rows of task. */
#include "store/rows.h"
#include "store/runs.h"

#define TASK_COLUMNS                                                                                                   \
    "id, run_id, project_id, sequence, slug, state, definition_json, branch, attempts, base_sha, commit_sha,"          \
    " merge_sha, result_json, error, started_ms, completed_ms"

static int read_task(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct task *task = row;
    db_copy(stmt, 0, task->id, sizeof(task->id));
    db_copy(stmt, 1, task->run_id, sizeof(task->run_id));
    db_copy(stmt, 2, task->project_id, sizeof(task->project_id));
    task->sequence = db_int(stmt, 3);
    task->slug = db_text(stmt, 4, arena);
    task->definition_json = db_text(stmt, 6, arena);
    task->branch = db_text(stmt, 7, arena);
    task->attempts = db_int(stmt, 8);
    db_copy(stmt, 9, task->base_sha, sizeof(task->base_sha));
    db_copy(stmt, 10, task->commit_sha, sizeof(task->commit_sha));
    db_copy(stmt, 11, task->merge_sha, sizeof(task->merge_sha));
    task->result_json = db_text(stmt, 12, arena);
    task->error = db_text(stmt, 13, arena);
    task->started_ms = db_int(stmt, 14);
    task->completed_ms = db_int(stmt, 15);
    return row_enum(task_state, stmt, 5, &task->state, err);
}

int store_task_insert(struct db *db, const struct task *task, struct err *err) {
    int result =
        db_run(db, NULL, err,
               "INSERT INTO task (" TASK_COLUMNS ")"
               " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
               "tttittttitttttii", task->id, task->run_id, task->project_id, task->sequence, task->slug,
               task_state_name(task->state), task->definition_json, task->branch, task->attempts, task->base_sha,
               task->commit_sha, task->merge_sha, task->result_json, task->error, task->started_ms, task->completed_ms);
    return rows_named(result, err, "store task %s", task->id);
}

int store_task_get(struct db *db, struct arena *arena, const char *id, const char *run_id, struct task **out,
                   struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err,
                          "SELECT " TASK_COLUMNS " FROM task"
                          " WHERE id = $1 AND (CAST($2 AS TEXT) IS NULL OR run_id = $2)",
                          "tt", id, run_id);
    if (!result)
        result = rows_one(stmt, arena, sizeof(**out), read_task, (void **)out, err);
    return rows_named(result, err, "read task %s", id);
}

int store_task_list(struct db *db, struct arena *arena, const char *run_id, struct task **rows, size_t *count,
                    struct err *err) {
    struct db_stmt *stmt;
    int result =
        db_query(db, &stmt, err, "SELECT " TASK_COLUMNS " FROM task WHERE run_id = $1 ORDER BY sequence", "t", run_id);
    if (!result)
        result = rows_all(stmt, arena, sizeof(**rows), read_task, (void **)rows, count, err);
    return rows_named(result, err, "list tasks of run %s", run_id);
}

int store_task_move(struct db *db, const char *id, enum task_state from, enum task_state to, const char *error,
                    int64_t now_ms, bool *moved, struct err *err) {
    int64_t changes = 0;
    int result =
        db_run(db, &changes, err,
               "UPDATE task SET state = $3,"
               " started_ms = CASE WHEN started_ms = 0 THEN $4 ELSE started_ms END,"
               " completed_ms = $5,"
               " error = CASE WHEN $7 = 1 THEN NULL ELSE COALESCE($6, error) END WHERE id = $1 AND state = $2",
               "tttiiti", id, task_state_name(from), task_state_name(to), to == TASK_RUNNING ? now_ms : (int64_t)0,
               task_state_is_terminal(to) ? now_ms : (int64_t)0, error, (int64_t)(to == TASK_SUCCEEDED));
    if (!result)
        *moved = changes > 0;
    return rows_named(result, err, "move task %s to %s", id, task_state_name(to));
}

int store_task_update(struct db *db, const struct task *task, struct err *err) {
    int64_t changes = 0;
    int result = db_run(db, &changes, err,
                        "UPDATE task SET attempts = $2, base_sha = $3, commit_sha = $4, merge_sha = $5,"
                        " result_json = $6, error = $7 WHERE id = $1",
                        "tittttt", task->id, task->attempts, task->base_sha, task->commit_sha, task->merge_sha,
                        task->result_json, task->error);
    if (!result)
        result = rows_touched(changes, "task", task->id, err);
    return rows_named(result, err, "update task %s", task->id);
}
