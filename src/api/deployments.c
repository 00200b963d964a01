/* deployments: asked for, listed, read, stopped; and where to. */
#include "api/handlers.h"
#include "api/page.h"
#include "api/present.h"
#include "base/str.h"
#include "store/deliveries.h"

int provider_list(struct api_call *call, struct err *err) {
    struct provider *providers;
    size_t count;
    struct buf out;
    struct jw jw;
    engine_providers(call->engine, call->arena, &providers, &count);
    reply_data(&out, &jw);
    jw_array(&jw);
    for (size_t i = 0; i < count; i++) {
        jw_object(&jw);
        jw_kstr(&jw, "name", providers[i].name);
        jw_kstr(&jw, "description", providers[i].description);
        jw_kbool(&jw, "isAvailable", providers[i].reason == NULL);
        jw_kstr(&jw, "reason", providers[i].reason);
        jw_object_end(&jw);
    }
    jw_array_end(&jw);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}

/* Whoever named one that is not there is told which are. */
static void name_providers(struct api_call *call) {
    struct provider *providers;
    size_t count;
    json_t *list = json_array();
    engine_providers(call->engine, call->arena, &providers, &count);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(providers[i].name));
    call_detail(call, "providers", list);
}

static void write_state(struct jw *jw, const struct deployment *row) {
    jw_object(jw);
    jw_kstr(jw, "deploymentId", row->id);
    jw_kstr(jw, "status", deployment_state_name(row->state));
}

static void write_created(struct jw *jw, struct api_call *call, void *arg) {
    struct deployment *const *row = arg;
    write_state(jw, *row);
    jw_kstr(jw, "provider", (*row)->provider);
    jw_object_end(jw);
}

int deployment_create(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    struct deployment *row = NULL;
    const char *run_id = NULL;
    int rc = call_project(call, &project, err);
    reply_promise(call, 202, write_created, &row);
    if (rc == 0)
        rc = call_named_run(call, &run_id, err);
    if (rc == 0)
        rc = engine_deployment_create(call->engine, call->account_id, project->id, run_id, call_text(call, "provider"),
                                      call->arena, &row, err);
    if (rc < 0 && str_eq(err->field, "provider"))
        name_providers(call);
    return rc < 0 ? rc : reply_promised(call);
}

int deployment_list(struct api_call *call, struct err *err) {
    struct delivery_query query = {.state = call_query(call, "status")};
    struct list_page page;
    struct project *project = NULL;
    struct deployment *rows = NULL;
    size_t count = 0;
    int64_t total = 0;
    struct buf out;
    struct jw jw;
    int rc = page_of_ids(call, "dep", &page, err);
    if (rc == 0)
        rc = call_project(call, &project, err);
    if (rc < 0)
        return rc;
    query.page = page.at;
    query.project_id = project->id;
    rc = store_deployment_page(call->db, call->arena, &query, &rows, &count, &total, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_array(&jw);
    count = page_rows(&page, count);
    for (size_t i = 0; i < count; i++)
        present_deployment(&jw, &rows[i]);
    jw_array_end(&jw);
    page_reply_end(call, &out, &jw, &page, total, count ? rows[count - 1].id : NULL);
    return 0;
}

static int load_deployment(struct api_call *call, struct project **project, struct deployment **out, struct err *err) {
    const char *id;
    int rc = call_project(call, project, err);
    if (rc == 0)
        rc = call_id(call, "deployment", "dep", "Deployment", &id, err);
    if (rc == 0)
        rc = store_deployment_get(call->db, call->arena, id, (*project)->id, out, err);
    if (rc == 0 && !*out)
        return err_set(err, ERR_NOT_FOUND, "Deployment not found");
    return rc;
}

int deployment_get(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    struct deployment *row = NULL;
    struct buf out;
    struct jw jw;
    int rc = load_deployment(call, &project, &row, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    present_deployment(&jw, row);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}

int deployment_stop(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    struct deployment *row = NULL;
    struct buf out;
    struct jw jw;
    int rc = load_deployment(call, &project, &row, err);
    /* What a crash came upon is stopped since. */
    if (rc == 0 && !(call->is_resumed && row->state == DEPLOYMENT_STOPPED))
        rc = engine_deployment_stop(call->engine, call->account_id, project->id, row->id, call->arena, &row, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    write_state(&jw, row);
    jw_object_end(&jw);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}
