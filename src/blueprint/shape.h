/* shape: which keys an object may have, and of what type: checking data files by tables. Private to blueprint/. */
#ifndef BLUEPRINT_SHAPE_H
#define BLUEPRINT_SHAPE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

enum shape_type {
    SHAPE_ANY,
    SHAPE_TEXT,  /* not empty */
    SHAPE_TEXTS, /* a list of them */
    SHAPE_NAMES, /* a text or a list of texts */
    SHAPE_WHOLE, /* a whole number within min and max, unless both are 0 */
    SHAPE_NUMBER,
    SHAPE_LIMIT, /* a number, or the name of what holds it */
    SHAPE_BOOLEAN,
    SHAPE_MAP,    /* an object of any keys */
    SHAPE_OBJECT, /* an object of the shape inner */
    SHAPE_LIST,   /* a list of such objects */
};

struct shape {
    const char *key; /* NULL ends the table */
    enum shape_type type;
    bool is_required;
    const struct shape *inner;
    int min, max;
};

/* Where a check stands: the file, and the path in it as "entities[2].fields[0]". */
struct place {
    struct arena *arena;
    const char *file;
    const char *path;
    struct err *err;
};

struct place shape_key(const struct place *place, const char *key);
struct place shape_item(const struct place *place, const char *key, size_t index);
/* ERR_VALIDATION: "file: path: what". */
int shape_fault(const struct place *place, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool shape_is_one_of(const char *text, const char *const *names); /* NULL-terminated */
/* Unknown keys, missing required ones and wrong types are faults. */
MUST_CHECK int shape_check(const struct place *place, const json_t *object, const struct shape *shape);

#endif
