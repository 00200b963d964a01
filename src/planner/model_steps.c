/* model_steps: the HTTP steps of checks, from the form in which a model writes them to that of the plan, and the rules
 * that they keep. */
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/str.h"
#include "planner/draft.h"
#include "planner/model_parts.h"

#define STEPS_MOST 600 /* of a plan */
#define NAME_MOST 60
#define PATH_MOST 1000
#define PLACE(...) arena_printf(faults->arena, __VA_ARGS__)

/* ---- From a model's form: maps are lists of pairs there, which every provider's schemas can express */

/* [{"path", "value"}] as {path: value}; NULL when there is none. */
static json_t *take_pairs(const json_t *given, const char *key, const char *value_key, const char *what,
                          const char *place, struct faults *faults) {
    json_t *item, *map = NULL;
    size_t i;
    if (given && !json_is_array(given))
        faults_add(faults, place, "\"%s\" must be an array", what);
    json_array_foreach (given, i, item) {
        const char *name = json_str(item, key, NULL);
        json_t *value = json_object_get(item, value_key);
        if (!name || !*name || !value) {
            faults_add(faults, place, "%s.%zu must have \"%s\" and \"%s\"", what, i, key, value_key);
            continue;
        }
        map = map ? map : json_object();
        if (json_object_get(map, name))
            faults_add(faults, place, "%s names \"%s\" twice", what, name);
        json_object_set(map, name, value);
    }
    return map;
}

static void put_pairs(json_t *into, const char *as, const json_t *given, const char *what, const char *key,
                      const char *value_key, const char *place, struct faults *faults) {
    json_t *map = take_pairs(json_object_get(given, what), key, value_key, what, place, faults);
    if (map)
        json_object_set_new(into, as, map);
}

static void put_list(json_t *into, const json_t *given, const char *key) {
    json_t *list = json_object_get(given, key);
    if (list && !(json_is_array(list) && json_array_size(list) == 0))
        json_object_set(into, key, list);
}

static void take_body(struct arena *arena, json_t *request, const json_t *given, const char *place,
                      struct faults *faults) {
    const char *body = json_str(given, "body", ""), *type = json_str(given, "contentType", "");
    struct err err = {0};
    json_t *parsed = NULL;
    if (!*body)
        return;
    if (*type && strncasecmp(type, "application/json", strlen("application/json")) != 0) {
        put_str(request, "text", body);
        put_str(request, "contentType", type);
    } else if (json_parse(arena, body, strlen(body), &parsed, &err) < 0) {
        faults_add(faults, place,
                   "\"body\" is no JSON (%s). A variable stands in quotes: \"${task}\". A body that is broken on "
                   "purpose has the contentType text/plain",
                   err.message);
    } else {
        json_object_set(request, "json", parsed);
    }
}

static json_t *take_step(struct arena *arena, const json_t *given, const char *place, struct faults *faults) {
    json_t *step = json_object(), *request = json_object(), *expect = json_object(),
           *status = json_object_get(given, "status");
    put_str(step, "note", json_str(given, "note", ""));
    if (*json_str(given, "as", ""))
        put_str(step, "as", json_str(given, "as", ""));
    put_str(request, "method", json_str(given, "method", ""));
    put_str(request, "path", json_str(given, "path", ""));
    put_pairs(request, "headers", given, "headers", "name", "value", place, faults);
    take_body(arena, request, given, place, faults);
    if (status)
        json_object_set(expect, "status", status);
    put_pairs(expect, "json", given, "expectJson", "path", "value", place, faults);
    put_pairs(expect, "header", given, "expectHeaders", "name", "value", place, faults);
    put_pairs(expect, "min", given, "expectAtLeast", "path", "value", place, faults);
    put_list(expect, given, "contains");
    put_list(expect, given, "absent");
    json_object_set_new(step, "request", request);
    json_object_set_new(step, "expect", expect);
    put_pairs(step, "save", given, "save", "name", "path", place, faults);
    if (*json_str(given, "route", ""))
        put_str(step, "route", json_str(given, "route", ""));
    return step;
}

