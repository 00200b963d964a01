/* input: what a request brought, checked against its row of the route table. */
#include "api/input.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

static const struct api_field none[] = {{0}};

static const struct api_field *field_named(const struct api_field *fields, const char *name) {
    for (; fields->name; fields++)
        if (str_eq(fields->name, name))
            return fields;
    return NULL;
}

static bool is_among(const char *text, const char *const *words) {
    for (; *words; words++)
        if (str_eq(text, *words))
            return true;
    return false;
}

static void fault_word(struct api_call *call, const char *path, const char *label, const char *const *words) {
    const char *all = words[0];
    for (size_t i = 1; words[i]; i++)
        all = arena_printf(call->arena, "%s, %s", all, words[i]);
    call_fault(call, path, "%s must be one of: %s", label, all);
}

static void fault_range(struct api_call *call, const char *path, const char *label, const struct api_field *field) {
    if (field->max == 0 || field->max == INT32_MAX)
        call_fault(call, path, "%s must be a whole number from %lld", label, (long long)field->min);
    else
        call_fault(call, path, "%s must be a whole number from %lld to %lld", label, (long long)field->min,
                   (long long)field->max);
}

/* The text as the handler gets it, or NULL with a fault. */
static const char *check_text(struct api_call *call, const struct api_field *field, const char *path, const char *label,
                              const char *text) {
    char *id;
    int64_t time_ms;
    switch (field->kind) {
    case FIELD_WORD:
        if (is_among(text, field->words))
            return text;
        fault_word(call, path, label, field->words);
        return NULL;
    case FIELD_ID:
        id = arena_alloc(call->arena, ID_LEN);
        if (id_parse(id, text, field->prefix))
            return id;
        call_fault(call, path, "%s must be an id such as %s_01m85s4trxebzrmzwnxs1eg5p2", label, field->prefix);
        return NULL;
    case FIELD_TIME:
        if (clock_parse_iso(text, &time_ms))
            return text;
        call_fault(call, path, "%s must be an ISO 8601 time, such as 2024-01-15T11:30:00Z", label);
        return NULL;
    case FIELD_TEXT:
    case FIELD_INT:
    case FIELD_USD:
    case FIELD_BOOL:
    case FIELD_LIST:
    case FIELD_OBJECT:
    case FIELD_MAP:
    case FIELD_ANY:
        break;
    }
    if (!field->is_verbatim)
        text = str_trim(call->arena, text);
    size_t len = str_utf8_len(text);
    if (len == 0 && !field->is_empty_fine)
        call_fault(call, path, field->is_required ? "%s is required" : "%s must not be empty", label);
    else if (field->max && len > (size_t)field->max)
        call_fault(call, path, "%s must be at most %lld characters", label, (long long)field->max);
    else if (len < (size_t)field->min)
        call_fault(call, path, "%s must be at least %lld characters", label, (long long)field->min);
    else
        return text;
    return NULL;
}

static void check_members(struct api_call *call, json_t *object, const struct api_field *fields, const char *before);
static void check_value(struct api_call *call, json_t *object, const struct api_field *field, const char *path,
                        json_t *value);

static void check_list(struct api_call *call, const struct api_field *field, const char *path, const char *label,
                       json_t *list) {
    static const struct api_field item = {.kind = FIELD_TEXT, .max = FIELD_ITEM_TEXT_MAX};
    struct api_field word = {.kind = FIELD_WORD, .words = field->words};
    size_t len = json_array_size(list), max = field->max ? (size_t)field->max : FIELD_ITEMS_MAX;
    if (len < (size_t)field->min || len > max) {
        call_fault(call, path, "%s must have from %lld to %zu items", label, (long long)field->min, max);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        json_t *value = json_array_get(list, i);
        const char *at = arena_printf(call->arena, "%s[%zu]", path, i);
        if (field->members && json_is_object(value))
            check_members(call, value, field->members, arena_printf(call->arena, "%s.", at));
        else if (field->members)
            call_fault(call, at, "%s must be an object", at);
        else if (!json_is_string(value))
            call_fault(call, at, "%s must be a string", at);
        else
            (void)check_text(call, field->words ? &word : &item, at, at, json_string_value(value));
    }
}

