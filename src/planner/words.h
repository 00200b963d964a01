/* words: a text as stemmed words, and the forms of English nouns. */
#ifndef PLANNER_WORDS_H
#define PLANNER_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct word {
    const char *text; /* lower case */
    const char *stem;
    uint32_t hash;   /* of stem */
    char before;     /* the punctuation before it: 0, or one of . , : ; ( - */
    bool is_capital; /* written with a capital letter, and not at the start of a sentence */
    bool is_negated; /* "no invoices", "without time tracking" */
};

struct words {
    struct word *items;
    size_t count;
};

struct stemmer;
struct stemmer *stemmer_create(struct arena *arena); /* goes with the arena */

void words_split(struct stemmer *stemmer, struct arena *arena, const char *text, struct words *out);
/* Where the words of phrase stand side by side at or after from; -1 if nowhere. */
long words_find(const struct words *words, const struct words *phrase, size_t from);
/* The stems, joined by spaces. */
const char *words_key(struct arena *arena, const struct words *words);

/* Of the last word; lower or title case is kept. */
const char *noun_plural(struct arena *arena, const char *singular);
const char *noun_singular(struct arena *arena, const char *plural);
/* True if text has the form of an English plural. */
bool noun_is_plural(const char *text);
/* "time entry" gives "Time entry"; "Time entry" gives "time entry", but "SKU" stays. */
const char *text_capital(struct arena *arena, const char *text);
const char *text_lower_first(struct arena *arena, const char *text);
/* "Due date" gives "dueDate"; NULL if nothing is left of it. */
const char *text_camel(struct arena *arena, const char *text);
/* Kebab case with Latin accents folded; NULL if nothing is left of it. */
const char *text_slug(struct arena *arena, const char *text, size_t max_len);
const char *text_article(struct arena *arena, const char *noun); /* "a task", "an invoice" */

#endif
