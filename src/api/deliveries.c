/* deliveries: exports, with their download. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/handlers.h"
#include "api/page.h"
#include "api/present.h"
#include "api/ranged.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/deliveries.h"

static void write_created(struct jw *jw, struct api_call *call, void *arg) {
    struct export *const *row = arg;
    present_export(jw, call, *row);
}

int export_create(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    struct export *row = NULL;
    const char *run_id = NULL;
    int rc = call_project(call, &project, err);
    reply_promise(call, 202, write_created, &row);
    if (rc == 0)
        rc = call_named_run(call, &run_id, err);
    if (rc == 0)
        rc = engine_export_create(call->engine, call->account_id, project->id, run_id, call_text(call, "format"),
                                  call->arena, &row, err);
    return rc < 0 ? rc : reply_promised(call);
}

int export_list(struct api_call *call, struct err *err) {
    struct delivery_query query = {.state = call_query(call, "status")};
    struct list_page page;
    struct project *project = NULL;
    struct export *rows = NULL;
    size_t count = 0;
    int64_t total = 0;
    struct buf out;
    struct jw jw;
    int rc = page_of_ids(call, "exp", &page, err);
    if (rc == 0)
        rc = call_project(call, &project, err);
    if (rc < 0)
        return rc;
    query.page = page.at;
    query.project_id = project->id;
    rc = store_export_page(call->db, call->arena, &query, &rows, &count, &total, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_array(&jw);
    count = page_rows(&page, count);
    for (size_t i = 0; i < count; i++)
        present_export(&jw, call, &rows[i]);
    jw_array_end(&jw);
    page_reply_end(call, &out, &jw, &page, total, count ? rows[count - 1].id : NULL);
    return 0;
}

static int load_export(struct api_call *call, struct project **project, struct export **out, struct err *err) {
    const char *id;
    int rc = call_project(call, project, err);
    if (rc == 0)
        rc = call_id(call, "export", "exp", "Export", &id, err);
    if (rc == 0)
        rc = store_export_get(call->db, call->arena, id, (*project)->id, out, err);
    if (rc == 0 && !*out)
        return err_set(err, ERR_NOT_FOUND, "Export not found");
    return rc;
}

int export_get(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    struct export *row = NULL;
    struct buf out;
    struct jw jw;
    int rc = load_export(call, &project, &row, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    present_export(&jw, call, row);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}

int export_delete(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    struct export *row = NULL;
    struct buf out;
    struct jw jw;
    int rc = load_export(call, &project, &row, err);
    if (rc == 0)
        rc = engine_export_delete(call->engine, call->account_id, project->id, row->id, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_object(&jw);
    jw_kstr(&jw, "id", row->id);
    jw_kstr(&jw, "status", "deleted");
    jw_object_end(&jw);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}

static void name_file(struct api_call *call, const struct project *project, const struct export *row) {
    const char *slug = str_slug(call->arena, project->name, 60, "app");
    const char *plain = arena_printf(call->arena, "%s-run-%lld.zip", slug, (long long)row->run_number);
    /* A slug is ASCII without quotes, so that the plain form of RFC 6266 says it all. */
    http_reply_header(call->reply, "Content-Disposition",
                      arena_printf(call->arena, "attachment; filename=\"%s\"", plain));
}

int export_download(struct api_call *call, struct err *err) {
    struct project *project = NULL;
    struct export *row = NULL;
    int rc = load_export(call, &project, &row, err);
    if (rc < 0)
        return rc;
    if (row->state == EXPORT_PROCESSING)
        return err_set(err, ERR_CONFLICT, "The export is still being made");
    if (row->state != EXPORT_COMPLETED || row->expires_ms <= clock_now_ms())
        return err_set(err, ERR_NOT_FOUND,
                       row->state == EXPORT_FAILED ? "The export failed" : "The export has expired");
    int fd = open(engine_export_path(call->engine, row->id, call->arena), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_INTERNAL, "the file of export %s is missing", row->id);
    rc = reply_ranged(call, fd,
                      &(struct ranged){.content_type = "application/zip",
                                       .etag = arena_printf(call->arena, "\"%s\"", row->sha256),
                                       .what = "export",
                                       .size_bytes = row->size_bytes},
                      err);
    if (rc == 0)
        name_file(call, project, row);
    return rc;
}
