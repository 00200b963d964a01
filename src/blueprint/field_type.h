/* field_type: the types a field of a plan can have. Private to blueprint/. */
#ifndef BLUEPRINT_FIELD_TYPE_H
#define BLUEPRINT_FIELD_TYPE_H

#include <stdbool.h>
#include <stddef.h>

enum field_group {
    FIELD_TEXT_LIKE = 1 << 0,
    FIELD_NUMERIC = 1 << 1,
    FIELD_REFERENCE = 1 << 2,
    FIELD_PROSE = 1 << 3,
    FIELD_INPUT = 1 << 4, /* a plain input element */
    FIELD_WHOLE = 1 << 5, /* a whole number in forms and JSON */
    FIELD_SORTABLE = 1 << 6,
    FIELD_SEARCHED = 1 << 7,
    FIELD_FILTERED = 1 << 8,
    FIELD_TITLE_TEXT = 1 << 9, /* makes a readable title by itself */
    FIELD_LISTED = 1 << 10,    /* may be a column of a list */
    FIELD_NEVER_NULL = 1 << 11,
};

struct field_type {
    const char *name, *ts, *sql, *input;
    unsigned groups;
    int max_length;
    int list_weight;    /* which fields come first as columns; required ones are 0 */
    const char *sample; /* JSON; NULL for none */
};

extern const struct field_type field_types[];
extern const size_t field_type_count;
const struct field_type *field_type_find(const char *name); /* NULL if there is none */

struct field_group_name {
    enum field_group group;
    const char *name;
};
/* The groups that templates ask for as is.<name>. */
extern const struct field_group_name field_groups[];
extern const size_t field_group_count;

#endif
