/* Tests of base/mustache: the examples of the spec, what npm's mustache does beyond it, errors, and cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/mustache.h"

struct row {
    const char *template, *data, *expected;
    const char *partials; /* an object, or NULL */
};

static const char *partial(const char *name, size_t *len, void *arg) {
    const json_t *text = json_object_get(arg, name);
    *len = json_string_length(text);
    return json_string_value(text);
}

static json_t *parse(struct arena *arena, const char *text) {
    json_t *value = NULL;
    struct err err = {0};
    if (text && json_parse(arena, text, strlen(text), &value, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    return value;
}

static void expect_rows(const struct row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct arena *arena = arena_create();
        CLEANUP(buf_release) struct buf out = {0};
        struct err err = {0};
        json_t *contexts[] = {parse(arena, rows[i].data)};
        if (mustache_render(rows[i].template, strlen(rows[i].template), contexts, 1, partial,
                            parse(arena, rows[i].partials), &out, &err) < 0)
            fail_msg("%s: %s", rows[i].template, err.message);
        if (strcmp(out.data, rows[i].expected) != 0)
            fail_msg("template: %s\ndata: %s\nexpected: %s\ngot: %s", rows[i].template, rows[i].data, rows[i].expected,
                     out.data);
        arena_destroy(arena);
    }
}

static void interpolates(void **state) {
    static const struct row rows[] = {
        {"", "{}", ""},
        {"Hello from {Mustache}!\n", "{}", "Hello from {Mustache}!\n"},
        {"Hello, {{subject}}!", "{\"subject\":\"world\"}", "Hello, world!"},
        {"{{x}}", "{\"x\":\"& \\\" < > ' / ` =\"}", "&amp; &quot; &lt; &gt; &#39; &#x2F; &#x60; &#x3D;"},
        {"{{{x}}}|{{&x}}|{{& x }}|{{{ x }}}", "{\"x\":\"& \\\" < >\"}", "& \" < >|& \" < >|& \" < >|& \" < >"},
        {"{{n}} {{r}} {{whole}} {{small}} {{big}} {{neg}}",
         "{\"n\":85,\"r\":1.21,\"whole\":10.0,\"small\":1e-7,\"big\":1e21,\"neg\":-0.5}", "85 1.21 10 1e-7 1e+21 -0.5"},
        {"{{n}}", "{\"n\":1234567890123}", "1234567890123"},
        {"({{null}}) ({{missing}}) ({{yes}}) ({{no}})", "{\"null\":null,\"yes\":true,\"no\":false}",
         "() () (true) (false)"},
        {"{{a.b.c.name}}", "{\"a\":{\"b\":{\"c\":{\"name\":\"Phil\"}}}}", "Phil"},
        {"{{a.b.c}}", "{\"a\":{}}", ""},
        {"{{list.1.x}}", "{\"list\":[{\"x\":1},{\"x\":2}]}", "2"},
        {"{{.}}", "\"text\"", "text"},
        {"{{list}} {{object}}", "{\"list\":[1,[2,null],\"<\"],\"object\":{}}", "1,2,,&lt; [object Object]"},
        {"  {{x}}\n", "{\"x\":\"-\"}", "  -\n"},
        {"{{x}}", "{\"x\":\"héllo ☃\"}", "héllo ☃"},
    };
    expect_rows(rows, ARRAY_LEN(rows));
}

static void shows_sections(void **state) {
    static const struct row rows[] = {
        {"{{#b}}shown{{/b}}", "{\"b\":true}", "shown"},
        {"{{#b}}shown{{/b}}", "{\"b\":false}", ""},
        {"{{#b}}shown{{/b}}{{^b}}not{{/b}}", "{\"b\":0}", "not"},
        {"{{#b}}shown{{/b}}{{^b}}not{{/b}}", "{\"b\":\"\"}", "not"},
        {"{{#b}}shown{{/b}}{{^b}}not{{/b}}", "{\"b\":[]}", "not"},
        {"{{#b}}shown{{/b}}{{^b}}not{{/b}}", "{\"b\":{}}", "shown"},
        {"{{#b}}shown{{/b}}{{^b}}not{{/b}}", "{}", "not"},
        {"{{#c}}Hi {{name}}.{{/c}}", "{\"c\":{\"name\":\"Joe\"}}", "Hi Joe."},
        {"{{#list}}{{item}}{{/list}}", "{\"list\":[{\"item\":1},{\"item\":2},{\"item\":3}]}", "123"},
        {"{{#list}}({{.}}){{/list}}", "{\"list\":[1,\"b\",2.5]}", "(1)(b)(2.5)"},
        {"{{#list}}({{#.}}{{.}}{{/.}}){{/list}}", "{\"list\":[[1,2],[3]]}", "(12)(3)"},
        {"{{#a}}{{one}}{{#b}}{{one}}{{two}}{{/b}}{{/a}}", "{\"a\":{\"one\":1},\"b\":{\"two\":2}}", "112"},
        {"{{#bool}}* first{{/bool}} * second {{#bool}}* third{{/bool}}", "{\"bool\":true}", "* first * second * third"},
        {"| A {{#b}}B {{#b}}C{{/b}} D{{/b}} E |", "{\"b\":true}", "| A B C D E |"},
        {"{{#a.b.c}}x{{/a.b.c}}{{^a.b.d}}y{{/a.b.d}}", "{\"a\":{\"b\":{\"c\":true}}}", "xy"},
        {"{{# b }}={{/ b }}", "{\"b\":true}", "="},
        {"{{#s}}{{.}}{{x}}{{/s}}", "{\"s\":\"in\",\"x\":\"out\"}", "inout"},
        /* npm's way: a dotted name whose end is missing goes on to the outer context. */
        {"{{#a}}{{b.c}}{{/a}}", "{\"a\":{\"b\":{}},\"b\":{\"c\":\"outer\"}}", "outer"},
    };
    expect_rows(rows, ARRAY_LEN(rows));
}

static void leaves_no_lines_of_tags(void **state) {
    static const struct row rows[] = {
        {"| This Is\n{{#b}}\n|\n{{/b}}\n| A Line\n", "{\"b\":true}", "| This Is\n|\n| A Line\n"},
        {"| This Is\n  {{#b}}\n|\n  {{/b}}\n| A Line", "{\"b\":true}", "| This Is\n|\n| A Line"},
        {"|\r\n{{#b}}\r\n{{/b}}\r\n|", "{\"b\":true}", "|\r\n|"},
        {"  {{#b}}\n#{{/b}}\n/", "{\"b\":true}", "#\n/"},
        {"#{{#b}}\n/\n  {{/b}}", "{\"b\":true}", "#\n/\n"},
        {" {{#b}}YES{{/b}}\n {{#b}}GOOD{{/b}}\n", "{\"b\":true}", " YES\n GOOD\n"},
        {" | {{#b}} {{! comment }}\n {{/b}} | \n", "{\"b\":true}", " |  \n  | \n"},
        {"Begin.\n{{! comment }}\nEnd.\n", "{}", "Begin.\nEnd.\n"},
        {"Begin.\n  {{!\n    two\n    lines\n  }}\nEnd.\n", "{}", "Begin.\nEnd.\n"},
        {"12 {{! 34 }}\n", "{}", "12 \n"},
        {"{{#a}}{{#b}}\nx\n{{/b}}{{/a}}\n", "{\"a\":1,\"b\":1}", "x\n"},
        {"\n\n{{#a}}\n\n{{/a}}\n\n", "{\"a\":1}", "\n\n\n\n"},
    };
    expect_rows(rows, ARRAY_LEN(rows));
}

static void changes_delimiters(void **state) {
    static const struct row rows[] = {
        {"{{=<% %>=}}(<%text%>)", "{\"text\":\"Hey!\"}", "(Hey!)"},
        {"({{=[ ]=}}[text])", "{\"text\":\"It worked!\"}", "(It worked!)"},
        {"{{= | | =}}|text||={{ }}=|{{text}}", "{\"text\":\"x\"}", "xx"},
        {"{{=<% %>=}}\n<%#a%>\n{<%&b%>} {{b}} <%{b}%>\n<%/a%>\n", "{\"a\":true,\"b\":\"<\"}", "{<} {{b}} <\n"},
        {"| {{=@ @=}} |", "{}", "|  |"},
        {"Begin.\n  {{=@ @=}}\nEnd.\n", "{}", "Begin.\nEnd.\n"},
        {"{{=<% %>=}}[<%>p%>]", "{\"x\":1}", "[1]", "{\"p\":\"{{x}}\"}"},
    };
    expect_rows(rows, ARRAY_LEN(rows));
}

static void includes_partials(void **state) {
    static const struct row rows[] = {
        {"\"{{>text}}\"", "{}", "\"from partial\"", "{\"text\":\"from partial\"}"},
        {"\"{{>none}}\"", "{}", "\"\"", "{}"},
        {"{{>node}}", "{\"content\":\"X\",\"nodes\":[{\"content\":\"Y\",\"nodes\":[]}]}", "X<Y<>>",
         "{\"node\":\"{{content}}<{{#nodes}}{{>node}}{{/nodes}}>\"}"},
        {"| {{>p}} |", "{}", "| \t|\t |", "{\"p\":\"\\t|\\t\"}"},
        {"  {{x}}  {{> p}}\n", "{\"x\":\"|\"}", "  |  >\n>\n", "{\"p\":\">\\n>\"}"},
        {"\\\n {{>p}}\n/\n", "{\"c\":\"<\\n->\"}", "\\\n |\n <\n->\n |\n/\n", "{\"p\":\"|\\n{{{c}}}\\n|\\n\"}"},
        {"|\r\n{{>p}}\r\n|", "{}", "|\r\n>|", "{\"p\":\">\"}"},
        {"  {{>p}}\n>", "{}", "  >\n  >>", "{\"p\":\">\\n>\"}"},
        {"{{#l}}\n  {{>p}}\n{{/l}}\n", "{\"l\":[{\"x\":1},{\"x\":2}]}", "  1\n  2\n", "{\"p\":\"{{x}}\\n\"}"},
        {"{{#l}}\n\t{{>p}}\n{{>p}}\n{{/l}}\n", "{\"l\":[{\"x\":1}]}", "\t1\n1\n", "{\"p\":\"{{x}}\\n\"}"},
        {"x {{>p}}\n", "{}", "x a\n  b\n\n", "{\"p\":\"a\\nb\\n\"}"},
    };
    expect_rows(rows, ARRAY_LEN(rows));
}

static void stacks_contexts(void **state) {
    struct arena *arena = arena_create();
    CLEANUP(buf_release) struct buf out = {0};
    struct err err = {0};
    json_t *contexts[] = {parse(arena, "{\"a\":1,\"b\":1}"), parse(arena, "{\"b\":2}")};
    const char *text = "{{a}}{{b}}{{#c}}x{{/c}}";
    assert_int_equal(mustache_render(text, strlen(text), contexts, 2, NULL, NULL, &out, &err), 0);
    assert_string_equal(out.data, "12");
    buf_reset(&out);
    assert_int_equal(mustache_render("{{>p}}{{a}}", 11, contexts, 0, NULL, NULL, &out, &err), 0);
    assert_string_equal(out.data, "");
    arena_destroy(arena);
}

static void names_the_line_at_fault(void **state) {
    static const struct {
        const char *template, *message;
    } rows[] = {
        {"a\nb {{x", "line 2: unclosed tag"},
        {"\n\n{{{x}}", "line 3: unclosed tag"},
        {"{{#a}}\n", "line 2: unclosed section a"},
        {"a\n{{/a}}", "line 2: nothing is open to be closed by a"},
        {"{{#a}}\n{{/b}}", "line 2: section closed by another name: b"},
        {"{{=x=}}", "line 1: delimiters must be two words: x"},
        {"{{=", "line 1: unclosed tag"},
        {"{{>bad}}", "partial bad: line 1: unclosed tag"},
    };
    struct arena *arena = arena_create();
    json_t *partials = parse(arena, "{\"bad\":\"{{\"}");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_release) struct buf out = {0};
        struct err err = {0};
        assert_int_equal(
            mustache_render(rows[i].template, strlen(rows[i].template), NULL, 0, partial, partials, &out, &err),
            -ERR_VALIDATION);
        assert_string_equal(err.message, rows[i].message);
    }
    arena_destroy(arena);
}

