/* answers: from a file, from the person, from the defaults. */
#include "screen.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/answers.h"

static const char questions[] =
    "[{\"id\":\"q1\",\"question\":\"Who?\",\"type\":\"single_choice\",\"options\":[\"All\",\"Members\"],\"default\":"
    "\"Members\"},"
    "{\"id\":\"q2\",\"question\":\"Which?\",\"type\":\"multiple_choice\",\"options\":[\"Red\",\"Green\",\"Blue\"]},"
    "{\"id\":\"q3\",\"question\":\"Live?\",\"type\":\"boolean\"},"
    "{\"id\":\"q4\",\"question\":\"Columns?\",\"type\":\"text\"},"
    "{\"id\":\"q5\",\"question\":\"Mode?\",\"type\":\"single_choice\",\"options\":[\"A\",\"B\"]}]";

static struct arena *arena;
static struct err err;
static struct screen screen;

static int set_up(void **state) {
    arena = arena_create();
    err = (struct err){0};
    return 0;
}

static int tear_down(void **state) {
    arena_destroy(arena);
    return 0;
}

/* What is sent, as text. */
static const char *take_answers(const char *file, bool asks, const char *typed) {
    json_t *asked = NULL, *answers = NULL;
    assert_int_equal(json_parse(arena, questions, strlen(questions), &asked, &err), 0);
    if (typed)
        type(typed);
    screen_begin(&screen);
    int rc = answers_take(asked, file, asks, arena, &answers, &err);
    screen_end(&screen);
    return rc < 0 ? NULL : json_text(arena, answers);
}

static void without_anybody_the_defaults_count(void **state) {
    assert_string_equal(take_answers(NULL, false, NULL),
                        "[{\"questionId\":\"q1\",\"answer\":\"Members\"},{\"questionId\":\"q2\",\"answer\":[\"Red\"]},"
                        "{\"questionId\":\"q3\",\"answer\":false},{\"questionId\":\"q5\",\"answer\":\"A\"}]");
    assert_non_null(strstr(screen.text, "  q1  Who?\n      → Members\n"));
    assert_non_null(strstr(screen.text, "  q3  Live?\n      → no\n"));
    assert_non_null(strstr(screen.text, "  q4  Columns?\n  q5")); /* nothing to say: left out */
}

static void a_file_wins(void **state) {
    char path[] = "/tmp/prazium-answers-XXXXXX";
    int fd = mkstemp(path);
    static const char text[] = "{\"q1\":\"All\",\"q3\":true,\"q4\":\"To do, Done\"}";
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
    assert_string_equal(take_answers(path, false, NULL),
                        "[{\"questionId\":\"q1\",\"answer\":\"All\"},{\"questionId\":\"q2\",\"answer\":[\"Red\"]},"
                        "{\"questionId\":\"q3\",\"answer\":true},{\"questionId\":\"q4\",\"answer\":\"To do, Done\"},"
                        "{\"questionId\":\"q5\",\"answer\":\"A\"}]");
    fd = open(path, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, "[]", 2), 2);
    (void)close(fd);
    assert_null(take_answers(path, false, NULL));
    assert_non_null(strstr(err.message, "must be an object such as"));
    assert_non_null(strstr(err.message, path));
    (void)unlink(path);
    assert_null(take_answers(path, false, NULL));
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void a_person_is_asked_until_it_is_an_answer(void **state) {
    assert_string_equal(
        take_answers(NULL, true, "3\nall\n1, blue\nmaybe\nYes\nCol\n\n"),
        "[{\"questionId\":\"q1\",\"answer\":\"All\"},{\"questionId\":\"q2\",\"answer\":[\"Red\",\"Blue\"]},"
        "{\"questionId\":\"q3\",\"answer\":true},{\"questionId\":\"q4\",\"answer\":\"Col\"},"
        "{\"questionId\":\"q5\",\"answer\":\"A\"}]");
    assert_non_null(strstr(screen.text, "    1. All\n    2. Members\n    number [\"Members\"]"));
    assert_non_null(strstr(screen.text, "that is no answer to this question"));
}

/* The end of the input answers the rest with the defaults. */
static void who_leaves_takes_the_defaults(void **state) {
    assert_string_equal(take_answers(NULL, true, "1\n"),
                        "[{\"questionId\":\"q1\",\"answer\":\"All\"},{\"questionId\":\"q2\",\"answer\":[\"Red\"]},"
                        "{\"questionId\":\"q3\",\"answer\":false},{\"questionId\":\"q5\",\"answer\":\"A\"}]");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_anybody_the_defaults_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_wins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_person_is_asked_until_it_is_an_answer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_leaves_takes_the_defaults, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
