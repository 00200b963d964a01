/* http: the server: routes, requests, replies and long-lived streams. Knows nothing of what is served.
 *
 * Loop threads (one per core) read requests; a route's handler runs there when it is inline, else on a thread of the
 * pool. It is straight-line code either way: it looks at the request, fills in the reply and returns.
 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define HTTP_METHOD_LIST(X)                                                                                            \
    X(HTTP_GET, "GET")                                                                                                 \
    X(HTTP_HEAD, "HEAD")                                                                                               \
    X(HTTP_POST, "POST")                                                                                               \
    X(HTTP_PUT, "PUT")                                                                                                 \
    X(HTTP_PATCH, "PATCH")                                                                                             \
    X(HTTP_DELETE, "DELETE")                                                                                           \
    X(HTTP_OPTIONS, "OPTIONS")                                                                                         \
    X(HTTP_OTHER, "") /* never matches a route */

enum http_method {
#define X(method, name) method,
    HTTP_METHOD_LIST(X)
#undef X
};

struct http_loop;
struct http_reply;
struct http_request;
struct http_server;
struct http_stream;
struct http_websocket;

/* Answers request by filling in reply; context is the server's. A reply left untouched is sent as an empty 200. */
typedef void http_handler(struct http_request *request, struct http_reply *reply, void *context);

/* A route. The parts of path are literal ("projects"), one segment (":project") or, last of all, the rest of the path
 * with its slashes, at least one byte ("*path"). Literal parts win over ":", and ":" over "*". A GET route answers HEAD
 * too. A trailing slash matters. */
struct http_route {
    enum http_method method;
    const char *path;
    http_handler *handle;
    bool is_inline;        /* true: on the loop thread, and must not block */
    bool is_slow;          /* may take minutes: on threads of its own, which the others do not wait for */
    size_t max_body_bytes; /* 0: the server's */
    const void *tag;       /* the caller's own, by http_request_route() */
};

struct http_outcome {
    int status;          /* 0: the client went away before an answer was made */
    uint64_t body_bytes; /* handed to the connection */
    int64_t elapsed_us;  /* since the headers were complete; for a stream until its end */
    bool is_complete;    /* false: the client went away first */
};

/* All may be NULL. `context` is the server's. */
struct http_hooks {
    /* Runs on the loop thread once the headers of a request are there (its body is not) and its route is looked up
     * (http_request_route() is NULL for unknown paths and methods): authentication, rate limits. True: the reply is
     * the answer. False: the request goes on; headers set on reply stay. Must not block. Not called for requests that
     * are no sound HTTP. */
    bool (*before)(struct http_request *request, struct http_reply *reply, void *context);
    /* Writes the body of an error that this layer found (400, 404, 405, 408, 413, 414, 417, 431, 500, 503). The
     * status is set already; headers may be added. On any thread. For what is no sound HTTP, method and path may
     * be empty. Without the hook the body is the message as plain text. */
    void (*on_error)(struct http_request *request, struct http_reply *reply, int status, const char *message,
                     void *context);
    /* Runs on the loop thread when the answer is written or the client is gone: access log, statistics. */
    void (*after)(struct http_request *request, const struct http_outcome *outcome, void *context);
    /* Run on each loop and pool thread as it starts and ends: a database connection a thread. What thread_start
     * returns is http_request_thread(). */
    void *(*thread_start)(void *context);
    void (*thread_stop)(void *thread, void *context);
};

struct http_config {
    const char *listen; /* "127.0.0.1:3001", "[::1]:3001", ":3001" (all addresses); port 0: any. NULL: 127.0.0.1:3001 */
    const struct http_route *routes; /* must outlive the server */
    size_t route_count;
    struct http_hooks hooks;
    void *context;             /* for handlers and hooks */
    size_t loop_count;         /* 0: one per core */
    size_t pool_threads;       /* 0: two per core, at least 4 */
    size_t slow_threads;       /* for slow routes: started as they are needed; as many again may wait. 0: 64 */
    size_t pool_queue;         /* requests that may wait for a pool thread; more are answered 503. 0: 1024 */
    size_t max_body_bytes;     /* 0: 1 MiB */
    size_t max_connections;    /* of all loops; more wait in the kernel's queue. 0: 16384 */
    int64_t header_timeout_ms; /* for a request's line and headers, and an idle connection. 0: 15 s */
    int64_t stream_tick_ms;    /* 0: 15 s */
    int64_t websocket_ping_ms; /* a silent peer is asked for a sign of life, and cut after as long again. 0: 20 s */
};

