/* transfer: one request under way in libcurl: how it is set up, and what became of it. For the layer's own files. */
#ifndef NET_TRANSFER_H
#define NET_TRANSFER_H

#include <curl/curl.h>
#include <signal.h>

#include "base/buf.h"
#include "net/net.h"

struct transfer {
    const struct net_request *request;
    CURL *easy;
    struct arena *arena;
    struct net_response response;
    struct buf body;
    struct curl_slist *headers;
    size_t max_body_bytes; /* 0: none */
    size_t received, header_bytes;
    enum err_code stopped;   /* why a callback stopped it */
    bool is_cut;             /* the body ended at its limit, as it was to */
    char closed_address[64]; /* not connected to, since it is not public; "" */
    char message[CURL_ERROR_SIZE];
};

/* An easy handle; brings libcurl up at the first. */
CURL *transfer_handle(void);
/* Everything that the request says, on a handle that is new or reset. The transfer stays where it is until
 * transfer_end; request and arena outlive it. */
MUST_CHECK int transfer_begin(struct transfer *transfer, CURL *easy, const struct net_request *request,
                              struct arena *arena, struct err *err);
/* What libcurl's verdict means: an answer, or an error. */
MUST_CHECK int transfer_result(struct transfer *transfer, CURL *easy, CURLcode code, struct net_response *out,
                               struct err *err);
/* Once the handle has left its multi handle. */
void transfer_end(struct transfer *transfer);

/* With CURLOPT_NOSIGNAL libcurl leaves SIGPIPE to the program, and TLS libraries write without MSG_NOSIGNAL: it is
 * blocked on this thread between the two, and one that came is taken away. */
struct sigpipe {
    sigset_t before;
    bool was_pending;
};
void sigpipe_block(struct sigpipe *sigpipe);
void sigpipe_restore(const struct sigpipe *sigpipe);

#endif
