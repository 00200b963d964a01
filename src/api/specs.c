/* specs: the versions of a project's documents: listed, read, written by hand. */
#include "api/handlers.h"
#include "api/page.h"
#include "api/present.h"
#include "base/str.h"
#include "store/projects.h"

int spec_edit(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    struct spec *spec = NULL;
    struct buf out;
    struct jw jw;
    json_t *documents = call_json(call, "documents");
    int rc = call_project(call, &project, err);
    if (rc < 0)
        return rc;
    if (json_object_size(documents) == 0)
        call_fault(call, "documents", "documents must have at least one document");
    rc = call_check(call, err);
    if (rc == 0)
        rc = engine_project_edit_spec(call->engine, call->account_id, project->id, documents,
                                      call_int(call, "version", 0), call->arena, &spec, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_object(&jw);
    jw_kstr(&jw, "status", project_state_name(PROJECT_SPEC_REVIEW));
    jw_key(&jw, "spec");
    present_spec(&jw, spec);
    jw_object_end(&jw);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}

int spec_list(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    struct spec *rows = NULL;
    size_t count = 0;
    struct list_page page;
    int64_t total = 0;
    struct buf out;
    struct jw jw;
    int rc = page_of_numbers(call, &page, err);
    if (rc == 0)
        rc = call_project(call, &project, err);
    if (rc == 0)
        rc = store_spec_list(call->db, call->arena, project->id, &page.at, &rows, &count, &total, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_array(&jw);
    count = page_rows(&page, count);
    for (size_t i = 0; i < count; i++) {
        jw_object(&jw);
        jw_kint(&jw, "version", rows[i].version);
        jw_kbool(&jw, "isEdited", rows[i].is_edited);
        jw_ktime(&jw, "approvedAt", rows[i].approved_ms);
        jw_ktime(&jw, "createdAt", rows[i].created_ms);
        jw_object_end(&jw);
    }
    jw_array_end(&jw);
    page_reply_end(call, &out, &jw, &page, total,
                   count ? arena_printf(call->arena, "%lld", (long long)rows[count - 1].version) : NULL);
    return 0;
}

int spec_get(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    struct spec *spec = NULL;
    int64_t version = 0;
    struct buf out;
    struct jw jw;
    int rc = call_project(call, &project, err);
    bool is_number = str_to_int(str_or(http_request_param(call->request, "version"), ""), 1, INT32_MAX, &version);
    if (rc == 0 && is_number)
        rc = store_spec_get(call->db, call->arena, project->id, version, &spec, err);
    if (rc < 0)
        return rc;
    if (!spec)
        return err_set(err, ERR_NOT_FOUND, "Spec version not found");
    reply_data(&out, &jw);
    present_spec(&jw, spec);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}
