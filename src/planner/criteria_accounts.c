/* criteria_accounts: what proves sessions, roles and API tokens. */
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "planner/proof.h"

#define TEXT(...) arena_printf(proof->arena, __VA_ARGS__)

/* Every page and every list of the API, not just one of them. */
static void criterion_closed(struct proof *proof) {
    const char *slug = json_str(proof_simple_entity(proof), "slug", "");
    json_t *criterion = criterion_open(
        proof, "Without a session nothing is shown",
        "Given nobody is signed in, when any page is opened, then it leads to sign-in; the API answers 401.",
        "sign-in");
    criterion_part(criterion, "auth");
    criterion_entity(criterion, slug);
    size_t i;
    json_t *route, *step;
    json_array_foreach (json_object_get(proof->plan, "routes"), i, route) {
        const char *path = json_str(route, "path", "");
        if (!str_eq(json_str(route, "method", ""), "GET") || !json_flag(route, "auth", false) || strchr(path, '['))
            continue;
        bool is_page = str_eq(json_str(route, "kind", ""), "page");
        step = proof_step_as(proof, NULL, is_page ? "The page leads to sign-in" : "The API refuses", "GET", path, NULL,
                             is_page ? 307 : 401);
        if (is_page)
            json_object_set_new(json_object_get(step, "expect"), "header",
                                json_pack("{s:s}", "location", "/sign-in?next="));
        else
            proof_expect(step, "error", json_string("unauthenticated"));
    }
    step = proof_step_as(proof, NULL, "Writing is refused too", "POST", TEXT("/api/%s", slug), json_object(), 401);
    proof_expect(step, "error", json_string("unauthenticated"));
    criterion_close(proof, criterion);
}

static void criterion_accounts(struct proof *proof) {
    json_t *criterion = criterion_open(
        proof, "People sign up, in and out",
        "When somebody signs up, then they are signed in; after signing out they are not; a wrong password is refused.",
        "sign-in");
    criterion_part(criterion, "auth");
    json_t *step = proof_sign_up(proof, "visitor", "Vera Visitor", "vera@example.com");
    proof_expect(step, "user.email", json_string("vera@example.com"));
    if (proof_has(proof, "roles"))
        proof_expect(step, "user.role", json_string("member"));
    step = proof_step_as(proof, "visitor", "Who am I", "GET", "/api/auth/me", NULL, 200);
    proof_expect(step, "user.name", json_string("Vera Visitor"));
    proof_step_as(proof, "visitor", "Sign out", "POST", "/api/auth/sign-out", json_object(), 204);
    proof_step_as(proof, "visitor", "Nobody", "GET", "/api/auth/me", NULL, 401);
    step = proof_step_as(proof, "visitor", "A wrong password", "POST", "/api/auth/sign-in",
                         json_pack("{s:s, s:s}", "email", "vera@example.com", "password", "wrong horse 7"), 401);
    proof_expect(step, "error", json_string("invalid_credentials"));
    step = proof_step_as(proof, "visitor", "The right one", "POST", "/api/auth/sign-in",
                         json_pack("{s:s, s:s}", "email", "vera@example.com", "password", PROOF_PASSWORD), 200);
    proof_expect(step, "user.email", json_string("vera@example.com"));
    step = proof_step_as(
        proof, NULL, "A short password is refused", "POST", "/api/auth/sign-up",
        json_pack("{s:s, s:s, s:s}", "name", "Short", "email", "short@example.com", "password", "seven77"), 400);
    proof_expect(step, "error", json_string("validation"));
    criterion_close(proof, criterion);
}

static const char *reading_role(const struct proof *proof) {
    const json_t *role = find_by(json_object_get(proof->plan, "roles"), "can", "read", NULL);
    return json_str(role, "value", NULL);
}

