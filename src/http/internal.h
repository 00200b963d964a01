/* internal: what the files of this layer share. Not for other layers. */
#ifndef HTTP_INTERNAL_H
#define HTTP_INTERNAL_H

#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>

#include "base/list.h"
#include "http/http.h"
#include "http/loop.h"

enum {
    METHOD_COUNT = HTTP_OTHER,
    MAX_HEADERS = 100,
    MAX_URI_BYTES = 8 * 1024,
    MAX_HEADER_BYTES = 12 * 1024,
    /* Holds a request's line and headers, then the answer's headers. An idle connection costs the pages it touched. */
    CONNECTION_MEMORY_BYTES = 16 * 1024,
    MAX_PARAMS = 8,
    WRITE_TIMEOUT_S = 60,         /* a reader that takes nothing for so long is cut */
    DISCARD_BYTES = 64 * 1024,    /* a body that nobody wants is read up to here, to keep the connection */
    BODY_BYTES_PER_S = 16 * 1024, /* slower uploads are cut */
    LINGER_MS = 5000,
};

/* ---- mailbox.c: notes for a loop, from any thread. ---- */

struct note {
    struct note *next;
    void (*fn)(struct note *note); /* on the loop's thread */
};

/* Outlives its loop while streams refer to it. */
struct mailbox {
    atomic_int refs;
    int event_fd;
    pthread_mutex_t lock; /* first, last, is_closed */
    struct note *first, *last;
    bool is_closed;
};

MUST_CHECK int mailbox_create(struct mailbox **out, struct err *err);
struct mailbox *mailbox_ref(struct mailbox *box);
void mailbox_unref(struct mailbox *box);
bool mailbox_put(struct mailbox *box, struct note *note); /* false: closed, the note was not taken */
void mailbox_deliver(struct mailbox *box);
/* Delivers what is there, then takes no more. */
void mailbox_close(struct mailbox *box);

/* ---- router.c ---- */

struct router;
struct route_match {
    const struct http_route *route; /* NULL: none for this method */
    unsigned allowed;               /* bits (1 << method) of the path; 0: unknown path */
    size_t param_count;
    struct http_pair params[MAX_PARAMS];
};
MUST_CHECK int router_create(const struct http_route *routes, size_t count, struct router **out, struct err *err);
void router_destroy(struct router *router);
/* path is as sent; parameters are put into arena. False: a bad escape, or text that is no UTF-8. */
bool router_find(const struct router *router, enum http_method method, const char *path, struct arena *arena,
                 struct route_match *out);
/* "GET, HEAD, OPTIONS" */
const char *router_allow(unsigned allowed, struct arena *arena);

/* ---- Connections and requests. ---- */

enum conn_stage {
    CONN_WAITING, /* for a request's line and headers */
    CONN_BODY,    /* for the rest of its body */
    CONN_BUSY,    /* making or writing the answer */
};

struct conn {
    struct list node;
    struct http_loop *loop;
    struct MHD_Connection *mhd;
    struct http_request *request; /* the current one, or NULL */
    int fd;                       /* libmicrohttpd's */
    enum conn_stage stage;
    int64_t deadline_ms;      /* 0: none */
    int64_t body_deadline_ms; /* for the whole body */
    size_t served;
    bool is_refused;   /* answered behind libmicrohttpd's back, or cut */
    bool wants_linger; /* the peer may still be sending: closing at once would destroy our answer on its way */
    char peer[INET6_ADDRSTRLEN];
};

struct reply_header {
    struct reply_header *next;
    const char *name, *value;
};

struct http_reply {
    struct http_request *request;
    int status;
    struct reply_header *headers, *last_header;
    const char *content_type;
    const char *body;
    size_t body_len;
    int fd; /* -1: none */
    uint64_t file_offset, file_length;
    struct http_stream *stream;
    struct http_websocket *websocket;
    bool must_close;
};

