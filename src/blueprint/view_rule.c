/* view_rule: the rules of an entity, grouped by kind, with the fields they name. */
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "blueprint/decorate.h"
#include "blueprint/names.h"

static const char *const kinds[] = {"unique", "order", "capacity", "credit", "threshold", "rollup"};

static json_t *named_field(const json_t *rule, const char *key, const json_t *entity) {
    return view_field(entity, json_str(rule, key, NULL));
}

static void add_fields(json_t *rule, const json_t *entity) {
    const json_t *names = json_object_get(rule, "fields");
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(names); i++)
        json_array_append(list, view_field(entity, json_string_value(json_array_get(names, i))));
    view_add(rule, "lastField", json_array_get(list, json_array_size(list) - 1));
    json_object_set_new(rule, "fieldsList", view_numbered(list));
    json_decref(list);
}

static void add_limit(json_t *rule, const json_t *entity, const json_t *entities, struct arena *arena) {
    const json_t *field = named_field(rule, "ref", entity);
    const json_t *target = view_find(entities, "slug", json_str(field, "entity", NULL));
    const char *limit = json_str(rule, "limit", "");
    view_add(rule, "refField", field);
    view_add(rule, "targetTable", json_object_get(target, "table"));
    view_add(rule, "targetSlug", json_object_get(target, "slug"));
    view_add_text(rule, "limitColumn", name_snake(arena, limit));
    view_add_text(rule, "limitName", limit);
    view_add_flag(rule, "hasWhere", json_object_get(rule, "where"));
}

/* The limit is a number, or a field that holds it for each row. */
static void add_threshold(json_t *rule, const json_t *entity, struct arena *arena) {
    const json_t *limit = named_field(rule, "limit", entity);
    view_add(rule, "fieldField", named_field(rule, "field", entity));
    view_add(rule, "limitField", limit);
    view_add_text(rule, "limitSql",
                  limit ? arena_printf(arena, "\"%s\"", json_str(limit, "column", ""))
                        : json_text(arena, json_object_get(rule, "limit")));
}

static void add_rollup(json_t *rule, const json_t *from, const json_t *entity) {
    const char *fn = json_str(rule, "fn", "");
    const json_t *field = named_field(rule, "field", from), *times = named_field(rule, "times", from);
    const char *type = str_eq(fn, "count") ? "integer" : json_str(field, "type", NULL);
    view_add(rule, "fromTable", json_object_get(from, "table"));
    view_add(rule, "refField", named_field(rule, "ref", from));
    view_add(rule, "fieldField", field);
    view_add(rule, "timesField", times);
    view_add_flag(rule, "isPlainCount", str_eq(fn, "count") && !json_object_get(rule, "where") && from != entity);
    json_object_set_new(rule, "fnIs", view_flags(fn, "count", "sum", "avg", NULL));
    json_object_set_new(rule, "typeIs", view_numeric_flags(json_str(rule, "type", type)));
}

static json_t *decorate_rule(const json_t *source, const json_t *entity, const json_t *entities, struct arena *arena) {
    json_t *rule = json_copy((json_t *)source);
    const char *kind = json_str(rule, "kind", "");
    const json_t *counted = entity; /* whose fields a `where` names */
    view_add_literals(arena, rule, "message", "label", NULL);
    if (json_object_get(rule, "fields"))
        add_fields(rule, entity);
    if (str_eq(kind, "order")) {
        view_add(rule, "fromField", named_field(rule, "from", entity));
        view_add(rule, "toField", named_field(rule, "to", entity));
    }
    if (str_eq(kind, "threshold"))
        add_threshold(rule, entity, arena);
    if (str_eq(kind, "capacity") || str_eq(kind, "credit"))
        add_limit(rule, entity, entities, arena);
    if (str_eq(kind, "rollup")) {
        counted = view_find(entities, "slug", json_str(rule, "from", NULL));
        add_rollup(rule, counted, entity);
    }
    view_add_where(arena, rule, json_object_get(rule, "where"), counted);
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
        view_number(list);
        json_object_set_new(rules, kinds[k], list);
    }
    return rules;
}
