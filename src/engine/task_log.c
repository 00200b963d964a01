/* task_log: the files of tasks' logs. */
#include "engine/task_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/visible.h"
#include "engine/context.h"

/* The note needs less than RESERVE_BYTES, and a line less than LINE_MAX_BYTES. A log is full, and has the note, exactly
 * if it is longer than FULL_BYTES: no line that came before the note can fail to fit. */
enum {
    RESERVE_BYTES = 256,
    LINE_MAX_BYTES = TASK_LOG_LINE_BYTES + 256,
    FULL_BYTES = TASK_LOG_MAX_BYTES - RESERVE_BYTES - LINE_MAX_BYTES,
};

static void put_lines(struct buf *out, int64_t time_ms, const char *before, const char *text) {
    char iso[CLOCK_ISO_LEN];
    clock_iso(time_ms, iso);
    while (*text) {
        size_t len = strcspn(text, "\n");
        size_t shown = len > 0 && text[len - 1] == '\r' ? len - 1 : len;
        buf_printf(out, "%s %s", iso, before);
        visible_put(out, text, shown, TASK_LOG_LINE_BYTES, false);
        buf_putc(out, '\n');
        text += len + (text[len] == '\n');
    }
}

static bool is_closed(const struct stat *st) {
    return !(st->st_mode & S_IWUSR);
}

/* -1 in *fd for a log that is closed: whoever was too late has nothing to say. */
static int open_log(struct engine *engine, const char *run_id, const char *task_id, int *fd, struct err *err) {
    CLEANUP(mem_freep) char *folder = mem_printf("%s/logs/%s", engine->data_dir, run_id);
    CLEANUP(mem_freep) char *path = mem_printf("%s/%s.log", folder, task_id);
    int flags = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
    struct stat st;
    *fd = -1;
    if (lstat(path, &st) == 0 && is_closed(&st))
        return 0;
    *fd = open(path, flags, 0600);
    if (*fd < 0 && errno == ENOENT) {
        int rc = fs_mkdirs(folder, 0750, err);
        if (rc < 0)
            return rc;
        *fd = open(path, flags, 0600);
    }
    if (*fd < 0 && errno == EACCES && lstat(path, &st) == 0 && is_closed(&st))
        return 0; /* just now */
    return *fd < 0 ? err_errno(err, ERR_UNAVAILABLE, errno, "cannot open %s", path) : 0;
}

static bool is_torn(int fd, int64_t size) {
    char last = '\n';
    return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

/* The whole lines of text that there is room for. */
static size_t fitting(const struct buf *lines, int64_t room) {
    if ((int64_t)lines->len <= room)
        return lines->len;
    size_t len = room > 0 ? (size_t)room : 0;
    while (len > 0 && lines->data[len - 1] != '\n')
        len--;
    return len;
}

static int append(int fd, const struct buf *lines, bool is_last, struct err *err) {
    CLEANUP(buf_release) struct buf out = {0};
    struct stat st;
    int rc = 0;
    /* One writer at a time, until fd is closed: another's line that is half there is not torn, and what two add
     * together stays within the bound. Nobody holds it for longer than a write. */
    if (flock(fd, LOCK_EX) < 0 || fstat(fd, &st) < 0)
        return err_errno(err, ERR_UNAVAILABLE, errno, "cannot look at it");
    if (is_closed(&st))
        return 0;
    if (st.st_size <= FULL_BYTES) {
        if (is_torn(fd, st.st_size))
            buf_putc(&out, '\n');
        buf_put(&out, lines->data, fitting(lines, TASK_LOG_MAX_BYTES - RESERVE_BYTES - st.st_size - (int64_t)out.len));
        if (st.st_size + (int64_t)out.len > FULL_BYTES) {
            char iso[CLOCK_ISO_LEN];
            buf_printf(&out, "%s the log is full: the rest is left out\n", clock_iso(clock_now_ms(), iso));
        }
        /* Of a write that comes short the next closes the line. */
        errno = ENOSPC;
        if (out.len > 0 && write(fd, out.data, out.len) != (ssize_t)out.len)
            rc = err_errno(err, ERR_UNAVAILABLE, errno, "cannot append to it");
    }
    if (is_last && fchmod(fd, 0400) < 0)
        rc = err_errno(err, ERR_UNAVAILABLE, errno, "cannot close it");
    return rc;
}

static void write_log(struct engine *engine, const char *run_id, const char *task_id, const struct buf *lines,
                      bool is_last) {
    struct err err = {0};
    char topic[ID_LEN + 16];
    CLEANUP(mem_closep) int fd = -1;
    int rc = open_log(engine, run_id, task_id, &fd, &err);
    if (rc == 0 && fd >= 0)
        rc = append(fd, lines, is_last, &err);
    if (rc < 0)
        log_event(LOG_WARN, "cannot write a task's log", "task", task_id, "error", err.message, NULL);
    snprintf(topic, sizeof topic, "log:%s", task_id);
    bus_publish(engine->bus, topic, 0);
}

void task_log_write(struct engine *engine, const struct task *task, const char *before, const char *text) {
    CLEANUP(buf_release) struct buf lines = {0};
    put_lines(&lines, clock_now_ms(), before, text);
    if (lines.len > 0)
        write_log(engine, task->run_id, task->id, &lines, false);
}

void task_notes_add(struct task_notes *notes, struct arena *arena, const struct task *task, int64_t time_ms,
                    const char *text, bool is_last) {
    struct task_note *note = arena_alloc(arena, sizeof *note);
    str_copy(note->run_id, sizeof note->run_id, task->run_id);
    str_copy(note->task_id, sizeof note->task_id, task->id);
    note->time_ms = time_ms;
    note->text = text;
    note->is_last = is_last;
    *(notes->first ? notes->end : &notes->first) = note;
    notes->end = &note->next;
}

void task_notes_write(const struct task_notes *notes, struct engine *engine) {
    CLEANUP(buf_release) struct buf lines = {0};
    for (const struct task_note *note = notes->first; note; note = note->next) {
        put_lines(&lines, note->time_ms, "", note->text);
        /* What follows on the same log goes with it. */
        if (note->next && !note->is_last && str_eq(note->next->task_id, note->task_id))
            continue;
        write_log(engine, note->run_id, note->task_id, &lines, note->is_last);
        buf_reset(&lines);
    }
}
