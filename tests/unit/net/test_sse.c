/* The event stream grammar, whole and in every division into two portions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/net.h"

struct sample {
    const char *text;
    size_t len;
    const char *events; /* type|id|data; … */
};

#define TEXT(text) text, sizeof(text) - 1

static const struct sample samples[] = {
    {TEXT(""), ""},
    {TEXT("data: a\n\n"), "message||a;"},
    {TEXT("data:a\r\n\r\ndata:  b\r\rdata\n\n"), "message||a;message|| b;message||;"},
    {TEXT("\xef\xbb\xbf"
          "data: bom\n\n"),
     "message||bom;"},
    {TEXT("event: x\ndata: 1\ndata: 2\n\nevent: y\n\ndata: 3\n\n"), "x||1\n2;message||3;"},
    {TEXT("id: 7\ndata: a\n\ndata: b\n\nid\ndata: c\n\n"), "message|7|a;message|7|b;message||c;"},
    {TEXT("id: 1\0002\ndata: a\n\n"), "message||a;"},
    {TEXT("data: a\0b\n\n"), "message||a\xef\xbf\xbd"
                             "b;"},
    {TEXT(": comment\nretry: 5\nnonsense\nother: x\ndata: {\"a\": 1}\n\n"), "message||{\"a\": 1};"},
    {TEXT("data: cut\n"), ""},
    {TEXT("data\ndata\n\n"), "message||\n;"},
    {TEXT("event: RUN_STARTED\r\nid: 1\r\ndata: {}\r\n\r\n: beat\r\n\r\nevent: B\r\nid: 2\r\ndata: []\r\n\r\n"),
     "RUN_STARTED|1|{};B|2|[];"},
};

static int on_event(const struct sse_event *event, void *arg) {
    buf_printf(arg, "%s|%s|%s;", event->type, event->id, event->data);
    return 0;
}

static void check(const struct sample *sample, size_t first) {
    struct buf events = {0};
    struct sse_reader *reader = sse_reader_create(on_event, &events, 1000);

    assert_int_equal(sse_reader_feed(reader, sample->text, first, NULL), 0);
    for (size_t at = first; at < sample->len; at++) /* the second part byte by byte */
        assert_int_equal(sse_reader_feed(reader, sample->text + at, 1, NULL), 0);
    assert_string_equal(events.len ? events.data : "", sample->events);
    sse_reader_destroy(reader);
    buf_release(&events);
}

static void test_grammar(void **state) {
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        for (size_t first = 0; first <= samples[i].len; first++)
            check(&samples[i], first);
    }
}

static int refuse(const struct sse_event *event, void *arg) {
    return ++*(int *)arg == 2 ? 42 : 0;
}

static void test_stops_and_limits(void **state) {
    int count = 0;
    struct sse_reader *reader = sse_reader_create(refuse, &count, 20);
    struct err err = {0};

    assert_int_equal(sse_reader_feed(reader, TEXT("data:1\n\ndata:2\n\ndata:3\n\n"), &err), 42);
    assert_int_equal(count, 2);
    sse_reader_destroy(reader);
    reader = sse_reader_create(refuse, &count, 20);
    assert_int_equal(sse_reader_feed(reader, TEXT("data: 0123456789\n"), &err), 0);
    assert_int_equal(sse_reader_feed(reader, TEXT("data: 0123456789\n"), &err), -ERR_TOO_LARGE);
    assert_int_equal(err.code, ERR_TOO_LARGE);
    sse_reader_destroy(reader);
    reader = sse_reader_create(refuse, &count, 20);
    for (int i = 0; i < 20; i++)
        assert_int_equal(sse_reader_feed(reader, "x", 1, &err), 0);
    assert_int_equal(sse_reader_feed(reader, "x", 1, &err), -ERR_TOO_LARGE);
    sse_reader_destroy(reader);
    sse_reader_destroy(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grammar),
        cmocka_unit_test(test_stops_and_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
