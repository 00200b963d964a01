/* edit: documents that a person has changed: what the changes ask of the plan. */
#ifndef PLANNER_EDIT_H
#define PLANNER_EDIT_H

#include "planner/draft.h"

/* A line that is in one version of a document and not in the other. */
struct edit_line {
    const char *document; /* "SPEC.md" */
    const char *section;  /* the heading that it stands under, "" before the first */
    const char *text;
    const char *key; /* the same text in the same place has the same */
    bool is_added;
    bool is_settled;  /* another line speaks for it */
    const char *wish; /* what it asks for, in the words of feedback; NULL: nothing that could be said */
};

struct edit_lines {
    struct edit_line *items;
    size_t count;
    size_t left;     /* changed lines beyond those */
    json_t *renamed; /* {heading of DATA.md now: before} */
};

/* ---- edit_lines.c: SPEC.md, ROUTES.md and DATA.md, by lines */
void edit_compare(struct arena *arena, const json_t *plan, const json_t *before, const json_t *after,
                  struct edit_lines *out);
/* {key: true} of every line; renamed as in edit_lines. */
json_t *edit_keys(struct arena *arena, const json_t *documents, const json_t *renamed);

/* ---- edit_wishes.c: what a changed line asks for */
void edit_wish(struct arena *arena, const json_t *plan, struct edit_line *line);
/* The row of a table says something else of the same field. */
const char *edit_wish_of_change(struct arena *arena, const json_t *plan, const struct edit_line *was,
                                const struct edit_line *is);
/* What of a text fits into a sentence. */
const char *edit_excerpt(struct arena *arena, const char *text);
/* Cells of a row of a table, without marks; how many. */
#define EDIT_CELLS 6
size_t edit_cells(struct arena *arena, const char *row, const char *cells[EDIT_CELLS]);

/* ---- edit_criteria.c: ACCEPTANCE.md, by criteria */
/* Makes the criteria of a new plan those of the document: what it kept keeps its check, what it dropped is dropped,
 * what it says anew has no check. ERR_VALIDATION names "documents.ACCEPTANCE.md". */
MUST_CHECK int edit_criteria(struct arena *arena, json_t *plan, const json_t *old_plan, const char *before,
                             const char *after, json_t *open_points, struct err *err);

#endif
