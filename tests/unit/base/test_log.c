/* Tests of base/log: what is written to stderr. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

enum { MOST_OUTPUT = 1024 * 1024 };

static char output[MOST_OUTPUT];
static int saved_stderr = -1;
static FILE *capture;

static int begin(void **state) {
    capture = tmpfile();
    saved_stderr = dup(STDERR_FILENO);
    return dup2(fileno(capture), STDERR_FILENO) < 0;
}

/* What was written since begin. */
static const char *end(void) {
    dup2(saved_stderr, STDERR_FILENO);
    mem_closep(&saved_stderr);
    ssize_t len = pread(fileno(capture), output, sizeof(output) - 1, 0);
    output[len > 0 ? len : 0] = '\0';
    fclose(capture);
    capture = NULL;
    return output;
}

static int tear_down(void **state) {
    if (capture)
        (void)end();
    log_set_json(false);
    log_set_level(LOG_INFO);
    return 0;
}

/* Without the time at the start, which is checked to be one. */
static const char *without_time(const char *line) {
    char time[CLOCK_ISO_LEN];
    int64_t ms;
    str_copy(time, sizeof(time), line);
    assert_true(clock_parse_iso(time, &ms));
    return line + CLOCK_ISO_LEN;
}

static void writes_pairs(void **state) {
    log_event(LOG_INFO, "run ended", "run", "run_1", "status", "succeeded", "gone", NULL, "n", "3", NULL);
    assert_string_equal(without_time(end()), "info  run ended run=run_1 status=succeeded n=3\n");
}

static void quotes_and_escapes(void **state) {
    log_event(LOG_ERROR, "bad\nline", "a", "two words", "b", "", "c", "x\"y\\z", "d", "line\n\ttab\x1b[31m", "e",
              "\xc2\x9b"
              "31m",
              "f", "\xff", "g", "é", "h", "k=v", "i", "\x7f", NULL);
    assert_string_equal(without_time(end()),
                        "error bad\\nline a=\"two words\" b=\"\" c=\"x\\\"y\\\\z\" d=\"line\\n\\ttab\\x1b[31m\" "
                        "e=\"\\xc2\\x9b31m\" f=\"\\xff\" g=é h=\"k=v\" i=\"\\x7f\"\n");
}

static void leaves_out_lower_levels(void **state) {
    log_event(LOG_DEBUG, "no", NULL);
    log_set_level(LOG_ERROR);
    log_event(LOG_WARN, "no", NULL);
    log_event(LOG_ERROR, "yes", NULL);
    log_set_level(LOG_DEBUG);
    log_event(LOG_DEBUG, "yes", NULL);
    const char *text = end();
    assert_null(strstr(text, "no"));
    assert_non_null(strstr(text, "error yes\n"));
    assert_non_null(strstr(text, "debug yes\n"));
}

static void writes_json(void **state) {
    log_set_json(true);
    log_event(LOG_WARN, "a \"b\"", "key", "v\x1b\xff", NULL);
    const char *text = end();
    struct arena *arena = arena_create();
    json_t *json = NULL;
    struct err err = {0};
    assert_int_equal(text[strlen(text) - 1], '\n');
    assert_int_equal(json_parse(arena, text, strlen(text), &json, &err), 0);
    assert_string_equal(json_str(json, "level", ""), "warn");
    assert_string_equal(json_str(json, "message", ""), "a \"b\"");
    assert_string_equal(json_str(json, "key", ""), "v\x1b\ufffd");
    int64_t ms;
    assert_true(clock_parse_iso(json_str(json, "time", ""), &ms));
    arena_destroy(arena);
}

static void cuts_long_values_between_characters(void **state) {
    CLEANUP(mem_freep) char *value = mem_alloc(20001);
    for (int i = 0; i < 20000; i += 2)
        memcpy(value + i, "é", 2);
    value[0] = value[1] = 'x';
    memmove(value + 1, value + 2, 19998); /* now characters lie at odd offsets */
    log_event(LOG_INFO, "m", "v", value, NULL);
    const char *text = end();
    size_t len = strlen(text);
    assert_true(len > 8000 && len < 8300);
    assert_true(str_is_utf8(text, len));
    assert_null(strstr(text, "\\x"));
}

static void *write_many(void *arg) {
    for (int i = 0; i < 200; i++)
        log_event(LOG_INFO, "event", "thread", arg, "text", "some words that are long enough to be torn apart", NULL);
    return NULL;
}

static void threads_write_whole_lines(void **state) {
    static const char *const names[] = {"1", "2", "3", "4"};
    pthread_t threads[ARRAY_LEN(names)];
    /* As a pipe or terminal would: each write goes to the end. */
    fcntl(STDERR_FILENO, F_SETFL, O_APPEND);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, (void *)(uintptr_t)names[i]), 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        pthread_join(threads[i], NULL);
    int lines = 0;
    for (const char *at = end(); *at; at = strchr(at, '\n') + 1, lines++) {
        const char *rest = without_time(at);
        assert_true(str_starts(rest, "info  event thread="));
        assert_true(str_starts(rest + 20, " text=\"some words that are long enough to be torn apart\"\n"));
    }
    assert_int_equal(lines, 800);
}

static void reads_level_names(void **state) {
    enum log_level level = LOG_INFO;
    assert_true(log_level_parse("debug", &level));
    assert_int_equal(level, LOG_DEBUG);
    assert_true(log_level_parse("error", &level));
    assert_false(log_level_parse("loud", &level));
    assert_false(log_level_parse(NULL, &level));
    assert_int_equal(level, LOG_ERROR);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_pairs, begin, tear_down),
        cmocka_unit_test_setup_teardown(quotes_and_escapes, begin, tear_down),
        cmocka_unit_test_setup_teardown(leaves_out_lower_levels, begin, tear_down),
        cmocka_unit_test_setup_teardown(writes_json, begin, tear_down),
        cmocka_unit_test_setup_teardown(cuts_long_values_between_characters, begin, tear_down),
        cmocka_unit_test_setup_teardown(threads_write_whole_lines, begin, tear_down),
        cmocka_unit_test(reads_level_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
