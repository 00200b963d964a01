/* stream: long-lived replies that are pulled, portion by portion, and woken from any thread. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/internal.h"

enum {
    HTTP10_BLOCK_BYTES = 1024, /* without chunks libmicrohttpd reads into a buffer of its own */
    KEPT_PORTION_BYTES = 64 * 1024,
};

/* All but refs, is_queued and note belong to the loop's thread once the reply is handed over. */
struct http_stream {
    atomic_int refs;
    atomic_bool is_queued; /* note is in the mailbox, with a reference */
    struct note note;
    struct mailbox *mailbox;
    struct list node; /* in the loop's streams, the next to tick first */
    struct http_loop *loop;
    struct http_request *request; /* NULL before it begins */
    const struct http_stream_ops *ops;
    void *arg;
    struct buf rest; /* of a portion larger than libmicrohttpd's buffer */
    int64_t tick_ms;
    bool is_tick_due, is_suspended, is_ending;
};

/* On the loop's thread only: MHD_resume_connection would not wake the loop from elsewhere. */
static void resume(struct http_stream *stream) {
    if (!stream->is_suspended)
        return;
    stream->is_suspended = false;
    stream->loop->suspended--;
    MHD_resume_connection(stream->request->conn->mhd);
}

static void on_wake(struct note *note) {
    struct http_stream *stream = container_of(note, struct http_stream, note);

    /* An exchange, not a store: it takes over what every waker since the last one published. */
    (void)atomic_exchange(&stream->is_queued, false);
    resume(stream);
    http_stream_unref(stream);
}

struct http_stream *stream_create(struct http_loop *loop, const struct http_stream_ops *ops, void *arg) {
    struct http_stream *stream = mem_alloc(sizeof(*stream));

    atomic_init(&stream->refs, 2);
    stream->note.fn = on_wake;
    stream->mailbox = mailbox_ref(loop->mailbox);
    stream->loop = loop;
    stream->ops = ops;
    stream->arg = arg;
    return stream;
}

void http_stream_wake(struct http_stream *stream) {
    if (atomic_exchange(&stream->is_queued, true))
        return;
    (void)http_stream_ref(stream);
    if (!mailbox_put(stream->mailbox, &stream->note))
        http_stream_unref(stream); /* the loop is gone, and is_queued may stay */
}

struct http_stream *http_stream_ref(struct http_stream *stream) {
    (void)atomic_fetch_add(&stream->refs, 1);
    return stream;
}

void http_stream_unref(struct http_stream *stream) {
    if (!stream || atomic_fetch_sub(&stream->refs, 1) != 1)
        return;
    mailbox_unref(stream->mailbox);
    free(stream);
}

static size_t give(struct http_stream *stream, char *out, size_t max, const char *data, size_t len) {
    size_t now = len < max ? len : max;

    memcpy(out, data, now);
    if (now < len) /* data is the loop's portion */
        buf_put(&stream->rest, data + now, len - now);
    return now;
}

static size_t give_rest(struct http_stream *stream, char *out, size_t max) {
    size_t now = stream->rest.len < max ? stream->rest.len : max;

    memcpy(out, stream->rest.data, now);
    buf_consume(&stream->rest, now);
    if (!stream->rest.len)
        buf_release(&stream->rest);
    return now;
}

static void pull(struct http_stream *stream, struct buf *portion) {
    buf_reset(portion);
    switch (stream->ops->next(stream->arg, portion)) {
    case HTTP_NEXT_DATA:
    case HTTP_NEXT_IDLE:
        break;
    case HTTP_NEXT_END:
        stream->is_ending = true;
        break;
    }
    if (!portion->len && !stream->is_ending && stream->is_tick_due && stream->ops->heartbeat)
        buf_puts(portion, stream->ops->heartbeat);
    stream->is_tick_due = false;
}

/* libmicrohttpd asks for the next portion when the one before it is written. */
static ssize_t on_read(void *arg, uint64_t position, char *out, size_t max) {
    struct http_stream *stream = arg;
    struct http_loop *loop = stream->loop;
    size_t given = 0;

    if (stream->request->conn->is_refused)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (stream->rest.len) {
        given = give_rest(stream, out, max);
    } else if (stream->is_ending || loop->is_draining) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        pull(stream, &loop->portion);
        if (loop->portion.len)
            given = give(stream, out, max, loop->portion.data, loop->portion.len);
        if (loop->portion.capacity > KEPT_PORTION_BYTES)
            buf_release(&loop->portion);
    }
    if (given) {
        stream->request->body_sent = position + given;
        return (ssize_t)given;
    }
    if (stream->is_ending)
        return MHD_CONTENT_READER_END_OF_STREAM;
    stream->is_suspended = true;
    loop->suspended++;
    MHD_suspend_connection(stream->request->conn->mhd);
    return 0;
}

struct MHD_Response *stream_begin(struct http_stream *stream, struct http_request *request) {
    struct http_loop *loop = request->loop;

    stream->request = request;
    stream->tick_ms = clock_mono_ms() + loop->server->config.stream_tick_ms;
    list_append(&loop->streams, &stream->node);
    atomic_fetch_add_explicit(&loop->stream_count, 1, memory_order_relaxed);
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, HTTP10_BLOCK_BYTES, on_read, stream, NULL);
}

void stream_finish(struct http_stream *stream) {
    if (stream->node.next) {
        list_remove(&stream->node);
        atomic_fetch_sub_explicit(&stream->loop->stream_count, 1, memory_order_relaxed);
    }
    if (stream->is_suspended) {
        stream->is_suspended = false;
        stream->loop->suspended--;
    }
    buf_release(&stream->rest);
    if (stream->ops->on_close)
        stream->ops->on_close(stream->arg);
    http_stream_unref(stream);
}

void streams_tick(struct http_loop *loop) {
    list_for_each (node, next, &loop->streams) {
        struct http_stream *stream = container_of(node, struct http_stream, node);
        if (stream->tick_ms > loop->now_ms)
            return;
        stream->tick_ms = loop->now_ms + loop->server->config.stream_tick_ms;
        stream->is_tick_due = true;
        list_remove(node);
        list_append(&loop->streams, node);
        /* While suspended libmicrohttpd does not watch the socket. */
        if (stream->is_suspended && conn_has_vanished(stream->request->conn))
            conn_cut(stream->request->conn);
        resume(stream);
    }
}

void streams_end(struct http_loop *loop) {
    list_for_each (node, next, &loop->streams)
        resume(container_of(node, struct http_stream, node));
}
