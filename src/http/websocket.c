/* websocket: the life of an upgraded connection: its turns of reading and writing, its timers, and how it closes. It
 * takes in no more than its answers can be written out, and asks for more to send only when all before it is written:
 * a slow or stalled peer costs the buffers of one turn. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "http/internal.h"
#include "http/ws_codec.h"

enum {
    /* Of one turn, so that others get theirs. */
    TURN_ITEMS = 32,
    TURN_BYTES = 256 * 1024,
    TURN_PULLS = 8,
    PAUSE_BYTES = 64 * 1024, /* with more to be written nothing is read */
    KEPT_OUT_BYTES = 1024,
    CLOSE_MS = 5000,
    STALL_MS = WRITE_TIMEOUT_S * 1000,
    MAX_REASON_BYTES = WS_MAX_CONTROL_BYTES - 2,
};

enum stage {
    WS_WAITING, /* for the handshake to be written */
    WS_OPEN,
    WS_CLOSING, /* our close frame is on its way, the peer's is waited for */
    WS_ENDING,  /* nothing more is read; over when all is written */
    WS_OVER,
};

/* All but refs, is_queued and note belong to the loop's thread once the reply is handed over. */
struct http_websocket {
    atomic_int refs;
    atomic_bool is_queued; /* note is in the mailbox, with a reference */
    struct note note;
    struct mailbox *mailbox;
    struct list node; /* in the loop's websockets */
    struct http_loop *loop;
    struct http_request *request; /* NULL before it begins */
    const struct http_websocket_ops *ops;
    void *arg;
    size_t max_message_bytes;
    struct MHD_UpgradeResponseHandle *upgrade;
    struct http_watch *watch;
    int fd; /* libmicrohttpd's */
    uint32_t events;
    enum stage stage;
    struct ws_codec *codec;
    struct buf early; /* what came with the handshake */
    struct buf out;
    size_t out_at;  /* how much of it is written */
    bool has_input; /* the socket may have some */
    bool is_gone;   /* the peer has closed, or the connection is broken */
    bool is_woken;  /* next is to be asked */
    bool awaits_pong;
    size_t items_left, bytes_left, pulls_left; /* in this turn */
    int64_t deadline_ms;                       /* of closing */
    int64_t moved_ms;                          /* something was written last */
    int64_t heard_ms, pinged_ms;
    int64_t message_ms; /* since when a message is coming in, about; 0: none */
};

static size_t pending(const struct http_websocket *ws) {
    return ws->out.len - ws->out_at;
}

static void put(struct http_websocket *ws, enum ws_opcode opcode, const void *data, size_t len) {
    if (!pending(ws))
        ws->moved_ms = ws->loop->now_ms;
    ws_codec_put(ws->codec, &ws->out, opcode, data, len);
}

/* As many of the first len bytes as are whole characters. The text goes on behind them. */
static size_t text_cut(const char *text, size_t len) {
    while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--;
    return len;
}

static void put_close(struct http_websocket *ws, int code, const char *reason) {
    uint8_t data[WS_MAX_CONTROL_BYTES] = {(uint8_t)(code >> 8), (uint8_t)code};
    size_t len = strnlen(reason, MAX_REASON_BYTES + 1);

    if (len > MAX_REASON_BYTES)
        len = text_cut(reason, MAX_REASON_BYTES);
    memcpy(data + 2, reason, len);
    put(ws, WS_CLOSE, data, 2 + len);
}

static void move_on(struct http_websocket *ws, enum stage stage) {
    if (ws->stage == WS_OPEN)
        ws->deadline_ms = ws->loop->now_ms + CLOSE_MS;
    ws->stage = stage;
}

static void fail(struct http_websocket *ws, int code, const char *reason) {
    if (ws->stage == WS_OPEN)
        put_close(ws, code, reason);
    move_on(ws, WS_ENDING);
    ws->request->conn->wants_linger = true; /* the peer may be sending still: it shall get to see why */
}

/* ---- Reading. ---- */

