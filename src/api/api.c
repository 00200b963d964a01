/* api: serving: authentication, dispatch from the route table, errors, the access log. */
#include "api/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/auth.h"
#include "api/feed.h"
#include "api/input.h"
#include "api/limits.h"
#include "api/metrics.h"
#include "api/reference.h"
#include "api/replay.h"
#include "api/usage.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

/* git shows people what comes as plain text, and nothing else. */
static bool speaks_git(const struct api_call *call) {
    return call->route && call->route->takes_basic &&
           str_starts(str_or(http_request_header(call->request, "User-Agent"), ""), "git/");
}

static void reply_failure(struct http_reply *reply, const struct api_call *call, const struct err *err) {
    int status = err_http_status(err->code);
    if (err->code == ERR_UNAUTHORIZED)
        http_reply_header(reply, "WWW-Authenticate",
                          call->route && call->route->takes_basic ? "Basic realm=\"prazium\""
                                                                  : "Bearer realm=\"prazium\"");
    if (status >= 500)
        log_event(LOG_ERROR, "request failed", "request", http_request_id(call->request), "path",
                  http_request_path(call->request), "error", err->message, NULL);
    reply_error(reply, call, err, status);
    if (speaks_git(call) && (status < 500 || status == 503)) {
        const char *line = arena_printf(call->arena, "%s\n", err->message);
        http_reply_body(reply, "text/plain; charset=utf-8", line, strlen(line));
    }
}

#define LIMITS_NAMES 100000 /* accounts and addresses that are counted at once */

static struct api_call new_call(struct api *api, struct http_request *request, struct http_reply *reply) {
    const struct http_route *route = http_request_route(request);
    return (struct api_call){.api = api,
                             .engine = api->engine,
                             .request = request,
                             .reply = reply,
                             .arena = http_request_arena(request),
                             .route = route ? route->tag : NULL,
                             .role = ""};
}

/* The user of a request that was counted for its address. */
static struct identity nobody;

/* Some routes are open to whoever is on this machine. */
static bool is_open(const struct api_call *call) {
    if (call->route->may_identify && auth_is_presented(call->request))
        return false;
    return call->route->role == ROLE_ANYONE || (call->route->is_open_locally && metrics_is_local(call->request));
}

