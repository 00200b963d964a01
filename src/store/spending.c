/* spending: what was used and its sums, what is reserved, and the limits. */
#include "store/spending.h"

#include "base/str.h"
#include "store/rows.h"

#define ENTRY_COLUMNS                                                                                                  \
    "id, account_id, project_id, run_id, task_id, purpose, provider, model, input_tokens, cached_tokens,"              \
    " cache_write_tokens, output_tokens, cost_micros, is_priced, created_ms"

enum { SUM_COLUMNS = 7 };

static void fill_sum(struct usage_sum *sum, const int64_t values[SUM_COLUMNS]) {
    *sum = (struct usage_sum){.calls = values[0],
                              .unpriced_calls = values[1],
                              .input_tokens = values[2],
                              .cached_tokens = values[3],
                              .cache_write_tokens = values[4],
                              .output_tokens = values[5],
                              .cost_micros = values[6]};
}

static int read_sum(struct db_stmt *stmt, struct usage_sum *out, struct err *err) {
    int64_t values[SUM_COLUMNS];
    int result = rows_ints(stmt, values, SUM_COLUMNS, err);
    if (!result)
        fill_sum(out, values);
    return result;
}

/* ---- Entries and their sums */

static int add_to(struct db *db, const char *subject_id, int64_t month, const struct usage_entry *entry,
                  struct err *err) {
    if (!subject_id[0])
        return 0;
    return db_run(db, NULL, err,
                  "INSERT INTO usage_total (subject_id, month, calls, unpriced_calls, input_tokens, cached_tokens,"
                  " cache_write_tokens, output_tokens, cost_micros) VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8)"
                  " ON CONFLICT (subject_id, month) DO UPDATE SET calls = usage_total.calls + 1,"
                  " unpriced_calls = usage_total.unpriced_calls + excluded.unpriced_calls,"
                  " input_tokens = usage_total.input_tokens + excluded.input_tokens,"
                  " cached_tokens = usage_total.cached_tokens + excluded.cached_tokens,"
                  " cache_write_tokens = usage_total.cache_write_tokens + excluded.cache_write_tokens,"
                  " output_tokens = usage_total.output_tokens + excluded.output_tokens,"
                  " cost_micros = usage_total.cost_micros + excluded.cost_micros",
                  "tiiiiiii", subject_id, month, (int64_t)!entry->is_priced, entry->input_tokens, entry->cached_tokens,
                  entry->cache_write_tokens, entry->output_tokens, entry->cost_micros);
}

int store_usage_insert(struct db *db, const struct usage_entry *entry, bool *is_added, struct err *err) {
    int64_t added = 0;
    int result = db_run(db, &added, err,
                        "INSERT INTO usage_entry (" ENTRY_COLUMNS ")"
                        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
                        " ON CONFLICT (id) DO NOTHING",
                        "ttssstttiiiiiii", entry->id, entry->account_id, entry->project_id, entry->run_id,
                        entry->task_id, entry->purpose, entry->provider, entry->model, entry->input_tokens,
                        entry->cached_tokens, entry->cache_write_tokens, entry->output_tokens, entry->cost_micros,
                        (int64_t)entry->is_priced, entry->created_ms);
    const struct {
        const char *subject_id;
        int64_t month;
    } sums[] = {{entry->account_id, 0},
                {entry->account_id, spending_month(entry->created_ms)},
                {entry->project_id, 0},
                {entry->run_id, 0},
                {entry->task_id, 0}};
    for (size_t i = 0; !result && added > 0 && i < sizeof(sums) / sizeof(sums[0]); i++)
        result = add_to(db, sums[i].subject_id, sums[i].month, entry, err);
    if (!result)
        *is_added = added > 0;
    return rows_named(result, err, "enter usage %s", entry->id);
}

int store_usage_total(struct db *db, const char *subject_id, int64_t month, struct usage_sum *out, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err,
                          "SELECT calls, unpriced_calls, input_tokens, cached_tokens, cache_write_tokens,"
                          " output_tokens, cost_micros FROM usage_total WHERE subject_id = $1 AND month = $2",
                          "ti", subject_id, month);
    if (!result)
        result = read_sum(stmt, out, err);
    return rows_named(result, err, "read what %s has used", subject_id);
}

