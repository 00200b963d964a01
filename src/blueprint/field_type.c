/* field_type: the table of field types. */
#include "blueprint/field_type.h"

#include "base/mem.h"
#include "base/str.h"

enum {
    SHOWN = FIELD_SORTABLE | FIELD_LISTED,
    LINE = SHOWN | FIELD_TEXT_LIKE | FIELD_INPUT,
    NAME = LINE | FIELD_SEARCHED | FIELD_TITLE_TEXT,
    NUMBER = SHOWN | FIELD_NUMERIC,
    LINK = FIELD_REFERENCE | FIELD_WHOLE | FIELD_FILTERED | FIELD_LISTED,
    ANY_LENGTH = 2000,
};

const struct field_type field_types[] = {
    {"text", "string", "TEXT", "text", NAME | FIELD_PROSE, 200, 5, "\"Sample\""},
    {"longtext", "string", "TEXT", "text", FIELD_TEXT_LIKE | FIELD_PROSE | FIELD_SEARCHED | FIELD_TITLE_TEXT, 5000, 5,
     "\"Sample\""},
    {"email", "string", "TEXT", "email", NAME, ANY_LENGTH, 5, "\"sample@example.com\""},
    {"url", "string", "TEXT", "url", NAME, ANY_LENGTH, 5, "\"https://example.com\""},
    {"phone", "string", "TEXT", "tel", NAME, ANY_LENGTH, 5, "\"+49 30 1234567\""},
    {"integer", "number", "INTEGER", "number", NUMBER | FIELD_WHOLE, ANY_LENGTH, 5, "3"},
    {"decimal", "number", "REAL", "number", NUMBER | FIELD_WHOLE, ANY_LENGTH, 5, "1.5"},
    {"money", "number", "INTEGER", "number", NUMBER, ANY_LENGTH, 3, "1250"},
    {"boolean", "boolean", "INTEGER", "checkbox", SHOWN | FIELD_FILTERED | FIELD_NEVER_NULL, ANY_LENGTH, 5, "true"},
    {"date", "string", "TEXT", "date", LINE, ANY_LENGTH, 2, "\"2026-03-02\""},
    {"datetime", "string", "TEXT", "datetime-local", SHOWN | FIELD_TEXT_LIKE, ANY_LENGTH, 2,
     "\"2026-03-02T09:00:00.000Z\""},
    {"time", "string", "TEXT", "time", LINE, ANY_LENGTH, 5, "\"09:30\""},
    {"minutes", "number", "INTEGER", "number", NUMBER | FIELD_WHOLE, ANY_LENGTH, 5, "45"},
    {"choice", "string", "TEXT", "text", SHOWN | FIELD_TEXT_LIKE | FIELD_FILTERED, ANY_LENGTH, 1, NULL},
    {"rating", "number", "INTEGER", "text", NUMBER | FIELD_WHOLE, ANY_LENGTH, 5, "4"},
    {"tags", "string[]", "TEXT", "text", FIELD_SEARCHED | FIELD_LISTED | FIELD_NEVER_NULL, ANY_LENGTH, 5,
     "[\"sample\"]"},
    {"file", "FileInfo", "TEXT", "file", FIELD_TEXT_LIKE, ANY_LENGTH, 5, NULL},
    {"ref", "number", "INTEGER", "text", LINK, ANY_LENGTH, 4, NULL},
    {"user", "number", "INTEGER", "text", LINK, ANY_LENGTH, 4, NULL},
};
const size_t field_type_count = ARRAY_LEN(field_types);

const struct field_group_name field_groups[] = {
    {FIELD_TEXT_LIKE, "textLike"}, {FIELD_NUMERIC, "numeric"},   {FIELD_REFERENCE, "reference"}, {FIELD_PROSE, "prose"},
    {FIELD_INPUT, "input"},        {FIELD_WHOLE, "wholeNumber"}, {FIELD_SORTABLE, "sortable"},
};
const size_t field_group_count = ARRAY_LEN(field_groups);

const struct field_type *field_type_find(const char *name) {
    for (size_t i = 0; i < field_type_count; i++)
        if (str_eq(field_types[i].name, name))
            return &field_types[i];
    return NULL;
}
