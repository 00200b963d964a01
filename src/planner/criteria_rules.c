/* criteria_rules: what proves the rules of an entity: double bookings, orders, limits, thresholds, sums. */
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "planner/proof.h"

#define TEXT(...) arena_printf(proof->arena, __VA_ARGS__)
#define MOST_TO_FILL 4

static const char *lower_name(struct proof *proof, const json_t *entity) {
    return text_lower_first(proof->arena, json_str(entity, "name", ""));
}

static const char *a_name(struct proof *proof, const json_t *entity) {
    return text_article(proof->arena, lower_name(proof, entity));
}

static const char *label_of(const json_t *entity, const char *field) {
    return json_str(entity_field(entity, field), "label", field);
}

/* The order of faults: what a refused row is told, if two rules are against it. */
static json_t *refused_row(struct proof *proof, const char *note, const json_t *entity, const json_t *given,
                           const char *field, const char *message) {
    json_t *step = proof_row(proof, note, entity, given, NULL);
    json_object_set_new(json_object_get(step, "expect"), "status", json_integer(400));
    proof_expect(step, TEXT("fields.%s", field), json_string(message));
    return step;
}

/* ---- unique */

static void criterion_unique(struct proof *proof, const json_t *entity, const json_t *rule) {
    const json_t *fields = json_object_get(rule, "fields");
    const char *slug = json_str(entity, "slug", ""), *labels = "";
    size_t i;
    json_t *name;
    json_array_foreach (fields, i, name)
        labels = TEXT("%s%s%s", labels,
                      i == 0                             ? ""
                      : i + 1 == json_array_size(fields) ? " and "
                                                         : ", ",
                      TEXT("\"%s\"", label_of(entity, json_string_value(name))));
    json_t *criterion = criterion_open(
        proof,
        TEXT("no two %s have the same %s", text_lower_first(proof->arena, json_str(entity, "plural", "")), labels),
        TEXT("Given %s, when another one with the same %s is added, then it is refused with \"%s\".",
             a_name(proof, entity), labels, json_str(rule, "message", "")),
        json_str(entity, "feature", ""));
    criterion_entity(criterion, slug);
    json_auto_t *given = json_object();
    json_array_foreach (fields, i, name) {
        const json_t *field = entity_field(entity, json_string_value(name));
        if (str_eq(json_str(field, "type", ""), "ref")) {
            const json_t *target = proof_entity(proof, json_str(field, "entity", ""));
            const char *saved = proof_name(proof, TEXT("same_%s", json_string_value(name)));
            proof_row(proof, TEXT("Add %s", a_name(proof, target)), target, NULL, saved);
            criterion_entity(criterion, json_str(target, "slug", ""));
            json_object_set_new(given, json_string_value(name), json_string(proof_var(proof, saved)));
        } else {
            proof->counter++;
            json_t *value = proof_value(proof, entity, field);
            if (value)
                proof_set(entity, given, json_string_value(name), value);
        }
    }
    const char *last = json_string_value(json_array_get(fields, json_array_size(fields) - 1));
    proof_row(proof, "The first one", entity, given, NULL);
    refused_row(proof, "The second one is refused", entity, given, last, json_str(rule, "message", ""));
    criterion_close(proof, criterion);
}

/* ---- order */

static json_t *bound_value(const char *type, bool is_later) {
    if (str_eq(type, "date"))
        return json_string(is_later ? "2022-06-20" : "2022-06-10");
    if (str_eq(type, "datetime"))
        return json_string(is_later ? "2022-06-10T18:00:00.000Z" : "2022-06-10T08:00:00.000Z");
    if (str_eq(type, "time"))
        return json_string(is_later ? "18:00" : "08:00");
    return json_integer(is_later ? 5 : 2);
}

