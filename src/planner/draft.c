/* draft: the draft itself: what it holds, found, added, renamed and taken out. */
#include "planner/draft.h"

#include <stdarg.h>

#include "base/json.h"
#include "base/str.h"

void put_str(json_t *object, const char *key, const char *text) {
    json_object_set_new(object, key, json_string(text));
}

json_t *find_by(const json_t *array, const char *key, const char *value, size_t *at) {
    size_t i;
    json_t *item;
    json_array_foreach (array, i, item) {
        if (!str_eq(json_str(item, key, NULL), value))
            continue;
        if (at)
            *at = i;
        return item;
    }
    return NULL;
}

bool is_in(const json_t *array, const char *text) {
    size_t i;
    json_t *item;
    json_array_foreach (array, i, item) {
        if (str_eq(json_string_value(item), text))
            return true;
    }
    return false;
}

void draft_open_point(struct draft *draft, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const char *text = arena_vprintf(draft->arena, format, args);
    va_end(args);
    if (!is_in(draft->open_points, text) && json_array_size(draft->open_points) < 40)
        json_array_append_new(draft->open_points, json_string(text));
}

bool draft_has_phrase(struct draft *draft, const char *phrase) {
    struct words words;
    words_split(draft->stemmer, draft->arena, phrase, &words);
    for (long at = words_find(&draft->words, &words, 0); at >= 0;
         at = words_find(&draft->words, &words, (size_t)at + 1))
        if (!draft->words.items[at].is_negated)
            return true;
    return false;
}

bool draft_is_chosen(const struct draft *draft, const char *slug) {
    return find_by(draft->chosen, "slug", slug, NULL) != NULL;
}

/* ---- conditions */

/* Whether for each kind given one value holds. */
static bool condition_holds(struct draft *draft, const json_t *condition, bool with_entities) {
    const char *kind;
    json_t *values;
    json_object_foreach ((json_t *)condition, kind, values) {
        bool holds = false;
        size_t i;
        json_t *value;
        json_array_foreach (values, i, value) {
            const char *text = str_or(json_string_value(value), "");
            if (str_eq(kind, "features"))
                holds = holds || draft_is_chosen(draft, text);
            else if (str_eq(kind, "entities"))
                holds = holds || (with_entities && draft_entity(draft, text));
            else if (str_eq(kind, "words"))
                holds = holds || draft_has_phrase(draft, text);
            else if (str_eq(kind, "capabilities"))
                holds = holds || json_flag(draft->capabilities, text, false);
        }
        if (!holds)
            return false;
    }
    return true;
}

bool draft_holds(struct draft *draft, const json_t *object, bool with_entities) {
    const json_t *when = json_object_get(object, "when"), *unless = json_object_get(object, "unless");
    if (when && !condition_holds(draft, when, with_entities))
        return false;
    return !unless || !condition_holds(draft, unless, with_entities);
}

bool draft_has_entity_condition(const json_t *object) {
    return json_at(object, "when.entities") || json_at(object, "unless.entities");
}

/* ---- entities */

json_t *draft_entity(const struct draft *draft, const char *key) {
    return find_by(draft->entities, "key", key, NULL);
}

static json_t *primary_entity(const struct draft *draft, const char *except_feature) {
    json_t *best = NULL, *entity;
    size_t i;
    json_array_foreach (draft->entities, i, entity) {
        if (except_feature && str_eq(json_str(entity, "feature", ""), except_feature))
            continue;
        if (!best || json_int(entity, "importance", 5) > json_int(best, "importance", 5))
            best = entity;
    }
    return best;
}

json_t *draft_resolve(const struct draft *draft, const json_t *reference, const char *except_feature) {
    if (json_is_array(reference)) {
        size_t i;
        json_t *item;
        json_array_foreach (reference, i, item) {
            json_t *found = draft_resolve(draft, item, except_feature);
            if (found)
                return found;
        }
        return NULL;
    }
    const char *key = json_string_value(reference);
    if (str_eq(key, "@primary"))
        return primary_entity(draft, except_feature);
    return key ? draft_entity(draft, key) : NULL;
}

json_t *entity_field(const json_t *entity, const char *name) {
    return find_by(json_object_get(entity, "fields"), "name", name, NULL);
}

bool entity_remove_field(json_t *entity, const char *name) {
    bool removed = false;
    size_t at;
    while (find_by(json_object_get(entity, "fields"), "name", name, &at)) {
        json_array_remove(json_object_get(entity, "fields"), at);
        removed = true;
    }
    return removed;
}

