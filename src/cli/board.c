/* board: a run as it goes, on the terminal. */
#include "cli/board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"

#define REDRAW_MS 100
#define BAR_CELLS 28

static const char *const states[] = {"pending", "running", "succeeded", "failed", "cancelled", "skipped"};

void board_init(struct board *board) {
    *board = (struct board){.is_terminal = isatty(STDOUT_FILENO)};
    board->has_colour = board->is_terminal && !getenv("NO_COLOR");
}

const char *board_green(const struct board *board) {
    return board->has_colour ? "\033[32m" : "";
}

const char *board_red(const struct board *board) {
    return board->has_colour ? "\033[31m" : "";
}

const char *board_dim(const struct board *board) {
    return board->has_colour ? "\033[2m" : "";
}

const char *board_bold(const struct board *board) {
    return board->has_colour ? "\033[1m" : "";
}

const char *board_plain(const struct board *board) {
    return board->has_colour ? "\033[0m" : "";
}

static const char *mark_of(const char *state) {
    if (str_eq(state, "succeeded"))
        return "✓";
    if (str_eq(state, "running"))
        return "●";
    if (str_eq(state, "pending"))
        return "·";
    return str_eq(state, "failed") ? "✗" : "–";
}

static const char *colour_of(const struct board *board, const char *state) {
    if (str_eq(state, "succeeded"))
        return board_green(board);
    if (str_eq(state, "failed"))
        return board_red(board);
    return str_eq(state, "running") ? board_bold(board) : board_dim(board);
}

static void print_task(const struct board *board, int i) {
    const struct board_task *task = &board->tasks[i];
    char elapsed[24] = "", files[24] = "";
    if (task->began_ms)
        snprintf(elapsed, sizeof elapsed, "%.1f s",
                 (double)((task->ended_ms ? task->ended_ms : clock_mono_ms()) - task->began_ms) / 1000.0);
    if (task->files)
        snprintf(files, sizeof files, "%d file%s", task->files, task->files == 1 ? "" : "s");
    printf("  %s%s task-%03d  %-34.34s %-10s %8s  %-10s%s", colour_of(board, task->state), mark_of(task->state), i + 1,
           task->slug, task->state, elapsed, files, board_plain(board));
}

static void print_bar(const struct board *board) {
    int done = 0;
    for (int i = 0; i < board->count; i++)
        done += !str_eq(board->tasks[i].state, "pending") && !str_eq(board->tasks[i].state, "running");
    int cells = board->count ? done * BAR_CELLS / board->count : 0;
    printf("  ");
    for (int i = 0; i < BAR_CELLS; i++)
        printf("%s", i < cells ? "█" : "░");
    printf("  %d of %d tasks", done, board->count);
}

static void draw(struct board *board) {
    if (!board->is_terminal || board->is_frozen || board->count == 0)
        return;
    if (board->drawn_lines > 0)
        printf("\033[%dA", board->drawn_lines);
    for (int i = 0; i < board->count; i++) {
        printf("\r\033[K");
        print_task(board, i);
        printf("\n");
    }
    printf("\r\033[K");
    print_bar(board);
    printf("\n");
    fflush(stdout);
    board->drawn_lines = board->count + 1;
    board->drawn_ms = clock_mono_ms();
}

void board_tick(struct board *board) {
    if (clock_mono_ms() - board->drawn_ms >= REDRAW_MS)
        draw(board);
}

static struct board_task *task_of(struct board *board, const json_t *data) {
    const char *id = json_str(data, "taskId", ""), *slug = json_str(data, "slug", NULL);
    for (int i = 0; i < board->count; i++) {
        struct board_task *task = &board->tasks[i];
        if (str_eq(task->id, id) || (slug && !task->id[0] && str_eq(task->slug, slug))) {
            str_copy(task->id, sizeof task->id, id);
            return task;
        }
    }
    return NULL;
}

static void on_decomposed(struct board *board, const json_t *data) {
    size_t i;
    json_t *entry;
    json_array_foreach (json_object_get(data, "tasks"), i, entry) {
        if (board->count == BOARD_TASKS_MAX)
            break;
        struct board_task *task = &board->tasks[board->count++];
        str_copy(task->slug, sizeof task->slug, json_str(entry, "slug", ""));
        task->state = "pending";
    }
    if (!board->is_terminal)
        printf("  %d tasks\n", board->count);
}

static void on_completed(struct board *board, struct board_task *task, const json_t *data) {
    const char *state = json_str(data, "status", "");
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (str_eq(state, states[i]))
            task->state = states[i];
    task->ended_ms = clock_mono_ms();
    if (!board->is_terminal) {
        print_task(board, (int)(task - board->tasks));
        printf("\n");
        print_bar(board);
        printf("\n");
    }
    if (json_str(data, "error", NULL) && !board->is_terminal)
        printf("      %s\n", json_str(data, "error", ""));
}

static void on_check(struct board *board, const json_t *data) {
    const char *status = json_str(data, "status", "");
    bool passed = str_eq(status, "passed");
    board->is_frozen = true;
    printf("  %s%s%s %-12s %s %s(%.1f s)%s\n", passed ? board_green(board) : board_red(board), passed ? "✓" : "✗",
           board_plain(board), json_str(data, "check", ""), json_str(data, "title", ""), board_dim(board),
           (double)json_int(data, "durationMs", 0) / 1000.0, board_plain(board));
    if (!passed)
        printf("      %s\n", json_str(data, "fault", status));
}

void board_event(struct board *board, const char *type, const json_t *data) {
    struct board_task *task = str_starts(type, "TASK_") || str_starts(type, "FILE_") ? task_of(board, data) : NULL;
    if (str_eq(type, "RUN_DECOMPOSED")) {
        on_decomposed(board, data);
    } else if (str_eq(type, "VERIFICATION_STARTED")) {
        draw(board);
        board->is_frozen = true;
        printf("\n%sVerification%s\n", board_bold(board), board_plain(board));
    } else if (str_eq(type, "CHECK_COMPLETED")) {
        on_check(board, data);
    } else if (str_eq(type, "MERGE_CONFLICT") && !board->is_terminal) {
        printf("  ! a merge conflict in %s\n", json_str(data, "slug", ""));
    } else if (task && str_eq(type, "TASK_STARTED")) {
        task->state = "running";
        task->began_ms = clock_mono_ms();
    } else if (task && str_starts(type, "FILE_")) {
        task->files++;
    } else if (task && str_eq(type, "TASK_COMPLETED")) {
        on_completed(board, task, data);
    }
    if (!str_starts(type, "FILE_"))
        draw(board);
    fflush(stdout);
}