static size_t on_read(void *arg, uint8_t *out, size_t len) {
    struct http_websocket *ws = arg;

    if (ws->early.len) {
        size_t now = ws->early.len < len ? ws->early.len : len;
        memcpy(out, ws->early.data, now);
        buf_consume(&ws->early, now);
        if (!ws->early.len)
            buf_release(&ws->early);
        return now;
    }
    if (!ws->has_input || !ws->bytes_left)
        return 0;
    ssize_t got = recv(ws->fd, out, len < ws->bytes_left ? len : ws->bytes_left, MSG_DONTWAIT);
    if (got > 0) {
        ws->bytes_left -= (size_t)got;
        ws->heard_ms = ws->loop->now_ms;
        ws->awaits_pong = false;
        return (size_t)got;
    }
    ws->has_input = false;
    if (got == 0 || (errno != EAGAIN && errno != EINTR))
        ws->is_gone = true;
    return 0;
}

static void take_item(struct http_websocket *ws, const struct ws_item *item) {
    switch (item->kind) {
    case WS_ITEM_NONE:
    case WS_ITEM_PONG:
        break;
    case WS_ITEM_MESSAGE:
        ws->message_ms = 0;
        if (ws->stage != WS_OPEN)
            break;
        ws->is_woken = true; /* it may have asked for something that next has to give */
        ws->ops->on_message(ws->arg, item->data, item->len, item->is_text);
        break;
    case WS_ITEM_PING:
        if (ws->stage == WS_OPEN)
            put(ws, WS_PONG, item->data, item->len);
        break;
    case WS_ITEM_CLOSE:
        if (ws->stage == WS_OPEN)
            put(ws, WS_CLOSE, item->data, item->len);
        move_on(ws, WS_ENDING);
        break;
    case WS_ITEM_BROKEN:
        fail(ws, item->code, "");
        break;
    }
}

static bool may_read(const struct http_websocket *ws) {
    return (ws->stage == WS_OPEN || ws->stage == WS_CLOSING) && pending(ws) <= PAUSE_BYTES;
}

static void read_items(struct http_websocket *ws) {
    while (ws->items_left && may_read(ws)) {
        struct ws_item item;
        ws_codec_next(ws->codec, &item);
        if (item.kind == WS_ITEM_NONE)
            return;
        ws->items_left--;
        take_item(ws, &item);
    }
}

/* ---- Writing. ---- */

static void flush(struct http_websocket *ws) {
    while (pending(ws)) {
        ssize_t sent = send(ws->fd, ws->out.data + ws->out_at, pending(ws), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0) {
            ws->is_gone = ws->is_gone || errno != EAGAIN;
            return;
        }
        ws->out_at += (size_t)sent;
        ws->moved_ms = ws->loop->now_ms;
        ws->request->body_sent += (size_t)sent;
    }
    ws->out_at = 0;
    if (ws->out.capacity > KEPT_OUT_BYTES)
        buf_release(&ws->out);
    else
        buf_reset(&ws->out);
}

/* True if there may be something to write. */
static bool pull(struct http_websocket *ws) {
    if (ws->stage != WS_OPEN || !ws->is_woken || !ws->pulls_left)
        return false;
    ws->pulls_left--;
    switch (ws->ops->next(ws->arg)) {
    case HTTP_NEXT_DATA:
        return true;
    case HTTP_NEXT_IDLE:
        ws->is_woken = false;
        return pending(ws);
    case HTTP_NEXT_END:
        http_websocket_close(ws, WS_NORMAL, "");
        return true;
    }
    return false;
}

/* ---- Turns. ---- */

static void finish(struct http_websocket *ws) {
    if (ws->stage == WS_OVER)
        return;
    ws->stage = WS_OVER;
    if (ws->watch)
        http_watch_remove(ws->watch);
    list_remove(&ws->node);
    atomic_fetch_sub_explicit(&ws->loop->websocket_count, 1, memory_order_relaxed);
    ws_codec_destroy(ws->codec);
    buf_release(&ws->early);
    buf_release(&ws->out);
    if (ws->ops->on_close)
        ws->ops->on_close(ws->arg);
    /* Closes the connection, and has the request done, in libmicrohttpd's next run. */
    (void)MHD_upgrade_action(ws->upgrade, MHD_UPGRADE_ACTION_CLOSE);
}

