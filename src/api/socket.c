/* socket: the life of a WebSocket of the API: how it begins, what it sends, what it looks at from time to time. */
#include "api/socket.h"

#include <stdlib.h>

#include "api/handlers.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#define AUTHENTICATE_MS 5000
#define CHECK_MS 3000       /* a revoked key is noticed after so long */
#define LOOK_MS 10000       /* a lost wake-up is made up for after so long */
#define PORTION (16 * 1024) /* bytes of events; then the others have their turn */

/* ---- Who. ---- */

/* Whether it may still speak for whom it speaks. */
static void check_credential(struct socket *socket) {
    struct arena *arena = arena_create();
    struct identity *identity = NULL;
    struct db *db = NULL;
    struct err err = {0};
    int rc = store_reader(engine_store(socket->api->engine), &db, &err);
    if (rc == 0)
        rc = auth_identity(db, arena, &socket->credential, &identity, &err);
    if (rc < 0)
        log_event(LOG_ERROR, "cannot look at who a WebSocket is for", "error", err.message, NULL);
    else if (!identity)
        http_websocket_close(socket->http, SOCKET_UNKNOWN,
                             socket->credential.is_session ? "the session has ended"
                                                           : "the API key is not valid any more");
    else if (identity->is_suspended)
        http_websocket_close(socket->http, SOCKET_SUSPENDED, "the account is suspended");
    else
        socket_know(socket, &socket->credential, identity);
    arena_destroy(arena);
}

/* ---- What goes out. ---- */

/* Adds to *sent, up to a portion and an event more. */
static int send_events(struct socket *socket, struct channel *channel, size_t *sent, struct err *err) {
    const struct feed_event *events = NULL;
    struct buf scratch = {0};
    size_t count = 0, len = 0;
    int rc = channel_read(channel, &events, &count, err);
    for (size_t i = 0; rc == 0 && i < count && *sent < PORTION; i++) {
        const char *message = channel_message(channel, &events[i], &scratch, &len);
        bool is_last = events[i].is_last;
        http_websocket_send(socket->http, true, message, len);
        *sent += len;
        channel_pass(channel, &events[i]);
        if (is_last)
            break; /* the rest is not there any more */
    }
    buf_release(&scratch);
    if (rc == 0 && channel_is_complete(channel)) {
        socket_say_complete(socket, channel_name(channel));
        socket_forget_channel(socket, channel);
        (*sent)++;
    }
    return rc;
}

static enum http_next socket_next(void *arg) {
    struct socket *socket = arg;
    struct err err = {0};
    size_t sent = 0, left = socket->channel_count;
    if (socket->is_known && !socket->is_welcomed) {
        socket_say_authenticated(socket, NULL);
        socket->is_welcomed = true;
    }
    for (; left > 0 && sent < PORTION; left--) {
        struct list *first = socket->channels.next;
        struct channel *channel = channel_of_node(first);
        /* Each has its turn, also when it has nothing. */
        list_remove(first);
        list_append(&socket->channels, first);
        if (send_events(socket, channel, &sent, &err) < 0) {
            log_event(LOG_ERROR, "cannot read events for a WebSocket", "channel", channel_name(channel), "error",
                      err.message, NULL);
            http_websocket_close(socket->http, SOCKET_INTERNAL, "the events cannot be read; come back");
            return HTTP_NEXT_IDLE;
        }
    }
    return sent > 0 ? HTTP_NEXT_DATA : HTTP_NEXT_IDLE;
}

/* ---- What comes in, and what time brings. ---- */

static void socket_message(void *arg, const char *data, size_t len, bool is_text) {
    struct socket *socket = arg;
    if (is_text)
        socket_hear(socket, data, len);
    else
        http_websocket_close(socket->http, SOCKET_NO_TEXT, "messages are JSON, as text");
}

static void socket_tick(void *arg) {
    struct socket *socket = arg;
    int64_t now_ms = clock_mono_ms();
    if (!socket->is_known && now_ms - socket->opened_ms >= AUTHENTICATE_MS)
        http_websocket_close(socket->http, SOCKET_UNKNOWN, "nobody authenticated within 5 seconds");
    else if (socket->is_known && now_ms - socket->checked_ms >= CHECK_MS)
        check_credential(socket);
    if (now_ms - socket->looked_ms < LOOK_MS)
        return;
    socket->looked_ms = now_ms;
    http_websocket_wake(socket->http);
}

/* ---- Beginning and end. ---- */

static void socket_close(void *arg) {
    struct socket *socket = arg;
    list_for_each (node, next, &socket->channels)
        socket_forget_channel(socket, channel_of_node(node));
    http_websocket_unref(socket->http);
    free(socket);
}

static const struct http_websocket_ops socket_ops = {
    .on_message = socket_message, .next = socket_next, .on_tick = socket_tick, .on_close = socket_close};

int socket_open(struct api_call *call, struct err *err) {
    struct socket *socket = mem_alloc(sizeof *socket);
    socket->api = call->api;
    socket->feeds = http_request_thread(call->request);
    socket->opened_ms = socket->looked_ms = clock_mono_ms();
    str_copy(socket->peer, sizeof socket->peer, auth_peer(call));
    list_init(&socket->channels);
    if (call->identity) {
        struct credential credential = auth_presented(call);
        socket_know(socket, &credential, call->identity);
    }
    socket->http = http_reply_websocket(call->reply, &socket_ops, socket, SOCKET_MESSAGE_BYTES);
    if (!socket->http)
        free(socket); /* the reply says why */
    return 0;
}