struct http_request {
    struct note note;          /* from the pool back to the loop */
    struct http_request *next; /* spare, or waiting for the pool */
    struct http_loop *loop;
    struct conn *conn; /* NULL for the stand-in of what was no request */
    struct arena *arena;
    char *uri; /* as sent */
    enum http_method method;
    const char *method_name, *path, *query, *id;
    struct http_pair *headers, *query_params;
    size_t header_count, query_count;
    uint64_t content_length;
    bool is_chunked, is_http10, expects_continue;
    bool is_begun;    /* the headers were complete */
    bool is_answered; /* the reply is made; the rest of the body is thrown away */
    bool is_pooled;   /* a pool thread has it */
    bool is_queued;   /* the reply is libmicrohttpd's now */
    struct buf body;
    size_t max_body_bytes;
    struct route_match match;
    struct http_reply reply;
    int64_t begun_us;
    uint64_t body_sent;
    void *user, *thread;
};

/* request.c */
struct http_request *request_take(struct http_loop *loop, struct conn *conn);
void request_give_back(struct http_request *request);
void request_release_spares(struct http_loop *loop);
void request_name(struct http_request *request); /* gives it its id */
/* Cuts uri into path and query and decodes the query; false if that is malformed. */
bool request_parse_uri(struct http_request *request);
enum http_method method_of(const char *name);

/* framing.c: 0, or the status to refuse with. Fills in headers, content_length, is_chunked. */
int framing_check(struct http_request *request, struct MHD_Connection *mhd, const char *method, const char *url,
                  const char *version, const char **message);

/* reply.c */
void reply_init(struct http_reply *reply, struct http_request *request);
void reply_release(struct http_reply *reply); /* what was not handed over: file, stream */
/* Hands the reply over to libmicrohttpd. On the loop's thread. */
enum MHD_Result reply_queue(struct http_request *request);
/* The whole answer as text with Connection: close, for what libmicrohttpd cannot answer. */
void reply_print(struct http_reply *reply, struct buf *out);
const char *reply_reason(int status);

/* stream.c */
/* With two references: the reply's and the caller's. */
struct http_stream *stream_create(struct http_loop *loop, const struct http_stream_ops *ops, void *arg);
struct MHD_Response *stream_begin(struct http_stream *stream, struct http_request *request);
/* The connection is gone or the stream is complete: calls on_close, drops the reply's reference. */
void stream_finish(struct http_stream *stream);
void streams_tick(struct http_loop *loop);
void streams_end(struct http_loop *loop); /* draining: each ends now */

/* sha1.c */
enum { SHA1_BYTES = 20 };
void sha1(const void *data, size_t len, uint8_t out[SHA1_BYTES]);

/* handshake.c: 0, or the status to refuse with. */
int handshake_check(const struct http_request *request, const char **message);
enum { HANDSHAKE_ACCEPT_LEN = 29 };
/* Of a request that was found good. */
void handshake_accept(const struct http_request *request, char out[HANDSHAKE_ACCEPT_LEN]);

/* websocket.c */
/* With two references: the reply's and the caller's. */
struct http_websocket *websocket_create(struct http_loop *loop, const struct http_websocket_ops *ops, void *arg,
                                        size_t max_message_bytes);
struct MHD_Response *websocket_begin(struct http_websocket *ws, struct http_request *request);
/* The connection is gone, or it never began: on_close was called, drops the reply's reference. */
void websocket_finish(struct http_websocket *ws);
void websockets_sweep(struct http_loop *loop);
void websockets_end(struct http_loop *loop); /* draining: each is closed now, by a handshake */
void websockets_cut(struct http_loop *loop);
bool websocket_owns(const struct http_watch *watch);

/* exchange.c: libmicrohttpd's callbacks. */
enum MHD_Result exchange_access(void *loop, struct MHD_Connection *mhd, const char *url, const char *method,
                                const char *version, const char *data, size_t *data_len, void **context);
void *exchange_line(void *loop, const char *uri, struct MHD_Connection *mhd);
void exchange_done(void *loop, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code);

/* conn.c */
void conn_notify(void *loop, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode code);
size_t conn_noop_unescape(void *loop, struct MHD_Connection *mhd, char *text);
/* Answers and cuts at once, past libmicrohttpd, which has sent nothing of an answer yet. */
void conn_refuse(struct conn *conn, int status, const char *message);
void conn_sweep(struct http_loop *loop); /* deadlines, and vanished peers */

