/* gather: makes a draft by its stages: features chosen, their entities and nouns gathered, answers and feedback
 * applied. */
#include "base/json.h"
#include "base/str.h"
#include "planner/draft.h"

static const json_t *feature_of(const struct draft *draft, const json_t *entry) {
    return catalog_feature(draft->planner->catalog, json_str(entry, "slug", ""));
}

static void gather_switches(struct draft *draft) {
    json_auto_t *scores = json_object();
    size_t i;
    json_t *entry;
    json_array_foreach (draft->chosen, i, entry) {
        const json_t *feature = feature_of(draft, entry);
        const char *key;
        json_t *value;
        json_object_foreach (json_object_get(feature, "capabilities"), key, value) {
            if (json_is_true(value))
                json_object_set_new(draft->capabilities, key, json_true());
        }
        int64_t score = json_int(entry, "score", 0);
        json_object_foreach (json_object_get(feature, "settings"), key, value) {
            if (json_object_get(scores, key) && json_int(scores, key, 0) >= score)
                continue;
            json_object_set(draft->settings, key, value);
            json_object_set_new(scores, key, json_integer(score));
        }
        const json_t *roles = json_object_get(feature, "roles");
        if (json_array_size(roles) > 0 && json_array_size(draft->roles) == 0)
            json_array_extend(draft->roles, (json_t *)roles);
    }
}

static void gather_entities(struct draft *draft, bool with_condition) {
    size_t i, j;
    json_t *entry, *entity;
    json_array_foreach (draft->chosen, i, entry) {
        json_array_foreach (json_object_get(feature_of(draft, entry), "entities"), j, entity) {
            if (draft_has_entity_condition(entity) == with_condition && draft_holds(draft, entity, true))
                draft_add_entity(draft, entity, json_str(entry, "slug", ""), json_int(entry, "order", 50));
        }
    }
}

static void gather_copies(struct draft *draft, const json_t *feature, const char *key, json_t *into) {
    json_auto_t *copies = json_deep_copy(json_object_get(feature, key));
    if (!copies)
        return;
    if (json_is_object(json_array_get(copies, 0)))
        tag_feature(copies, json_str(feature, "slug", ""));
    json_array_extend(into, copies);
}

static void gather_rest(struct draft *draft) {
    size_t i, j;
    json_t *entry, *extension;
    json_array_foreach (draft->chosen, i, entry) {
        const json_t *feature = feature_of(draft, entry);
        json_array_foreach (json_object_get(feature, "extend"), j, extension)
            draft_extend(draft, extension, json_str(entry, "slug", ""));
        gather_copies(draft, feature, "views", draft->views);
        gather_copies(draft, feature, "cards", draft->cards);
        gather_copies(draft, feature, "recent", draft->recent);
        gather_copies(draft, feature, "criteria", draft->criteria);
        gather_copies(draft, feature, "questions", draft->questions);
    }
}

/* The description's own word for an entity, where it uses one of the aliases and not the name itself. */
static void rename_by_alias(struct draft *draft, json_t *entity) {
    if (draft_has_phrase(draft, json_str(entity, "name", "")))
        return;
    const char *best = NULL;
    long best_at = -1;
    size_t i;
    json_t *alias;
    json_array_foreach (json_object_get(entity, "aliases"), i, alias) {
        struct words phrase;
        words_split(draft->stemmer, draft->arena, str_or(json_string_value(alias), ""), &phrase);
        long at = words_find(&draft->words, &phrase, 0);
        if (at < 0 || draft->words.items[at].is_negated || (best && at >= best_at))
            continue;
        const char *name = text_capital(draft->arena, json_string_value(alias));
        if (find_by(draft->entities, "name", name, NULL))
            continue;
        best = json_string_value(alias);
        best_at = at;
    }
    if (best)
        draft_rename(draft, entity, best);
}

static int check_enough(struct draft *draft, struct err *err) {
    if (json_array_size(draft->entities) > 0)
        return 0;
    if (draft->words.count < 3)
        return err_field(
            err, ERR_VALIDATION, "description",
            "The description is too short to plan from: say in a sentence or two what the app keeps (for example "
            "\"clients, invoices and receipts\") and what people do with it");
    if (json_array_size(draft->chosen) > 0 && json_flag(json_array_get(draft->chosen, 0), "byWords", false))
        return err_field(
            err, ERR_VALIDATION, "description",
            "The description says how people get in, but not what the app keeps: name the things in it (for "
            "example \"recipes, ingredients and a meal plan\")");
    return err_field(
        err, ERR_VALIDATION, "description",
        "The description names nothing that an app could keep: name the things in it (for example \"parts, "
        "suppliers and purchase orders\") and who uses them, in English");
}

static json_t *own(struct draft *draft, json_t *value) {
    return json_own(draft->arena, value);
}

int draft_make(struct draft *draft, const struct planner *planner, const struct planner_input *input, json_t *answers,
               struct arena *arena, struct err *err) {
    *draft = (struct draft){.planner = planner, .arena = arena, .input = input, .answers = answers};
    draft->stemmer = stemmer_create(arena);
    draft->wanted = own(draft, json_object());
    draft->banned = own(draft, json_object());
    draft->chosen = own(draft, json_array());
    draft->capabilities =
        own(draft, json_pack("{s:b, s:b, s:b, s:b, s:b, s:b, s:b, s:b}", "auth", 0, "roles", 0, "search", 0, "csv", 0,
                             "audit", 0, "apiTokens", 0, "notifications", 0, "uploads", 0));
    draft->settings =
        own(draft, json_pack("{s:s, s:s, s:s}", "currency", "EUR", "weekStart", "monday", "theme", "indigo"));
    draft->roles = own(draft, json_array());
    draft->entities = own(draft, json_array());
    draft->views = own(draft, json_array());
    draft->cards = own(draft, json_array());
    draft->recent = own(draft, json_array());
    draft->criteria = own(draft, json_array());
    draft->questions = own(draft, json_array());
    draft->open_points = own(draft, json_array());
    draft->heard = own(draft, json_array());
    draft->detailed = own(draft, json_object());
    words_split(draft->stemmer, arena, str_or(input->description, ""), &draft->words);
    if (answers)
        draft_want_by_answers(draft);
    draft_want_by_feedback(draft);
    draft_match(draft);
    gather_switches(draft);
    draft_complete_roles(draft);
    gather_entities(draft, false);
    gather_entities(draft, true);
    draft_add_nouns(draft);
    int rc = check_enough(draft, err);
    if (rc < 0)
        return rc;
    size_t i;
    json_t *entity;
    json_array_foreach (draft->entities, i, entity)
        rename_by_alias(draft, entity);
    gather_rest(draft);
    if (answers)
        draft_apply_answers(draft);
    draft_apply_feedback(draft);
    return 0;
}
