/* counts: how much there is of everything. */
#include "store/rows.h"
#include "store/runs.h"

#define OWNED "(CAST($1 AS TEXT) IS NULL OR p.account_id = $1)"

static const char projects_sql[] = "SELECT COUNT(*), SUM(CASE WHEN p.state IN ('draft', 'archived') THEN 0 ELSE 1 END)"
                                   " FROM project p WHERE " OWNED;
static const char runs_sql[] = "SELECT COUNT(*), SUM(CASE WHEN r.state = 'succeeded' THEN 1 ELSE 0 END),"
                               " SUM(CASE WHEN r.state = 'failed' THEN 1 ELSE 0 END),"
                               " SUM(CASE WHEN r.state IN ('succeeded', 'failed', 'cancelled') THEN 0 ELSE 1 END)"
                               " FROM run r JOIN project p ON p.id = r.project_id WHERE " OWNED;
/* A job of no project is nobody's: it counts only among all. */
static const char jobs_sql[] = "SELECT SUM(CASE WHEN j.state = 'pending' THEN 1 ELSE 0 END),"
                               " SUM(CASE WHEN j.state = 'claimed' THEN 1 ELSE 0 END)"
                               " FROM job j LEFT JOIN project p ON p.id = j.project_id WHERE " OWNED;

static int count(struct db *db, const char *sql, const char *account_id, int64_t *values, int columns,
                 struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err, sql, "t", account_id);
    return result ? result : rows_ints(stmt, values, columns, err);
}

int store_counts(struct db *db, const char *account_id, struct store_counts *out, struct err *err) {
    int64_t projects[2], runs[4], jobs[2];
    int result = count(db, projects_sql, account_id, projects, 2, err);
    if (!result)
        result = count(db, runs_sql, account_id, runs, 4, err);
    if (!result)
        result = count(db, jobs_sql, account_id, jobs, 2, err);
    if (!result)
        *out = (struct store_counts){
            .projects_total = projects[0],
            .projects_active = projects[1],
            .runs_total = runs[0],
            .runs_succeeded = runs[1],
            .runs_failed = runs[2],
            .runs_in_progress = runs[3],
            .jobs_pending = jobs[0],
            .jobs_processing = jobs[1],
        };
    return rows_named(result, err, "count everything");
}
