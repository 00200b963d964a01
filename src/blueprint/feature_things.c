/* feature_things: what a feature or an answer brings: entities, extensions, views, cards and roles. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "blueprint/feature_check.h"
#include "blueprint/field_type.h"

enum { MOST_FIELDS = 14 };

#define WHEN                                                                                                           \
    { .key = "when", .type = SHAPE_OBJECT, .inner = feature_condition }
#define UNLESS                                                                                                         \
    { .key = "unless", .type = SHAPE_OBJECT, .inner = feature_condition }
#define WHERE                                                                                                          \
    { .key = "where", .type = SHAPE_OBJECT, .inner = where }
#define KIND                                                                                                           \
    { .key = "kind", .type = SHAPE_TEXT, .is_required = true }
#define ENTITY                                                                                                         \
    { .key = "entity", .type = SHAPE_NAMES, .is_required = true }
#define NEEDED(name)                                                                                                   \
    { .key = (name), .type = SHAPE_TEXT, .is_required = true }
#define MAYBE(name)                                                                                                    \
    { .key = (name), .type = SHAPE_TEXT }
#define END                                                                                                            \
    { .key = NULL }

const struct shape feature_condition[] = {
    {.key = "features", .type = SHAPE_TEXTS},
    {.key = "entities", .type = SHAPE_TEXTS},
    {.key = "words", .type = SHAPE_TEXTS},
    {.key = "capabilities", .type = SHAPE_TEXTS},
    {.key = NULL},
};

static const struct shape field[] = {
    {.key = "name", .type = SHAPE_TEXT, .is_required = true},
    {.key = "label", .type = SHAPE_TEXT},
    {.key = "type", .type = SHAPE_TEXT, .is_required = true},
    {.key = "required", .type = SHAPE_BOOLEAN},
    {.key = "unique", .type = SHAPE_BOOLEAN},
    {.key = "min", .type = SHAPE_NUMBER},
    {.key = "max", .type = SHAPE_NUMBER},
    {.key = "default", .type = SHAPE_ANY},
    {.key = "help", .type = SHAPE_TEXT},
    {.key = "options", .type = SHAPE_ANY},
    {.key = "entity", .type = SHAPE_NAMES},
    {.key = "onDelete", .type = SHAPE_TEXT},
    WHEN,
    UNLESS,
    END,
};

static const struct shape where[] = {
    {.key = "field", .type = SHAPE_TEXT, .is_required = true},
    {.key = "in", .type = SHAPE_ANY, .is_required = true},
    {.key = NULL},
};

static const struct shape option[] = {
    {.key = "value", .type = SHAPE_TEXT, .is_required = true},
    {.key = "label", .type = SHAPE_TEXT, .is_required = true},
    {.key = "tone", .type = SHAPE_TEXT},
    {.key = NULL},
};

const struct shape feature_entity[] = {
    {.key = "key", .type = SHAPE_TEXT, .is_required = true},
    {.key = "name", .type = SHAPE_TEXT, .is_required = true},
    {.key = "plural", .type = SHAPE_TEXT},
    {.key = "aliases", .type = SHAPE_TEXTS},
    {.key = "also", .type = SHAPE_TEXTS},
    {.key = "summary", .type = SHAPE_TEXT},
    {.key = "titleField", .type = SHAPE_TEXT, .is_required = true},
    {.key = "importance", .type = SHAPE_WHOLE, .min = 0, .max = 10},
    {.key = "fields", .type = SHAPE_LIST, .is_required = true, .inner = field},
    {.key = "rules", .type = SHAPE_ANY}, /* by kind */
    WHEN,
    UNLESS,
    END,
};

const struct shape feature_extension[] = {
    {.key = "entity", .type = SHAPE_NAMES, .is_required = true},
    {.key = "fields", .type = SHAPE_LIST, .inner = field},
    {.key = "rules", .type = SHAPE_ANY},
    WHEN,
    UNLESS,
    END,
};

const struct shape feature_card[] = {
    {.key = "label", .type = SHAPE_TEXT, .is_required = true},
    {.key = "entity", .type = SHAPE_NAMES, .is_required = true},
    {.key = "fn", .type = SHAPE_TEXT, .is_required = true},
    {.key = "field", .type = SHAPE_TEXT},
    {.key = "where", .type = SHAPE_OBJECT, .inner = where},
    {.key = "flag", .type = SHAPE_BOOLEAN},
    WHEN,
    UNLESS,
    END,
};

const struct shape feature_role[] = {
    {.key = "value", .type = SHAPE_TEXT, .is_required = true},
    {.key = "label", .type = SHAPE_TEXT, .is_required = true},
    {.key = "can", .type = SHAPE_TEXT, .is_required = true},
    {.key = NULL},
};

