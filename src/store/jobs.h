/* jobs: the queue. Claims are leases with a token; finishing needs the token that was given. */
#ifndef STORE_JOBS_H
#define STORE_JOBS_H

#include "model/job.h"
#include "store/db.h"

struct claim {
    const char *worker;
    int64_t now_ms;
    int64_t lease_ms;
};

/* Stores a pending job; *added is false when one with the same exclusive_key is pending already. added may be NULL. */
MUST_CHECK int store_job_enqueue(struct db *db, const struct job *job, bool *added, struct err *err);
/* The oldest job that is due (run_after_ms), whose exclusive_key no claimed job has, and, for JOB_RUN_FINISH, whose run
 * has no other claimed job. Its token grows by one. *out is NULL when there is none. */
MUST_CHECK int store_job_claim(struct db *db, struct arena *arena, const struct claim *claim, struct job **out,
                               struct err *err);
/* The lease functions answer ERR_STALE when the job is no longer held under this token. */
MUST_CHECK int store_job_renew(struct db *db, const char *id, int64_t token, int64_t expires_ms, struct err *err);
/* Fences a transaction: succeeds only if the job is held under this token. First call of each transaction that records
 * a job's result. */
MUST_CHECK int store_job_guard(struct db *db, const char *id, int64_t token, struct err *err);
/* Done: the row is deleted. */
MUST_CHECK int store_job_finish(struct db *db, const char *id, int64_t token, struct err *err);
/* Back to pending after a failure, due at run_after_ms, attempts + 1; JOB_DEAD when attempts reach max_attempts
 * (*is_dead). One that would go back follows release's rule for exclusive_key. */
MUST_CHECK int store_job_fail(struct db *db, const char *id, int64_t token, const char *message, int64_t run_after_ms,
                              bool *is_dead, struct err *err);
/* Back to pending, due at run_after_ms, attempts as before: drained, or not its time yet. When a job with its
 * exclusive_key is pending already, this one is deleted. */
MUST_CHECK int store_job_release(struct db *db, const char *id, int64_t token, int64_t run_after_ms, struct err *err);
/* Leases that ran out (with is_all every lease: a restart of the only process) go back to pending with interruptions
 * + 1. *count of them. Same rule for exclusive_key as release. */
MUST_CHECK int store_job_reclaim(struct db *db, int64_t now_ms, bool is_all, int64_t *count, struct err *err);
/* Deletes the pending and dead jobs of a run, but for JOB_RUN_FINISH. */
MUST_CHECK int store_job_delete_pending(struct db *db, const char *run_id, struct err *err);
/* Deletes the pending and dead jobs about this thing. */
MUST_CHECK int store_job_delete_of(struct db *db, const char *subject_id, struct err *err);
MUST_CHECK int store_job_get(struct db *db, struct arena *arena, const char *id, struct job **out, struct err *err);
/* Jobs of a run, any state; oldest first. */
MUST_CHECK int store_job_list(struct db *db, struct arena *arena, const char *run_id, struct job **rows, size_t *count,
                              struct err *err);
/* When the next pending job that nothing blocks falls due (may be past), 0 if there is none: how long an idle worker
 * may sleep. */
MUST_CHECK int store_job_next_due(struct db *db, int64_t *run_after_ms, struct err *err);

#endif
