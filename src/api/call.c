/* call: input and output of handlers. */
#include "api/call.h"

#include <stdio.h>
#include <string.h>

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

int call_body(struct api_call *call, bool is_optional, struct err *err) {
    size_t len;
    const char *data = http_request_body(call->request, &len);
    const char *type = http_request_header(call->request, "Content-Type");
    if (len == 0 && is_optional) {
        call->body = json_own(call->arena, json_object());
        return 0;
    }
    if (len == 0)
        return err_field(err, ERR_VALIDATION, "body", "A JSON body is required");
    if (!type || strncasecmp(type, "application/json", 16) != 0 || (type[16] && type[16] != ';' && type[16] != ' '))
        return err_set(err, ERR_MEDIA, "The body must be application/json");
    int rc = json_parse(call->arena, data, len, &call->body, err);
    if (rc < 0) {
        str_copy(err->field, sizeof err->field, "body");
        return rc;
    }
    if (!json_is_object(call->body))
        return err_field(err, ERR_VALIDATION, "body", "The body must be a JSON object");
    return 0;
}

static bool is_among(const char *name, const char *const *names) {
    for (; *names; names++)
        if (str_eq(name, *names))
            return true;
    return false;
}

void call_only(struct api_call *call, const char *const *names) {
    const char *key;
    json_t *value;
    json_object_foreach (call->body, key, value) {
        if (!is_among(key, names))
            call_fault(call, key, "%.60s is not a known field", key);
    }
}

int call_no_body(struct api_call *call, struct err *err) {
    int rc = call_body(call, true, err);
    if (rc < 0)
        return rc;
    call_only(call, (const char *const[]){NULL});
    return call_check(call, err);
}

const char *call_text(struct api_call *call, const char *field, const char *label, bool is_required, size_t max_len) {
    json_t *value = json_object_get(call->body, field);
    if (!value || json_is_null(value)) {
        if (is_required)
            call_fault(call, field, "%s is required", label);
        else if (value)
            call_fault(call, field, "%s must be a string", label);
        return NULL;
    }
    if (!json_is_string(value)) {
        call_fault(call, field, "%s must be a string", label);
        return NULL;
    }
    const char *text = str_trim(call->arena, json_string_value(value));
    if (!*text) {
        if (is_required)
            call_fault(call, field, "%s is required", label);
        else
            call_fault(call, field, "%s must not be empty", label);
        return NULL;
    }
    if (str_utf8_len(text) > max_len) {
        call_fault(call, field, "%s must be at most %zu characters", label, max_len);
        return NULL;
    }
    return text;
}

const char *call_word(struct api_call *call, const char *field, const char *const *words, const char *fallback) {
    json_t *value = json_object_get(call->body, field);
    const char *all = words[0];
    if (!value)
        return fallback;
    if (json_is_string(value) && is_among(json_string_value(value), words))
        return json_string_value(value);
    for (size_t i = 1; words[i]; i++)
        all = arena_printf(call->arena, "%s, %s", all, words[i]);
    call_fault(call, field, "%s must be one of: %s", field, all);
    return fallback;
}

const char *call_query(struct api_call *call, const char *name) {
    size_t times = 0;
    const char *value = http_request_query_param(call->request, name, &times);
    if (times > 1)
        call_fault(call, name, "%s must be given once", name);
    return value && *value ? value : NULL;
}

int64_t call_query_int(struct api_call *call, const char *name, int64_t fallback, int64_t min, int64_t max) {
    const char *text = call_query(call, name);
    int64_t value = fallback;
    if (text && !str_to_int(text, min, max, &value)) {
        if (max == INT32_MAX)
            call_fault(call, name, "%s must be a whole number from %lld", name, (long long)min);
        else
            call_fault(call, name, "%s must be a whole number from %lld to %lld", name, (long long)min, (long long)max);
    }
    return value;
}

void call_query_only(struct api_call *call, const char *const *names) {
    for (size_t i = 0; i < http_request_query_count(call->request); i++) {
        struct http_pair pair = http_request_query_at(call->request, i);
        if (!is_among(pair.name, names))
            call_fault(call, pair.name, "%.60s is not a known query parameter", pair.name);
    }
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

void reply_json(struct api_call *call, struct buf *out, int status) {
    http_reply_status(call->reply, status);
    http_reply_body_copy(call->reply, "application/json; charset=utf-8", out->data, out->len);
    buf_release(out);
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

void reply_page_end(struct api_call *call, struct buf *out, struct jw *jw, int64_t page, int64_t page_size,
                    int64_t total) {
    jw_key(jw, "pagination");
    jw_object(jw);
    jw_kint(jw, "page", page);
    jw_kint(jw, "pageSize", page_size);
    jw_kint(jw, "total", total);
    jw_kint(jw, "totalPages", (total + page_size - 1) / page_size);
    jw_object_end(jw);
    reply_data_end(call, out, jw, 200);
}

static void write_details(struct jw *jw, const struct api_call *call, const struct err *err) {
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
        if (str_eq(err->field, "provider")) {
            const char *const *names;
            size_t count = engine_providers(&names);
            jw_key(jw, "providers");
            jw_array(jw);
            for (size_t i = 0; i < count; i++)
                jw_str(jw, names[i]);
            jw_array_end(jw);
        }
    }
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
    write_details(&jw, call, err);
    jw_object_end(&jw);
    jw_object_end(&jw);
    http_reply_status(reply, status);
    http_reply_body_copy(reply, "application/json; charset=utf-8", out.data, out.len);
    buf_release(&out);
}
