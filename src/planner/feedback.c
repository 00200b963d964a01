/* feedback: wishes in plain words that change a draft; what is not understood becomes an open point. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "planner/clause.h"

#define REMOVE_WORDS "remove drop delete without no skip omit exclude"
#define ADD_WORDS "add include introduce support integrate"
#define NEED_WORDS "need needs get gets require requires have has"
#define DETAIL_WORDS "detail details elaborate expand explain"

/* Where a removal begins ("remove …", "get rid of …", "we don't need …"), as the place after it; 0 if it is none. */
static size_t after_removal(const struct clause *clause) {
    size_t at = clause_start(clause);
    if (clause_is(clause, at, REMOVE_WORDS))
        return at + 1;
    if (clause_is(clause, at, "get") && clause_is(clause, at + 1, "rid"))
        return at + 3;
    if (clause_is(clause, at, "don do not") && clause_is(clause, at + 1, "t not need want")) {
        at = clause_find(clause, "need want", at);
        return at < clause->count ? at + 1 : 0;
    }
    return 0;
}

static size_t after_add(const struct clause *clause) {
    size_t at = clause_start(clause);
    if (clause_is(clause, at, ADD_WORDS))
        return at + 1;
    /* "we need notifications": what clause_start passed over was the verb. */
    return at > 0 && clause_is(clause, at - 1, "need needs want to") ? at : 0;
}

static size_t after_detail(const struct clause *clause) {
    size_t at = clause_find(clause, DETAIL_WORDS, 0);
    if (at == clause->count || at > 4)
        return 0;
    at = clause_find(clause, "about on for of regarding to", at);
    return at < clause->count ? at + 1 : 0;
}

/* Where one of the words joins something with an entity, "the due on of tasks": between from and to, which it is if
 * there is none. The last one: what is before it may hold such words, too. */
static size_t find_joint(struct draft *draft, const struct clause *clause, const char *one_of, size_t from, size_t to,
                         json_t **entity) {
    size_t found = to;
    *entity = NULL;
    for (size_t at = clause_find(clause, one_of, from + 1); at + 1 < to; at = clause_find(clause, one_of, at + 1)) {
        json_t *named = phrase_entity(draft, clause_text(clause, at + 1, to));
        if (!named)
            continue;
        *entity = named;
        found = at;
    }
    return found;
}

/* "… field", "… to tasks": a wish about fields, not about a feature. */
static bool is_about_fields(struct draft *draft, const struct clause *clause, size_t from) {
    json_t *entity;
    return clause_find(clause, "field fields column columns", from) < clause->count ||
           find_joint(draft, clause, "to for", from, clause->count, &entity) < clause->count;
}

/* ---- before matching: which features are wanted and which are not */

/* The features' own titles for entities do not stand yet: what names an entity of the catalog exactly is no feature. */
static void want_of_clause(struct draft *draft, const struct clause *clause) {
    size_t from = after_removal(clause);
    bool is_removal = from > 0;
    if (!from)
        from = after_detail(clause);
    if (!from)
        from = after_add(clause);
    if (!from || clause_find(clause, "field fields column", from) < clause->count)
        return;
    if (is_removal && clause_find(clause, "from", from) < clause->count)
        return;
    const json_t *feature = match_feature(draft->planner, draft, clause_text(clause, from, clause->count));
    if (feature && is_removal)
        draft_ban(draft, json_str(feature, "slug", ""));
    else if (feature)
        draft_want(draft, json_str(feature, "slug", ""));
}

void draft_want_by_feedback(struct draft *draft) {
    clauses_each(draft, want_of_clause);
}

/* ---- after the entities stand */

static bool apply_rename(struct draft *draft, const struct clause *clause) {
    size_t at = clause_start(clause), old_from, old_to, new_from;
    if (clause_is(clause, at, "rename change")) {
        old_from = at + 1;
        old_to = clause_find(clause, "to into as", old_from);
        new_from = old_to + 1;
    } else if (clause_is(clause, at, "call")) {
        old_from = at + 1;
        for (old_to = old_from + 1;
             old_to < clause->count && !phrase_entity(draft, clause_text(clause, old_from, old_to)); old_to++)
            ;
        new_from = old_to;
    } else {
        old_from = at;
        old_to = clause_find(clause, "should are is", old_from);
        new_from = clause_find(clause, "called named", old_to) + 1;
    }
    if (new_from >= clause->count + 1 || old_to >= clause->count)
        return false;
    const char *name = noun_singular(draft->arena, clause_text(clause, new_from, clause->count));
    json_t *entity = phrase_entity(draft, clause_text(clause, old_from, old_to));
    if (entity && *name) {
        draft_rename(draft, entity, name);
        return true;
    }
    /* Not an entity: perhaps the label of a field, "the due date of tasks". */
    json_t *only;
    size_t i, of = find_joint(draft, clause, "of in", old_from, old_to, &only);
    const char *phrase = clause_text(clause, old_from, of);
    json_array_foreach (draft->entities, i, entity) {
        const char *field = *name && (!only || entity == only) ? phrase_field(draft, entity, phrase) : NULL;
        if (!field)
            continue;
        put_str(entity_field(entity, field), "label",
                text_capital(draft->arena, clause_text(clause, new_from, clause->count)));
        return true;
    }
    return false;
}

