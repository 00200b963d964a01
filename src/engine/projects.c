/* projects: made, changed, archived. */
#include "store/projects.h"
#include "base/str.h"
#include "engine/deploy.h"
#include "engine/journal.h"
#include "engine/load.h"
#include "engine/settings.h"

struct project_call {
    const char *account_id, *id;
    const char *name, *description;
    const struct settings_change *settings; /* or NULL */
    struct arena *arena;
    struct project *out;
    struct stopped_deployments stopped;
};

/* In the caller's arena, for it is handed out. */
static int apply_settings(struct journal *journal, struct project_call *call, struct err *err) {
    int rc = settings_apply(journal, call->out, call->settings, err);
    if (rc == 0 && call->out->settings_json)
        call->out->settings_json = arena_strdup(call->arena, call->out->settings_json);
    return rc;
}

static int create_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct project_call *call = arg;
    call->out->created_ms = call->out->updated_ms = journal->now_ms;
    call->out->settings_json = NULL;
    int rc = store_project_insert(journal->db, call->out, err);
    if (rc < 0 || !call->settings)
        return rc;
    rc = apply_settings(journal, call, err);
    return rc < 0 ? rc : store_project_update(journal->db, call->out, err);
}

int engine_project_create(struct engine *engine, const char *account_id, const char *name, const char *description,
                          const struct settings_change *settings, struct arena *arena, struct project **out,
                          struct err *err) {
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
    struct project_call call = {.out = project, .settings = settings, .arena = arena};
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
    rc = call->settings ? apply_settings(journal, call, err) : 0;
    return rc < 0 ? rc : store_project_update(journal->db, call->out, err);
}

int engine_project_update(struct engine *engine, const char *account_id, const char *id, const char *name,
                          const char *description, const struct settings_change *settings, struct arena *arena,
                          struct project **out, struct err *err) {
    struct project_call call = {.account_id = account_id,
                                .id = id,
                                .name = name,
                                .description = description,
                                .settings = settings,
                                .arena = arena};
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
    if (rc == 0)
        rc = settings_forget_key(journal, project, err);
    if (rc == 0)
        rc = store_project_update(journal->db, project, err);
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