static void cut(struct http_websocket *ws) {
    conn_cut(ws->request->conn);
    finish(ws);
}

static void watch_for(struct http_websocket *ws) {
    uint32_t events = (may_read(ws) ? EPOLLIN : 0U) | (pending(ws) ? EPOLLOUT : 0U);

    if (events != ws->events)
        http_watch_change(ws->watch, events);
    ws->events = events;
}

static void take_turn(struct http_websocket *ws) {
    bool was_paused;

    if (ws->stage == WS_OVER)
        return;
    ws->items_left = TURN_ITEMS;
    ws->bytes_left = TURN_BYTES;
    ws->pulls_left = TURN_PULLS;
    do {
        read_items(ws);
        was_paused = pending(ws) > PAUSE_BYTES;
        flush(ws);
    } while (!ws->is_gone && !pending(ws) && (was_paused || pull(ws)));
    if (ws->is_gone || (ws->stage == WS_ENDING && !pending(ws))) {
        finish(ws);
        return;
    }
    /* Of what the codec holds, and of what next has to give, the socket will not tell. */
    if (!ws->items_left || (!ws->pulls_left && ws->is_woken && !pending(ws)))
        http_websocket_wake(ws);
    watch_for(ws);
}

static void on_ready(struct http_watch *watch, uint32_t ready, void *arg) {
    struct http_websocket *ws = arg;

    if (ready & EPOLLIN)
        ws->has_input = true;
    take_turn(ws);
    /* Else reading finds it, after what came before. */
    if ((ready & (EPOLLERR | EPOLLHUP)) && !((ready & EPOLLIN) && may_read(ws)))
        finish(ws);
}

bool websocket_owns(const struct http_watch *watch) {
    return watch->fn == on_ready;
}

static void on_wake(struct note *note) {
    struct http_websocket *ws = container_of(note, struct http_websocket, note);

    /* An exchange, not a store: it takes over what every waker since the last one published. */
    (void)atomic_exchange(&ws->is_queued, false);
    ws->is_woken = true;
    if (ws->stage != WS_WAITING)
        take_turn(ws);
    http_websocket_unref(ws);
}

/* ---- Timers. ---- */

/* What is being written says enough of the peer; and a ping would have to wait behind it. */
static void check_pulse(struct http_websocket *ws, int64_t now_ms) {
    int64_t interval_ms = ws->loop->server->config.websocket_ping_ms;

    if (pending(ws)) {
        ws->pinged_ms = now_ms;
        return;
    }
    if (ws->awaits_pong && now_ms - ws->pinged_ms >= interval_ms) {
        cut(ws);
    } else if (!ws->awaits_pong && now_ms - ws->heard_ms >= interval_ms) {
        put(ws, WS_PING, NULL, 0);
        ws->awaits_pong = true;
        ws->pinged_ms = now_ms;
    }
}

/* As for bodies: whoever begins a message has to send it. */
static void check_message(struct http_websocket *ws, int64_t now_ms) {
    int64_t most_ms =
        ws->loop->server->config.header_timeout_ms + (int64_t)(ws->max_message_bytes / BODY_BYTES_PER_S * 1000);

    if (!ws_codec_is_amid(ws->codec) || pending(ws))
        ws->message_ms = 0;
    else if (!ws->message_ms)
        ws->message_ms = now_ms;
    else if (now_ms - ws->message_ms >= most_ms)
        fail(ws, WS_POLICY, "the message took too long");
}

static void sweep_one(struct http_websocket *ws, int64_t now_ms) {
    if (ws->stage == WS_OPEN && ws->ops->on_tick)
        ws->ops->on_tick(ws->arg);
    if (ws->stage == WS_OPEN)
        check_message(ws, now_ms);
    bool is_late = ws->stage != WS_OPEN && now_ms >= ws->deadline_ms;
    if (is_late || (pending(ws) && now_ms - ws->moved_ms >= STALL_MS))
        cut(ws);
    else if (ws->stage == WS_OPEN)
        check_pulse(ws, now_ms);
    take_turn(ws);
}

