/* questions: which questions to ask about a description: those whose every answer changes the app. */
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "planner/draft.h"

#define LEAST 3
#define MOST 7
#define MOST_OF_ONE_FEATURE 2
#define MOST_GENERAL 4

/* What a draft comes to under one answer, as text to compare. */
static const char *outcome(struct draft *base, const char *id, json_t *answer) {
    struct draft draft;
    json_auto_t *answers = json_object();
    if (id)
        json_object_set(answers, id, answer);
    if (draft_make(&draft, base->planner, base->input, answers, base->arena, NULL) < 0)
        return "";
    draft_finish(&draft);
    json_auto_t *all = json_pack("{s:O, s:O, s:O, s:O, s:O, s:O, s:O}", "entities", draft.entities, "views",
                                 draft.views, "cards", draft.cards, "capabilities", draft.capabilities, "settings",
                                 draft.settings, "roles", draft.roles, "chosen", draft.chosen);
    return json_text(base->arena, all);
}

/* Leaves out options that would change nothing; false if no choice is left. */
static bool prune_options(struct draft *draft, json_t *question, const char *plain) {
    const char *id = json_str(question, "id", "");
    json_t *options = json_object_get(question, "options");
    const json_t *chosen = json_object_get(question, "default");
    bool is_single = str_eq(json_str(question, "type", ""), "single_choice");
    for (size_t i = json_array_size(options); i-- > 0;) {
        json_t *option = json_array_get(options, i);
        json_auto_t *answer = is_single ? json_incref(option) : json_deep_copy(chosen);
        if (is_single && json_equal(option, chosen))
            continue;
        size_t at = json_array_size(answer);
        for (size_t j = 0; !is_single && j < json_array_size(chosen); j++)
            if (json_equal(json_array_get(chosen, j), option))
                at = j;
        if (!is_single && at < json_array_size(answer))
            json_array_remove(answer, at);
        else if (!is_single)
            json_array_append(answer, option);
        const char *changed = outcome(draft, id, answer);
        if (!*changed || str_eq(changed, plain))
            json_array_remove(options, i);
    }
    return json_array_size(options) >= (is_single ? 2u : 1u);
}

static bool has_field_of_type(const struct draft *draft, const char *type) {
    size_t i;
    json_t *entity;
    json_array_foreach (draft->entities, i, entity) {
        if (find_by(json_object_get(entity, "fields"), "type", type, NULL))
            return true;
    }
    return false;
}

/* Whether asking makes a difference to the app. */
static bool is_worth_asking(struct draft *draft, const struct draft *finished, json_t *question, const char *plain) {
    const char *type = json_str(question, "type", ""), *id = json_str(question, "id", "");
    const char *needs_field = json_str(question, "needsField", NULL),
               *needs_view = json_str(question, "needsView", NULL);
    if ((needs_field && !has_field_of_type(finished, needs_field)) ||
        (needs_view && !find_by(finished->views, "kind", needs_view, NULL)))
        return false;
    if (str_eq(type, "single_choice") || str_eq(type, "multiple_choice"))
        return prune_options(draft, question, plain);
    json_auto_t *answer = str_eq(type, "boolean") ? json_boolean(!json_is_true(json_object_get(question, "default")))
                                                  : json_string("17, Alpha, Beta");
    const char *changed = outcome(draft, id, answer);
    return *changed && !str_eq(changed, plain);
}

static int64_t order_of(const struct draft *draft, const json_t *question) {
    const json_t *entry = find_by(draft->chosen, "slug", json_str(question, "feature", ""), NULL);
    return json_int(entry, "order", 100);
}

/* By priority, then by the feature's place, then as in the files. */
static void sort_questions(struct draft *draft, json_t *questions) {
    for (size_t i = 1; i < json_array_size(questions); i++) {
        json_t *question = json_incref(json_array_get(questions, i));
        size_t j = i;
        for (; j > 0; j--) {
            const json_t *before = json_array_get(questions, j - 1);
            int64_t a = json_int(before, "priority", 5), b = json_int(question, "priority", 5);
            if (a < b || (a == b && order_of(draft, before) <= order_of(draft, question)))
                break;
        }
        json_array_remove(questions, i);
        json_array_insert_new(questions, j, question);
    }
}

static size_t count_by_feature(const json_t *questions, const char *feature) {
    size_t i, count = 0;
    json_t *question;
    json_array_foreach (questions, i, question)
        count += str_eq(json_str(question, "feature", ""), feature);
    return count;
}

/* More for descriptions that call for more. */
static size_t how_many(const struct draft *draft) {
    size_t i, by_words = 0;
    json_t *entry;
    json_array_foreach (draft->chosen, i, entry)
        by_words += json_flag(entry, "byWords", false);
    size_t count = LEAST + by_words;
    return count < 4 ? 4 : count > MOST ? MOST : count;
}

static json_t *as_asked(struct draft *draft, const json_t *question) {
    json_t *asked = json_object();
    static const char *const keys[] = {"id", "question", "type", "options", "help", "default"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        json_t *value = json_object_get(question, keys[i]);
        if (value)
            json_object_set_new(asked, keys[i], json_deep_copy(value));
    }
    static const char *const texts[] = {"question", "help"};
    for (size_t i = 0; i < 2; i++)
        if (json_object_get(asked, texts[i]))
            put_str(asked, texts[i], text_capital(draft->arena, draft_fill(draft, json_str(asked, texts[i], ""))));
    return asked;
}

static json_t *candidates(struct draft *draft) {
    json_t *all = json_own(draft->arena, json_array());
    json_array_extend(all, draft->questions);
    size_t i;
    json_t *question;
    json_array_foreach (draft->planner->general, i, question) {
        json_t *copy = json_deep_copy(question);
        put_str(copy, "feature", "general");
        json_array_append_new(all, copy);
    }
    sort_questions(draft, all);
    return all;
}

json_t *questions_pick(struct draft *draft) {
    json_t *asked = json_own(draft->arena, json_array()), *all = candidates(draft), *question;
    const char *plain = outcome(draft, NULL, NULL);
    struct draft finished;
    if (draft_make(&finished, draft->planner, draft->input, NULL, draft->arena, NULL) < 0)
        return asked;
    draft_finish(&finished);
    json_auto_t *picked = json_array();
    size_t most = how_many(draft), i;
    json_array_foreach (all, i, question) {
        const char *feature = json_str(question, "feature", "");
        size_t limit = str_eq(feature, "general") ? MOST_GENERAL : MOST_OF_ONE_FEATURE;
        if (json_array_size(picked) >= most || count_by_feature(picked, feature) >= limit ||
            !draft_holds(draft, question, true) || !is_worth_asking(draft, &finished, question, plain))
            continue;
        json_array_append(picked, question);
        json_array_append_new(asked, as_asked(&finished, question));
    }
    return asked;
}
