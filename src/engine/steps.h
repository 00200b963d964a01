/* steps: what the handlers of a run's jobs share: loading, guarding, scheduling. */
#ifndef ENGINE_STEPS_H
#define ENGINE_STEPS_H

#include "engine/journal.h"

/* First call of each transaction of a run's job: the lease still holds, and the run has not ended, is not about to, and
 * is not being cancelled (the job that ends it may go on). *run is read anew. ERR_STALE or ERR_CANCELLED otherwise. */
MUST_CHECK int step_begin(struct journal *journal, const struct job *job, struct run **run, struct err *err);
/* Last call: the job is done. */
MUST_CHECK int step_end(struct journal *journal, const struct job *job, struct err *err);
/* In one transaction: step_begin, then step_end. For a job that has nothing to do. */
MUST_CHECK int step_nothing(struct job_context *context, struct err *err);
/* The same for a job that belongs to no run. */
MUST_CHECK int step_drop(struct job_context *context, struct err *err);
/* *out: the job that ends this run is there, waiting or at work. */
MUST_CHECK int step_is_ending(struct journal *journal, const struct run *run, bool *out, struct err *err);

/* Enqueues every pending task whose dependencies are merged and whose scope overlaps with no task that is under way,
 * nor with one that is before it in mergeOrder and not done: what overlaps is done in that order, so that none waits
 * for a merge that waits for it. Nothing unless the run is executing. */
MUST_CHECK int step_schedule(struct journal *journal, const struct run *run, struct err *err);
/* Enqueues the execution of this task, with as many attempts as are left. */
MUST_CHECK int step_execute(struct journal *journal, const struct run *run, const struct task *task, struct err *err);
/* Looks at the run again: merges, schedules, ends. */
MUST_CHECK int step_advance(struct journal *journal, const struct run *run, struct err *err);
/* Ends the run after its workspace is cleaned: what waits of its jobs is deleted, what is at work is told to stop.
 * error may be NULL. */
MUST_CHECK int step_finish(struct journal *journal, const struct run *run, enum run_state status, const char *error,
                           struct err *err);

/* refs/heads/run/<n>, and where task branches of ended runs are kept: refs/prazium/run-<n>/ */
const char *run_branch_ref(const struct run *run, struct arena *arena);
const char *run_archive_prefix(const struct run *run, struct arena *arena);
/* `feat-task-001`: the name of a task's worktree. */
const char *task_worktree_name(const struct task *task, struct arena *arena);
const char *run_verify_path(const struct engine *engine, const struct run *run, struct arena *arena);

/* {"filesCreated": [...], …} members from a list of changes go through these. */
struct jw;
void change_paths_json(struct jw *jw, const char *key, const struct change_list *changes, int kind);

#endif
