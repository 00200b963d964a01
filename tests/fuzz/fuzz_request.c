/* fuzz_request: an address in the first line, headers in the others: paths, queries, cookies, the WebSocket's
 * handshake, ranges. */
#include "fuzz.h"

#include "base/str.h"
#include "http/internal.h"

enum { HEADERS = 20 };

static void handle(struct http_request *request, struct http_reply *reply, void *context) {
}

static const struct http_route routes[] = {
    {.method = HTTP_GET, .path = "/v1/projects", .handle = handle},
    {.method = HTTP_POST, .path = "/v1/projects", .handle = handle},
    {.method = HTTP_GET, .path = "/v1/projects/:project", .handle = handle},
    {.method = HTTP_GET, .path = "/v1/projects/:project/runs/:run/tasks/:task", .handle = handle},
    {.method = HTTP_GET, .path = "/v1/projects/:project/files/*path", .handle = handle},
    {.method = HTTP_GET, .path = "/v1/projects/:project/files", .handle = handle},
};

static struct router *router;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    struct err err;
    FUZZ_HOLDS(router_create(routes, ARRAY_LEN(routes), &router, &err) == 0);
    return 0;
}

static bool is_clean(const char *text) {
    return str_is_utf8(text, strlen(text));
}

static void check_path(struct http_request *request) {
    struct route_match match = {0};

    if (!router_find(router, HTTP_GET, request->path, request->arena, &match))
        return;
    FUZZ_HOLDS(match.param_count <= MAX_PARAMS);
    for (size_t i = 0; i < match.param_count; i++)
        FUZZ_HOLDS(match.params[i].value[0] && is_clean(match.params[i].value));
}

static void check_headers(struct http_request *request) {
    const char *message = NULL, *cookie = http_request_cookie(request, "prazium_session");
    char accept[HANDSHAKE_ACCEPT_LEN];
    int64_t first = 0, last = 0;

    if (cookie)
        FUZZ_HOLDS(!strchr(cookie, ';'));
    int status = handshake_check(request, &message);
    FUZZ_HOLDS(status == 0 ? !message : message && (status == 400 || status == 426));
    if (status == 0) {
        handshake_accept(request, accept);
        FUZZ_HOLDS(strlen(accept) == HANDSHAKE_ACCEPT_LEN - 1);
    }
    if (http_range(http_request_header(request, "Range"), 1000, &first, &last) == HTTP_RANGE_ONE)
        FUZZ_HOLDS(first >= 0 && first <= last && last < 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct http_pair headers[HEADERS];
    char *lines[HEADERS];
    struct http_request request = {.arena = arena_create(), .headers = headers, .method = HTTP_GET};
    CLEANUP(mem_freep) char *uri = fuzz_part(&data, &size, '\n');

    request.uri = uri;
    while (size && request.header_count < HEADERS) {
        char *line = lines[request.header_count] = fuzz_part(&data, &size, '\n');
        char *colon = strchr(line, ':');
        if (colon)
            *colon++ = '\0';
        headers[request.header_count++] = (struct http_pair){line, colon ? colon + strspn(colon, " ") : ""};
    }
    if (request_parse_uri(&request)) {
        for (size_t i = 0; i < request.query_count; i++)
            FUZZ_HOLDS(is_clean(request.query_params[i].name) && is_clean(request.query_params[i].value));
        check_path(&request);
    }
    check_headers(&request);
    for (size_t i = 0; i < request.header_count; i++)
        free(lines[i]);
    arena_destroy(request.arena);
    return 0;
}
