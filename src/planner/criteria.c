/* criteria: what must be proven of every entity, and the order of all criteria and checks of a plan. */
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "planner/proof.h"

#define TEXT(...) arena_printf(proof->arena, __VA_ARGS__)

struct names {
    const char *one, *many, *a_one, *slug, *feature;
};

static struct names names_of(const struct proof *proof, const json_t *entity) {
    const char *one = text_lower_first(proof->arena, json_str(entity, "name", ""));
    return (struct names){.one = one,
                          .many = text_lower_first(proof->arena, json_str(entity, "plural", "")),
                          .a_one = text_article(proof->arena, one),
                          .slug = json_str(entity, "slug", ""),
                          .feature = json_str(entity, "feature", "")};
}

/* Expects of the answer what the body gave, where it comes back as it was. */
static void expect_body(const json_t *entity, const json_t *body, json_t *step) {
    size_t i;
    json_t *field;
    json_array_foreach (json_object_get(entity, "fields"), i, field) {
        const json_t *value = json_object_get(body, json_str(field, "name", ""));
        if (value && !str_eq(json_str(field, "type", ""), "file"))
            proof_expect(step, json_str(field, "name", ""), json_deep_copy(value));
    }
}

/* The page and the list show it: by its title, or where that is none of its own, by the link to it. */
static void read_and_list(struct proof *proof, const json_t *entity, const json_t *body, const char *name) {
    struct names names = names_of(proof, entity);
    const char *title = proof_title(entity, body), *link = TEXT("/%s/${%s}\"", names.slug, name);
    json_t *step = proof_step(proof, "Read it back", "GET", TEXT("/api/%s/${%s}", names.slug, name), NULL, 200);
    proof_route(step, "GET", TEXT("/api/%s/[id]", names.slug));
    expect_body(entity, body, step);
    step = proof_step(proof, "Its page shows it", "GET", TEXT("/%s/${%s}", names.slug, name), NULL, 200);
    proof_route(step, "GET", TEXT("/%s/[id]", names.slug));
    if (title)
        proof_contains(step, "contains", title);
    const char *query = title ? TEXT("?q=%s", str_url_encode(proof->arena, title)) : "";
    step = proof_step(proof, "The list shows it", "GET", TEXT("/%s%s", names.slug, query), NULL, 200);
    proof_route(step, "GET", TEXT("/%s", names.slug));
    proof_contains(step, "contains", title ? title : link);
    step = proof_step(proof, title ? "The API finds it by its words" : "The API lists it first, as the newest", "GET",
                      TEXT("/api/%s%s", names.slug, query), NULL, 200);
    proof_route(step, "GET", TEXT("/api/%s", names.slug));
    if (title)
        proof_expect(step, "total", json_integer(1));
    proof_expect(step, "page", json_integer(1));
    proof_expect(step, "items.0.id", json_string(TEXT("${%s}", name)));
}

static void criterion_keep(struct proof *proof, const json_t *entity) {
    struct names names = names_of(proof, entity);
    json_t *criterion = criterion_open(proof, TEXT("%s are kept and found again", names.many),
                                       TEXT("Given a signed-in person, when they add %s, then it is stored with all "
                                            "its values and shows on its page and in the list.",
                                            names.a_one),
                                       names.feature);
    if (!proof->as)
        put_str(
            criterion, "statement",
            TEXT("When somebody adds %s, then it is stored with all its values and shows on its page and in the list.",
                 names.a_one));
    criterion_entity(criterion, names.slug);
    const char *name = proof_name(proof, "row");
    json_t *step = proof_row(proof, TEXT("Add %s", names.a_one), entity, NULL, name);
    const json_t *body = json_object_get(json_object_get(step, "request"), "json");
    expect_body(entity, body, step);
    read_and_list(proof, entity, body, name);
    criterion_close(proof, criterion);
}

/* A field that a change can be shown with: a text that no rule binds, the title if there is none better. */
static const json_t *changeable(const json_t *entity) {
    const json_t *best = NULL;
    size_t i;
    json_t *field;
    json_array_foreach (json_object_get(entity, "fields"), i, field) {
        const char *type = json_str(field, "type", "");
        bool fits = str_eq(type, "text") || str_eq(type, "longtext") || str_eq(type, "boolean") ||
                    str_eq(type, "money") || str_eq(type, "integer");
        if (fits && !proof_is_bound(entity, json_str(field, "name", "")) && (!best || str_eq(type, "text")) &&
            !(best && str_eq(json_str(best, "type", ""), "text")))
            best = field;
    }
    return best;
}