static void criterion_order(struct proof *proof, const json_t *entity, const json_t *rule) {
    const char *from = json_str(rule, "from", ""), *to = json_str(rule, "to", ""),
               *type = json_str(entity_field(entity, from), "type", "");
    json_t *criterion =
        criterion_open(proof,
                       TEXT("\"%s\" of %s is never before \"%s\"", label_of(entity, to), a_name(proof, entity),
                            label_of(entity, from)),
                       TEXT("When somebody adds %s with \"%s\" before \"%s\", then it is refused at that field; the "
                            "other way round it is taken.",
                            a_name(proof, entity), label_of(entity, to), label_of(entity, from)),
                       json_str(entity, "feature", ""));
    criterion_entity(criterion, json_str(entity, "slug", ""));
    json_auto_t *wrong = json_pack("{s:o, s:o}", from, bound_value(type, true), to, bound_value(type, false));
    json_auto_t *right = json_pack("{s:o, s:o}", from, bound_value(type, false), to, bound_value(type, true));
    refused_row(proof, "The wrong way round", entity, wrong, to, json_str(rule, "message", ""));
    proof_row(proof, "In order", entity, right, NULL);
    criterion_close(proof, criterion);
}

/* ---- capacity and credit */

static const char *value_outside(const json_t *entity, const json_t *where) {
    const json_t *field = entity_field(entity, json_str(where, "field", ""));
    size_t i;
    json_t *option;
    json_array_foreach (json_object_get(field, "options"), i, option) {
        if (!is_in(json_object_get(where, "in"), json_str(option, "value", "")))
            return json_str(option, "value", "");
    }
    return NULL;
}

/* A refused row may break a unique rule instead, where that names the field first: fresh references keep the two apart.
 */
static void criterion_limit(struct proof *proof, const json_t *entity, const json_t *rule) {
    const char *ref = json_str(rule, "ref", ""), *limit = json_str(rule, "limit", ""),
               *message = json_str(rule, "message", "");
    const json_t *target = proof_entity(proof, json_str(entity_field(entity, ref), "entity", ""));
    const json_t *where = json_object_get(rule, "where");
    int64_t most = json_int(entity_field(target, limit), "min", 1);
    most = most < 1 ? 1 : most;
    if (most > MOST_TO_FILL)
        return;
    bool is_credit = str_eq(json_str(rule, "kind", ""), "credit");
    const char *many = text_lower_first(proof->arena, json_str(entity, "plural", ""));
    json_t *criterion = criterion_open(
        proof,
        is_credit ? TEXT("%s is used up", a_name(proof, target))
                  : TEXT("no more %s than %s takes", many, a_name(proof, target)),
        TEXT(
            "Given %s with \"%s\" at %d, when that is reached and one more of its %s is added, then it is refused with "
            "\"%s\".",
            a_name(proof, target), label_of(target, limit), (int)most, many, message),
        json_str(entity, "feature", ""));
    criterion_entity(criterion, json_str(entity, "slug", ""));
    criterion_entity(criterion, json_str(target, "slug", ""));
    const char *parent = proof_name(proof, "limited"), *last = proof_name(proof, "last");
    json_auto_t *small = json_pack("{s:I}", limit, (json_int_t)most);
    proof_row(proof, TEXT("Add %s with little room", a_name(proof, target)), target, small, parent);
    json_auto_t *given = json_pack("{s:s}", ref, proof_var(proof, parent));
    if (where)
        json_object_set(given, json_str(where, "field", ""), json_array_get(json_object_get(where, "in"), 0));
    for (int64_t i = 0; i < most; i++)
        proof_row(proof, "There is room", entity, given, last);
    json_t *step = proof_step(proof, "Nothing remains", "GET",
                              TEXT("/api/%s/${%s}", json_str(target, "slug", ""), parent), NULL, 200);
    proof_expect(step, "remaining", json_integer(0));
    refused_row(proof, "One too many is refused", entity, given, ref, message);
    const char *outside = where ? value_outside(entity, where) : NULL;
    if (outside) {
        proof_step(proof, "One of them makes room", "PATCH", TEXT("/api/%s/${%s}", json_str(entity, "slug", ""), last),
                   json_pack("{s:s}", json_str(where, "field", ""), outside), 200);
        proof_row(proof, "Now there is room again", entity, given, NULL);
    }
    criterion_close(proof, criterion);
}

/* ---- threshold */

#define PLENTY 10 /* how far the row that is not flagged lies above */

static bool within(const json_t *field, int64_t value) {
    return value >= json_int(field, "min", value) && value <= json_int(field, "max", value) &&
           (!str_eq(json_str(field, "type", ""), "rating") || value <= 5);
}

