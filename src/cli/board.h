/* board: a run as it goes, on the terminal: a line a task, a progress bar, a line a check. */
#ifndef CLI_BOARD_H
#define CLI_BOARD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/id.h"

#define BOARD_TASKS_MAX 64

struct board_task {
    char id[ID_LEN]; /* once it began */
    char slug[64];
    const char *state; /* "pending", "running", … a constant */
    int64_t began_ms, ended_ms;
    int files;
};

struct board {
    bool is_terminal; /* redrawn in place; otherwise a line an event */
    bool has_colour;
    int drawn_lines; /* to go back over */
    int64_t drawn_ms;
    struct board_task tasks[BOARD_TASKS_MAX];
    int count;
    bool is_frozen; /* the tasks are done: checks follow below */
};

void board_init(struct board *board);
/* Takes one event of the stream. */
void board_event(struct board *board, const char *type, const json_t *data);
/* Redraws elapsed times; cheap to call often. */
void board_tick(struct board *board);

/* Colours for other lines; "" without a terminal. */
const char *board_green(const struct board *board);
const char *board_red(const struct board *board);
const char *board_dim(const struct board *board);
const char *board_bold(const struct board *board);
const char *board_plain(const struct board *board);

#endif
