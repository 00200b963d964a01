/* api: serving: authentication, dispatch from the route table, errors, the access log. */
#include "api/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/accounts.h"

static int authenticate(struct api *api, struct http_request *request, const struct api_route *route, struct err *err) {
    static const char scheme[] = "Bearer ";
    const char *value = http_request_header(request, "Authorization");
    char hash[HASH_HEX_LEN];
    struct db *db = NULL;
    struct api_key *key = NULL;
    if (!value)
        return err_set(err, ERR_UNAUTHORIZED, "Authentication is required: send \"Authorization: Bearer pzm_…\"");
    if (strncasecmp(value, scheme, sizeof scheme - 1) != 0 || !str_starts(value + sizeof scheme - 1, "pzm_"))
        return err_set(err, ERR_UNAUTHORIZED, "The Authorization header must be \"Bearer pzm_…\"");
    value += sizeof scheme - 1;
    int rc = store_reader(engine_store(api->engine), &db, err);
    if (rc == 0)
        rc = store_key_find(db, http_request_arena(request), hash_sha256_hex(hash, value, strlen(value)), clock_now_ms(), &key, err);
    if (rc < 0)
        return rc;
    if (!key)
        return err_set(err, ERR_UNAUTHORIZED, "The API key is not valid");
    if (route->role == ROLE_ADMIN && !str_eq(key->role, "admin"))
        return err_set(err, ERR_FORBIDDEN, "This needs an administrator's key");
    http_request_set_user(request, key);
    return 0;
}

static bool before(struct http_request *request, struct http_reply *reply, void *context) {
    struct api *api = context;
    const struct http_route *route = http_request_route(request);
    struct err err = {0};
    http_reply_header(reply, "Cache-Control", "no-store");
    http_reply_header(reply, "X-Content-Type-Options", "nosniff");
    if (!route)
        return false;
    const struct api_route *row = route->tag;
    if (row->role == ROLE_ANYONE || authenticate(api, request, row, &err) == 0)
        return false;
    struct api_call call = {.request = request};
    if (err.code == ERR_UNAUTHORIZED)
        http_reply_header(reply, "WWW-Authenticate", "Bearer realm=\"prazium\"");
    reply_error(reply, &call, &err, err_http_status(err.code));
    return true;
}

static enum err_code code_of_status(int status) {
    switch (status) {
    case 404:
        return ERR_NOT_FOUND;
    case 405:
        return ERR_METHOD;
    case 413:
        return ERR_TOO_LARGE;
    case 415:
        return ERR_MEDIA;
    case 500:
        return ERR_INTERNAL;
    case 503:
        return ERR_UNAVAILABLE;
    default:
        return ERR_VALIDATION;
    }
}

static void on_error(struct http_request *request, struct http_reply *reply, int status, const char *message, void *context) {
    struct err err = {.code = code_of_status(status)};
    struct api_call call = {.request = request};
    str_copy(err.message, sizeof err.message, message);
    reply_error(reply, &call, &err, status);
}

static void after(struct http_request *request, const struct http_outcome *outcome, void *context) {
    char status[16], bytes[24], elapsed[24];
    snprintf(status, sizeof status, "%d", outcome->status);
    snprintf(bytes, sizeof bytes, "%llu", (unsigned long long)outcome->body_bytes);
    snprintf(elapsed, sizeof elapsed, "%lld", (long long)outcome->elapsed_us);
    log_event(outcome->status >= 500 ? LOG_ERROR : LOG_DEBUG, "request", "method", http_request_method_name(request), "path",
              http_request_path(request), "status", status, "bytes", bytes, "us", elapsed, "request", http_request_id(request), NULL);
}

static void dispatch(struct http_request *request, struct http_reply *reply, void *context) {
    struct api *api = context;
    const struct api_route *route = http_request_route(request)->tag;
    struct err err = {0};
    struct api_call call = {.api = api,
                            .engine = api->engine,
                            .request = request,
                            .reply = reply,
                            .arena = http_request_arena(request),
                            .key = http_request_user(request)};
    call.account_id = call.key ? call.key->account_id : NULL;
    int rc = store_reader(engine_store(api->engine), &call.db, &err);
    if (rc == 0)
        rc = route->handle(&call, &err);
    if (rc == 0)
        return;
    int status = err_http_status(err.code);
    if (status >= 500)
        log_event(LOG_ERROR, "request failed", "request", http_request_id(request), "path", http_request_path(request), "error", err.message, NULL);
    reply_error(reply, &call, &err, status);
}

static void thread_stop(void *thread, void *context) {
    struct api *api = context;
    store_thread_end(engine_store(api->engine));
}

int api_start(struct api **out, const struct api_config *config, struct err *err) {
    struct api *api = mem_alloc(sizeof *api);
    size_t count;
    const struct api_route *table = api_routes(&count);
    api->engine = config->engine;
    api->routes = mem_alloc(count * sizeof *api->routes);
    for (size_t i = 0; i < count; i++)
        api->routes[i] = (struct http_route){.method = table[i].method,
                                             .path = table[i].path,
                                             .handle = dispatch,
                                             .is_inline = !table[i].is_blocking,
                                             .max_body_bytes = table[i].max_body_bytes,
                                             .tag = &table[i]};
    struct http_config http = {.listen = config->listen,
                               .routes = api->routes,
                               .route_count = count,
                               .hooks = {.before = before, .on_error = on_error, .after = after, .thread_stop = thread_stop},
                               .context = api,
                               .loop_count = (size_t)config->loops};
    int rc = http_server_start(&http, &api->server, err);
    if (rc < 0) {
        api_stop(api, 0);
        return rc;
    }
    *out = api;
    return 0;
}

int api_port(const struct api *api) {
    return http_server_port(api->server);
}

void api_stop(struct api *api, int64_t grace_ms) {
    if (!api)
        return;
    if (api->server) {
        http_server_stop(api->server, grace_ms);
        http_server_destroy(api->server);
    }
    free(api->routes);
    free(api);
}
