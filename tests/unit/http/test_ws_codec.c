/* ws_codec: what frames say, however their bytes arrive: each case is read in pieces of several sizes. */
#include "frames.h"

#include "base/mem.h"
#include "http/ws_codec.h"

enum { MAX_BYTES = 1000 };

/* Bytes that come `step` at a time. */
struct source {
    struct buf bytes;
    size_t at, step;
    bool is_dry_next; /* between two pieces there is nothing */
};

static size_t read_some(void *arg, uint8_t *out, size_t len) {
    struct source *source = arg;
    size_t now = source->step < len ? source->step : len;

    source->is_dry_next = !source->is_dry_next;
    if (!source->is_dry_next)
        return 0;
    if (now > source->bytes.len - source->at)
        now = source->bytes.len - source->at;
    if (now)
        memcpy(out, source->bytes.data + source->at, now);
    source->at += now;
    return now;
}

static void describe(struct buf *out, const struct ws_item *item) {
    switch (item->kind) {
    case WS_ITEM_NONE:
        break;
    case WS_ITEM_MESSAGE:
        buf_printf(out, "%s %zu", item->is_text ? "text" : "binary", item->len);
        if (item->len && item->len < 40)
            buf_printf(out, " %s", item->data);
        break;
    case WS_ITEM_PING:
        buf_printf(out, "ping %.*s", (int)item->len, item->data);
        break;
    case WS_ITEM_PONG:
        buf_printf(out, "pong %.*s", (int)item->len, item->data);
        break;
    case WS_ITEM_CLOSE:
        buf_printf(out, "close %d %.*s", item->code, item->len > 2 ? (int)item->len - 2 : 0, item->data + 2);
        break;
    case WS_ITEM_BROKEN:
        buf_printf(out, "broken %d", item->code);
        break;
    }
    if (item->kind != WS_ITEM_NONE)
        buf_puts(out, "\n");
}

/* What the codec makes of the bytes, a line each. */
static void hear(struct source *source, struct buf *out) {
    struct ws_codec *codec = ws_codec_create(MAX_BYTES, read_some, source);
    struct ws_item item;

    do {
        ws_codec_next(codec, &item);
        describe(out, &item);
    } while ((item.kind != WS_ITEM_NONE || source->at < source->bytes.len) && item.kind != WS_ITEM_CLOSE &&
             item.kind != WS_ITEM_BROKEN);
    ws_codec_destroy(codec);
}

static void check_bytes(const char *name, struct buf *bytes, const char *expected) {
    static const size_t steps[] = {1, 2, 3, 5, 64, 100000};

    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct source source = {.bytes = *bytes, .step = steps[i]};
        struct buf heard = {0};
        hear(&source, &heard);
        if (strcmp(heard.len ? heard.data : "", expected) != 0)
            fail_msg("%s, %zu bytes at a time: heard\n%sinstead of\n%s", name, steps[i], heard.len ? heard.data : "",
                     expected);
        buf_release(&heard);
    }
    buf_release(bytes);
}

struct frame_said {
    int first;
    const char *data;
    size_t len; /* 0: that of data as text */
};

struct scene {
    const char *name;
    struct frame_said frames[6]; /* ends with one without data */
    const char *expected;
};

static void play(const struct scene *scenes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct buf bytes = {0};
        for (const struct frame_said *said = scenes[i].frames; said->data; said++)
            put_frame(&bytes, said->first, said->data, said->len ? said->len : strlen(said->data));
        check_bytes(scenes[i].name, &bytes, scenes[i].expected);
    }
}

