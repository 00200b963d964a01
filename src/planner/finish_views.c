/* finish_views: views, cards and recent lists of a draft, with only what the plan has. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "planner/finish.h"
#include "planner/routes.h"

#define MAX_CARDS 6
#define MAX_RECENT 3

static const struct view_key {
    const char *kind, *key, *types;
    bool is_optional;
} view_keys[] = {
    {"board", "field", "choice", false},
    {"board", "group", "ref", true},
    {"calendar", "field", "date datetime", false},
    {"calendar", "end", "date datetime", true},
    {"timer", "start", "datetime", false},
    {"timer", "end", "datetime", false},
    {"timer", "subject", "ref", true},
    {"chat", "body", "longtext", false},
    {"chat", "room", "ref", false},
    {"map", "lat", "decimal", false},
    {"map", "lng", "decimal", false},
    {"report", "date", "date datetime", false},
    {"report", "field", "integer decimal money minutes rating", false},
    {"report", "by", "choice ref", true},
};

static bool is_listed(const char *types, const char *type) {
    const char *at = strstr(types, type);
    return *type && at && (at == types || at[-1] == ' ') && (at[strlen(type)] == 0 || at[strlen(type)] == ' ');
}

static bool fields_stand(json_t *view, const json_t *entity) {
    for (size_t i = 0; i < ARRAY_LEN(view_keys); i++) {
        const struct view_key *row = &view_keys[i];
        if (!str_eq(row->kind, json_str(view, "kind", "")))
            continue;
        const json_t *field = entity_field(entity, json_str(view, row->key, ""));
        if (field && is_listed(row->types, json_str(field, "type", "")))
            continue;
        if (!row->is_optional)
            return false;
        json_object_del(view, row->key);
    }
    return true;
}

static bool view_stands(struct draft *draft, json_t *view) {
    if (!draft_holds(draft, view, true))
        return false;
    const json_t *target = json_object_get(view, "entity");
    size_t count = json_is_array(target) ? json_array_size(target) : 1;
    for (size_t i = 0; i < count; i++) {
        const json_t *entity = draft_resolve(draft, json_is_array(target) ? json_array_get(target, i) : target, NULL);
        json_auto_t *attempt = json_deep_copy(view);
        if (!entity || !fields_stand(attempt, entity))
            continue;
        put_str(attempt, "entity", json_str(entity, "slug", ""));
        json_object_clear(view);
        json_object_update(view, attempt);
        return true;
    }
    return false;
}

static bool slug_is_free(const struct draft *draft, const char *slug, const json_t *view) {
    const json_t *there = find_by(draft->views, "slug", slug, NULL);
    return !is_reserved_slug(slug) && !find_by(draft->entities, "slug", slug, NULL) && (!there || there == view);
}

/* The same view twice (two features that both show tasks on a board) is one. */
static bool is_double(const struct draft *draft, size_t at) {
    const json_t *view = json_array_get(draft->views, at);
    for (size_t i = 0; i < at; i++) {
        const json_t *other = json_array_get(draft->views, i);
        if (str_eq(json_str(other, "kind", ""), json_str(view, "kind", "")) &&
            str_eq(json_str(other, "entity", ""), json_str(view, "entity", "")) &&
            json_equal(json_object_get(other, "field"), json_object_get(view, "field")) &&
            json_equal(json_object_get(other, "by"), json_object_get(view, "by")))
            return true;
    }
    return false;
}

static void free_view_slug(struct draft *draft, json_t *view) {
    const char *slug = str_or(text_slug(draft->arena, json_str(view, "slug", ""), 40), json_str(view, "kind", "view"));
    const char *base = slug;
    put_str(view, "key", json_str(view, "slug", "")); /* texts of the catalog go on naming it so */
    put_str(view, "slug", "");
    for (int i = 1; !slug_is_free(draft, slug, view); i++)
        slug = i == 1 ? arena_printf(draft->arena, "%s-%s", base, json_str(view, "kind", "view"))
                      : arena_printf(draft->arena, "%s-%s-%d", base, json_str(view, "kind", "view"), i);
    put_str(view, "slug", slug);
}

static bool card_stands(struct draft *draft, json_t *card) {
    const json_t *entity = draft_resolve(draft, json_object_get(card, "entity"), NULL);
    if (!entity || !draft_holds(draft, card, true) || !finish_where(entity, card))
        return false;
    if (json_flag(card, "flag", false) && !find_by(json_object_get(entity, "rules"), "kind", "threshold", NULL))
        return false;
    const json_t *field = entity_field(entity, json_str(card, "field", ""));
    if (!str_eq(json_str(card, "fn", ""), "count") &&
        !(field && is_listed("integer decimal money minutes rating", json_str(field, "type", ""))))
        return false;
    put_str(card, "entity", json_str(entity, "slug", ""));
    static const char *const internal[] = {"feature", "when", "unless"};
    for (size_t i = 0; i < ARRAY_LEN(internal); i++)
        json_object_del(card, internal[i]);
    return true;
}