static const struct shape rule_unique[] = {
    KIND, {.key = "fields", .type = SHAPE_TEXTS, .is_required = true}, NEEDED("message"), WHEN, UNLESS, END};
static const struct shape rule_order[] = {KIND, NEEDED("from"), NEEDED("to"), NEEDED("message"), WHEN, UNLESS, END};
static const struct shape rule_capacity[] = {KIND,  NEEDED("ref"), NEEDED("limit"), NEEDED("message"),
                                             WHERE, WHEN,          UNLESS,          END};
static const struct shape rule_threshold[] = {
    KIND, NEEDED("field"), {.key = "limit", .type = SHAPE_LIMIT, .is_required = true}, NEEDED("label"), WHEN, UNLESS,
    END};
static const struct shape rule_rollup[] = {
    KIND,           NEEDED("name"), NEEDED("label"), NEEDED("from"), NEEDED("ref"), NEEDED("fn"), MAYBE("field"),
    MAYBE("times"), MAYBE("type"),  WHERE,           WHEN,           UNLESS,        END};
static const struct shape view_board[] = {KIND,           NEEDED("slug"), NEEDED("title"), ENTITY, NEEDED("field"),
                                          MAYBE("group"), WHEN,           UNLESS,          END};
static const struct shape view_calendar[] = {KIND,         NEEDED("slug"), NEEDED("title"), ENTITY, NEEDED("field"),
                                             MAYBE("end"), WHEN,           UNLESS,          END};
static const struct shape view_timer[] = {
    KIND, NEEDED("slug"), NEEDED("title"), ENTITY, NEEDED("start"), NEEDED("end"), MAYBE("subject"), WHEN, UNLESS, END};
static const struct shape view_chat[] = {KIND,           NEEDED("slug"), NEEDED("title"), ENTITY, NEEDED("body"),
                                         NEEDED("room"), WHEN,           UNLESS,          END};
static const struct shape view_map[] = {KIND,          NEEDED("slug"), NEEDED("title"), ENTITY, NEEDED("lat"),
                                        NEEDED("lng"), WHEN,           UNLESS,          END};
static const struct shape view_report[] = {
    KIND,        NEEDED("slug"), NEEDED("title"), ENTITY, NEEDED("date"), NEEDED("field"), MAYBE("by"),
    MAYBE("fn"), WHEN,           UNLESS,          END};

static const struct kind {
    const char *name;
    const struct shape *shape;
} rule_kinds[] = {{"unique", rule_unique},
                  {"order", rule_order},
                  {"capacity", rule_capacity},
                  {"credit", rule_capacity},
                  {"threshold", rule_threshold},
                  {"rollup", rule_rollup},
                  {NULL, NULL}},
  view_kinds[] = {{"board", view_board}, {"calendar", view_calendar}, {"timer", view_timer}, {"chat", view_chat},
                  {"map", view_map},     {"report", view_report},     {NULL, NULL}};

/* A list whose objects have a shape by their kind. */
static int check_kinds(const struct place *place, const json_t *owner, const char *key, const struct kind *kinds) {
    const json_t *list = json_object_get(owner, key);
    const struct place whole = shape_key(place, key);
    int result = !list || json_is_array(list) ? 0 : shape_fault(&whole, "must be a list");
    for (size_t i = 0; i < json_array_size(list) && result == 0; i++) {
        const json_t *item = json_array_get(list, i);
        const struct place here = shape_item(place, key, i);
        const struct kind *kind = kinds;
        while (kind->name && !str_eq(kind->name, json_str(item, "kind", NULL)))
            kind++;
        result = kind->name ? shape_check(&here, item, kind->shape)
                            : shape_fault(&here, "unknown kind \"%s\"", json_str(item, "kind", ""));
    }
    return result;
}

/* "In progress|info", or {"value", "label", "tone"}. */
static int check_option(const struct place *place, const json_t *given) {
    static const char *const tones[] = {"neutral", "info", "success", "warning", "danger", NULL};
    const char *text = json_string_value(given), *bar = text ? strchr(text, '|') : NULL;
    const char *tone = bar ? bar + 1 : json_str(given, "tone", tones[0]);
    if (text && (!*text || *text == '|'))
        return shape_fault(place, "must have a label");
    if (!text) {
        int result = shape_check(place, given, option);
        if (result < 0)
            return result;
    }
    return shape_is_one_of(tone, tones) ? 0 : shape_fault(place, "unknown tone \"%s\"", tone);
}

