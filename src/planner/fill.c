/* fill: replaces {tasks.name} and the like in texts of the catalog by what the draft calls them. */
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "planner/draft.h"

/* The entity as the catalog has it, for texts that speak of one that this plan has not. */
static const json_t *catalog_entity(const struct draft *draft, const char *key) {
    size_t i;
    json_t *feature;
    json_array_foreach (catalog_features(draft->planner->catalog), i, feature) {
        const json_t *found = find_by(json_object_get(feature, "entities"), "key", key, NULL);
        if (found)
            return found;
    }
    return NULL;
}

static const char *entity_text(struct draft *draft, const json_t *entity, const char *what) {
    const char *name = json_str(entity, "name", "");
    const char *plural = json_str(entity, "plural", NULL);
    if (!plural)
        plural = noun_plural(draft->arena, name);
    if (str_eq(what, "slug"))
        return json_str(entity, "slug", json_str(entity, "key", ""));
    if (str_eq(what, "name"))
        return name;
    if (str_eq(what, "plural"))
        return plural;
    if (str_eq(what, "nameLower"))
        return text_lower_first(draft->arena, name);
    if (str_eq(what, "pluralLower"))
        return text_lower_first(draft->arena, plural);
    if (str_eq(what, "aName"))
        return text_article(draft->arena, text_lower_first(draft->arena, name));
    return NULL;
}

/* An option is an object or, before finishing, "Label|tone". */
static const char *option_text(struct draft *draft, const json_t *option, bool is_value) {
    if (json_is_object(option))
        return json_str(option, is_value ? "value" : "label", "");
    const char *text = str_or(json_string_value(option), "");
    const char *bar = strchr(text, '|');
    const char *label = bar ? arena_strndup(draft->arena, text, (size_t)(bar - text)) : text;
    return is_value ? str_or(text_slug(draft->arena, label, 40), "") : label;
}

static const char *field_text(struct draft *draft, const json_t *field, const char *what, bool is_value) {
    const json_t *options = json_object_get(field, "options");
    size_t count = json_array_size(options);
    if (str_eq(what, "label"))
        return json_str(field, "label", json_str(field, "name", ""));
    if (str_eq(what, "name"))
        return json_str(field, "name", "");
    if (str_eq(what, "first") && count > 0)
        return option_text(draft, json_array_get(options, 0), is_value);
    if (str_eq(what, "last") && count > 0)
        return option_text(draft, json_array_get(options, count - 1), is_value);
    return NULL;
}

/* "tasks.status.first.value" in parts; NULL if it names nothing that is known. */
static const char *lookup(struct draft *draft, const char *path) {
    char **parts;
    size_t count;
    str_split(draft->arena, path, ".", &parts, &count);
    if (count < 2 || count > 4)
        return NULL;
    const json_t *view = find_by(draft->views, "key", parts[0], NULL);
    if (!view)
        view = find_by(draft->views, "slug", parts[0], NULL);
    json_auto_t *key = json_string(parts[0]);
    const json_t *entity = draft_resolve(draft, key, NULL);
    if (!entity && view && count == 2)
        return json_str(view, parts[1], NULL);
    if (!entity)
        entity = catalog_entity(draft, parts[0]);
    if (!entity)
        return NULL;
    if (count == 2)
        return entity_text(draft, entity, parts[1]);
    const json_t *field = entity_field(entity, parts[1]);
    return field ? field_text(draft, field, parts[2], count == 4 && str_eq(parts[3], "value")) : NULL;
}

static bool is_path(const char *text, size_t len) {
    bool has_dot = false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '.')
            has_dot = true;
        else if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-@", text[i]))
            return false;
    }
    return has_dot;
}

const char *draft_fill(struct draft *draft, const char *text) {
    if (!text || !strchr(text, '{'))
        return text;
    CLEANUP(buf_release) struct buf out = {0};
    for (const char *at = text; *at; at++) {
        const char *end = *at == '{' && (at == text || at[-1] != '$') ? strchr(at, '}') : NULL;
        if (end && is_path(at + 1, (size_t)(end - at - 1))) {
            const char *value = lookup(draft, arena_strndup(draft->arena, at + 1, (size_t)(end - at - 1)));
            if (value) {
                buf_puts(&out, value);
                at = end;
                continue;
            }
        }
        buf_putc(&out, *at);
    }
    return arena_strdup(draft->arena, out.data);
}

void draft_fill_all(struct draft *draft, json_t *value) {
    size_t i;
    const char *key;
    json_t *item;
    if (json_is_array(value)) {
        json_array_foreach (value, i, item) {
            if (json_is_string(item))
                json_array_set_new(value, i, json_string(draft_fill(draft, json_string_value(item))));
            else
                draft_fill_all(draft, item);
        }
    } else if (json_is_object(value)) {
        json_object_foreach (value, key, item) {
            if (json_is_string(item))
                json_string_set(item, draft_fill(draft, json_string_value(item)));
            else
                draft_fill_all(draft, item);
        }
    }
}
