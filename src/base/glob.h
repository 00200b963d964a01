/* glob: path patterns over '/'-separated names: `*` and `?` within a name, `**` for any number of whole names. */
#ifndef BASE_GLOB_H
#define BASE_GLOB_H

#include <stdbool.h>

/* True if path (relative, no leading '/') matches. `**` matches all; as the last name, after others, it needs at least
 * one name: `a` and then `**` matches everything below a, not a itself. Elsewhere it may stand for no name. */
bool glob_match(const char *pattern, const char *path);
/* True if some path could match both: decided exactly, by walking the product of the two patterns. */
bool glob_overlap(const char *a, const char *b);
/* A pattern with empty, "." or ".." parts, a leading '/', a backslash, invalid UTF-8 or over 512 bytes is not valid: it
 * matches and overlaps nothing. `?` is one UTF-8 character. */
bool glob_is_valid(const char *pattern);

#endif
