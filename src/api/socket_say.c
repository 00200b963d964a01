/* socket_say: what a WebSocket is told beside events. */
#include "api/socket.h"

void socket_say(struct buf *out, struct jw *jw, const char *type, const char *channel) {
    *out = (struct buf){0};
    jw_init(jw, out);
    jw_object(jw);
    jw_kstr(jw, "type", type);
    if (channel)
        jw_kstr(jw, "channel", channel);
}

void socket_say_end(struct socket *socket, struct buf *out, struct jw *jw) {
    jw_object_end(jw);
    http_websocket_send(socket->http, true, out->data, out->len);
    buf_release(out);
}

void socket_say_authenticated(struct socket *socket, const json_t *id) {
    struct buf out;
    struct jw jw;
    socket_say(&out, &jw, "authenticated", NULL);
    jw_kstr(&jw, "accountId", socket->account_id);
    if (id) {
        jw_key(&jw, "id");
        jw_value(&jw, id);
    }
    socket_say_end(socket, &out, &jw);
}

void socket_say_complete(struct socket *socket, const char *channel) {
    struct buf out;
    struct jw jw;
    socket_say(&out, &jw, "complete", channel);
    socket_say_end(socket, &out, &jw);
}