/* Every month has rows of accounts alone. */
int store_usage_everywhere(struct db *db, int64_t month, struct usage_sum *out, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err,
                          "SELECT COALESCE(SUM(calls), 0), COALESCE(SUM(unpriced_calls), 0),"
                          " COALESCE(SUM(input_tokens), 0), COALESCE(SUM(cached_tokens), 0),"
                          " COALESCE(SUM(cache_write_tokens), 0), COALESCE(SUM(output_tokens), 0),"
                          " COALESCE(SUM(cost_micros), 0)"
                          " FROM usage_total WHERE month > 0 AND ($1 = 0 OR month = $1)",
                          "i", month);
    if (!result)
        result = read_sum(stmt, out, err);
    return rows_named(result, err, "read what all have used");
}

/* ---- Reports */

#define GROUP_SUMS                                                                                                     \
    "COUNT(*), COALESCE(SUM(1 - is_priced), 0), COALESCE(SUM(input_tokens), 0), COALESCE(SUM(cached_tokens), 0),"      \
    " COALESCE(SUM(cache_write_tokens), 0), COALESCE(SUM(output_tokens), 0), COALESCE(SUM(cost_micros), 0)"
#define GROUP_FROM                                                                                                     \
    " FROM usage_entry WHERE account_id = $1 AND created_ms >= $2 AND created_ms < $3"                                 \
    " AND (CAST($4 AS TEXT) IS NULL OR project_id = $4) AND (CAST($5 AS TEXT) IS NULL OR run_id = $5)"
#define GROUP_QUERY(key, order) "SELECT " key ", " GROUP_SUMS GROUP_FROM " GROUP BY " key " ORDER BY " order " LIMIT $6"

/* Days are counted from 1970, which both databases divide alike. */
static const char *const group_sql[] = {
    [USAGE_BY_DAY] = GROUP_QUERY("created_ms / 86400000", "1"),
    [USAGE_BY_PROJECT] = GROUP_QUERY("COALESCE(project_id, '')", "8 DESC, 2 DESC, 1"),
    [USAGE_BY_RUN] = GROUP_QUERY("COALESCE(run_id, '')", "8 DESC, 2 DESC, 1"),
    [USAGE_BY_MODEL] = GROUP_QUERY("model", "8 DESC, 2 DESC, 1"),
    [USAGE_BY_PURPOSE] = GROUP_QUERY("purpose", "8 DESC, 2 DESC, 1"),
};

static int read_group(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct usage_row *item = row;
    int64_t values[SUM_COLUMNS];
    item->key = db_text(stmt, 0, arena);
    for (int i = 0; i < SUM_COLUMNS; i++)
        values[i] = db_int(stmt, i + 1);
    fill_sum(&item->sum, values);
    return 0;
}

static int read_day(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct usage_row *item = row;
    int result = read_group(stmt, arena, row, err);
    item->key = spending_day(arena_alloc(arena, DAY_TEXT_LEN), db_int(stmt, 0));
    return result;
}

int store_usage_list(struct db *db, struct arena *arena, const struct usage_query *query, struct usage_row **rows,
                     size_t *count, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err, group_sql[query->group], "tiitti", query->account_id, query->from_ms,
                          query->to_ms, query->project_id, query->run_id, query->limit);
    if (!result)
        result = rows_all(stmt, arena, sizeof(**rows), query->group == USAGE_BY_DAY ? read_day : read_group,
                          (void **)rows, count, err);
    return rows_named(result, err, "list what account %s has used", query->account_id);
}

int store_usage_sum(struct db *db, const struct usage_query *query, struct usage_sum *out, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err, "SELECT " GROUP_SUMS GROUP_FROM, "tiitt", query->account_id, query->from_ms,
                          query->to_ms, query->project_id, query->run_id);
    if (!result)
        result = read_sum(stmt, out, err);
    return rows_named(result, err, "sum up what account %s has used", query->account_id);
}

/* ---- Reservations */

int store_reservation_insert(struct db *db, const struct reservation *reservation, struct err *err) {
    int result = db_run(db, NULL, err,
                        "INSERT INTO usage_reservation (id, account_id, run_id, job_id, job_token, cost_micros,"
                        " tokens, created_ms, expires_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                        "ttssiiiii", reservation->id, reservation->account_id, reservation->run_id, reservation->job_id,
                        reservation->job_token, reservation->cost_micros, reservation->tokens, reservation->created_ms,
                        reservation->expires_ms);
    return rows_named(result, err, "store reservation %s", reservation->id);
}

