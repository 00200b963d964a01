/* draft: a plan while it is being made: the chosen features and what they bring, named by the catalog's keys. */
#ifndef PLANNER_DRAFT_H
#define PLANNER_DRAFT_H

#include <jansson.h>

#include "planner/planner.h"
#include "planner/words.h"

#define MAX_ENTITIES 12
#define MAX_FIELDS 16

struct planner {
    const struct assets *assets;
    const struct catalog *catalog;
    const struct stack *stack;
    struct arena *arena;
    json_t *word_kinds;  /* word → kind of word, see lexicon/words.json */
    json_t *things;      /* entities that the lexicon knows */
    json_t *thing_index; /* stems of each of their names → the thing */
    json_t *kinds;       /* fields of things it does not know, by what their name looks like */
    json_t *hints;       /* fields by their names */
    json_t *general;     /* questions that belong to no feature */
};

/* Entities, views, cards and rules here are as in the feature file, with "key", "feature" and "order" added. */
struct draft {
    const struct planner *planner;
    struct arena *arena;
    struct stemmer *stemmer;
    const struct planner_input *input;
    struct words words; /* of the description */
    json_t *wanted;     /* {slug: true}: features asked for by answers or feedback */
    json_t *banned;     /* {slug: true}: features taken out */
    json_t *chosen;     /* [{"slug", "score", "because", "order", "byWords"}], in the order of the plan */
    json_t *capabilities, *settings, *roles;
    json_t *entities, *views, *cards, *recent, *criteria;
    json_t *questions; /* all that could be asked */
    json_t *answers;   /* {id: answer}: of those asked */
    json_t *open_points;
    json_t *heard;    /* [{"at", "isUnderstood", "openPoint"}]: each clause of the feedback, by the index of its text */
    json_t *detailed; /* {slug: true}: features that feedback wants to read more about */
};

/* ---- draft.c */
void draft_open_point(struct draft *draft, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool draft_has_phrase(struct draft *draft, const char *phrase); /* in the description, not negated */
bool draft_is_chosen(const struct draft *draft, const char *slug);
/* Whether "when" and "unless" of an object hold. with_entities false: conditions on entities count as not holding. */
bool draft_holds(struct draft *draft, const json_t *object, bool with_entities);
bool draft_has_entity_condition(const json_t *object);
json_t *draft_entity(const struct draft *draft, const char *key);
/* By key, key array or "@primary" (but not of feature except), or NULL. */
json_t *draft_resolve(const struct draft *draft, const json_t *reference, const char *except_feature);
json_t *entity_field(const json_t *entity, const char *name);
bool entity_remove_field(json_t *entity, const char *name);
/* Adds a copy of the entity, or merges it with the one of the same key. */
void draft_add_entity(struct draft *draft, const json_t *entity, const char *feature, int64_t order);
void draft_extend(struct draft *draft, const json_t *extension, const char *feature);
/* With the capability roles: admin and member are among them, and viewer if nothing else is said. */
void draft_complete_roles(struct draft *draft);
void draft_remove_entity(struct draft *draft, const char *key);
void draft_rename(struct draft *draft, json_t *entity, const char *singular);

/* ---- match.c */
void draft_match(struct draft *draft);
void draft_want(struct draft *draft, const char *slug);
void draft_ban(struct draft *draft, const char *slug);
/* The feature that a phrase names best, or NULL. */
const json_t *match_feature(const struct planner *planner, struct draft *draft, const char *phrase);

/* ---- nouns.c */
/* Entities for what the description speaks of and no feature covers. */
void draft_add_nouns(struct draft *draft);
/* An entity for a noun phrase in singular. */
json_t *noun_entity(struct draft *draft, const char *singular, const char *parent_key);
/* "stop", "verb", "generic" …, or "". */
const char *lexicon_kind(const struct planner *planner, const char *word);

/* ---- guess.c */
/* A field for a name such as "due date" or "budget": its type from the lexicon. */
json_t *guess_field(struct draft *draft, const char *label);

/* ---- effects.c */
void draft_want_by_answers(struct draft *draft);
void draft_apply_answers(struct draft *draft);

/* ---- feedback.c */
void draft_want_by_feedback(struct draft *draft);
void draft_apply_feedback(struct draft *draft);

/* ---- finish.c */
/* Drops what is incomplete, orders, names: afterwards entities are as in the plan, with "key" beside. */
void draft_finish(struct draft *draft);

/* ---- gather.c */
/* The draft up to answers and feedback; fails on a description that is too thin. answers may be NULL. */
MUST_CHECK int draft_make(struct draft *draft, const struct planner *planner, const struct planner_input *input,
                          json_t *answers, struct arena *arena, struct err *err);

/* ---- fill.c */
/* {key.name} and the like in a text. */
const char *draft_fill(struct draft *draft, const char *text);
/* In every string of a value, in place. */
void draft_fill_all(struct draft *draft, json_t *value);

/* ---- planner.c */
/* {id: answer} of every question asked: what was answered, else the default. */
json_t *input_answers(const struct planner_input *input, struct arena *arena);

/* ---- lexicon.c */
MUST_CHECK int lexicon_open(struct planner *planner, struct err *err);

/* ---- questions.c */
json_t *questions_pick(struct draft *draft);

/* ---- plan.c */
json_t *plan_make(struct draft *draft);
/* An answer as people read it. */
const char *plan_answer_text(struct arena *arena, const json_t *answer);

/* ---- criteria.c: plan.setup, plan.checks and plan.criteria */
void plan_add_criteria(struct draft *draft, json_t *plan);

/* ---- documents.c */
MUST_CHECK int plan_documents(const struct planner *planner, const json_t *plan, struct arena *arena,
                              json_t **documents, struct err *err);
/* Routes ("page", "api") and criteria as the templates of documents want them. New references. */
json_t *documents_routes(struct arena *arena, const json_t *plan, const char *kind);
json_t *documents_criteria(struct arena *arena, const json_t *plan);

/* Small helpers over jansson: sets with a new text, finds the object whose key has the value. */
void put_str(json_t *object, const char *key, const char *text);
json_t *find_by(const json_t *array, const char *key, const char *value, size_t *at);
bool is_in(const json_t *array, const char *text);
void tag_feature(json_t *array, const char *feature); /* names the feature on each object that names none */

#endif
