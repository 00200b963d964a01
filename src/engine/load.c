/* load: rows that must be there. */
#include "engine/load.h"

#include <string.h>

#include "base/json.h"
#include "store/projects.h"
#include "store/runs.h"

int load_project(struct db *db, struct arena *arena, const char *account_id, const char *id, struct project **out,
                 struct err *err) {
    struct project *project = NULL;
    int rc = store_project_get(db, arena, id, account_id, &project, err);
    if (rc < 0)
        return rc;
    if (!project)
        return err_set(err, ERR_NOT_FOUND, "Project not found");
    *out = project;
    return 0;
}

int load_project_read(struct engine *engine, struct arena *arena, const char *account_id, const char *id,
                      struct project **out, struct err *err) {
    struct db *db = NULL;
    int rc = store_reader(engine->store, &db, err);
    return rc < 0 ? rc : load_project(db, arena, account_id, id, out, err);
}

int load_refuse_archived(const struct project *project, struct err *err) {
    if (project->state == PROJECT_ARCHIVED)
        return err_set(err, ERR_CONFLICT, "The project is archived");
    return 0;
}

int load_refuse_building(const struct project *project, struct err *err) {
    if (project->state == PROJECT_BUILDING)
        return err_set(err, ERR_CONFLICT, "A run is building the project; cancel it or wait until it ends");
    return load_refuse_archived(project, err);
}

int load_run(struct db *db, struct arena *arena, const char *account_id, const char *project_id, const char *run_id,
             struct run **out, struct err *err) {
    struct project *project = NULL;
    int rc = load_project(db, arena, account_id, project_id, &project, err);
    if (rc < 0)
        return rc;
    struct run *run = NULL;
    rc = store_run_get(db, arena, run_id, project_id, &run, err);
    if (rc < 0)
        return rc;
    if (!run)
        return err_set(err, ERR_NOT_FOUND, "Run not found");
    *out = run;
    return 0;
}

int load_job_run(struct db *db, struct arena *arena, const struct job *job, struct run **out, struct err *err) {
    int rc = store_run_get(db, arena, job->run_id, NULL, out, err);
    if (rc == 0 && !*out)
        return err_set(err, ERR_INTERNAL, "job %s names run %s, which does not exist", job->id, job->run_id);
    return rc;
}

int load_task(struct db *db, struct arena *arena, const char *id, struct task **out, struct err *err) {
    int rc = store_task_get(db, arena, id, NULL, out, err);
    if (rc == 0 && !*out)
        return err_set(err, ERR_INTERNAL, "task %s does not exist", id);
    return rc;
}

int load_plan(struct db *db, struct arena *arena, const struct run *run, json_t **plan, struct err *err) {
    struct spec *spec = NULL;
    int rc = store_spec_get(db, arena, run->project_id, run->spec_version, &spec, err);
    if (rc < 0)
        return rc;
    if (!spec)
        return err_set(err, ERR_INTERNAL, "spec version %lld of project %s does not exist",
                       (long long)run->spec_version, run->project_id);
    return json_parse(arena, spec->plan_json, strlen(spec->plan_json), plan, err);
}

int load_definition(const struct task *task, struct arena *arena, json_t **out, struct err *err) {
    return json_parse(arena, task->definition_json, strlen(task->definition_json), out, err);
}
