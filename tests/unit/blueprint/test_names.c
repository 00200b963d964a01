/* Tests of blueprint/names and literal: naming and escaping. */
#include "fixture.h"

#include "blueprint/names.h"

typedef char *name_fn(struct arena *arena, const char *text);

struct row {
    name_fn *fn;
    const char *given, *expected;
};

static void names(void **state) {
    static const struct row rows[] = {
        {name_snake, "startedAt", "started_at"},
        {name_snake, "time-entries", "time_entries"},
        {name_snake, "a1B2c", "a1_b2c"},
        {name_snake, "someURL", "some_url"},
        {name_snake, "", ""},
        {name_pascal, "Time entry", "TimeEntry"},
        {name_pascal, "time-entries", "TimeEntries"},
        {name_pascal, "API key", "APIKey"},
        {name_pascal, "Café item", "CafItem"},
        {name_pascal, "dueOn", "DueOn"},
        {name_pascal, "日本", ""},
        {name_lower_first, "TimeEntry", "timeEntry"},
        {name_lower_first, "", ""},
        {name_capital, "task", "Task"},
        {name_sentence, "Time entry", "time entry"},
        {name_sentence, "API key", "API key"},
        {name_sentence, "X", "x"},
        {name_sentence, "", ""},
        {name_with_article, "time entry", "a time entry"},
        {name_with_article, "invoice", "an invoice"},
        {name_with_article, "Unit", "a Unit"},
        {name_with_article, "user", "a user"},
        {name_with_article, "umbrella", "an umbrella"},
    };
    struct arena *arena = arena_create();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(rows[i].fn(arena, rows[i].given), rows[i].expected);
    assert_string_equal(name_from_letter("3d-print"), "d-print");
    assert_string_equal(name_from_letter("12"), "");
    assert_true(name_is_taken("class"));
    assert_true(name_is_taken("event"));
    assert_true(name_is_taken("yield"));
    assert_true(name_is_taken("abstract"));
    assert_false(name_is_taken("task"));
    assert_false(name_is_taken(""));
    arena_destroy(arena);
}

static void literals(void **state) {
    static const struct row rows[] = {
        {literal_text, "a\"b\\c", "\"a\\\"b\\\\c\""},
        {literal_text, "line\nnext\ttab\x01", "\"line\\nnext\\ttab\\u0001\""},
        {literal_text, "</script>", "\"<\\/script>\""},
        {literal_text, "a\xe2\x80\xa8z\xe2\x80\xa9", "\"a\\u2028z\\u2029\""},
        {literal_text, "é ${x}`", "\"é ${x}`\""},
        {literal_sql, "O'Brien", "'O''Brien'"},
        {literal_sql, "", "''"},
        {literal_sql, "''", "''''''"},
        {literal_jsx, "Due on", "Due on"},
        {literal_jsx, "A & B", "{\"A & B\"}"},
        {literal_jsx, " x", "{\" x\"}"},
        {literal_jsx, "", "{\"\"}"},
        {literal_jsx, "{x}", "{\"{x}\"}"},
        {literal_jsx, "Grün", "{\"Grün\"}"},
        {literal_attr, "Due on", "\"Due on\""},
        {literal_attr, "it's", "\"it's\""},
        {literal_attr, "a \"b\"", "{\"a \\\"b\\\"\"}"},
        {literal_attr, "Grün", "{\"Grün\"}"},
        {literal_attr, "", "\"\""},
    };
    struct arena *arena = arena_create();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(rows[i].fn(arena, rows[i].given), rows[i].expected);
    arena_destroy(arena);
}

static void values(void **state) {
    struct fixture fixture;
    fixture_init(&fixture);
    json_t *value = fixture_json(&fixture, "{\"a\":[1,2.50,10.0,-0.001,true,false,null,\"</\"],\"b\":{}}");
    assert_string_equal(literal_json(fixture.arena, value),
                        "{\"a\":[1,2.5,10,-0.001,true,false,null,\"<\\/\"],\"b\":{}}");
    fixture_release(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(literals),
        cmocka_unit_test(values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
