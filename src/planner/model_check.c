/* model_check: the rules of a plan that a model made: everything in it can be carried out, and every check can fail. */
#include <stdint.h>
#include <string.h>

#include "base/glob.h"
#include "base/json.h"
#include "base/str.h"
#include "planner/draft.h"
#include "planner/model_parts.h"

#define PLACE(...) arena_printf(faults->arena, __VA_ARGS__)

/* ---- Secrets */

/* What keys of well-known kinds begin with, and how long what follows is at least. */
static const struct {
    const char *prefix;
    size_t least;
} key_kinds[] = {
    {"sk-", 20},   {"sk_live_", 16}, {"AKIA", 16},       {"ghp_", 30}, {"github_pat_", 30},
    {"xoxb-", 20}, {"xoxp-", 20},    {"glpat-", 16},     {"pzm_", 16}, {"AIza", 30},
    {"npm_", 30},  {"hf_", 30},      {"eyJhbGciOi", 30},
};

const char *secret_in(const char *text) {
    const char *at = strstr(text, "-----BEGIN ");
    if (at && strstr(at, "PRIVATE KEY-----"))
        return "-----BEGIN … PRIVATE KEY-----";
    for (size_t i = 0; i < sizeof key_kinds / sizeof *key_kinds; i++) {
        const char *prefix = key_kinds[i].prefix;
        for (at = text; (at = strstr(at, prefix)) != NULL; at += strlen(prefix)) {
            bool is_start =
                at == text || !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", at[-1]);
            size_t len =
                strspn(at + strlen(prefix), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");
            if (is_start && len >= key_kinds[i].least)
                return prefix;
        }
    }
    return NULL;
}

static void judge_secrets(const json_t *value, const char *place, struct faults *faults) {
    const char *key;
    json_t *member;
    size_t i;
    const char *secret = json_is_string(value) ? secret_in(json_string_value(value)) : NULL;
    if (secret)
        faults_add(faults, place, "it holds what looks like a secret (%s…)", secret);
    json_array_foreach (value, i, member)
        judge_secrets(member, PLACE("%s.%zu", place, i), faults);
    json_object_foreach ((json_t *)value, key, member)
        judge_secrets(member, *place ? PLACE("%s.%s", place, key) : key, faults);
}

/* ---- Routes */

static void judge_routes(const json_t *routes, struct faults *faults) {
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    json_auto_t *seen = json_object();
    size_t i;
    json_t *route;
    json_array_foreach (routes, i, route) {
        const char *place = PLACE("routes.%zu", i), *path = need_text(faults, route, "path", 1, 200, place),
                   *method = json_str(route, "method", ""), *kind = json_str(route, "kind", "");
        bool is_method = false;
        for (size_t k = 0; k < sizeof methods / sizeof *methods; k++)
            is_method = is_method || str_eq(methods[k], method);
        if (!is_method)
            faults_add(faults, place, "\"%s\" is no method of a route", method);
        if (path && (path[0] != '/' || strpbrk(path, " \t\n?#\\|`") || strstr(path, "//")))
            faults_add(faults, place, "\"%s\" is no path of a route", path);
        if (!str_eq(kind, "page") && !str_eq(kind, "api"))
            faults_add(faults, place, "\"kind\" must be page or api");
        else if (str_eq(kind, "page") && !str_eq(method, "GET"))
            faults_add(faults, place, "a page is asked for with GET");
        if (!json_is_boolean(json_object_get(route, "auth")))
            faults_add(faults, place, "\"auth\" must be true or false");
        (void)need_text(faults, route, "summary", 1, 300, place);
        const char *name = PLACE("%s %s", method, str_or(path, ""));
        if (json_object_get(seen, name))
            faults_add(faults, place, "\"%s\" is there twice", name);
        json_object_set_new(seen, name, json_true());
    }
}

static void judge_covered(const struct step_rules *rules, struct faults *faults) {
    size_t i;
    json_t *route;
    json_array_foreach (rules->routes, i, route) {
        const char *name = PLACE("%s %s", json_str(route, "method", ""), json_str(route, "path", ""));
        if (!json_object_get(rules->covered, name))
            faults_add(faults, PLACE("routes.%zu", i), "no step has \"route\": \"%s\"", name);
    }
}

/* ---- Criteria */

static bool is_criterion_id(const char *id) {
    int64_t number;
    return str_starts(id, "AC-") && id[3] != '0' && str_to_int(id + 3, 1, 9999, &number);
}

static void judge_files(const json_t *check, const char *place, struct faults *faults) {
    const json_t *paths = need_list(faults, check, "paths", 1, 50, place),
                 *contains = need_list(faults, check, "contains", 0, 50, place);
    size_t i;
    json_t *item;
    json_array_foreach (paths, i, item) {
        const char *path = str_or(json_string_value(item), "");
        if (!glob_is_valid(path) || strpbrk(path, "*?"))
            faults_add(faults, place, "paths.%zu is no path of a file", i);
    }
    json_array_foreach (contains, i, item) {
        if (!json_is_string(item) || json_string_length(item) == 0)
            faults_add(faults, place, "contains.%zu must be a text that is not empty", i);
    }
}

static void judge_check(const json_t *check, bool may_be_none, const char *place, struct step_rules *rules,
                        struct faults *faults) {
    const char *kind = json_str(check, "kind", "");
    if (str_eq(kind, "http")) {
        const json_t *steps = need_list(faults, check, "steps", 1, 40, place);
        steps_judge(rules, steps, PLACE("%s.steps", place), faults);
    } else if (str_eq(kind, "files")) {
        judge_files(check, place, faults);
    } else if (!str_eq(kind, "tests") && !str_eq(kind, "build") && !(may_be_none && str_eq(kind, "none"))) {
        faults_add(faults, place, "the check's \"kind\" must be http, files, tests or build");
    }
}

static void judge_criteria(const json_t *criteria, bool is_edited, struct step_rules *rules, struct faults *faults) {
    size_t i;
    json_t *criterion;
    json_array_foreach (criteria, i, criterion) {
        const char *place = PLACE("criteria.%zu", i), *id = json_str(criterion, "id", "");
        if (!is_criterion_id(id))
            faults_add(faults, place, "\"%s\" is no id such as AC-1", id);
        for (size_t k = 0; k < i; k++)
            if (str_eq(json_str(json_array_get(criteria, k), "id", NULL), id))
                faults_add(faults, place, "the id %s is there twice", id);
        if (!is_edited) {
            (void)need_text(faults, criterion, "title", 1, 160, place);
            (void)need_text(faults, criterion, "statement", 10, 2000, place);
        }
        judge_check(json_object_get(criterion, "check"), is_edited, place, rules, faults);
    }
}

/* What an edit made of criteria that its document does not name; carried out before the criteria. */
static void judge_more(const json_t *checks, struct step_rules *rules, struct faults *faults) {
    size_t i;
    json_t *check;
    json_array_foreach (checks, i, check)
        steps_judge(rules, json_object_get(check, "steps"), PLACE("checks.%zu", i), faults);
}

void plan_judge(const json_t *plan, bool is_edited, struct faults *faults) {
    struct step_rules rules = {.routes = need_list(faults, plan, "routes", 1, 120, ""),
                               .saved = json_own(faults->arena, json_object()),
                               .covered = json_own(faults->arena, json_object())};
    const json_t *criteria = need_list(faults, plan, "criteria", is_edited ? 0 : 1, is_edited ? SIZE_MAX : 60, ""),
                 *setup = need_list(faults, plan, "setup", 0, 40, "");
    (void)need_text(faults, plan, "tagline", 1, 200, "");
    judge_routes(rules.routes, faults);
    steps_judge(&rules, setup, "setup", faults);
    judge_more(json_object_get(plan, "checks"), &rules, faults);
    judge_criteria(criteria, is_edited, &rules, faults);
    judge_covered(&rules, faults);
    judge_secrets(plan, "", faults);
}
