/* jobs: rows of job: the queue, its leases and their tokens. */
#include "store/jobs.h"

#include "store/rows.h"

#define JOB_COLUMNS                                                                                                    \
    "id, kind, state, project_id, run_id, subject_id, exclusive_key, payload_json, run_after_ms, attempts,"            \
    " interruptions, max_attempts, last_error, worker, token, lease_expires_ms, created_ms"

/* Of j, a pending job: its key is not at work, and it is not the end of a run that is still at work. */
#define UNBLOCKED                                                                                                      \
    "NOT EXISTS (SELECT 1 FROM job c WHERE c.exclusive_key = j.exclusive_key AND c.state = 'claimed'"                  \
    " AND c.exclusive_key <> '')"                                                                                      \
    " AND (j.kind <> 'run_finish' OR NOT EXISTS"                                                                       \
    " (SELECT 1 FROM job c WHERE c.run_id = j.run_id AND c.state = 'claimed'))"

/* Of job, a claimed one: back among the pending it would be the second with its key. */
#define SUPERSEDED                                                                                                     \
    "exclusive_key <> '' AND EXISTS (SELECT 1 FROM job p WHERE p.exclusive_key = job.exclusive_key"                    \
    " AND p.state = 'pending' AND p.exclusive_key <> '')"

#define HELD "id = $1 AND token = $2 AND state = 'claimed'"

static int read_job(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct job *job = row;
    db_copy(stmt, 0, job->id, sizeof(job->id));
    db_copy(stmt, 3, job->project_id, sizeof(job->project_id));
    db_copy(stmt, 4, job->run_id, sizeof(job->run_id));
    db_copy(stmt, 5, job->subject_id, sizeof(job->subject_id));
    db_copy(stmt, 6, job->exclusive_key, sizeof(job->exclusive_key));
    job->payload_json = db_text(stmt, 7, arena);
    job->run_after_ms = db_int(stmt, 8);
    job->attempts = db_int(stmt, 9);
    job->interruptions = db_int(stmt, 10);
    job->max_attempts = db_int(stmt, 11);
    job->last_error = db_text(stmt, 12, arena);
    db_copy(stmt, 13, job->lease.worker, sizeof(job->lease.worker));
    job->lease.token = db_int(stmt, 14);
    job->lease.expires_ms = db_int(stmt, 15);
    job->created_ms = db_int(stmt, 16);
    int result = row_enum(job_kind, stmt, 1, &job->kind, err);
    return result ? result : row_enum(job_state, stmt, 2, &job->state, err);
}

static int stale(struct err *err) {
    return err_set(err, ERR_STALE, "the job is no longer held under this token");
}

int store_job_enqueue(struct db *db, const struct job *job, bool *added, struct err *err) {
    int64_t changes = 0;
    int result = db_run(db, &changes, err,
                        "INSERT INTO job (" JOB_COLUMNS ")"
                        " VALUES ($1, $2, 'pending', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, NULL, 0, 0, $13)"
                        " ON CONFLICT (exclusive_key) WHERE state = 'pending' AND exclusive_key <> '' DO NOTHING",
                        "ttsssttiiiiti", job->id, job_kind_name(job->kind), job->project_id, job->run_id,
                        job->subject_id, job->exclusive_key, job->payload_json, job->run_after_ms, job->attempts,
                        job->interruptions, job->max_attempts, job->last_error, job->created_ms);
    if (!result && added)
        *added = changes > 0;
    return rows_named(result, err, "enqueue %s job %s", job_kind_name(job->kind), job->id);
}

int store_job_claim(struct db *db, struct arena *arena, const struct claim *claim, struct job **out, struct err *err) {
    /* Where writers are not one at a time, the inner select must also lock its row. */
    static const char sql[] = "UPDATE job SET state = 'claimed', worker = $1, token = token + 1, lease_expires_ms = $2"
                              " WHERE id = (SELECT j.id FROM job j WHERE j.state = 'pending' AND j.run_after_ms <= $3"
                              " AND " UNBLOCKED " ORDER BY j.run_after_ms, j.id LIMIT 1)"
                              " RETURNING " JOB_COLUMNS;
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err, sql, "tii", claim->worker, claim->now_ms + claim->lease_ms, claim->now_ms);
    if (!result)
        result = rows_one(stmt, arena, sizeof(**out), read_job, (void **)out, err);
    return rows_named(result, err, "claim a job");
}

int store_job_renew(struct db *db, const char *id, int64_t token, int64_t expires_ms, struct err *err) {
    int64_t changes = 0;
    int result =
        db_run(db, &changes, err, "UPDATE job SET lease_expires_ms = $3 WHERE " HELD, "tii", id, token, expires_ms);
    if (!result && changes == 0)
        result = stale(err);
    return rows_named(result, err, "renew job %s", id);
}

int store_job_guard(struct db *db, const char *id, int64_t token, struct err *err) {
    struct db_stmt *stmt;
    int64_t held = 0;
    int result = db_query(db, &stmt, err, "SELECT 1 FROM job WHERE " HELD, "ti", id, token);
    if (!result)
        result = rows_ints(stmt, &held, 1, err);
    if (!result && !held)
        result = stale(err);
    return rows_named(result, err, "guard job %s", id);
}

