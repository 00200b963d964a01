/* projects: create, list, read, change, archive. */
#include "store/projects.h"
#include "api/handlers.h"
#include "api/page.h"
#include "api/present.h"
#include "api/settings.h"
#include "base/str.h"

static void write_created(struct jw *jw, struct api_call *call, void *arg) {
    struct project *const *project = arg;
    jw_object(jw);
    present_project_members(jw, call, *project);
    jw_object_end(jw);
}

int project_create(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    struct settings_change settings;
    bool has_settings = settings_change_of(call, &settings);
    reply_promise(call, 201, write_created, &project);
    int rc =
        engine_project_create(call->engine, call->account_id, call_text(call, "name"), call_text(call, "description"),
                              has_settings ? &settings : NULL, call->arena, &project, err);
    return rc < 0 ? rc : reply_promised(call);
}

static void present_row(struct jw *jw, const struct project_row *row) {
    jw_object(jw);
    jw_kstr(jw, "id", row->project.id);
    jw_kstr(jw, "name", row->project.name);
    jw_kstr(jw, "description", row->project.description);
    jw_kstr(jw, "status", project_state_name(row->project.state));
    jw_key(jw, "latestRun");
    if (row->has_run) {
        jw_object(jw);
        jw_kstr(jw, "id", row->latest_run.id);
        jw_kint(jw, "runNumber", row->latest_run.number);
        jw_kstr(jw, "status", run_state_name(row->latest_run.state));
        jw_object_end(jw);
    } else {
        jw_null(jw);
    }
    jw_ktime(jw, "createdAt", row->project.created_ms);
    jw_ktime(jw, "updatedAt", row->project.updated_ms);
    jw_object_end(jw);
}

int project_list(struct api_call *call, struct err *err) {
    struct project_query query = {.account_id = call->account_id};
    struct list_page page;
    struct project_row *rows = NULL;
    size_t count = 0;
    int64_t total = 0;
    struct buf out;
    struct jw jw;
    int rc = page_of_ids(call, "proj", &page, err);
    if (rc < 0)
        return rc;
    query.page = page.at;
    query.search = call_query(call, "search");
    query.has_state = project_state_parse(call_query(call, "status"), &query.state);
    rc = store_project_list(call->db, call->arena, &query, &rows, &count, &total, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_array(&jw);
    count = page_rows(&page, count);
    for (size_t i = 0; i < count; i++)
        present_row(&jw, &rows[i]);
    jw_array_end(&jw);
    page_reply_end(call, &out, &jw, &page, total, count ? rows[count - 1].project.id : NULL);
    return 0;
}

static int reply_project(struct api_call *call, const struct project *project, struct err *err) {
    struct spec *spec = NULL;
    struct buf out;
    struct jw jw;
    int rc = 0;
    if (project->spec_version > 0)
        rc = store_spec_get(call->db, call->arena, project->id, project->spec_version, &spec, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    present_project(&jw, call, project, spec);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}

int project_get(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    int rc = call_project(call, &project, err);
    return rc < 0 ? rc : reply_project(call, project, err);
}

int project_update(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    int rc = call_project(call, &project, err);
    const char *name = call_text(call, "name"), *description = call_text(call, "description");
    struct settings_change settings;
    bool has_settings = settings_change_of(call, &settings);
    if (!name && !description && !has_settings)
        call_fault(call, "name", "name, description or a setting is required");
    if (rc == 0)
        rc = call_check(call, err);
    if (rc == 0)
        rc = engine_project_update(call->engine, call->account_id, project->id, name, description,
                                   has_settings ? &settings : NULL, call->arena, &project, err);
    return rc < 0 ? rc : reply_project(call, project, err);
}

int project_archive(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    struct buf out;
    struct jw jw;
    int rc = call_project(call, &project, err);
    if (rc == 0)
        rc = engine_project_archive(call->engine, call->account_id, project->id, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_object(&jw);
    jw_kstr(&jw, "id", project->id);
    jw_kstr(&jw, "status", project_state_name(PROJECT_ARCHIVED));
    jw_object_end(&jw);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}
