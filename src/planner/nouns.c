/* nouns: entities for the things that a description speaks of and no feature covers. */
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "planner/draft.h"

#define MAX_PHRASE 4

struct scan {
    struct draft *draft;
    bool *covered;        /* a word that a feature has settled */
    const char *last_key; /* of the latest entity made from a noun */
    const char *with_key; /* the entity before "with", until the sentence ends */
    size_t left_out;
};

static void cover_phrase(struct scan *scan, const char *text) {
    struct draft *draft = scan->draft;
    struct words phrase;
    words_split(draft->stemmer, draft->arena, text, &phrase);
    for (long at = words_find(&draft->words, &phrase, 0); at >= 0;
         at = words_find(&draft->words, &phrase, (size_t)at + 1))
        for (size_t i = 0; i < phrase.count; i++)
            scan->covered[(size_t)at + i] = true;
}

static void cover_list(struct scan *scan, const json_t *list) {
    size_t i;
    json_t *text;
    json_array_foreach (list, i, text)
        cover_phrase(scan, str_or(json_string_value(text), ""));
}

static void cover_entity(struct scan *scan, const json_t *entity) {
    cover_phrase(scan, json_str(entity, "name", ""));
    cover_list(scan, json_object_get(entity, "aliases"));
    cover_list(scan, json_object_get(entity, "also"));
}

static void cover_features(struct scan *scan) {
    struct draft *draft = scan->draft;
    size_t i, j;
    json_t *entry, *entity;
    json_array_foreach (draft->chosen, i, entry) {
        const json_t *feature = catalog_feature(draft->planner->catalog, json_str(entry, "slug", ""));
        cover_list(scan, json_at(feature, "words.strong"));
        cover_list(scan, json_at(feature, "words.weak"));
        cover_list(scan, json_object_get(feature, "covers"));
        cover_phrase(scan, json_str(feature, "title", ""));
        json_array_foreach (json_object_get(feature, "entities"), j, entity)
            cover_entity(scan, entity);
    }
    json_array_foreach (draft->entities, i, entity) {
        cover_entity(scan, entity);
        json_t *field;
        json_array_foreach (json_object_get(entity, "fields"), j, field)
            cover_phrase(scan, json_str(field, "label", ""));
    }
}

/* ---- entities for nouns */

static const json_t *known_thing(struct draft *draft, const char *singular) {
    struct words phrase;
    words_split(draft->stemmer, draft->arena, singular, &phrase);
    return json_object_get(draft->planner->thing_index, words_key(draft->arena, &phrase));
}

static const char *head_of(const char *singular) {
    const char *space = strrchr(singular, ' ');
    return space ? space + 1 : singular;
}

static bool is_person(struct draft *draft, const char *head) {
    const char *lower = str_lower(draft->arena, noun_singular(draft->arena, head));
    const char *kind = lexicon_kind(draft->planner, lower);
    /* Only a word that the lexicon does not know is judged by its ending: an order is nobody. */
    if (*kind || strlen(lower) < 5)
        return str_eq(kind, "person");
    return str_ends(lower, "er") || str_ends(lower, "or") || str_ends(lower, "ist") || str_ends(lower, "ian") ||
           str_ends(lower, "ee") || str_ends(lower, "ant");
}

static const json_t *kind_of(struct draft *draft, const char *head) {
    const char *lower = str_lower(draft->arena, head);
    if (is_person(draft, head))
        return find_by(draft->planner->kinds, "kind", "person", NULL);
    size_t i, j;
    json_t *kind, *suffix;
    json_array_foreach (draft->planner->kinds, i, kind) {
        json_array_foreach (json_object_get(kind, "suffixes"), j, suffix) {
            if (str_ends(lower, str_or(json_string_value(suffix), "?")))
                return kind;
        }
    }
    return find_by(draft->planner->kinds, "kind", "thing", NULL);
}

/* Fields given as texts become objects; gives the name of the first, which is the title. */
static const char *expand_fields(struct draft *draft, json_t *entity) {
    json_t *fields = json_object_get(entity, "fields");
    size_t i;
    json_t *item;
    json_array_foreach (fields, i, item) {
        if (!json_is_string(item))
            continue;
        json_t *field = guess_field(draft, json_string_value(item));
        const char *type = json_str(field, "type", "");
        if (i == 0 && !str_eq(type, "date") && !str_eq(type, "text")) {
            field = json_own(draft->arena,
                             json_pack("{s:s, s:s, s:s, s:i, s:b}", "name", json_str(field, "name", "name"), "label",
                                       json_str(field, "label", "Name"), "type", "text", "max", 160, "required", 1));
        }
        json_array_set(fields, i, field);
    }
    return json_str(json_array_get(fields, 0), "name", "name");
}

