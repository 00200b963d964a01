/* mustache: logic-less templates over JSON. Source: the Mustache spec 1.4 (interpolation, sections, inverted, comments,
 * partials, delimiters). */
#ifndef BASE_MUSTACHE_H
#define BASE_MUSTACHE_H

#include <jansson.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Gives the text of a partial, or NULL (renders as empty). Borrowed until rendering ends. */
typedef const char *mustache_partial_fn(const char *name, size_t *len, void *arg);

/* Renders text into out. contexts[0] is the outermost; later ones are pushed on top of it. `{{x}}` is HTML-escaped,
 * `{{{x}}}` and `{{&x}}` are not. Fails with ERR_VALIDATION naming the line of an unclosed or mismatched tag;
 * depth of sections and partials is at most 64. */
MUST_CHECK int mustache_render(const char *text, size_t len, json_t *const *contexts, size_t context_count,
                               mustache_partial_fn *partial, void *partial_arg, struct buf *out, struct err *err);

#endif
