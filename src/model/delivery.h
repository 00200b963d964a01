/* delivery: what leaves the building: exports and deployments. */
#ifndef MODEL_DELIVERY_H
#define MODEL_DELIVERY_H

#include <stdint.h>

#include "base/id.h"
#include "model/run.h"
#include "model/states.h"

struct export {
    char id[ID_LEN];
    char project_id[ID_LEN];
    char run_id[ID_LEN];
    int64_t run_number;
    const char *format; /* "zip" */
    enum export_state state;
    char commit_sha[SHA_LEN];
    char sha256[65]; /* of the file, once completed */
    int64_t size_bytes;
    const char *error;
    int64_t created_ms, completed_ms, expires_ms;
};

struct deployment {
    char id[ID_LEN];
    char project_id[ID_LEN];
    char run_id[ID_LEN];
    const char *provider; /* "local" */
    enum deployment_state state;
    char commit_sha[SHA_LEN];
    const char *url; /* once live */
    const char *error;
    int64_t port; /* of provider local; 0 before it has one */
    int64_t created_ms, updated_ms;
};

#endif
