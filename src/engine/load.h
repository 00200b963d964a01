/* load: rows that must be there, or ERR_NOT_FOUND in the words of the API. */
#ifndef ENGINE_LOAD_H
#define ENGINE_LOAD_H

#include "engine/context.h"
#include "store/db.h"

MUST_CHECK int load_project(struct db *db, struct arena *arena, const char *account_id, const char *id,
                            struct project **out, struct err *err);
/* On the calling thread's read connection. */
MUST_CHECK int load_project_read(struct engine *engine, struct arena *arena, const char *account_id, const char *id,
                                 struct project **out, struct err *err);
/* ERR_CONFLICT for what an archived project, or one that is archived or being built, does not allow. */
MUST_CHECK int load_refuse_archived(const struct project *project, struct err *err);
MUST_CHECK int load_refuse_building(const struct project *project, struct err *err);
/* The run, of a project of this account. account_id NULL: any. */
MUST_CHECK int load_run(struct db *db, struct arena *arena, const char *account_id, const char *project_id,
                        const char *run_id, struct run **out, struct err *err);
/* For jobs: by id alone; absence is a fault of ours. */
MUST_CHECK int load_job_run(struct db *db, struct arena *arena, const struct job *job, struct run **out,
                            struct err *err);
MUST_CHECK int load_task(struct db *db, struct arena *arena, const char *id, struct task **out, struct err *err);
/* The plan of the run's spec version, parsed. */
MUST_CHECK int load_plan(struct db *db, struct arena *arena, const struct run *run, json_t **plan, struct err *err);
/* A task's definition, parsed. */
MUST_CHECK int load_definition(const struct task *task, struct arena *arena, json_t **out, struct err *err);

#endif
