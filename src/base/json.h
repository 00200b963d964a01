/* json: reading with jansson under limits, and a small writer into a buf. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct arena;

#define JSON_MAX_DEPTH 64 /* below jansson's own */

/* RFC 8259, depth at most JSON_MAX_DEPTH, any value at the top. The result is released with the arena (do not
 * json_decref it). ERR_VALIDATION: what is no JSON or too deep has no field, and a message that begins with "line 1,
 * column 2: ". Sound JSON that is not taken (a name given twice, NUL in a string, a number beyond 64 bits or a double)
 * has the path of the value as field ("answers[0].answer"; "" at the top, and cut at its size). */
MUST_CHECK int json_parse(struct arena *arena, const char *text, size_t len, json_t **out, struct err *err);
/* Compact, keys in insertion order, into the arena. */
char *json_text(struct arena *arena, const json_t *value);
/* The value released with the arena (takes over the reference). Returns value. */
json_t *json_own(struct arena *arena, json_t *value);

/* Members of objects; missing or of another type gives the fallback. json may be NULL. */
const char *json_str(const json_t *json, const char *key, const char *fallback);
int64_t json_int(const json_t *json, const char *key, int64_t fallback);
bool json_flag(const json_t *json, const char *key, bool fallback);
/* Value at a dotted path with array indexes ("items.0.title"), or NULL. Borrowed. */
json_t *json_at(const json_t *json, const char *dotted_path);

/* The writer: commas and escapes are its business. Text is escaped as JSON; invalid UTF-8 becomes U+FFFD. */
struct jw {
    struct buf *out;
    bool needs_comma;
};
void jw_init(struct jw *jw, struct buf *out);
void jw_object(struct jw *jw);
void jw_object_end(struct jw *jw);
void jw_array(struct jw *jw);
void jw_array_end(struct jw *jw);
void jw_key(struct jw *jw, const char *key);
void jw_str(struct jw *jw, const char *text); /* NULL gives null */
void jw_strn(struct jw *jw, const char *text, size_t len);
void jw_int(struct jw *jw, int64_t value);
void jw_bool(struct jw *jw, bool value);
void jw_null(struct jw *jw);
void jw_raw(struct jw *jw, const char *json); /* already JSON; NULL gives null */
void jw_time(struct jw *jw, int64_t unix_ms); /* ISO 8601; 0 gives null */
void jw_value(struct jw *jw, const json_t *value);
/* key and value in one. */
void jw_kstr(struct jw *jw, const char *key, const char *text);
void jw_kint(struct jw *jw, const char *key, int64_t value);
void jw_kbool(struct jw *jw, const char *key, bool value);
void jw_kraw(struct jw *jw, const char *key, const char *json);
void jw_ktime(struct jw *jw, const char *key, int64_t unix_ms);

#endif