static void refuses_endless_nesting(void **state) {
    struct arena *arena = arena_create();
    CLEANUP(buf_release) struct buf out = {0}, text = {0};
    struct err err = {0};
    json_t *contexts[] = {parse(arena, "{\"a\":1}")}, *partials = parse(arena, "{\"p\":\"x{{>p}}\"}");
    assert_int_equal(mustache_render("{{>p}}", 6, contexts, 1, partial, partials, &out, &err), -ERR_VALIDATION);
    for (int i = 0; i < 65; i++)
        buf_puts(&text, "{{#a}}");
    assert_int_equal(mustache_render(text.data, text.len, contexts, 1, NULL, NULL, &out, &err), -ERR_VALIDATION);
    buf_reset(&text);
    for (int i = 0; i < 64; i++)
        buf_puts(&text, "{{#a}}");
    buf_puts(&text, "y");
    for (int i = 0; i < 64; i++)
        buf_puts(&text, "{{/a}}");
    buf_reset(&out);
    assert_int_equal(mustache_render(text.data, text.len, contexts, 1, NULL, NULL, &out, &err), 0);
    assert_string_equal(out.data, "y");
    arena_destroy(arena);
}

static void keeps_to_the_limit_of_the_buffer(void **state) {
    struct arena *arena = arena_create();
    CLEANUP(buf_release) struct buf out = {.max_bytes = 4};
    struct err err = {0};
    json_t *contexts[] = {parse(arena, "{\"a\":[1,2,3,4,5,6]}")};
    const char *text = "{{#a}}xx{{/a}}";
    assert_int_equal(mustache_render(text, strlen(text), contexts, 1, NULL, NULL, &out, &err), -ERR_TOO_LARGE);
    assert_true(out.len <= 4);
    arena_destroy(arena);
}

