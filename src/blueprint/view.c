/* view: the plan, decorated. The members are listed in docs/blueprints.md, "The view". */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "blueprint/blueprint.h"
#include "blueprint/decorate.h"
#include "blueprint/field_type.h"
#include "blueprint/names.h"

static const char *const page_kinds[] = {"board", "calendar", "timer", "chat", "map", "report", "dashboard"};
static const char *const rule_kinds[] = {"unique", "order", "capacity", "credit", "threshold", "rollup"};

/* Hues of OKLCH. */
static const struct theme {
    const char *name;
    int hue;
} themes[] = {
    {"indigo", 272}, {"blue", 255}, {"sky", 235},    {"cyan", 215},   {"teal", 190},  {"emerald", 163},
    {"green", 150},  {"lime", 128}, {"amber", 75},   {"yellow", 90},  {"orange", 52}, {"red", 25},
    {"rose", 12},    {"pink", 350}, {"purple", 305}, {"violet", 290}, {"slate", 257},
};

static void add_settings(json_t *view, const json_t *plan, struct arena *arena) {
    const json_t *settings = json_object_get(plan, "settings");
    const char *theme = json_str(settings, "theme", "");
    int hue = themes[0].hue;
    for (size_t i = 0; i < ARRAY_LEN(themes); i++)
        if (str_eq(themes[i].name, theme))
            hue = themes[i].hue;
    json_object_set_new(view, "themeHue", json_integer(hue));
    json_object_set_new(view, "themeChroma", json_real(str_eq(theme, "slate") ? 0.05 : 0.19));
    view_add_text(view, "currencyJson", literal_text(arena, json_str(settings, "currency", "")));
    json_object_set_new(view, "weekStartDay",
                        json_integer(str_eq(json_str(settings, "weekStart", ""), "sunday") ? 0 : 1));
}

/* For what must be undone in the opposite order of making. */
static void add_reversed(json_t *view, const json_t *entities) {
    json_t *reversed = json_array();
    for (size_t i = json_array_size(entities); i-- > 0;)
        json_array_append(reversed, json_array_get(entities, i));
    json_object_set_new(view, "entitiesReversed", view_numbered(reversed));
    json_decref(reversed);
}

static void add_initial(json_t *view, const char *name) {
    char initial[2] = "A";
    size_t at = strcspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    if (name[at])
        initial[0] = (char)(name[at] >= 'a' && name[at] <= 'z' ? name[at] - ('a' - 'A') : name[at]);
    view_add_text(view, "initial", initial);
}

static void add_roles(json_t *view, const json_t *plan, struct arena *arena) {
    const json_t *given = json_object_get(plan, "roles");
    json_t *roles = json_array(), *plain = json_array(), *writers = json_array();
    for (size_t i = 0; i < json_array_size(given); i++) {
        static const char *const members[] = {"value", "label", "can"};
        const json_t *source = json_array_get(given, i);
        const char *can = json_str(source, "can", "");
        json_t *role = json_copy((json_t *)source), *bare = json_object();
        for (size_t m = 0; m < ARRAY_LEN(members); m++)
            view_add(bare, members[m], json_object_get(source, members[m]));
        json_array_append_new(plain, bare);
        view_add_literals(arena, role, "value", "label", "can", NULL);
        json_object_set_new(role, "canIs", view_flags(can, "all", "write", "read", NULL));
        json_array_append_new(roles, role);
        if (!str_eq(can, "read")) {
            json_t *writer = json_object();
            view_add(writer, "value", json_object_get(source, "value"));
            json_array_append_new(writers, writer);
        }
    }
    view_number(roles);
    view_number(writers);
    json_object_set_new(view, "roles", roles);
    json_object_set_new(view, "rolesWrite", writers);
    view_add_text(view, "rolesJson", literal_json(arena, plain));
    json_decref(plain);
}

static void add_pages(json_t *view, const json_t *pages) {
    json_t *others = json_array();
    for (size_t i = 0; i < json_array_size(pages); i++)
        if (!str_eq(json_str(json_array_get(pages, i), "kind", NULL), "dashboard"))
            json_array_append(others, json_array_get(pages, i));
    json_object_set_new(view, "views", view_numbered(pages));
    json_object_set_new(view, "pageViews", view_numbered(others));
    view_add(view, "dashboard", view_find(pages, "kind", "dashboard"));
    json_decref(others);
}

