/* client: calls of the API from the terminal. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "net/net.h"

struct client {
    struct net_client *net;
    const char *url; /* http://127.0.0.1:3001 */
    const char *key;
    struct arena *arena; /* of all answers */
    bool (*is_cancelled)(void *arg);
    void *cancel_arg;
};

/* One call below /v1. body NULL: none (the reference is taken). *data: the answer's "data", in the arena. An error
 * answer becomes err, its code by name. */
MUST_CHECK int client_call(struct client *client, const char *method, const char *path, json_t *body, json_t **data,
                           struct err *err);
/* A run's events from `after` on, until the terminal one; reconnects where it stood. fn's non-zero return ends it
 * (ERR_CANCELLED). */
typedef int client_event_fn(const char *type, const json_t *data, void *arg);
MUST_CHECK int client_follow(struct client *client, const char *path, client_event_fn *fn, void *arg, struct err *err);
/* A download into a file. */
MUST_CHECK int client_download(struct client *client, const char *path, const char *file, struct err *err);

#endif