/* What was done belongs to what it was done to: the nearest entity before it that is itself not such a record. */
static void refer_to_previous(struct draft *draft, json_t *entity, const char *parent_key) {
    json_t *parent = parent_key ? draft_entity(draft, parent_key) : NULL;
    if (!parent || json_flag(parent, "isRecord", false))
        return;
    const char *name = text_camel(draft->arena, json_str(parent, "name", ""));
    if (!name || entity_field(entity, name))
        return;
    json_array_insert_new(
        json_object_get(entity, "fields"), 1,
        json_pack("{s:s, s:s, s:s, s:s}", "name", name, "type", "ref", "entity", parent_key, "onDelete", "cascade"));
}

/* "A shrub, with its category, status and date." */
static const char *summary_of(struct draft *draft, const json_t *entity) {
    const json_t *fields = json_object_get(entity, "fields");
    const char *one = text_lower_first(draft->arena, json_str(entity, "name", "")), *list = "";
    size_t i, last = json_array_size(fields) - 1;
    json_t *field;
    json_array_foreach (fields, i, field) {
        const char *label = text_lower_first(draft->arena, json_str(field, "label", ""));
        if (i > 0)
            list = arena_printf(draft->arena, "%s%s%s", list, i == 1 ? "" : i == last ? " and " : ", ", label);
    }
    return arena_printf(draft->arena, "%s%s%s.", text_capital(draft->arena, text_article(draft->arena, one)),
                        *list ? ", with its " : "", list);
}

static json_t *entity_named(struct draft *draft, const char *singular, const char *many, const char *parent_key) {
    const char *head = head_of(singular);
    const json_t *thing = known_thing(draft, singular);
    if (!thing && head != singular)
        thing = known_thing(draft, head);
    const char *name = text_capital(draft->arena, singular);
    const char *plural = text_capital(draft->arena, many);
    const char *slug = text_slug(draft->arena, plural, 40);
    if (!slug)
        return NULL;
    json_t *entity;
    if (thing) {
        entity = json_deep_copy(thing);
        /* The same thing twice under different words, or one of many kinds: the words of the text tell them apart. */
        if (draft_entity(draft, json_str(thing, "key", "")))
            put_str(entity, "key", slug);
    } else {
        const json_t *kind = kind_of(draft, head);
        entity = json_deep_copy(kind);
        put_str(entity, "key", slug);
        if (json_flag(kind, "refers", false))
            json_object_set_new(entity, "isRecord", json_true());
    }
    json_own(draft->arena, entity);
    put_str(entity, "name", name);
    if (!json_object_get(entity, "plural") || !thing || !str_eq(json_str(thing, "name", ""), name))
        put_str(entity, "plural", plural);
    put_str(entity, "slug", slug);
    put_str(entity, "titleField", expand_fields(draft, entity));
    if (!*json_str(entity, "summary", ""))
        put_str(entity, "summary", summary_of(draft, entity));
    if (json_flag(entity, "isRecord", false))
        refer_to_previous(draft, entity, parent_key);
    json_object_del(entity, "aliases"); /* it has the description's word already */
    return entity;
}

json_t *noun_entity(struct draft *draft, const char *singular, const char *parent_key) {
    return entity_named(draft, singular, noun_plural(draft->arena, singular), parent_key);
}

/* ---- scanning */

/* "equipment checks," is a thing, "people list tools" is not: a form in -s that ends its phrase after another word. */
static bool ends_as_noun(const struct scan *scan, size_t at) {
    const struct words *words = &scan->draft->words;
    bool is_last = at + 1 == words->count || words->items[at + 1].before || str_eq(words->items[at + 1].text, "and") ||
                   str_eq(words->items[at + 1].text, "or");
    if (!is_last || at == 0 || words->items[at].before || scan->covered[at - 1] ||
        !noun_is_plural(words->items[at].text))
        return false;
    const char *kind = lexicon_kind(scan->draft->planner, words->items[at - 1].text);
    return (!*kind || str_eq(kind, "notRecord")) && !str_ends(words->items[at - 1].text, "s");
}

static bool is_boundary(const struct scan *scan, size_t at) {
    const struct word *word = &scan->draft->words.items[at];
    bool is_number = word->text[strspn(word->text, "0123456789")] == 0;
    if (scan->covered[at] || word->is_negated || is_number)
        return true;
    const char *kind = lexicon_kind(scan->draft->planner, word->text);
    if (str_eq(kind, "stop"))
        return true;
    /* A verb ends a phrase unless it is also a thing that the lexicon knows ("treatments", "runs"). */
    bool is_thing = noun_is_plural(word->text) && json_object_get(scan->draft->planner->thing_index, word->stem);
    return str_eq(kind, "verb") && !is_thing && !ends_as_noun(scan, at);
}

static bool is_after_for(const struct scan *scan, size_t start) {
    for (size_t i = start; i-- > 0;) {
        const struct word *word = &scan->draft->words.items[i];
        if (str_eq(word->text, "for") || str_eq(word->text, "by"))
            return true;
        const char *kind = lexicon_kind(scan->draft->planner, word->text);
        if (!str_eq(word->text, "a") && !str_eq(word->text, "an") && !str_eq(word->text, "the") &&
            !str_eq(word->text, "our") && !str_eq(word->text, "my") && !str_eq(kind, "adjective"))
            return false;
        if (word->before)
            return false;
    }
    return false;
}

