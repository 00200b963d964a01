/* feature_check: a feature file from its top to its criteria. */
#include "blueprint/feature_check.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

static const struct shape words[] = {
    {.key = "strong", .type = SHAPE_TEXTS},
    {.key = "weak", .type = SHAPE_TEXTS},
    {.key = "not", .type = SHAPE_TEXTS},
    {.key = NULL},
};

static const struct shape settings[] = {
    {.key = "currency", .type = SHAPE_TEXT},
    {.key = "weekStart", .type = SHAPE_TEXT},
    {.key = "theme", .type = SHAPE_TEXT},
    {.key = NULL},
};

static const struct shape request[] = {
    {.key = "method", .type = SHAPE_TEXT, .is_required = true},
    {.key = "path", .type = SHAPE_TEXT, .is_required = true},
    {.key = "json", .type = SHAPE_ANY},
    {.key = "text", .type = SHAPE_ANY},
    {.key = "contentType", .type = SHAPE_TEXT},
    {.key = "file", .type = SHAPE_MAP},
    {.key = "headers", .type = SHAPE_MAP},
    {.key = NULL},
};

static const struct shape expect[] = {
    {.key = "status", .type = SHAPE_WHOLE, .min = 100, .max = 599},
    {.key = "json", .type = SHAPE_MAP},
    {.key = "contains", .type = SHAPE_TEXTS},
    {.key = "absent", .type = SHAPE_TEXTS},
    {.key = "header", .type = SHAPE_MAP},
    {.key = "min", .type = SHAPE_MAP},
    {.key = NULL},
};

static const struct shape step[] = {
    {.key = "note", .type = SHAPE_TEXT, .is_required = true},
    {.key = "as", .type = SHAPE_TEXT},
    {.key = "create", .type = SHAPE_TEXT},
    {.key = "with", .type = SHAPE_MAP},
    {.key = "request", .type = SHAPE_OBJECT, .inner = request},
    {.key = "expect", .type = SHAPE_OBJECT, .inner = expect},
    {.key = "save", .type = SHAPE_MAP},
    {.key = "route", .type = SHAPE_TEXT},
    {.key = NULL},
};

static const struct shape criterion[] = {
    {.key = "title", .type = SHAPE_TEXT, .is_required = true},
    {.key = "statement", .type = SHAPE_TEXT, .is_required = true},
    {.key = "entities", .type = SHAPE_TEXTS},
    {.key = "parts", .type = SHAPE_TEXTS},
    {.key = "needs", .type = SHAPE_TEXTS},
    {.key = "steps", .type = SHAPE_LIST, .is_required = true, .inner = step},
    {.key = "when", .type = SHAPE_OBJECT, .inner = feature_condition},
    {.key = "unless", .type = SHAPE_OBJECT, .inner = feature_condition},
    {.key = NULL},
};

static const struct shape feature_shape[] = {
    {.key = "slug", .type = SHAPE_TEXT, .is_required = true},
    {.key = "title", .type = SHAPE_TEXT, .is_required = true},
    {.key = "summary", .type = SHAPE_TEXT, .is_required = true},
    {.key = "order", .type = SHAPE_WHOLE, .min = 1, .max = 99},
    {.key = "words", .type = SHAPE_OBJECT, .is_required = true, .inner = words},
    {.key = "covers", .type = SHAPE_TEXTS},
    {.key = "always", .type = SHAPE_BOOLEAN},
    {.key = "requires", .type = SHAPE_TEXTS},
    {.key = "yieldsTo", .type = SHAPE_TEXTS},
    {.key = "capabilities", .type = SHAPE_MAP},
    {.key = "settings", .type = SHAPE_OBJECT, .inner = settings},
    {.key = "roles", .type = SHAPE_LIST, .inner = feature_role},
    {.key = "entities", .type = SHAPE_LIST, .inner = feature_entity},
    {.key = "extend", .type = SHAPE_LIST, .inner = feature_extension},
    {.key = "views", .type = SHAPE_ANY}, /* by kind */
    {.key = "cards", .type = SHAPE_LIST, .inner = feature_card},
    {.key = "recent", .type = SHAPE_TEXTS},
    {.key = "questions", .type = SHAPE_ANY}, /* by type */
    {.key = "criteria", .type = SHAPE_LIST, .inner = criterion},
    {.key = NULL},
};

static int check_capabilities(const struct place *place, const json_t *feature) {
    json_t *given = json_object_get(feature, "capabilities");
    const struct place here = shape_key(place, "capabilities");
    for (void *at = json_object_iter(given); at; at = json_object_iter_next(given, at)) {
        int result = feature_check_capability(&here, json_object_iter_key(at));
        if (result < 0)
            return result;
        if (!json_is_boolean(json_object_iter_value(at)))
            return shape_fault(&here, "\"%s\" must be true", json_object_iter_key(at));
    }
    return 0;
}

static int check_settings(const struct place *place, const json_t *feature) {
    static const char *const themes[] = {"indigo", "teal", "emerald", "amber", "rose", "sky", "violet", "slate", NULL};
    static const char *const starts[] = {"monday", "sunday", NULL};
    const json_t *given = json_object_get(feature, "settings");
    const struct place here = shape_key(place, "settings");
    const char *theme = json_str(given, "theme", themes[0]), *start = json_str(given, "weekStart", starts[0]);
    if (!shape_is_one_of(theme, themes))
        return shape_fault(&here, "unknown theme \"%s\"", theme);
    return shape_is_one_of(start, starts) ? 0 : shape_fault(&here, "unknown weekStart \"%s\"", start);
}

/* A step either sends a request or creates a row. */
static int check_steps(const struct place *place, const json_t *one) {
    static const char *const methods[] = {"GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", NULL};
    const json_t *steps = json_object_get(one, "steps");
    for (size_t i = 0; i < json_array_size(steps); i++) {
        const json_t *given = json_array_get(steps, i), *sent = json_object_get(given, "request");
        const struct place here = shape_item(place, "steps", i);
        if (!sent == !json_object_get(given, "create"))
            return shape_fault(&here, "must have either request or create");
        if (sent && !shape_is_one_of(json_str(sent, "method", NULL), methods))
            return shape_fault(&here, "unknown method \"%s\"", json_str(sent, "method", ""));
        if (sent && *json_str(sent, "path", "") != '/')
            return shape_fault(&here, "the path must begin with /");
    }
    return 0;
}

static int check_criteria(const struct place *place, const json_t *feature) {
    const json_t *criteria = json_object_get(feature, "criteria");
    int result = 0;
    for (size_t i = 0; i < json_array_size(criteria) && result == 0; i++) {
        const struct place here = shape_item(place, "criteria", i);
        result = check_steps(&here, json_array_get(criteria, i));
    }
    return result;
}

int feature_check(const struct place *place, const json_t *feature, const char *slug) {
    const struct place name = shape_key(place, "slug");
    int result = shape_check(place, feature, feature_shape);
    if (result < 0)
        return result;
    if (!str_eq(json_str(feature, "slug", NULL), slug))
        return shape_fault(&name, "is not the file's name");
    if (strspn(slug, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(slug))
        return shape_fault(&name, "must be small letters, digits and dashes");
    if ((result = check_capabilities(place, feature)) < 0 || (result = check_settings(place, feature)) < 0 ||
        (result = feature_check_things(place, feature)) < 0 || (result = feature_check_questions(place, feature)) < 0)
        return result;
    return check_criteria(place, feature);
}
