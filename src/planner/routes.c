/* routes: every page and API call of a plan's app, by the conventions of docs/blueprints.md. */
#include "planner/routes.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

struct routes {
    struct draft *draft;
    json_t *plan;
    json_t *rows;
    bool auth;
};

static void add(struct routes *routes, const char *method, const char *path, bool is_open, const char *summary) {
    const char *kind = str_starts(path, "/api/") ? "api" : "page";
    json_array_append_new(routes->rows, json_pack("{s:s, s:s, s:s, s:b, s:s}", "method", method, "path", path, "kind",
                                                  kind, "auth", routes->auth && !is_open, "summary", summary));
}

#define text(routes, ...) arena_printf((routes)->draft->arena, __VA_ARGS__)

static void add_entity(struct routes *routes, const json_t *entity) {
    struct arena *arena = routes->draft->arena;
    const char *slug = json_str(entity, "slug", "");
    const char *one = text_lower_first(arena, json_str(entity, "name", "")),
               *many = text_lower_first(arena, json_str(entity, "plural", ""));
    const char *a_one = text_article(arena, one);
    add(routes, "GET", text(routes, "/%s", slug), false,
        text(routes, "List of %s, with search, filters and pages", many));
    add(routes, "GET", text(routes, "/%s/new", slug), false, text(routes, "Form for a new %s", one));
    add(routes, "GET", text(routes, "/%s/[id]", slug), false, text(routes, "One %s and what belongs to it", one));
    add(routes, "GET", text(routes, "/%s/[id]/edit", slug), false, text(routes, "Form to change %s", a_one));
    add(routes, "GET", text(routes, "/api/%s", slug), false, text(routes, "A page of %s", many));
    add(routes, "POST", text(routes, "/api/%s", slug), false, text(routes, "Creates %s", a_one));
    if (json_flag(json_object_get(routes->plan, "capabilities"), "csv", false)) {
        add(routes, "GET", text(routes, "/api/%s/export", slug), false, text(routes, "All %s as CSV", many));
        add(routes, "POST", text(routes, "/api/%s/import", slug), false, text(routes, "Creates %s from CSV", many));
    }
    add(routes, "GET", text(routes, "/api/%s/[id]", slug), false, text(routes, "One %s", one));
    add(routes, "PATCH", text(routes, "/api/%s/[id]", slug), false,
        text(routes, "Changes what the body names of %s", a_one));
    add(routes, "DELETE", text(routes, "/api/%s/[id]", slug), false, text(routes, "Deletes %s", a_one));
}

static void add_view(struct routes *routes, const json_t *view) {
    const char *slug = json_str(view, "slug", ""), *kind = json_str(view, "kind", "");
    if (str_eq(kind, "dashboard"))
        return;
    add(routes, "GET", text(routes, "/%s", slug), false, json_str(view, "title", ""));
    if (str_eq(kind, "timer")) {
        add(routes, "POST", text(routes, "/api/%s/start", slug), false, "Starts the timer");
        add(routes, "POST", text(routes, "/api/%s/stop", slug), false, "Stops the timer");
    }
    if (str_eq(kind, "report"))
        add(routes, "GET", text(routes, "/api/%s", slug), false,
            text(routes, "%s: sums by month and by group", json_str(view, "title", "")));
}

/* What is there because a capability is on. */
static const struct capability_route {
    const char *capability, *method, *path, *summary;
    bool is_open;
} capability_routes[] = {
    {"auth", "GET", "/sign-in", "Form to sign in", true},
    {"auth", "GET", "/sign-up", "Form to make an account", true},
    {"auth", "POST", "/api/auth/sign-up", "Makes an account and signs in", true},
    {"auth", "POST", "/api/auth/sign-in", "Signs in", true},
    {"auth", "POST", "/api/auth/sign-out", "Ends the session", true},
    {"auth", "GET", "/api/auth/me", "Who is signed in", true},
    {"roles", "GET", "/settings/users", "People and their roles", false},
    {"roles", "GET", "/api/users", "All people with their roles", false},
    {"roles", "PATCH", "/api/users/[id]", "Changes the role of a person", false},
    {"search", "GET", "/search", "Finds records of every kind", false},
    {"search", "GET", "/api/search", "Finds records of every kind", false},
    {"audit", "GET", "/audit", "Who changed what", false},
    {"audit", "GET", "/api/audit", "Who changed what", false},
    {"notifications", "GET", "/notifications", "What happened since", false},
    {"notifications", "GET", "/api/notifications", "What happened since, and how much of it is unread", false},
    {"notifications", "POST", "/api/notifications/read", "Marks all as read", false},
    {"apiTokens", "GET", "/settings/tokens", "API tokens", false},
    {"apiTokens", "GET", "/api/tokens", "API tokens without their secrets", false},
    {"apiTokens", "POST", "/api/tokens", "Makes an API token and shows it once", false},
    {"apiTokens", "DELETE", "/api/tokens/[id]", "Takes an API token back", false},
    {"uploads", "POST", "/api/files", "Stores a file", false},
    {"uploads", "GET", "/api/files/[name]", "A stored file", false},
};

void plan_add_routes(struct draft *draft, json_t *plan) {
    const json_t *capabilities = json_object_get(plan, "capabilities");
    struct routes routes = {.draft = draft,
                            .plan = plan,
                            .rows = json_object_get(plan, "routes"),
                            .auth = json_flag(capabilities, "auth", false)};
    size_t i;
    json_t *item;
    add(&routes, "GET", "/", false, "Dashboard");
    json_array_foreach (json_object_get(plan, "entities"), i, item)
        add_entity(&routes, item);
    json_array_foreach (json_object_get(plan, "views"), i, item)
        add_view(&routes, item);
    for (i = 0; i < ARRAY_LEN(capability_routes); i++) {
        const struct capability_route *row = &capability_routes[i];
        if (json_flag(capabilities, row->capability, false))
            add(&routes, row->method, row->path, row->is_open, row->summary);
    }
    add(&routes, "GET", "/settings", false, "Settings");
    add(&routes, "GET", "/api/health", true, "Whether the app is up");
}

static const char *const reserved[] = {"api",    "users",    "sessions",      "auth",       "sign-in", "sign-up",
                                       "search", "settings", "audit",         "dashboard",  "new",     "edit",
                                       "health", "tokens",   "notifications", "api-tokens", "files",   "migrations"};

bool is_reserved_slug(const char *slug) {
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (str_eq(reserved[i], slug))
            return true;
    return false;
}
