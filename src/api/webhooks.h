/* webhooks: what the files about webhooks share. */
#ifndef API_WEBHOOKS_H
#define API_WEBHOOKS_H

#include "api/call.h"
#include "model/webhook.h"

/* The webhook of the path, of the caller's account. */
MUST_CHECK int call_webhook(struct api_call *call, struct webhook **out, struct err *err);

#endif
