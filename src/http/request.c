/* request: what handlers ask of a request; and the making and reuse of requests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "http/internal.h"

enum {
    SPARES_MAX = 256,
    KEPT_BODY_BYTES = 16 * 1024,
    REQUEST_ID_MAX = 64,
};

enum http_method method_of(const char *name) {
#define X(method, text)                                                                                                \
    if (text[0] && strcmp(name, text) == 0)                                                                            \
        return method;
    HTTP_METHOD_LIST(X)
#undef X
    return HTTP_OTHER;
}

struct http_request *request_take(struct http_loop *loop, struct conn *conn) {
    struct http_request *request = loop->spares;
    struct arena *arena = NULL;
    struct buf body = {0};

    if (request) {
        loop->spares = request->next;
        loop->spare_count--;
        arena = request->arena;
        body = request->body;
    } else {
        request = mem_alloc(sizeof(*request));
        arena = arena_create();
    }
    *request = (struct http_request){.loop = loop,
                                     .conn = conn,
                                     .arena = arena,
                                     .body = body,

                                     .method = HTTP_OTHER,
                                     .thread = loop->thread_state};
    request->method_name = request->path = request->query = request->id = "";
    reply_init(&request->reply, request);
    atomic_fetch_add_explicit(&loop->requests, 1, memory_order_relaxed);
    return request;
}

void request_give_back(struct http_request *request) {
    struct http_loop *loop = request->loop;

    reply_release(&request->reply);
    atomic_fetch_sub_explicit(&loop->requests, 1, memory_order_relaxed);
    if (loop->spare_count >= SPARES_MAX) {
        arena_destroy(request->arena);
        buf_release(&request->body);
        free(request);
        return;
    }
    arena_reset(request->arena);
    if (request->body.capacity > KEPT_BODY_BYTES)
        buf_release(&request->body);
    else
        buf_reset(&request->body);
    request->next = loop->spares;
    loop->spares = request;
    loop->spare_count++;
}

void request_release_spares(struct http_loop *loop) {
    while (loop->spares) {
        struct http_request *request = loop->spares;
        loop->spares = request->next;
        arena_destroy(request->arena);
        buf_release(&request->body);
        free(request);
    }
    loop->spare_count = 0;
}

/* "http://host/path" is allowed to servers too (RFC 9112 section 3.2.2). */
static char *skip_authority(char *uri) {
    size_t scheme = 0;
    if (strncasecmp(uri, "http://", 7) == 0)
        scheme = 7;
    else if (strncasecmp(uri, "https://", 8) == 0)
        scheme = 8;
    if (!scheme)
        return uri;
    uri += scheme;
    return uri + strcspn(uri, "/?");
}

static bool decode(char *text) {
    return str_url_decode(text, true) && str_is_utf8(text, strlen(text));
}

static bool parse_query(struct http_request *request, const char *query) {
    size_t most = 1;

    for (const char *at = query; *at; at++)
        most += *at == '&';
    request->query_params = arena_array(request->arena, most, sizeof(*request->query_params));
    char *text = arena_strdup(request->arena, query);
    while (text) {
        char *name = strsep(&text, "&");
        if (!name[0])
            continue;
        char *value = strchr(name, '=');
        if (value)
            *value++ = '\0';
        else
            value = name + strlen(name);
        if (!decode(name) || !decode(value))
            return false;
        request->query_params[request->query_count++] = (struct http_pair){name, value};
    }
    return true;
}

bool request_parse_uri(struct http_request *request) {
    char *path = skip_authority(request->uri);
    char *mark = strchr(path, '?');

    if (path != request->uri && path[0] != '/') /* "http://host?query" */
        path = arena_printf(request->arena, "/%s", path), mark = strchr(path, '?');
    if (mark)
        *mark = '\0';
    request->path = path;
    request->query = mark ? mark + 1 : "";
    if (path[0] != '/' && strcmp(path, "*") != 0)
        return false;
    return !request->query[0] || parse_query(request, request->query);
}

enum http_method http_request_method(const struct http_request *request) {
    return request->method;
}

const char *http_request_method_name(const struct http_request *request) {
    return request->method_name;
}

const char *http_request_path(const struct http_request *request) {
    return request->path;
}

const char *http_request_query(const struct http_request *request) {
    return request->query;
}

