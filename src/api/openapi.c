/* openapi: the OpenAPI 3.1 document, made from the route table, the schemas of the answers and what reference/ adds. */
#include "api/openapi.h"

#include <ctype.h>
#include <string.h>

#include "api/openapi_error.h"
#include "api/openapi_operation.h"
#include "api/openapi_schema.h"
#include "api/packed.h"
#include "base/arena.h"
#include "base/str.h"
#include "model/webhook.h"

#define SCHEMAS "schemas/"

static const char *const method_words[] = {
#define X(method, name) [method] = name,
    HTTP_METHOD_LIST(X)
#undef X
};

static int parse_packed(const struct packed_file *file, struct arena *arena, json_t **out, struct err *err) {
    int rc = json_parse(arena, file->data, file->len, out, err);
    return rc < 0 ? err_wrap(err, "%s", file->name) : 0;
}

static int load_named(const char *name, struct arena *arena, json_t **out, struct err *err) {
    for (const struct packed_file *file = packed_files; file->name; file++)
        if (str_eq(file->name, name))
            return parse_packed(file, arena, out, err);
    return err_set(err, ERR_INTERNAL, "%s is not compiled in", name);
}

static int add_schemas(json_t *schemas, struct arena *arena, struct err *err) {
    const char *name;
    json_t *schema;
    for (const struct packed_file *file = packed_files; file->name; file++) {
        json_t *all = NULL;
        if (!str_starts(file->name, SCHEMAS))
            continue;
        int rc = parse_packed(file, arena, &all, err);
        if (rc < 0)
            return rc;
        json_object_foreach (all, name, schema) {
            if (json_object_get(schemas, name))
                return err_set(err, ERR_INTERNAL, "%s: the schema %s is there twice", file->name, name);
            json_object_set(schemas, name, schema);
        }
    }
    return 0;
}

/* Members of addition into those of target; lists are joined, and a reference is replaced as a whole. */
static void merge(json_t *target, json_t *addition) {
    const char *name;
    json_t *value;
    json_object_foreach (addition, name, value) {
        json_t *there = json_object_get(target, name);
        if (json_is_object(there) && json_is_object(value) && !json_object_get(there, "$ref"))
            merge(there, value);
        else if (json_is_array(there) && json_is_array(value))
            json_array_extend(there, value);
        else
            json_object_set_new(target, name, json_deep_copy(value));
    }
}

static int add_operation(json_t *document, const struct api_route *route, json_t *additions, struct arena *arena,
                         struct err *err) {
    json_t *paths = json_object_get(document, "paths"), *parameters = json_own(arena, json_array());
    const json_t *schemas = json_object_get(json_object_get(document, "components"), "schemas");
    char method[16] = "";
    const char *path = operation_path(route->path, parameters, arena);
    if (!path)
        return err_set(err, ERR_INTERNAL, "%s has a parameter that api/openapi_schema.c does not know", route->path);
    if (!route->operation || !route->tag || !route->summary)
        return err_set(err, ERR_INTERNAL, "%s has no operation, tag or summary", route->path);
    if (route->answer && !json_object_get(schemas, route->answer))
        return err_set(err, ERR_INTERNAL, "%s answers %s, which has no schema", route->path, route->answer);
    json_t *item = json_object_get(paths, path);
    if (!item) {
        item = json_object();
        if (json_array_size(parameters) > 0)
            json_object_set(item, "parameters", parameters);
        json_object_set_new(paths, path, item);
    }
    for (size_t i = 0; method_words[route->method][i]; i++)
        method[i] = (char)tolower((unsigned char)method_words[route->method][i]);
    json_t *operation = operation_of(route, schemas), *addition = json_object_get(additions, route->operation);
    if (addition)
        merge(operation, addition);
    json_object_set_new(item, method, operation);
    return 0;
}

