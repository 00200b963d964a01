/* ws_codec: RFC 6455 over libwslay's frames. libwslay parses and builds frames, and refuses control frames that are too
 * long or in fragments and lengths that are not the shortest; all else is here. Its messages (wslay_event_…) are not
 * used: 1.1.1 sends an empty close frame for some errors, checks the text of a close frame wrongly when that comes in
 * pieces, takes one of a single byte, and queues answers to pings without a limit. */
#include "http/ws_codec.h"

#include <string.h>
#include <wslay/wslay.h>

#include "base/mem.h"

enum { KEPT_MESSAGE_BYTES = 4096 };

/* Text that comes in pieces: how many bytes the character at hand still lacks, and the range of the next one. */
struct text_check {
    uint8_t lacking, low, high;
};

struct ws_codec {
    wslay_frame_context_ptr frames;
    ws_read_fn *read;
    void *arg;
    size_t max_message_bytes;
    bool is_dry;     /* the last read gave nothing */
    struct buf *out; /* while a frame is put */
    /* The frame at hand. */
    bool is_in_frame;
    uint64_t frame_left;
    char control[WS_MAX_CONTROL_BYTES];
    size_t control_len;
    /* The message at hand: between its frames, control frames may come. */
    bool is_in_message, is_text, is_delivered;
    struct buf message;
    struct text_check text;
};

/* The ranges of second bytes are those of RFC 3629 section 4. */
static bool text_begins(struct text_check *check, uint8_t byte) {
    *check = (struct text_check){.low = 0x80, .high = 0xbf};
    if (byte < 0x80)
        return true;
    if (byte < 0xc2 || byte > 0xf4)
        return false;
    if (byte == 0xe0)
        check->low = 0xa0;
    else if (byte == 0xed)
        check->high = 0x9f;
    else if (byte == 0xf0)
        check->low = 0x90;
    else if (byte == 0xf4)
        check->high = 0x8f;
    check->lacking = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    return true;
}

static bool text_goes_on(struct text_check *check, const uint8_t *data, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (!check->lacking) {
            if (!text_begins(check, data[i]))
                return false;
        } else if (data[i] < check->low || data[i] > check->high) {
            return false;
        } else {
            check->lacking--;
            check->low = 0x80;
            check->high = 0xbf;
        }
    }
    return true;
}

static ssize_t on_recv(uint8_t *out, size_t len, int flags, void *arg) {
    struct ws_codec *codec = arg;
    size_t got = codec->read(codec->arg, out, len);

    codec->is_dry = got == 0;
    return got ? (ssize_t)got : -1;
}

static ssize_t on_send(const uint8_t *data, size_t len, int flags, void *arg) {
    struct ws_codec *codec = arg;
    buf_put(codec->out, data, len);
    return (ssize_t)len;
}

struct ws_codec *ws_codec_create(size_t max_message_bytes, ws_read_fn *read, void *arg) {
    const struct wslay_frame_callbacks callbacks = {.send_callback = on_send, .recv_callback = on_recv};
    struct ws_codec *codec = mem_alloc(sizeof(*codec));

    codec->max_message_bytes = max_message_bytes;
    codec->read = read;
    codec->arg = arg;
    if (wslay_frame_context_init(&codec->frames, &callbacks, codec))
        abort(); /* out of memory, as in mem_alloc */
    return codec;
}

void ws_codec_destroy(struct ws_codec *codec) {
    if (!codec)
        return;
    wslay_frame_context_free(codec->frames);
    buf_release(&codec->message);
    free(codec);
}

bool ws_codec_is_amid(const struct ws_codec *codec) {
    return codec->is_in_frame || (codec->is_in_message && !codec->is_delivered);
}

static void say_broken(struct ws_item *out, int code) {
    *out = (struct ws_item){.kind = WS_ITEM_BROKEN, .code = code};
}

/* libwslay hands a frame over with the first bytes of what it carries. */
static int frame_begins(struct ws_codec *codec, const struct wslay_frame_iocb *frame) {
    bool is_data = !wslay_is_ctrl_frame(frame->opcode);

    if (frame->rsv || !frame->mask)
        return WS_PROTOCOL_ERROR;
    switch (frame->opcode) {
    case WS_CONTINUATION:
        if (!codec->is_in_message)
            return WS_PROTOCOL_ERROR;
        break;
    case WS_TEXT:
    case WS_BINARY:
        if (codec->is_in_message)
            return WS_PROTOCOL_ERROR;
        codec->is_in_message = true;
        codec->is_text = frame->opcode == WS_TEXT;
        codec->text = (struct text_check){0};
        break;
    case WS_CLOSE:
    case WS_PING:
    case WS_PONG:
        codec->control_len = 0;
        break;
    default:
        return WS_PROTOCOL_ERROR;
    }
    if (is_data && frame->payload_length > codec->max_message_bytes - codec->message.len)
        return WS_TOO_BIG;
    codec->is_in_frame = true;
    codec->frame_left = frame->payload_length;
    return 0;
}

