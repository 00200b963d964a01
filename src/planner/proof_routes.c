/* proof_routes: the first rows of an app, and the check that goes over every one of its routes. */
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "planner/proof.h"

#define TEXT(...) arena_printf(proof->arena, __VA_ARGS__)

void proof_setup(struct proof *proof) {
    proof->steps = json_object_get(proof->plan, "setup");
    proof->prefix = "base_";
    if (proof_has(proof, "auth")) {
        proof->as = "owner";
        json_t *step = proof_sign_up(proof, "owner", "Olga Owner", "olga@example.com");
        proof_save(step, "owner_id", "user.id");
    }
    size_t i;
    json_t *entity;
    json_array_foreach (json_object_get(proof->plan, "entities"), i, entity)
        proof_row(proof, TEXT("A first %s", text_lower_first(proof->arena, json_str(entity, "name", ""))), entity, NULL,
                  proof_base(proof, json_str(entity, "slug", "")));
}

/* The path of a route with its [id] filled in, or NULL where another step has to go first. */
static const char *concrete_path(struct proof *proof, const char *path) {
    const char *open = strstr(path, "/[id]");
    if (!open)
        return path;
    const char *slug = path + (str_starts(path, "/api/") ? 5 : 1);
    const char *entity = arena_strndup(proof->arena, slug, (size_t)(open - slug));
    return TEXT("%.*s/${%s}%s", (int)(open - path), path, proof_base(proof, entity), open + 5);
}

static void route_of_entity(struct proof *proof, const json_t *entity, const char *method, const char *path) {
    const char *slug = json_str(entity, "slug", ""), *route_id = TEXT("/api/%s/[id]", slug), *ignored;
    json_t *step;
    if (str_ends(path, "/import")) {
        proof_import(proof, entity, &ignored);
        return;
    }
    if (str_eq(method, "POST")) {
        proof_row(proof, TEXT("POST %s", path), entity, NULL, TEXT("routes_%s", proof_base(proof, slug)));
        return;
    }
    if (str_eq(method, "DELETE") || str_eq(method, "PATCH")) {
        json_t *body = str_eq(method, "PATCH") ? json_object() : NULL;
        step = proof_step(proof, TEXT("%s %s", method, path), method,
                          TEXT("/api/%s/${routes_%s}", slug, proof_base(proof, slug)), body, body ? 200 : 204);
        proof_route(step, method, route_id);
        return;
    }
    step = proof_step(proof, TEXT("GET %s", path), "GET", concrete_path(proof, path), NULL, 200);
    proof_route(step, "GET", path);
}

/* Routes that need more than being asked. False: a plain GET does. */
static bool special_route(struct proof *proof, const char *method, const char *path) {
    json_t *step = NULL;
    if (str_eq(path, "/api/auth/sign-up"))
        step = proof_sign_up(proof, "routes", "Rosa Routes", "rosa@example.com");
    else if (str_eq(path, "/api/auth/sign-in"))
        step = proof_step_as(proof, "routes", "POST /api/auth/sign-in", "POST", path,
                             json_pack("{s:s, s:s}", "email", "rosa@example.com", "password", PROOF_PASSWORD), 200);
    else if (str_eq(path, "/api/auth/sign-out"))
        step = proof_step_as(proof, "routes", "POST /api/auth/sign-out", "POST", path, json_object(), 204);
    else if (str_eq(path, "/sign-in") || str_eq(path, "/sign-up"))
        step = proof_step_as(proof, NULL, TEXT("GET %s", path), "GET", path, NULL, 200);
    else if (str_eq(path, "/api/users/[id]"))
        step = proof_step(proof, "PATCH /api/users/[id]", "PATCH", "/api/users/${rosa_id}",
                          json_pack("{s:s}", "role", "member"), 200);
    else if (str_eq(path, "/search") || str_eq(path, "/api/search"))
        step = proof_step(proof, TEXT("GET %s", path), "GET", TEXT("%s?q=a", path), NULL, 200);
    else if (str_eq(path, "/api/notifications/read"))
        step = proof_step(proof, "POST /api/notifications/read", "POST", path, json_object(), 204);
    else if (str_eq(path, "/api/files"))
        step = proof_upload(proof, "routes_file");
    else if (str_eq(path, "/api/files/[name]"))
        step = proof_step(proof, "GET /api/files/[name]", "GET", "/api/files/${routes_file}", NULL, 200);
    else if (str_eq(path, "/api/tokens") && str_eq(method, "POST"))
        proof_save(step =
                       proof_step(proof, "POST /api/tokens", "POST", path, json_pack("{s:s}", "name", "Routes"), 201),
                   "routes_token", "id");
    else if (str_eq(path, "/api/tokens/[id]"))
        step = proof_step(proof, "DELETE /api/tokens/[id]", "DELETE", "/api/tokens/${routes_token}", NULL, 204);
    else if (str_eq(path, "/api/health"))
        proof_expect(step = proof_step_as(proof, NULL, "GET /api/health", "GET", path, NULL, 200), "status",
                     json_string("ok"));
    if (!step)
        return false;
    if (str_eq(path, "/api/auth/sign-up"))
        proof_save(step, "rosa_id", "user.id");
    proof_route(step, method, path);
    return true;
}

static const json_t *timer_of(const struct proof *proof, const char *path) {
    size_t i;
    json_t *view;
    json_array_foreach (json_object_get(proof->plan, "views"), i, view) {
        const char *slug = json_str(view, "slug", "");
        if (str_eq(json_str(view, "kind", ""), "timer") && str_starts(path, "/api/") && str_starts(path + 5, slug) &&
            path[5 + strlen(slug)] == '/')
            return view;
    }
    return NULL;
}

static void route_of_timer(struct proof *proof, const json_t *view, const char *path) {
    const json_t *entity = proof_entity(proof, json_str(view, "entity", ""));
    bool is_start = str_ends(path, "/start");
    json_t *body = is_start ? proof_body(proof, entity, NULL) : json_object();
    json_object_del(body, json_str(view, "start", ""));
    json_object_del(body, json_str(view, "end", ""));
    json_t *step = proof_step(proof, TEXT("POST %s", path), "POST", path, body, is_start ? 201 : 200);
    proof_route(step, "POST", path);
}

static const json_t *entity_of_path(const struct proof *proof, const char *path) {
    const char *slug = path + (str_starts(path, "/api/") ? 5 : 1);
    return proof_entity(proof, arena_strndup(proof->arena, slug, strcspn(slug, "/")));
}

void proof_routes_check(struct proof *proof) {
    json_t *steps = json_array(), *route;
    json_array_append_new(
        json_object_get(proof->plan, "checks"),
        json_pack("{s:s, s:s, s:o}", "id", "routes", "title", "Every page and API call answers", "steps", steps));
    proof->steps = steps;
    proof->prefix = "routes_";
    proof->as = proof_has(proof, "auth") ? "owner" : NULL;
    size_t i;
    json_array_foreach (json_object_get(proof->plan, "routes"), i, route) {
        const char *method = json_str(route, "method", ""), *path = json_str(route, "path", "");
        const json_t *entity = entity_of_path(proof, path), *timer = timer_of(proof, path);
        if (timer)
            route_of_timer(proof, timer, path);
        else if (entity)
            route_of_entity(proof, entity, method, path);
        else if (!special_route(proof, method, path))
            proof_route(proof_step(proof, TEXT("%s %s", method, path), method, path, NULL, 200), method, path);
    }
}
