/* plan_check_parts: the checks of single members that those of entities, rules and views are made of. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "blueprint/decorate.h"
#include "blueprint/plan_check.h"

const char *const plan_check_numeric[] = {"integer", "decimal", "money", "minutes", "rating", NULL};
const char *const plan_check_functions[] = {"count", "sum", "avg", NULL};

int plan_check_fault(const struct checker *checker, const char *path, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *what = arena_vprintf(checker->arena, format, args);
    va_end(args);
    if (!*path)
        return err_set(checker->err, ERR_VALIDATION, "plan: %s", what);
    return err_field(checker->err, ERR_VALIDATION, path, "plan: %s: %s", path, what);
}

char *plan_check_path(const struct checker *checker, const char *path, const char *key) {
    return arena_printf(checker->arena, "%s%s%s", path, *path ? "." : "", key);
}

char *plan_check_item(const struct checker *checker, const char *path, const char *key, size_t index) {
    return arena_printf(checker->arena, "%s%s%s[%zu]", path, *path ? "." : "", key, index);
}

int plan_check_text(const struct checker *checker, const json_t *object, const char *path, const char *key) {
    const char *text = json_str(object, key, NULL);
    if (!text)
        return plan_check_fault(checker, plan_check_path(checker, path, key), "must be a text");
    if (!*text)
        return plan_check_fault(checker, plan_check_path(checker, path, key), "must not be empty");
    return 0;
}

static bool has_type(const json_t *value, json_type type) {
    if (type == JSON_TRUE)
        return json_is_boolean(value);
    if (type == JSON_REAL)
        return json_is_number(value);
    return json_typeof(value) == type;
}

int plan_check_optional(const struct checker *checker, const json_t *object, const char *path, const char *key,
                        json_type type) {
    const json_t *value = json_object_get(object, key);
    if (!value || has_type(value, type))
        return 0;
    return plan_check_fault(checker, plan_check_path(checker, path, key), "must be a %s",
                            type == JSON_TRUE      ? "boolean"
                            : type == JSON_REAL    ? "number"
                            : type == JSON_STRING  ? "text"
                            : type == JSON_INTEGER ? "whole number"
                            : type == JSON_ARRAY   ? "list"
                                                   : "object");
}

static int check_list(const struct checker *checker, const json_t *object, const char *path, const char *key,
                      json_type type, const char *what) {
    const json_t *list = json_object_get(object, key);
    if (!json_is_array(list) || json_array_size(list) > MOST_ITEMS)
        return plan_check_fault(checker, plan_check_path(checker, path, key), "must be a list of at most %d %s",
                                MOST_ITEMS, what);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_typeof(json_array_get(list, i)) != type)
            return plan_check_fault(checker, plan_check_item(checker, path, key, i), "is none of %s", what);
    return 0;
}

int plan_check_objects(const struct checker *checker, const json_t *object, const char *path, const char *key) {
    return check_list(checker, object, path, key, JSON_OBJECT, "objects");
}

int plan_check_texts(const struct checker *checker, const json_t *object, const char *path, const char *key) {
    return check_list(checker, object, path, key, JSON_STRING, "texts");
}

int plan_check_one_of(const struct checker *checker, const json_t *object, const char *path, const char *key,
                      const char *const *names) {
    const char *text = json_str(object, key, "");
    for (size_t i = 0; names[i]; i++)
        if (str_eq(names[i], text))
            return 0;
    return plan_check_fault(checker, plan_check_path(checker, path, key), "unknown value \"%s\"", text);
}

int plan_check_slug(const struct checker *checker, const json_t *object, const char *path, const char *key) {
    const char *slug = json_str(object, key, "");
    size_t len = strspn(slug, "abcdefghijklmnopqrstuvwxyz0123456789-");
    if (*slug && !slug[len] && len <= 100 && *slug != '-' && slug[len - 1] != '-' && !strstr(slug, "--"))
        return 0;
    return plan_check_fault(checker, plan_check_path(checker, path, key), "\"%s\" is not a slug", slug);
}

int plan_check_entity(const struct checker *checker, const json_t *object, const char *path, const char *key,
                      const json_t **out) {
    const char *slug = json_str(object, key, "");
    *out = view_find(checker->entities, "slug", slug);
    if (*out)
        return 0;
    return plan_check_fault(checker, plan_check_path(checker, path, key), "there is no entity \"%s\"", slug);
}

int plan_check_field(const struct checker *checker, const json_t *object, const char *path, const char *key,
                     const json_t *entity, const char *const *types, const json_t **out) {
    const char *name = json_str(object, key, "");
    const json_t *field = view_field(entity, name);
    const char *type = json_str(field, "type", "");
    if (!field)
        return plan_check_fault(checker, plan_check_path(checker, path, key), "%s has no field \"%s\"",
                                json_str(entity, "slug", ""), name);
    if (out)
        *out = field;
    for (size_t i = 0; types && types[i]; i++)
        if (str_eq(types[i], type))
            return 0;
    if (!types)
        return 0;
    return plan_check_fault(checker, plan_check_path(checker, path, key), "field \"%s\" of %s has the wrong type: %s",
                            name, json_str(entity, "slug", ""), type);
}

static bool has_option(const json_t *field, const json_t *value) {
    return view_find(json_object_get(field, "options"), "value", json_string_value(value));
}

int plan_check_where(const struct checker *checker, const json_t *object, const char *path, const json_t *entity) {
    const json_t *where = json_object_get(object, "where"), *values = json_object_get(where, "in"), *field = NULL;
    const char *at = plan_check_path(checker, path, "where");
    if (!where)
        return 0;
    int result = plan_check_field(checker, where, at, "field", entity, NULL, &field);
    if (result < 0)
        return result;
    if (json_array_size(values) == 0 || json_array_size(values) > MOST_ITEMS)
        return plan_check_fault(checker, plan_check_path(checker, at, "in"), "must be a list of values");
    for (size_t i = 0; i < json_array_size(values); i++) {
        const json_t *value = json_array_get(values, i);
        bool is_choice = str_eq(json_str(field, "type", NULL), "choice");
        if (is_choice ? !has_option(field, value)
                      : json_is_object(value) || json_is_array(value) || json_is_null(value))
            return plan_check_fault(checker, plan_check_item(checker, at, "in", i), "is no value of %s",
                                    json_str(field, "name", ""));
    }
    return 0;
}
