/* plan_check_entity: entities, their fields, and names that would clash in the generated code. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "blueprint/decorate.h"
#include "blueprint/field_type.h"
#include "blueprint/names.h"
#include "blueprint/plan_check.h"

/* Paths and tables of the app itself. */
static const char *const reserved[] = {"api",    "users",    "sessions",      "auth",       "sign-in", "sign-up",
                                       "search", "settings", "audit",         "dashboard",  "new",     "edit",
                                       "health", "tokens",   "notifications", "api-tokens", "files",   "migrations"};
static const char *const every_row_has[] = {"id", "createdAt", "updatedAt", "createdBy"};

static bool is_identifier(const char *name) {
    return *name >= 'a' && *name <= 'z' && strlen(name) <= 60 &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == strlen(name);
}

static bool is_among(const char *name, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (str_eq(names[i], name))
            return true;
    return false;
}

static int check_choice(const struct checker *checker, const json_t *field, const char *path) {
    static const char *const tones[] = {"neutral", "info", "success", "warning", "danger", NULL};
    const json_t *options = json_object_get(field, "options");
    const json_t *chosen = json_object_get(field, "default");
    int result = plan_check_objects(checker, field, path, "options");
    if (result == 0 && json_array_size(options) == 0)
        result = plan_check_fault(checker, plan_check_path(checker, path, "options"), "must not be empty");
    for (size_t i = 0; i < json_array_size(options) && result == 0; i++) {
        const json_t *option = json_array_get(options, i);
        const char *at = plan_check_item(checker, path, "options", i);
        if ((result = plan_check_text(checker, option, at, "value")) < 0 ||
            (result = plan_check_text(checker, option, at, "label")) < 0 ||
            (json_object_get(option, "tone") && (result = plan_check_one_of(checker, option, at, "tone", tones)) < 0))
            return result;
        if (view_find(options, "value", json_str(option, "value", NULL)) != option)
            result = plan_check_fault(checker, plan_check_path(checker, at, "value"), "is there twice");
    }
    if (result == 0 && chosen && !json_is_null(chosen) &&
        !view_find(options, "value", str_or(json_string_value(chosen), "")))
        result = plan_check_fault(checker, plan_check_path(checker, path, "default"), "is none of the options");
    return result;
}

/* A reference goes to an earlier entity or its own, so that tables can be made in order. */
static int check_reference(const struct checker *checker, const json_t *field, const json_t *entity, size_t index,
                           const char *path) {
    static const char *const effects[] = {"cascade", "clear", "restrict", NULL};
    const char *slug = json_str(field, "entity", "");
    const char *at = plan_check_path(checker, path, "entity");
    if (str_eq(slug, json_str(entity, "slug", NULL))) {
        if (json_flag(field, "required", false))
            return plan_check_fault(checker, at, "a required reference to its own entity leaves no way to a first row");
    } else {
        const json_t *target = view_find(checker->entities, "slug", slug);
        bool is_earlier = false;
        for (size_t i = 0; i < index && !is_earlier; i++)
            is_earlier = json_array_get(checker->entities, i) == target;
        if (!target)
            return plan_check_fault(checker, at, "there is no entity \"%s\"", slug);
        if (!is_earlier)
            return plan_check_fault(checker, at, "\"%s\" comes later", slug);
    }
    return json_object_get(field, "onDelete") ? plan_check_one_of(checker, field, path, "onDelete", effects) : 0;
}

static int check_default(const struct checker *checker, const json_t *field, const struct field_type *type,
                         const char *path) {
    const json_t *value = json_object_get(field, "default");
    bool fits = true;
    if (!value || json_is_null(value) || str_eq(type->name, "choice"))
        return 0;
    if (str_eq(type->name, "boolean"))
        fits = json_is_boolean(value);
    else if (str_eq(type->name, "tags"))
        fits = json_is_array(value);
    else if (type->groups & (FIELD_NUMERIC | FIELD_REFERENCE))
        fits = str_eq(type->name, "decimal") ? json_is_number(value) : json_is_integer(value);
    else
        fits = json_is_string(value);
    return fits ? 0
                : plan_check_fault(checker, plan_check_path(checker, path, "default"), "is no value of type %s",
                                   type->name);
}

static int check_limits(const struct checker *checker, const json_t *field, const struct field_type *type,
                        const char *path) {
    const json_t *min = json_object_get(field, "min"), *max = json_object_get(field, "max");
    int result = plan_check_optional(checker, field, path, "min", JSON_REAL);
    if (result == 0)
        result = plan_check_optional(checker, field, path, "max", JSON_REAL);
    if (result < 0)
        return result;
    if (min && max && json_number_value(min) > json_number_value(max))
        return plan_check_fault(checker, plan_check_path(checker, path, "max"), "is below min");
    if (max && !(type->groups & FIELD_NUMERIC) && (!json_is_integer(max) || json_integer_value(max) < 1))
        return plan_check_fault(checker, plan_check_path(checker, path, "max"), "must be a whole number from 1");
    return 0;
}

