/* api: the HTTP API of docs and contract, over an engine. */
#ifndef API_API_H
#define API_API_H

#include <stdbool.h>

#include "base/err.h"
#include "engine/engine.h"

struct api;

struct api_config {
    const char *listen; /* "127.0.0.1:3001" */
    struct engine *engine;
    int loops; /* 0: the core count */
    bool is_rate_limit_off, is_registration_off;
    bool is_behind_proxy; /* X-Forwarded-For and X-Forwarded-Proto are believed */
};

/* Serves until api_stop. */
MUST_CHECK int api_start(struct api **out, const struct api_config *config, struct err *err);
int api_port(const struct api *api);
/* Stops accepting, lets running requests end, ends streams. Accepts NULL. */
void api_stop(struct api *api, int64_t grace_ms);

#endif
