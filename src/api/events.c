/* events: polling and Server-Sent Events, two writers over one cursor. */
#include <stdlib.h>
#include <string.h>

#include "api/cursor.h"
#include "api/handlers.h"
#include "api/present.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/runs.h"

#define RECONNECT_MS 1000   /* what clients are asked to wait */
#define PORTION (16 * 1024) /* bytes, and an event more: what a reader that does not read may hold up */

int event_list(struct api_call *call, struct err *err) {
    struct run *run = NULL;
    struct event_query query = {0};
    struct event *events = NULL;
    size_t count = 0;
    struct buf out;
    struct jw jw;
    char task_id[ID_LEN];
    int rc = call_run(call, &run, err);
    if (rc < 0)
        return rc;
    query.run_id = run->id;
    query.limit = call_query_int(call, "limit");
    query.after_sequence = call_query_int(call, "afterSequence");
    if (call_query(call, "after"))
        (void)clock_parse_iso(call_query(call, "after"), &query.after_ms);
    query.has_type = event_type_parse(call_query(call, "type"), &query.type);
    if (call_query(call, "taskId") && id_parse(task_id, call_query(call, "taskId"), "task"))
        query.task_id = task_id;
    rc = store_event_list(call->db, call->arena, &query, &events, &count, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_array(&jw);
    for (size_t i = 0; i < count; i++)
        present_event(&jw, &events[i]);
    jw_array_end(&jw);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}

/* An open stream. */
struct stream {
    struct cursor *cursor;
    struct http_stream *http;
    bool is_begun;
};

static void stream_wake(void *arg) {
    struct stream *stream = arg;
    http_stream_wake(stream->http);
}

static enum http_next stream_next(void *arg, struct buf *out) {
    struct stream *stream = arg;
    const struct feed_event *events;
    struct err err = {0};
    size_t count = 0;
    if (cursor_read(stream->cursor, &events, &count, &err) < 0)
        return HTTP_NEXT_END; /* the client comes back with Last-Event-ID */
    bool is_first = !stream->is_begun;
    if (is_first)
        buf_printf(out, "retry: %d\n\n", RECONNECT_MS);
    stream->is_begun = true;
    for (size_t i = 0; i < count; i++) {
        buf_put(out, events[i].block, events[i].block_len);
        cursor_pass(stream->cursor, &events[i]);
        if (events[i].is_last)
            return HTTP_NEXT_END;
        if (out->len >= PORTION)
            break;
    }
    return count > 0 || is_first ? HTTP_NEXT_DATA : HTTP_NEXT_IDLE;
}

static void stream_close(void *arg) {
    struct stream *stream = arg;
    cursor_close(stream->cursor);
    http_stream_unref(stream->http);
    free(stream);
}

static const struct http_stream_ops stream_ops = {.next = stream_next, .on_close = stream_close, .heartbeat = ":\n\n"};

/* Where to go on from: the header of a reconnecting EventSource, or the query for clients that cannot set it. */
static int64_t last_event_id(struct api_call *call) {
    const char *header = http_request_header(call->request, "Last-Event-ID");
    int64_t sequence = 0;
    if (header && *header) {
        if (!str_to_int(header, 0, INT32_MAX, &sequence))
            call_fault(call, "Last-Event-ID", "Last-Event-ID must be the sequence of an event");
        return sequence;
    }
    if (call_query(call, "lastEventId"))
        return call_query_int(call, "lastEventId");
    return call_query_int(call, "Last-Event-ID");
}

int event_stream(struct api_call *call, struct err *err) {
    struct run *run = NULL;
    int rc = call_run(call, &run, err);
    if (rc < 0)
        return rc;
    int64_t sequence = last_event_id(call);
    rc = call_check(call, err);
    if (rc < 0)
        return rc;
    /* Nothing will ever follow: 204 tells an EventSource to stop coming back. */
    if (run_state_is_terminal(run->state) && sequence >= run->event_count) {
        http_reply_status(call->reply, 204);
        return 0;
    }
    struct stream *stream = mem_alloc(sizeof *stream);
    http_reply_header(call->reply, "X-Accel-Buffering", "no");
    stream->http = http_reply_stream(call->reply, "text/event-stream", &stream_ops, stream);
    stream->cursor = cursor_open(http_request_thread(call->request), engine_bus(call->engine), run->id, sequence,
                                 stream_wake, stream);
    return 0;
}
