/* reply: filling in an answer, and handing it over. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/str.h"
#include "http/internal.h"

void reply_init(struct http_reply *reply, struct http_request *request) {
    *reply = (struct http_reply){.request = request, .status = 200, .fd = -1};
}

void reply_release(struct http_reply *reply) {
    if (reply->fd >= 0)
        (void)close(reply->fd);
    reply->fd = -1;
    if (reply->stream)
        stream_finish(reply->stream);
    reply->stream = NULL;
    if (reply->websocket)
        websocket_finish(reply->websocket);
    reply->websocket = NULL;
}

/* One body only: the last. */
static void drop_body(struct http_reply *reply) {
    reply_release(reply);
    reply->body = NULL;
    reply->body_len = 0;
    reply->content_type = NULL;
}

static bool is_plain(const char *text) {
    for (; *text; text++) {
        if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
            return false;
    }
    return true;
}

void http_reply_status(struct http_reply *reply, int status) {
    reply->status = status;
}

void http_reply_header(struct http_reply *reply, const char *name, const char *value) {
    struct arena *arena = reply->request->arena;

    if (!name[0] || !is_plain(name) || strpbrk(name, " \t:") || !is_plain(value))
        return;
    struct reply_header *header = arena_alloc(arena, sizeof(*header));
    header->name = arena_strdup(arena, name);
    header->value = arena_strdup(arena, value);
    if (reply->last_header)
        reply->last_header->next = header;
    else
        reply->headers = header;
    reply->last_header = header;
}

static void set_body(struct http_reply *reply, const char *content_type, const char *data, size_t len) {
    drop_body(reply);
    reply->content_type = content_type ? arena_strdup(reply->request->arena, content_type) : NULL;
    reply->body = data;
    reply->body_len = len;
}

void http_reply_body(struct http_reply *reply, const char *content_type, const void *data, size_t len) {
    set_body(reply, content_type, data, len);
}

void http_reply_body_copy(struct http_reply *reply, const char *content_type, const void *data, size_t len) {
    char *copy = arena_alloc(reply->request->arena, len + 1);

    if (len)
        memcpy(copy, data, len);
    set_body(reply, content_type, copy, len);
}

void http_reply_file(struct http_reply *reply, const char *content_type, int fd, uint64_t offset, uint64_t length) {
    set_body(reply, content_type, NULL, 0);
    reply->fd = fd;
    reply->file_offset = offset;
    reply->file_length = length;
}

struct http_stream *http_reply_stream(struct http_reply *reply, const char *content_type,
                                      const struct http_stream_ops *ops, void *arg) {
    set_body(reply, content_type, "", 0);
    reply->stream = stream_create(reply->request->loop, ops, arg);
    return reply->stream;
}

struct http_websocket *http_reply_websocket(struct http_reply *reply, const struct http_websocket_ops *ops, void *arg,
                                            size_t max_message_bytes) {
    const char *message = NULL;
    int status = handshake_check(reply->request, &message);

    if (status == 426) {
        http_reply_header(reply, "Upgrade", "websocket");
        http_reply_header(reply, "Sec-WebSocket-Version", "13");
    }
    if (status) {
        http_reply_error(reply, status, message);
        return NULL;
    }
    drop_body(reply);
    reply->websocket = websocket_create(reply->request->loop, ops, arg, max_message_bytes);
    return reply->websocket;
}

void http_reply_close(struct http_reply *reply) {
    reply->must_close = true;
}

void http_reply_error(struct http_reply *reply, int status, const char *message) {
    const struct http_config *config = &reply->request->loop->server->config;

    drop_body(reply);
    reply->status = status;
    if (config->hooks.on_error)
        config->hooks.on_error(reply->request, reply, status, message, config->context);
    else
        http_reply_body_copy(reply, "text/plain; charset=utf-8", message, strlen(message));
}

struct http_request *http_reply_request(struct http_reply *reply) {
    return reply->request;
}

static struct MHD_Response *make_upgrade(struct http_request *request) {
    struct MHD_Response *response = websocket_begin(request->reply.websocket, request);
    char accept[HANDSHAKE_ACCEPT_LEN];

    if (!response)
        return NULL;
    handshake_accept(request, accept);
    request->reply.status = 101;
    (void)MHD_add_response_header(response, "Upgrade", "websocket");
    (void)MHD_add_response_header(response, "Sec-WebSocket-Accept", accept);
    return response;
}

static bool has_body(int status) {
    return status >= 200 && status != 204 && status != 304;
}

/* The response without headers of ours. */
static struct MHD_Response *make_response(struct http_request *request) {
    struct http_reply *reply = &request->reply;

    if (reply->stream && request->method == HTTP_HEAD)
        reply_release(reply);
    if (reply->stream)
        return stream_begin(reply->stream, request);
    if (reply->websocket)
        return make_upgrade(request);
    if (reply->fd >= 0 && reply->file_length > 0) {
        struct MHD_Response *response =
            MHD_create_response_from_fd_at_offset64(reply->file_length, reply->fd, reply->file_offset);
        if (response)
            reply->fd = -1; /* closed with the response */
        request->body_sent = request->method == HTTP_HEAD ? 0 : reply->file_length;
        return response;
    }
    size_t len = has_body(reply->status) ? reply->body_len : 0;
    request->body_sent = request->method == HTTP_HEAD ? 0 : len;
    /* The arena outlives the response; libmicrohttpd does not write to it. */
    return MHD_create_response_from_buffer(len, (void *)(len ? reply->body : ""), MHD_RESPMEM_PERSISTENT);
}

enum MHD_Result reply_queue(struct http_request *request) {
    struct http_reply *reply = &request->reply;
    struct http_loop *loop = request->loop;

    if (reply->status < 200 || reply->status > 599)
        http_reply_error(reply, 500, "The handler set no valid status");
    struct MHD_Response *response = make_response(request);
    if (!response)
        return MHD_NO;
    for (const struct reply_header *header = reply->headers; header; header = header->next)
        (void)MHD_add_response_header(response, header->name, header->value);
    if (reply->content_type)
        (void)MHD_add_response_header(response, "Content-Type", reply->content_type);
    if (request->id[0])
        (void)MHD_add_response_header(response, "X-Request-Id", request->id);
    if (reply->status == 426)
        (void)MHD_add_response_header(response, "Connection", "Upgrade");
    if ((reply->must_close || loop->is_draining) && !reply->websocket)
        (void)MHD_add_response_header(response, "Connection", "close");
    request->is_queued = true;
    enum MHD_Result result = MHD_queue_response(request->conn->mhd, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return result;
}

const char *reply_reason(int status) {
    const char *reason = MHD_get_reason_phrase_for((unsigned)status);
    return reason ? reason : "Error";
}

void reply_print(struct http_reply *reply, struct buf *out) {
    buf_printf(out, "HTTP/1.1 %d %s\r\n", reply->status, reply_reason(reply->status));
    for (const struct reply_header *header = reply->headers; header; header = header->next)
        buf_printf(out, "%s: %s\r\n", header->name, header->value);
    if (reply->content_type)
        buf_printf(out, "Content-Type: %s\r\n", reply->content_type);
    buf_printf(out, "X-Request-Id: %s\r\n", reply->request->id);
    buf_printf(out, "Content-Length: %zu\r\nConnection: close\r\n\r\n", reply->body_len);
    if (reply->request->method != HTTP_HEAD)
        buf_put(out, reply->body, reply->body_len);
}
