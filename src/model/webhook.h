/* webhook: an address that is told what happens to an account's projects, and what it was told. */
#ifndef MODEL_WEBHOOK_H
#define MODEL_WEBHOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "model/states.h"

#define WEBHOOKS_MAX 20     /* of an account */
#define WEBHOOK_PING "ping" /* the type of a test message */

struct webhook {
    char id[ID_LEN];
    char account_id[ID_LEN];
    char project_id[ID_LEN]; /* "": every project of the account */
    const char *url;
    const char *secret;          /* "whsec_" and base64, as Standard Webhooks has it */
    const char *old_secret;      /* the one before, or NULL; it signs, too, until … */
    int64_t old_secret_until_ms; /* … this time */
    const char *description;     /* or NULL */
    const char *events_json;     /* array of event names; NULL: all */
    const char *disabled_reason; /* why the server disabled it; NULL when it did not */
    bool is_enabled;
    int64_t created_ms, updated_ms;
};

/* One message to one webhook; its id is the message's, over all attempts. */
struct webhook_delivery {
    char id[ID_LEN];
    char webhook_id[ID_LEN];
    const char *type; /* "run.completed" */
    enum delivery_state state;
    int64_t attempts;         /* begun, since it was made or sent again */
    int64_t next_attempt_ms;  /* while it is pending */
    int64_t lease_until_ms;   /* an attempt is under way until then at most; 0: none is */
    int64_t last_attempt_ms;  /* when the latest began; 0: none has */
    int64_t response_status;  /* of the latest attempt; 0: none came */
    int64_t response_ms;      /* that it took */
    const char *payload_json; /* the body that is sent; NULL in lists */
    const char *error;        /* why the latest attempt failed, or NULL */
    int64_t created_ms, completed_ms;
};

#endif
