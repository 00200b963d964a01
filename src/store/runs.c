/* runs: rows of run, with the counts of their tasks. */
#include "store/runs.h"

#include "store/rows.h"

/* Word for word the condition of the index run_unfinished, so that it is used. */
#define UNFINISHED "state NOT IN ('succeeded', 'failed', 'cancelled')"

#define RUN_SHORT_COLUMNS                                                                                              \
    "r.id, r.project_id, r.number, r.state, r.\"trigger\", r.spec_version, r.is_cancel_requested, r.base_sha,"         \
    " r.head_sha, r.created_ms, r.started_ms, r.completed_ms, r.error,"                                                \
    " (SELECT COALESCE(MAX(sequence), 0) FROM event WHERE run_id = r.id),"                                             \
    " (SELECT COUNT(*) FROM task WHERE run_id = r.id),"                                                                \
    " (SELECT COUNT(*) FROM task WHERE run_id = r.id AND state = 'succeeded'),"                                        \
    " (SELECT COUNT(*) FROM task WHERE run_id = r.id AND state = 'failed'),"                                           \
    " r.limit_cost_micros, r.limit_tokens, r.max_attempts, r.resumes_ms, u.calls, u.unpriced_calls, u.input_tokens,"   \
    " u.cached_tokens, u.cache_write_tokens, u.output_tokens, u.cost_micros, r.waiting_json"
#define RUN_COLUMNS                                                                                                    \
    RUN_SHORT_COLUMNS ", r.tasks_json, r.verification_json, r.resumes_run_id, r.waits_from, r.settings_json"
#define RUN_FROM " FROM run r LEFT JOIN usage_total u ON u.subject_id = r.id AND u.month = 0"

static int read_run_short(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct run *run = row;
    db_copy(stmt, 0, run->id, sizeof(run->id));
    db_copy(stmt, 1, run->project_id, sizeof(run->project_id));
    run->number = db_int(stmt, 2);
    run->trigger = db_text(stmt, 4, arena);
    run->spec_version = db_int(stmt, 5);
    run->is_cancel_requested = db_int(stmt, 6) != 0;
    db_copy(stmt, 7, run->base_sha, sizeof(run->base_sha));
    db_copy(stmt, 8, run->head_sha, sizeof(run->head_sha));
    run->created_ms = db_int(stmt, 9);
    run->started_ms = db_int(stmt, 10);
    run->completed_ms = db_int(stmt, 11);
    run->error = db_text(stmt, 12, arena);
    run->event_count = db_int(stmt, 13);
    run->tasks_total = db_int(stmt, 14);
    run->tasks_succeeded = db_int(stmt, 15);
    run->tasks_failed = db_int(stmt, 16);
    run->limits = (struct spending_limits){.cost_micros = db_int(stmt, 17), .tokens = db_int(stmt, 18)};
    run->max_attempts = db_int(stmt, 19);
    run->resumes_ms = db_int(stmt, 20);
    run->usage = (struct usage_sum){.calls = db_int(stmt, 21),
                                    .unpriced_calls = db_int(stmt, 22),
                                    .input_tokens = db_int(stmt, 23),
                                    .cached_tokens = db_int(stmt, 24),
                                    .cache_write_tokens = db_int(stmt, 25),
                                    .output_tokens = db_int(stmt, 26),
                                    .cost_micros = db_int(stmt, 27)};
    run->waiting_json = db_text(stmt, 28, arena);
    return row_enum(run_state, stmt, 3, &run->state, err);
}

static int read_run(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct run *run = row;
    char waits_from[32];
    run->tasks_json = db_text(stmt, 29, arena);
    run->verification_json = db_text(stmt, 30, arena);
    db_copy(stmt, 31, run->resumes_run_id, sizeof(run->resumes_run_id));
    db_copy(stmt, 32, waits_from, sizeof(waits_from));
    run->settings_json = db_text(stmt, 33, arena);
    if (waits_from[0] && !run_state_parse(waits_from, &run->waits_from))
        return rows_unknown(err, "run_state", waits_from);
    return read_run_short(stmt, arena, row, err);
}

int store_run_insert(struct db *db, struct run *run, struct err *err) {
    struct db_stmt *stmt;
    int64_t number = 0;
    int result = db_query(
        db, &stmt, err,
        "INSERT INTO run (id, project_id, number, state, \"trigger\", spec_version,"
        " is_cancel_requested, base_sha, head_sha, created_ms, started_ms, completed_ms, error,"
        " tasks_json, verification_json, resumes_run_id, limit_cost_micros, limit_tokens, max_attempts,"
        " settings_json)"
        " VALUES ($1, $2, (SELECT COALESCE(MAX(number), 0) + 1 FROM run WHERE project_id = $2), $3, $4,"
        " $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) RETURNING number",
        "ttttiittiiitttsiiit", run->id, run->project_id, run_state_name(run->state), run->trigger, run->spec_version,
        (int64_t)run->is_cancel_requested, run->base_sha, run->head_sha, run->created_ms, run->started_ms,
        run->completed_ms, run->error, run->tasks_json, run->verification_json, run->resumes_run_id,
        run->limits.cost_micros, run->limits.tokens, run->max_attempts, run->settings_json);
    if (!result)
        result = rows_ints(stmt, &number, 1, err);
    if (result == -ERR_CONFLICT)
        (void)err_set(err, ERR_CONFLICT, "the project has a run that is not finished");
    if (!result)
        run->number = number;
    return rows_named(result, err, "store run %s", run->id);
}