/* peer.c */
void peer_name(struct MHD_Connection *mhd, char out[INET6_ADDRSTRLEN]); /* its address, or "" */
void conn_cut(struct conn *conn);
bool conn_has_vanished(const struct conn *conn); /* the peer will send no more */
/* On a new connection: the peer has sent something, has not closed, and got nothing yet. */
bool conn_has_sent_in_vain(const struct conn *conn);
/* While it waits for a request: something of one has come since the last was done. */
bool conn_has_sent_anew(const struct conn *conn);

/* overrule.c: libmicrohttpd's logger. */
void overrule_logged(void *loop, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* linger.c: sockets that are answered and closed for us, while the peer may still be sending. */
void linger_start(struct http_loop *loop, int fd); /* takes over fd */
void linger_sweep(struct http_loop *loop);
void linger_end_all(struct http_loop *loop);
bool linger_owns(const struct http_watch *watch);

/* listen.c */
struct listener {
    int fd;                   /* -1: closed */
    struct http_watch *watch; /* NULL: paused, or not yet started */
    int64_t retry_ms;
};
struct listen_address {
    struct sockaddr_storage address;
    socklen_t len;
};
MUST_CHECK int listen_parse(const char *text, struct listen_address *out, struct err *err);
/* The first socket of a server fails when another server has the port; further ones share it. On success with port 0,
 * address has the port that was given. */
MUST_CHECK int listen_open(struct listen_address *address, bool is_first, int *out, struct err *err);
void listen_resume(struct http_loop *loop); /* if paused and the time has come; begins, too */
void listen_close(struct http_loop *loop);

/* pool.c */
struct pool;
struct pool_size {
    size_t threads, most_threads; /* from the beginning, and as they are needed */
    size_t queue;                 /* requests that may wait */
};
MUST_CHECK int pool_create(struct http_server *server, const struct pool_size *size, struct pool **out,
                           struct err *err);
void pool_destroy(struct pool *pool);                              /* runs what waits, joins */
bool pool_submit(struct pool *pool, struct http_request *request); /* false: full */
size_t pool_waiting(struct pool *pool);

/* ---- Loops and the server. ---- */

struct http_watch {
    struct list node;
    struct http_loop *loop; /* NULL: removed, and freed after this round of events */
    int fd;
    http_watch_fn *fn;
    void *arg;
};

struct http_loop {
    struct http_server *server;
    struct MHD_Daemon *daemon;
    struct mailbox *mailbox;
    int epoll_fd;
    struct listener listener;
    struct list conns, streams, websockets, lingerers, watches, dead_watches;
    struct http_request *spares;
    size_t spare_count;
    size_t suspended;   /* connections: by the pool, or idle streams */
    struct buf portion; /* what a stream's next writes to */
    void *thread_state;
    pthread_t thread;
    bool is_started;
    int64_t now_ms, next_sweep_ms;
    bool is_draining, is_cut;
    int64_t cut_ms;
    size_t lingering;
    bool is_idle_cut;
    struct note drain_note;
    uint64_t id_state;
    atomic_size_t requests, stream_count, websocket_count;
};

/* watch.c: those that were removed, once no event at hand names them. */
void watches_free_dead(struct http_loop *loop);

/* loop.c */
MUST_CHECK int loop_create(struct http_server *server, struct http_loop *loop, struct err *err);
MUST_CHECK int loop_start(struct http_loop *loop, struct err *err);
void loop_release(struct http_loop *loop);

struct http_server {
    struct http_config config; /* with the defaults filled in */
    struct router *router;
    struct pool *pool;
    struct pool *slow_pool; /* for routes that are slow */
    struct http_loop *loops;
    int port;
    atomic_size_t connections;
    atomic_llong grace_until_ms;
    bool is_stopped;
};

/* thread.c: with all signals blocked. 0 or an errno. */
MUST_CHECK int thread_start(pthread_t *thread, void *(*run)(void *arg), void *arg);

#endif
