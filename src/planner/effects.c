/* effects: what the answers to questions change in a draft. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "planner/draft.h"

#define MAX_EXTRA_FIELDS 6

static const json_t *question_by_id(const struct draft *draft, const char *id) {
    const json_t *found = find_by(draft->planner->general, "id", id, NULL);
    size_t i;
    json_t *feature;
    json_array_foreach (catalog_features(draft->planner->catalog), i, feature) {
        if (!found)
            found = find_by(json_object_get(feature, "questions"), "id", id, NULL);
    }
    return found;
}

static const char *feature_of_question(const struct draft *draft, const char *id) {
    size_t i;
    json_t *feature;
    json_array_foreach (catalog_features(draft->planner->catalog), i, feature) {
        if (find_by(json_object_get(feature, "questions"), "id", id, NULL))
            return json_str(feature, "slug", "");
    }
    return "general";
}

static bool applies(const json_t *effect, const json_t *answer) {
    if (json_is_true(json_object_get(effect, "any")))
        return true;
    const json_t *is = json_object_get(effect, "is"), *not = json_object_get(effect, "not");
    if (is)
        return json_equal(is, answer);
    if (not )
        return !json_equal(not, answer);
    const char *has = json_str(effect, "has", NULL), *lacks = json_str(effect, "lacks", NULL);
    if (has)
        return is_in(answer, has);
    return lacks && !is_in(answer, lacks);
}

/* ---- features: before matching */

void draft_want_by_answers(struct draft *draft) {
    const char *id;
    json_t *answer, *effect, *slug;
    size_t i, j;
    json_object_foreach (draft->answers, id, answer) {
        json_array_foreach (json_object_get(question_by_id(draft, id), "effects"), i, effect) {
            if (!applies(effect, answer))
                continue;
            json_array_foreach (json_at(effect, "add.features"), j, slug)
                draft_want(draft, str_or(json_string_value(slug), ""));
            json_array_foreach (json_at(effect, "remove.features"), j, slug)
                draft_ban(draft, str_or(json_string_value(slug), ""));
        }
    }
}

/* ---- everything else: after the entities stand */

static void apply_add(struct draft *draft, const json_t *add, const char *feature) {
    size_t i;
    json_t *item;
    json_array_foreach (json_object_get(add, "entities"), i, item) {
        if (draft_holds(draft, item, true))
            draft_add_entity(draft, item, feature, 60);
    }
    json_array_foreach (json_object_get(add, "extend"), i, item)
        draft_extend(draft, item, feature);
    json_array_foreach (json_object_get(add, "capabilities"), i, item)
        json_object_set_new(draft->capabilities, str_or(json_string_value(item), ""), json_true());
    json_array_foreach (json_object_get(add, "roles"), i, item) {
        if (!find_by(draft->roles, "value", json_str(item, "value", ""), NULL))
            json_array_append_new(draft->roles, json_deep_copy(item));
    }
    static const char *const lists[] = {"views", "cards"};
    for (size_t list = 0; list < 2; list++) {
        json_array_foreach (json_object_get(add, lists[list]), i, item) {
            json_t *copy = json_deep_copy(item);
            put_str(copy, "feature", feature);
            json_array_append_new(list == 0 ? draft->views : draft->cards, copy);
        }
    }
}

/* "tasks.dueOn" as entity and the rest. */
static json_t *entity_of_path(struct draft *draft, const char *path, const char **rest) {
    const char *dot = strchr(path, '.');
    if (!dot)
        return NULL;
    *rest = dot + 1;
    json_auto_t *key = json_stringn(path, (size_t)(dot - path));
    return draft_resolve(draft, key, NULL);
}

static void remove_rule(json_t *entity, const char *kind) {
    json_t *rules = json_object_get(entity, "rules");
    for (size_t i = json_array_size(rules); i-- > 0;)
        if (str_eq(json_str(json_array_get(rules, i), "kind", ""), kind))
            json_array_remove(rules, i);
}