int store_run_get(struct db *db, struct arena *arena, const char *id, const char *project_id, struct run **out,
                  struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err,
                          "SELECT " RUN_COLUMNS RUN_FROM ""
                          " WHERE r.id = $1 AND (CAST($2 AS TEXT) IS NULL OR r.project_id = $2)",
                          "tt", id, project_id);
    if (!result)
        result = rows_one(stmt, arena, sizeof(**out), read_run, (void **)out, err);
    return rows_named(result, err, "read run %s", id);
}

static int count_runs(struct db *db, const struct run_query *query, int64_t *total, struct err *err) {
    struct db_stmt *stmt;
    int result =
        query->has_state
            ? db_query(db, &stmt, err, "SELECT COUNT(*) FROM run WHERE project_id = $1 AND state = $2", "tt",
                       query->project_id, run_state_name(query->state))
            : db_query(db, &stmt, err, "SELECT COUNT(*) FROM run WHERE project_id = $1", "t", query->project_id);
    return result ? result : rows_ints(stmt, total, 1, err);
}

int store_run_list(struct db *db, struct arena *arena, const struct run_query *query, struct run **rows, size_t *count,
                   int64_t *total, struct err *err) {
    const struct page *page = &query->page;
    struct db_stmt *stmt;
    int result = count_runs(db, query, total, err);
    if (!result)
        result = query->has_state
                     ? db_query(db, &stmt, err,
                                "SELECT " RUN_SHORT_COLUMNS RUN_FROM " WHERE r.project_id = $1 AND r.number < $4"
                                " AND r.state = $5 ORDER BY r.number DESC LIMIT $2 OFFSET $3",
                                "tiiit", query->project_id, page->limit, page->offset, page->below_number,
                                run_state_name(query->state))
                     : db_query(db, &stmt, err,
                                "SELECT " RUN_SHORT_COLUMNS RUN_FROM " WHERE r.project_id = $1 AND r.number < $4"
                                " ORDER BY r.number DESC LIMIT $2 OFFSET $3",
                                "tiii", query->project_id, page->limit, page->offset, page->below_number);
    if (!result)
        result = rows_all(stmt, arena, sizeof(**rows), read_run_short, (void **)rows, count, err);
    return rows_named(result, err, "list runs of project %s", query->project_id);
}

int store_run_active(struct db *db, struct arena *arena, const char *project_id, struct run **out, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err, "SELECT " RUN_COLUMNS RUN_FROM " WHERE r.project_id = $1 AND r." UNFINISHED,
                          "t", project_id);
    if (!result)
        result = rows_one(stmt, arena, sizeof(**out), read_run, (void **)out, err);
    return rows_named(result, err, "read the active run of project %s", project_id);
}

int store_run_latest(struct db *db, struct arena *arena, const char *project_id, enum run_state state, struct run **out,
                     struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err,
                          "SELECT " RUN_COLUMNS RUN_FROM " WHERE r.project_id = $1 AND r.state = $2"
                          " ORDER BY r.number DESC LIMIT 1",
                          "tt", project_id, run_state_name(state));
    if (!result)
        result = rows_one(stmt, arena, sizeof(**out), read_run, (void **)out, err);
    return rows_named(result, err, "read the latest run of project %s", project_id);
}

int store_run_next(struct db *db, struct arena *arena, const char *project_id, int64_t number, struct run **out,
                   struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err,
                          "SELECT " RUN_SHORT_COLUMNS RUN_FROM " WHERE r.project_id = $1 AND r.number > $2"
                          " ORDER BY r.number LIMIT 1",
                          "ti", project_id, number);
    if (!result)
        result = rows_one(stmt, arena, sizeof(**out), read_run_short, (void **)out, err);
    return rows_named(result, err, "find the run of project %s after %lld", project_id, (long long)number);
}

int store_run_unfinished(struct db *db, struct arena *arena, struct run **rows, size_t *count, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err, "SELECT " RUN_COLUMNS RUN_FROM " WHERE r." UNFINISHED " ORDER BY r.id", "");
    if (!result)
        result = rows_all(stmt, arena, sizeof(**rows), read_run, (void **)rows, count, err);
    return rows_named(result, err, "list unfinished runs");
}

static int read_id(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    *(const char **)row = db_text(stmt, 0, arena);
    return 0;
}

#define QUEUED "r.state = 'queued' AND r.is_cancel_requested = 0"

