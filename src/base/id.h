/* id: TypeIDs (prefix, '_', UUIDv7 in Crockford base32): unique, and sorting by time. Source:
 * github.com/jetify-com/typeid spec 0.3. */
#ifndef BASE_ID_H
#define BASE_ID_H

#include <stdbool.h>

#define ID_LEN 40 /* longest prefix (8) + '_' + 26 + NUL, rounded up */

/* A new id, e.g. id_make(out, "proj"). Ids made by one process are strictly increasing. Returns out. */
char *id_make(char out[ID_LEN], const char *prefix);
/* True for a well-formed TypeID of this prefix. */
bool id_is_valid(const char *id, const char *prefix);
/* Writes the TypeID for text that is either that TypeID or its UUID form; false if it is neither. */
bool id_parse(char out[ID_LEN], const char *text, const char *prefix);

#endif