void websockets_sweep(struct http_loop *loop) {
    list_for_each (node, next, &loop->websockets)
        sweep_one(container_of(node, struct http_websocket, node), loop->now_ms);
}

void websockets_end(struct http_loop *loop) {
    list_for_each (node, next, &loop->websockets) {
        struct http_websocket *ws = container_of(node, struct http_websocket, node);
        http_websocket_close(ws, WS_GOING_AWAY, "the server stops");
        take_turn(ws);
    }
}

void websockets_cut(struct http_loop *loop) {
    list_for_each (node, next, &loop->websockets)
        cut(container_of(node, struct http_websocket, node));
}

/* ---- Beginning and end. ---- */

struct http_websocket *websocket_create(struct http_loop *loop, const struct http_websocket_ops *ops, void *arg,
                                        size_t max_message_bytes) {
    struct http_websocket *ws = mem_alloc(sizeof(*ws));

    atomic_init(&ws->refs, 2);
    ws->note.fn = on_wake;
    ws->mailbox = mailbox_ref(loop->mailbox);
    ws->loop = loop;
    ws->ops = ops;
    ws->arg = arg;
    ws->max_message_bytes = max_message_bytes;
    ws->fd = -1;
    return ws;
}

/* The handshake is written, and the socket is ours until MHD_upgrade_action. */
static void on_upgrade(void *arg, struct MHD_Connection *mhd, void *context, const char *early, size_t early_len,
                       MHD_socket fd, struct MHD_UpgradeResponseHandle *upgrade) {
    struct http_websocket *ws = arg;
    struct http_loop *loop = ws->loop;

    ws->upgrade = upgrade;
    ws->fd = fd;
    ws->stage = WS_OPEN;
    ws->codec = ws_codec_create(ws->max_message_bytes, on_read, ws);
    ws->heard_ms = ws->moved_ms = loop->now_ms;
    buf_put(&ws->early, early, early_len);
    list_append(&loop->websockets, &ws->node);
    atomic_fetch_add_explicit(&loop->websocket_count, 1, memory_order_relaxed);
    /* libmicrohttpd has just turned it off. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    ws->events = EPOLLIN;
    if (loop->is_cut || http_loop_watch(loop, fd, ws->events, on_ready, ws, &ws->watch, NULL)) {
        finish(ws);
        return;
    }
    if (loop->is_draining)
        http_websocket_close(ws, WS_GOING_AWAY, "the server stops");
    http_websocket_wake(ws); /* its first turn, outside of libmicrohttpd's */
}

struct MHD_Response *websocket_begin(struct http_websocket *ws, struct http_request *request) {
    ws->request = request;
    return MHD_create_response_for_upgrade(on_upgrade, ws);
}

void websocket_finish(struct http_websocket *ws) {
    if (ws->stage != WS_WAITING)
        finish(ws);
    else if (ws->ops->on_close)
        ws->ops->on_close(ws->arg);
    ws->stage = WS_OVER;
    http_websocket_unref(ws);
}

void http_websocket_send(struct http_websocket *ws, bool is_text, const void *data, size_t len) {
    if (ws->stage == WS_OPEN)
        put(ws, is_text ? WS_TEXT : WS_BINARY, data, len);
}

void http_websocket_close(struct http_websocket *ws, int code, const char *reason) {
    if (ws->stage != WS_OPEN)
        return;
    put_close(ws, code, reason);
    move_on(ws, WS_CLOSING);
}

void http_websocket_wake(struct http_websocket *ws) {
    if (atomic_exchange(&ws->is_queued, true))
        return;
    (void)http_websocket_ref(ws);
    if (!mailbox_put(ws->mailbox, &ws->note))
        http_websocket_unref(ws); /* the loop is gone, and is_queued may stay */
}

struct http_websocket *http_websocket_ref(struct http_websocket *ws) {
    (void)atomic_fetch_add(&ws->refs, 1);
    return ws;
}

void http_websocket_unref(struct http_websocket *ws) {
    if (!ws || atomic_fetch_sub(&ws->refs, 1) != 1)
        return;
    mailbox_unref(ws->mailbox);
    free(ws);
}
