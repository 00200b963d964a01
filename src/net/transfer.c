/* transfer: one request under way in libcurl: how it is set up, and what became of it. */
#include "net/transfer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "net/address.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    TOTAL_TIMEOUT_MS = 30000,
    MAX_BODY_BYTES = 16 * 1024 * 1024,
    MAX_HEADERS = 256,
    MAX_HEADER_BYTES = 256 * 1024, /* of all together */
    MAX_REDIRECTS = 5,
};

/* libcurl brings up its TLS library when it is initialised, which costs megabytes that a server without calls to make
 * need not hold: it waits for the first handle. */
static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void curl_begin(void) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        abort(); /* memory is exhausted */
}

CURL *transfer_handle(void) {
    pthread_once(&curl_once, curl_begin);
    CURL *easy = curl_easy_init();
    if (!easy)
        abort(); /* memory is exhausted */
    return easy;
}

static void add_header(struct transfer *transfer, const char *line, size_t len) {
    struct net_response *response = &transfer->response;
    const char *colon = memchr(line, ':', len);

    if (!colon || response->header_count == MAX_HEADERS)
        return;
    if (!response->headers)
        response->headers = arena_array(transfer->arena, MAX_HEADERS, sizeof(*response->headers));
    char *name = arena_strndup(transfer->arena, line, (size_t)(colon - line));
    char *value = arena_strndup(transfer->arena, colon + 1, (size_t)(line + len - colon - 1));
    response->headers[response->header_count++] =
        (struct net_header){str_lower(transfer->arena, name), str_trim(transfer->arena, value)};
}

static size_t on_header(char *line, size_t size, size_t count, void *arg) {
    struct transfer *transfer = arg;
    size_t len = size * count;

    transfer->header_bytes += len;
    if (transfer->header_bytes > MAX_HEADER_BYTES) {
        transfer->stopped = ERR_TOO_LARGE;
        return 0; /* fewer than given: stops */
    }
    /* A status line: what came before belonged to an interim answer or a redirect. */
    if (len > 5 && memcmp(line, "HTTP/", 5) == 0)
        transfer->response.header_count = 0;
    else
        add_header(transfer, line, len);
    return len;
}

static void tell_head(struct transfer *transfer) {
    const struct net_request *request = transfer->request;
    long status = 0;

    if (!request->on_head || transfer->received)
        return;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    transfer->response.status = (int)status;
    request->on_head(&transfer->response, request->on_body_arg);
}

static size_t on_body(char *data, size_t size, size_t count, void *arg) {
    struct transfer *transfer = arg;
    const struct net_request *request = transfer->request;
    size_t len = size * count;

    if (transfer->max_body_bytes && len > transfer->max_body_bytes - transfer->received) {
        if (request->cuts_body)
            buf_put(&transfer->body, data, transfer->max_body_bytes - transfer->received);
        else
            transfer->stopped = ERR_TOO_LARGE;
        transfer->is_cut = request->cuts_body;
        return 0; /* fewer than given: stops */
    }
    tell_head(transfer);
    transfer->received += len;
    if (!request->on_body) {
        buf_put(&transfer->body, data, len);
    } else if (request->on_body(data, len, request->on_body_arg)) {
        transfer->stopped = ERR_CANCELLED;
        return 0; /* fewer than given: stops */
    }
    return len;
}

static bool is_loopback(const char *host) {
    size_t len = strlen(host);
    return strcasecmp(host, "localhost") == 0 || (len > 10 && strcasecmp(host + len - 10, ".localhost") == 0) ||
           (str_starts(host, "127.") && strspn(host, "0123456789.") == len) || str_eq(host, "[::1]");
}