/* The words start..end as a singular name, or NULL if they name nothing to keep. */
static const char *phrase_noun(struct scan *scan, size_t start, size_t end) {
    struct draft *draft = scan->draft;
    const struct word *items = draft->words.items;
    const char *head = items[end - 1].text;
    const char *kind = lexicon_kind(draft->planner, head);
    const char *head_one = noun_singular(draft->arena, head);
    if (str_eq(kind, "generic") || str_eq(kind, "adjective") || str_eq(kind, "group"))
        return NULL;
    bool after_for = is_after_for(scan, start);
    if (after_for && is_person(draft, head))
        return NULL;
    bool is_plural = noun_is_plural(head);
    if (!is_plural && !known_thing(draft, head_one))
        return NULL;
    if (after_for && !is_plural && end - start > 1)
        return NULL;
    while (start + 1 < end && (str_eq(lexicon_kind(draft->planner, items[start].text), "adjective") || end - start > 2))
        start++;
    const char *name = "";
    for (size_t i = start; i + 1 < end; i++)
        name = arena_printf(draft->arena, "%s%s ", name, items[i].text);
    return arena_printf(draft->arena, "%s%s", name, head_one);
}

static void add_noun(struct scan *scan, const char *singular, const char *plural) {
    struct draft *draft = scan->draft;
    const char *parent = str_or(scan->with_key, scan->last_key);
    json_t *entity = entity_named(draft, singular, plural, parent);
    if (!entity)
        return;
    const char *key = json_str(entity, "key", "");
    if (draft_entity(draft, key) || find_by(draft->entities, "slug", json_str(entity, "slug", ""), NULL))
        return;
    if (json_array_size(draft->entities) >= MAX_ENTITIES) {
        scan->left_out++;
        if (scan->left_out <= 8)
            draft_open_point(draft,
                             "%s: not planned, because %d kinds of records are the most one plan takes; describe them "
                             "in a further project.",
                             json_str(entity, "plural", ""), MAX_ENTITIES);
        return;
    }
    draft_add_entity(draft, entity, "records", 30);
    if (!json_flag(entity, "isRecord", false))
        scan->last_key = arena_strdup(draft->arena, key);
}

static void scan_text(struct scan *scan) {
    struct draft *draft = scan->draft;
    const struct word *items = draft->words.items;
    size_t count = draft->words.count;
    for (size_t i = 0; i < count;) {
        if (items[i].before == '.')
            scan->with_key = NULL;
        if (str_eq(items[i].text, "with"))
            scan->with_key = scan->last_key;
        if (is_boundary(scan, i)) {
            i++;
            continue;
        }
        size_t end = i + 1;
        while (end < count && end - i < MAX_PHRASE && !is_boundary(scan, end) &&
               (!items[end].before || items[end].before == '-'))
            end++;
        /* "honey harvests for …": a phrase that runs into a word that a feature covers is part of that word's name. */
        bool runs_on = end < count && scan->covered[end] && !items[end].before;
        const char *noun = runs_on && !noun_is_plural(items[end - 1].text) ? NULL : phrase_noun(scan, i, end);
        if (noun)
            add_noun(scan, noun, noun_plural(draft->arena, noun));
        i = end;
    }
}

/* Where nothing was understood: what stands after a colon, parted by commas, or with capitals as German nouns do. */
static void scan_list(struct scan *scan) {
    struct draft *draft = scan->draft;
    const struct word *items = draft->words.items;
    bool in_list = false;
    size_t items_seen = 0;
    for (size_t i = 0; i < draft->words.count; i++) {
        if (items[i].before == '.')
            in_list = false;
        if (items[i].before == ':')
            in_list = true;
        bool is_single = i + 1 == draft->words.count || items[i + 1].before || strlen(items[i + 1].text) <= 3;
        bool starts = items[i].before == ':' || items[i].before == ',' ||
                      (items_seen > 0 && i > 0 && strlen(items[i - 1].text) <= 3);
        const char *kind = lexicon_kind(draft->planner, items[i].text);
        if (!in_list || !is_single || !starts || strlen(items[i].text) < 4 || str_eq(kind, "stop") ||
            str_eq(kind, "generic") || str_eq(kind, "verb") || str_eq(kind, "adjective") || items[i].is_negated)
            continue;
        items_seen++;
        /* What has no English plural is left as it is written: "Mitglieder" are not "Mitglieders". */
        const char *one = noun_singular(draft->arena, items[i].text);
        add_noun(scan, one, items[i].text);
    }
}

void draft_add_nouns(struct draft *draft) {
    struct scan scan = {.draft = draft, .covered = arena_array(draft->arena, draft->words.count + 1, sizeof(bool))};
    cover_features(&scan);
    scan_text(&scan);
    if (json_array_size(draft->entities) == 0)
        scan_list(&scan);
}
