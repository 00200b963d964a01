/* net: an HTTP client by libcurl, with deadlines; and a reader of event streams. */
#ifndef NET_NET_H
#define NET_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct net_header {
    const char *name, *value;
};

struct net_request {
    const char *method; /* "GET" … */
    const char *url;
    const struct net_header *headers;
    size_t header_count;
    const char *body;
    size_t body_len;
    int64_t connect_timeout_ms; /* 0: 5 s */
    int64_t total_timeout_ms;   /* 0: 30 s */
    size_t max_body_bytes;      /* 0: 16 MiB; more fails with ERR_TOO_LARGE */
    bool follow_redirects;      /* false: a 3xx is an answer like any other */
    const char *unix_socket;    /* or NULL */
    /* Stops the transfer (ERR_CANCELLED) when it returns true; asked at least every 200 ms. May be NULL. */
    bool (*is_cancelled)(void *arg);
    void *cancel_arg;
    /* When set, the body goes there instead of into the response; non-zero stops (ERR_CANCELLED). */
    int (*on_body)(const char *data, size_t len, void *arg);
    void *on_body_arg;
};

struct net_response {
    int status;
    struct net_header *headers; /* names in lower case, in order; repeated ones stay apart */
    size_t header_count;
    const char *body; /* NUL-terminated beyond body_len */
    size_t body_len;
    int64_t elapsed_ms;
};

/* A client keeps connections alive between requests; one thread at a time. */
struct net_client;
struct net_client *net_client_create(void);
void net_client_destroy(struct net_client *client);
/* Any HTTP status is success (0). ERR_TIMEOUT, ERR_UNAVAILABLE (could not connect, connection broke), ERR_CANCELLED. No
 * proxy is taken from the environment for loopback addresses. */
MUST_CHECK int net_request(struct net_client *client, const struct net_request *request, struct arena *arena,
                           struct net_response *out, struct err *err);
const char *net_response_header(const struct net_response *response, const char *name); /* first, or NULL */

/* Server-Sent Events, by the WHATWG grammar, fed in any portions. Source: html.spec.whatwg.org, 9.2.6. */
struct sse_reader;
struct sse_event {
    const char *id, *type, *data; /* type "message" if none was named; id "" if never set */
};
typedef int sse_event_fn(const struct sse_event *event, void *arg);
struct sse_reader *sse_reader_create(sse_event_fn *fn, void *arg, size_t max_event_bytes);
void sse_reader_destroy(struct sse_reader *reader);
/* Returns fn's first non-zero answer, or ERR_TOO_LARGE negated. */
MUST_CHECK int sse_reader_feed(struct sse_reader *reader, const char *data, size_t len, struct err *err);

/* A TCP port of 127.0.0.1 that is free at this moment. */
MUST_CHECK int net_free_port(int *out, struct err *err);

#endif
