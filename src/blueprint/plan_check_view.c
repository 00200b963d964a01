/* plan_check_view: the views of a plan, and the fields they name. */
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "blueprint/decorate.h"
#include "blueprint/names.h"
#include "blueprint/plan_check.h"

static const char *const choices[] = {"choice", NULL}, *const refs[] = {"ref", NULL};
static const char *const days[] = {"date", "datetime", NULL}, *const instants[] = {"datetime", NULL};
static const char *const bodies[] = {"longtext", NULL}, *const places[] = {"decimal", NULL};
static const char *const groups[] = {"choice", "ref", NULL};

static const char *const report_functions[] = {"sum", "avg", NULL};

/* The fields that each kind of view names. */
static const struct view_field {
    const char *kind, *key;
    const char *const *types;
    bool is_optional;
} view_fields[] = {
    {.kind = "board", .key = "field", .types = choices},
    {.kind = "board", .key = "group", .types = refs, .is_optional = true},
    {.kind = "calendar", .key = "field", .types = days},
    {.kind = "calendar", .key = "end", .types = days, .is_optional = true},
    {.kind = "timer", .key = "start", .types = instants},
    {.kind = "timer", .key = "end", .types = instants},
    {.kind = "timer", .key = "subject", .types = refs, .is_optional = true},
    {.kind = "chat", .key = "body", .types = bodies},
    {.kind = "chat", .key = "room", .types = refs},
    {.kind = "map", .key = "lat", .types = places},
    {.kind = "map", .key = "lng", .types = places},
    {.kind = "report", .key = "date", .types = days},
    {.kind = "report", .key = "field", .types = plan_check_numeric},
    {.kind = "report", .key = "by", .types = groups, .is_optional = true},
};

static int check_page(const struct checker *checker, const json_t *view, const char *path) {
    const char *kind = json_str(view, "kind", "");
    const json_t *entity = NULL;
    int result = plan_check_entity(checker, view, path, "entity", &entity);
    for (size_t i = 0; i < ARRAY_LEN(view_fields) && result == 0; i++) {
        const struct view_field *row = &view_fields[i];
        if (!str_eq(row->kind, kind) || (row->is_optional && !json_object_get(view, row->key)))
            continue;
        result = plan_check_field(checker, view, path, row->key, entity, row->types, NULL);
    }
    if (result == 0 && str_eq(kind, "report") && json_object_get(view, "fn"))
        result = plan_check_one_of(checker, view, path, "fn", report_functions);
    return result;
}

static int check_card(const struct checker *checker, const json_t *card, const char *path) {
    const json_t *entity = NULL;
    int result;
    if ((result = plan_check_text(checker, card, path, "label")) < 0 ||
        (result = plan_check_entity(checker, card, path, "entity", &entity)) < 0 ||
        (result = plan_check_one_of(checker, card, path, "fn", plan_check_functions)) < 0 ||
        (result = plan_check_optional(checker, card, path, "flag", JSON_TRUE)) < 0 ||
        (result = plan_check_where(checker, card, path, entity)) < 0)
        return result;
    if (json_flag(card, "flag", false) && !view_find(json_object_get(entity, "rules"), "kind", "threshold"))
        return plan_check_fault(checker, plan_check_path(checker, path, "flag"), "%s has no threshold",
                                json_str(entity, "slug", ""));
    if (str_eq(json_str(card, "fn", NULL), "count"))
        return 0;
    return plan_check_field(checker, card, path, "field", entity, plan_check_numeric, NULL);
}

static int check_dashboard(const struct checker *checker, const json_t *view, const char *path) {
    const json_t *cards = json_object_get(view, "cards"), *recent = json_object_get(view, "recent");
    int result = plan_check_objects(checker, view, path, "cards");
    if (result == 0)
        result = plan_check_texts(checker, view, path, "recent");
    for (size_t i = 0; i < json_array_size(cards) && result == 0; i++)
        result = check_card(checker, json_array_get(cards, i), plan_check_item(checker, path, "cards", i));
    for (size_t i = 0; i < json_array_size(recent) && result == 0; i++) {
        const char *slug = json_string_value(json_array_get(recent, i));
        if (!view_find(checker->entities, "slug", slug))
            result = plan_check_fault(checker, plan_check_item(checker, path, "recent", i), "there is no entity \"%s\"",
                                      slug);
    }
    return result;
}

/* No page of the app or of an entity lies at the view's path. */
static int check_place(const struct checker *checker, const json_t *view, const char *path) {
    static const char *const reserved[] = {"api",     "users",  "sessions", "auth",   "sign-in",
                                           "sign-up", "search", "settings", "audit",  "notifications",
                                           "new",     "edit",   "health",   "tokens", "files"};
    const char *slug = json_str(view, "slug", ""), *at = plan_check_path(checker, path, "slug");
    int result = plan_check_slug(checker, view, path, "slug");
    if (result < 0)
        return result;
    if (!*name_from_letter(slug))
        return plan_check_fault(checker, at, "must have a letter");
    if (view_find(checker->entities, "slug", slug))
        return plan_check_fault(checker, at, "\"%s\" is an entity's", slug);
    if (view_find(json_object_get(checker->plan, "views"), "slug", slug) != view)
        return plan_check_fault(checker, at, "\"%s\" is there twice", slug);
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (str_eq(reserved[i], slug))
            return plan_check_fault(checker, at, "\"%s\" is reserved", slug);
    if (str_eq(slug, "dashboard") && !str_eq(json_str(view, "kind", NULL), "dashboard"))
        return plan_check_fault(checker, at, "\"%s\" is reserved", slug);
    return 0;
}

int plan_check_views(const struct checker *checker) {
    static const char *const kinds[] = {"board", "calendar", "timer", "chat", "map", "report", "dashboard", NULL};
    const json_t *views = json_object_get(checker->plan, "views");
    size_t dashboards = 0;
    int result = plan_check_objects(checker, checker->plan, "", "views");
    for (size_t i = 0; i < json_array_size(views) && result == 0; i++) {
        const json_t *view = json_array_get(views, i);
        const char *path = plan_check_item(checker, "", "views", i);
        if ((result = check_place(checker, view, path)) < 0 ||
            (result = plan_check_text(checker, view, path, "title")) < 0 ||
            (result = plan_check_one_of(checker, view, path, "kind", kinds)) < 0)
            return result;
        bool is_dashboard = str_eq(json_str(view, "kind", NULL), "dashboard");
        dashboards += is_dashboard;
        result = is_dashboard ? check_dashboard(checker, view, path) : check_page(checker, view, path);
    }
    if (result == 0 && dashboards != 1)
        result = plan_check_fault(checker, "views", "must hold exactly one dashboard");
    return result;
}
