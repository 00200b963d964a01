/* openapi_schema: JSON Schemas of what comes in, and the ones that the states and ids of the model give. */
#ifndef API_OPENAPI_SCHEMA_H
#define API_OPENAPI_SCHEMA_H

#include "api/route.h"
#include "base/json.h"

/* All json_t returned are new references. */

json_t *schema_ref(const char *name); /* {"$ref": "#/components/schemas/<name>"} */
json_t *schema_of_field(const struct api_field *field);
json_t *schema_of_members(const struct api_field *members); /* an object, and nothing else in it */
/* A value that would be accepted, or NULL when no field has an example. */
json_t *schema_example(const struct api_field *members);
json_t *schema_field_example(const struct api_field *field);
/* "what it is" → "What it is." */
json_t *schema_sentence(const char *text);

/* A parameter of a path, by its name in the table without ':' or '*'. */
struct path_parameter {
    const char *name;   /* "project" */
    const char *shown;  /* "projectId" */
    const char *schema; /* "ProjectId" when it is an id */
    const char *prefix; /* of the id, or NULL: a text, or a number when it has is_number */
    bool is_number;
    const char *help;
};
/* NULL for a name that is not known. */
const struct path_parameter *schema_path_parameter(const char *name, size_t len);
json_t *schema_of_path_parameter(const struct path_parameter *parameter);

/* Adds what code knows better than a file: states, event types, error codes, ids. */
void schema_add_known(json_t *schemas);

#endif