static bool remove_anywhere(struct draft *draft, const char *phrase) {
    bool removed = false;
    size_t i;
    json_t *entity;
    json_array_foreach (draft->entities, i, entity) {
        const char *field = phrase_field(draft, entity, phrase);
        if (field && !str_eq(field, json_str(entity, "titleField", "")))
            removed = entity_remove_field(entity, field) || removed;
    }
    return removed;
}

/* A feature that is not wanted is gone already; the capability of its name may be on by other features. */
static bool remove_feature(struct draft *draft, const char *phrase) {
    const json_t *feature = match_feature(draft->planner, draft, phrase);
    if (!feature || !json_object_get(draft->banned, json_str(feature, "slug", "")))
        return false;
    const char *capability = phrase_capability(draft, phrase);
    if (capability)
        json_object_set_new(draft->capabilities, capability, json_false());
    return true;
}

static bool remove_one(struct draft *draft, const char *phrase) {
    json_t *entity = phrase_entity(draft, phrase);
    size_t at;
    if (entity && json_array_size(draft->entities) > 1) {
        draft_remove_entity(draft, arena_strdup(draft->arena, json_str(entity, "key", "")));
        return true;
    }
    if (remove_feature(draft, phrase))
        return true;
    const char *slug = text_slug(draft->arena, phrase, 40);
    const json_t *view = slug ? find_by(draft->views, "slug", slug, &at) : NULL;
    for (size_t i = 0; i < json_array_size(draft->views) && !view; i++) {
        view = json_array_get(draft->views, i);
        at = i;
        if (strcasecmp(json_str(view, "title", ""), phrase) != 0 && !str_eq(json_str(view, "kind", ""), phrase))
            view = NULL;
    }
    if (view) {
        json_array_remove(draft->views, at);
        return true;
    }
    const char *capability = phrase_capability(draft, phrase);
    if (capability && json_flag(draft->capabilities, capability, false)) {
        json_object_set_new(draft->capabilities, capability, json_false());
        return true;
    }
    return remove_anywhere(draft, phrase);
}

struct wish {
    struct draft *draft;
    json_t *entity;
    bool done;
};

static void remove_item(void *arg, const char *item) {
    struct wish *wish = arg;
    wish->done = remove_one(wish->draft, item) || wish->done;
}

static bool apply_removal(struct draft *draft, const struct clause *clause) {
    size_t from = after_removal(clause);
    if (!from)
        return false;
    json_t *entity;
    size_t of = find_joint(draft, clause, "from of in on", from, clause->count, &entity);
    if (entity) {
        const char *field = phrase_field(draft, entity, clause_text(clause, from, of));
        return field && entity_remove_field(entity, field);
    }
    if (remove_feature(draft, clause_text(clause, from, clause->count)))
        return true;
    struct wish wish = {.draft = draft};
    clause_list(clause, from, clause->count, remove_item, &wish);
    return wish.done;
}

