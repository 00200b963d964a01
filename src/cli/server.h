/* server: an engine and its API in this process. */
#ifndef CLI_SERVER_H
#define CLI_SERVER_H

#include "api/api.h"
#include "base/arena.h"
#include "cli/options.h"

struct server {
    struct engine *engine;
    struct api *api;
    const char *url; /* http://127.0.0.1:3001, in the arena */
};

/* Opens the engine, makes the first account and its key if there is none, serves. Writes DATA/server.url. */
MUST_CHECK int server_start(struct server *server, const struct options *options, const char *listen,
                            struct arena *arena, struct err *err);
void server_stop(struct server *server, int64_t grace_ms);

/* The key in DATA/admin.key. */
MUST_CHECK int server_admin_key(const char *data_dir, struct arena *arena, const char **out, struct err *err);

#endif