static void test_messages(void **state) {
    static const struct scene scenes[] = {
        {"a text", {{FIN | TEXT, "hello"}}, "text 5 hello\n"},
        {"an empty text", {{FIN | TEXT, ""}}, "text 0\n"},
        {"a text with a NUL", {{FIN | TEXT, "a\0b", 3}}, "text 3 a\n"},
        {"bytes that are no text", {{FIN | BINARY, "\xff\xfe"}}, "binary 2 \xff\xfe\n"},
        {"two", {{FIN | TEXT, "one"}, {FIN | BINARY, "two"}}, "text 3 one\nbinary 3 two\n"},
        {"a text in fragments",
         {{TEXT, "he"}, {CONTINUATION, ""}, {CONTINUATION, "ll"}, {FIN | CONTINUATION, "o"}},
         "text 5 hello\n"},
        {"bytes in fragments, the last empty",
         {{BINARY, "\xff"}, {CONTINUATION, "\xff"}, {FIN | CONTINUATION, ""}},
         "binary 2 \xff\xff\n"},
        {"fragments that are all empty", {{TEXT, ""}, {FIN | CONTINUATION, ""}}, "text 0\n"},
        {"control frames between fragments",
         {{TEXT, "hel"}, {FIN | PING, "p"}, {CONTINUATION, "l"}, {FIN | PONG, "q"}, {FIN | CONTINUATION, "o"}},
         "ping p\npong q\ntext 5 hello\n"},
        {"a close between fragments", {{TEXT, "hel"}, {FIN | CLOSE, "\x03\xe8"}}, "close 1000 \n"},
        {"an empty ping", {{FIN | PING, ""}}, "ping \n"},
    };
    play(scenes, ARRAY_LEN(scenes));
}

static void test_frames_that_are_none(void **state) {
    static const struct scene scenes[] = {
        {"first reserved bit", {{FIN | RSV1 | TEXT, "x"}}, "broken 1002\n"},
        {"second reserved bit", {{FIN | RSV2 | BINARY, "x"}}, "broken 1002\n"},
        {"third reserved bit, of a control frame", {{FIN | RSV3 | PING, "x"}}, "broken 1002\n"},
        {"reserved bit of a continuation", {{TEXT, "a"}, {FIN | RSV1 | CONTINUATION, "b"}}, "broken 1002\n"},
        {"opcode 3", {{FIN | 3, "x"}}, "broken 1002\n"},
        {"opcode 7", {{FIN | 7, ""}}, "broken 1002\n"},
        {"opcode 11", {{FIN | 11, "x"}}, "broken 1002\n"},
        {"opcode 15", {{FIN | 15, ""}}, "broken 1002\n"},
        {"unknown amid fragments", {{TEXT, "a"}, {FIN | 4, "x"}}, "broken 1002\n"},
        {"a continuation of nothing", {{FIN | CONTINUATION, "x"}}, "broken 1002\n"},
        {"a continuation after the end", {{FIN | TEXT, "a"}, {FIN | CONTINUATION, "b"}}, "text 1 a\nbroken 1002\n"},
        {"a text amid a text", {{TEXT, "a"}, {FIN | TEXT, "b"}}, "broken 1002\n"},
        {"bytes amid a text", {{TEXT, "a"}, {BINARY, "b"}}, "broken 1002\n"},
        {"a ping in fragments", {{PING, "a"}}, "broken 1002\n"},
        {"a close in fragments", {{CLOSE, "\x03\xe8"}}, "broken 1002\n"},
        {"what came before still counts", {{FIN | TEXT, "a"}, {FIN | 3, "x"}}, "text 1 a\nbroken 1002\n"},
    };
    play(scenes, ARRAY_LEN(scenes));
}

static void test_control_frames_have_125_bytes(void **state) {
    static char data[126];
    struct buf bytes = {0};
    char expected[320];

    memset(data, 'x', sizeof(data));
    (void)snprintf(expected, sizeof(expected), "ping %.125s\npong %.125s\n", data, data);
    put_frame(&bytes, FIN | PING, data, 125);
    put_frame(&bytes, FIN | PONG, data, 125);
    check_bytes("125 bytes", &bytes, expected);
    for (int opcode = CLOSE; opcode <= PONG; opcode++) {
        bytes = (struct buf){0};
        put_frame(&bytes, FIN | opcode, data, 126);
        check_bytes("126 bytes", &bytes, "broken 1002\n");
    }
}