static int check_field_name(const struct checker *checker, const json_t *field, const json_t *entity,
                            const char *path) {
    const char *name = json_str(field, "name", ""), *column = name_snake(checker->arena, name);
    const json_t *fields = json_object_get(entity, "fields");
    const char *at = plan_check_path(checker, path, "name");
    if (!is_identifier(name))
        return plan_check_fault(checker, at, "\"%s\" is not a lowerCamelCase name", name);
    if (is_among(name, every_row_has, ARRAY_LEN(every_row_has)))
        return plan_check_fault(checker, at, "every row has \"%s\" already", name);
    for (size_t i = 0; i < json_array_size(fields) && json_array_get(fields, i) != field; i++) {
        const char *other = json_str(json_array_get(fields, i), "name", "");
        if (str_eq(name_snake(checker->arena, other), column))
            return plan_check_fault(checker, at, "\"%s\" is there twice", name);
    }
    if (str_ends(name, "Label")) {
        const char *base = arena_strndup(checker->arena, name, strlen(name) - strlen("Label"));
        const char *type = json_str(view_field(entity, base), "type", "");
        if (str_eq(type, "ref") || str_eq(type, "user"))
            return plan_check_fault(checker, at, "\"%s\" is the label of \"%s\"", name, base);
    }
    return 0;
}

static int check_one_field(const struct checker *checker, const json_t *entity, size_t index, const json_t *field,
                           const char *path) {
    const char *name = json_str(field, "type", "");
    const struct field_type *type = field_type_find(name);
    int result;
    if (!type)
        return plan_check_fault(checker, plan_check_path(checker, path, "type"), "unknown type \"%s\"", name);
    if ((result = check_field_name(checker, field, entity, path)) < 0 ||
        (result = plan_check_text(checker, field, path, "label")) < 0 ||
        (result = plan_check_optional(checker, field, path, "required", JSON_TRUE)) < 0 ||
        (result = plan_check_optional(checker, field, path, "unique", JSON_TRUE)) < 0 ||
        (result = plan_check_optional(checker, field, path, "help", JSON_STRING)) < 0 ||
        (result = check_limits(checker, field, type, path)) < 0 ||
        (result = check_default(checker, field, type, path)) < 0)
        return result;
    if (str_eq(name, "choice"))
        return check_choice(checker, field, path);
    if (str_eq(name, "ref"))
        return check_reference(checker, field, entity, index, path);
    if (str_eq(name, "user") && !json_flag(checker->capabilities, "auth", false))
        return plan_check_fault(checker, path, "a user field needs the capability auth");
    if (str_eq(name, "file") && !json_flag(checker->capabilities, "uploads", false))
        return plan_check_fault(checker, path, "a file field needs the capability uploads");
    return 0;
}

static int check_entity_names(const struct checker *checker, const json_t *entity, size_t index, const char *path) {
    const char *slug = json_str(entity, "slug", ""), *type = view_type_name(entity, checker->arena);
    int result = plan_check_slug(checker, entity, path, "slug");
    if (result < 0)
        return result;
    if (!*name_from_letter(slug))
        return plan_check_fault(checker, plan_check_path(checker, path, "slug"), "must have a letter");
    if (is_among(slug, reserved, ARRAY_LEN(reserved)))
        return plan_check_fault(checker, plan_check_path(checker, path, "slug"), "\"%s\" is reserved", slug);
    for (size_t i = 0; i < index; i++) {
        const json_t *other = json_array_get(checker->entities, i);
        if (str_eq(json_str(other, "slug", NULL), slug))
            return plan_check_fault(checker, plan_check_path(checker, path, "slug"), "\"%s\" is there twice", slug);
        if (str_eq(view_type_name(other, checker->arena), type))
            return plan_check_fault(checker, plan_check_path(checker, path, "name"), "\"%s\" is the name of %s, too",
                                    json_str(entity, "name", ""), json_str(other, "slug", ""));
    }
    return 0;
}

static int check_one_entity(const struct checker *checker, const json_t *entity, size_t index) {
    const char *path = plan_check_item(checker, "", "entities", index);
    const json_t *fields = json_object_get(entity, "fields");
    int result;
    if ((result = check_entity_names(checker, entity, index, path)) < 0 ||
        (result = plan_check_text(checker, entity, path, "name")) < 0 ||
        (result = plan_check_text(checker, entity, path, "plural")) < 0 ||
        (result = plan_check_optional(checker, entity, path, "summary", JSON_STRING)) < 0 ||
        (result = plan_check_objects(checker, entity, path, "fields")) < 0 ||
        (result = plan_check_objects(checker, entity, path, "rules")) < 0)
        return result;
    for (size_t i = 0; i < json_array_size(fields) && result == 0; i++)
        result = check_one_field(checker, entity, index, json_array_get(fields, i),
                                 plan_check_item(checker, path, "fields", i));
    if (result < 0)
        return result;
    return plan_check_field(checker, entity, path, "titleField", entity, NULL, NULL);
}

int plan_check_entities(const struct checker *checker) {
    int result = plan_check_objects(checker, checker->plan, "", "entities");
    if (result == 0 && json_array_size(checker->entities) == 0)
        result = plan_check_fault(checker, "entities", "must not be empty");
    for (size_t i = 0; i < json_array_size(checker->entities) && result == 0; i++)
        result = check_one_entity(checker, json_array_get(checker->entities, i), i);
    for (size_t i = 0; i < json_array_size(checker->entities) && result == 0; i++)
        result = plan_check_rules(checker, json_array_get(checker->entities, i),
                                  plan_check_item(checker, "", "entities", i));
    return result;
}
