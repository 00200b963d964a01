/* client: HTTP requests by libcurl, one at a time, with deadlines and limits. */
#include <stdlib.h>
#include <strings.h>

#include "base/mem.h"
#include "net/net.h"
#include "net/transfer.h"

#define POLL_MS 200

/* Connections are kept by the multi handle, which is used for its bounded waits. */
struct net_client {
    CURLM *multi;
    CURL *easy;
};

struct net_client *net_client_create(void) {
    struct net_client *client = mem_alloc(sizeof(*client));

    client->easy = transfer_handle();
    client->multi = curl_multi_init();
    if (!client->multi)
        abort(); /* memory is exhausted */
    return client;
}

void net_client_destroy(struct net_client *client) {
    if (!client)
        return;
    curl_easy_cleanup(client->easy);
    (void)curl_multi_cleanup(client->multi);
    free(client);
}

const char *net_response_header(const struct net_response *response, const char *name) {
    for (size_t i = 0; i < response->header_count; i++) {
        if (strcasecmp(response->headers[i].name, name) == 0)
            return response->headers[i].value;
    }
    return NULL;
}

static bool is_cancelled(const struct net_request *request) {
    return request->is_cancelled && request->is_cancelled(request->cancel_arg);
}

/* The transfer's result; CURLE_ABORTED_BY_CALLBACK when is_cancelled said so. */
static CURLcode run(struct net_client *client, const struct net_request *request) {
    int running = 1, left = 0;
    CURLMsg *message;

    while (running) {
        if (is_cancelled(request))
            return CURLE_ABORTED_BY_CALLBACK;
        if (curl_multi_perform(client->multi, &running))
            return CURLE_FAILED_INIT;
        if (running && curl_multi_poll(client->multi, NULL, 0, POLL_MS, NULL))
            return CURLE_FAILED_INIT;
    }
    while ((message = curl_multi_info_read(client->multi, &left))) {
        if (message->msg == CURLMSG_DONE && message->easy_handle == client->easy)
            return message->data.result;
    }
    return CURLE_FAILED_INIT;
}

static CURLcode run_without_sigpipe(struct net_client *client, const struct net_request *request) {
    struct sigpipe sigpipe;
    sigpipe_block(&sigpipe);
    CURLcode code = run(client, request);
    sigpipe_restore(&sigpipe);
    return code;
}

int net_request(struct net_client *client, const struct net_request *request, struct arena *arena,
                struct net_response *out, struct err *err) {
    struct transfer transfer;

    curl_easy_reset(client->easy);
    int result = transfer_begin(&transfer, client->easy, request, arena, err);
    if (result)
        return result;
    CURLMcode added = curl_multi_add_handle(client->multi, client->easy);
    CURLcode code = added ? CURLE_FAILED_INIT : run_without_sigpipe(client, request);
    result = transfer_result(&transfer, client->easy, code, out, err);
    /* After the errors are read: it ends what is under way. */
    (void)curl_multi_remove_handle(client->multi, client->easy);
    transfer_end(&transfer);
    return result;
}