/* Binds, starts the threads and serves. ERR_VALIDATION for a bad address or route, ERR_UNAVAILABLE if it cannot be
 * bound. */
MUST_CHECK int http_server_start(const struct http_config *config, struct http_server **out, struct err *err);
int http_server_port(const struct http_server *server);
/* Stops accepting, ends the streams, lets requests under way finish for up to grace_ms, then cuts the connections and
 * waits for the threads (a handler on the pool that does not return is waited for all the same). From any thread but
 * those of the server; once. */
void http_server_stop(struct http_server *server, int64_t grace_ms);
void http_server_destroy(struct http_server *server); /* stops without grace if need be; accepts NULL */

/* What there is now. */
struct http_stats {
    size_t connections, requests, streams, websockets, pool_waiting;
};
void http_server_stats(struct http_server *server, struct http_stats *out);

/* ---- Requests. Strings live as long as the request. ---- */

enum http_method http_request_method(const struct http_request *request);
const char *http_request_method_name(const struct http_request *request); /* as sent */
const char *http_request_path(const struct http_request *request);        /* as sent, without the query */
const char *http_request_query(const struct http_request *request);       /* as sent, without '?'; may be empty */
const char *http_request_id(struct http_request *request); /* of X-Request-Id if that is sane, else made; sent back */
const char *http_request_peer(const struct http_request *request);               /* address without port */
const struct http_route *http_request_route(const struct http_request *request); /* NULL in `before` if there is none */

/* A parameter of the route's path ("project"), decoded: valid UTF-8 without NUL. NULL if the route has none such. */
const char *http_request_param(const struct http_request *request, const char *name);

struct http_pair {
    const char *name, *value;
};
/* Query parameters in order, decoded ('+' is a space), valid UTF-8 without NUL. */
size_t http_request_query_count(const struct http_request *request);
struct http_pair http_request_query_at(const struct http_request *request, size_t index);
/* The first value of that name, or NULL; *times (may be NULL) says how often the name is there. */
const char *http_request_query_param(const struct http_request *request, const char *name, size_t *times);

size_t http_request_header_count(const struct http_request *request);
struct http_pair http_request_header_at(const struct http_request *request, size_t index);
const char *http_request_header(const struct http_request *request, const char *name); /* any case; first, or NULL */
const char *http_request_cookie(struct http_request *request, const char *name);       /* first, or NULL */

/* NUL-terminated beyond *len, never NULL; empty in `before`. */
const char *http_request_body(const struct http_request *request, size_t *len);

struct arena *http_request_arena(struct http_request *request);
/* For a handler on the pool that is long about it: nobody waits for its answer any more, because the client went away
 * or the server cuts its connections. */
bool http_request_is_abandoned(const struct http_request *request);
void http_request_set_user(struct http_request *request, void *user);
void *http_request_user(const struct http_request *request);
void *http_request_thread(const struct http_request *request); /* thread_start's, of the thread this runs on */
struct http_loop *http_request_loop(const struct http_request *request); /* loop.h */
void *http_request_context(const struct http_request *request);          /* the server's */

/* ---- Replies. ---- */

void http_reply_status(struct http_reply *reply, int status); /* 200 unless set */
/* Adds a header; name and value are copied. One with control characters is left out. Content-Length, Date, Connection
 * and Transfer-Encoding are this layer's own. */
void http_reply_header(struct http_reply *reply, const char *name, const char *value);
/* The whole body; NULL content_type: none is sent. data must live as long as the request (its arena, or constant). */
void http_reply_body(struct http_reply *reply, const char *content_type, const void *data, size_t len);
void http_reply_body_copy(struct http_reply *reply, const char *content_type, const void *data, size_t len);
/* length bytes of the file at offset; takes over fd, whatever happens. */
void http_reply_file(struct http_reply *reply, const char *content_type, int fd, uint64_t offset, uint64_t length);
/* Closes the connection once the answer is written. */
void http_reply_close(struct http_reply *reply);
/* An error by the on_error hook. */
void http_reply_error(struct http_reply *reply, int status, const char *message);
struct http_request *http_reply_request(struct http_reply *reply);