static bool some_entity_has(const json_t *entities, const char *key) {
    for (size_t i = 0; i < json_array_size(entities); i++)
        if (json_flag(json_object_get(json_array_get(entities, i), "has"), key, false))
            return true;
    return false;
}

static void add_has(json_t *view, const json_t *plan, const json_t *entities, const json_t *pages) {
    json_t *has = json_copy(json_object_get(plan, "capabilities"));
    for (size_t i = 0; i < ARRAY_LEN(page_kinds); i++)
        view_add_flag(has, page_kinds[i], view_find(pages, "kind", page_kinds[i]));
    for (size_t i = 0; i < field_type_count; i++)
        view_add_flag(has, field_types[i].name, some_entity_has(entities, field_types[i].name));
    for (size_t i = 0; i < ARRAY_LEN(rule_kinds); i++)
        view_add_flag(has, rule_kinds[i], some_entity_has(entities, rule_kinds[i]));
    json_object_set_new(view, "has", has);
}

static json_t *link_to(const char *title, const char *href, const char *kind, struct arena *arena) {
    json_t *item = json_object();
    view_add_text(item, "title", title);
    view_add_text(item, "href", href);
    view_add_text(item, "kind", kind);
    view_add_literals(arena, item, "title", "href", "kind", NULL);
    return item;
}

static json_t *links_of(const json_t *module, const json_t *entities, const json_t *pages, struct arena *arena) {
    const json_t *views = json_object_get(module, "views"), *slugs = json_object_get(module, "entities");
    json_t *items = json_array();
    for (size_t i = 0; i < json_array_size(views); i++) {
        const json_t *page = view_find(pages, "slug", json_string_value(json_array_get(views, i)));
        json_array_append_new(
            items, link_to(json_str(page, "title", ""), json_str(page, "path", ""), json_str(page, "kind", ""), arena));
    }
    for (size_t i = 0; i < json_array_size(slugs); i++) {
        const char *slug = json_string_value(json_array_get(slugs, i));
        const json_t *entity = view_find(entities, "slug", slug);
        json_array_append_new(
            items, link_to(json_str(entity, "plural", ""), arena_printf(arena, "/%s", slug), "entity", arena));
    }
    view_number(items);
    return items;
}

static void add_navigation(json_t *view, const json_t *plan, const json_t *entities, const json_t *pages,
                           struct arena *arena) {
    const json_t *modules = json_object_get(plan, "modules");
    json_t *navigation = json_array();
    for (size_t i = 0; i < json_array_size(modules); i++) {
        const json_t *module = json_array_get(modules, i);
        json_t *group = json_object();
        view_add(group, "title", json_object_get(module, "title"));
        view_add_literals(arena, group, "title", NULL);
        json_object_set_new(group, "items", links_of(module, entities, pages, arena));
        json_array_append_new(navigation, group);
    }
    view_number(navigation);
    json_object_set_new(view, "moduleNav", navigation);
}

int blueprint_view(const json_t *plan, struct arena *arena, json_t **out, struct err *err) {
    int result = plan_check(plan, arena, err);
    if (result < 0)
        return result;
    const json_t *capabilities = json_object_get(plan, "capabilities"), *given = json_object_get(plan, "views");
    json_t *view = json_copy((json_t *)plan), *pages = json_array();
    json_t *entities = decorate_entities(plan, arena);
    for (size_t i = 0; i < json_array_size(given); i++)
        json_array_append_new(pages, decorate_page(json_array_get(given, i), entities, arena));
    json_object_set_new(view, "entities", view_numbered(entities));
    add_reversed(view, entities);
    view_add_literals(arena, view, "name", "tagline", "slug", NULL);
    view_add_flag(view, "tracksChanges",
                  json_flag(capabilities, "audit", false) || json_flag(capabilities, "notifications", false));
    add_initial(view, json_str(plan, "name", ""));
    add_settings(view, plan, arena);
    add_roles(view, plan, arena);
    add_pages(view, pages);
    add_has(view, plan, entities, pages);
    add_navigation(view, plan, entities, pages, arena);
    json_decref(entities);
    json_decref(pages);
    *out = json_own(arena, view);
    return 0;
}