static int frame_goes_on(struct ws_codec *codec, const struct wslay_frame_iocb *frame) {
    codec->frame_left -= frame->data_length;
    if (wslay_is_ctrl_frame(frame->opcode)) {
        if (frame->data_length)
            memcpy(codec->control + codec->control_len, frame->data, frame->data_length);
        codec->control_len += frame->data_length;
        return 0;
    }
    if (codec->is_text && !text_goes_on(&codec->text, frame->data, frame->data_length))
        return WS_BAD_TEXT;
    buf_put(&codec->message, frame->data, frame->data_length);
    return 0;
}

/* 1004 has no meaning, 1005, 1006 and 1015 are no codes to be sent; 1012 to 1014 came with IANA's registry, the others
 * below 3000 belong to nobody yet. */
static bool may_be_sent(int code) {
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

static void say_close(struct ws_codec *codec, struct ws_item *out) {
    const uint8_t *data = (const uint8_t *)codec->control;
    struct text_check reason = {0};
    int code = WS_NO_CODE;

    if (codec->control_len >= 2)
        code = data[0] << 8 | data[1];
    if (codec->control_len == 1 || (codec->control_len && !may_be_sent(code))) {
        say_broken(out, WS_PROTOCOL_ERROR);
    } else if (codec->control_len && (!text_goes_on(&reason, data + 2, codec->control_len - 2) || reason.lacking)) {
        say_broken(out, WS_BAD_TEXT);
    } else {
        *out = (struct ws_item){.kind = WS_ITEM_CLOSE, .data = codec->control, .len = codec->control_len, .code = code};
    }
}

static void frame_ends(struct ws_codec *codec, const struct wslay_frame_iocb *frame, struct ws_item *out) {
    codec->is_in_frame = false;
    switch (frame->opcode) {
    case WS_CLOSE:
        say_close(codec, out);
        return;
    case WS_PING:
        *out = (struct ws_item){.kind = WS_ITEM_PING, .data = codec->control, .len = codec->control_len};
        return;
    case WS_PONG:
        *out = (struct ws_item){.kind = WS_ITEM_PONG, .data = codec->control, .len = codec->control_len};
        return;
    default:
        break;
    }
    if (!frame->fin)
        return;
    if (codec->is_text && codec->text.lacking) {
        say_broken(out, WS_BAD_TEXT);
        return;
    }
    codec->is_delivered = true;
    *out = (struct ws_item){.kind = WS_ITEM_MESSAGE,
                            .is_text = codec->is_text,
                            .data = codec->message.len ? codec->message.data : "",
                            .len = codec->message.len};
}

static void forget_message(struct ws_codec *codec) {
    codec->is_in_message = codec->is_delivered = false;
    if (codec->message.capacity > KEPT_MESSAGE_BYTES)
        buf_release(&codec->message);
    else
        buf_reset(&codec->message);
}

void ws_codec_next(struct ws_codec *codec, struct ws_item *out) {
    *out = (struct ws_item){.kind = WS_ITEM_NONE};
    if (codec->is_delivered)
        forget_message(codec);
    while (out->kind == WS_ITEM_NONE) {
        struct wslay_frame_iocb frame = {0};
        int code = 0;
        codec->is_dry = false;
        ssize_t got = wslay_frame_recv(codec->frames, &frame);
        if (got == WSLAY_ERR_WANT_READ && codec->is_dry)
            return;
        if (got == WSLAY_ERR_WANT_READ)
            continue; /* some bytes came, but not enough of them */
        if (got < 0)
            code = WS_PROTOCOL_ERROR;
        else if (!codec->is_in_frame)
            code = frame_begins(codec, &frame);
        if (!code)
            code = frame_goes_on(codec, &frame);
        if (code)
            say_broken(out, code);
        else if (!codec->frame_left)
            frame_ends(codec, &frame, out);
    }
}

void ws_codec_put(struct ws_codec *codec, struct buf *out, enum ws_opcode opcode, const void *data, size_t len) {
    struct wslay_frame_iocb frame = {
        .fin = 1, .opcode = opcode, .payload_length = len, .data = data, .data_length = len};

    codec->out = out;
    (void)wslay_frame_send(codec->frames, &frame); /* on_send takes all at once */
    codec->out = NULL;
}