int store_job_finish(struct db *db, const char *id, int64_t token, struct err *err) {
    int64_t changes = 0;
    int result = db_run(db, &changes, err, "DELETE FROM job WHERE " HELD, "ti", id, token);
    if (!result && changes == 0)
        result = stale(err);
    return rows_named(result, err, "finish job %s", id);
}

int store_job_fail(struct db *db, const char *id, int64_t token, const char *message, int64_t run_after_ms,
                   bool *is_dead, struct err *err) {
    struct db_stmt *stmt;
    int64_t changes = 0, answer[2] = {0};
    int result =
        db_run(db, &changes, err, "DELETE FROM job WHERE " HELD " AND attempts + 1 < max_attempts AND " SUPERSEDED,
               "ti", id, token);
    if (!result && changes == 0) {
        result =
            db_query(db, &stmt, err,
                     "UPDATE job SET state = CASE WHEN attempts + 1 < max_attempts THEN 'pending' ELSE 'dead' END,"
                     " attempts = attempts + 1, last_error = $3, run_after_ms = $4, worker = NULL,"
                     " lease_expires_ms = 0 WHERE " HELD " RETURNING 1, CASE WHEN state = 'dead' THEN 1 ELSE 0 END",
                     "titi", id, token, message, run_after_ms);
        if (!result)
            result = rows_ints(stmt, answer, 2, err);
        if (!result && !answer[0])
            result = stale(err);
    }
    if (!result && is_dead)
        *is_dead = answer[1] != 0;
    return rows_named(result, err, "fail job %s", id);
}

int store_job_release(struct db *db, const char *id, int64_t token, int64_t run_after_ms, struct err *err) {
    int64_t changes = 0;
    int result = db_run(db, &changes, err, "DELETE FROM job WHERE " HELD " AND " SUPERSEDED, "ti", id, token);
    if (!result && changes == 0) {
        result = db_run(db, &changes, err,
                        "UPDATE job SET state = 'pending', run_after_ms = $3, worker = NULL, lease_expires_ms = 0"
                        " WHERE " HELD,
                        "tii", id, token, run_after_ms);
        if (!result && changes == 0)
            result = stale(err);
    }
    return rows_named(result, err, "release job %s", id);
}

int store_job_reclaim(struct db *db, int64_t now_ms, bool is_all, int64_t *count, struct err *err) {
    int64_t deleted = 0, returned = 0;
    int result =
        db_run(db, &deleted, err,
               "DELETE FROM job WHERE state = 'claimed' AND (lease_expires_ms <= $1 OR $2 = 1) AND " SUPERSEDED, "ii",
               now_ms, (int64_t)is_all);
    if (!result)
        result = db_run(db, &returned, err,
                        "UPDATE job SET state = 'pending', interruptions = interruptions + 1, worker = NULL,"
                        " lease_expires_ms = 0 WHERE state = 'claimed' AND (lease_expires_ms <= $1 OR $2 = 1)",
                        "ii", now_ms, (int64_t)is_all);
    if (!result && count)
        *count = deleted + returned;
    return rows_named(result, err, "reclaim jobs");
}

int store_job_delete_pending(struct db *db, const char *run_id, struct err *err) {
    int result = db_run(db, NULL, err,
                        "DELETE FROM job WHERE run_id = $1 AND state IN ('pending', 'dead') AND kind <> 'run_finish'",
                        "t", run_id);
    return rows_named(result, err, "delete the pending jobs of run %s", run_id);
}

int store_job_delete_of(struct db *db, const char *subject_id, struct err *err) {
    int result = db_run(db, NULL, err, "DELETE FROM job WHERE subject_id = $1 AND state IN ('pending', 'dead')", "t",
                        subject_id);
    return rows_named(result, err, "delete the pending jobs of %s", subject_id);
}

int store_job_get(struct db *db, struct arena *arena, const char *id, struct job **out, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err, "SELECT " JOB_COLUMNS " FROM job WHERE id = $1", "t", id);
    if (!result)
        result = rows_one(stmt, arena, sizeof(**out), read_job, (void **)out, err);
    return rows_named(result, err, "read job %s", id);
}

int store_job_list(struct db *db, struct arena *arena, const char *run_id, struct job **rows, size_t *count,
                   struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err, "SELECT " JOB_COLUMNS " FROM job WHERE run_id = $1 ORDER BY id", "t", run_id);
    if (!result)
        result = rows_all(stmt, arena, sizeof(**rows), read_job, (void **)rows, count, err);
    return rows_named(result, err, "list jobs of run %s", run_id);
}

int store_job_next_due(struct db *db, int64_t *run_after_ms, struct err *err) {
    struct db_stmt *stmt;
    /* Not the blocked ones: whoever waits for them would wake for nothing, and is woken when what blocks them ends. */
    int result = db_query(db, &stmt, err,
                          "SELECT j.run_after_ms FROM job j WHERE j.state = 'pending' AND " UNBLOCKED
                          " ORDER BY j.run_after_ms, j.id LIMIT 1",
                          "");
    if (!result)
        result = rows_ints(stmt, run_after_ms, 1, err);
    return rows_named(result, err, "find the next job");
}