json_t *steps_take(struct arena *arena, const json_t *given, const char *place, struct faults *faults) {
    json_t *steps = json_array(), *step;
    size_t i;
    if (given && !json_is_array(given))
        faults_add(faults, place, "steps must be an array");
    json_array_foreach (given, i, step) {
        const char *at = PLACE("%s.%zu", place, i);
        if (json_is_object(step))
            json_array_append_new(steps, take_step(arena, step, at, faults));
        else
            faults_add(faults, at, "a step must be an object");
    }
    return steps;
}

/* ---- The rules */

static bool is_one_of(const char *word, const char *const *words) {
    for (; *words; words++)
        if (str_eq(word, *words))
            return true;
    return false;
}

static bool is_name(const char *text) {
    size_t len = strlen(text);
    return len > 0 && len <= NAME_MOST && !(text[0] >= '0' && text[0] <= '9') &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == len;
}

/* Every ${name} of a text was saved before, or is the clock's. */
static void judge_names(const struct step_rules *rules, const char *text, const char *place, struct faults *faults) {
    static const char *const clock[] = {"today", "tomorrow", "now", NULL};
    for (const char *at = text; (at = strstr(at, "${")) != NULL; at += 2) {
        size_t len = strcspn(at + 2, "}");
        const char *name = arena_strndup(faults->arena, at + 2, len < NAME_MOST ? len : NAME_MOST);
        if (!json_object_get(rules->saved, name) && !is_one_of(name, clock))
            faults_add(faults, place, "${%s} is not saved by an earlier step", name);
    }
}

static void judge_names_of(const struct step_rules *rules, const json_t *value, const char *place,
                           struct faults *faults) {
    const char *key;
    json_t *member;
    size_t i;
    if (json_is_string(value))
        judge_names(rules, json_string_value(value), place, faults);
    json_array_foreach (value, i, member)
        judge_names_of(rules, member, place, faults);
    json_object_foreach ((json_t *)value, key, member)
        judge_names_of(rules, member, place, faults);
}

/* Those that are of the exchange itself are not for a step to set. */
static void judge_headers(const json_t *headers, const char *place, struct faults *faults) {
    static const char *const ours[] = {
        "host", "content-length", "transfer-encoding", "connection", "upgrade", "keep-alive", "cookie", "expect", NULL};
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)headers, name, value) {
        const char *text = json_string_value(value);
        if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != strlen(name) ||
            is_one_of(str_lower(faults->arena, name), ours))
            faults_add(faults, place, "\"%s\" is no header that a step may set", name);
        if (!text || strpbrk(text, "\r\n"))
            faults_add(faults, place, "the header \"%s\" must have one line of text", name);
    }
}

static void judge_texts(const json_t *expect, const char *key, const char *place, struct faults *faults) {
    const json_t *list = json_object_get(expect, key);
    size_t i;
    json_t *text;
    if (list && !json_is_array(list))
        faults_add(faults, place, "\"%s\" must be an array of texts", key);
    json_array_foreach (list, i, text) {
        if (!json_is_string(text) || json_string_length(text) == 0)
            faults_add(faults, place, "%s.%zu must be a text that is not empty", key, i);
    }
}

static void judge_expectation(const json_t *expect, const char *place, struct faults *faults) {
    const char *path;
    json_t *value;
    int64_t status = json_int(expect, "status", 0);
    if (!json_is_integer(json_object_get(expect, "status")) || status < 100 || status > 599)
        faults_add(faults, place, "\"status\" must be the HTTP status that is expected");
    judge_texts(expect, "contains", place, faults);
    judge_texts(expect, "absent", place, faults);
    json_object_foreach (json_object_get(expect, "min"), path, value) {
        if (!json_is_number(value))
            faults_add(faults, place, "at least %s of what? It must be a number", path);
    }
    json_object_foreach (json_object_get(expect, "header"), path, value) {
        if (!json_is_string(value))
            faults_add(faults, place, "the expected header \"%s\" must be a text", path);
    }
}

