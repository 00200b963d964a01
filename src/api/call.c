/* call: input and output of handlers. */
#include "api/call.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "engine/engine.h"
#include "store/projects.h"
#include "store/runs.h"

void call_fault(struct api_call *call, const char *field, const char *format, ...) {
    va_list args;
    if (call->fault_count == sizeof call->faults / sizeof call->faults[0])
        return;
    struct fault *fault = &call->faults[call->fault_count++];
    va_start(args, format);
    fault->field = arena_strdup(call->arena, field);
    fault->message = arena_vprintf(call->arena, format, args);
    va_end(args);
}

int call_check(struct api_call *call, struct err *err) {
    if (call->fault_count == 0)
        return 0;
    return err_field(err, ERR_VALIDATION, call->faults[0].field, "%s", call->faults[0].message);
}

static const struct api_field *field_named(const struct api_field *fields, const char *name) {
    for (; fields && fields->name; fields++)
        if (str_eq(fields->name, name))
            return fields;
    return NULL;
}

json_t *call_json(const struct api_call *call, const char *name) {
    json_t *value = json_object_get(call->body, name);
    return json_is_null(value) ? NULL : value;
}

bool call_has(const struct api_call *call, const char *name) {
    return json_object_get(call->body, name) != NULL;
}

const char *call_text(const struct api_call *call, const char *name) {
    const struct api_field *field = field_named(call->route->body, name);
    return json_str(call->body, name, field ? field->fallback : NULL);
}

int64_t call_int(const struct api_call *call, const char *name, int64_t fallback) {
    return json_int(call->body, name, fallback);
}

bool call_flag(const struct api_call *call, const char *name, bool fallback) {
    return json_flag(call->body, name, fallback);
}

int64_t call_time(const struct api_call *call, const char *name) {
    const char *text = json_str(call->body, name, NULL);
    int64_t time_ms = 0;
    return text && clock_parse_iso(text, &time_ms) ? time_ms : 0;
}

const char *call_query(const struct api_call *call, const char *name) {
    const char *value = http_request_query_param(call->request, name, NULL);
    return value && *value ? value : NULL;
}

static const char *query_or_fallback(const struct api_call *call, const char *name) {
    const struct api_field *field = field_named(call->route->query, name);
    return str_or(call_query(call, name), field ? field->fallback : NULL);
}

int64_t call_query_int(const struct api_call *call, const char *name) {
    const char *text = query_or_fallback(call, name);
    int64_t value = 0;
    if (text)
        (void)str_to_int(text, INT64_MIN, INT64_MAX, &value);
    return value;
}

bool call_query_flag(const struct api_call *call, const char *name) {
    return str_eq(query_or_fallback(call, name), "true");
}

void call_detail(struct api_call *call, const char *name, json_t *value) {
    if (!call->details)
        call->details = json_own(call->arena, json_object());
    json_object_set_new(call->details, name, value);
}

int call_id(struct api_call *call, const char *param, const char *prefix, const char *what, const char **out,
            struct err *err) {
    char *id = arena_alloc(call->arena, ID_LEN);
    if (!id_parse(id, http_request_param(call->request, param), prefix))
        return err_set(err, ERR_NOT_FOUND, "%s not found", what);
    *out = id;
    return 0;
}

int call_project(struct api_call *call, struct project **out, struct err *err) {
    const char *id;
    struct project *project = NULL;
    int rc = call_id(call, "project", "proj", "Project", &id, err);
    if (rc == 0)
        rc = store_project_get(call->db, call->arena, id, call->account_id, &project, err);
    if (rc == 0 && !project)
        return err_set(err, ERR_NOT_FOUND, "Project not found");
    *out = project;
    return rc;
}

int call_run(struct api_call *call, struct run **out, struct err *err) {
    struct project *project = NULL;
    struct run *run = NULL;
    const char *id;
    int rc = call_project(call, &project, err);
    if (rc == 0)
        rc = call_id(call, "run", "run", "Run", &id, err);
    if (rc == 0)
        rc = store_run_get(call->db, call->arena, id, project->id, &run, err);
    if (rc == 0 && !run)
        return err_set(err, ERR_NOT_FOUND, "Run not found");
    *out = run;
    return rc;
}

