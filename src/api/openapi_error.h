/* openapi_error: the errors that operations answer, each told once among the components. */
#ifndef API_OPENAPI_ERROR_H
#define API_OPENAPI_ERROR_H

#include "api/route.h"
#include "base/json.h"

/* {"$ref": "#/components/headers/…"} for the headers that every answer may have. */
json_t *error_headers(void);
/* The shared answers, into components.responses. */
void error_add_responses(json_t *responses);
/* References to those that the route may give, into its responses. */
void error_add_to(json_t *responses, const struct api_route *route);

#endif