/* Whoever has a body to send is asked for the key before it. Routes that only read find out in their transaction. */
static bool before(struct http_request *request, struct http_reply *reply, void *context) {
    struct api *api = context;
    struct api_call call = new_call(api, request, reply);
    struct db *db = NULL;
    struct err err = {0};
    int rc = 0;
    http_reply_header(reply, "Cache-Control", "no-store");
    http_reply_header(reply, "X-Content-Type-Options", "nosniff");
    if (!call.route || is_open(&call)) {
        rc = auth_admit_anyone(&call, &err);
        http_request_set_user(request, &nobody);
    } else if (call.route->is_blocking) {
        rc = store_reader(engine_store(api->engine), &db, &err);
        if (rc == 0)
            rc = auth_admit(&call, db, &err);
    }
    if (rc == 0)
        return false;
    reply_failure(reply, &call, &err);
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

static void on_error(struct http_request *request, struct http_reply *reply, int status, const char *message,
                     void *context) {
    struct err err = {.code = code_of_status(status)};
    struct api_call call = {.request = request};
    /* What is no sound HTTP comes here straight away. */
    if (!http_request_user(request))
        auth_headers_for_address(context, request, reply);
    str_copy(err.message, sizeof err.message, message);
    reply_error(reply, &call, &err, status);
}

static void after(struct http_request *request, const struct http_outcome *outcome, void *context) {
    struct api *api = context;
    const struct http_route *route = http_request_route(request);
    metrics_count(api->metrics, route ? route->tag : NULL, http_request_method(request), outcome);
    char status[16], bytes[24], elapsed[24];
    snprintf(status, sizeof status, "%d", outcome->status);
    snprintf(bytes, sizeof bytes, "%llu", (unsigned long long)outcome->body_bytes);
    snprintf(elapsed, sizeof elapsed, "%lld", (long long)outcome->elapsed_us);
    log_event(outcome->status >= 500 ? LOG_ERROR : LOG_DEBUG, "request", "method", http_request_method_name(request),
              "path", http_request_path(request), "status", status, "bytes", bytes, "us", elapsed, "request",
              http_request_id(request), NULL);
}

static int check_and_handle(struct api_call *call, struct err *err) {
    int rc = input_check(call, err);
    return rc < 0 ? rc : call->route->handle(call, err);
}

static int handle(struct db *db, struct api_call *call, struct err *err) {
    call->db = db;
    struct identity *identity = http_request_user(call->request);
    if (identity && identity != &nobody) {
        call->identity = identity;
        call->account_id = call->identity->account_id;
        call->role = call->identity->role;
    }
    return replay_handle(call, check_and_handle, err);
}

/* The key and all that the handler reads in one transaction: SQLite locks and unlocks its log at each. */
static int handle_in_read(struct db *db, void *arg, struct err *err) {
    struct api_call *call = arg;
    int rc = auth_admit(call, db, err);
    return rc < 0 ? rc : handle(db, call, err);
}

static void dispatch(struct http_request *request, struct http_reply *reply, void *context) {
    struct api *api = context;
    struct api_call call = new_call(api, request, reply);
    struct db *db = NULL;
    struct err err = {0};
    int rc;
    if (call.route->is_blocking || is_open(&call)) {
        rc = store_reader(engine_store(api->engine), &db, &err);
        if (rc == 0)
            rc = handle(db, &call, &err);
    } else {
        rc = store_read(engine_store(api->engine), handle_in_read, &call, &err);
    }
    if (rc < 0)
        reply_failure(reply, &call, &err);
}

static void *thread_start(void *context) {
    struct api *api = context;
    return feeds_create(engine_store(api->engine));
}

static void thread_stop(void *thread, void *context) {
    struct api *api = context;
    feeds_destroy(thread);
    store_thread_end(engine_store(api->engine));
}

/* Blocking handlers mostly wait for the disk, and as many writes as there are threads share one commit. */
static size_t pool_threads(void) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 8 ? 2 * (size_t)cores : 16;
}

int api_start(struct api **out, const struct api_config *config, struct err *err) {
    struct api *api = mem_alloc(sizeof *api);
    size_t count;
    const struct api_route *table = api_routes(&count);
    api->engine = config->engine;
    api->is_registration_off = config->is_registration_off;
    api->is_behind_proxy = config->is_behind_proxy;
    api->limits = config->is_rate_limit_off ? NULL : limits_create(LIMITS_NAMES);
    api->attempts = limits_create(LIMITS_NAMES);
    api->replays = replays_create();
    api->reference = reference_create();
    api->metrics = metrics_create(table, count);
    api->started_ms = clock_now_ms();
    api->started_mono_ms = clock_mono_ms();
    api->routes = mem_alloc(count * sizeof *api->routes);
    for (size_t i = 0; i < count; i++)
        api->routes[i] = (struct http_route){.method = table[i].method,
                                             .path = table[i].path,
                                             .handle = dispatch,
                                             .is_inline = !table[i].is_blocking,
                                             .is_slow = table[i].is_slow,
                                             .max_body_bytes = table[i].max_body_bytes,
                                             .tag = &table[i]};
    struct http_config http = {.listen = config->listen,
                               .routes = api->routes,
                               .route_count = count,
                               .hooks = {.before = before,
                                         .on_error = on_error,
                                         .after = after,
                                         .thread_start = thread_start,
                                         .thread_stop = thread_stop},
                               .context = api,
                               .loop_count = (size_t)config->loops,
                               .pool_threads = pool_threads()};
    int rc = usage_create(&api->usage, engine_store(api->engine), err);
    if (rc == 0)
        rc = http_server_start(&http, &api->server, err);
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
    usage_destroy(api->usage);
    limits_destroy(api->attempts);
    limits_destroy(api->limits);
    replays_destroy(api->replays);
    reference_destroy(api->reference);
    metrics_destroy(api->metrics);
    free(api->routes);
    free(api);
}
