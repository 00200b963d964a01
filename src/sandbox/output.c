/* output: what a command writes, kept within bounds: its beginning, its end, and how much lay between. */
#include "sandbox/output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

enum { READ_BYTES = 64 << 10, UTF8_LONGEST = 4 };

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

void output_init(struct output *output, size_t head_max, size_t ring_max) {
    *output = (struct output){.head_max = head_max, .ring_max = ring_max ? ring_max : 1};
}

void output_watch(struct output *output, size_t line_max, void (*on_line)(const char *line, size_t len, void *arg),
                  void *arg) {
    output->line_max = line_max;
    output->on_line = on_line;
    output->on_line_arg = arg;
}

void output_release(struct output *output) {
    buf_release(&output->head);
    buf_release(&output->line);
    free(output->ring);
    *output = (struct output){0};
}

static void ring_put(struct output *output, const char *data, size_t len) {
    if (len > output->ring_max) {
        data += len - output->ring_max;
        len = output->ring_max;
    }
    if (len == 0)
        return;
    if (!output->ring)
        output->ring = mem_alloc(output->ring_max);
    size_t first = smaller(len, output->ring_max - output->ring_at);
    memcpy(output->ring + output->ring_at, data, first);
    memcpy(output->ring, data + first, len - first);
    output->ring_at = (output->ring_at + len) % output->ring_max;
    output->ring_len = smaller(output->ring_len + len, output->ring_max);
}

static void line_end(struct output *output) {
    size_t len = output->line.len;
    if (len && output->line.data[len - 1] == '\r')
        len--;
    output->on_line(len ? output->line.data : "", len, output->on_line_arg);
    buf_reset(&output->line);
}

static void line_put(struct output *output, const char *data, size_t len) {
    while (len) {
        const char *newline = memchr(data, '\n', len);
        size_t part = newline ? (size_t)(newline - data) : len;
        buf_put(&output->line, data, smaller(part, output->line_max - output->line.len));
        if (newline) {
            line_end(output);
            part++;
        }
        data += part;
        len -= part;
    }
}

void output_put(struct output *output, const char *data, size_t len) {
    output->total_bytes += (int64_t)len;
    if (output->on_line)
        line_put(output, data, len);
    size_t first = smaller(len, output->head_max - output->head.len);
    buf_put(&output->head, data, first);
    ring_put(output, data + first, len - first);
}

void output_end(struct output *output) {
    if (output->on_line && output->line.len)
        line_end(output);
}

static bool is_continuation(char byte) {
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Without a character at the end that the cut went through. */
static size_t whole_head(const char *data, size_t len) {
    size_t back = 0;
    while (back < len && back < UTF8_LONGEST - 1 && is_continuation(data[len - 1 - back]))
        back++;
    if (back == len)
        return len;
    unsigned char lead = (unsigned char)data[len - 1 - back];
    size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    return size > back + 1 ? len - 1 - back : len;
}

static size_t broken_at_start(const char *data, size_t len) {
    size_t at = 0;
    while (at < len && at < UTF8_LONGEST - 1 && is_continuation(data[at]))
        at++;
    return at;
}

const char *output_text(const struct output *output, struct arena *arena, size_t *len) {
    size_t head_len = output->head.len;
    size_t tail_len = output->ring_len;
    char note[80] = "";
    CLEANUP(mem_freep) char *tail = mem_alloc(tail_len + 1);
    const char *tail_at = tail;
    size_t start = (output->ring_at + output->ring_max - tail_len) % output->ring_max;
    for (size_t done = 0, part; done < tail_len; done += part) {
        size_t from = (start + done) % output->ring_max;
        part = smaller(tail_len - done, output->ring_max - from);
        memcpy(tail + done, output->ring + from, part);
    }
    if ((uint64_t)output->total_bytes > head_len + tail_len) {
        head_len = whole_head(output->head.data, head_len);
        size_t broken = broken_at_start(tail, tail_len);
        tail_at += broken;
        tail_len -= broken;
        bool is_line_open = head_len && output->head.data[head_len - 1] != '\n';
        (void)snprintf(note, sizeof(note), "%s[... %" PRId64 " bytes cut ...]\n", is_line_open ? "\n" : "",
                       output->total_bytes - (int64_t)(head_len + tail_len));
    }
    size_t note_len = strlen(note);
    char *text = arena_alloc(arena, head_len + note_len + tail_len + 1);
    if (head_len)
        memcpy(text, output->head.data, head_len);
    memcpy(text + head_len, note, note_len);
    memcpy(text + head_len + note_len, tail_at, tail_len);
    *len = head_len + note_len + tail_len;
    return text;
}

enum output_read output_read(struct output *output, int fd, size_t max_bytes) {
    char data[READ_BYTES];
    for (size_t done = 0; done < max_bytes;) {
        ssize_t len = read(fd, data, smaller(sizeof(data), max_bytes - done));
        if (len < 0 && errno == EINTR)
            continue;
        if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return OUTPUT_LATER;
        if (len <= 0)
            return OUTPUT_ENDED;
        output_put(output, data, (size_t)len);
        done += (size_t)len;
    }
    return OUTPUT_MORE;
}
