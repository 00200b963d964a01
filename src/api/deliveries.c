/* deliveries: exports, with their download. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/handlers.h"
#include "api/present.h"
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
    struct delivery_query query = {.state = call_query(call, "status"),
                                   .page = call_query_int(call, "page"),
                                   .page_size = call_query_int(call, "pageSize")};
    struct project *project = NULL;
    struct export *rows = NULL;
    size_t count = 0;
    int64_t total = 0;
    struct buf out;
    struct jw jw;
    int rc = call_project(call, &project, err);
    if (rc < 0)
        return rc;
    query.project_id = project->id;
    rc = store_export_page(call->db, call->arena, &query, &rows, &count, &total, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_array(&jw);
    for (size_t i = 0; i < count; i++)
        present_export(&jw, call, &rows[i]);
    jw_array_end(&jw);
    reply_page_end(call, &out, &jw, query.page, query.page_size, total);
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

/* True when one of the tags in an If-None-Match list is ours. Weak comparison, RFC 9110, 13.1.2. */
static bool matches_tag(const char *list, const char *etag) {
    return list && (str_eq(list, "*") || strstr(list, etag) != NULL);
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
    int64_t first = 0, last = 0;
    int rc = load_export(call, &project, &row, err);
    if (rc < 0)
        return rc;
    if (row->state == EXPORT_PROCESSING)
        return err_set(err, ERR_CONFLICT, "The export is still being made");
    if (row->state != EXPORT_COMPLETED || row->expires_ms <= clock_now_ms())
        return err_set(err, ERR_NOT_FOUND,
                       row->state == EXPORT_FAILED ? "The export failed" : "The export has expired");
    const char *etag = arena_printf(call->arena, "\"%s\"", row->sha256);
    http_reply_header(call->reply, "ETag", etag);
    http_reply_header(call->reply, "Accept-Ranges", "bytes");
    if (matches_tag(http_request_header(call->request, "If-None-Match"), etag)) {
        http_reply_status(call->reply, 304);
        return 0;
    }
    last = row->size_bytes - 1;
    const char *if_range = http_request_header(call->request, "If-Range"),
               *range = http_request_header(call->request, "Range");
    if (http_request_method(call->request) != HTTP_GET)
        range = NULL; /* RFC 9110, 14.2: of GET alone */
    if (if_range && !str_eq(if_range, etag))
        range = NULL;
    enum http_range kind = http_range(range, row->size_bytes, &first, &last);
    if (kind == HTTP_RANGE_UNSATISFIABLE) {
        http_reply_header(call->reply, "Content-Range",
                          arena_printf(call->arena, "bytes */%lld", (long long)row->size_bytes));
        return err_field(err, ERR_RANGE, "Range", "The range lies beyond the %lld bytes of the export",
                         (long long)row->size_bytes);
    }
    int fd = open(engine_export_path(call->engine, row->id, call->arena), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_INTERNAL, "the file of export %s is missing", row->id);
    name_file(call, project, row);
    if (kind == HTTP_RANGE_ONE) {
        http_reply_status(call->reply, 206);
        http_reply_header(call->reply, "Content-Range",
                          arena_printf(call->arena, "bytes %lld-%lld/%lld", (long long)first, (long long)last,
                                       (long long)row->size_bytes));
    }
    http_reply_file(call->reply, "application/zip", fd, (uint64_t)first, (uint64_t)(last - first + 1));
    return 0;
}
