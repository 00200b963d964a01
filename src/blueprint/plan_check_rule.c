/* plan_check_rule: the rules of entities. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "blueprint/decorate.h"
#include "blueprint/plan_check.h"

static const char *const comparable[] = {"date",  "datetime", "time",   "integer", "decimal",
                                         "money", "minutes",  "rating", NULL};
static const char *const reference[] = {"ref", NULL};

static int check_unique(const struct checker *checker, const json_t *rule, const char *path, const json_t *entity) {
    const json_t *names = json_object_get(rule, "fields");
    int result = plan_check_texts(checker, rule, path, "fields");
    if (result == 0 && json_array_size(names) == 0)
        result = plan_check_fault(checker, plan_check_path(checker, path, "fields"), "must not be empty");
    for (size_t i = 0; i < json_array_size(names) && result == 0; i++)
        if (!view_field(entity, json_string_value(json_array_get(names, i))))
            result = plan_check_fault(checker, plan_check_item(checker, path, "fields", i), "%s has no field \"%s\"",
                                      json_str(entity, "slug", ""), json_string_value(json_array_get(names, i)));
    return result;
}

static int check_order(const struct checker *checker, const json_t *rule, const char *path, const json_t *entity) {
    int result = plan_check_field(checker, rule, path, "from", entity, comparable, NULL);
    return result < 0 ? result : plan_check_field(checker, rule, path, "to", entity, comparable, NULL);
}

static int check_limit(const struct checker *checker, const json_t *rule, const char *path, const json_t *entity) {
    static const char *const whole[] = {"integer", NULL};
    const json_t *field = NULL;
    int result = plan_check_field(checker, rule, path, "ref", entity, reference, &field);
    if (result < 0)
        return result;
    const json_t *target = view_find(checker->entities, "slug", json_str(field, "entity", NULL));
    result = plan_check_field(checker, rule, path, "limit", target, whole, NULL);
    return result < 0 ? result : plan_check_where(checker, rule, path, entity);
}

static int check_threshold(const struct checker *checker, const json_t *rule, const char *path, const json_t *entity) {
    static const char *const plain[] = {"integer", "decimal", NULL};
    const json_t *limit = json_object_get(rule, "limit");
    int result = plan_check_field(checker, rule, path, "field", entity, plan_check_numeric, NULL);
    if (result < 0)
        return result;
    if (!json_is_number(limit) && !json_is_string(limit))
        return plan_check_fault(checker, plan_check_path(checker, path, "limit"), "must be a number or name a field");
    if (json_is_string(limit) && (result = plan_check_field(checker, rule, path, "limit", entity, plain, NULL)) < 0)
        return result;
    return plan_check_text(checker, rule, path, "label");
}

static int check_rollup(const struct checker *checker, const json_t *rule, const char *path, const json_t *entity) {
    const json_t *from = NULL, *ref = NULL;
    const char *name = json_str(rule, "name", "");
    int result;
    if (*name < 'a' || *name > 'z' || strpbrk(name, "-_ .") || view_field(entity, name))
        return plan_check_fault(checker, plan_check_path(checker, path, "name"),
                                "\"%s\" is no free lowerCamelCase name", name);
    if ((result = plan_check_text(checker, rule, path, "label")) < 0 ||
        (result = plan_check_entity(checker, rule, path, "from", &from)) < 0 ||
        (result = plan_check_field(checker, rule, path, "ref", from, reference, &ref)) < 0 ||
        (result = plan_check_one_of(checker, rule, path, "fn", plan_check_functions)) < 0)
        return result;
    if (!str_eq(json_str(ref, "entity", NULL), json_str(entity, "slug", NULL)))
        return plan_check_fault(checker, plan_check_path(checker, path, "ref"), "does not refer to %s",
                                json_str(entity, "slug", ""));
    bool needs_field = !str_eq(json_str(rule, "fn", NULL), "count");
    if (needs_field && (result = plan_check_field(checker, rule, path, "field", from, plan_check_numeric, NULL)) < 0)
        return result;
    if (json_object_get(rule, "times") &&
        (result = plan_check_field(checker, rule, path, "times", from, plan_check_numeric, NULL)) < 0)
        return result;
    if (json_object_get(rule, "type") &&
        (result = plan_check_one_of(checker, rule, path, "type", plan_check_numeric)) < 0)
        return result;
    return plan_check_where(checker, rule, path, from);
}

int plan_check_rules(const struct checker *checker, const json_t *entity, const char *path) {
    static const struct {
        const char *kind;
        int (*check)(const struct checker *checker, const json_t *rule, const char *path, const json_t *entity);
        bool refuses; /* and so has a message */
    } kinds[] = {
        {.kind = "unique", .check = check_unique, .refuses = true},
        {.kind = "order", .check = check_order, .refuses = true},
        {.kind = "capacity", .check = check_limit, .refuses = true},
        {.kind = "credit", .check = check_limit, .refuses = true},
        {.kind = "threshold", .check = check_threshold},
        {.kind = "rollup", .check = check_rollup},
    };
    const json_t *rules = json_object_get(entity, "rules");
    for (size_t i = 0; i < json_array_size(rules); i++) {
        const json_t *rule = json_array_get(rules, i);
        const char *at = plan_check_item(checker, path, "rules", i), *kind = json_str(rule, "kind", "");
        size_t k = 0;
        while (k < ARRAY_LEN(kinds) && !str_eq(kinds[k].kind, kind))
            k++;
        if (k == ARRAY_LEN(kinds))
            return plan_check_fault(checker, plan_check_path(checker, at, "kind"), "unknown rule \"%s\"", kind);
        int result = kinds[k].refuses ? plan_check_text(checker, rule, at, "message") : 0;
        if (result == 0)
            result = kinds[k].check(checker, rule, at, entity);
        if (result < 0)
            return result;
    }
    return 0;
}