static void criterion_roles(struct proof *proof) {
    const json_t *entity = proof_simple_entity(proof);
    const char *slug = json_str(entity, "slug", ""), *reader = reading_role(proof), *id = proof_name(proof, "person");
    json_t *criterion = criterion_open(
        proof, "Roles decide who may do what",
        reader ? "Given the first person is admin, when they make another one a reader, then that one sees everything "
                 "and changes nothing."
               : "Given the first person is admin, then others are members: they see everything, and cannot manage "
                 "people.",
        "teams-and-roles");
    criterion_part(criterion, "auth");
    criterion_entity(criterion, slug);
    json_t *step = proof_sign_up(proof, "reader", "Rita Reader", "rita@example.com");
    proof_save(step, id, "user.id");
    proof_expect(step, "user.role", json_string("member"));
    step = proof_step(proof, "The admin sees all people", "GET", "/api/users", NULL, 200);
    proof_route(step, "GET", "/api/users");
    proof_contains(step, "contains", "rita@example.com");
    step = proof_step_as(proof, "reader", "A member changes no roles", "PATCH", TEXT("/api/users/${%s}", id),
                         json_pack("{s:s}", "role", "admin"), 403);
    proof_expect(step, "error", json_string("forbidden"));
    proof_step_as(proof, "reader", "A member sees the records", "GET", TEXT("/api/%s", slug), NULL, 200);
    if (reader) {
        step = proof_step(proof, "The admin changes the role", "PATCH", TEXT("/api/users/${%s}", id),
                          json_pack("{s:s}", "role", reader), 200);
        proof_route(step, "PATCH", "/api/users/[id]");
        proof_step_as(proof, "reader", "Reading is allowed", "GET", TEXT("/api/%s", slug), NULL, 200);
        step = proof_step_as(proof, "reader", "Writing is not", "POST", TEXT("/api/%s", slug),
                             proof_body(proof, entity, NULL), 403);
        proof_expect(step, "error", json_string("forbidden"));
    }
    criterion_close(proof, criterion);
}

/* A step in the name of the token alone. */
static json_t *step_with_token(struct proof *proof, const char *note, const char *path, const char *secret,
                               int status) {
    json_t *step = proof_step_as(proof, NULL, note, "GET", path, NULL, status);
    json_object_set_new(json_object_get(step, "request"), "headers",
                        json_pack("{s:s}", "authorization", TEXT("Bearer ${%s}", secret)));
    return step;
}

static void criterion_tokens(struct proof *proof) {
    const char *slug = json_str(proof_simple_entity(proof), "slug", ""), *path = TEXT("/api/%s", slug);
    json_t *criterion = criterion_open(
        proof, "API tokens are made and taken back",
        "When somebody makes an API token, then it is shown once and opens the API; when it is taken back, then it is "
        "gone and opens nothing.",
        "api-tokens");
    criterion_part(criterion, "tokens");
    criterion_entity(criterion, slug);
    const char *id = proof_name(proof, "token"), *secret = proof_name(proof, "secret");
    json_t *step =
        proof_step(proof, "Make one", "POST", "/api/tokens", json_pack("{s:s}", "name", "Nightly report"), 201);
    proof_save(step, id, "id");
    proof_save(step, secret, "token");
    step = proof_step(proof, "It is listed without its secret", "GET", "/api/tokens", NULL, 200);
    proof_contains(step, "contains", "Nightly report");
    proof_contains(step, "absent", TEXT("${%s}", secret));
    step_with_token(proof, "It opens the API", path, secret, 200);
    proof_step(proof, "Take it back", "DELETE", TEXT("/api/tokens/${%s}", id), NULL, 204);
    step = proof_step(proof, "It is gone", "GET", "/api/tokens", NULL, 200);
    proof_contains(step, "absent", "Nightly report");
    step_with_token(proof, "It opens nothing any more", path, secret, 401);
    criterion_close(proof, criterion);
}

void criteria_accounts(struct proof *proof) {
    if (proof_has(proof, "auth")) {
        criterion_closed(proof);
        criterion_accounts(proof);
    }
    if (proof_has(proof, "roles"))
        criterion_roles(proof);
    if (proof_has(proof, "apiTokens"))
        criterion_tokens(proof);
}
