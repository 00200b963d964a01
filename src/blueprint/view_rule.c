/* view_rule: the rules of an entity, grouped by kind, with the fields they name. */
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "blueprint/decorate.h"
#include "blueprint/names.h"

static const char *const kinds[] = {"unique", "order", "capacity", "credit", "threshold", "rollup"};

static json_t *named_field(const json_t *rule, const char *key, const json_t *entity) {
    return entity_field(entity, json_str(rule, key, NULL));
}

static void add_fields(json_t *rule, const json_t *entity) {
    const json_t *names = json_object_get(rule, "fields");
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(names); i++)
        json_array_append(list, entity_field(entity, json_string_value(json_array_get(names, i))));
    add_value(rule, "lastField", json_array_get(list, json_array_size(list) - 1));
    json_object_set_new(rule, "fieldsList", numbered(list));
    json_decref(list);
}

static void add_limit(json_t *rule, const json_t *entity, const json_t *entities, struct arena *arena) {
    const json_t *field = named_field(rule, "ref", entity);
    const json_t *target = find_by(entities, "slug", json_str(field, "entity", NULL));
    const char *limit = json_str(rule, "limit", "");
    add_value(rule, "refField", field);
    add_value(rule, "targetTable", json_object_get(target, "table"));
    add_value(rule, "targetSlug", json_object_get(target, "slug"));
    add_text(rule, "limitColumn", name_snake(arena, limit));
    add_text(rule, "limitName", limit);
    add_flag(rule, "hasWhere", json_object_get(rule, "where"));
}

static void add_rollup(json_t *rule, const json_t *from, const json_t *entity) {
    const char *fn = json_str(rule, "fn", "");
    const json_t *field = named_field(rule, "field", from), *times = named_field(rule, "times", from);
    const char *type = str_eq(fn, "count") ? "integer" : json_str(field, "type", NULL);
    add_value(rule, "fromTable", json_object_get(from, "table"));
    add_value(rule, "refField", named_field(rule, "ref", from));
    add_value(rule, "fieldField", field);
    add_value(rule, "timesField", times);
    add_flag(rule, "isPlainCount", str_eq(fn, "count") && !json_object_get(rule, "where") && from != entity);
    json_object_set_new(rule, "fnIs", flags_of(fn, "count", "sum", "avg", NULL));
    json_object_set_new(rule, "typeIs", numeric_flags(json_str(rule, "type", type)));
}

static json_t *decorate_rule(const json_t *source, const json_t *entity, const json_t *entities, struct arena *arena) {
    json_t *rule = json_copy((json_t *)source);
    const char *kind = json_str(rule, "kind", "");
    const json_t *counted = entity; /* whose fields a `where` names */
    add_literals(arena, rule, "message", "label", NULL);
    if (json_object_get(rule, "fields"))
        add_fields(rule, entity);
    if (str_eq(kind, "order")) {
        add_value(rule, "fromField", named_field(rule, "from", entity));
        add_value(rule, "toField", named_field(rule, "to", entity));
    }
    if (str_eq(kind, "threshold"))
        add_value(rule, "fieldField", named_field(rule, "field", entity));
    if (str_eq(kind, "capacity") || str_eq(kind, "credit"))
        add_limit(rule, entity, entities, arena);
    if (str_eq(kind, "rollup")) {
        counted = find_by(entities, "slug", json_str(rule, "from", NULL));
        add_rollup(rule, counted, entity);
    }
    add_where(arena, rule, json_object_get(rule, "where"), counted);
    return rule;
}

json_t *decorate_rules(const json_t *entity, const json_t *entities, struct arena *arena) {
    const json_t *given = json_object_get(entity, "rules");
    json_t *rules = json_object();
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        json_t *list = json_array();
        for (size_t i = 0; i < json_array_size(given); i++) {
            const json_t *source = json_array_get(given, i);
            if (str_eq(json_str(source, "kind", NULL), kinds[k]))
                json_array_append_new(list, decorate_rule(source, entity, entities, arena));
        }
        number_items(list);
        json_object_set_new(rules, kinds[k], list);
    }
    return rules;
}