static int rules_of_kind(const json_t *entity, const char *kind) {
    int count = 0;
    size_t i;
    json_t *rule;
    json_array_foreach (json_object_get(entity, "rules"), i, rule)
        count += str_eq(json_str(rule, "kind", ""), kind);
    return count;
}

/* The level at which rows of the proof are flagged: the rule's own, or one that the field which holds it may have. */
static int64_t flag_level(const json_t *entity, const json_t *rule) {
    const json_t *limit = json_object_get(rule, "limit"), *holder = entity_field(entity, json_str(rule, "limit", ""));
    if (json_is_number(limit))
        return (int64_t)json_number_value(limit);
    int64_t level = json_int(holder, "default", 5),
            least = json_int(entity_field(entity, json_str(rule, "field", "")), "min", level);
    return level < least ? least : level;
}

/* A row at, or above, its level. Returns the title that pages show for it, or NULL. */
static const char *flag_row(struct proof *proof, const json_t *entity, const json_t *rule, int64_t value,
                            const char *note, const char *name, json_t **step) {
    const char *limit = json_str(rule, "limit", NULL);
    json_auto_t *given = json_object();
    if (limit)
        proof_set(entity, given, limit, json_integer(flag_level(entity, rule)));
    proof_set(entity, given, json_str(rule, "field", ""), json_integer(value));
    *step = proof_row(proof, note, entity, given, name);
    return proof_title(entity, json_object_get(json_object_get(*step, "request"), "json"));
}

static void criterion_threshold(struct proof *proof, const json_t *entity, const json_t *rule) {
    const char *field = json_str(rule, "field", ""), *slug = json_str(entity, "slug", ""),
               *label = json_str(rule, "label", ""), *limit = json_str(rule, "limit", NULL),
               *many = text_lower_first(proof->arena, json_str(entity, "plural", ""));
    const json_t *definition = entity_field(entity, field);
    int64_t level = flag_level(entity, rule);
    if (!within(definition, level) || !within(definition, level + PLENTY) ||
        (limit && !within(entity_field(entity, limit), level)))
        return;
    const char *at = limit ? TEXT("at their \"%s\"", label_of(entity, limit)) : TEXT("at %d", (int)level);
    json_t *criterion = criterion_open(
        proof, TEXT("%s %s or less in \"%s\" are flagged", many, at, label_of(entity, field)),
        TEXT("Given %s with %d in \"%s\"%s, then it is flagged \"%s\" on its page and in the filtered list; one with "
             "more is not.",
             a_name(proof, entity), (int)level, label_of(entity, field),
             limit ? TEXT(" and as its \"%s\"", label_of(entity, limit)) : "", label),
        json_str(entity, "feature", ""));
    criterion_entity(criterion, slug);
    const char *low = proof_name(proof, "low"), *high = proof_name(proof, "high");
    json_t *step;
    const char *low_title = flag_row(proof, entity, rule, level, "One at the limit", low, &step);
    bool is_only = rules_of_kind(entity, "threshold") == 1;
    if (is_only)
        proof_expect(step, "flags", json_pack("[s]", label));
    else
        proof_contains(step, "contains", label);
    const char *high_title = flag_row(proof, entity, rule, level + PLENTY, "One with plenty", high, &step);
    if (is_only)
        proof_expect(step, "flags", json_array());
    step = proof_step(proof, "The page flags it", "GET", TEXT("/%s/${%s}", slug, low), NULL, 200);
    proof_contains(step, "contains", label);
    step = proof_step(proof, "The filtered list has the one and not the other", "GET", TEXT("/%s?flag=1", slug), NULL,
                      200);
    if (low_title && high_title) {
        proof_contains(step, "contains", low_title);
        proof_contains(step, "absent", high_title);
    }
    criterion_close(proof, criterion);
}

/* ---- rollup */

