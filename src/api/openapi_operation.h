/* openapi_operation: a row of the route table as an operation. */
#ifndef API_OPENAPI_OPERATION_H
#define API_OPENAPI_OPERATION_H

#include "api/route.h"
#include "base/json.h"

/* "/v1/projects/:project" → "/v1/projects/{projectId}", with its parameters appended (an array). NULL when the path has
 * a parameter that nobody described. In the arena. */
const char *operation_path(const char *path, json_t *parameters, struct arena *arena);
/* A new reference. schemas are the document's, for their examples. */
json_t *operation_of(const struct api_route *route, const json_t *schemas);

#endif
