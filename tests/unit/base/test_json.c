/* Tests of base/json: reading and writing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

static struct arena *arena;

static int set_up(void **state) {
    arena = arena_create();
    return 0;
}

static int tear_down(void **state) {
    arena_destroy(arena);
    return 0;
}

static json_t *parse(const char *text) {
    json_t *value = NULL;
    struct err err = {0};
    if (json_parse(arena, text, strlen(text), &value, &err) != 0)
        fail_msg("%s: %s", text, err.message);
    return value;
}

static void reads_and_writes_back(void **state) {
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "-5",
        "9223372036854775807",
        "0.1",
        "1e+300",
        "-2.5",
        "100.0",
        "\"\"",
        "\"é😀\"",
        "[]",
        "{}",
        "[1,[2,{\"z\":1,\"a\":[null,true]}]]",
        "{\"b\":1,\"a\":2,\"c\":{\"\":0}}",
        "\"\\\"\\\\\\n\\r\\t\\b\\f\\u0001\\u001f/\"",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_string_equal(json_text(arena, parse(texts[i])), texts[i]);
    assert_string_equal(json_text(arena, parse(" { \"a\" : [ 1 , 2 ] }\n")), "{\"a\":[1,2]}");
    assert_string_equal(json_text(arena, parse("\"\\u00e9\\ud83d\\ude00\"")), "\"é😀\"");
    assert_string_equal(json_text(arena, NULL), "null");
}

static void refuses(const char *text, size_t len, const char *message) {
    json_t *value = NULL;
    struct err err = {0};
    if (json_parse(arena, text, len, &value, &err) != -ERR_VALIDATION)
        fail_msg("%s is taken", text);
    assert_null(value);
    if (!str_starts(err.message, message))
        fail_msg("%s: %s", text, err.message);
}

static void names_line_and_column_of_errors(void **state) {
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"", "line 1, column 1: "},
        {"{\n  \"a\": 1,\n}", "line 3, column 1: "},
        {"[1,2", "line 1, column 4: "},
        {"[1] x", "line 1, column 5: "},
        {"{'a':1}", "line 1, column 2: "},
        {"\"a\tb\"", "line 1, column "},
        {"\"\xff\"", "line 1, column "},
        {"01", "line 1, column "},
        {"NaN", "line 1, column "},
        {"[1,]", "line 1, column 4: "},
        {"\xef\xbb\xbf{}", "line 1, column "},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        refuses(rows[i].text, strlen(rows[i].text), rows[i].message);
    refuses("[1\0]", 4, "line 1, column 3: ");
    refuses("[\n\"\\\0\"]", 6, "line 2, column 3: ");
}

static void limits_depth(void **state) {
    char text[200];
    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    text[128] = '\0';
    assert_non_null(parse(text));
    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    refuses(text, 130, "line 1, column 65: nested too deep");
    assert_non_null(parse("\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[\""));
    /* Without ends, and over more lines: no recursion in either case. */
    CLEANUP(buf_release) struct buf open = {0};
    for (int i = 0; i < 100000; i++)
        buf_puts(&open, "{\"a\":\n");
    refuses(open.data, open.len, "line 65, column 1: nested");
}

static void finds_members(void **state) {
    const json_t *json = parse(
        "{\"s\":\"x\",\"n\":5,\"r\":1.5,\"b\":true,\"o\":{\"0\":\"zero\",\"l\":[1,{\"t\":\"deep\"}]},\"z\":null}");
    assert_string_equal(json_str(json, "s", "f"), "x");
    assert_string_equal(json_str(json, "n", "f"), "f");
    assert_null(json_str(json, "none", NULL));
    assert_string_equal(json_str(NULL, "s", "f"), "f");
    assert_int_equal(json_int(json, "n", 1), 5);
    assert_int_equal(json_int(json, "r", 1), 1);
    assert_int_equal(json_int(NULL, "n", 1), 1);
    assert_true(json_flag(json, "b", false));
    assert_true(json_flag(json, "z", true));
    assert_false(json_flag(json, "none", false));
    assert_string_equal(json_string_value(json_at(json, "o.l.1.t")), "deep");
    assert_string_equal(json_string_value(json_at(json, "o.0")), "zero");
    assert_ptr_equal(json_at(json, "s"), json_object_get(json, "s"));
    static const char *const absent[] = {"",    ".", "o.",  "o.l.2", "o.l.x", "o.l.-1", "o.l.99999999999",
                                         "s.x", "q", "o..l"};
    for (size_t i = 0; i < ARRAY_LEN(absent); i++)
        assert_null(json_at(json, absent[i]));
    assert_null(json_at(NULL, "a"));
}

