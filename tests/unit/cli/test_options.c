/* options: from the command line, the environment and the defaults, in this order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/options.h"

static struct arena *arena;
static struct options options;
static struct err err;

static int set_up(void **state) {
    arena = arena_create();
    err = (struct err){0};
    return 0;
}

static int tear_down(void **state) {
    arena_destroy(arena);
    return 0;
}

/* Arguments as words with blanks between. */
static int parse(unsigned command, const char *line) {
    char **args;
    size_t count;
    str_split(arena, line, " ", &args, &count);
    return options_parse(&options, command, args, (int)count, arena, &err);
}

#define assert_value(id, expected) assert_string_equal(options.values[id], expected)

static void defaults_are_there(void **state) {
    assert_int_equal(parse(FOR_SERVE, ""), 0);
    assert_value(OPTION_DATA, "./data");
    assert_value(OPTION_LISTEN, "127.0.0.1:3001");
    assert_null(options.values[OPTION_WORKERS]);
    assert_int_equal(option_int(&options, OPTION_GRACE), 10);
    assert_false(option_flag(&options, OPTION_YES));
    assert_int_equal(options.word_count, 0);
}

static void values_come_in_two_forms(void **state) {
    assert_int_equal(parse(FOR_SERVE, "--data /x --listen=:0 --workers 3 --grace=0"), 0);
    assert_value(OPTION_DATA, "/x");
    assert_value(OPTION_LISTEN, ":0");
    assert_int_equal(option_int(&options, OPTION_WORKERS), 3);
    assert_int_equal(option_int(&options, OPTION_GRACE), 0);
    assert_int_equal(parse(FOR_SERVE, "--data /x --data /y"), 0);
    assert_value(OPTION_DATA, "/y"); /* the last one counts */
}

static void flags_need_no_value(void **state) {
    assert_int_equal(parse(FOR_BUILD, "--yes word --keep=off"), 0);
    assert_true(option_flag(&options, OPTION_YES));
    assert_false(option_flag(&options, OPTION_KEEP));
    assert_int_equal(options.word_count, 1);
    assert_string_equal(options.words[0], "word");
}

static void words_may_look_like_options(void **state) {
    assert_int_equal(parse(FOR_BUILD, "--yes -- --data x"), 0);
    assert_int_equal(options.word_count, 2);
    assert_string_equal(options.words[0], "--data");
    assert_value(OPTION_DATA, "./data");
    assert_int_equal(parse(FOR_BUILD, "a --help"), 0);
    assert_true(options.wants_help);
    assert_int_equal(parse(FOR_BUILD, "-h"), 0);
    assert_true(options.wants_help);
}

static void the_environment_comes_second(void **state) {
    setenv("PRAZIUM_DATA", "/env", 1);
    setenv("PRAZIUM_LOG_LEVEL", "debug", 1);
    setenv("PRAZIUM_WORKERS", "", 1); /* empty: not set */
    assert_int_equal(parse(FOR_SERVE, ""), 0);
    assert_value(OPTION_DATA, "/env");
    assert_value(OPTION_LOG_LEVEL, "debug");
    assert_null(options.values[OPTION_WORKERS]);
    assert_int_equal(parse(FOR_SERVE, "--data /arg"), 0);
    assert_value(OPTION_DATA, "/arg");
    setenv("PRAZIUM_WORKERS", "many", 1);
    assert_int_equal(parse(FOR_SERVE, ""), -ERR_VALIDATION);
    assert_string_equal(err.message, "PRAZIUM_WORKERS must be a number from 0 to 64");
    assert_int_equal(parse(FOR_KEY, ""), 0); /* not one of its options */
    unsetenv("PRAZIUM_DATA");
    unsetenv("PRAZIUM_LOG_LEVEL");
    unsetenv("PRAZIUM_WORKERS");
}

static void the_doctor_takes_a_model_without_its_name(void **state) {
    setenv("PRAZIUM_MODEL", "of-the-environment", 1);
    assert_int_equal(parse(FOR_DOCTOR, ""), 0);
    assert_value(OPTION_MODEL, "of-the-environment");
    assert_false(options.is_given[OPTION_MODEL]);
    assert_int_equal(parse(FOR_DOCTOR, "--model --model-provider chat"), 0);
    assert_value(OPTION_MODEL, "of-the-environment");
    assert_value(OPTION_MODEL_PROVIDER, "chat");
    assert_true(options.is_given[OPTION_MODEL]);
    assert_int_equal(parse(FOR_DOCTOR, "--model"), 0);
    assert_true(options.is_given[OPTION_MODEL]);
    assert_int_equal(parse(FOR_DOCTOR, "--model mine"), 0);
    assert_value(OPTION_MODEL, "mine");
    unsetenv("PRAZIUM_MODEL");
    assert_int_equal(parse(FOR_SERVE, "--model"), -ERR_VALIDATION);
    assert_string_equal(err.message, "--model needs a value");
}

static void faults_name_the_option(void **state) {
    static const struct {
        const char *line, *message;
    } rows[] = {
        {"--workers", "--workers needs a value"},
        {"--workers x", "--workers must be a number from 0 to 64"},
        {"--workers 65", "--workers must be a number from 0 to 64"},
        {"--data=", "--data must not be empty"},
        {"--log-format=xml", "--log-format must be one of text|json"},
        {"--log-format=tex", "--log-format must be one of text|json"},
        {"--log-format=text|json", "--log-format must be one of text|json"},
        {"--nothing", "there is no option --nothing here; --help lists them"},
        {"--yes", "there is no option --yes here; --help lists them"},
        {"--dat x", "there is no option --dat here; --help lists them"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(parse(FOR_SERVE, rows[i].line), -ERR_VALIDATION);
        assert_string_equal(err.message, rows[i].message);
    }
    assert_int_equal(parse(FOR_BUILD, "--yes=perhaps"), -ERR_VALIDATION);
    assert_string_equal(err.message, "--yes must be on or off");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults_are_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(values_come_in_two_forms, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flags_need_no_value, set_up, tear_down),
        cmocka_unit_test_setup_teardown(words_may_look_like_options, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_environment_comes_second, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_doctor_takes_a_model_without_its_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(faults_name_the_option, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