/* Checks the address, and takes no proxy for this machine itself. */
static int set_url(CURL *easy, const struct net_request *request, struct err *err) {
    CURLU *url = curl_url();
    char *host = NULL, *scheme = NULL;
    int result = 0;

    if (!url || curl_url_set(url, CURLUPART_URL, request->url, 0) || curl_url_get(url, CURLUPART_HOST, &host, 0) ||
        curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) ||
        (strcasecmp(scheme, "http") != 0 && strcasecmp(scheme, "https") != 0))
        result = err_set(err, ERR_VALIDATION, "not an http or https address");
    else if (is_loopback(host) || request->unix_socket || request->without_proxy || request->only_public)
        (void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_free(host);
    curl_free(scheme);
    curl_url_cleanup(url);
    (void)curl_easy_setopt(easy, CURLOPT_URL, request->url);
#if LIBCURL_VERSION_NUM >= 0x075500
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    (void)curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    return result;
}

static void set_method(CURL *easy, const struct net_request *request) {
    bool has_body = request->body && request->body_len;

    if (str_eq(request->method, "HEAD")) {
        (void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (has_body || str_eq(request->method, "POST")) {
        (void)curl_easy_setopt(easy, CURLOPT_POST, 1L);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(has_body ? request->body_len : 0));
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, has_body ? request->body : "");
    }
    if (!str_eq(request->method, has_body ? "POST" : "GET"))
        (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void limit(struct transfer *transfer, CURL *easy) {
    const struct net_request *request = transfer->request;
    int64_t connect_ms = request->connect_timeout_ms ? request->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    int64_t total_ms = request->total_timeout_ms ? request->total_timeout_ms : TOTAL_TIMEOUT_MS;

    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_ms);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)total_ms);
    /* What goes to on_body is not kept, so that without a limit of the caller's it has none. */
    transfer->max_body_bytes = request->max_body_bytes;
    if (!transfer->max_body_bytes && !request->on_body)
        transfer->max_body_bytes = MAX_BODY_BYTES;
    if (transfer->max_body_bytes && !request->cuts_body)
        (void)curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)transfer->max_body_bytes);
}

/* Asked for each socket, with the very address it is for: whatever a name was resolved to before does not matter. */
static curl_socket_t open_public(void *arg, curlsocktype purpose, struct curl_sockaddr *address) {
    struct transfer *transfer = arg;
    if (!net_address_is_public(&address->addr)) {
        bool is_v6 = address->family == AF_INET6;
        const void *at = is_v6 ? (const void *)&((const struct sockaddr_in6 *)&address->addr)->sin6_addr
                               : &((const struct sockaddr_in *)&address->addr)->sin_addr;
        if (!inet_ntop(is_v6 ? AF_INET6 : AF_INET, at, transfer->closed_address, sizeof(transfer->closed_address)))
            (void)str_copy(transfer->closed_address, sizeof(transfer->closed_address), "?");
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* A connection is made for this request and ended with it, so that none is taken over that somebody else opened. */
static void keep_public(struct transfer *transfer, CURL *easy) {
    (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_public);
    (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    (void)curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
}

static void set_options(struct transfer *transfer, CURL *easy) {
    const struct net_request *request = transfer->request;

    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->message);
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "prazium/" PRAZIUM_VERSION);
    (void)curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    (void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    if (request->follow_redirects) {
        (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
        (void)curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)MAX_REDIRECTS);
    }
    if (request->unix_socket)
        (void)curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
    if (request->only_public)
        keep_public(transfer, easy);
#if LIBCURL_VERSION_NUM >= 0x075700
    /* A name that is still being looked up when the time is over keeps nobody waiting: its thread ends by itself. */
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    limit(transfer, easy);
    set_method(easy, request);
}

static bool has_header(const struct net_request *request, const char *name) {
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcasecmp(request->headers[i].name, name) == 0)
            return true;
    }
    return false;
}

static struct curl_slist *append(struct curl_slist *list, const char *line) {
    struct curl_slist *longer = curl_slist_append(list, line);
    if (!longer)
        abort();
    return longer;
}

