/* webhook: an address that is told what happens to an account's projects, and what it was told. */
#ifndef MODEL_WEBHOOK_H
#define MODEL_WEBHOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "model/states.h"

struct webhook {
    char id[ID_LEN];
    char account_id[ID_LEN];
    char project_id[ID_LEN]; /* "": every project of the account */
    const char *url;
    const char *secret; /* "whsec_" and base64, as Standard Webhooks has it */
    const char *description;
    const char *events_json; /* array of event names; NULL: all */
    bool is_enabled;
    int64_t created_ms, updated_ms;
};

/* One message to one webhook; its id is the message's, over all attempts. */
struct webhook_delivery {
    char id[ID_LEN];
    char webhook_id[ID_LEN];
    const char *type; /* "run.completed" */
    enum delivery_state state;
    int64_t attempts, next_attempt_ms;
    int64_t response_status; /* of the latest attempt; 0: none came */
    const char *payload_json;
    const char *error;
    int64_t created_ms, completed_ms;
};

#endif
