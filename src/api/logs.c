/* logs: a task's log: as it is now, or as it grows. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/handlers.h"
#include "api/ranged.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "store/runs.h"

#define LOG_TYPE "text/plain; charset=utf-8"
#define PORTION_BYTES 16384
#define LATE_MS 5000 /* after its task has ended a log has its last line */

/* An open answer that grows with the log. */
struct follower {
    struct store *store;
    struct http_stream *http;
    struct bus_subscription *subscription;
    char *path;
    char task_id[ID_LEN], run_id[ID_LEN];
    int64_t offset; /* of what is not sent yet */
};

static void follower_told(const char *topic, int64_t value, void *arg) {
    struct follower *follower = arg;
    http_stream_wake(follower->http);
}

/* Of a task that has ended, and whose log was not closed all the same: a crash came in between. */
static bool is_forgotten(const struct follower *follower) {
    struct arena *arena = arena_create();
    struct task *task = NULL;
    struct db *db = NULL;
    struct err err = {0};
    int rc = store_reader(follower->store, &db, &err);
    if (rc == 0)
        rc = store_task_get(db, arena, follower->task_id, follower->run_id, &task, &err);
    bool is_over =
        rc < 0 || !task || (task_state_is_terminal(task->state) && task->completed_ms + LATE_MS <= clock_now_ms());
    arena_destroy(arena);
    return is_over;
}

/* The file is opened at each look, so that who waits for long holds nothing. */
static enum http_next follower_next(void *arg, struct buf *out) {
    struct follower *follower = arg;
    CLEANUP(mem_closep) int fd = open(follower->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st = {.st_mode = S_IWUSR};
    ssize_t got = 0;
    if (fd < 0 && errno != ENOENT)
        return HTTP_NEXT_END;
    if (fd >= 0 && fstat(fd, &st) < 0)
        return HTTP_NEXT_END;
    /* Whoever closes it has written before: what is read after the look at its mode is all. */
    if (fd >= 0)
        got = pread(fd, buf_reserve(out, PORTION_BYTES), PORTION_BYTES, follower->offset);
    if (got > 0) {
        buf_added(out, (size_t)got);
        follower->offset += got;
        return HTTP_NEXT_DATA;
    }
    bool is_closed = !(st.st_mode & S_IWUSR);
    return got < 0 || is_closed || is_forgotten(follower) ? HTTP_NEXT_END : HTTP_NEXT_IDLE;
}

static void follower_close(void *arg) {
    struct follower *follower = arg;
    if (follower->subscription)
        bus_unsubscribe(follower->subscription);
    http_stream_unref(follower->http);
    mem_freep(&follower->path);
    free(follower);
}

static const struct http_stream_ops follower_ops = {.next = follower_next, .on_close = follower_close};

static void follow(struct api_call *call, const struct task *task, const char *path, int64_t offset) {
    struct follower *follower = mem_alloc(sizeof *follower);
    struct err err = {0};
    char topic[ID_LEN + 8];
    follower->store = engine_store(call->engine);
    follower->path = mem_strdup(path);
    follower->offset = offset;
    str_copy(follower->task_id, sizeof follower->task_id, task->id);
    str_copy(follower->run_id, sizeof follower->run_id, task->run_id);
    http_reply_header(call->reply, "X-Accel-Buffering", "no");
    follower->http = http_reply_stream(call->reply, LOG_TYPE, &follower_ops, follower);
    /* Should it fail, the ticks still move it on. */
    snprintf(topic, sizeof topic, "log:%s", task->id);
    (void)!bus_subscribe(engine_bus(call->engine), topic, follower_told, follower, &follower->subscription, &err);
}

/* A log only grows: its size says which bytes it has. */
static int reply_log(struct api_call *call, const char *path, struct err *err) {
    struct stat st = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno != ENOENT)
        return err_errno(err, ERR_INTERNAL, errno, "cannot open %s", path);
    if (fd >= 0 && fstat(fd, &st) < 0) {
        int rc = err_errno(err, ERR_INTERNAL, errno, "cannot look at %s", path);
        (void)close(fd);
        return rc;
    }
    return reply_ranged(
        call, fd,
        &(struct ranged){.content_type = LOG_TYPE,
                         .etag = arena_printf(call->arena, "\"%llx-%llx\"", (unsigned long long)st.st_ino,
                                              (unsigned long long)st.st_size),
                         .what = "log",
                         .size_bytes = st.st_size},
        err);
}

int task_log_get(struct api_call *call, struct err *err) {
    struct task *task = NULL;
    bool is_followed = call_query_flag(call, "follow");
    int rc = call_task(call, &task, err);
    if (rc == 0 && call_query(call, "offset") && !is_followed)
        call_fault(call, "offset", "offset goes with follow=true; for a part of the log send the header Range");
    if (rc == 0)
        rc = call_check(call, err);
    if (rc < 0)
        return rc;
    const char *path = engine_task_log_path(call->engine, task, call->arena);
    if (!is_followed)
        return reply_log(call, path, err);
    follow(call, task, path, call_query_int(call, "offset"));
    return 0;
}
