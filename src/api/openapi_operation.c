/* openapi_operation: a row of the route table as an operation. */
#include "api/openapi_operation.h"

#include <stdio.h>
#include <string.h>

#include "api/openapi_error.h"
#include "api/openapi_schema.h"
#include "api/replay.h"
#include "base/arena.h"
#include "base/str.h"

const char *operation_path(const char *path, json_t *parameters, struct arena *arena) {
    const char *shown = "";
    while (*path) {
        size_t len = strcspn(path, ":*");
        shown = arena_printf(arena, "%s%.*s", shown, (int)len, path);
        path += len;
        if (!*path)
            break;
        len = strcspn(path, "/");
        const struct path_parameter *parameter = schema_path_parameter(path + 1, len - 1);
        if (!parameter)
            return NULL;
        shown = arena_printf(arena, "%s{%s}", shown, parameter->shown);
        json_array_append_new(parameters, json_pack("{s:s, s:s, s:b, s:o, s:o}", "name", parameter->shown, "in", "path",
                                                    "required", 1, "description", schema_sentence(parameter->help),
                                                    "schema", schema_of_path_parameter(parameter)));
        path += len;
    }
    return shown;
}

static json_t *component(const char *kind, const char *name) {
    return json_pack("{s:o}", "$ref", json_sprintf("#/components/%s/%s", kind, name));
}

static json_t *query_parameter(const struct api_field *field) {
    json_t *schema = schema_of_field(field), *parameter = json_pack("{s:s, s:s}", "name", field->name, "in", "query");
    /* At the parameter, where readers look for them. */
    static const char *const moved[] = {"description"};
    for (size_t i = 0; i < sizeof moved / sizeof *moved; i++) {
        json_t *value = json_object_get(schema, moved[i]);
        if (value)
            json_object_set(parameter, moved[i], value);
        json_object_del(schema, moved[i]);
    }
    if (field->is_required)
        json_object_set_new(parameter, "required", json_true());
    json_object_set_new(parameter, "schema", schema);
    return parameter;
}

static json_t *parameters_of(const struct api_route *route) {
    json_t *parameters = json_array();
    for (const struct api_field *field = route->query; field && field->name; field++)
        json_array_append_new(parameters, query_parameter(field));
    if (replay_is_for(route))
        json_array_append_new(parameters, component("parameters", "IdempotencyKey"));
    if (route->has_ranges) {
        json_array_append_new(parameters, component("parameters", "Range"));
        json_array_append_new(parameters, component("parameters", "IfRange"));
        json_array_append_new(parameters, component("parameters", "IfNoneMatch"));
    }
    return parameters;
}

/* A method that has a body takes an empty object where there is nothing to say. */
static bool has_body(const struct api_route *route) {
    bool is_usual = route->method == HTTP_POST || route->method == HTTP_PUT || route->method == HTTP_PATCH;
    return !route->is_raw && (route->body || is_usual);
}

static json_t *request_body_of(const struct api_route *route) {
    static const struct api_field none[] = {{0}};
    bool is_required = route->body && !route->is_body_optional;
    const struct api_field *members = route->body ? route->body : none;
    json_t *media = json_pack("{s:o}", "schema", schema_of_members(members)), *example = schema_example(members);
    if (example)
        json_object_set_new(media, "example", example);
    return json_pack("{s:b, s:{s:o}}", "required", is_required, "content", "application/json", media);
}

static json_t *pagination_example(const json_t *schemas) {
    const json_t *schema = json_object_get(schemas, "Pagination");
    return json_deep_copy(json_array_get(json_object_get(schema, "examples"), 0));
}

/* The example of the answer's schema in its envelope, or NULL. */
static json_t *answer_example(const struct api_route *route, const json_t *schemas) {
    json_t *data =
        json_deep_copy(json_array_get(json_object_get(json_object_get(schemas, route->answer), "examples"), 0));
    if (!data || route->is_bare)
        return data;
    if (route->is_list || route->has_pages)
        data = json_pack("[o]", data);
    json_t *example = json_pack("{s:b, s:o}", "success", 1, "data", data);
    if (route->has_pages)
        json_object_set_new(example, "pagination", pagination_example(schemas));
    return example;
}