static void test_heads(void **state) {
    static const struct {
        const char *name, *bytes;
        size_t len;
    } cases[] = {
        {"not masked", "\x81\x01x", 3},
        {"a ping that is not masked", "\x89\x00", 2},
        {"5 bytes, their number in two", "\x81\xfe\x00\x05\x00\x00\x00\x00hello", 13},
        {"5 bytes, their number in eight", "\x81\xff\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00hello", 19},
        {"65535 bytes, their number in eight", "\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x00\x00x", 15},
        {"more than 63 bits", "\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00x", 15},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf bytes = {0};
        buf_put(&bytes, cases[i].bytes, cases[i].len);
        check_bytes(cases[i].name, &bytes, "broken 1002\n");
    }
}

static void test_text_is_utf8(void **state) {
    static const struct scene scenes[] = {
        {"of one to four bytes", {{FIN | TEXT, "a\u00e9\u20ac\U0001f600"}}, "text 10 a\u00e9\u20ac\U0001f600\n"},
        {"the first and last of each length",
         {{FIN | TEXT, "\x7f\xc2\x80\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff"}},
         "text 25 \x7f\xc2\x80\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff\n"},
        {"a character over two frames", {{TEXT, "\xe2\x82"}, {FIN | CONTINUATION, "\xac"}}, "text 3 \u20ac\n"},
        {"a character over four frames, with a ping in it",
         {{TEXT, "\xf0"},
          {CONTINUATION, "\x9f"},
          {FIN | PING, "\xff"},
          {CONTINUATION, "\x98"},
          {FIN | CONTINUATION, "\x80"}},
         "ping \xff\ntext 4 \U0001f600\n"},
        {"one that breaks off", {{FIN | TEXT, "a\xe2\x82"}}, "broken 1007\n"},
        {"one that breaks off in the last fragment", {{TEXT, "a"}, {FIN | CONTINUATION, "\xc3"}}, "broken 1007\n"},
        {"one that breaks off before an empty end", {{TEXT, "\xc3"}, {FIN | CONTINUATION, ""}}, "broken 1007\n"},
        {"bad at the seam, found without the end", {{TEXT, "\xe2\x82"}, {CONTINUATION, "("}}, "broken 1007\n"},
        {"a byte that never is", {{FIN | TEXT, "a\xff"}}, "broken 1007\n"},
        {"a tail without a head", {{FIN | TEXT, "\x80"}}, "broken 1007\n"},
        {"longer than need be, two", {{FIN | TEXT, "\xc0\xaf"}}, "broken 1007\n"},
        {"longer than need be, three", {{FIN | TEXT, "\xe0\x9f\xbf"}}, "broken 1007\n"},
        {"longer than need be, four", {{FIN | TEXT, "\xf0\x8f\xbf\xbf"}}, "broken 1007\n"},
        {"half of a pair", {{FIN | TEXT, "\xed\xa0\x80"}}, "broken 1007\n"},
        {"beyond the last", {{FIN | TEXT, "\xf4\x90\x80\x80"}}, "broken 1007\n"},
        {"far beyond the last", {{FIN | TEXT, "\xf5\x80\x80\x80"}}, "broken 1007\n"},
        {"the next text begins anew", {{FIN | BINARY, "\xe2"}, {FIN | TEXT, "ok"}}, "binary 1 \xe2\ntext 2 ok\n"},
    };
    play(scenes, ARRAY_LEN(scenes));
}

static void test_closing(void **state) {
    static const struct scene scenes[] = {
        {"without a code", {{FIN | CLOSE, ""}}, "close 1005 \n"},
        {"with a reason",
         {{FIN | CLOSE, "\x03\xe8"
                        "bye"}},
         "close 1000 bye\n"},
        {"a reason in another script", {{FIN | CLOSE, "\x03\xe8\u20ac"}}, "close 1000 \u20ac\n"},
        {"nothing may follow", {{FIN | CLOSE, "\x03\xe8"}, {FIN | TEXT, "x"}}, "close 1000 \n"},
        {"half a code", {{FIN | CLOSE, "\x03"}}, "broken 1002\n"},
        {"a reason that is no text", {{FIN | CLOSE, "\x03\xe8\xff"}}, "broken 1007\n"},
        {"a reason that breaks off", {{FIN | CLOSE, "\x03\xe8\xe2\x82"}}, "broken 1007\n"},
    };
    play(scenes, ARRAY_LEN(scenes));
}