int store_run_under_way(struct db *db, struct arena *arena, const char *account_id, const char ***ids, size_t *count,
                        struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err,
                          "SELECT r.id FROM run r JOIN project p ON p.id = r.project_id"
                          " WHERE r." UNFINISHED " AND r.state <> 'queued' AND p.account_id = $1 ORDER BY r.id",
                          "t", account_id);
    if (!result)
        result = rows_all(stmt, arena, sizeof(**ids), read_id, (void **)ids, count, err);
    return rows_named(result, err, "list what account %s has under way", account_id);
}

int store_run_queued(struct db *db, struct arena *arena, const char *account_id, struct run **rows, size_t *count,
                     struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err,
                          "SELECT " RUN_COLUMNS RUN_FROM " JOIN project p ON p.id = r.project_id"
                          " WHERE " QUEUED " AND p.account_id = $1 ORDER BY r.id",
                          "t", account_id);
    if (!result)
        result = rows_all(stmt, arena, sizeof(**rows), read_run, (void **)rows, count, err);
    return rows_named(result, err, "list the queued runs of account %s", account_id);
}

int store_run_queue_position(struct db *db, const struct run *run, int64_t *out, struct err *err) {
    struct db_stmt *stmt;
    *out = 0;
    if (run->state != RUN_QUEUED)
        return 0;
    int result = db_query(db, &stmt, err,
                          "SELECT COUNT(*) FROM run r JOIN project p ON p.id = r.project_id"
                          " WHERE " QUEUED " AND r.id <= $1"
                          " AND p.account_id = (SELECT account_id FROM project WHERE id = $2)",
                          "tt", run->id, run->project_id);
    if (!result)
        result = rows_ints(stmt, out, 1, err);
    return rows_named(result, err, "find the place of run %s in the queue", run->id);
}

int store_run_move(struct db *db, const char *id, enum run_state from, enum run_state to, const char *error,
                   int64_t now_ms, bool *moved, struct err *err) {
    int64_t changes = 0;
    int result = db_run(db, &changes, err,
                        "UPDATE run SET state = $3, completed_ms = CASE WHEN $4 > 0 THEN $4 ELSE completed_ms END,"
                        " error = COALESCE($5, error) WHERE id = $1 AND state = $2",
                        "tttit", id, run_state_name(from), run_state_name(to),
                        run_state_is_terminal(to) ? now_ms : (int64_t)0, error);
    if (!result)
        *moved = changes > 0;
    return rows_named(result, err, "move run %s to %s", id, run_state_name(to));
}

int store_run_update(struct db *db, const struct run *run, struct err *err) {
    int64_t changes = 0;
    int result = db_run(db, &changes, err,
                        "UPDATE run SET started_ms = $2, base_sha = $3, head_sha = $4, tasks_json = $5,"
                        " verification_json = $6, is_cancel_requested = $7 WHERE id = $1",
                        "titttti", run->id, run->started_ms, run->base_sha, run->head_sha, run->tasks_json,
                        run->verification_json, (int64_t)run->is_cancel_requested);
    if (!result)
        result = rows_touched(changes, "run", run->id, err);
    return rows_named(result, err, "update run %s", run->id);
}

int store_run_set_waiting(struct db *db, const struct run *run, struct err *err) {
    int64_t changes = 0;
    int result = db_run(
        db, &changes, err, "UPDATE run SET waiting_json = $2, waits_from = $3, resumes_ms = $4 WHERE id = $1", "ttti",
        run->id, run->waiting_json, run->waiting_json ? run_state_name(run->waits_from) : NULL, run->resumes_ms);
    if (!result)
        result = rows_touched(changes, "run", run->id, err);
    return rows_named(result, err, "set what run %s waits for", run->id);
}

int store_run_waiting(struct db *db, struct arena *arena, const char *account_id, struct run **rows, size_t *count,
                      struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err,
                          "SELECT " RUN_COLUMNS RUN_FROM " JOIN project p ON p.id = r.project_id"
                          " WHERE r." UNFINISHED " AND r.state = 'waiting' AND p.account_id = $1 ORDER BY r.id",
                          "t", account_id);
    if (!result)
        result = rows_all(stmt, arena, sizeof(**rows), read_run, (void **)rows, count, err);
    return rows_named(result, err, "list the waiting runs of account %s", account_id);
}

int store_run_request_cancel(struct db *db, const char *id, struct err *err) {
    int64_t changes = 0;
    int result = db_run(db, &changes, err, "UPDATE run SET is_cancel_requested = 1 WHERE id = $1", "t", id);
    if (!result)
        result = rows_touched(changes, "run", id, err);
    return rows_named(result, err, "request the cancellation of run %s", id);
}

int store_run_set_head(struct db *db, const char *id, const char *old_sha, const char *new_sha, bool *moved,
                       struct err *err) {
    int64_t changes = 0;
    int result = db_run(db, &changes, err, "UPDATE run SET head_sha = $3 WHERE id = $1 AND head_sha = $2", "ttt", id,
                        old_sha, new_sha);
    if (!result)
        *moved = changes > 0;
    return rows_named(result, err, "set the head of run %s", id);
}
