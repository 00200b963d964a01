/* exchange: one request and its answer, from the request line to the last byte: libmicrohttpd's callbacks. */
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/internal.h"

static int64_t now_us(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static struct conn *conn_of(struct MHD_Connection *mhd) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

void *exchange_line(void *arg, const char *uri, struct MHD_Connection *mhd) {
    struct http_loop *loop = arg;
    struct conn *conn = conn_of(mhd);
    struct http_request *request = request_take(loop, conn);

    /* The only moment when the address is still as it was sent. */
    request->uri = arena_strdup(request->arena, uri);
    conn->request = request;
    conn->deadline_ms = clock_mono_ms() + loop->server->config.header_timeout_ms;
    return request;
}

/* Ways to answer: at once, which makes libmicrohttpd close the connection since it is still in the first call for this
 * request; or in the last call, when the body is read and thrown away. */
static enum MHD_Result answer_now(struct http_request *request) {
    request->is_answered = true;
    request->conn->stage = CONN_BUSY;
    request->conn->deadline_ms = 0;
    request->conn->wants_linger = true;
    request->reply.must_close = true;
    return reply_queue(request);
}

static enum MHD_Result refuse_now(struct http_request *request, int status, const char *message) {
    http_reply_error(&request->reply, status, message);
    return answer_now(request);
}

static void answer_unrouted(struct http_request *request) {
    struct http_reply *reply = &request->reply;
    unsigned allowed = request->match.allowed;

    if (!allowed) {
        http_reply_error(reply, 404, "There is nothing here");
        return;
    }
    http_reply_header(reply, "Allow", router_allow(allowed, request->arena));
    if (request->method == HTTP_OPTIONS)
        http_reply_status(reply, 204);
    else
        http_reply_error(reply, 405, "The method is not allowed here");
}

static void expect_body(struct http_request *request) {
    struct conn *conn = request->conn;
    int64_t timeout_ms = request->loop->server->config.header_timeout_ms, now_ms = clock_mono_ms();
    uint64_t bytes = request->is_chunked ? request->max_body_bytes : request->content_length;

    conn->stage = CONN_BODY;
    conn->deadline_ms = now_ms + timeout_ms;
    conn->body_deadline_ms = conn->deadline_ms + (int64_t)(bytes / BODY_BYTES_PER_S * 1000);
}

static bool may_discard(const struct http_request *request) {
    return !request->is_chunked && !request->expects_continue && request->content_length <= DISCARD_BYTES;
}

/* The headers are complete. */
static enum MHD_Result begin(struct http_request *request, const char *url, const char *method, const char *version) {
    const struct http_config *config = &request->loop->server->config;
    const char *message = NULL;

    request->is_begun = true;
    request->begun_us = now_us();
    request->method_name = method;
    request->method = method_of(method);
    int status = framing_check(request, request->conn->mhd, method, url, version, &message);
    request_name(request);
    if (status)
        return refuse_now(request, status, message);
    if (!request_parse_uri(request))
        return refuse_now(request, 400, "The address is malformed");
    if (!router_find(request->loop->server->router, request->method, request->path, request->arena, &request->match))
        return refuse_now(request, 400, "The address is malformed");
    const struct http_route *route = request->match.route;
    request->max_body_bytes = route && route->max_body_bytes ? route->max_body_bytes : config->max_body_bytes;
    if (config->hooks.before && config->hooks.before(request, &request->reply, config->context)) {
        request->is_answered = true;
    } else if (!route) {
        request->is_answered = true;
        answer_unrouted(request);
    } else if (request->content_length > request->max_body_bytes) {
        return refuse_now(request, 413, "The body is too large");
    }
    bool has_more = request->is_chunked || request->content_length > 0;
    if (request->is_answered && has_more && !may_discard(request))
        return answer_now(request);
    if (has_more)
        expect_body(request);
    return MHD_YES;
}

static enum MHD_Result take_body(struct http_request *request, const char *data, size_t *len) {
    struct conn *conn = request->conn;
    size_t given = *len;

    *len = 0;
    conn->deadline_ms = clock_mono_ms() + request->loop->server->config.header_timeout_ms;
    if (conn->deadline_ms > conn->body_deadline_ms)
        conn->deadline_ms = conn->body_deadline_ms;
    if (request->is_answered)
        return MHD_YES;
    if (given > request->max_body_bytes - request->body.len) {
        /* Of unknown length, and now too long; libmicrohttpd takes no answer amid a body. */
        conn_refuse(conn, 413, "The body is too large");
        return MHD_NO;
    }
    buf_put(&request->body, data, given);
    return MHD_YES;
}

static void on_pool_done(struct note *note) {
    struct http_request *request = container_of(note, struct http_request, note);

    request->is_pooled = false;
    request->is_answered = true;
    request->thread = request->loop->thread_state;
    request->loop->suspended--;
    MHD_resume_connection(request->conn->mhd);
}

/* The body is complete, or the pool is done with it. */
static enum MHD_Result complete(struct http_request *request) {
    struct conn *conn = request->conn;
    const struct http_route *route = request->match.route;

    conn->stage = CONN_BUSY;
    conn->deadline_ms = 0;
    if (!request->is_answered && !route->is_inline) {
        request->note.fn = on_pool_done;
        request->is_pooled = true;
        struct http_server *server = request->loop->server;
        if (pool_submit(route->is_slow ? server->slow_pool : server->pool, request)) {
            request->loop->suspended++;
            MHD_suspend_connection(conn->mhd);
            return MHD_YES;
        }
        request->is_pooled = false;
        http_reply_header(&request->reply, "Retry-After", "1");
        http_reply_error(&request->reply, 503, "The server is too busy");
    } else if (!request->is_answered) {
        route->handle(request, &request->reply, request->loop->server->config.context);
    }
    request->is_answered = true;
    return reply_queue(request);
}

enum MHD_Result exchange_access(void *arg, struct MHD_Connection *mhd, const char *url, const char *method,
                                const char *version, const char *data, size_t *data_len, void **context) {
    struct http_request *request = *context;

    if (!request || request->conn->is_refused)
        return MHD_NO;
    if (!request->is_begun)
        return begin(request, url, method, version);
    if (*data_len)
        return take_body(request, data, data_len);
    if (request->is_pooled || request->is_queued)
        return MHD_YES;
    return complete(request);
}

static void tell_after(struct http_request *request, enum MHD_RequestTerminationCode code) {
    const struct http_config *config = &request->loop->server->config;

    if (!config->hooks.after || (!request->is_begun && !request->is_queued))
        return;
    struct http_outcome outcome = {.elapsed_us = request->is_begun ? now_us() - request->begun_us : 0,
                                   .is_complete = code == MHD_REQUEST_TERMINATED_COMPLETED_OK};
    if (request->is_queued) {
        outcome.status = request->reply.status;
        outcome.body_bytes = request->body_sent;
    }
    config->hooks.after(request, &outcome, config->context);
}

void exchange_done(void *arg, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code) {
    struct http_request *request = *context;

    *context = NULL;
    if (!request)
        return;
    struct conn *conn = request->conn;
    conn->request = NULL;
    conn->served++;
    conn->stage = CONN_WAITING;
    /* When draining, what is kept alive has nothing to wait for. */
    conn->deadline_ms =
        clock_mono_ms() + (request->loop->is_draining ? 0 : request->loop->server->config.header_timeout_ms);
    /* First the stream: its owner's memory may be the request's. */
    reply_release(&request->reply);
    tell_after(request, code);
    request_give_back(request);
}