static int make_headers(struct transfer *transfer, struct err *err) {
    const struct net_request *request = transfer->request;
    struct curl_slist *list = NULL;

    for (size_t i = 0; i < request->header_count; i++) {
        const struct net_header *header = &request->headers[i];
        if (!header->name[0] || strpbrk(header->name, "\r\n: ;") || strpbrk(header->value, "\r\n")) {
            curl_slist_free_all(list);
            return err_set(err, ERR_VALIDATION, "a header that cannot be sent");
        }
        /* "Name;" is libcurl's way to send a header without a value. */
        list = append(list, header->value[0] ? arena_printf(transfer->arena, "%s: %s", header->name, header->value)
                                             : arena_printf(transfer->arena, "%s;", header->name));
    }
    /* libcurl's own additions: a wait before large bodies, and a type for what it takes for a form. */
    if (!has_header(request, "Expect"))
        list = append(list, "Expect:");
    if (!has_header(request, "Content-Type"))
        list = append(list, "Content-Type:");
    transfer->headers = list;
    return 0;
}

int transfer_begin(struct transfer *transfer, CURL *easy, const struct net_request *request, struct arena *arena,
                   struct err *err) {
    *transfer = (struct transfer){.request = request, .easy = easy, .arena = arena};
    int result = set_url(easy, request, err);
    if (!result)
        result = make_headers(transfer, err);
    if (result)
        return result;
    set_options(transfer, easy);
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
    return 0;
}

static int explain(const struct transfer *transfer, CURLcode code, struct err *err) {
    const char *reason = transfer->message[0] ? transfer->message : curl_easy_strerror(code);

    if (transfer->stopped == ERR_TOO_LARGE && transfer->header_bytes > MAX_HEADER_BYTES)
        return err_set(err, ERR_TOO_LARGE, "the answer's headers are larger than %d bytes", MAX_HEADER_BYTES);
    if (transfer->stopped == ERR_TOO_LARGE || code == CURLE_FILESIZE_EXCEEDED)
        return err_set(err, ERR_TOO_LARGE, "the answer is larger than %zu bytes", transfer->max_body_bytes);
    if (transfer->stopped == ERR_CANCELLED || code == CURLE_ABORTED_BY_CALLBACK)
        return err_set(err, ERR_CANCELLED, "the request was stopped");
    if (transfer->closed_address[0] && code == CURLE_COULDNT_CONNECT)
        return err_set(err, ERR_FORBIDDEN, "%s is not a public address", transfer->closed_address);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return err_set(err, ERR_TIMEOUT, "%s", reason);
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        return err_set(err, ERR_VALIDATION, "%s", reason);
    return err_set(err, ERR_UNAVAILABLE, "%s", reason);
}

int transfer_result(struct transfer *transfer, CURL *easy, CURLcode code, struct net_response *out, struct err *err) {
    curl_off_t elapsed_us = 0;
    curl_off_t ready_us = 0;
    long status = 0;

    (void)curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
    if (transfer->request->was_sent)
        *transfer->request->was_sent = ready_us > 0;
    if (code && !transfer->is_cut)
        return explain(transfer, code, err);
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &elapsed_us);
    transfer->response.status = (int)status;
    transfer->response.elapsed_ms = (int64_t)elapsed_us / 1000;
    transfer->response.body_len = transfer->body.len;
    char *body = buf_take(&transfer->body);
    arena_defer(transfer->arena, free, body);
    transfer->response.body = body;
    *out = transfer->response;
    return 0;
}

void transfer_end(struct transfer *transfer) {
    curl_slist_free_all(transfer->headers);
    transfer->headers = NULL;
    buf_release(&transfer->body);
}

void sigpipe_block(struct sigpipe *sigpipe) {
    sigset_t pipe_only, pending;

    (void)sigemptyset(&pipe_only);
    (void)sigaddset(&pipe_only, SIGPIPE);
    (void)sigpending(&pending);
    sigpipe->was_pending = sigismember(&pending, SIGPIPE) == 1;
    (void)pthread_sigmask(SIG_BLOCK, &pipe_only, &sigpipe->before);
}

void sigpipe_restore(const struct sigpipe *sigpipe) {
    sigset_t pipe_only;
    struct timespec none = {0};

    (void)sigemptyset(&pipe_only);
    (void)sigaddset(&pipe_only, SIGPIPE);
    if (!sigpipe->was_pending)
        (void)sigtimedwait(&pipe_only, NULL, &none);
    (void)pthread_sigmask(SIG_SETMASK, &sigpipe->before, NULL);
}