/* "weight as a whole number": the type that is named; NULL if none is, or one that nobody knows. */
static const char *type_said(const char *words) {
    static const char *const rows[][2] = {{"text", "text"},
                                          {"long text", "longtext"},
                                          {"email", "email"},
                                          {"email address", "email"},
                                          {"url", "url"},
                                          {"link", "url"},
                                          {"web address", "url"},
                                          {"phone", "phone"},
                                          {"phone number", "phone"},
                                          {"whole number", "integer"},
                                          {"number", "decimal"},
                                          {"decimal", "decimal"},
                                          {"money", "money"},
                                          {"amount", "money"},
                                          {"price", "money"},
                                          {"checkbox", "boolean"},
                                          {"flag", "boolean"},
                                          {"date", "date"},
                                          {"datetime", "datetime"},
                                          {"time", "time"},
                                          {"minutes", "minutes"},
                                          {"duration", "minutes"},
                                          {"rating", "rating"},
                                          {"tags", "tags"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eq(rows[i][0], words))
            return rows[i][1];
    return NULL;
}

static void add_field(void *arg, const char *item) {
    struct wish *wish = arg;
    struct words words;
    words_split(wish->draft->stemmer, wish->draft->arena, item, &words);
    struct clause clause = {.arena = wish->draft->arena, .words = words.items, .count = words.count};
    size_t from = clause_is(&clause, 0, "field fields column columns") ? 1 : 0, to = words.count;
    while (from < to && clause_is(&clause, from, "called named for"))
        from++;
    while (to > from && clause_is(&clause, to - 1, "field fields column"))
        to--;
    size_t as = clause_find(&clause, "as", from + 1);
    const char *type = as < to ? type_said(clause_text(&clause, as + 1, to)) : NULL;
    to = type ? as : to;
    const char *label = clause_text(&clause, from, to);
    if (type && *label)
        label = arena_printf(wish->draft->arena, "%s|%s", label, type);
    json_t *field = *label && to - from <= 5 ? guess_field(wish->draft, label) : NULL;
    if (!field)
        return;
    wish->done = true;
    if (!entity_field(wish->entity, json_str(field, "name", "")) &&
        !phrase_field(wish->draft, wish->entity, clause_text(&clause, from, to)))
        json_array_append(json_object_get(wish->entity, "fields"), field);
}

/* "tasks need a due date", "every task should have a budget and a colour". */
static bool apply_need(struct draft *draft, const struct clause *clause) {
    size_t at = clause_start(clause);
    while (clause_is(clause, at, "each every all the"))
        at++;
    size_t verb = clause_find(clause, NEED_WORDS " should must", at);
    if (verb == at || verb >= clause->count)
        return false;
    json_t *entity = phrase_entity(draft, clause_text(clause, at, verb));
    size_t from = verb;
    while (clause_is(clause, from, NEED_WORDS " should must also to"))
        from++;
    if (!entity || from >= clause->count || clause_is(clause, from, "be"))
        return false;
    struct wish wish = {.draft = draft, .entity = entity};
    clause_list(clause, from, clause->count, add_field, &wish);
    return wish.done;
}

/* "add a field budget to projects", "add a due date to tasks". */
static bool apply_add_field(struct draft *draft, const struct clause *clause) {
    size_t from = after_add(clause);
    if (!from || !is_about_fields(draft, clause, from))
        return false;
    json_auto_t *primary = json_string("@primary");
    json_t *entity;
    size_t end = find_joint(draft, clause, "to for on", from, clause->count, &entity);
    if (!entity && clause_find(clause, "to for on", from) + 1 >= clause->count)
        entity = draft_resolve(draft, primary, NULL);
    if (!entity)
        return false;
    struct wish wish = {.draft = draft, .entity = entity};
    clause_list(clause, from, end, add_field, &wish);
    return wish.done;
}

/* "make the email of contacts required", "the sku must be unique". */
static bool apply_make(struct draft *draft, const struct clause *clause) {
    size_t what = clause_find(clause, "required mandatory optional unique", 0), at = clause_start(clause);
    if (what == clause->count)
        return false;
    if (clause_is(clause, at, "make set"))
        at++;
    json_t *only, *entity;
    size_t end = clause_find(clause, "must should is are required mandatory optional unique", at),
           of = find_joint(draft, clause, "of for on in", at, end, &only);
    const char *phrase = clause_text(clause, at, of);
    bool done = false;
    size_t i;
    json_array_foreach (draft->entities, i, entity) {
        json_t *field =
            only && entity != only ? NULL : entity_field(entity, str_or(phrase_field(draft, entity, phrase), ""));
        if (!field || done)
            continue;
        bool is_unique = clause_is(clause, what, "unique");
        json_object_set_new(field, is_unique ? "unique" : "required",
                            json_boolean(is_unique || !clause_is(clause, what, "optional")));
        done = true;
    }
    return done;
}

static bool apply_settings(struct draft *draft, const struct clause *clause) {
    static const struct {
        const char *word, *setting, *value;
    } rows[] = {{"eur", "currency", "EUR"},      {"euro", "currency", "EUR"},       {"euros", "currency", "EUR"},
                {"usd", "currency", "USD"},      {"dollar", "currency", "USD"},     {"dollars", "currency", "USD"},
                {"gbp", "currency", "GBP"},      {"pound", "currency", "GBP"},      {"pounds", "currency", "GBP"},
                {"sterling", "currency", "GBP"}, {"chf", "currency", "CHF"},        {"franc", "currency", "CHF"},
                {"francs", "currency", "CHF"},   {"sunday", "weekStart", "sunday"}, {"monday", "weekStart", "monday"},
                {"indigo", "theme", "indigo"},   {"teal", "theme", "teal"},         {"emerald", "theme", "emerald"},
                {"green", "theme", "emerald"},   {"amber", "theme", "amber"},       {"yellow", "theme", "amber"},
                {"rose", "theme", "rose"},       {"red", "theme", "rose"},          {"pink", "theme", "rose"},
                {"sky", "theme", "sky"},         {"blue", "theme", "sky"},          {"violet", "theme", "violet"},
                {"purple", "theme", "violet"},   {"slate", "theme", "slate"},       {"grey", "theme", "slate"},
                {"gray", "theme", "slate"}};
    const char *set = NULL; /* the setting that was set last: the first word for it counts */
    if (clause->count > 12)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (str_eq(set, rows[i].setting))
            continue;
        bool speaks_of_it = str_eq(rows[i].setting, "currency")
                                ? clause_find(clause, "currency use in amounts prices", 0) < clause->count
                            : str_eq(rows[i].setting, "weekStart")
                                ? clause_find(clause, "week weeks", 0) < clause->count
                                : clause_find(clause, "theme colour color make use look", 0) < clause->count;
        if (!speaks_of_it || clause_find(clause, rows[i].word, 0) == clause->count)
            continue;
        put_str(draft->settings, rows[i].setting, rows[i].value);
        set = rows[i].setting;
    }
    return set != NULL;
}

