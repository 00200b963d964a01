/* hooks: the webhooks of an account: made, changed, tried; what the API calls. */
#ifndef ENGINE_HOOKS_H
#define ENGINE_HOOKS_H

#include "engine/engine.h"
#include "model/webhook.h"

/* What is to be set; the rest stays. */
struct webhook_edit {
    const char *url; /* NULL: stays */
    bool has_project, has_events, has_description, has_enabled;
    const char *project_id;  /* NULL: of every project */
    const char *events_json; /* NULL: all */
    const char *description; /* or NULL */
    bool is_enabled;
};

/* Whether this server sends to this URL, as far as can be told without looking up a name: net_url_check. */
MUST_CHECK int engine_webhook_check_url(const struct engine *engine, const char *url, struct err *err);
/* ERR_CONFLICT when the account has WEBHOOKS_MAX; ERR_NOT_FOUND at projectId. Outputs live in the arena. */
MUST_CHECK int engine_webhook_create(struct engine *engine, const char *account_id, const struct webhook_edit *edit,
                                     struct arena *arena, struct webhook **out, struct err *err);
/* These are ERR_NOT_FOUND for others' webhooks. One that is disabled drops what it was still to be told. */
MUST_CHECK int engine_webhook_update(struct engine *engine, const char *account_id, const char *id,
                                     const struct webhook_edit *edit, struct arena *arena, struct webhook **out,
                                     struct err *err);
MUST_CHECK int engine_webhook_delete(struct engine *engine, const char *account_id, const char *id, struct err *err);
/* A new secret; messages are signed with the old one, too, for a day. */
MUST_CHECK int engine_webhook_rotate(struct engine *engine, const char *account_id, const char *id, struct arena *arena,
                                     struct webhook **out, struct err *err);
/* A test message; ERR_CONFLICT when the webhook is disabled. */
MUST_CHECK int engine_webhook_ping(struct engine *engine, const char *account_id, const char *id, struct arena *arena,
                                   struct webhook_delivery **out, struct err *err);
/* Sends a message once more, at once, with the same id; ERR_CONFLICT when the webhook is disabled, or while it is being
 * sent. */
MUST_CHECK int engine_webhook_send_again(struct engine *engine, const char *account_id, const char *id,
                                         const char *delivery_id, struct arena *arena, struct webhook_delivery **out,
                                         struct err *err);

#endif
