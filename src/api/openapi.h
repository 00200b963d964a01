/* openapi: the OpenAPI 3.1 document of a route table. */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H

#include "api/route.h"
#include "base/json.h"

/* The document, released with the arena. ERR_INTERNAL when what is compiled in does not fit together: a mistake of
 * ours, which the unit tests find. */
MUST_CHECK int openapi_make(const struct api_route *routes, size_t count, struct arena *arena, json_t **out,
                            struct err *err);

#endif
