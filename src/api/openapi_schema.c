/* openapi_schema: JSON Schemas of what comes in, and the ones that the states and ids of the model give. */
#include "api/openapi_schema.h"

#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "model/states.h"

/* Crockford's base32 without a first digit beyond 128 bits; or the id's UUID form. */
#define ID_PATTERN "^(%s_[0-7][0-9a-hjkmnp-tv-z]{25}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$"

/* Sorted by name. */
static const struct path_parameter path_parameters[] = {
    {"account", "accountId", "AccountId", "acct", false, "the account"},
    {"delivery", "deliveryId", "DeliveryId", "msg", false, "the delivery"},
    {"deployment", "deploymentId", "DeploymentId", "dep", false, "the deployment"},
    {"export", "exportId", "ExportId", "exp", false, "the export"},
    {"key", "keyId", "KeyId", "key", false, "the key"},
    {"path", "path", NULL, NULL, false, "a path in the repository; its slashes may be written as such or as %2F"},
    {"project", "projectId", "ProjectId", "proj", false, "the project"},
    {"run", "runId", "RunId", "run", false, "the run"},
    {"task", "taskId", "TaskId", "task", false, "the task"},
    {"user", "userId", "UserId", "user", false, "the user"},
    {"version", "version", NULL, NULL, true, "the version of the spec"},
    {"webhook", "webhookId", "WebhookId", "hook", false, "the webhook"},
};

/* Ids that are in answers alone. */
static const struct path_parameter other_ids[] = {
    {NULL, NULL, "EventId", "evt", false, "an event"},
};

#define NAME(value, name) name,
#define ERR_NAME(code, name, http, exit) name,
static const struct {
    const char *name, *help;
    const char *const *words;
} word_schemas[] = {
    {"ProjectStatus",
     "`draft` → `clarifying` → `spec_review` → `approved` → `building` → `built` or `failed`; `archived`",
     (const char *const[]){PROJECT_STATE_LIST(NAME) NULL}},
    {"RunStatus",
     "`queued` → `decomposing` → `executing` → `verifying` → `succeeded`, `failed` or `cancelled`; `waiting`, for "
     "money or "
     "a provider's quota, and back",
     (const char *const[]){RUN_STATE_LIST(NAME) NULL}},
    {"TaskStatus", "`pending` → `running` → `succeeded`, `failed`, `cancelled` or `skipped`",
     (const char *const[]){TASK_STATE_LIST(NAME) NULL}},
    {"ExportStatus", "`processing` → `completed` or `failed`; later `expired`",
     (const char *const[]){EXPORT_STATE_LIST(NAME) NULL}},
    {"DeploymentStatus", "`deploying` → `live` or `failed`; later `stopped`",
     (const char *const[]){DEPLOYMENT_STATE_LIST(NAME) NULL}},
    {"DeliveryStatus", "`pending` → `delivered` or `failed`", (const char *const[]){DELIVERY_STATE_LIST(NAME) NULL}},
    {"WebhookEvent", "what a webhook is told of", (const char *const[]){WEBHOOK_EVENT_LIST(NAME) NULL}},
    {"EventType", "what an event tells", (const char *const[]){EVENT_TYPE_LIST(NAME) NULL}},
    {"ErrorCode", "for programs", (const char *const[]){ERR_LIST(ERR_NAME) NULL}},
};
#undef NAME
#undef ERR_NAME

json_t *schema_ref(const char *name) {
    return json_pack("{s:o}", "$ref", json_sprintf("#/components/schemas/%s", name));
}

json_t *schema_sentence(const char *text) {
    size_t len = strlen(text);
    bool is_ended = len > 0 && strchr(".:", text[len - 1]) != NULL;
    CLEANUP(mem_freep) char *sentence = mem_printf("%s%s", text, is_ended ? "" : ".");
    sentence[0] = (char)toupper((unsigned char)sentence[0]);
    return json_string(sentence);
}

