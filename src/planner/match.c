/* match: which features the words of a description call for. */
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "planner/draft.h"

#define ENOUGH 2
#define STRONG 2
#define WEAK 1
#define AGAINST 3

void draft_want(struct draft *draft, const char *slug) {
    json_object_set_new(draft->wanted, slug, json_true());
    json_object_del(draft->banned, slug);
}

void draft_ban(struct draft *draft, const char *slug) {
    json_object_set_new(draft->banned, slug, json_true());
    json_object_del(draft->wanted, slug);
}

/* The words of the description themselves, for the one who wrote them; "and reviews" is "reviews" to him. */
static const char *as_written(struct arena *arena, const struct words *words, size_t at, size_t count) {
    if (count > 1 && (str_eq(words->items[at].text, "and") || str_eq(words->items[at].text, "a"))) {
        at++;
        count--;
    }
    const char *text = words->items[at].text;
    for (size_t i = 1; i < count; i++)
        text = arena_printf(arena, "%s %s", text, words->items[at + i].text);
    return text;
}

/* Counts the different entries of a list that words contain, naming them in because. */
static int64_t count_found(struct draft *draft, const struct words *words, const json_t *list, json_t *because,
                           bool *is_negated) {
    json_auto_t *seen = json_object();
    int64_t found = 0;
    size_t i;
    json_t *entry;
    json_array_foreach (list, i, entry) {
        struct words phrase;
        words_split(draft->stemmer, draft->arena, str_or(json_string_value(entry), ""), &phrase);
        const char *key = words_key(draft->arena, &phrase);
        if (json_object_get(seen, key))
            continue;
        json_object_set_new(seen, key, json_true());
        long at = words_find(words, &phrase, 0);
        long counted_at = -1;
        for (; at >= 0 && counted_at < 0; at = words_find(words, &phrase, (size_t)at + 1)) {
            if (words->items[at].is_negated)
                *is_negated = true;
            else
                counted_at = at;
        }
        if (counted_at < 0)
            continue;
        found++;
        const char *written = as_written(draft->arena, words, (size_t)counted_at, phrase.count);
        if (because && !is_in(because, written))
            json_array_append_new(because, json_string(written));
    }
    return found;
}

static int64_t score_feature(struct draft *draft, const struct words *words, const json_t *feature, json_t *because,
                             bool *is_negated) {
    const json_t *lists = json_object_get(feature, "words");
    bool ignored = false;
    int64_t score = STRONG * count_found(draft, words, json_object_get(lists, "strong"), because, is_negated);
    score += WEAK * count_found(draft, words, json_object_get(lists, "weak"), because, is_negated);
    return score - AGAINST * count_found(draft, words, json_object_get(lists, "not"), NULL, &ignored);
}

static void choose(struct draft *draft, const json_t *feature, int64_t score, json_t *because, bool by_words) {
    const char *slug = json_str(feature, "slug", "");
    if (draft_is_chosen(draft, slug) || json_object_get(draft->banned, slug))
        return;
    json_array_append_new(draft->chosen,
                          json_pack("{s:s, s:I, s:O, s:I, s:b}", "slug", slug, "score", (json_int_t)score, "because",
                                    because, "order", (json_int_t)json_int(feature, "order", 50), "byWords", by_words));
}

/* Adds what the chosen ones require; one that requires a banned feature goes. */
static void close_over_requirements(struct draft *draft) {
    const struct catalog *catalog = draft->planner->catalog;
    for (size_t i = 0; i < json_array_size(draft->chosen); i++) {
        json_t *entry = json_array_get(draft->chosen, i);
        const json_t *feature = catalog_feature(catalog, json_str(entry, "slug", ""));
        size_t j;
        json_t *required;
        json_array_foreach (json_object_get(feature, "requires"), j, required) {
            const char *slug = str_or(json_string_value(required), "");
            const json_t *other = catalog_feature(catalog, slug);
            json_auto_t *because = json_array();
            if (other && !json_object_get(draft->banned, slug)) {
                choose(draft, other, json_int(entry, "score", 0), because, false);
                continue;
            }
            draft_ban(draft, json_str(entry, "slug", ""));
            json_array_remove(draft->chosen, i);
            i = (size_t)-1; /* from the start: others may have required it */
            break;
        }
    }
}

/* The general one gives way to the special one, unless it is asked for by name or something required it. */
static void yield_to_special(struct draft *draft) {
    for (size_t i = json_array_size(draft->chosen); i-- > 0;) {
        json_t *entry = json_array_get(draft->chosen, i);
        const char *slug = json_str(entry, "slug", "");
        const json_t *feature = catalog_feature(draft->planner->catalog, slug);
        if (json_object_get(draft->wanted, slug))
            continue;
        size_t j;
        json_t *special;
        json_array_foreach (json_object_get(feature, "yieldsTo"), j, special) {
            const json_t *other = find_by(draft->chosen, "slug", str_or(json_string_value(special), ""), NULL);
            if (!other || !json_flag(other, "byWords", false))
                continue;
            json_array_remove(draft->chosen, i);
            break;
        }
    }
}

static void sort_chosen(struct draft *draft) {
    size_t count = json_array_size(draft->chosen);
    for (size_t i = 1; i < count; i++) {
        json_t *entry = json_incref(json_array_get(draft->chosen, i));
        size_t j = i;
        for (; j > 0; j--) {
            const json_t *before = json_array_get(draft->chosen, j - 1);
            int64_t a = json_int(before, "order", 50), b = json_int(entry, "order", 50);
            if (a < b || (a == b && strcmp(json_str(before, "slug", ""), json_str(entry, "slug", "")) <= 0))
                break;
        }
        json_array_remove(draft->chosen, i);
        json_array_insert_new(draft->chosen, j, entry);
    }
}

void draft_match(struct draft *draft) {
    size_t i;
    json_t *feature;
    json_array_foreach (catalog_features(draft->planner->catalog), i, feature) {
        const char *slug = json_str(feature, "slug", "");
        json_auto_t *because = json_array();
        bool is_negated = false;
        int64_t score = score_feature(draft, &draft->words, feature, because, &is_negated);
        if (is_negated && score < ENOUGH && !json_object_get(draft->wanted, slug))
            draft_ban(draft, slug);
        else if (score >= ENOUGH)
            choose(draft, feature, score, because, true);
        else if (json_flag(feature, "always", false) || json_object_get(draft->wanted, slug))
            choose(draft, feature, score > 0 ? score : 0, because, json_object_get(draft->wanted, slug) != NULL);
    }
    yield_to_special(draft);
    close_over_requirements(draft);
    sort_chosen(draft);
}

const json_t *match_feature(const struct planner *planner, struct draft *draft, const char *phrase) {
    struct words words;
    words_split(draft->stemmer, draft->arena, phrase, &words);
    for (size_t i = 0; i < words.count; i++)
        words.items[i].is_negated = false;
    const json_t *best = NULL;
    int64_t best_score = 0;
    size_t i;
    json_t *feature;
    json_array_foreach (catalog_features(planner->catalog), i, feature) {
        struct words title;
        words_split(draft->stemmer, draft->arena, json_str(feature, "title", ""), &title);
        bool ignored = false;
        int64_t score = score_feature(draft, &words, feature, NULL, &ignored);
        if (words_find(&words, &title, 0) >= 0)
            score += 4;
        if (score >= ENOUGH && score > best_score) {
            best = feature;
            best_score = score;
        }
    }
    return best;
}