static void switch_on(struct draft *draft, const char *capability) {
    json_object_set_new(draft->capabilities, capability, json_true());
    if (str_eq(capability, "roles") || str_eq(capability, "notifications") || str_eq(capability, "apiTokens"))
        json_object_set_new(draft->capabilities, "auth", json_true());
}

static void add_thing(void *arg, const char *item) {
    struct wish *wish = arg;
    struct draft *draft = wish->draft;
    const json_t *feature = match_feature(draft->planner, draft, item);
    const char *capability = phrase_capability(draft, item);
    if (feature && draft_is_chosen(draft, json_str(feature, "slug", ""))) {
        wish->done = true;
        return;
    }
    if (capability) {
        switch_on(draft, capability);
        wish->done = true;
        return;
    }
    const char *singular = noun_singular(draft->arena, item);
    json_auto_t *primary = json_string("@primary");
    const json_t *main = draft_resolve(draft, primary, NULL);
    bool names_something = noun_is_plural(item) || json_object_get(draft->planner->thing_index, singular);
    if (!names_something || strlen(item) > 40 || phrase_entity(draft, item))
        return;
    json_t *entity = noun_entity(draft, singular, json_str(main, "key", NULL));
    if (!entity || find_by(draft->entities, "slug", json_str(entity, "slug", ""), NULL))
        return;
    draft_add_entity(draft, entity, "records", 60);
    wish->done = true;
}

static bool apply_add(struct draft *draft, const struct clause *clause) {
    size_t from = after_add(clause);
    if (!from)
        return false;
    struct wish wish = {.draft = draft};
    const json_t *feature = match_feature(draft->planner, draft, clause_text(clause, from, clause->count));
    if (feature && draft_is_chosen(draft, json_str(feature, "slug", "")))
        return true;
    clause_list(clause, from, clause->count, add_thing, &wish);
    return wish.done;
}

/* More about a feature or an entity: it gets a section of its own in SPEC.md. */
static bool apply_detail(struct draft *draft, const struct clause *clause) {
    size_t from = after_detail(clause);
    if (!from)
        return false;
    const char *phrase = clause_text(clause, from, clause->count);
    const json_t *entity = phrase_entity(draft, phrase), *feature = match_feature(draft->planner, draft, phrase);
    const char *capability = phrase_capability(draft, phrase);
    if (feature && draft_is_chosen(draft, json_str(feature, "slug", "")))
        json_object_set_new(draft->detailed, json_str(feature, "slug", ""), json_true());
    else if (entity)
        json_object_set_new(draft->detailed, json_str(entity, "feature", ""), json_true());
    else if (capability)
        switch_on(draft, capability);
    else
        return false;
    return true;
}

static void hear(struct draft *draft, const struct clause *clause, const char *open_point) {
    json_array_append_new(draft->heard,
                          json_pack("{s:I, s:b, s:s}", "at", (json_int_t)clause->feedback_at, "isUnderstood",
                                    open_point == NULL, "openPoint", str_or(open_point, "")));
    if (open_point)
        draft_open_point(draft, "%s", open_point);
}

static void apply_clause(struct draft *draft, const struct clause *clause) {
    static bool (*const handlers[])(struct draft * draft, const struct clause *clause) = {
        apply_detail, apply_settings, apply_make, apply_removal, apply_add_field, apply_need, apply_add, apply_rename};
    for (size_t i = 0; i < ARRAY_LEN(handlers); i++)
        if (handlers[i](draft, clause)) {
            hear(draft, clause, NULL);
            return;
        }
    const char *text = "";
    for (size_t i = 0; i < clause->count && i < 40; i++)
        text = arena_printf(draft->arena, "%s%s%s", text, i ? " " : "", clause->words[i].text);
    hear(draft, clause,
         arena_printf(draft->arena, "\"%s%s\": not understood, so nothing in the plan changed for it.", text,
                      clause->count > 40 ? " …" : ""));
}

void draft_apply_feedback(struct draft *draft) {
    clauses_each(draft, apply_clause);
}
