/* deliveries: exports as they are answered, their download with ranges and tags, and deployments. */
#include "fixture.h"

struct export_call {
    struct export row;
    enum export_state to;
};

static int add_export_in_tx(struct db *db, void *arg, struct err *err) {
    struct export_call *call = arg;
    bool moved;
    int rc = store_export_insert(db, &call->row, err);
    if (rc == 0 && call->to != EXPORT_PROCESSING)
        rc = store_export_move(db, &call->row, EXPORT_PROCESSING, call->to, &moved, err);
    return rc;
}

/* An export in this state of a run that succeeded, whose file holds the digits 0 to 9; its path. */
static const char *add_export(struct fixture *f, enum export_state state, int64_t life_ms) {
    const char *project = add_project(f);
    struct run run = add_run(f, RUN_SUCCEEDED, "0123456789012345678901234567890123456789");
    struct export_call call = {.to = state,
                               .row = {.format = "zip",
                                       .state = EXPORT_PROCESSING,
                                       .run_number = 1,
                                       .size_bytes = 10,
                                       .sha256 = "abc",
                                       .created_ms = 1,
                                       .completed_ms = state == EXPORT_PROCESSING ? 0 : clock_now_ms(),
                                       .expires_ms = clock_now_ms() + life_ms,
                                       .error = state == EXPORT_FAILED ? "no room" : NULL}};
    id_make(call.row.id, "exp");
    str_copy(call.row.project_id, sizeof(call.row.project_id), f->project_id);
    str_copy(call.row.run_id, sizeof(call.row.run_id), run.id);
    must(f, store_write(engine_store(f->engine), add_export_in_tx, &call, &f->err));
    if (state == EXPORT_COMPLETED)
        must(f, fs_write_file(engine_export_path(f->engine, call.row.id, f->arena), "0123456789", 10, 0644, &f->err));
    return arena_printf(f->arena, "%s/exports/%s", project, call.row.id);
}

static void ranges_of_a_download(void **state) {
    struct fixture *f = *state;
    static const struct {
        const char *range;
        int status;
        const char *body, *content_range;
    } rows[] = {
        {"bytes=0-3", 206, "0123", "bytes 0-3/10"}, {"bytes=7-", 206, "789", "bytes 7-9/10"},
        {"bytes=-2", 206, "89", "bytes 8-9/10"},    {"bytes=-99", 206, "0123456789", "bytes 0-9/10"},
        {"bytes=8-99", 206, "89", "bytes 8-9/10"},  {"Bytes=0-0", 206, "0", "bytes 0-0/10"},
        {"bytes=10-", 416, NULL, "bytes */10"},     {"bytes=-0", 416, NULL, "bytes */10"},
        {"bytes=5-2", 200, "0123456789", NULL},     {"bytes=99-5", 200, "0123456789", NULL},
        {"bytes=1-2,4-5", 200, "0123456789", NULL}, {"bytes=a-b", 200, "0123456789", NULL},
        {"bytes=", 200, "0123456789", NULL},        {"bytes=--1", 200, "0123456789", NULL},
        {"lines=0-1", 200, "0123456789", NULL},     {"bytes=0-99999999999999999999", 200, "0123456789", NULL},
    };
    const char *path = arena_printf(f->arena, "%s/download", add_export(f, EXPORT_COMPLETED, 60000));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *header = arena_printf(f->arena, "Range: %s\r\n", rows[i].range);
        assert_int_equal(ask_as(f, MEMBER_KEY, "GET", path, header, NULL), rows[i].status);
        if (rows[i].body)
            assert_string_equal(f->answer.body, rows[i].body);
        else
            assert_said(f, "error.code", "VALIDATION_ERROR");
        const char *is = answer_header(&f->answer, "Content-Range");
        assert_true(str_eq(is, rows[i].content_range));
    }
    /* Of GET alone. */
    assert_int_equal(ask_as(f, MEMBER_KEY, "HEAD", path, "Range: bytes=0-3\r\n", NULL), 200);
    assert_string_equal(answer_header(&f->answer, "Content-Length"), "10");
}

