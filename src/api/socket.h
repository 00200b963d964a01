/* socket: one WebSocket of the API: who it speaks for, and what it is subscribed to. */
#ifndef API_SOCKET_H
#define API_SOCKET_H

#include "api/auth.h"
#include "api/channel.h"
#include "api/feed.h"
#include "base/list.h"

#define SOCKET_CHANNELS_MAX 100
#define SOCKET_MESSAGE_BYTES (64 * 1024)

/* Why the server closes. Those from 4000 on are the API's own, and docs/api.md tells of them. */
enum socket_code {
    SOCKET_NO_TEXT = 1003,
    SOCKET_INTERNAL = 1011,
    SOCKET_UNKNOWN = 4401,   /* nobody is known to ask, or not any more */
    SOCKET_SUSPENDED = 4403, /* the account is */
    SOCKET_TOO_MANY = 4429,  /* messages */
};

struct socket {
    struct api *api;
    struct feeds *feeds; /* of the loop's thread, on which all of this is */
    struct http_websocket *http;
    char peer[48];
    int64_t opened_ms;
    /* Who it speaks for. */
    bool is_known, is_welcomed;
    struct credential credential;
    char account_id[ID_LEN];
    int64_t per_minute;   /* messages and requests of the account */
    int64_t checked_ms;   /* when the credential was found good */
    int64_t looked_ms;    /* when the channels were last asked for what no wake-up told of */
    struct list channels; /* the next to be read from first */
    size_t channel_count;
    int refusals; /* of messages that were too many, in a row */
};

/* socket_state.c: takes the identity for the socket's own. */
void socket_know(struct socket *socket, const struct credential *credential, const struct identity *identity);
void socket_forget_channel(struct socket *socket, struct channel *channel);

/* socket_say.c: what the server says beside events. */
/* {"type": type, "channel": channel (unless NULL) — the caller adds members and ends it with socket_say_end. */
void socket_say(struct buf *out, struct jw *jw, const char *type, const char *channel);
void socket_say_end(struct socket *socket, struct buf *out, struct jw *jw);
void socket_say_authenticated(struct socket *socket, const json_t *id);
void socket_say_complete(struct socket *socket, const char *channel);

/* socket_messages.c: one message of the client's. */
void socket_hear(struct socket *socket, const char *data, size_t len);

#endif
