/* reference: the OpenAPI document as it is served, made when it is first asked for. */
#ifndef API_REFERENCE_H
#define API_REFERENCE_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

struct reference;

struct reference *reference_create(void);
void reference_destroy(struct reference *reference); /* accepts NULL */
/* The document as compact JSON and its ETag; both live as long as the reference. From any thread. */
MUST_CHECK int reference_document(struct reference *reference, const char **out, size_t *len, const char **etag,
                                  struct err *err);
/* The document for people, indented, without a server. */
MUST_CHECK int reference_print(struct buf *out, struct err *err);

#endif