static void collect_references(json_t *value, json_t *found) {
    const char *name;
    size_t i;
    json_t *member;
    json_object_foreach (value, name, member) {
        if (str_eq(name, "$ref") && json_is_string(member))
            json_object_set_new(found, json_string_value(member), json_true());
        collect_references(member, found);
    }
    json_array_foreach (value, i, member)
        collect_references(member, found);
}

/* Of what code knows, only what the document refers to; what a file has is left to the linter. */
static void add_known(json_t *document, json_t *schemas, struct arena *arena) {
    json_t *known = json_own(arena, json_object()), *found = json_own(arena, json_object()), *schema;
    const char *name;
    schema_add_known(known);
    collect_references(document, found);
    json_object_foreach (known, name, schema)
        if (json_object_get(found, arena_printf(arena, "#/components/schemas/%s", name)))
            json_object_set(schemas, name, schema);
}

/* What webhooks are sent: a message for each thing that they are told, all of one shape. */
static json_t *messages(void) {
    static const struct {
        const char *name, *help;
    } headers[] = {
        {"webhook-id", "Of the message, over all attempts."},
        {"webhook-timestamp", "When this attempt was made, in Unix seconds."},
        {"webhook-signature", "One or more signatures with spaces between: `v1,` and the base64 of HMAC-SHA256 over "
                              "`id.timestamp.body`, by the secret of the webhook."},
    };
    static const char *const names[] = {
#define X(value, name) name,
        WEBHOOK_EVENT_LIST(X) WEBHOOK_PING
#undef X
    };
    json_t *all = json_object();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        json_t *parameters = json_array();
        for (size_t k = 0; k < sizeof headers / sizeof *headers; k++)
            json_array_append_new(parameters,
                                  json_pack("{s:s, s:s, s:b, s:s, s:{s:s}}", "name", headers[k].name, "in", "header",
                                            "required", 1, "description", headers[k].help, "schema", "type", "string"));
        json_object_set_new(
            all, names[i],
            json_pack("{s:{s:s, s:s, s:[s], s:[], s:o, s:{s:b, s:{s:{s:{s:s}}}}, s:{s:{s:s}, s:{s:s}}}}", "post",
                      "operationId", names[i], "summary", names[i], "tags", "Webhooks", "security", "parameters",
                      parameters, "requestBody", "required", 1, "content", "application/json", "schema", "$ref",
                      "#/components/schemas/Message", "responses", "2XX", "description",
                      "The message is taken; it is sent again after any other answer.", "410", "description",
                      "The webhook is disabled."));
    }
    return all;
}

/* Every addition must belong to an operation: a name that nobody has is a slip. */
static int check_additions(const json_t *additions, const struct api_route *routes, size_t count, struct err *err) {
    const char *name;
    json_t *addition;
    json_object_foreach ((json_t *)additions, name, addition) {
        bool is_known = false;
        for (size_t i = 0; i < count; i++)
            is_known = is_known || str_eq(routes[i].operation, name);
        if (!is_known)
            return err_set(err, ERR_INTERNAL, "reference/operations.json: there is no operation %s", name);
    }
    return 0;
}

int openapi_make(const struct api_route *routes, size_t count, struct arena *arena, json_t **out, struct err *err) {
    json_t *document = NULL, *additions = NULL;
    int rc = load_named("reference/document.json", arena, &document, err);
    if (rc == 0)
        rc = load_named("reference/operations.json", arena, &additions, err);
    if (rc == 0)
        rc = check_additions(additions, routes, count, err);
    if (rc < 0)
        return rc;
    json_t *components = json_object_get(document, "components"), *schemas = json_object_get(components, "schemas");
    json_object_set_new(json_object_get(document, "info"), "version", json_string(PRAZIUM_VERSION));
    error_add_responses(json_object_get(components, "responses"));
    rc = add_schemas(schemas, arena, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = add_operation(document, &routes[i], additions, arena, err);
    if (rc < 0)
        return rc;
    json_object_set_new(document, "webhooks", messages());
    add_known(document, schemas, arena);
    *out = document;
    return 0;
}