static void apply_remove(struct draft *draft, const json_t *removal) {
    size_t i, at;
    json_t *item;
    const char *rest;
    json_array_foreach (json_object_get(removal, "entities"), i, item)
        draft_remove_entity(draft, str_or(json_string_value(item), ""));
    json_array_foreach (json_object_get(removal, "fields"), i, item) {
        json_t *entity = entity_of_path(draft, str_or(json_string_value(item), ""), &rest);
        if (entity)
            entity_remove_field(entity, rest);
    }
    json_array_foreach (json_object_get(removal, "rules"), i, item) {
        json_t *entity = entity_of_path(draft, str_or(json_string_value(item), ""), &rest);
        if (entity)
            remove_rule(entity, rest);
    }
    json_array_foreach (json_object_get(removal, "views"), i, item) {
        while (find_by(draft->views, "slug", str_or(json_string_value(item), ""), &at))
            json_array_remove(draft->views, at);
    }
    json_array_foreach (json_object_get(removal, "roles"), i, item) {
        while (find_by(draft->roles, "value", str_or(json_string_value(item), ""), &at))
            json_array_remove(draft->roles, at);
    }
    json_array_foreach (json_object_get(removal, "capabilities"), i, item)
        json_object_set_new(draft->capabilities, str_or(json_string_value(item), ""), json_false());
}

static void apply_set(struct draft *draft, const json_t *set) {
    const char *path, *rest;
    json_t *value;
    json_object_foreach ((json_t *)set, path, value) {
        json_t *entity = entity_of_path(draft, path, &rest);
        if (!entity)
            continue;
        const char *dot = strchr(rest, '.');
        if (!dot && str_eq(rest, "name") && json_is_string(value)) {
            draft_rename(draft, entity, json_string_value(value));
            continue;
        }
        if (!dot)
            continue;
        const char *name = arena_strndup(draft->arena, rest, (size_t)(dot - rest));
        json_t *target = entity_field(entity, name);
        if (!target)
            target = find_by(json_object_get(entity, "rules"), "kind", name, NULL);
        if (target)
            json_object_set_new(target, dot + 1, json_deep_copy(value));
    }
}

/* The parts of an answer: the chosen options, or a text split at commas. */
static json_t *answer_list(struct draft *draft, const json_t *answer) {
    if (json_is_array(answer))
        return json_own(draft->arena, json_deep_copy(answer));
    json_t *list = json_own(draft->arena, json_array());
    char **parts;
    size_t count;
    str_split(draft->arena, str_or(json_string_value(answer), ""), ",;\n", &parts, &count);
    for (size_t i = 0; i < count; i++) {
        const char *part = str_trim(draft->arena, parts[i]);
        if (*part && str_utf8_len(part) <= 60 && !strpbrk(part, "{}|\"<>\\"))
            json_array_append_new(list, json_string(part));
    }
    return list;
}

static void apply_options(struct draft *draft, const json_t *change, const json_t *answer) {
    json_t *entity = draft_resolve(draft, json_object_get(change, "entity"), NULL);
    json_t *field = entity ? entity_field(entity, json_str(change, "field", "")) : NULL;
    json_t *list = answer_list(draft, answer);
    if (!field || json_array_size(list) < 2 || json_array_size(list) > 12)
        return;
    json_t *options = json_array();
    size_t i, j;
    json_t *label, *old;
    json_array_foreach (list, i, label) {
        json_t *kept = NULL;
        json_array_foreach (json_object_get(field, "options"), j, old) {
            const char *text = json_is_object(old) ? json_str(old, "label", "") : str_or(json_string_value(old), "");
            size_t len = strcspn(text, "|");
            if (len == strlen(json_string_value(label)) && strncasecmp(text, json_string_value(label), len) == 0)
                kept = old;
        }
        json_array_append(options, kept ? kept : label);
    }
    /* The last of the new columns is where things are done. */
    json_t *last = json_array_get(options, json_array_size(options) - 1);
    if (json_is_string(last) && !strchr(json_string_value(last), '|') &&
        str_eq(json_str(change, "field", ""), "status"))
        json_array_set_new(options, json_array_size(options) - 1,
                           json_string(arena_printf(draft->arena, "%s|success", json_string_value(last))));
    json_object_set_new(field, "options", options);
    if (json_object_get(field, "default")) {
        json_t *first = json_array_get(options, 0);
        const char *text = json_is_object(first) ? json_str(first, "value", "") : str_or(json_string_value(first), "");
        const char *plain = arena_strndup(draft->arena, text, strcspn(text, "|"));
        put_str(field, "default", json_is_object(first) ? text : str_or(text_slug(draft->arena, plain, 40), plain));
    }
}

