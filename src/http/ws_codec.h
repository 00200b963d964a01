/* ws_codec: the bytes of a WebSocket as messages, and messages as bytes. RFC 6455 sections 5, 7.4 and 8.1, by
 * libwslay's frames and what they leave out. Not for other layers. */
#ifndef HTTP_WS_CODEC_H
#define HTTP_WS_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

enum ws_code {
    WS_NORMAL = 1000,
    WS_GOING_AWAY = 1001,
    WS_PROTOCOL_ERROR = 1002,
    WS_NO_CODE = 1005, /* never sent: the close frame was empty */
    WS_BAD_TEXT = 1007,
    WS_POLICY = 1008,
    WS_TOO_BIG = 1009,
    WS_MAX_CONTROL_BYTES = 125,
};

enum ws_opcode {
    WS_CONTINUATION = 0,
    WS_TEXT = 1,
    WS_BINARY = 2,
    WS_CLOSE = 8,
    WS_PING = 9,
    WS_PONG = 10,
};

enum ws_item_kind {
    WS_ITEM_NONE,    /* not before there are more bytes */
    WS_ITEM_MESSAGE, /* data, is_text */
    WS_ITEM_PING,    /* data is to be sent back */
    WS_ITEM_PONG,
    WS_ITEM_CLOSE,  /* data is to be sent back; code. Nothing may follow */
    WS_ITEM_BROKEN, /* the connection must be failed with code: what follows makes no sense */
};

struct ws_item {
    enum ws_item_kind kind;
    bool is_text;
    const char *data; /* until the next call */
    size_t len;
    int code;
};

/* Up to len bytes of what the peer sent; 0 for none now. */
typedef size_t ws_read_fn(void *arg, uint8_t *out, size_t len);

struct ws_codec;
struct ws_codec *ws_codec_create(size_t max_message_bytes, ws_read_fn *read, void *arg);
void ws_codec_destroy(struct ws_codec *codec); /* accepts NULL */
/* The next thing the peer says, as soon as its bytes are there. Not to be called after CLOSE or BROKEN. */
void ws_codec_next(struct ws_codec *codec, struct ws_item *out);
/* A message has begun whose end has not come. */
bool ws_codec_is_amid(const struct ws_codec *codec);
/* Appends one whole frame; len up to WS_MAX_CONTROL_BYTES for CLOSE, PING and PONG. */
void ws_codec_put(struct ws_codec *codec, struct buf *out, enum ws_opcode opcode, const void *data, size_t len);

#endif