static void writes_with_commas(void **state) {
    CLEANUP(buf_release) struct buf out = {0};
    struct jw jw;
    jw_init(&jw, &out);
    jw_object(&jw);
    jw_kstr(&jw, "s", "a\"b\\\n\x01");
    jw_kstr(&jw, "none", NULL);
    jw_kint(&jw, "n", INT64_MIN);
    jw_kbool(&jw, "b", false);
    jw_kraw(&jw, "raw", "[1]");
    jw_kraw(&jw, "rawnull", NULL);
    jw_ktime(&jw, "at", 1705314600123);
    jw_ktime(&jw, "never", 0);
    jw_key(&jw, "list");
    jw_array(&jw);
    jw_int(&jw, 1);
    jw_object(&jw);
    jw_object_end(&jw);
    jw_array(&jw);
    jw_array_end(&jw);
    jw_bool(&jw, true);
    jw_null(&jw);
    jw_str(&jw, "x");
    jw_strn(&jw, "xyz", 2);
    jw_strn(&jw, NULL, 0);
    jw_value(&jw, parse("{\"k\":[1.5,\"v\"]}"));
    jw_array_end(&jw);
    jw_object_end(&jw);
    assert_string_equal(out.data,
                        "{\"s\":\"a\\\"b\\\\\\n\\u0001\",\"none\":null,\"n\":-9223372036854775808,\"b\":false,"
                        "\"raw\":[1],\"rawnull\":null,\"at\":\"2024-01-15T10:30:00.123Z\",\"never\":null,"
                        "\"list\":[1,{},[],true,null,\"x\",\"xy\",null,{\"k\":[1.5,\"v\"]}]}");
    assert_non_null(parse(out.data));
}

static void replaces_what_is_no_utf8(void **state) {
    CLEANUP(buf_release) struct buf out = {0};
    struct jw jw;
    jw_init(&jw, &out);
    jw_array(&jw);
    jw_str(&jw, "a\xff"
                "b\xe2\x82"
                "c\xed\xa0\x80");
    jw_strn(&jw, "x\0y\x7f", 4);
    jw_strn(&jw, "\xe2\x82\xac", 2);
    jw_array_end(&jw);
    assert_string_equal(out.data,
                        "[\"a\ufffdb\ufffd\ufffdc\ufffd\ufffd\ufffd\",\"x\\u0000y\\u007f\",\"\ufffd\ufffd\"]");
}

static void respects_the_limit_of_its_buf(void **state) {
    struct buf out;
    buf_init(&out, 8);
    struct jw jw;
    jw_init(&jw, &out);
    jw_str(&jw, "much longer than that");
    assert_true(out.overflowed);
    assert_true(out.len <= 8);
    buf_release(&out);
}

static void owns_values(void **state) {
    json_t *value = json_own(arena, json_pack("{s:s}", "a", "b"));
    assert_string_equal(json_str(value, "a", ""), "b");
    assert_null(json_own(arena, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes_back),
        cmocka_unit_test(names_line_and_column_of_errors),
        cmocka_unit_test(limits_depth),
        cmocka_unit_test(finds_members),
        cmocka_unit_test(writes_with_commas),
        cmocka_unit_test(replaces_what_is_no_utf8),
        cmocka_unit_test(respects_the_limit_of_its_buf),
        cmocka_unit_test(owns_values),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
