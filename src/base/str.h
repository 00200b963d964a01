/* str: small questions about strings. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

static inline const char *str_or(const char *text, const char *fallback) {
    return text ? text : fallback;
}
bool str_eq(const char *a, const char *b); /* NULL equals only NULL */
bool str_starts(const char *text, const char *prefix);
bool str_ends(const char *text, const char *suffix);
bool str_contains_nocase(const char *text, const char *part);
/* Copies and always terminates; returns false if it was cut. */
bool str_copy(char *out, size_t out_size, const char *text);
/* Whole of text as a decimal number within [min, max]; false otherwise. */
bool str_to_int(const char *text, int64_t min, int64_t max, int64_t *out);
/* Valid UTF-8 by RFC 3629 (no surrogates, no overlong forms), without NUL. */
bool str_is_utf8(const char *text, size_t len);
/* Bytes of the valid UTF-8 sequence (RFC 3629) that text starts with, 1 to 4; 0 if it starts with none or len is 0. */
size_t str_utf8_next(const char *text, size_t len);
size_t str_utf8_len(const char *text); /* code points */
/* Bytes of the beginning of text that has at most max_bytes and ends at a character's end. */
size_t str_head_len(const char *text, size_t max_bytes);
/* The end of text: at most max_bytes, beginning at a character's start. */
const char *str_tail(const char *text, size_t max_bytes);
/* A copy as valid UTF-8: each byte that is none becomes U+FFFD. NULL gives NULL. */
char *str_mend(struct arena *arena, const char *text);
/* Without white space at both ends. */
char *str_trim(struct arena *arena, const char *text);
char *str_lower(struct arena *arena, const char *text); /* ASCII */
/* `My SaaS App!` → `my-saas-app`: [a-z0-9-], at most max_len bytes, `fallback` if nothing is left. */
char *str_slug(struct arena *arena, const char *text, size_t max_len, const char *fallback);
/* Splits at any byte of separators, leaving out empty parts. *out is an arena array of *count strings. */
void str_split(struct arena *arena, const char *text, const char *separators, char ***out, size_t *count);
/* Equal in constant time for equal lengths. */
bool str_eq_secret(const char *a, const char *b);
/* Percent-decodes a URL component in place; with plus_is_space for queries. False on a bad escape or a NUL. */
bool str_url_decode(char *text, bool plus_is_space);
char *str_url_encode(struct arena *arena, const char *text);

#endif