static int check_field(const struct place *place, const json_t *given) {
    static const char *const effects[] = {"cascade", "clear", "restrict", NULL};
    const char *name = json_str(given, "name", ""), *type = json_str(given, "type", "");
    const json_t *options = json_object_get(given, "options");
    bool is_ref = str_eq(type, "ref");
    int result = 0;
    if (!field_type_find(type))
        return shape_fault(place, "unknown type \"%s\"", type);
    if (*name < 'a' || *name > 'z' ||
        strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") != strlen(name))
        return shape_fault(place, "\"%s\" is not a lowerCamelCase name", name);
    if (is_ref != !!json_object_get(given, "entity"))
        return shape_fault(place, "entity goes with the type ref");
    if (!is_ref && !json_object_get(given, "label"))
        return shape_fault(place, "label is missing");
    if (!shape_is_one_of(json_str(given, "onDelete", effects[0]), effects))
        return shape_fault(place, "unknown onDelete \"%s\"", json_str(given, "onDelete", ""));
    if (str_eq(type, "choice") != (json_array_size(options) > 0))
        return shape_fault(place, "options go with the type choice");
    for (size_t i = 0; i < json_array_size(options) && result == 0; i++) {
        const struct place here = shape_item(place, "options", i);
        result = check_option(&here, json_array_get(options, i));
    }
    return result;
}

static int check_fields(const struct place *place, const json_t *owner) {
    const json_t *fields = json_object_get(owner, "fields");
    int result = 0;
    if (json_array_size(fields) > MOST_FIELDS)
        return shape_fault(place, "more than %d fields", MOST_FIELDS);
    for (size_t i = 0; i < json_array_size(fields) && result == 0; i++) {
        const json_t *given = json_array_get(fields, i);
        const struct place here = shape_item(place, "fields", i);
        result = check_field(&here, given);
        for (size_t j = 0; j < i && result == 0; j++)
            if (str_eq(json_str(json_array_get(fields, j), "name", NULL), json_str(given, "name", NULL)))
                result = shape_fault(&here, "\"%s\" is there twice", json_str(given, "name", ""));
    }
    return result < 0 ? result : check_kinds(place, owner, "rules", rule_kinds);
}

static int check_entity(const struct place *place, const json_t *entity) {
    const json_t *fields = json_object_get(entity, "fields");
    const char *key = json_str(entity, "key", ""), *title = json_str(entity, "titleField", "");
    if (strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(key))
        return shape_fault(place, "key \"%s\" must be small letters, digits and dashes", key);
    for (size_t i = 0; i < json_array_size(fields); i++)
        if (str_eq(json_str(json_array_get(fields, i), "name", NULL), title))
            return check_fields(place, entity);
    return shape_fault(place, "titleField: there is no field \"%s\"", title);
}

static int check_cards(const struct place *place, const json_t *owner) {
    static const char *const functions[] = {"count", "sum", "avg", NULL};
    const json_t *cards = json_object_get(owner, "cards");
    for (size_t i = 0; i < json_array_size(cards); i++) {
        const json_t *card = json_array_get(cards, i);
        const struct place here = shape_item(place, "cards", i);
        const char *fn = json_str(card, "fn", "");
        if (!shape_is_one_of(fn, functions))
            return shape_fault(&here, "unknown fn \"%s\"", fn);
        if (!str_eq(fn, "count") && !json_object_get(card, "field"))
            return shape_fault(&here, "field is missing");
    }
    return 0;
}

static int check_roles(const struct place *place, const json_t *owner) {
    static const char *const rights[] = {"all", "write", "read", NULL};
    const json_t *roles = json_object_get(owner, "roles");
    for (size_t i = 0; i < json_array_size(roles); i++) {
        const char *can = json_str(json_array_get(roles, i), "can", "");
        const struct place here = shape_item(place, "roles", i);
        if (!shape_is_one_of(can, rights))
            return shape_fault(&here, "unknown right \"%s\"", can);
    }
    return 0;
}

int feature_check_things(const struct place *place, const json_t *owner) {
    const json_t *entities = json_object_get(owner, "entities"), *extensions = json_object_get(owner, "extend");
    int result = 0;
    for (size_t i = 0; i < json_array_size(entities) && result == 0; i++) {
        const struct place here = shape_item(place, "entities", i);
        result = check_entity(&here, json_array_get(entities, i));
    }
    for (size_t i = 0; i < json_array_size(extensions) && result == 0; i++) {
        const struct place here = shape_item(place, "extend", i);
        result = check_fields(&here, json_array_get(extensions, i));
    }
    if (result < 0 || (result = check_kinds(place, owner, "views", view_kinds)) < 0 ||
        (result = check_cards(place, owner)) < 0)
        return result;
    return check_roles(place, owner);
}

int feature_check_capability(const struct place *place, const char *name) {
    static const char *const known[] = {"auth",      "roles",         "search",  "csv", "audit",
                                        "apiTokens", "notifications", "uploads", NULL};
    return shape_is_one_of(name, known) ? 0 : shape_fault(place, "unknown capability \"%s\"", name);
}
