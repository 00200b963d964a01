/* finish_rules: drops rules that name fields or entities which the plan has not. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "planner/finish.h"

static bool has_type(const json_t *field, const char *types) {
    const char *type = json_str(field, "type", NULL);
    const char *at = type ? strstr(types, type) : NULL;
    return at && (at == types || at[-1] == ' ') && (at[strlen(type)] == 0 || at[strlen(type)] == ' ');
}

#define NUMERIC "integer decimal money minutes rating"
#define COMPARABLE "date datetime time integer decimal money minutes rating"

bool finish_where(const json_t *entity, json_t *object) {
    json_t *where = json_object_get(object, "where");
    if (!where)
        return true;
    const json_t *field = entity_field(entity, json_str(where, "field", ""));
    json_t *values = json_object_get(where, "in");
    if (!field || !json_is_array(values))
        return false;
    for (size_t i = json_array_size(values); i-- > 0;) {
        const char *value = json_string_value(json_array_get(values, i));
        if (has_type(field, "choice") && (!value || !find_by(json_object_get(field, "options"), "value", value, NULL)))
            json_array_remove(values, i);
    }
    return json_array_size(values) > 0;
}

static bool unique_stands(const json_t *entity, const json_t *rule) {
    size_t i;
    json_t *name;
    json_array_foreach (json_object_get(rule, "fields"), i, name) {
        if (!entity_field(entity, str_or(json_string_value(name), "")))
            return false;
    }
    return i > 0;
}

static bool limit_stands(struct draft *draft, const json_t *entity, json_t *rule) {
    const json_t *ref = entity_field(entity, json_str(rule, "ref", ""));
    if (!has_type(ref, "ref"))
        return false;
    const json_t *target = draft_entity(draft, json_str(ref, "entity", ""));
    const json_t *limit = entity_field(target, json_str(rule, "limit", ""));
    if (!has_type(limit, "integer"))
        return false;
    if (!finish_where(entity, rule))
        json_object_del(rule, "where");
    return true;
}

/* The limit is a number, or a field that holds one for each row. */
static bool threshold_stands(const json_t *entity, const json_t *rule) {
    const json_t *limit = json_object_get(rule, "limit");
    return has_type(entity_field(entity, json_str(rule, "field", "")), NUMERIC) && *json_str(rule, "label", "") &&
           (json_is_number(limit) || has_type(entity_field(entity, json_str(rule, "limit", "")), "integer decimal"));
}

static bool rollup_stands(struct draft *draft, const json_t *entity, json_t *rule) {
    const json_t *from = draft_entity(draft, json_str(rule, "from", ""));
    const json_t *ref = from ? entity_field(from, json_str(rule, "ref", "")) : NULL;
    const char *name = json_str(rule, "name", "");
    if (!has_type(ref, "ref") || !str_eq(json_str(ref, "entity", ""), json_str(entity, "key", "")) ||
        entity_field(entity, name))
        return false;
    const json_t *times = json_object_get(rule, "times");
    if (times && !has_type(entity_field(from, str_or(json_string_value(times), "")), NUMERIC))
        return false;
    if (!finish_where(from, rule))
        return false;
    bool is_count = str_eq(json_str(rule, "fn", ""), "count");
    const json_t *field = entity_field(from, json_str(rule, "field", ""));
    if (!is_count && !has_type(field, NUMERIC))
        return false;
    if (!json_object_get(rule, "type"))
        put_str(rule, "type", is_count ? "integer" : json_str(field, "type", "integer"));
    return true;
}

static bool stands(struct draft *draft, const json_t *entity, json_t *rule) {
    const char *kind = json_str(rule, "kind", "");
    if (str_eq(kind, "unique"))
        return unique_stands(entity, rule);
    if (str_eq(kind, "order"))
        return has_type(entity_field(entity, json_str(rule, "from", "")), COMPARABLE) &&
               str_eq(json_str(entity_field(entity, json_str(rule, "from", "")), "type", ""),
                      json_str(entity_field(entity, json_str(rule, "to", "")), "type", "?"));
    if (str_eq(kind, "capacity") || str_eq(kind, "credit"))
        return limit_stands(draft, entity, rule);
    if (str_eq(kind, "threshold"))
        return threshold_stands(entity, rule);
    return str_eq(kind, "rollup") && rollup_stands(draft, entity, rule);
}

static void give_message(struct draft *draft, const json_t *entity, json_t *rule) {
    if (json_object_get(rule, "message"))
        return;
    const char *kind = json_str(rule, "kind", "");
    if (str_eq(kind, "order"))
        put_str(rule, "message",
                arena_printf(draft->arena, "%s must not be before %s",
                             json_str(entity_field(entity, json_str(rule, "to", "")), "label", ""),
                             json_str(entity_field(entity, json_str(rule, "from", "")), "label", "")));
    else if (str_eq(kind, "unique"))
        put_str(rule, "message", "This is there already");
    else if (str_eq(kind, "capacity"))
        put_str(rule, "message", "Nothing is left");
    else if (str_eq(kind, "credit"))
        put_str(rule, "message", "It is used up");
}

/* Two features may bring the same rule under different words. */
static bool is_same(const json_t *a, const json_t *b) {
    static const char *const keys[] = {"kind", "name", "from", "to", "ref", "fields", "field"};
    bool is_rollup = str_eq(json_str(a, "kind", ""), "rollup");
    if (is_rollup)
        return str_eq(json_str(b, "kind", ""), "rollup") && str_eq(json_str(a, "name", ""), json_str(b, "name", ""));
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const json_t *x = json_object_get(a, keys[i]), *y = json_object_get(b, keys[i]);
        if (x != y && !json_equal(x, y))
            return false;
    }
    return true;
}

void finish_rules(struct draft *draft, json_t *entity) {
    json_t *rules = json_object_get(entity, "rules");
    for (size_t i = 0; i < json_array_size(rules);) {
        json_t *rule = json_array_get(rules, i);
        bool is_double = false;
        for (size_t j = 0; j < i; j++)
            is_double = is_double || is_same(json_array_get(rules, j), rule);
        json_object_del(rule, "feature");
        json_object_del(rule, "when");
        json_object_del(rule, "unless");
        if (is_double || !stands(draft, entity, rule)) {
            json_array_remove(rules, i);
            continue;
        }
        give_message(draft, entity, rule);
        i++;
    }
}
