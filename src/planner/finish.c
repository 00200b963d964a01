/* finish: makes a draft's entities whole: conditions decided, references resolved, names free, in an order of
 * dependency. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "planner/draft.h"
#include "planner/finish.h"
#include "planner/routes.h"

static bool is_type(const json_t *field, const char *type) {
    return str_eq(json_str(field, "type", ""), type);
}

/* ---- which entities and fields stay */

static void drop_by_condition(struct draft *draft, json_t *array) {
    for (size_t i = json_array_size(array); i-- > 0;)
        if (!draft_holds(draft, json_array_get(array, i), true))
            json_array_remove(array, i);
}

/* Over the limit the least important go, the last first. */
static void cap_entities(struct draft *draft) {
    while (json_array_size(draft->entities) > MAX_ENTITIES) {
        size_t least = 0;
        for (size_t i = 1; i < json_array_size(draft->entities); i++)
            if (json_int(json_array_get(draft->entities, i), "importance", 5) <=
                json_int(json_array_get(draft->entities, least), "importance", 5))
                least = i;
        const json_t *entity = json_array_get(draft->entities, least);
        draft_open_point(draft,
                         "%s: not planned, because %d kinds of records are the most one plan takes; describe them in a "
                         "further project.",
                         json_str(entity, "plural", ""), MAX_ENTITIES);
        json_array_remove(draft->entities, least);
    }
}

static void dedupe_fields(json_t *entity) {
    json_t *fields = json_object_get(entity, "fields");
    for (size_t i = json_array_size(fields); i-- > 0;) {
        size_t first = 0;
        find_by(fields, "name", json_str(json_array_get(fields, i), "name", ""), &first);
        if (first != i || !json_object_get(json_array_get(fields, i), "name"))
            json_array_remove(fields, i);
    }
}

static void resolve_reference(struct draft *draft, json_t *entity, json_t *field, size_t at) {
    const char *feature = json_str(field, "feature", NULL);
    const json_t *target = draft_resolve(draft, json_object_get(field, "entity"), feature);
    if (!target) {
        json_array_remove(json_object_get(entity, "fields"), at);
        return;
    }
    put_str(field, "entity", json_str(target, "key", ""));
    if (target == entity)
        json_object_del(field, "required");
    if (!json_object_get(field, "label"))
        put_str(field, "label", json_str(target, "name", ""));
    const char *effect = json_str(field, "onDelete", json_flag(field, "required", false) ? "cascade" : "clear");
    if (json_flag(field, "required", false) && str_eq(effect, "clear"))
        effect = "restrict";
    put_str(field, "onDelete", effect);
}

/* ---- single fields */

static json_t *expand_option(struct draft *draft, const json_t *option) {
    if (json_is_object(option)) {
        json_t *copy = json_deep_copy(option);
        if (!json_object_get(copy, "tone"))
            put_str(copy, "tone", "neutral");
        return copy;
    }
    const char *text = str_or(json_string_value(option), "");
    const char *bar = strchr(text, '|');
    const char *label = bar ? arena_strndup(draft->arena, text, (size_t)(bar - text)) : text;
    const char *value = text_slug(draft->arena, label, 40);
    return json_pack("{s:s, s:s, s:s}", "value", value ? value : label, "label", label, "tone",
                     bar ? bar + 1 : "neutral");
}

static void finish_choice(struct draft *draft, json_t *field) {
    json_auto_t *options = json_array();
    size_t i;
    json_t *option;
    json_array_foreach (json_object_get(field, "options"), i, option) {
        json_auto_t *expanded = expand_option(draft, option);
        if (*json_str(expanded, "value", "") && !find_by(options, "value", json_str(expanded, "value", ""), NULL))
            json_array_append(options, expanded);
    }
    if (json_array_size(options) == 0)
        json_array_append_new(options,
                              json_pack("{s:s, s:s, s:s}", "value", "other", "label", "Other", "tone", "neutral"));
    json_object_set(field, "options", options);
    const char *chosen = json_str(field, "default", NULL);
    if (chosen && !find_by(options, "value", chosen, NULL))
        put_str(field, "default", json_str(json_array_get(options, 0), "value", ""));
}