bool route_fits(const char *route, const char *path) {
    while (*route == '/' && *path == '/') {
        size_t len = strcspn(++route, "/"), given = strcspn(++path, "/?#");
        bool is_optional = str_starts(route, "[[..."), is_rest = is_optional || str_starts(route, "[...");
        if (is_rest && route[len] == '\0')
            return is_optional || given > 0;
        bool is_any = len > 2 && route[0] == '[' && route[len - 1] == ']' && given > 0;
        if (!is_any && (len != given || memcmp(route, path, len) != 0))
            return false;
        route += len;
        path += given;
    }
    return (*route == '\0' || str_starts(route, "/[[...")) && (*path == '\0' || *path == '?' || *path == '#');
}

static void judge_route(struct step_rules *rules, const json_t *step, const char *place, struct faults *faults) {
    const char *named = json_str(step, "route", NULL);
    const json_t *request = json_object_get(step, "request");
    size_t i;
    json_t *route;
    if (!named)
        return;
    json_array_foreach (rules->routes, i, route) {
        const char *method = json_str(route, "method", ""), *path = json_str(route, "path", "");
        if (!str_eq(PLACE("%s %s", method, path), named))
            continue;
        if (!str_eq(method, json_str(request, "method", "")) || !route_fits(path, json_str(request, "path", "")))
            faults_add(faults, place, "it does not ask for the route \"%s\" that it names", named);
        else
            json_object_set_new(rules->covered, named, json_true());
        return;
    }
    faults_add(faults, place, "the plan has no route \"%s\"", named);
}

static void judge_request(const json_t *request, const char *place, struct faults *faults) {
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", NULL};
    const char *method = json_str(request, "method", ""), *path = json_str(request, "path", "");
    if (!is_one_of(method, methods))
        faults_add(faults, place, "\"%s\" is no method that a step may use", method);
    if (path[0] != '/' || strlen(path) > PATH_MOST || strpbrk(path, " \t\n\\#"))
        faults_add(faults, place, "\"%s\" is no path: it begins with / and has no spaces", path);
    if ((str_eq(method, "GET") || str_eq(method, "HEAD")) &&
        (json_object_get(request, "json") || json_object_get(request, "text")))
        faults_add(faults, place, "%s has no body", method);
    const char *type = json_str(request, "contentType", NULL);
    if (type && strpbrk(type, "\r\n"))
        faults_add(faults, place, "\"contentType\" must be one line");
    judge_headers(json_object_get(request, "headers"), place, faults);
}

static void judge_saves(struct step_rules *rules, const json_t *step, const char *place, struct faults *faults) {
    const char *name;
    json_t *path;
    json_object_foreach (json_object_get(step, "save"), name, path) {
        if (!is_name(name))
            faults_add(faults, place, "\"%s\" is no name of a variable", name);
        if (!json_is_string(path) || json_string_length(path) == 0)
            faults_add(faults, place, "what is saved as \"%s\" must be a path in the answer's JSON", name);
        json_object_set_new(rules->saved, name, json_true());
    }
}

void steps_judge(struct step_rules *rules, const json_t *steps, const char *place, struct faults *faults) {
    size_t i;
    json_t *step;
    json_array_foreach (steps, i, step) {
        const char *at = PLACE("%s.%zu", place, i);
        const json_t *request = json_object_get(step, "request"), *expect = json_object_get(step, "expect");
        if (++rules->count == STEPS_MOST + 1)
            faults_add(faults, "", "there are more than %d steps", STEPS_MOST);
        (void)need_text(faults, step, "note", 1, 300, at);
        const char *as = json_str(step, "as", "person");
        if (!is_name(as))
            faults_add(faults, at, "\"as\" names a cookie jar: letters, digits and _");
        judge_request(request, at, faults);
        judge_expectation(expect, at, faults);
        judge_names_of(rules, request, at, faults);
        judge_names_of(rules, expect, at, faults);
        judge_route(rules, step, at, faults);
        judge_saves(rules, step, at, faults);
    }
}