static void finish_cards(struct draft *draft) {
    for (size_t i = 0; i < json_array_size(draft->cards);) {
        json_t *card = json_array_get(draft->cards, i);
        size_t first = i;
        if (card_stands(draft, card))
            find_by(draft->cards, "label", json_str(card, "label", ""), &first);
        else
            first = (size_t)-1;
        if (first != i)
            json_array_remove(draft->cards, i);
        else
            i++;
    }
    /* Entities that no card counts are counted, the most important first. */
    for (int64_t importance = 10; importance >= 4; importance--) {
        size_t i;
        json_t *entity;
        json_array_foreach (draft->entities, i, entity) {
            if (json_int(entity, "importance", 5) != importance || json_array_size(draft->cards) >= 4 ||
                find_by(draft->cards, "entity", json_str(entity, "slug", ""), NULL))
                continue;
            json_array_append_new(draft->cards, json_pack("{s:s, s:s, s:s}", "label", json_str(entity, "plural", ""),
                                                          "entity", json_str(entity, "slug", ""), "fn", "count"));
        }
    }
    while (json_array_size(draft->cards) > MAX_CARDS)
        json_array_remove(draft->cards, MAX_CARDS);
    draft_fill_all(draft, draft->cards);
}

static void finish_recent(struct draft *draft) {
    json_t *recent = json_own(draft->arena, json_array());
    size_t i;
    json_t *key, *entity;
    json_array_foreach (draft->recent, i, key) {
        entity = draft_entity(draft, str_or(json_string_value(key), ""));
        const char *slug = json_str(entity, "slug", NULL);
        if (slug && !is_in(recent, slug) && json_array_size(recent) < MAX_RECENT)
            json_array_append_new(recent, json_string(slug));
    }
    for (int64_t importance = 10; importance >= 4; importance--) {
        json_array_foreach (draft->entities, i, entity) {
            if (json_int(entity, "importance", 5) == importance && json_array_size(recent) < 2 &&
                !is_in(recent, json_str(entity, "slug", "")))
                json_array_append_new(recent, json_string(json_str(entity, "slug", "")));
        }
    }
    draft->recent = recent;
}

/* What a plan of plain records gains from what it holds: a map where there are coordinates, a calendar where there are
 * days. */
static void add_general_views(struct draft *draft) {
    size_t i, j;
    json_t *entity, *field;
    json_array_foreach (draft->entities, i, entity) {
        const char *slug = json_str(entity, "slug", "");
        bool is_free = json_array_size(draft->views) < 6;
        if (is_free && str_eq(json_str(entity_field(entity, "latitude"), "type", ""), "decimal") &&
            entity_field(entity, "longitude") && !find_by(draft->views, "kind", "map", NULL))
            json_array_append_new(draft->views, json_pack("{s:s, s:s+, s:s+, s:s, s:s, s:s, s:s}", "kind", "map",
                                                          "slug", slug, "-map", "title", json_str(entity, "plural", ""),
                                                          " on the map", "entity", slug, "lat", "latitude", "lng",
                                                          "longitude", "feature", json_str(entity, "feature", "")));
        if (json_array_size(draft->views) >= 4 || find_by(draft->views, "kind", "calendar", NULL) ||
            !str_eq(json_str(entity, "feature", ""), "records"))
            continue;
        json_array_foreach (json_object_get(entity, "fields"), j, field) {
            if (!is_listed("date datetime", json_str(field, "type", "")) || !json_flag(field, "required", false))
                continue;
            json_array_append_new(
                draft->views,
                json_pack("{s:s, s:s, s:s+, s:s, s:s, s:s}", "kind", "calendar", "slug", "calendar", "title",
                          "Calendar of ", text_lower_first(draft->arena, json_str(entity, "plural", "")), "entity",
                          slug, "field", json_str(field, "name", ""), "feature", json_str(entity, "feature", "")));
            break;
        }
    }
}

void finish_views(struct draft *draft) {
    for (size_t i = 0; i < json_array_size(draft->views);) {
        if (view_stands(draft, json_array_get(draft->views, i)) && !is_double(draft, i))
            i++;
        else
            json_array_remove(draft->views, i);
    }
    add_general_views(draft);
    draft_fill_all(draft, draft->views);
    size_t i;
    json_t *view;
    json_array_foreach (draft->views, i, view) {
        free_view_slug(draft, view);
        json_object_del(view, "when");
        json_object_del(view, "unless");
    }
    finish_cards(draft);
    finish_recent(draft);
}
