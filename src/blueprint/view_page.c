/* view_page: a view of the plan (board, calendar, dashboard …) with its entity and fields. */
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "blueprint/decorate.h"
#include "blueprint/names.h"

/* What a card on a board shows beside its title. */
static bool is_on_card(const json_t *field, const json_t *page) {
    static const char *const kinds[] = {"choice", "reference", "date", "datetime", "money", "minutes"};
    const char *name = json_str(field, "name", "");
    if (str_eq(name, json_str(page, "field", NULL)) || str_eq(name, json_str(page, "group", NULL)))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (view_field_is(field, kinds[i]))
            return true;
    return false;
}

static void add_board(json_t *page, const json_t *entity) {
    const json_t *cells = json_object_get(entity, "cellFields");
    json_t *shown = json_array(), *choices = json_array();
    for (size_t i = 0; i < json_array_size(cells); i++)
        if (is_on_card(json_array_get(cells, i), page))
            json_array_append_new(shown, json_copy(json_array_get(cells, i)));
    view_number(shown);
    bool has_values = false;
    for (size_t i = 0; i < json_array_size(shown); i++)
        if (view_field_is(json_array_get(shown, i), "choice"))
            json_array_append(choices, json_array_get(shown, i));
    for (size_t i = 0; i < json_array_size(shown); i++)
        has_values = has_values || !view_field_is(json_array_get(shown, i), "reference");
    view_add_flag(page, "hasCardValues", has_values);
    json_object_set_new(page, "cardFields", shown);
    json_object_set_new(page, "cardChoices", choices);
}

static json_t *page_of(const json_t *source, const json_t *entities, struct arena *arena) {
    static const char *const keys[] = {"field", "group", "end", "start", "subject", "body",
                                       "room",  "lat",   "lng", "date",  "by"};
    json_t *page = json_copy((json_t *)source);
    const char *slug = json_str(source, "slug", ""), *type = name_pascal(arena, slug);
    const char *entity_slug = json_str(source, "entity", NULL);
    const json_t *entity = view_find(entities, "slug", entity_slug);
    view_add_text(page, "path", arena_printf(arena, "/%s", slug));
    view_add_text(page, "var", name_lower_first(arena, type));
    view_add_text(page, "Type", arena_printf(arena, "%s%s", *slug < 'a' ? "View" : "", name_from_letter(type)));
    view_add_literals(arena, page, "title", "slug", NULL);
    if (!entity)
        return page;
    view_add_text(page, "entitySlug", entity_slug);
    view_add(page, "entity", entity);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const json_t *field = view_field(entity, json_str(source, keys[i], NULL));
        view_add(page, arena_printf(arena, "%sField", keys[i]), field);
    }
    if (str_eq(json_str(source, "kind", NULL), "board"))
        add_board(page, entity);
    if (str_eq(json_str(source, "kind", NULL), "report"))
        json_object_set_new(page, "fnIs", view_flags(json_str(source, "fn", "sum"), "sum", "avg", NULL));
    if (str_eq(json_str(source, "kind", NULL), "timer")) {
        view_add(page, "minutesField", view_first_field(entity, "minutes"));
        view_add(page, "userField", view_first_field(entity, "user"));
    }
    return page;
}

/* The query by which the list shows what the card counts, where it can. */
static const char *query_of(const json_t *card, struct arena *arena) {
    const json_t *where = json_object_get(card, "where"), *values = json_object_get(where, "in");
    if (json_flag(card, "flag", false))
        return "?flag=1";
    if (json_array_size(values) != 1)
        return "";
    return arena_printf(arena, "?%s=%s", json_str(where, "field", ""),
                        str_url_encode(arena, literal_plain(arena, json_array_get(values, 0))));
}

static json_t *card_of(const json_t *source, const json_t *entities, struct arena *arena) {
    json_t *card = json_copy((json_t *)source);
    const json_t *entity = view_find(entities, "slug", json_str(source, "entity", NULL));
    const json_t *field = view_field(entity, json_str(source, "field", NULL));
    const json_t *where = json_object_get(source, "where");
    const char *fn = json_str(source, "fn", "");
    view_add(card, "entitySlug", json_object_get(source, "entity"));
    view_add(card, "entity", entity);
    view_add(card, "fieldField", field);
    view_add_flag(card, "hasWhere", where);
    view_add_flag(card, "isFlag", json_flag(source, "flag", false));
    view_add_flag(card, "hasCondition", where || json_flag(source, "flag", false));
    view_add_text(card, "query", query_of(source, arena));
    view_add_where(arena, card, where, entity);
    json_object_set_new(card, "fnIs", view_flags(fn, "count", "sum", "avg", NULL));
    json_object_set_new(card, "typeIs",
                        view_numeric_flags(str_eq(fn, "count") ? "integer" : json_str(field, "type", NULL)));
    view_add_literals(arena, card, "label", NULL);
    return card;
}

static void add_once(json_t *list, json_t *entity) {
    if (!view_find(list, "slug", json_str(entity, "slug", NULL)))
        json_array_append(list, entity);
}

static bool some_type(const json_t *cards, const char *type) {
    for (size_t i = 0; i < json_array_size(cards); i++)
        if (json_flag(json_object_get(json_array_get(cards, i), "typeIs"), type, false))
            return true;
    return false;
}

static void add_dashboard(json_t *page, const json_t *entities, struct arena *arena) {
    const json_t *given = json_object_get(page, "cards"), *slugs = json_object_get(page, "recent");
    json_t *cards = json_array(), *recent = json_array(), *shown = json_array(), *has = json_object();
    for (size_t i = 0; i < json_array_size(given); i++) {
        json_t *card = card_of(json_array_get(given, i), entities, arena);
        add_once(shown, json_object_get(card, "entity"));
        json_array_append_new(cards, card);
    }
    for (size_t i = 0; i < json_array_size(slugs); i++) {
        json_t *entity = view_find(entities, "slug", json_string_value(json_array_get(slugs, i)));
        json_t *item = json_object();
        view_add(item, "entity", entity);
        add_once(shown, entity);
        json_array_append_new(recent, item);
    }
    view_add_flag(has, "cards", json_array_size(cards));
    view_add_flag(has, "recent", json_array_size(recent));
    view_add_flag(has, "money", some_type(cards, "money"));
    view_add_flag(has, "minutes", some_type(cards, "minutes"));
    view_number(cards);
    view_number(recent);
    json_object_set_new(page, "cards", cards);
    json_object_set_new(page, "recent", recent);
    json_object_set_new(page, "entities", view_numbered(shown));
    json_object_set_new(page, "has", has);
    json_decref(shown);
}

json_t *decorate_page(const json_t *source, const json_t *entities, struct arena *arena) {
    json_t *page = page_of(source, entities, arena);
    if (str_eq(json_str(source, "kind", NULL), "dashboard"))
        add_dashboard(page, entities, arena);
    return page;
}