static bool is_sane_id(const char *id) {
    size_t len = id ? strlen(id) : 0;
    return len >= 1 && len <= REQUEST_ID_MAX &&
           strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") == len;
}

/* A loop's ids are a permutation of all 64-bit numbers from a random start (splitmix64): unique, and cheap. */
static uint64_t next_id(struct http_loop *loop) {
    uint64_t x = loop->id_state += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

const char *http_request_id(struct http_request *request) {
    return request->id;
}

/* On the loop's thread, once the headers are there: later a pool thread may ask. */
void request_name(struct http_request *request) {
    const char *sent = http_request_header(request, "X-Request-Id");

    if (is_sane_id(sent)) {
        request->id = sent;
        return;
    }
    char *id = arena_alloc(request->arena, 21);
    uint64_t bits = next_id(request->loop);
    memcpy(id, "req_", 4);
    for (int i = 0; i < 16; i++)
        id[4 + i] = "0123456789abcdef"[(bits >> (60 - 4 * i)) & 15];
    request->id = id;
}

const char *http_request_peer(const struct http_request *request) {
    return request->conn ? request->conn->peer : "";
}

const struct http_route *http_request_route(const struct http_request *request) {
    return request->match.route;
}

const char *http_request_param(const struct http_request *request, const char *name) {
    for (size_t i = 0; i < request->match.param_count; i++) {
        if (strcmp(request->match.params[i].name, name) == 0)
            return request->match.params[i].value;
    }
    return NULL;
}

size_t http_request_query_count(const struct http_request *request) {
    return request->query_count;
}

struct http_pair http_request_query_at(const struct http_request *request, size_t index) {
    return index < request->query_count ? request->query_params[index] : (struct http_pair){0};
}

const char *http_request_query_param(const struct http_request *request, const char *name, size_t *times) {
    const char *first = NULL;
    size_t count = 0;

    for (size_t i = 0; i < request->query_count; i++) {
        if (strcmp(request->query_params[i].name, name) == 0 && count++ == 0)
            first = request->query_params[i].value;
    }
    if (times)
        *times = count;
    return first;
}

size_t http_request_header_count(const struct http_request *request) {
    return request->header_count;
}

struct http_pair http_request_header_at(const struct http_request *request, size_t index) {
    return index < request->header_count ? request->headers[index] : (struct http_pair){0};
}

const char *http_request_header(const struct http_request *request, const char *name) {
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    }
    return NULL;
}

/* "a=1; b=2": pairs by "; ", a value may be in quotes. Source: RFC 6265 section 4.2.1. */
const char *http_request_cookie(struct http_request *request, const char *name) {
    size_t name_len = strlen(name);

    for (size_t i = 0; i < request->header_count; i++) {
        if (strcasecmp(request->headers[i].name, "Cookie") != 0)
            continue;
        const char *at = request->headers[i].value;
        while (*at) {
            at += strspn(at, "; \t");
            size_t len = strcspn(at, ";");
            if (len > name_len && at[name_len] == '=' && memcmp(at, name, name_len) == 0) {
                const char *value = at + name_len + 1;
                size_t value_len = len - name_len - 1;
                while (value_len && (value[value_len - 1] == ' ' || value[value_len - 1] == '\t'))
                    value_len--;
                if (value_len >= 2 && value[0] == '"' && value[value_len - 1] == '"')
                    value++, value_len -= 2;
                return arena_strndup(request->arena, value, value_len);
            }
            at += len;
        }
    }
    return NULL;
}

const char *http_request_body(const struct http_request *request, size_t *len) {
    if (len)
        *len = request->body.len;
    return request->body.len ? request->body.data : "";
}

struct arena *http_request_arena(struct http_request *request) {
    return request->arena;
}

/* What the pool has keeps its connection, whatever becomes of the socket. */
bool http_request_is_abandoned(const struct http_request *request) {
    return request->conn && conn_has_vanished(request->conn);
}

void http_request_set_user(struct http_request *request, void *user) {
    request->user = user;
}

void *http_request_user(const struct http_request *request) {
    return request->user;
}

void *http_request_thread(const struct http_request *request) {
    return request->thread;
}

struct http_loop *http_request_loop(const struct http_request *request) {
    return request->loop;
}

void *http_request_context(const struct http_request *request) {
    return request->loop->server->config.context;
}
