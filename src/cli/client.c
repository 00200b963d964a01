/* client: calls of the API from the terminal. */
#include "cli/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define CALL_TIMEOUT_MS (5 * 60 * 1000)
#define FOLLOW_TIMEOUT_MS (INT64_C(24) * 3600 * 1000)
#define RECONNECTS_MAX 30 /* without an event in between */
#define RECONNECT_MS 500
#define LOOK_MS 50

static struct net_request request_of(struct client *client, const char *method, const char *path,
                                     struct net_header headers[4]) {
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
    return err_set(err, ERR_INTERNAL, "the server answered %d: %.200s", response->status,
                   json_str(error, "message", response->body));
}

int client_call(struct client *client, const char *method, const char *path, json_t *body, json_t **data,
                struct err *err) {
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
    if (json_parse(client->arena, response.body, response.body_len, &answer, &parse_err) < 0 ||
        !json_is_true(json_object_get(answer, "success")))
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

/* Before the next try. ERR_CANCELLED when asked to stop meanwhile. */
static int rest(const struct client *client, struct err *err) {
    for (int waited_ms = 0; waited_ms < RECONNECT_MS; waited_ms += LOOK_MS) {
        if (client->is_cancelled && client->is_cancelled(client->cancel_arg))
            return err_set(err, ERR_CANCELLED, "stopped");
        poll(NULL, 0, LOOK_MS); /* nobody tells when a server is back */
    }
    return 0;
}

/* One connection, read until it ends. ERR_UNAVAILABLE when another may go on where this one stood. */
static int follow_once(struct client *client, const char *path, struct follow *follow, struct err *err) {
    struct net_header headers[4];
    struct net_response response = {0};
    struct net_request request = request_of(client, "GET", path, headers);
    if (follow->last_id[0])
        headers[request.header_count++] = (struct net_header){"Last-Event-ID", follow->last_id};
    request.total_timeout_ms = FOLLOW_TIMEOUT_MS;
    request.on_body = on_body;
    request.on_body_arg = follow;
    follow->reader = sse_reader_create(on_event, follow, 1 << 20);
    follow->had_event = false;
    int rc = net_request(client->net, &request, client->arena, &response, err);
    sse_reader_destroy(follow->reader);
    if (follow->rc != 0)
        return err_set(err, ERR_CANCELLED, "stopped");
    if (rc < 0 || follow->has_ended)
        return rc;
    if (response.status == 204) {
        follow->has_ended = true; /* and we have all of it */
        return 0;
    }
    if (response.status >= 400 && response.status < 500)
        return err_set(err,
                       response.status == 401   ? ERR_UNAUTHORIZED
                       : response.status == 404 ? ERR_NOT_FOUND
                                                : ERR_INTERNAL,
                       "the event stream answered %d", response.status);
    if (response.status != 200)
        return err_set(err, ERR_UNAVAILABLE, "the event stream answered %d", response.status);
    return err_set(err, ERR_UNAVAILABLE, "the event stream ended before the run did");
}

int client_follow(struct client *client, const char *path, client_event_fn *fn, void *arg, struct err *err) {
    struct follow follow = {.fn = fn, .arg = arg, .arena = arena_create()};
    int rc = 0, reconnects = 0;
    while (!follow.has_ended && rc == 0) {
        rc = follow_once(client, path, &follow, err);
        reconnects = follow.had_event ? 0 : reconnects + 1;
        if (rc == -ERR_UNAVAILABLE && reconnects < RECONNECTS_MAX)
            rc = rest(client, err);
    }
    arena_destroy(follow.arena);
    return rc;
}

/* Where a download goes, and what keeps it from going there. */
struct sink {
    int fd;
    int errnum;
};

static int write_all(const char *data, size_t len, void *arg) {
    struct sink *sink = arg;
    while (len > 0) {
        ssize_t n = write(sink->fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            sink->errnum = errno;
            return -1;
        }
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

/* The file is there when all of it is. */
int client_download(struct client *client, const char *path, const char *file, struct err *err) {
    struct net_header headers[4];
    struct net_response response = {0};
    struct net_request request = request_of(client, "GET", path, headers);
    const char *part = arena_printf(client->arena, "%s.part", file);
    struct sink sink = {.fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)};
    if (sink.fd < 0)
        return err_errno(err, ERR_UNAVAILABLE, errno, "cannot write %s", part);
    request.on_body = write_all;
    request.on_body_arg = &sink;
    request.max_body_bytes = SIZE_MAX;
    int rc = net_request(client->net, &request, client->arena, &response, err);
    if (close(sink.fd) < 0 && sink.errnum == 0)
        sink.errnum = errno;
    if (sink.errnum != 0)
        rc = err_errno(err, ERR_UNAVAILABLE, sink.errnum, "cannot write %s", part);
    else if (rc == 0 && response.status != 200)
        rc = err_set(err, ERR_UNAVAILABLE, "the download answered %d", response.status);
    else if (rc == 0 && rename(part, file) < 0)
        rc = err_errno(err, ERR_UNAVAILABLE, errno, "cannot write %s", file);
    if (rc < 0)
        (void)unlink(part);
    return rc;
}