static void criterion_change(struct proof *proof, const json_t *entity) {
    struct names names = names_of(proof, entity);
    json_t *criterion = criterion_open(proof, TEXT("%s can be changed and deleted", names.a_one),
                                       TEXT("Given %s, when a value of it is changed, then that value is new and the "
                                            "others stay; when it is deleted, then it is gone.",
                                            names.a_one),
                                       names.feature);
    criterion_entity(criterion, names.slug);
    const char *name = proof_name(proof, "row"), *path = TEXT("/api/%s/${%s}", names.slug, name);
    json_t *step = proof_row(proof, TEXT("Add %s", names.a_one), entity, NULL, name);
    const json_t *body = json_object_get(json_object_get(step, "request"), "json"), *field = changeable(entity);
    if (field) {
        proof->counter++;
        json_t *value =
            str_eq(json_str(field, "type", ""), "boolean") ? json_false() : proof_value(proof, entity, field);
        const char *key = json_str(field, "name", "");
        json_auto_t *changed = json_copy((json_t *)body);
        json_object_set(changed, key, value);
        step = proof_step(proof, TEXT("Change its %s", text_lower_first(proof->arena, json_str(field, "label", ""))),
                          "PATCH", path, json_pack("{s:o}", key, value), 200);
        proof_route(step, "PATCH", TEXT("/api/%s/[id]", names.slug));
        expect_body(entity, changed, step);
    }
    step = proof_step(proof, "Delete it", "DELETE", path, NULL, 204);
    proof_route(step, "DELETE", TEXT("/api/%s/[id]", names.slug));
    step = proof_step(proof, "It is gone", "GET", path, NULL, 404);
    proof_expect(step, "error", json_string("not_found"));
    proof_step(proof, "Its page is gone too", "GET", TEXT("/%s/${%s}", names.slug, name), NULL, 404);
    criterion_close(proof, criterion);
}

static bool is_refused_empty(const json_t *field) {
    return json_flag(field, "required", false) && !json_object_get(field, "default") &&
           !str_eq(json_str(field, "type", ""), "boolean");
}

/* A value that the type does not allow, with the message for it; NULL if the type takes anything. */
static json_t *bad_value(struct proof *proof, const json_t *field, const char **message) {
    static const struct {
        const char *type, *value, *must;
    } bad[] = {{"email", "nobody", "an email address"},
               {"url", "nowhere", "a web address"},
               {"date", "2026-02-30", "a date"},
               {"datetime", "soon", "a date and time"},
               {"time", "25:00", "a time such as 09:30"},
               {"integer", "many", "a whole number"},
               {"decimal", "many", "a number"},
               {"money", "a lot", "an amount"},
               {"minutes", "long", "a number of minutes"},
               {"boolean", "perhaps", "true or false"}};
    const char *type = json_str(field, "type", "");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (!str_eq(type, bad[i].type))
            continue;
        *message = TEXT("%s must be %s", json_str(field, "label", ""), bad[i].must);
        return json_string(bad[i].value);
    }
    if (str_eq(type, "choice")) {
        const char *values = "";
        size_t i;
        json_t *option;
        json_array_foreach (json_object_get(field, "options"), i, option)
            values = TEXT("%s%s%s", values, i ? ", " : "", json_str(option, "value", ""));
        *message = TEXT("%s must be one of %s", json_str(field, "label", ""), values);
        return json_string("none-of-these");
    }
    if (str_eq(type, "rating")) {
        *message = TEXT("%s must be a whole number from 1 to 5", json_str(field, "label", ""));
        return json_integer(9);
    }
    return NULL;
}

/* Nothing at all, where something is required; names the fault at each field. */
static bool refuse_empty(struct proof *proof, const json_t *entity, const char *path) {
    json_t *step = NULL, *field;
    size_t i;
    json_array_foreach (json_object_get(entity, "fields"), i, field) {
        if (!is_refused_empty(field))
            continue;
        if (!step) {
            step = proof_step(proof, "Nothing filled in", "POST", path, json_object(), 400);
            proof_expect(step, "error", json_string("validation"));
        }
        proof_expect(step, TEXT("fields.%s", json_str(field, "name", "")),
                     json_sprintf("%s is required", json_str(field, "label", "")));
    }
    return step != NULL;
}