/* Names are data here, and go into messages cut. */
static void check_map(struct api_call *call, const struct api_field *field, const char *path, const char *label,
                      json_t *map) {
    const char *key;
    json_t *value;
    void *next;
    if (json_object_size(map) > (size_t)field->max) {
        call_fault(call, path, "%s must have at most %lld members", label, (long long)field->max);
        return;
    }
    json_object_foreach_safe(map, next, key, value) {
        struct api_field item = *field->members;
        item.name = key;
        check_value(call, map, &item, arena_printf(call->arena, "%s.%.60s", path, key), value);
    }
}

static const char *type_name(enum field_kind kind) {
    switch (kind) {
    case FIELD_INT:
        return "a whole number";
    case FIELD_USD:
        return "a number";
    case FIELD_BOOL:
        return "true or false";
    case FIELD_LIST:
        return "an array";
    case FIELD_OBJECT:
    case FIELD_MAP:
        return "an object";
    case FIELD_TEXT:
    case FIELD_WORD:
    case FIELD_TIME:
    case FIELD_ID:
    case FIELD_ANY:
        break;
    }
    return "a string";
}

static bool has_type(const json_t *value, enum field_kind kind) {
    switch (kind) {
    case FIELD_INT:
        return json_is_integer(value);
    case FIELD_USD:
        return json_is_number(value);
    case FIELD_BOOL:
        return json_is_boolean(value);
    case FIELD_LIST:
        return json_is_array(value);
    case FIELD_OBJECT:
    case FIELD_MAP:
        return json_is_object(value);
    case FIELD_ANY:
        return true;
    case FIELD_TEXT:
    case FIELD_WORD:
    case FIELD_TIME:
    case FIELD_ID:
        break;
    }
    return json_is_string(value);
}

/* What is left of millionths beyond what the number's own precision explains are further decimals. */
static void check_usd(struct api_call *call, const struct api_field *field, const char *path, const char *label,
                      double dollars) {
    double micros = dollars * 1e6;
    if (!(dollars >= 0) || dollars > (double)field->max)
        call_fault(call, path, "%s must be from 0 to %lld", label, (long long)field->max);
    else if (fabs(micros - (double)(int64_t)(micros + 0.5)) > micros * 4 * DBL_EPSILON)
        call_fault(call, path, "%s must have at most 6 decimals", label);
}

static void check_value(struct api_call *call, json_t *object, const struct api_field *field, const char *path,
                        json_t *value) {
    const char *label = str_or(field->label, path);
    const char *text;
    if (field->takes_one && json_is_object(value)) {
        json_t *list = json_pack("[O]", value);
        json_object_set_new(object, field->name, list);
        value = list;
    }
    if (!has_type(value, field->kind)) {
        if (json_is_null(value) && field->is_required)
            call_fault(call, path, "%s is required", label);
        else if (!json_is_null(value) || !field->is_nullable)
            call_fault(call, path, "%s must be %s", label, type_name(field->kind));
        return;
    }
    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_WORD:
    case FIELD_TIME:
    case FIELD_ID:
        text = check_text(call, field, path, label, json_string_value(value));
        if (text && !str_eq(text, json_string_value(value)))
            json_object_set_new(object, field->name, json_string(text));
        return;
    case FIELD_INT:
        if (json_integer_value(value) < field->min || (field->max && json_integer_value(value) > field->max))
            fault_range(call, path, label, field);
        return;
    case FIELD_USD:
        check_usd(call, field, path, label, json_number_value(value));
        return;
    case FIELD_LIST:
        check_list(call, field, path, label, value);
        return;
    case FIELD_OBJECT:
        check_members(call, value, field->members, arena_printf(call->arena, "%s.", path));
        return;
    case FIELD_MAP:
        check_map(call, field, path, label, value);
        return;
    case FIELD_BOOL:
    case FIELD_ANY:
        return;
    }
}

