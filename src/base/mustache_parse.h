/* mustache_parse: a template as a flat list of tokens. Private to base/mustache*.c. */
#ifndef BASE_MUSTACHE_PARSE_H
#define BASE_MUSTACHE_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

enum { MUSTACHE_MAX_DEPTH = 64 }; /* of open sections, and of sections and partials at rendering */

enum token_kind {
    TOKEN_TEXT,
    TOKEN_ESCAPED,
    TOKEN_RAW,
    TOKEN_SECTION,
    TOKEN_INVERTED,
    TOKEN_CLOSE,
    TOKEN_PARTIAL,
};

struct token {
    enum token_kind kind;
    const char *text; /* of text: the bytes; of tags: the name */
    size_t len;
    const char *parts; /* the name, a NUL in place of each dot that separates; NULL for `.` */
    size_t part_count;
    size_t end;         /* of a section: the index of its TOKEN_CLOSE */
    const char *indent; /* of a partial: blanks to put before its lines, or NULL */
    bool is_after_text; /* of a partial: but not before the first */
};

struct token_list {
    struct token *at;
    size_t count, capacity;
};

/* Tokens point into text and the arena. ERR_VALIDATION names the line. */
MUST_CHECK int mustache_parse(const char *text, size_t len, struct arena *arena, struct token_list *out,
                              struct err *err);

#endif
