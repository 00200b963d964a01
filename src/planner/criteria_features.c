/* criteria_features: the criteria that features bring, with their names filled in. */
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "planner/proof.h"

#define TEXT(...) arena_printf(proof->arena, __VA_ARGS__)

/* "tasks", "tasks.status" or a view's slug. */
static bool is_there(const struct proof *proof, const char *what) {
    const char *dot = strchr(what, '.');
    const char *key = dot ? arena_strndup(proof->arena, what, (size_t)(dot - what)) : what;
    const json_t *entity = draft_entity(proof->draft, key);
    if (dot)
        return entity && entity_field(entity, dot + 1);
    return entity || find_by(proof->draft->views, "key", key, NULL);
}

static bool stands(struct proof *proof, const json_t *template) {
    static const char *const lists[] = {"needs", "entities"};
    for (size_t list = 0; list < 2; list++) {
        size_t i;
        json_t *what;
        json_array_foreach (json_object_get(template, lists[list]), i, what) {
            if (!is_there(proof, str_or(json_string_value(what), "")))
                return false;
        }
    }
    return draft_holds(proof->draft, template, true);
}

/* ${name} for every name that the criterion saves gets the criterion's prefix. */
static const char *with_prefix(struct proof *proof, const char *text, const json_t *names) {
    const char *name;
    json_t *ignored;
    json_object_foreach ((json_t *)names, name, ignored) {
        const char *wanted = TEXT("${%s}", name), *out = "";
        for (const char *at; (at = strstr(text, wanted)) != NULL; text = at + strlen(wanted))
            out = TEXT("%s%.*s${%s%s}", out, (int)(at - text), text, proof->prefix, name);
        text = TEXT("%s%s", out, text);
    }
    return text;
}

static json_t *prefixed(struct proof *proof, const json_t *value, const json_t *names) {
    const char *key;
    json_t *item, *copy;
    size_t i;
    if (json_is_string(value))
        return json_string(with_prefix(proof, json_string_value(value), names));
    if (json_is_array(value)) {
        copy = json_array();
        json_array_foreach (value, i, item)
            json_array_append_new(copy, prefixed(proof, item, names));
        return copy;
    }
    if (json_is_object(value)) {
        copy = json_object();
        json_object_foreach ((json_t *)value, key, item)
            json_object_set_new(copy, key, prefixed(proof, item, names));
        return copy;
    }
    return json_deep_copy(value);
}

/* The pattern of routes that a path falls under: "/api/tasks/${x}" under "/api/tasks/[id]". */
static void name_route(struct proof *proof, json_t *step, const char *method, const char *path) {
    const char *bare = arena_strndup(proof->arena, path, strcspn(path, "?"));
    size_t i;
    json_t *route;
    json_array_foreach (json_object_get(proof->plan, "routes"), i, route) {
        const char *pattern = json_str(route, "path", ""), *open = strchr(pattern, '[');
        size_t head = open ? (size_t)(open - pattern) : strlen(pattern);
        const char *tail = open ? strchr(open, ']') + 1 : "";
        bool fits = open ? strncmp(bare, pattern, head) == 0 && strstr(bare, "${") == bare + head &&
                               str_ends(bare, tail) && strchr(bare, '}') + 1 == bare + strlen(bare) - strlen(tail)
                         : str_eq(bare, pattern);
        if (fits && str_eq(json_str(route, "method", ""), method))
            proof_route(step, method, pattern);
    }
}

static json_t *create_step(struct proof *proof, const json_t *template, json_t *with) {
    const json_t *drafted = draft_entity(proof->draft, json_str(template, "create", ""));
    const json_t *entity = drafted ? proof_entity(proof, json_str(drafted, "slug", "")) : NULL;
    if (!entity)
        return NULL;
    /* What the plan has not, a row cannot be given. */
    const char *name;
    json_t *value;
    json_auto_t *given = json_object();
    json_object_foreach (with, name, value) {
        if (entity_field(entity, name))
            json_object_set(given, name, value);
    }
    /* The criterion counts on its rows being all there is of their kind. */
    proof->is_fresh = true;
    json_t *step = proof_row(proof, json_str(template, "note", "Add one"), entity, given, NULL);
    proof->is_fresh = false;
    return step;
}

static bool add_step(struct proof *proof, const json_t *template, json_t *names) {
    json_auto_t *filled = json_deep_copy(template);
    draft_fill_all(proof->draft, filled);
    json_auto_t *ready = prefixed(proof, filled, names);
    const json_t *request = json_object_get(ready, "request"), *expect = json_object_get(ready, "expect"),
                 *save = json_object_get(ready, "save");
    json_t *step;
    if (json_object_get(template, "create")) {
        step = create_step(proof, ready, json_object_get(ready, "with"));
    } else {
        const char *method = json_str(request, "method", "GET"), *path = json_str(request, "path", "/");
        step = proof_step(proof, json_str(ready, "note", "Step"), method, path, NULL, 200);
        json_object_update(json_object_get(step, "request"), (json_t *)request);
        name_route(proof, step, method, path);
    }
    if (!step)
        return false;
    if (expect)
        json_object_update(json_object_get(step, "expect"), (json_t *)expect);
    const char *name;
    json_t *path;
    json_object_foreach ((json_t *)save, name, path) {
        proof_save(step, proof_name(proof, name), str_or(json_string_value(path), "id"));
        json_object_set_new(names, name, json_true());
    }
    const char *as = json_str(ready, "as", NULL);
    if (as && proof->as)
        put_str(step, "as", as);
    return true;
}

static void add_criterion(struct proof *proof, const json_t *template) {
    struct draft *draft = proof->draft;
    json_t *criterion =
        criterion_open(proof, draft_fill(draft, json_str(template, "title", "")),
                       draft_fill(draft, json_str(template, "statement", "")), json_str(template, "feature", ""));
    json_auto_t *names = json_object();
    size_t i;
    json_t *item;
    json_array_foreach (json_object_get(template, "entities"), i, item)
        criterion_entity(criterion, json_str(draft_entity(draft, json_string_value(item)), "slug", ""));
    json_array_foreach (json_object_get(template, "parts"), i, item) {
        const char *part = str_or(json_string_value(item), ""), *colon = strchr(part, ':');
        const json_t *view = colon ? find_by(draft->views, "key", colon + 1, NULL) : NULL;
        const json_t *entity = colon ? draft_entity(draft, colon + 1) : NULL;
        if (str_starts(part, "view:") && view)
            criterion_part(criterion, TEXT("view:%s", json_str(view, "slug", "")));
        if (str_starts(part, "entity:") && entity)
            criterion_entity(criterion, json_str(entity, "slug", ""));
    }
    if (json_array_size(json_object_get(criterion, "parts")) == 0)
        criterion_part(criterion, "shell");
    bool complete = true;
    json_array_foreach (json_object_get(template, "steps"), i, item)
        complete = complete && add_step(proof, item, names);
    if (complete)
        criterion_close(proof, criterion);
}

void criteria_features(struct proof *proof) {
    size_t i;
    json_t *template;
    json_array_foreach (proof->draft->criteria, i, template) {
        if (stands(proof, template))
            add_criterion(proof, template);
    }
}