static void finish_field(struct draft *draft, json_t *field) {
    const char *type = json_str(field, "type", "text");
    if (str_eq(type, "user") && !json_flag(draft->capabilities, "auth", false)) {
        put_str(field, "type", "text");
        json_object_set_new(field, "max", json_integer(120));
        type = "text";
    }
    if (str_eq(type, "file"))
        json_object_set_new(draft->capabilities, "uploads", json_true());
    if (str_eq(type, "choice"))
        finish_choice(draft, field);
    if (str_eq(type, "text") && !json_object_get(field, "max"))
        json_object_set_new(field, "max", json_integer(200));
    if (str_eq(type, "longtext") && !json_object_get(field, "max"))
        json_object_set_new(field, "max", json_integer(5000));
    if (str_eq(type, "boolean") || str_eq(type, "file"))
        json_object_del(field, "required");
    if (!json_object_get(field, "label"))
        put_str(field, "label", text_capital(draft->arena, json_str(field, "name", "")));
    static const char *const internal[] = {"feature", "when", "unless"};
    for (size_t i = 0; i < ARRAY_LEN(internal); i++)
        json_object_del(field, internal[i]);
}

/* Every row needs a title: the named field if it is there, else the first that can serve. */
static void finish_title(struct draft *draft, json_t *entity) {
    json_t *fields = json_object_get(entity, "fields");
    json_t *title = entity_field(entity, json_str(entity, "titleField", "")), *field;
    size_t i;
    json_array_foreach (fields, i, field) {
        if (!title && (is_type(field, "text") ||
                       (json_flag(field, "required", false) && (is_type(field, "ref") || is_type(field, "date")))))
            title = field;
    }
    if (!title) {
        json_array_insert_new(fields, 0,
                              json_pack("{s:s, s:s, s:s, s:b, s:i}", "name", "name", "label", "Name", "type", "text",
                                        "required", 1, "max", 160));
        title = json_array_get(fields, 0);
    }
    if (is_type(title, "text") || is_type(title, "email"))
        json_object_set_new(title, "required", json_true());
    put_str(entity, "titleField", json_str(title, "name", "name"));
    /* Lists and forms begin with the title, unless it is a reference that stands where the feature put it. */
    size_t at = 0;
    find_by(fields, "name", json_str(title, "name", ""), &at);
    if (at > 0 && is_type(title, "text")) {
        json_incref(title);
        json_array_remove(fields, at);
        json_array_insert_new(fields, 0, title);
    }
}

static void cap_fields(json_t *entity) {
    json_t *fields = json_object_get(entity, "fields");
    for (size_t i = json_array_size(fields); i-- > 0 && json_array_size(fields) > MAX_FIELDS;)
        if (!json_flag(json_array_get(fields, i), "required", false))
            json_array_remove(fields, i);
}

static void finish_fields(struct draft *draft, json_t *entity) {
    json_t *fields = json_object_get(entity, "fields");
    drop_by_condition(draft, fields);
    dedupe_fields(entity);
    for (size_t i = json_array_size(fields); i-- > 0;)
        if (is_type(json_array_get(fields, i), "ref"))
            resolve_reference(draft, entity, json_array_get(fields, i), i);
    size_t i;
    json_t *field;
    json_array_foreach (fields, i, field)
        finish_field(draft, field);
    finish_title(draft, entity);
    cap_fields(entity);
}

/* ---- order of dependency */

struct ordering {
    struct draft *draft;
    json_t *done;
    json_t *open; /* {key: true}: being visited */
};

/* Depth first; a reference back to one that is being visited would close a circle and goes. */
static void place_entity(struct ordering *ordering, json_t *entity) {
    const char *key = json_str(entity, "key", "");
    if (find_by(ordering->done, "key", key, NULL) || json_object_get(ordering->open, key))
        return;
    json_object_set_new(ordering->open, key, json_true());
    json_t *fields = json_object_get(entity, "fields");
    for (int required = 1; required >= 0; required--) {
        for (size_t i = 0; i < json_array_size(fields); i++) {
            const json_t *field = json_array_get(fields, i);
            const char *target = json_str(field, "entity", "");
            if (!is_type(field, "ref") || str_eq(target, key) || json_flag(field, "required", false) != (required == 1))
                continue;
            if (json_object_get(ordering->open, target))
                json_array_remove(fields, i--);
            else
                place_entity(ordering, draft_entity(ordering->draft, target));
        }
    }
    json_object_del(ordering->open, key);
    json_array_append(ordering->done, entity);
}