/* What a Range header (may be NULL) asks of size bytes: with HTTP_RANGE_ONE *first to *last, which are among them.
 * Several ranges, other units and malformed ones count as none: the whole is sent. */
enum http_range { HTTP_RANGE_NONE, HTTP_RANGE_ONE, HTTP_RANGE_UNSATISFIABLE };
enum http_range http_range(const char *header, int64_t size, int64_t *first, int64_t *last);

/* ---- Streams: replies that go on for long (text/event-stream). ---- */

enum http_next {
    HTTP_NEXT_DATA, /* something was put into out: written, then asked again */
    HTTP_NEXT_IDLE, /* nothing now: asked again after a wake-up or a tick */
    HTTP_NEXT_END,  /* out is the last */
};

struct http_stream_ops {
    /* The next portion, some KiB at most, on the loop thread. Only called when all before it is written, so a slow
     * reader costs no memory. Must not block. */
    enum http_next (*next)(void *arg, struct buf *out);
    /* Once, when next will not be called any more: on the loop thread that served the stream. Frees arg. May be NULL.
     * Also called when the stream never began because the client went away, or for HEAD. */
    void (*on_close)(void *arg);
    /* Written when next had nothing for a tick (":\n\n" for event streams), or NULL. */
    const char *heartbeat;
};

/* Makes the reply a stream and returns a handle for http_stream_wake, which the caller gives back with
 * http_stream_unref (in on_close, say). next is called first when the headers are written. arg is the stream's from now
 * on. */
struct http_stream *http_reply_stream(struct http_reply *reply, const char *content_type,
                                      const struct http_stream_ops *ops, void *arg);
/* Has next called soon. From any thread, cheap, coalescing, and harmless when the stream is over. What was true before
 * the call is seen by a call of next after it. */
void http_stream_wake(struct http_stream *stream);
struct http_stream *http_stream_ref(struct http_stream *stream);
void http_stream_unref(struct http_stream *stream); /* accepts NULL */

/* ---- WebSockets (RFC 6455): a GET request becomes a connection of messages both ways. Fragments, pings, closing and
 * whatever the RFC refuses are seen to here. ---- */

/* All on the loop's thread; they must not block. */
struct http_websocket_ops {
    /* A whole message; text is valid UTF-8 (and may hold NULs). Not called while more than 64 KiB of what was sent wait
     * for a slow reader: what it sends waits too, in its socket. */
    void (*on_message)(void *arg, const char *data, size_t len, bool is_text);
    /* Sends the next portion by http_websocket_send, some ten KiB at most. Only called when all before it is written,
     * so a slow reader costs no memory: at the beginning, after a message, after a wake-up, and again while it returns
     * HTTP_NEXT_DATA. HTTP_NEXT_END closes with 1000. */
    enum http_next (*next)(void *arg);
    /* About every second. May be NULL. */
    void (*on_tick)(void *arg);
    /* Once, when none of these will be called any more. Frees arg. Also called when the WebSocket never began because
     * the client went away. May be NULL. */
    void (*on_close)(void *arg);
};

/* Makes the reply a WebSocket and returns a handle, which the caller gives back with http_websocket_unref (in on_close,
 * say); arg is the WebSocket's from now on. When the request does not ask for one as it should, NULL: the reply is the
 * error (400, 426), and arg stays the caller's. A message of more than max_message_bytes closes the connection
 * (1009). */
struct http_websocket *http_reply_websocket(struct http_reply *reply, const struct http_websocket_ops *ops, void *arg,
                                            size_t max_message_bytes);
/* Both from within ops' functions only; they do nothing once the closing has begun. What on_message sends for one
 * message is the caller's to bound. */
void http_websocket_send(struct http_websocket *ws, bool is_text, const void *data, size_t len);
/* After what was sent before. code: 1000, 1001, 1003, 1007 to 1014, 3000 to 4999. reason: UTF-8, of which at
 * most 123 bytes are sent. */
void http_websocket_close(struct http_websocket *ws, int code, const char *reason);
/* Has next called soon: as http_stream_wake. */
void http_websocket_wake(struct http_websocket *ws);
struct http_websocket *http_websocket_ref(struct http_websocket *ws);
void http_websocket_unref(struct http_websocket *ws); /* accepts NULL */

#endif
