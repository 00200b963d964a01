/* projects: made, changed, archived. */
#include "store/projects.h"
#include "base/str.h"
#include "engine/deploy.h"
#include "engine/journal.h"
#include "engine/load.h"

struct project_call {
    const char *account_id, *id;
    const char *name, *description;
    struct arena *arena;
    struct project *out;
    struct stopped_deployments stopped;
};

static int create_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct project_call *call = arg;
    call->out->created_ms = call->out->updated_ms = journal->now_ms;
    return store_project_insert(journal->db, call->out, err);
}

int engine_project_create(struct engine *engine, const char *account_id, const char *name, const char *description,
                          struct arena *arena, struct project **out, struct err *err) {
    struct project *project = arena_alloc(arena, sizeof *project);
    id_make(project->id, "proj");
    str_copy(project->account_id, sizeof project->account_id, account_id);
    project->name = arena_strdup(arena, name);
    project->description = arena_strdup(arena, description);
    project->state = PROJECT_DRAFT;
    /* The repository comes first: a row without one must not exist; a folder without a row is swept by the janitor. */
    struct repo *repo = NULL;
    int rc = engine_repo_open(engine, project->id, &repo, err);
    if (rc < 0)
        return rc;
    repo_close(repo);
    struct project_call call = {.out = project};
    *out = project;
    return journal_write(engine, create_in_tx, &call, err);
}

static int update_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct project_call *call = arg;
    int rc = load_project(journal->db, call->arena, call->account_id, call->id, &call->out, err);
    if (rc == 0)
        rc = load_refuse_archived(call->out, err);
    if (rc < 0)
        return rc;
    if (call->name)
        call->out->name = call->name;
    if (call->description)
        call->out->description = call->description;
    call->out->updated_ms = journal->now_ms;
    return store_project_update(journal->db, call->out, err);
}

int engine_project_update(struct engine *engine, const char *account_id, const char *id, const char *name,
                          const char *description, struct arena *arena, struct project **out, struct err *err) {
    struct project_call call = {
        .account_id = account_id, .id = id, .name = name, .description = description, .arena = arena};
    int rc = journal_write(engine, update_in_tx, &call, err);
    if (rc == 0)
        *out = call.out;
    return rc;
}

static int archive_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct project_call *call = arg;
    struct project *project = NULL;
    int rc = load_project(journal->db, journal->arena, call->account_id, call->id, &project, err);
    call->stopped.count = 0;
    /* Archiving twice is archiving once. */
    if (rc < 0 || project->state == PROJECT_ARCHIVED)
        return rc;
    rc = load_refuse_building(project, err);
    if (rc == 0)
        rc = deploy_stop_rows(journal, project->id, NULL, call->arena, &call->stopped, err);
    return rc < 0 ? rc : journal_project_move(journal, project, PROJECT_ARCHIVED, err);
}

int engine_project_archive(struct engine *engine, const char *account_id, const char *id, struct err *err) {
    struct project_call call = {.account_id = account_id, .id = id, .arena = arena_create()};
    int rc = journal_write(engine, archive_in_tx, &call, err);
    if (rc == 0)
        (void)deploy_end(engine, &call.stopped);
    arena_destroy(call.arena);
    return rc;
}
