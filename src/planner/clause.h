/* clause: one wish out of a feedback text, and what it names. */
#ifndef PLANNER_CLAUSE_H
#define PLANNER_CLAUSE_H

#include "planner/draft.h"

struct clause {
    struct arena *arena;
    const struct word *words;
    size_t count;
    size_t feedback_at; /* of which text */
};

/* Calls fn for every clause of every feedback text, oldest first. */
void clauses_each(struct draft *draft, void (*fn)(struct draft *draft, const struct clause *clause));

/* Words from..to-1 as a text, without articles in front. */
const char *clause_text(const struct clause *clause, size_t from, size_t to);
/* Where one of the words (parted by spaces) stands at or after from; count if nowhere. */
size_t clause_find(const struct clause *clause, const char *one_of, size_t from);
bool clause_is(const struct clause *clause, size_t at, const char *one_of);
/* After "please", "can you", "we" and the like. */
size_t clause_start(const struct clause *clause);
/* Parts of a list "a, b and c" between from and to, each given to fn. */
void clause_list(const struct clause *clause, size_t from, size_t to, void (*fn)(void *arg, const char *item),
                 void *arg);

/* The entity that a phrase names by name, plural, key or alias. */
json_t *phrase_entity(struct draft *draft, const char *phrase);
/* The name of the field of an entity that a phrase means, or NULL. */
const char *phrase_field(struct draft *draft, const json_t *entity, const char *phrase);
/* The capability that a phrase means, or NULL. */
const char *phrase_capability(struct draft *draft, const char *phrase);

#endif