int call_task(struct api_call *call, struct task **out, struct err *err) {
    struct run *run = NULL;
    struct task *task = NULL;
    const char *id;
    int rc = call_run(call, &run, err);
    if (rc == 0)
        rc = call_id(call, "task", "task", "Task", &id, err);
    if (rc == 0)
        rc = store_task_get(call->db, call->arena, id, run->id, &task, err);
    if (rc == 0 && !task)
        return err_set(err, ERR_NOT_FOUND, "Task not found");
    *out = task;
    return rc;
}

int call_named_run(struct api_call *call, const char **out, struct err *err) {
    const char *text = call_text(call, "runId");
    char *id = arena_alloc(call->arena, ID_LEN);
    *out = NULL;
    if (!text)
        return 0;
    if (!id_parse(id, text, "run"))
        return err_field(err, ERR_NOT_FOUND, "runId", "Run not found");
    *out = id;
    return 0;
}

static void keep_answer(struct api_call *call, struct buf *out, int status) {
    call->answer =
        (struct answer){.status = status, .text = arena_strndup(call->arena, out->data, out->len), .len = out->len};
    buf_release(out);
}

static void reply_kept(struct api_call *call) {
    http_reply_status(call->reply, call->answer.status);
    http_reply_body(call->reply, "application/json; charset=utf-8", call->answer.text, call->answer.len);
}

void reply_json(struct api_call *call, struct buf *out, int status) {
    keep_answer(call, out, status);
    reply_kept(call);
}

void reply_data(struct buf *out, struct jw *jw) {
    buf_init(out, 0);
    jw_init(jw, out);
    jw_object(jw);
    jw_kbool(jw, "success", true);
    jw_key(jw, "data");
}

void reply_data_end(struct api_call *call, struct buf *out, struct jw *jw, int status) {
    jw_object_end(jw);
    reply_json(call, out, status);
}

void reply_promise(struct api_call *call, int status, answer_fn *write, void *arg) {
    call->promise.status = status;
    call->promise.write = write;
    call->promise.arg = arg;
}

bool reply_promised_early(struct api_call *call) {
    struct buf out;
    struct jw jw;
    if (!call->promise.write)
        return false;
    reply_data(&out, &jw);
    call->promise.write(&jw, call, call->promise.arg);
    jw_object_end(&jw);
    keep_answer(call, &out, call->promise.status);
    return true;
}

int reply_promised(struct api_call *call) {
    if (!call->answer.text)
        (void)reply_promised_early(call);
    reply_kept(call);
    return 0;
}

void put_details(struct jw *jw, const struct api_call *call, const struct err *err) {
    jw_key(jw, "details");
    jw_object(jw);
    if (err->field[0]) {
        jw_kstr(jw, "field", err->field);
        jw_key(jw, "fields");
        jw_array(jw);
        for (size_t i = 0; call && i < call->fault_count; i++) {
            jw_object(jw);
            jw_kstr(jw, "field", call->faults[i].field);
            jw_kstr(jw, "message", call->faults[i].message);
            jw_object_end(jw);
        }
        if (!call || call->fault_count == 0) {
            jw_object(jw);
            jw_kstr(jw, "field", err->field);
            jw_kstr(jw, "message", err->message);
            jw_object_end(jw);
        }
        jw_array_end(jw);
    }
    const char *name;
    json_t *value;
    json_object_foreach (call ? call->details : NULL, name, value) {
        jw_key(jw, name);
        jw_value(jw, value);
    }
    if (!call || call->request)
        jw_kstr(jw, "requestId", call ? http_request_id(call->request) : NULL);
    jw_object_end(jw);
}

void reply_error(struct http_reply *reply, const struct api_call *call, const struct err *err, int status) {
    struct buf out = {0};
    struct jw jw;
    jw_init(&jw, &out);
    jw_object(&jw);
    jw_kbool(&jw, "success", false);
    jw_key(&jw, "error");
    jw_object(&jw);
    jw_kstr(&jw, "code", err_name(err->code));
    /* What went wrong inside is for the log, not for the caller. */
    jw_kstr(&jw, "message", status >= 500 && status != 503 ? "Something went wrong on our side" : err->message);
    put_details(&jw, call, err);
    jw_object_end(&jw);
    jw_object_end(&jw);
    http_reply_status(reply, status);
    http_reply_body_copy(reply, "application/json; charset=utf-8", out.data, out.len);
    buf_release(&out);
}