static void test_codes(void **state) {
    static const struct {
        int from, to;
        bool is_good;
    } ranges[] = {{0, 999, false},     {1000, 1003, true}, {1004, 1006, false}, {1007, 1014, true},
                  {1015, 2999, false}, {3000, 4999, true}, {5000, 65535, false}};

    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        for (int code = ranges[i].from; code <= ranges[i].to; code += code < 5100 ? 1 : 997) {
            struct source source = {.step = 64};
            struct buf heard = {0};
            char data[2] = {(char)(code >> 8), (char)code}, expected[32];
            put_frame(&source.bytes, FIN | CLOSE, data, 2);
            hear(&source, &heard);
            (void)snprintf(expected, sizeof(expected), "close %d \n", code);
            assert_string_equal(heard.data, ranges[i].is_good ? expected : "broken 1002\n");
            buf_release(&heard);
            buf_release(&source.bytes);
        }
    }
}

/* A message has at most MAX_BYTES, over all its frames; what is longer is refused by what its head says. */
static void test_length(void **state) {
    static char data[MAX_BYTES + 1];
    struct buf bytes = {0};

    memset(data, 'x', sizeof(data));
    put_frame(&bytes, FIN | TEXT, data, MAX_BYTES);
    put_frame(&bytes, FIN | BINARY, data, MAX_BYTES);
    check_bytes("as long as may be", &bytes, "text 1000\nbinary 1000\n");
    bytes = (struct buf){0};
    put_frame(&bytes, TEXT, data, MAX_BYTES - 1);
    put_frame(&bytes, FIN | PING, data, 1);
    put_frame(&bytes, FIN | CONTINUATION, data, 1);
    check_bytes("as long as may be, in two", &bytes, "ping x\ntext 1000\n");
    bytes = (struct buf){0};
    put_frame(&bytes, FIN | TEXT, data, MAX_BYTES + 1);
    check_bytes("one more", &bytes, "broken 1009\n");
    bytes = (struct buf){0};
    put_frame(&bytes, TEXT, data, MAX_BYTES);
    put_frame(&bytes, FIN | CONTINUATION, data, 1);
    check_bytes("one more, in two", &bytes, "broken 1009\n");
    bytes = (struct buf){0};
    buf_put(&bytes, "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0x", 15);
    check_bytes("as long as can be said", &bytes, "broken 1009\n");
}

static void test_amid(void **state) {
    struct source source = {.step = 1000};
    struct ws_codec *codec = ws_codec_create(MAX_BYTES, read_some, &source);
    struct ws_item item;

    assert_false(ws_codec_is_amid(codec));
    put_frame(&source.bytes, TEXT, "a", 1);
    ws_codec_next(codec, &item);
    assert_true(item.kind == WS_ITEM_NONE && ws_codec_is_amid(codec));
    put_frame(&source.bytes, FIN | PING, "", 0);
    do
        ws_codec_next(codec, &item);
    while (item.kind == WS_ITEM_NONE);
    assert_true(item.kind == WS_ITEM_PING && ws_codec_is_amid(codec));
    put_frame(&source.bytes, FIN | CONTINUATION, "b", 1);
    do
        ws_codec_next(codec, &item);
    while (item.kind == WS_ITEM_NONE);
    assert_true(item.kind == WS_ITEM_MESSAGE && !ws_codec_is_amid(codec));
    ws_codec_destroy(codec);
    buf_release(&source.bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_frames_that_are_none),
        cmocka_unit_test(test_control_frames_have_125_bytes),
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_text_is_utf8),
        cmocka_unit_test(test_closing),
        cmocka_unit_test(test_codes),
        cmocka_unit_test(test_length),
        cmocka_unit_test(test_amid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
