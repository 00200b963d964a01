/* net: an HTTP client by libcurl, with deadlines; and a reader of event streams. */
#ifndef NET_NET_H
#define NET_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct net_response;
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
    bool cuts_body;             /* an answer beyond max_body_bytes ends there, as if that had been all */
    bool without_proxy;
    /* For URLs that outsiders gave: connects to public addresses alone (net/address.h), each checked as it is connected
     * to, on a connection of its own and by no proxy. ERR_FORBIDDEN when the host has no others. */
    bool only_public;
    const char *unix_socket; /* or NULL */
    /* Stops the transfer (ERR_CANCELLED) when it returns true; asked at least every 200 ms. May be NULL. */
    bool (*is_cancelled)(void *arg);
    void *cancel_arg;
    /* When set, the body goes there instead of into the response; non-zero stops (ERR_CANCELLED). */
    int (*on_body)(const char *data, size_t len, void *arg);
    /* When set, told the status and the headers before the body's first byte. */
    void (*on_head)(const struct net_response *head, void *arg);
    void *on_body_arg; /* of both */
    bool *was_sent;    /* when set, true in the end if there was a connection for the request to go out on */
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

/* Many requests under way at a time, on one thread: but for net_group_wake, one thread uses a group at a time. */
struct net_group;
struct net_outcome {
    void *tag;
    int result; /* as net_request's; response when it is 0, err when it is not */
    struct net_response response;
    struct err err;
};
struct net_group *net_group_create(void);
/* Stops what is under way, without outcomes. */
void net_group_destroy(struct net_group *group);
/* Begins a request, which must stay as it is, with all that it points to and its arena, until its outcome. is_cancelled
 * is not asked. */
MUST_CHECK int net_group_start(struct net_group *group, const struct net_request *request, struct arena *arena,
                               void *tag, struct err *err);
size_t net_group_count(const struct net_group *group); /* under way, or ended and not yet told of */
/* Works on all requests until one has ended, whose outcome it writes; false when wait_ms passed before, or somebody
 * woke it. */
bool net_group_next(struct net_group *group, int64_t wait_ms, struct net_outcome *out);
/* From any thread: the net_group_next under way, or else the next, does not wait. */
void net_group_wake(struct net_group *group);

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