/* Words as an enum, each once: several errors share a name. */
static json_t *enum_of(const char *const *words) {
    json_t *list = json_array();
    for (size_t i = 0; words[i]; i++) {
        bool is_new = true;
        for (size_t k = 0; k < i; k++)
            is_new = is_new && !str_eq(words[i], words[k]);
        if (is_new)
            json_array_append_new(list, json_string(words[i]));
    }
    return list;
}

static void set_type(json_t *schema, const struct api_field *field, const char *type) {
    json_object_set_new(schema, "type", field->is_nullable ? json_pack("[s, s]", type, "null") : json_string(type));
}

static void set_int(json_t *schema, const char *name, int64_t value) {
    json_object_set_new(schema, name, json_integer(value));
}

static void describe_text(json_t *schema, const struct api_field *field) {
    set_type(schema, field, "string");
    if (!field->is_empty_fine)
        set_int(schema, "minLength", field->min > 1 ? field->min : 1);
    if (field->max)
        set_int(schema, "maxLength", field->max);
    /* What is nothing but white space is empty once it is trimmed. */
    if (!field->is_verbatim && !field->is_empty_fine)
        json_object_set_new(schema, "pattern", json_string("\\S"));
}

static json_t *items_of(const struct api_field *field) {
    if (field->members)
        return schema_of_members(field->members);
    static const struct api_field text = {.kind = FIELD_TEXT, .max = FIELD_ITEM_TEXT_MAX};
    struct api_field word = {.kind = FIELD_WORD, .words = field->words};
    return schema_of_field(field->words ? &word : &text);
}

static void describe_list(json_t *schema, const struct api_field *field) {
    set_type(schema, field, "array");
    if (field->min)
        set_int(schema, "minItems", field->min);
    set_int(schema, "maxItems", field->max ? field->max : FIELD_ITEMS_MAX);
    json_object_set_new(schema, "items", items_of(field));
    if (!field->takes_one)
        return;
    json_t *list = json_copy(schema), *choices = json_pack("[o, o]", items_of(field), list);
    json_object_clear(schema);
    json_object_set_new(schema, "anyOf", choices);
}

static void describe_kind(json_t *schema, const struct api_field *field) {
    switch (field->kind) {
    case FIELD_TEXT:
        describe_text(schema, field);
        return;
    case FIELD_INT:
        set_type(schema, field, "integer");
        set_int(schema, "minimum", field->min);
        if (field->max)
            set_int(schema, "maximum", field->max);
        return;
    case FIELD_USD:
        set_type(schema, field, "number");
        set_int(schema, "minimum", 0);
        set_int(schema, "maximum", field->max);
        return;
    case FIELD_BOOL:
        set_type(schema, field, "boolean");
        return;
    case FIELD_WORD:
        set_type(schema, field, "string");
        json_object_set_new(schema, "enum", enum_of(field->words));
        if (field->is_nullable)
            json_array_append_new(json_object_get(schema, "enum"), json_null());
        return;
    case FIELD_TIME:
        set_type(schema, field, "string");
        json_object_set_new(schema, "format", json_string("date-time"));
        return;
    case FIELD_ID:
        set_type(schema, field, "string");
        json_object_set_new(schema, "pattern", json_sprintf(ID_PATTERN, field->prefix));
        return;
    case FIELD_LIST:
        describe_list(schema, field);
        return;
    case FIELD_OBJECT:
        json_object_update_new(schema, schema_of_members(field->members));
        set_type(schema, field, "object");
        return;
    case FIELD_MAP:
        set_type(schema, field, "object");
        set_int(schema, "maxProperties", field->max);
        json_object_set_new(schema, "additionalProperties", schema_of_field(field->members));
        return;
    case FIELD_ANY:
        return;
    }
}