int store_reservation_delete(struct db *db, const char *id, struct err *err) {
    int result = db_run(db, NULL, err, "DELETE FROM usage_reservation WHERE id = $1", "t", id);
    return rows_named(result, err, "delete reservation %s", id);
}

static int read_reserved(struct db_stmt *stmt, struct spending_limits *out, struct err *err) {
    int64_t values[2];
    int result = rows_ints(stmt, values, 2, err);
    if (!result)
        *out = (struct spending_limits){.cost_micros = values[0], .tokens = values[1]};
    return result;
}

#define RESERVED "SELECT COALESCE(SUM(cost_micros), 0), COALESCE(SUM(tokens), 0) FROM usage_reservation"

int store_reservation_sum(struct db *db, const char *account_id, const char *run_id, struct spending_limits *out,
                          struct err *err) {
    struct db_stmt *stmt;
    int result = run_id ? db_query(db, &stmt, err, RESERVED " WHERE run_id = $1", "t", run_id)
                        : db_query(db, &stmt, err, RESERVED " WHERE account_id = $1", "t", account_id);
    if (!result)
        result = read_reserved(stmt, out, err);
    return rows_named(result, err, "read what is reserved for %s", run_id ? run_id : account_id);
}

int store_reservation_everywhere(struct db *db, struct spending_limits *out, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err, RESERVED, "");
    if (!result)
        result = read_reserved(stmt, out, err);
    return rows_named(result, err, "read what is reserved");
}

int store_reservation_sweep(struct db *db, int64_t now_ms, bool is_all, int64_t *count, struct err *err) {
    int64_t deleted = 0;
    int result = db_run(db, &deleted, err,
                        "DELETE FROM usage_reservation WHERE $2 = 1 OR expires_ms <= $1 OR (job_id IS NOT NULL"
                        " AND NOT EXISTS (SELECT 1 FROM job j WHERE j.id = usage_reservation.job_id"
                        " AND j.token = usage_reservation.job_token AND j.state = 'claimed'))",
                        "ii", now_ms, (int64_t)is_all);
    if (!result && count)
        *count = deleted;
    return rows_named(result, err, "sweep reservations");
}

/* ---- Limits */

static int read_limits(struct db *db, const char *sql, const char *id, const char *what, struct spending_limits *out,
                       struct err *err) {
    struct db_stmt *stmt;
    int64_t values[3];
    int result = db_query(db, &stmt, err, sql, "t", id);
    if (!result)
        result = rows_ints(stmt, values, 3, err);
    if (!result)
        result = rows_touched(values[0], what, id, err);
    if (!result)
        *out = (struct spending_limits){.cost_micros = values[1], .tokens = values[2]};
    return rows_named(result, err, "read the limits of %s %s", what, id);
}

static int write_limits(struct db *db, const char *sql, const char *id, const char *what,
                        const struct spending_limits *limits, struct err *err) {
    int64_t changes = 0;
    int result = db_run(db, &changes, err, sql, "tii", id, limits->cost_micros, limits->tokens);
    if (!result)
        result = rows_touched(changes, what, id, err);
    return rows_named(result, err, "set the limits of %s %s", what, id);
}

int store_account_limits(struct db *db, const char *account_id, struct spending_limits *out, struct err *err) {
    static const char sql[] = "SELECT 1, limit_cost_micros, limit_tokens FROM account WHERE id = $1";
    return read_limits(db, sql, account_id, "account", out, err);
}

int store_account_set_limits(struct db *db, const char *account_id, const struct spending_limits *limits,
                             struct err *err) {
    static const char sql[] = "UPDATE account SET limit_cost_micros = $2, limit_tokens = $3 WHERE id = $1";
    return write_limits(db, sql, account_id, "account", limits, err);
}

int store_run_limits(struct db *db, const char *run_id, struct spending_limits *out, struct err *err) {
    static const char sql[] = "SELECT 1, limit_cost_micros, limit_tokens FROM run WHERE id = $1";
    return read_limits(db, sql, run_id, "run", out, err);
}

int store_run_set_limits(struct db *db, const char *run_id, const struct spending_limits *limits, struct err *err) {
    static const char sql[] = "UPDATE run SET limit_cost_micros = $2, limit_tokens = $3 WHERE id = $1";
    return write_limits(db, sql, run_id, "run", limits, err);
}