void tag_feature(json_t *array, const char *feature) {
    size_t i;
    json_t *item;
    json_array_foreach (array, i, item) {
        if (!json_object_get(item, "feature"))
            put_str(item, "feature", feature);
    }
}

static void append_new_fields(json_t *entity, const json_t *fields, const char *feature) {
    json_auto_t *copies = json_deep_copy(fields);
    tag_feature(copies, feature);
    json_t *own = json_object_get(entity, "fields");
    json_auto_t *before = json_copy(own);
    size_t i;
    json_t *field;
    json_array_foreach (copies, i, field) {
        if (!find_by(before, "name", json_str(field, "name", ""), NULL))
            json_array_append(own, field);
    }
}

static void append_rules(json_t *entity, const json_t *rules, const char *feature) {
    json_auto_t *copies = json_deep_copy(rules);
    tag_feature(copies, feature);
    size_t i, j;
    json_t *rule, *other;
    json_array_foreach (copies, i, rule) {
        bool is_known = false;
        json_array_foreach (json_object_get(entity, "rules"), j, other)
            is_known = is_known || json_equal(rule, other);
        if (!is_known)
            json_array_append(json_object_get(entity, "rules"), rule);
    }
}

void draft_add_entity(struct draft *draft, const json_t *entity, const char *feature, int64_t order) {
    json_t *there = draft_entity(draft, json_str(entity, "key", ""));
    if (there) {
        append_new_fields(there, json_object_get(entity, "fields"), feature);
        append_rules(there, json_object_get(entity, "rules"), feature);
        if (json_int(entity, "importance", 5) > json_int(there, "importance", 5))
            json_object_set_new(there, "importance", json_integer(json_int(entity, "importance", 5)));
        return;
    }
    json_t *copy = json_deep_copy(entity);
    put_str(copy, "feature", feature);
    json_object_set_new(copy, "order", json_integer(order));
    if (!json_object_get(copy, "fields"))
        json_object_set_new(copy, "fields", json_array());
    if (!json_object_get(copy, "rules"))
        json_object_set_new(copy, "rules", json_array());
    tag_feature(json_object_get(copy, "fields"), feature);
    tag_feature(json_object_get(copy, "rules"), feature);
    const char *name = json_str(copy, "name", "Record");
    if (!json_object_get(copy, "plural"))
        put_str(copy, "plural", noun_plural(draft->arena, name));
    if (!json_object_get(copy, "slug"))
        put_str(copy, "slug", json_str(copy, "key", "records"));
    json_array_append_new(draft->entities, copy);
}

void draft_extend(struct draft *draft, const json_t *extension, const char *feature) {
    if (!draft_holds(draft, extension, true))
        return;
    const json_t *target = json_object_get(extension, "entity");
    size_t count = json_is_array(target) ? json_array_size(target) : 1;
    for (size_t i = 0; i < count; i++) {
        json_t *entity = draft_resolve(draft, json_is_array(target) ? json_array_get(target, i) : target, feature);
        if (!entity)
            continue;
        append_new_fields(entity, json_object_get(extension, "fields"), feature);
        append_rules(entity, json_object_get(extension, "rules"), feature);
    }
}

void draft_remove_entity(struct draft *draft, const char *key) {
    size_t at;
    if (find_by(draft->entities, "key", key, &at))
        json_array_remove(draft->entities, at);
}

void draft_rename(struct draft *draft, json_t *entity, const char *singular) {
    const char *name = text_capital(draft->arena, singular);
    const char *plural = noun_plural(draft->arena, name);
    const char *slug = text_slug(draft->arena, plural, 40);
    const json_t *taken = slug ? find_by(draft->entities, "slug", slug, NULL) : NULL;
    if (!slug || (taken && taken != entity))
        return;
    put_str(entity, "name", name);
    put_str(entity, "plural", plural);
    put_str(entity, "slug", slug);
}

/* ---- roles */

void draft_complete_roles(struct draft *draft) {
    static const char *const general[][3] = {
        {"admin", "Admin", "all"}, {"member", "Member", "write"}, {"viewer", "Viewer", "read"}};
    size_t count = json_array_size(draft->roles) == 0 ? 3 : 2; /* a list of its own may do without viewers */
    for (size_t i = 0; i < count && json_flag(draft->capabilities, "roles", false); i++)
        if (!find_by(draft->roles, "value", general[i][0], NULL))
            json_array_append_new(draft->roles, json_pack("{s:s, s:s, s:s}", "value", general[i][0], "label",
                                                          general[i][1], "can", general[i][2]));
}
