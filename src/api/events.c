/* events: polling and Server-Sent Events, two writers over one cursor. */
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "api/present.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/runs.h"

#define PORTION 64        /* events read at a time for a stream */
#define RECONNECT_MS 1000 /* what clients are asked to wait */

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

/* An open stream: where it stands, and what wakes it. */
struct cursor {
    struct engine *engine;
    char run_id[ID_LEN];
    int64_t sequence; /* of the last event written */
    bool is_begun;
    struct arena *arena;
    struct http_stream *stream;
    struct bus_subscription *subscription;
};

static void cursor_woken(const char *topic, int64_t value, void *arg) {
    struct cursor *cursor = arg;
    http_stream_wake(cursor->stream);
}

static void write_event(struct buf *out, const struct event *event) {
    buf_printf(out, "id: %lld\nevent: %s\ndata: ", (long long)event->sequence, event_type_name(event->type));
    present_event_data(out, event); /* our JSON has no line breaks */
    buf_puts(out, "\n\n");
}

static enum http_next cursor_next(void *arg, struct buf *out) {
    struct cursor *cursor = arg;
    struct event_query query = {.run_id = cursor->run_id, .after_sequence = cursor->sequence, .limit = PORTION};
    struct event *events = NULL;
    struct db *db = NULL;
    struct err err = {0};
    size_t count = 0;
    arena_reset(cursor->arena);
    int rc = store_reader(engine_store(cursor->engine), &db, &err);
    if (rc == 0)
        rc = store_event_list(db, cursor->arena, &query, &events, &count, &err);
    if (rc < 0)
        return HTTP_NEXT_END; /* the client comes back with Last-Event-ID */
    bool is_first = !cursor->is_begun;
    if (is_first)
        buf_printf(out, "retry: %d\n\n", RECONNECT_MS);
    cursor->is_begun = true;
    for (size_t i = 0; i < count; i++) {
        write_event(out, &events[i]);
        cursor->sequence = events[i].sequence;
        if (events[i].type == EVENT_RUN_COMPLETED)
            return HTTP_NEXT_END;
    }
    return count > 0 || is_first ? HTTP_NEXT_DATA : HTTP_NEXT_IDLE;
}

static void cursor_close(void *arg) {
    struct cursor *cursor = arg;
    if (cursor->subscription)
        bus_unsubscribe(cursor->subscription);
    http_stream_unref(cursor->stream);
    arena_destroy(cursor->arena);
    free(cursor);
}

static const struct http_stream_ops cursor_ops = {.next = cursor_next, .on_close = cursor_close, .heartbeat = ":\n\n"};

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
    struct cursor *cursor = mem_alloc(sizeof *cursor);
    cursor->engine = call->engine;
    cursor->sequence = sequence;
    cursor->arena = arena_create();
    str_copy(cursor->run_id, sizeof cursor->run_id, run->id);
    http_reply_header(call->reply, "X-Accel-Buffering", "no");
    cursor->stream = http_reply_stream(call->reply, "text/event-stream", &cursor_ops, cursor);
    /* From here on the stream owns the cursor. Events committed before the subscription are found by the first read,
     * and those after it wake the stream. Should subscribing fail, the ticks still move it on. */
    struct err bus_err = {0};
    (void)!bus_subscribe(engine_bus(call->engine), arena_printf(call->arena, "run:%s", run->id), cursor_woken, cursor,
                         &cursor->subscription, &bus_err);
    return 0;
}
