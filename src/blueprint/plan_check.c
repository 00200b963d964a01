/* plan_check: the format of a whole plan. See docs/blueprints.md, "The plan". */
#include "blueprint/plan_check.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "blueprint/decorate.h"

enum { PLAN_VERSION = 1, MOST_MODULES = 8 };

static int check_head(const struct checker *checker) {
    static const char *const capabilities[] = {"auth",  "roles",     "search",        "csv",
                                               "audit", "apiTokens", "notifications", "uploads"};
    static const char *const starts[] = {"monday", "sunday", NULL};
    const json_t *plan = checker->plan, *settings = json_object_get(plan, "settings");
    int result;
    if (json_int(plan, "version", 0) != PLAN_VERSION)
        return plan_check_fault(checker, "version", "must be %d", PLAN_VERSION);
    if ((result = plan_check_text(checker, plan, "", "name")) < 0 ||
        (result = plan_check_slug(checker, plan, "", "slug")) < 0 ||
        (result = plan_check_optional(checker, plan, "", "tagline", JSON_STRING)) < 0 ||
        (result = plan_check_optional(checker, plan, "", "description", JSON_STRING)) < 0)
        return result;
    for (size_t i = 0; i < ARRAY_LEN(capabilities); i++)
        if (!json_is_boolean(json_object_get(checker->capabilities, capabilities[i])))
            return plan_check_fault(checker, plan_check_path(checker, "capabilities", capabilities[i]),
                                    "must be a boolean");
    if ((result = plan_check_text(checker, settings, "settings", "currency")) < 0 ||
        (result = plan_check_text(checker, settings, "settings", "theme")) < 0)
        return result;
    return plan_check_one_of(checker, settings, "settings", "weekStart", starts);
}

static int check_roles(const struct checker *checker) {
    static const char *const rights[] = {"all", "write", "read", NULL};
    const json_t *roles = json_object_get(checker->plan, "roles");
    int result = plan_check_objects(checker, checker->plan, "", "roles");
    for (size_t i = 0; i < json_array_size(roles) && result == 0; i++) {
        const json_t *role = json_array_get(roles, i);
        const char *path = plan_check_item(checker, "", "roles", i);
        if ((result = plan_check_slug(checker, role, path, "value")) < 0 ||
            (result = plan_check_text(checker, role, path, "label")) < 0)
            return result;
        result = plan_check_one_of(checker, role, path, "can", rights);
    }
    if (result == 0 && json_flag(checker->capabilities, "roles", false) &&
        (!view_find(roles, "value", "admin") || !view_find(roles, "value", "member")))
        result = plan_check_fault(checker, "roles", "must hold admin and member");
    return result;
}

/* Marks the slugs of one list of a module as placed; none may be placed twice. */
static int place(const struct checker *checker, const json_t *module, const char *path, const char *key,
                 const json_t *things, json_t *placed) {
    const json_t *slugs = json_object_get(module, key);
    int result = plan_check_texts(checker, module, path, key);
    for (size_t i = 0; i < json_array_size(slugs) && result == 0; i++) {
        const char *slug = json_string_value(json_array_get(slugs, i)), *at = plan_check_item(checker, path, key, i);
        const json_t *thing = view_find(things, "slug", slug);
        if (!thing || str_eq(json_str(thing, "kind", NULL), "dashboard"))
            result = plan_check_fault(checker, at, "there is no \"%s\" to place", slug);
        else if (json_object_get(placed, slug))
            result = plan_check_fault(checker, at, "\"%s\" is placed twice", slug);
        else
            view_add_flag(placed, slug, true);
    }
    return result;
}

static int check_placed(const struct checker *checker, const json_t *things, const json_t *placed) {
    for (size_t i = 0; i < json_array_size(things); i++) {
        const json_t *thing = json_array_get(things, i);
        const char *slug = json_str(thing, "slug", "");
        if (!json_object_get(placed, slug) && !str_eq(json_str(thing, "kind", NULL), "dashboard"))
            return plan_check_fault(checker, "modules", "\"%s\" is in none", slug);
    }
    return 0;
}

static int check_modules(const struct checker *checker) {
    const json_t *modules = json_object_get(checker->plan, "modules");
    const json_t *views = json_object_get(checker->plan, "views");
    json_t *placed = json_own(checker->arena, json_object());
    int result = plan_check_objects(checker, checker->plan, "", "modules");
    if (result == 0 && json_array_size(modules) > MOST_MODULES)
        result = plan_check_fault(checker, "modules", "must be at most %d", MOST_MODULES);
    for (size_t i = 0; i < json_array_size(modules) && result == 0; i++) {
        const json_t *module = json_array_get(modules, i);
        const char *path = plan_check_item(checker, "", "modules", i);
        if ((result = plan_check_slug(checker, module, path, "slug")) < 0 ||
            (result = plan_check_text(checker, module, path, "title")) < 0 ||
            (result = place(checker, module, path, "entities", checker->entities, placed)) < 0)
            return result;
        if (view_find(modules, "slug", json_str(module, "slug", NULL)) != module)
            return plan_check_fault(checker, plan_check_path(checker, path, "slug"), "is there twice");
        result = place(checker, module, path, "views", views, placed);
    }
    if (result == 0)
        result = check_placed(checker, checker->entities, placed);
    return result < 0 ? result : check_placed(checker, views, placed);
}

/* What only the planner and verification read: that it has the right shape. */
static int check_lists(const struct checker *checker) {
    static const char *const objects[] = {"features", "routes", "setup", "checks", "criteria", "answers"};
    int result = plan_check_texts(checker, checker->plan, "", "openPoints");
    for (size_t i = 0; i < ARRAY_LEN(objects) && result == 0; i++)
        result = plan_check_objects(checker, checker->plan, "", objects[i]);
    return result;
}

int plan_check(const json_t *plan, struct arena *arena, struct err *err) {
    const struct checker checker = {
        .plan = plan,
        .entities = json_object_get(plan, "entities"),
        .capabilities = json_object_get(plan, "capabilities"),
        .arena = arena,
        .err = err,
    };
    int result = json_is_object(plan) ? 0 : plan_check_fault(&checker, "", "must be an object");
    if (result < 0 || (result = check_head(&checker)) < 0 || (result = check_roles(&checker)) < 0 ||
        (result = plan_check_entities(&checker)) < 0 || (result = plan_check_views(&checker)) < 0 ||
        (result = check_modules(&checker)) < 0)
        return result;
    return check_lists(&checker);
}
