/* conn: connections: their deadlines, answers past libmicrohttpd, and closing without losing the answer. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/internal.h"

static struct conn *conn_create(struct http_loop *loop, struct MHD_Connection *mhd) {
    struct conn *conn = mem_alloc(sizeof(*conn));
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

    conn->loop = loop;
    conn->mhd = mhd;
    conn->fd = info ? info->connect_fd : -1;
    conn->stage = CONN_WAITING;
    conn->deadline_ms = clock_mono_ms() + loop->server->config.header_timeout_ms;
    peer_name(mhd, conn->peer);
    list_append(&loop->conns, &conn->node);
    return conn;
}

size_t conn_noop_unescape(void *loop, struct MHD_Connection *mhd, char *text) {
    return strlen(text);
}

void conn_refuse(struct conn *conn, int status, const char *message) {
    struct http_request *request = conn->request ? conn->request : request_take(conn->loop, NULL);
    struct buf text = {0};

    if (!request->id[0])
        request_name(request);
    http_reply_error(&request->reply, status, message);
    reply_print(&request->reply, &text);
    /* A fresh or idle socket's buffer has room for this; a peer that has none for it does not read. */
    (void)!send(conn->fd, text.data, text.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    buf_release(&text);
    if (request == conn->request) {
        request->body_sent = request->reply.body_len;
        request->is_queued = true; /* for the access log */
    } else {
        request_give_back(request);
    }
    conn->wants_linger = true;
    conn_cut(conn);
}

/* libmicrohttpd closes without a word on a first line that has no form at all. */
static bool was_garbage(const struct conn *conn) {
    return conn->stage == CONN_WAITING && !conn->request && !conn->is_refused && !conn->loop->is_cut &&
           conn_has_sent_in_vain(conn);
}

static void conn_destroy(struct conn *conn) {
    int unread = 0;

    if (was_garbage(conn))
        conn_refuse(conn, 400, "The request is malformed");
    if (!conn->wants_linger && conn->fd >= 0 && !ioctl(conn->fd, FIONREAD, &unread) && unread > 0)
        conn->wants_linger = true;
    if (conn->wants_linger && conn->fd >= 0 && !conn->loop->is_cut) {
        int fd = fcntl(conn->fd, F_DUPFD_CLOEXEC, 0);
        if (fd >= 0)
            linger_start(conn->loop, fd);
    }
    list_remove(&conn->node);
    free(conn);
}

void conn_notify(void *arg, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode code) {
    struct http_loop *loop = arg;

    switch (code) {
    case MHD_CONNECTION_NOTIFY_STARTED:
        *context = conn_create(loop, mhd);
        atomic_fetch_add(&loop->server->connections, 1);
        break;
    case MHD_CONNECTION_NOTIFY_CLOSED:
        if (*context)
            conn_destroy(*context);
        *context = NULL;
        atomic_fetch_sub(&loop->server->connections, 1);
        break;
    }
}

/* libmicrohttpd overlooks the end of input that came together with the last bytes before it: it takes a short read for
 * all there is, and the edge-triggered event is spent. */
void conn_sweep(struct http_loop *loop) {
    list_for_each (node, next, &loop->conns) {
        struct conn *conn = container_of(node, struct conn, node);
        if (!conn->deadline_ms || conn->is_refused)
            continue;
        if (conn_has_vanished(conn)) {
            conn_cut(conn);
            continue;
        }
        if (conn->deadline_ms > loop->now_ms)
            continue;
        if (conn->stage == CONN_WAITING && !conn->request && !conn_has_sent_in_vain(conn))
            conn_cut(conn); /* not used */
        else
            conn_refuse(conn, 408, "The request took too long");
    }
}