static bool refuse_unfit(struct proof *proof, const json_t *entity, const char *path) {
    bool is_any = false;
    size_t i;
    json_t *field;
    json_array_foreach (json_object_get(entity, "fields"), i, field) {
        const char *message = NULL, *name = json_str(field, "name", "");
        json_t *value = bad_value(proof, field, &message);
        if (!value)
            continue;
        json_t *step = proof_step(proof, TEXT("A value that does not fit: %s", json_str(field, "label", "")), "POST",
                                  path, json_pack("{s:o}", name, value), 400);
        proof_expect(step, TEXT("fields.%s", name), json_string(message));
        is_any = true;
    }
    return is_any;
}

static void criterion_refuse(struct proof *proof, const json_t *entity) {
    struct names names = names_of(proof, entity);
    const char *path = TEXT("/api/%s", names.slug);
    json_t *criterion = criterion_open(proof, TEXT("faulty %s are refused", names.many), "", names.feature);
    criterion_entity(criterion, names.slug);
    bool is_empty_refused = refuse_empty(proof, entity, path), is_unfit_refused = refuse_unfit(proof, entity, path);
    put_str(criterion, "statement",
            TEXT("When somebody adds %s %s, then it is refused and the fault is named at the field.", names.a_one,
                 !is_unfit_refused  ? "without a required value"
                 : is_empty_refused ? "without a required value, or with one that does not fit"
                                    : "with a value that does not fit"));
    criterion_close(proof, criterion);
}

/* A row that others need cannot be deleted, where a reference says so. */
static void criterion_in_use(struct proof *proof, const json_t *entity) {
    size_t i;
    json_t *field;
    json_array_foreach (json_object_get(entity, "fields"), i, field) {
        if (!str_eq(json_str(field, "type", ""), "ref") || !str_eq(json_str(field, "onDelete", ""), "restrict"))
            continue;
        const json_t *target = proof_entity(proof, json_str(field, "entity", ""));
        if (target == entity || !target)
            continue;
        struct names child = names_of(proof, entity), parent = names_of(proof, target);
        json_t *criterion =
            criterion_open(proof, TEXT("%s in use is not deleted", parent.a_one),
                           TEXT("Given %s that %s refers to, when somebody deletes it, then it is refused.",
                                parent.a_one, child.a_one),
                           child.feature);
        criterion_entity(criterion, child.slug);
        criterion_entity(criterion, parent.slug);
        const char *name = proof_name(proof, "used");
        proof_row(proof, TEXT("Add %s", parent.a_one), target, NULL, name);
        json_auto_t *given = json_pack("{s:s}", json_str(field, "name", ""), proof_var(proof, name));
        proof_row(proof, TEXT("Add %s for it", child.a_one), entity, given, NULL);
        json_t *step =
            proof_step(proof, "Deleting is refused", "DELETE", TEXT("/api/%s/${%s}", parent.slug, name), NULL, 409);
        proof_expect(step, "error", json_string("in_use"));
        criterion_close(proof, criterion);
    }
}

void criteria_entity(struct proof *proof, const json_t *entity) {
    criterion_keep(proof, entity);
    criterion_change(proof, entity);
    criterion_refuse(proof, entity);
    criterion_in_use(proof, entity);
}

/* Criteria of one feature stand together and count up, as ACCEPTANCE.md shows them. */
static void number_by_feature(json_t *plan) {
    json_t *criteria = json_object_get(plan, "criteria"), *ordered = json_array(), *first, *item;
    json_auto_t *seen = json_object();
    size_t i, j;
    json_array_foreach (criteria, i, first) {
        const char *feature = json_str(first, "feature", "app");
        if (json_object_get(seen, feature))
            continue;
        json_object_set_new(seen, feature, json_true());
        json_array_foreach (criteria, j, item) {
            if (!str_eq(json_str(item, "feature", "app"), feature))
                continue;
            json_array_append(ordered, item);
            json_object_set_new(item, "id", json_sprintf("AC-%zu", json_array_size(ordered)));
        }
    }
    json_object_set_new(plan, "criteria", ordered);
}

void plan_add_criteria(struct draft *draft, json_t *plan) {
    struct proof proof = {.draft = draft,
                          .arena = draft->arena,
                          .plan = plan,
                          .capabilities = json_object_get(plan, "capabilities"),
                          .prefix = ""};
    size_t i;
    json_t *item;
    proof_setup(&proof);
    json_array_foreach (json_object_get(plan, "entities"), i, item) {
        criteria_entity(&proof, item);
        criteria_rules(&proof, item);
    }
    json_array_foreach (json_object_get(plan, "views"), i, item)
        criteria_view(&proof, item);
    criteria_features(&proof);
    criteria_accounts(&proof);
    criteria_app(&proof);
    number_by_feature(plan);
    proof_routes_check(&proof);
}
