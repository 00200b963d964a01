/* lexicon: loads the planner's own words: kinds of words, known things, hints for fields, general questions. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "planner/draft.h"

static int load(struct planner *planner, const char *path, json_t **out, struct err *err) {
    size_t len;
    const char *text = assets_get(planner->assets, path, &len);
    if (!text)
        return err_set(err, ERR_VALIDATION, "%s is missing", path);
    if (json_parse(planner->arena, text, len, out, err) < 0)
        return err_wrap(err, "%s", path);
    return 0;
}

/* {"stop": ["a", …], …} as {word: kind}: one look-up a word. The first kind that names a word keeps it. */
static int index_words(struct planner *planner, struct err *err) {
    json_t *lists;
    int rc = load(planner, "lexicon/words.json", &lists, err);
    if (rc < 0)
        return rc;
    struct stemmer *stemmer = stemmer_create(planner->arena);
    planner->word_kinds = json_own(planner->arena, json_object());
    const char *kind;
    json_t *list, *word;
    size_t i;
    json_object_foreach (lists, kind, list) {
        json_array_foreach (list, i, word) {
            struct words words;
            words_split(stemmer, planner->arena, str_or(json_string_value(word), ""), &words);
            if (words.count == 1 && !json_object_get(planner->word_kinds, words.items[0].text))
                put_str(planner->word_kinds, words.items[0].text, kind);
        }
    }
    return 0;
}

static void index_name(struct planner *planner, struct stemmer *stemmer, const char *name, json_t *thing) {
    struct words words;
    words_split(stemmer, planner->arena, name, &words);
    const char *key = words_key(planner->arena, &words);
    if (!json_object_get(planner->thing_index, key))
        json_object_set(planner->thing_index, key, thing);
}

/* Own names go before aliases: "bike" is a vehicle only where nothing is called a bike. */
static void index_things(struct planner *planner) {
    static const char *const lists[] = {"aliases", "also"};
    struct stemmer *stemmer = stemmer_create(planner->arena);
    planner->thing_index = json_own(planner->arena, json_object());
    size_t i, j;
    json_t *thing, *name;
    json_array_foreach (planner->things, i, thing)
        index_name(planner, stemmer, json_str(thing, "name", ""), thing);
    json_array_foreach (planner->things, i, thing) {
        for (size_t list = 0; list < ARRAY_LEN(lists); list++) {
            json_array_foreach (json_object_get(thing, lists[list]), j, name)
                index_name(planner, stemmer, str_or(json_string_value(name), ""), thing);
        }
    }
}

int lexicon_open(struct planner *planner, struct err *err) {
    int rc = index_words(planner, err);
    if (rc == 0)
        rc = load(planner, "lexicon/things.json", &planner->things, err);
    if (rc == 0)
        rc = load(planner, "lexicon/kinds.json", &planner->kinds, err);
    if (rc == 0)
        rc = load(planner, "lexicon/hints.json", &planner->hints, err);
    if (rc == 0)
        rc = load(planner, "lexicon/questions.json", &planner->general, err);
    if (rc == 0)
        index_things(planner);
    return rc;
}

const char *lexicon_kind(const struct planner *planner, const char *word) {
    return json_str(planner->word_kinds, word, "");
}