static void tags_of_a_download(void **state) {
    struct fixture *f = *state;
    const char *path = arena_printf(f->arena, "%s/download", add_export(f, EXPORT_COMPLETED, 60000));
    assert_int_equal(ask(f, "GET", path, NULL), 200);
    assert_string_equal(f->answer.body, "0123456789");
    assert_string_equal(answer_header(&f->answer, "ETag"), "\"abc\"");
    assert_string_equal(answer_header(&f->answer, "Content-Type"), "application/zip");
    assert_string_equal(answer_header(&f->answer, "Accept-Ranges"), "bytes");
    assert_string_equal(answer_header(&f->answer, "Content-Disposition"), "attachment; filename=\"my-app-run-1.zip\"");
    assert_int_equal(ask_as(f, MEMBER_KEY, "GET", path, "If-None-Match: \"x\", W/\"abc\"\r\n", NULL), 304);
    assert_int_equal(ask_as(f, MEMBER_KEY, "GET", path, "If-None-Match: *\r\n", NULL), 304);
    assert_int_equal(ask_as(f, MEMBER_KEY, "GET", path, "If-None-Match: \"x\"\r\n", NULL), 200);
    assert_int_equal(ask_as(f, MEMBER_KEY, "GET", path, "If-Range: \"abc\"\r\nRange: bytes=0-1\r\n", NULL), 206);
    assert_int_equal(ask_as(f, MEMBER_KEY, "GET", path, "If-Range: \"old\"\r\nRange: bytes=0-1\r\n", NULL), 200);
    assert_int_equal(ask_as(f, OTHER_KEY, "GET", path, "", NULL), 404);
}

static void exports_in_each_state(void **state) {
    struct fixture *f = *state;
    const char *path = add_export(f, EXPORT_PROCESSING, 0);
    assert_int_equal(ask(f, "GET", path, NULL), 200);
    assert_said(f, "data.status", "processing");
    assert_said(f, "data.downloadUrl", "(missing)");
    assert_int_equal(ask(f, "GET", arena_printf(f->arena, "%s/download", path), NULL), 409);
    path = add_export(f, EXPORT_COMPLETED, 60000);
    assert_int_equal(ask(f, "GET", path, NULL), 200);
    assert_said(f, "data.sizeBytes", "10");
    assert_said(f, "data.downloadUrl", arena_printf(f->arena, "%s/download", path + strlen("/v1")));
    path = add_export(f, EXPORT_FAILED, 0);
    assert_int_equal(ask(f, "GET", path, NULL), 200);
    assert_said(f, "data.status", "failed");
    assert_said(f, "data.error", "no room");
    assert_said(f, "data.sizeBytes", "null");
    assert_int_equal(ask(f, "GET", arena_printf(f->arena, "%s/download", path), NULL), 404);
    assert_said(f, "error.message", "The export failed");
    path = add_export(f, EXPORT_COMPLETED, -1); /* its time came, and the janitor did not yet */
    assert_int_equal(ask(f, "GET", arena_printf(f->arena, "%s/download", path), NULL), 404);
    assert_said(f, "error.message", "The export has expired");
}

static void what_is_asked_for_is_checked(void **state) {
    struct fixture *f = *state;
    const char *path = add_project(f), *export = arena_printf(f->arena, "%s/export", path),
               *deploy = arena_printf(f->arena, "%s/deploy", path);
    assert_int_equal(ask(f, "POST", export, NULL), 409);
    assert_said(f, "error.message", "No run of this project has succeeded yet");
    assert_int_equal(ask(f, "POST", export, "{\"format\":\"tar\"}"), 400);
    assert_said(f, "error.message", "format must be one of: zip");
    assert_int_equal(ask(f, "POST", export, "{\"runId\":\"run_x\"}"), 404);
    assert_said(f, "error.details.field", "runId");
    struct run run = add_run(f, RUN_SUCCEEDED, "0123456789012345678901234567890123456789");
    assert_int_equal(ask(f, "POST", export, arena_printf(f->arena, "{\"runId\":\"%s\"}", run.id)), 202);
    assert_said(f, "data.status", "processing");
    assert_said(f, "data.format", "zip");
    assert_int_equal(ask(f, "POST", deploy, "{\"provider\":\"railway\"}"), 400);
    assert_said(f, "error.details.providers", "[\"local\"]");
    assert_int_equal(ask(f, "POST", deploy, "{}"), 400);
    assert_said(f, "error.message", "provider is required");
    assert_int_equal(ask(f, "POST", deploy, "{\"provider\":\"local\"}"), 202);
    assert_said(f, "data.status", "deploying");
    const char *id = said(f, "data.deploymentId");
    assert_int_equal(ask(f, "GET", arena_printf(f->arena, "%s/deployments/%s", path, id), NULL), 200);
    assert_said(f, "data.url", "null");
    assert_said(f, "data.provider", "local");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        api_test(ranges_of_a_download),
        api_test(tags_of_a_download),
        api_test(exports_in_each_state),
        api_test(what_is_asked_for_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
