/* frames: a WebSocket client of single frames, sound and unsound, for the tests of this layer. */
#ifndef TEST_HTTP_FRAMES_H
#define TEST_HTTP_FRAMES_H

#include "client.h"

#include <stdbool.h>

enum { FIN = 0x80, RSV1 = 0x40, RSV2 = 0x20, RSV3 = 0x10 };
enum { CONTINUATION, TEXT, BINARY, CLOSE = 8, PING, PONG };

/* A frame whose first byte is `first`, as clients mask them. */
static inline void put_frame(struct buf *out, int first, const void *data, size_t len) {
    static const unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    const unsigned char *at = data;

    buf_putc(out, (char)first);
    if (len < 126) {
        buf_putc(out, (char)(0x80 | len));
    } else if (len < 65536) {
        buf_putc(out, (char)(0x80 | 126));
        buf_putc(out, (char)(len >> 8));
        buf_putc(out, (char)len);
    } else {
        buf_putc(out, (char)(0x80 | 127));
        for (int shift = 56; shift >= 0; shift -= 8)
            buf_putc(out, (char)((uint64_t)len >> shift));
    }
    buf_put(out, mask, 4);
    for (size_t i = 0; i < len; i++)
        buf_putc(out, (char)(at[i] ^ mask[i % 4]));
}

static inline void send_frame(struct client *client, int first, const void *data, size_t len) {
    struct buf out = {0};

    put_frame(&out, first, data, len);
    client_send_bytes(client, out.data, out.len);
    buf_release(&out);
}

static inline void send_text(struct client *client, const char *text) {
    send_frame(client, FIN | TEXT, text, strlen(text));
}

static inline void send_close(struct client *client, int code) {
    unsigned char data[2] = {(unsigned char)(code >> 8), (unsigned char)code};
    send_frame(client, FIN | CLOSE, data, sizeof(data));
}

/* One frame of the server's: whole, unmasked, without reserved bits. data is NUL-terminated. */
struct frame {
    int opcode;
    size_t len;
    char *data;
};

static inline void frame_release(struct frame *frame) {
    free(frame->data);
    *frame = (struct frame){0};
}

static inline bool has_bytes(struct client *client, size_t len) {
    while (client->in.len < len)
        if (client->is_closed || !client_read_more(client, CLIENT_WAIT_MS))
            return false;
    return true;
}

/* False when the connection ended before one. */
static inline bool take_frame(struct client *client, struct frame *frame) {
    size_t head = 2, len;

    frame_release(frame);
    if (!has_bytes(client, 2)) {
        assert_true(client->is_closed && client->in.len == 0);
        return false;
    }
    const unsigned char *at = (unsigned char *)client->in.data;
    assert_int_equal(at[0] & 0xf0, FIN);
    assert_int_equal(at[1] & 0x80, 0);
    frame->opcode = at[0] & 0x0f;
    len = at[1];
    if (len >= 126) {
        size_t digits = len == 126 ? 2 : 8;
        head += digits;
        assert_true(has_bytes(client, head));
        at = (unsigned char *)client->in.data;
        len = 0;
        for (size_t i = 0; i < digits; i++)
            len = len << 8 | at[2 + i];
        assert_true(digits == 2 ? len >= 126 : len >= 65536);
    }
    assert_true(has_bytes(client, head + len));
    frame->len = len;
    frame->data = malloc(len + 1);
    memcpy(frame->data, client->in.data + head, len);
    frame->data[len] = '\0';
    buf_consume(&client->in, head + len);
    return true;
}

static inline void expect_frame(struct client *client, int opcode, const void *data, size_t len) {
    struct frame frame = {0};

    assert_true(take_frame(client, &frame));
    assert_int_equal(frame.opcode, opcode);
    assert_int_equal(frame.len, len);
    assert_memory_equal(frame.data, data, len);
    frame_release(&frame);
}

static inline void expect_text(struct client *client, const char *text) {
    expect_frame(client, TEXT, text, strlen(text));
}

/* 0 for a close frame without a code; -1: the connection ended without one. */
static inline int closing_code(struct client *client, const char *reason) {
    struct frame frame = {0};
    int code = -1;

    if (take_frame(client, &frame)) {
        assert_int_equal(frame.opcode, CLOSE);
        code = frame.len ? (unsigned char)frame.data[0] << 8 | (unsigned char)frame.data[1] : 0;
        if (reason)
            assert_string_equal(frame.len ? frame.data + 2 : "", reason);
    }
    frame_release(&frame);
    return code;
}

/* A close frame, and then the end of the connection. */
static inline void expect_close(struct client *client, int code, const char *reason) {
    assert_int_equal(closing_code(client, reason), code);
    assert_true(client_wait_closed(client));
    assert_int_equal(client->in.len, 0);
}

/* The example of RFC 6455 section 1.3. */
#define HANDSHAKE_FOR(path)                                                                                            \
    "GET " path " HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"   \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

static inline void expect_handshake(struct client *client) {
    assert_true(client_wait_for(client, "\r\n\r\n"));
    char *end = strstr(client->in.data, "\r\n\r\n");
    assert_int_equal(strncmp(client->in.data, "HTTP/1.1 101 ", 13), 0);
    char *accept = strstr(client->in.data, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
    assert_true(accept && accept < end);
    buf_consume(&client->in, (size_t)(end + 4 - client->in.data));
}

#endif