static void criterion_rollup(struct proof *proof, const json_t *entity, const json_t *rule) {
    const json_t *from = proof_entity(proof, json_str(rule, "from", "")), *where = json_object_get(rule, "where");
    const char *fn = json_str(rule, "fn", "count"), *field = json_str(rule, "field", ""),
               *times = json_str(rule, "times", NULL);
    bool is_count = str_eq(fn, "count");
    if ((!is_count && (!within(entity_field(from, field), 3) || !within(entity_field(from, field), 5))) ||
        (times && !within(entity_field(from, times), 2)))
        return;
    const char *many = text_lower_first(proof->arena, json_str(from, "plural", "")),
               *label = json_str(rule, "label", "");
    json_t *criterion =
        criterion_open(proof,
                       TEXT("\"%s\" of %s %s its %s", label, a_name(proof, entity),
                            is_count            ? "counts"
                            : str_eq(fn, "avg") ? "is the average of"
                                                : "adds up",
                            many),
                       TEXT("Given %s with two %s, then its \"%s\" is %s.", a_name(proof, entity), many, label,
                            is_count            ? "2"
                            : str_eq(fn, "avg") ? "their average"
                                                : "their sum"),
                       json_str(entity, "feature", ""));
    criterion_entity(criterion, json_str(entity, "slug", ""));
    criterion_entity(criterion, json_str(from, "slug", ""));
    const char *parent = proof_name(proof, "parent");
    proof_row(proof, TEXT("Add %s", a_name(proof, entity)), entity, NULL, parent);
    static const int values[] = {3, 5};
    for (size_t i = 0; i < 2; i++) {
        json_auto_t *given = json_pack("{s:s}", json_str(rule, "ref", ""), proof_var(proof, parent));
        if (!is_count)
            proof_set(from, given, field, json_integer(values[i]));
        if (times)
            proof_set(from, given, times, json_integer(2));
        if (where)
            json_object_set(given, json_str(where, "field", ""), json_array_get(json_object_get(where, "in"), 0));
        proof_row(proof, TEXT("Add %s to it", a_name(proof, from)), from, given, NULL);
    }
    int64_t sum = str_eq(fn, "avg") ? 4 : is_count ? 2 : 8;
    json_t *step = proof_step(proof, "The value is worked out", "GET",
                              TEXT("/api/%s/${%s}", json_str(entity, "slug", ""), parent), NULL, 200);
    proof_expect(step, json_str(rule, "name", ""), json_integer(times && !is_count ? sum * 2 : sum));
    criterion_close(proof, criterion);
}

static void criterion_unique_field(struct proof *proof, const json_t *entity, const json_t *field) {
    const char *label = json_str(field, "label", ""), *name = json_str(field, "name", "");
    json_t *criterion = criterion_open(
        proof,
        TEXT("no two %s have the same \"%s\"", text_lower_first(proof->arena, json_str(entity, "plural", "")), label),
        TEXT("Given %s, when another one with the same \"%s\" is added, then it is refused.", a_name(proof, entity),
             label),
        json_str(entity, "feature", ""));
    criterion_entity(criterion, json_str(entity, "slug", ""));
    proof->counter++;
    json_t *value = proof_value(proof, entity, field);
    json_auto_t *given = json_object();
    if (value) {
        proof_set(entity, given, name, value);
        proof_row(proof, "The first one", entity, given, NULL);
        refused_row(proof, "The second one is refused", entity, given, name, TEXT("%s must be unique", label));
    }
    criterion_close(proof, criterion);
}

void criteria_rules(struct proof *proof, const json_t *entity) {
    size_t i;
    json_t *rule, *field;
    json_array_foreach (json_object_get(entity, "fields"), i, field) {
        if (json_flag(field, "unique", false))
            criterion_unique_field(proof, entity, field);
    }
    json_array_foreach (json_object_get(entity, "rules"), i, rule) {
        const char *kind = json_str(rule, "kind", "");
        if (str_eq(kind, "unique"))
            criterion_unique(proof, entity, rule);
        else if (str_eq(kind, "order"))
            criterion_order(proof, entity, rule);
        else if (str_eq(kind, "capacity") || str_eq(kind, "credit"))
            criterion_limit(proof, entity, rule);
        else if (str_eq(kind, "threshold"))
            criterion_threshold(proof, entity, rule);
        else if (str_eq(kind, "rollup"))
            criterion_rollup(proof, entity, rule);
    }
}
