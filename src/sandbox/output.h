/* output: what a command writes, kept within bounds: its beginning, its end, and how much lay between. */
#ifndef SANDBOX_OUTPUT_H
#define SANDBOX_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"

struct output {
    struct buf head;
    size_t head_max;
    char *ring; /* the last bytes after head; allocated when needed */
    size_t ring_max;
    size_t ring_len;
    size_t ring_at; /* where the next byte goes */
    int64_t total_bytes;

    struct buf line; /* the line that is not complete yet */
    size_t line_max;
    void (*on_line)(const char *line, size_t len, void *arg); /* or NULL */
    void *on_line_arg;
};

void output_init(struct output *output, size_t head_max, size_t ring_max);
/* Lines longer than line_max are cut there. */
void output_watch(struct output *output, size_t line_max, void (*on_line)(const char *line, size_t len, void *arg),
                  void *arg);
void output_release(struct output *output);
void output_put(struct output *output, const char *data, size_t len);
/* Hands over a last line that has no newline. */
void output_end(struct output *output);
/* What was kept, NUL-terminated; where something was cut, a line says how many bytes. */
const char *output_text(const struct output *output, struct arena *arena, size_t *len);

/* Reads what is there from a non-blocking pipe, at most max_bytes. */
enum output_read { OUTPUT_MORE, OUTPUT_LATER, OUTPUT_ENDED };
enum output_read output_read(struct output *output, int fd, size_t max_bytes);

#endif
