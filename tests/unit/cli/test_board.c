/* board: events of a run become lines; on a terminal the same lines in place. */
#include "screen.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/board.h"

static struct arena *arena;
static struct screen screen;

static int set_up(void **state) {
    arena = arena_create();
    return 0;
}

static int tear_down(void **state) {
    arena_destroy(arena);
    return 0;
}

struct told {
    const char *type, *data;
};

static void tell(struct board *board, const struct told *events, size_t count) {
    screen_begin(&screen);
    for (size_t i = 0; i < count; i++) {
        json_t *data = NULL;
        struct err err = {0};
        if (json_parse(arena, events[i].data, strlen(events[i].data), &data, &err) < 0)
            fail_msg("%s", err.message);
        board_event(board, events[i].type, data);
        if (strcmp(events[i].type, "TASK_STARTED") == 0)
            clock_advance_ms(1500);
    }
    screen_end(&screen);
}

static const struct told events[] = {
    {"RUN_STARTED", "{\"status\":\"decomposing\"}"},
    {"RUN_DECOMPOSED",
     "{\"total\":2,\"tasks\":[{\"id\":\"task-001\",\"slug\":\"shell\"},{\"id\":\"task-002\",\"slug\":\"auth\"}]}"},
    {"TASK_STARTED", "{\"taskId\":\"task_a\",\"slug\":\"shell\"}"},
    {"FILE_CREATED", "{\"taskId\":\"task_a\",\"path\":\"x\"}"},
    {"FILE_MODIFIED", "{\"taskId\":\"task_a\",\"path\":\"y\"}"},
    {"TASK_COMPLETED", "{\"taskId\":\"task_a\",\"slug\":\"shell\",\"status\":\"succeeded\"}"},
    {"MERGE_CONFLICT", "{\"taskId\":\"task_b\",\"slug\":\"auth\"}"},
    {"TASK_COMPLETED", "{\"taskId\":\"task_b\",\"slug\":\"auth\",\"status\":\"failed\",\"error\":\"too hard\"}"},
    {"TASK_STARTED", "{\"taskId\":\"task_unknown\",\"slug\":\"nobody\"}"},
    {"VERIFICATION_STARTED", "{}"},
    {"CHECK_COMPLETED", "{\"check\":\"build\",\"title\":\"The app builds\",\"status\":\"passed\",\"durationMs\":2500}"},
    {"CHECK_COMPLETED", "{\"check\":\"AC-1\",\"title\":\"It works\",\"status\":\"failed\",\"fault\":\"it does not\"}"},
    {"WHATEVER_COMES", "{}"},
};

static void a_line_an_event_without_a_terminal(void **state) {
    struct board board;
    screen_begin(&screen);
    board_init(&board); /* stdout is a file now */
    screen_end(&screen);
    assert_false(board.is_terminal);
    tell(&board, events, ARRAY_LEN(events));
    assert_non_null(strstr(screen.text, "  2 tasks\n"));
    assert_non_null(strstr(screen.text, "✓ task-001  shell "));
    assert_non_null(strstr(screen.text, "1.5 s  2 files"));
    assert_non_null(strstr(screen.text, "░  1 of 2 tasks\n"));
    assert_non_null(strstr(screen.text, "! a merge conflict in auth\n"));
    assert_non_null(strstr(screen.text, "✗ task-002  auth "));
    assert_non_null(strstr(screen.text, "      too hard\n"));
    assert_non_null(strstr(screen.text, "█  2 of 2 tasks\n"));
    assert_non_null(strstr(screen.text, "\nVerification\n"));
    assert_non_null(strstr(screen.text, "✓ build        The app builds (2.5 s)\n"));
    assert_non_null(strstr(screen.text, "✗ AC-1         It works (0.0 s)\n      it does not\n"));
    assert_null(strchr(screen.text, '\033')); /* no colours, no moves */
}

static void a_terminal_is_redrawn_in_place(void **state) {
    struct board board = {.is_terminal = true, .has_colour = true};
    tell(&board, events, 3);
    const char *second = strstr(screen.text, "\033[3A"); /* two tasks and the bar */
    assert_non_null(second);
    assert_non_null(strstr(second, "\033[1m● task-001  shell"));
    assert_non_null(strstr(second, "· task-002  auth"));
    screen_begin(&screen);
    board_tick(&board);
    screen_end(&screen);
    assert_string_not_equal(screen.text, ""); /* time passed */
    tell(&board, &events[9], 1);
    screen_begin(&screen);
    clock_advance_ms(1000);
    board_tick(&board);
    screen_end(&screen);
    assert_string_equal(screen.text, ""); /* the tasks are done, checks follow below */
}

static void more_tasks_than_lines_do_no_harm(void **state) {
    struct board board = {0};
    struct buf data = {0};
    buf_puts(&data, "{\"tasks\":[{\"slug\":\"t0\"}");
    for (int i = 1; i < 80; i++)
        buf_printf(&data, ",{\"slug\":\"t%d\"}", i);
    buf_puts(&data, "]}");
    tell(&board, &(struct told){"RUN_DECOMPOSED", data.data}, 1);
    tell(&board, &(struct told){"TASK_COMPLETED", "{\"taskId\":\"task_x\",\"slug\":\"t79\",\"status\":\"succeeded\"}"},
         1);
    assert_int_equal(board.count, BOARD_TASKS_MAX);
    assert_string_equal(screen.text, "");
    buf_release(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_an_event_without_a_terminal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_terminal_is_redrawn_in_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_tasks_than_lines_do_no_harm, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
