/* counts: how much there is of everything. */
#include "store/counts.h"

#include "store/rows.h"
#include "store/spending.h"

static const char projects_sql[] = "SELECT state, SUM(total) FROM project_total GROUP BY state";
static const char runs_sql[] = "SELECT state, COUNT(*) FROM run GROUP BY state";
static const char jobs_sql[] = "SELECT state, COUNT(*) FROM job GROUP BY state";
static const char deployments_sql[] = "SELECT state, COUNT(*) FROM deployment GROUP BY state";
static const char deliveries_sql[] = "SELECT state, COUNT(*) FROM webhook_delivery GROUP BY state";

/* Puts the counts of a statement's rows where their states are. */
#define count_states(type, db, sql, values, err)                                                                       \
    ({                                                                                                                 \
        struct db_stmt *stmt_ = NULL;                                                                                  \
        bool has_row_ = false;                                                                                         \
        enum type state_;                                                                                              \
        int result_ = db_query(db, &stmt_, err, sql, "");                                                              \
        if (!result_)                                                                                                  \
            result_ = db_step(stmt_, &has_row_, err);                                                                  \
        while (!result_ && has_row_) {                                                                                 \
            result_ = row_enum(type, stmt_, 0, &state_, err);                                                          \
            if (!result_) {                                                                                            \
                (values)[state_] = db_int(stmt_, 1);                                                                   \
                result_ = db_step(stmt_, &has_row_, err);                                                              \
            }                                                                                                          \
        }                                                                                                              \
        db_finish(stmt_);                                                                                              \
        result_;                                                                                                       \
    })

int store_counts(struct db *db, int64_t now_ms, struct store_counts *out, struct err *err) {
    struct store_counts counts = {0};
    struct db_stmt *stmt;
    int result = count_states(project_state, db, projects_sql, counts.projects, err);
    if (!result)
        result = count_states(run_state, db, runs_sql, counts.runs, err);
    if (!result)
        result = count_states(job_state, db, jobs_sql, counts.jobs, err);
    if (!result)
        result = count_states(deployment_state, db, deployments_sql, counts.deployments, err);
    if (!result)
        result = count_states(delivery_state, db, deliveries_sql, counts.webhook_deliveries, err);
    if (!result)
        result = store_usage_everywhere(db, 0, &counts.used, err);
    if (!result)
        result = store_usage_everywhere(db, spending_month(now_ms), &counts.used_this_month, err);
    if (!result)
        result = store_reservation_everywhere(db, &counts.reserved, err);
    if (!result)
        result = db_query(db, &stmt, err, "SELECT COUNT(*) FROM job WHERE state = 'pending' AND run_after_ms <= $1",
                          "i", now_ms);
    if (!result)
        result = rows_ints(stmt, &counts.jobs_due, 1, err);
    if (!result)
        *out = counts;
    return rows_named(result, err, "count everything");
}