static json_t *answer_schema(const struct api_route *route) {
    json_t *data = schema_ref(route->answer);
    if (route->is_list || route->has_pages)
        data = json_pack("{s:s, s:o}", "type", "array", "items", data);
    if (route->is_bare)
        return data;
    json_t *required = json_pack("[s, s]", "success", "data"),
           *properties = json_pack("{s:{s:b}, s:o}", "success", "const", 1, "data", data);
    if (route->has_pages) {
        json_array_append_new(required, json_string("pagination"));
        json_object_set_new(properties, "pagination", schema_ref("Pagination"));
    }
    return json_pack("{s:s, s:o, s:o}", "type", "object", "required", required, "properties", properties);
}

/* The media types of a success; NULL when it has no body. */
static json_t *content_of(const struct api_route *route, const json_t *schemas) {
    if (route->answer) {
        json_t *media = json_pack("{s:o}", "schema", answer_schema(route)), *example = answer_example(route, schemas);
        if (example)
            json_object_set_new(media, "example", example);
        return json_pack("{s:o}", str_or(route->media, "application/json"), media);
    }
    if (!route->media)
        return NULL;
    json_t *schema = json_pack("{s:s}", "type", "string");
    if (!str_starts(route->media, "text/"))
        json_object_set_new(schema, "format", json_string("binary"));
    return json_pack("{s:{s:o}}", route->media, "schema", schema);
}

static const char *success_text(int status) {
    switch (status) {
    case 101:
        return "The connection is a WebSocket from here on.";
    case 201:
        return "It is made.";
    case 202:
        return "It is begun.";
    case 204:
        return "It is done.";
    case 206:
        return "The range of it.";
    default:
        return "The answer.";
    }
}

static json_t *success_of(const struct api_route *route, int status, const json_t *schemas) {
    json_t *headers = error_headers(), *content = content_of(route, schemas);
    if (route->has_ranges) {
        json_object_set_new(headers, "ETag", component("headers", "ETag"));
        json_object_set_new(headers, "Accept-Ranges", component("headers", "AcceptRanges"));
    }
    if (replay_is_for(route))
        json_object_set_new(headers, "Idempotent-Replayed", component("headers", "IdempotentReplayed"));
    if (status == 206)
        json_object_set_new(headers, "Content-Range", component("headers", "ContentRange"));
    json_t *response = json_pack("{s:s, s:o}", "description", success_text(status), "headers", headers);
    if (content)
        json_object_set_new(response, "content", content);
    return response;
}

static json_t *responses_of(const struct api_route *route, const json_t *schemas) {
    json_t *responses = json_object();
    char status[16];
    int wanted = route->status ? route->status : 200;
    snprintf(status, sizeof status, "%d", wanted);
    json_object_set_new(responses, status, success_of(route, wanted, schemas));
    if (route->has_ranges) {
        json_object_set_new(responses, "206", success_of(route, 206, schemas));
        json_object_set_new(responses, "304",
                            json_pack("{s:s, s:{s:o}}", "description", "It is what it was.", "headers", "ETag",
                                      component("headers", "ETag")));
    }
    error_add_to(responses, route);
    return responses;
}

/* One of the list will do; {} is nobody in particular. */
static json_t *security_of(const struct api_route *route) {
    if (route->role == ROLE_ANYONE && !route->may_identify)
        return json_array();
    json_t *list = json_pack("[{s:[]}, {s:[]}]", "key", "session");
    if (route->takes_basic)
        json_array_append_new(list, json_pack("{s:[]}", "password"));
    if (route->is_open_locally || route->may_identify)
        json_array_append_new(list, json_object());
    return list;
}

json_t *operation_of(const struct api_route *route, const json_t *schemas) {
    json_t *operation =
        json_pack("{s:s, s:[s], s:s}", "operationId", route->operation, "tags", route->tag, "summary", route->summary);
    if (route->notes || route->role == ROLE_ADMIN)
        json_object_set_new(
            operation, "description",
            json_sprintf("%s%s", str_or(route->notes, ""), route->role == ROLE_ADMIN ? "\n\nFor administrators." : ""));
    json_object_set_new(operation, "security", security_of(route));
    json_object_set_new(operation, "parameters", parameters_of(route));
    if (has_body(route))
        json_object_set_new(operation, "requestBody", request_body_of(route));
    json_object_set_new(operation, "responses", responses_of(route, schemas));
    return operation;
}