static void order_entities(struct draft *draft) {
    struct ordering ordering = {
        .draft = draft, .done = json_own(draft->arena, json_array()), .open = json_own(draft->arena, json_object())};
    size_t i;
    json_t *entity;
    json_array_foreach (draft->entities, i, entity)
        place_entity(&ordering, entity);
    draft->entities = ordering.done;
}

/* ---- names */

/* True if another entity has this slug, or a name that would be the same type in code. */
static bool is_taken(const struct draft *draft, const json_t *entity, const char *name, const char *slug) {
    size_t i;
    json_t *other;
    const char *pascal = text_camel(draft->arena, name);
    json_array_foreach (draft->entities, i, other) {
        if (other == entity)
            return false; /* only earlier ones bind */
        if (str_eq(json_str(other, "slug", ""), slug) ||
            str_eq(text_camel(draft->arena, json_str(other, "name", "")), pascal))
            return true;
    }
    return false;
}

static void free_name(struct draft *draft, json_t *entity) {
    const char *name = json_str(entity, "name", "Record"), *slug = json_str(entity, "slug", "");
    const char *base = str_eq(slug, "users") ? "Person" : arena_printf(draft->arena, "%s record", name);
    if (!text_slug(draft->arena, slug, 40) || !text_camel(draft->arena, name))
        base = "Record";
    else if (!is_reserved_slug(slug) && !is_taken(draft, entity, name, slug))
        return;
    for (int i = 1; i < 50; i++) {
        const char *next = i == 1 ? base : arena_printf(draft->arena, "%s %c", base, 'A' + i - 1);
        const char *plural = noun_plural(draft->arena, next);
        const char *next_slug = str_or(text_slug(draft->arena, plural, 48), "records");
        if (is_reserved_slug(next_slug) || is_taken(draft, entity, next, next_slug))
            continue;
        put_str(entity, "name", next);
        put_str(entity, "plural", plural);
        put_str(entity, "slug", next_slug);
        return;
    }
}

/* References and rules name keys until now, and slugs from now on. */
static void keys_to_slugs(struct draft *draft) {
    size_t i, j;
    json_t *entity, *item;
    json_array_foreach (draft->entities, i, entity) {
        json_array_foreach (json_object_get(entity, "fields"), j, item) {
            if (is_type(item, "ref"))
                put_str(item, "entity", json_str(draft_entity(draft, json_str(item, "entity", "")), "slug", ""));
        }
        json_array_foreach (json_object_get(entity, "rules"), j, item) {
            if (json_object_get(item, "from") && str_eq(json_str(item, "kind", ""), "rollup"))
                put_str(item, "from", json_str(draft_entity(draft, json_str(item, "from", "")), "slug", ""));
        }
    }
}

static void finish_capabilities(struct draft *draft) {
    static const char *const personal[] = {"roles", "notifications", "apiTokens"};
    for (size_t i = 0; i < ARRAY_LEN(personal); i++)
        if (!json_flag(draft->capabilities, "auth", false))
            json_object_set_new(draft->capabilities, personal[i], json_false());
    if (!json_flag(draft->capabilities, "roles", false))
        json_array_clear(draft->roles);
    draft_complete_roles(draft);
}

void draft_finish(struct draft *draft) {
    size_t i;
    json_t *entity;
    cap_entities(draft);
    finish_capabilities(draft);
    json_array_foreach (draft->entities, i, entity)
        finish_fields(draft, entity);
    order_entities(draft);
    json_array_foreach (draft->entities, i, entity)
        free_name(draft, entity);
    json_array_foreach (draft->entities, i, entity) {
        drop_by_condition(draft, json_object_get(entity, "rules"));
        finish_rules(draft, entity);
    }
    json_array_foreach (draft->entities, i, entity)
        draft_fill_all(draft, entity);
    finish_views(draft);
    keys_to_slugs(draft);
}
