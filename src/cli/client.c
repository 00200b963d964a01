/* client: calls of the API from the terminal. */
#include "cli/client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define CALL_TIMEOUT_MS (5 * 60 * 1000)
#define FOLLOW_TIMEOUT_MS (INT64_C(24) * 3600 * 1000)
#define RECONNECTS_MAX 20 /* without an event in between */

static struct net_request request_of(struct client *client, const char *method, const char *path, struct net_header headers[4]) {
    headers[0] = (struct net_header){"Authorization", arena_printf(client->arena, "Bearer %s", client->key)};
    return (struct net_request){.method = method,
                                .url = arena_printf(client->arena, "%s/v1%s", client->url, path),
                                .headers = headers,
                                .header_count = 1,
                                .total_timeout_ms = CALL_TIMEOUT_MS,
                                .is_cancelled = client->is_cancelled,
                                .cancel_arg = client->cancel_arg};
}

/* The error of an envelope; whatever else came is told by its status. */
static int error_of(const json_t *answer, const struct net_response *response, struct err *err) {
    const json_t *error = json_object_get(answer, "error");
    static const struct {
        const char *name;
        enum err_code code;
    } codes[] = {{"VALIDATION_ERROR", ERR_VALIDATION}, {"UNAUTHORIZED", ERR_UNAUTHORIZED}, {"FORBIDDEN", ERR_FORBIDDEN},
                 {"NOT_FOUND", ERR_NOT_FOUND},         {"CONFLICT", ERR_CONFLICT},         {"RATE_LIMITED", ERR_RATE},
                 {"UNAVAILABLE", ERR_UNAVAILABLE}};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (str_eq(json_str(error, "code", NULL), codes[i].name))
            return err_set(err, codes[i].code, "%s", json_str(error, "message", "the server refused"));
    return err_set(err, ERR_INTERNAL, "the server answered %d: %.200s", response->status, json_str(error, "message", response->body));
}

int client_call(struct client *client, const char *method, const char *path, json_t *body, json_t **data, struct err *err) {
    struct net_header headers[4];
    struct net_response response = {0};
    json_t *answer = NULL;
    struct err parse_err = {0};
    struct net_request request = request_of(client, method, path, headers);
    if (body) {
        request.body = json_text(client->arena, json_own(client->arena, body));
        request.body_len = strlen(request.body);
        headers[request.header_count++] = (struct net_header){"Content-Type", "application/json"};
    }
    int rc = net_request(client->net, &request, client->arena, &response, err);
    if (rc < 0)
        return err_wrap(err, "%s %s", method, path);
    if (json_parse(client->arena, response.body, response.body_len, &answer, &parse_err) < 0 || !json_is_true(json_object_get(answer, "success")))
        return error_of(answer, &response, err);
    *data = json_object_get(answer, "data");
    return 0;
}

struct follow {
    client_event_fn *fn;
    void *arg;
    struct arena *arena;
    struct sse_reader *reader;
    char last_id[32];
    bool has_ended, had_event;
    int rc;
};

static int on_event(const struct sse_event *event, void *arg) {
    struct follow *follow = arg;
    json_t *data = NULL;
    struct err err = {0};
    str_copy(follow->last_id, sizeof follow->last_id, event->id);
    follow->had_event = true;
    arena_reset(follow->arena);
    if (json_parse(follow->arena, event->data, strlen(event->data), &data, &err) < 0)
        return 0;
    follow->has_ended = str_eq(event->type, "RUN_COMPLETED");
    return follow->fn(event->type, data, follow->arg);
}

static int on_body(const char *data, size_t len, void *arg) {
    struct follow *follow = arg;
    struct err err = {0};
    follow->rc = sse_reader_feed(follow->reader, data, len, &err);
    return follow->rc;
}

int client_follow(struct client *client, const char *path, client_event_fn *fn, void *arg, struct err *err) {
    struct follow follow = {.fn = fn, .arg = arg, .arena = arena_create()};
    int rc = 0, reconnects = 0;
    while (!follow.has_ended && rc == 0) {
        struct net_header headers[4];
        struct net_response response = {0};
        struct net_request request = request_of(client, "GET", path, headers);
        if (follow.last_id[0])
            headers[request.header_count++] = (struct net_header){"Last-Event-ID", follow.last_id};
        request.total_timeout_ms = FOLLOW_TIMEOUT_MS;
        request.on_body = on_body;
        request.on_body_arg = &follow;
        follow.reader = sse_reader_create(on_event, &follow, 1 << 20);
        follow.had_event = false;
        rc = net_request(client->net, &request, client->arena, &response, err);
        sse_reader_destroy(follow.reader);
        if (rc == 0 && response.status == 204)
            break; /* ended, and we have all of it */
        if (rc == 0 && response.status != 200)
            rc = err_set(err, ERR_UNAVAILABLE, "the event stream answered %d", response.status);
        reconnects = follow.had_event ? 0 : reconnects + 1;
        if (rc == -ERR_UNAVAILABLE && reconnects < RECONNECTS_MAX)
            rc = 0; /* the connection broke: go on from where we stood */
        if (follow.rc != 0)
            rc = err_set(err, ERR_CANCELLED, "stopped");
    }
    arena_destroy(follow.arena);
    return rc;
}

static int write_all(const char *data, size_t len, void *arg) {
    const int *fd = arg;
    while (len > 0) {
        ssize_t n = write(*fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

int client_download(struct client *client, const char *path, const char *file, struct err *err) {
    struct net_header headers[4];
    struct net_response response = {0};
    struct net_request request = request_of(client, "GET", path, headers);
    CLEANUP(mem_closep) int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return err_errno(err, ERR_UNAVAILABLE, errno, "cannot write %s", file);
    request.on_body = write_all;
    request.on_body_arg = &fd;
    request.max_body_bytes = SIZE_MAX;
    int rc = net_request(client->net, &request, client->arena, &response, err);
    if (rc == 0 && response.status != 200)
        return err_set(err, ERR_UNAVAILABLE, "the download answered %d", response.status);
    return rc;
}