/* A template ten times as long takes about ten times as long, not a hundred times. */
static int64_t cost_ms(size_t lines) {
    CLEANUP(buf_release) struct buf text = {0}, out = {0};
    struct arena *arena = arena_create();
    struct err err = {0};
    json_t *contexts[] = {parse(arena, "{\"a\":true,\"b\":\"text\"}")};
    for (size_t i = 0; i < lines; i++)
        buf_puts(&text, "some { text } of a line\n{{#a}}\n  {{b}} and {{{b}}}\n{{/a}}\n  {{>p}}\n");
    json_t *partials = parse(arena, "{\"p\":\"x\\ny\\n\"}");
    int64_t start = clock_mono_ms();
    assert_int_equal(mustache_render(text.data, text.len, contexts, 1, partial, partials, &out, &err), 0);
    int64_t spent = clock_mono_ms() - start;
    arena_destroy(arena);
    return spent;
}

static void costs_in_proportion(void **state) {
    int64_t few = cost_ms(2000), many = cost_ms(20000);
    assert_true(many < 40 * (few + 5));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interpolates),
        cmocka_unit_test(shows_sections),
        cmocka_unit_test(leaves_no_lines_of_tags),
        cmocka_unit_test(changes_delimiters),
        cmocka_unit_test(includes_partials),
        cmocka_unit_test(stacks_contexts),
        cmocka_unit_test(names_the_line_at_fault),
        cmocka_unit_test(refuses_endless_nesting),
        cmocka_unit_test(keeps_to_the_limit_of_the_buffer),
        cmocka_unit_test(costs_in_proportion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