static void check_members(struct api_call *call, json_t *object, const struct api_field *fields, const char *before) {
    const char *key;
    json_t *value;
    json_object_foreach (object, key, value)
        if (!field_named(fields, key))
            call_fault(call, arena_printf(call->arena, "%s%s", before, key), "%s%.60s is not a known field", before,
                       key);
    for (; fields->name; fields++) {
        const char *path = arena_printf(call->arena, "%s%s", before, fields->name);
        value = json_object_get(object, fields->name);
        if (value)
            check_value(call, object, fields, path, value);
        else if (fields->is_required)
            call_fault(call, path, "%s is required", str_or(fields->label, path));
    }
}

void input_check_members(struct api_call *call, json_t *object, const struct api_field *fields) {
    check_members(call, object, fields, "");
}

static bool is_json(const char *type) {
    static const char name[] = "application/json";
    size_t len = sizeof name - 1;
    return type && strncasecmp(type, name, len) == 0 && (!type[len] || type[len] == ';' || type[len] == ' ');
}

static int check_body(struct api_call *call, struct err *err) {
    const struct api_route *route = call->route;
    size_t len;
    const char *data = http_request_body(call->request, &len);
    struct err fault = {0};
    call->body = json_own(call->arena, json_object());
    if (len == 0) {
        if (route->body && !route->is_body_optional)
            call_fault(call, "body", "A JSON body is required");
        return 0;
    }
    if (!is_json(http_request_header(call->request, "Content-Type")))
        return err_set(err, ERR_MEDIA, "The body must be application/json");
    json_t *body = NULL;
    if (json_parse(call->arena, data, len, &body, &fault) < 0)
        call_fault(call, fault.field[0] ? fault.field : "body", "%s", fault.message);
    else if (!json_is_object(body))
        call_fault(call, "body", "The body must be a JSON object");
    else
        check_members(call, call->body = body, route->body ? route->body : none, "");
    return 0;
}

static void check_query(struct api_call *call) {
    const struct api_field *fields = call->route->query ? call->route->query : none;
    for (size_t i = 0; i < http_request_query_count(call->request); i++) {
        struct http_pair pair = http_request_query_at(call->request, i);
        if (!field_named(fields, pair.name))
            call_fault(call, pair.name, "%.60s is not a known query parameter", pair.name);
    }
    for (; fields->name; fields++) {
        const char *text = call_query(call, fields->name), *label = str_or(fields->label, fields->name);
        size_t times = 0;
        int64_t number;
        (void)http_request_query_param(call->request, fields->name, &times);
        if (times > 1)
            call_fault(call, fields->name, "%s must be given once", label);
        else if (!text && fields->is_required)
            call_fault(call, fields->name, "%s is required", label);
        if (!text || times > 1)
            continue;
        if (fields->kind == FIELD_INT) {
            if (!str_to_int(text, fields->min, fields->max ? fields->max : INT64_MAX, &number))
                fault_range(call, fields->name, label, fields);
        } else if (fields->kind == FIELD_BOOL) {
            if (!str_eq(text, "true") && !str_eq(text, "false"))
                call_fault(call, fields->name, "%s must be true or false", label);
        } else {
            (void)check_text(call, fields, fields->name, label, text);
        }
    }
}

int input_check(struct api_call *call, struct err *err) {
    enum http_method method = http_request_method(call->request);
    int rc = 0;
    check_query(call);
    /* A body that comes with a GET or DELETE means nothing (RFC 9110, 9.3.1, 9.3.5). */
    if (!call->route->is_raw && method != HTTP_GET && method != HTTP_HEAD && method != HTTP_DELETE)
        rc = check_body(call, err);
    return rc < 0 ? rc : call_check(call, err);
}