static json_t *fallback_of(const struct api_field *field) {
    int64_t number = 0;
    if (field->kind == FIELD_INT && str_to_int(field->fallback, INT64_MIN, INT64_MAX, &number))
        return json_integer(number);
    if (field->kind == FIELD_BOOL)
        return json_boolean(str_eq(field->fallback, "true"));
    return json_string(field->fallback);
}

json_t *schema_of_field(const struct api_field *field) {
    json_t *schema = json_object();
    describe_kind(schema, field);
    if (field->fallback)
        json_object_set_new(schema, "default", fallback_of(field));
    if (field->help)
        json_object_set_new(schema, "description", schema_sentence(field->help));
    json_t *example = field->example ? schema_field_example(field) : NULL;
    if (example)
        json_object_set_new(schema, "examples", json_pack("[o]", example));
    return schema;
}

json_t *schema_of_members(const struct api_field *members) {
    json_t *schema = json_pack("{s:s}", "type", "object"), *required = json_array(), *properties = json_object();
    for (; members->name; members++) {
        json_object_set_new(properties, members->name, schema_of_field(members));
        if (members->is_required)
            json_array_append_new(required, json_string(members->name));
    }
    if (json_array_size(required) > 0)
        json_object_set(schema, "required", required);
    json_decref(required);
    json_object_set_new(schema, "properties", properties);
    json_object_set_new(schema, "additionalProperties", json_false());
    return schema;
}

json_t *schema_field_example(const struct api_field *field) {
    if (field->example)
        return json_loads(field->example, JSON_DECODE_ANY, NULL);
    if (field->kind == FIELD_WORD && field->is_required)
        return json_string(field->words[0]);
    json_t *inner = field->members ? schema_example(field->members) : NULL;
    return inner && field->kind == FIELD_LIST ? json_pack("[o]", inner) : inner;
}

json_t *schema_example(const struct api_field *members) {
    json_t *example = json_object();
    for (; members->name; members++) {
        json_t *value = schema_field_example(members);
        if (value)
            json_object_set_new(example, members->name, value);
    }
    if (json_object_size(example) > 0)
        return example;
    json_decref(example);
    return NULL;
}

const struct path_parameter *schema_path_parameter(const char *name, size_t len) {
    for (size_t i = 0; i < ARRAY_LEN(path_parameters); i++)
        if (strlen(path_parameters[i].name) == len && memcmp(path_parameters[i].name, name, len) == 0)
            return &path_parameters[i];
    return NULL;
}

json_t *schema_of_path_parameter(const struct path_parameter *parameter) {
    if (parameter->prefix)
        return schema_ref(parameter->schema);
    return parameter->is_number ? json_pack("{s:s, s:i}", "type", "integer", "minimum", 1)
                                : json_pack("{s:s, s:i}", "type", "string", "minLength", 1);
}

static void add_id(json_t *schemas, const struct path_parameter *id) {
    if (!id->prefix)
        return;
    json_t *example = json_pack("[o]", json_sprintf("%s_01m85s4trxebzrmzwnxs1eg5p2", id->prefix));
    json_object_set_new(schemas, id->schema,
                        json_pack("{s:s, s:o, s:o, s:o}", "type", "string", "pattern",
                                  json_sprintf(ID_PATTERN, id->prefix), "description",
                                  json_sprintf("The id of %s: a TypeID. Its UUID form is accepted.", id->help),
                                  "examples", example));
}

void schema_add_known(json_t *schemas) {
    for (size_t i = 0; i < ARRAY_LEN(word_schemas); i++)
        json_object_set_new(schemas, word_schemas[i].name,
                            json_pack("{s:s, s:o, s:o}", "type", "string", "description",
                                      schema_sentence(word_schemas[i].help), "enum", enum_of(word_schemas[i].words)));
    for (size_t i = 0; i < ARRAY_LEN(path_parameters); i++)
        add_id(schemas, &path_parameters[i]);
    for (size_t i = 0; i < ARRAY_LEN(other_ids); i++)
        add_id(schemas, &other_ids[i]);
}
