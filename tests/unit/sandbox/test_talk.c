/* Tests of what a command reads: a text, a conversation; and of its standard error apart. */
#include "support.h"

struct said {
    struct fixture *fixture;
    struct sandbox_talk *talk;
    const char *lines, *errors; /* each with a bar after it */
};

static void begin(struct sandbox_talk *talk, void *arg) {
    ((struct said *)arg)->talk = talk;
}

static void hear(const char *line, size_t len, void *arg) {
    struct said *said = arg;
    said->lines = arena_printf(said->fixture->arena, "%s%.*s|", said->lines, (int)len, line);
}

static void hear_error(const char *line, size_t len, void *arg) {
    struct said *said = arg;
    said->errors = arena_printf(said->fixture->arena, "%s%.*s|", said->errors, (int)len, line);
}

static struct sandbox_result run(struct fixture *fixture, const struct sandbox_spec *spec) {
    struct sandbox_result result;
    if (sandbox_run(spec, fixture->arena, &result, &fixture->err) != 0)
        fail_msg("%s", fixture->err.message);
    return result;
}

static void a_text_is_read(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_spec spec = spec_of(fixture, SHELL("cat; echo end"));
    spec.input = "first\nsecond\n";
    spec.input_len = strlen(spec.input);
    assert_string_equal(run(fixture, &spec).output, "first\nsecond\nend\n");
    spec.input_len = 0;
    assert_string_equal(run(fixture, &spec).output, "end\n");
}

static void a_long_text_that_nobody_reads_does_no_harm(void **state) {
    struct fixture *fixture = *state;
    size_t len = 5 << 20;
    char *text = arena_alloc(fixture->arena, len);
    memset(text, 'x', len);
    struct sandbox_spec spec = spec_of(fixture, SHELL("exec <&-; echo deaf; exit 3"));
    spec.input = text;
    spec.input_len = len;
    struct sandbox_result result = run(fixture, &spec);
    assert_int_equal(result.exit_code, 3);
    assert_string_equal(result.output, "deaf\n");
    spec.argv = SHELL("wc -c");
    assert_string_equal(run(fixture, &spec).output, "5242880\n");
}

static void standard_error_may_be_apart(void **state) {
    struct fixture *fixture = *state;
    struct said said = {.fixture = fixture, .lines = "", .errors = ""};
    struct sandbox_spec spec = spec_of(fixture, SHELL("echo one; read a; echo $a; echo two >&2; echo -n three >&2"));
    spec.input = "good morning\n";
    spec.input_len = strlen(spec.input);
    spec.on_line_arg = &said;
    spec.on_line = hear;
    spec.on_error_line = hear_error;
    struct sandbox_result result = run(fixture, &spec);
    assert_int_equal(result.exit_code, 0);
    assert_string_equal(said.lines, "one|good morning|");
    assert_string_equal(said.errors, "two|three|");
    assert_string_equal(result.output, "one\ngood morning\n");
}

static void hear_and_answer(const char *line, size_t len, void *arg) {
    struct said *said = arg;
    said->lines = arena_printf(said->fixture->arena, "%s%.*s|", said->lines, (int)len, line);
    if (len == 4 && memcmp(line, "done", 4) == 0) {
        sandbox_talk_end(said->talk, 0);
        assert_false(sandbox_talk_send(said->talk, "x", 1));
        return;
    }
    const char *answer = arena_printf(said->fixture->arena, "re: %.*s\n", (int)len, line);
    assert_true(sandbox_talk_send(said->talk, answer, strlen(answer)));
}

static void begin_with_a_word(struct sandbox_talk *talk, void *arg) {
    begin(talk, arg);
    assert_true(sandbox_talk_send(talk, "hello\n", 6));
}

static void whoever_talks_may_end_it(void **state) {
    struct fixture *fixture = *state;
    struct said said = {.fixture = fixture, .lines = "", .errors = ""};
    struct sandbox_spec spec = spec_of(
        fixture, script_of(fixture, "trap '' TERM; read a; echo $a; read b; echo $b; read c; echo done; sleep @"));
    spec.on_talk = begin_with_a_word;
    spec.talk_arg = spec.on_line_arg = &said;
    spec.on_line = hear_and_answer;
    struct sandbox_result result = run(fixture, &spec);
    assert_string_equal(said.lines, "hello|re: hello|done|");
    assert_int_equal(result.end, SANDBOX_ENDED);
    assert_int_equal(result.exit_code, 128 + 9);
    assert_int_equal(count_left(fixture), 0);
}

static void too_much_is_not_sent(struct sandbox_talk *talk, void *arg) {
    struct fixture *fixture = arg;
    size_t len = 3 << 20;
    char *text = arena_alloc(fixture->arena, len);
    assert_true(sandbox_talk_send(talk, text, len));
    assert_false(sandbox_talk_send(talk, text, len));
    sandbox_talk_close(talk);
}

static void what_waits_is_bounded(void **state) {
    struct fixture *fixture = *state;
    struct sandbox_spec spec = spec_of(fixture, SHELL("wc -c"));
    spec.on_talk = too_much_is_not_sent;
    spec.talk_arg = fixture;
    assert_string_equal(run(fixture, &spec).output, "3145728\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_text_is_read, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(a_long_text_that_nobody_reads_does_no_harm, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(standard_error_may_be_apart, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(whoever_talks_may_end_it, fixture_setup, fixture_teardown),
        cmocka_unit_test_setup_teardown(what_waits_is_bounded, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