static void apply_number(struct draft *draft, const json_t *change, const json_t *answer) {
    json_t *entity = draft_resolve(draft, json_object_get(change, "entity"), NULL);
    if (!entity)
        return;
    json_t *target = entity_field(entity, json_str(change, "field", ""));
    if (!target)
        target = find_by(json_object_get(entity, "rules"), "kind", json_str(change, "rule", "?"), NULL);
    const char *text = json_is_string(answer) ? json_string_value(answer) : "";
    while (*text && !isdigit((unsigned char)*text))
        text++;
    long long number = json_is_integer(answer) ? json_integer_value(answer) : *text ? strtoll(text, NULL, 10) : -1;
    if (!target || number < 0 || number > 1000000000)
        return;
    int64_t least = json_int(target, "min", 0);
    json_object_set_new(target, json_str(change, "key", "default"), json_integer(number < least ? least : number));
}

static void apply_fields(struct draft *draft, const json_t *change, const json_t *answer) {
    json_t *entity = draft_resolve(draft, json_object_get(change, "entity"), NULL);
    json_t *list = answer_list(draft, answer), *label;
    size_t i;
    json_array_foreach (list, i, label) {
        json_t *field = i < MAX_EXTRA_FIELDS ? guess_field(draft, json_string_value(label)) : NULL;
        if (entity && field && !entity_field(entity, json_str(field, "name", "")))
            json_array_append(json_object_get(entity, "fields"), field);
    }
}

static void apply_effect(struct draft *draft, const json_t *effect, const json_t *answer, const char *feature) {
    const char *key;
    json_t *change;
    json_object_foreach ((json_t *)effect, key, change) {
        if (str_eq(key, "remove"))
            apply_remove(draft, change);
    }
    json_object_foreach ((json_t *)effect, key, change) {
        if (str_eq(key, "add"))
            apply_add(draft, change, feature);
        else if (str_eq(key, "settings"))
            json_object_update(draft->settings, change);
        else if (str_eq(key, "set"))
            apply_set(draft, change);
        else if (str_eq(key, "options"))
            apply_options(draft, change, answer);
        else if (str_eq(key, "number"))
            apply_number(draft, change, answer);
        else if (str_eq(key, "fields"))
            apply_fields(draft, change, answer);
        else if (str_eq(key, "rename") && json_is_string(answer) && *json_string_value(answer)) {
            json_t *entity = draft_resolve(draft, json_object_get(change, "entity"), NULL);
            const char *name = str_trim(draft->arena, json_string_value(answer));
            if (entity && *name && str_utf8_len(name) <= 40)
                draft_rename(draft, entity, noun_singular(draft->arena, name));
        }
    }
}

void draft_apply_answers(struct draft *draft) {
    const char *id;
    json_t *answer, *effect;
    size_t i;
    json_object_foreach (draft->answers, id, answer) {
        const char *feature = feature_of_question(draft, id);
        if (!str_eq(feature, "general") && !draft_is_chosen(draft, feature))
            continue;
        json_array_foreach (json_object_get(question_by_id(draft, id), "effects"), i, effect) {
            if (applies(effect, answer))
                apply_effect(draft, effect, answer, feature);
        }
    }
}
