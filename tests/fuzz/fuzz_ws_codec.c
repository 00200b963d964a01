/* fuzz_ws_codec: the bytes of a WebSocket; they say the same however they are portioned. */
#include "fuzz.h"

#include "base/str.h"
#include "http/ws_codec.h"

enum { MAX_MESSAGE_BYTES = 2000 };

struct source {
    const uint8_t *data;
    size_t size, portion;
};

static size_t on_read(void *arg, uint8_t *out, size_t len) {
    struct source *source = arg;
    size_t given = source->size < source->portion ? source->size : source->portion;

    given = given < len ? given : len;
    if (!given)
        return 0;
    memcpy(out, source->data, given);
    source->data += given;
    source->size -= given;
    return given;
}

static void check_item(const struct ws_item *item) {
    size_t at = 0, step = 1;

    FUZZ_HOLDS(item->len <= MAX_MESSAGE_BYTES);
    for (; item->kind == WS_ITEM_MESSAGE && item->is_text && at < item->len && step; at += step)
        step = item->data[at] ? str_utf8_next(item->data + at, item->len - at) : 1;
    FUZZ_HOLDS(step);
}

static void read_all(const uint8_t *data, size_t size, size_t portion, struct buf *out) {
    struct source source = {data, size, portion};
    struct ws_codec *codec = ws_codec_create(MAX_MESSAGE_BYTES, on_read, &source);
    struct ws_item item;

    do {
        ws_codec_next(codec, &item);
        check_item(&item);
        buf_printf(out, "%d %d %d %zu ", item.kind, item.is_text, item.code, item.len);
        buf_put(out, item.data, item.len);
    } while (item.kind != WS_ITEM_NONE && item.kind != WS_ITEM_CLOSE && item.kind != WS_ITEM_BROKEN);
    ws_codec_destroy(codec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    CLEANUP(buf_release) struct buf whole = {0}, bytes = {0};

    read_all(data, size, SIZE_MAX, &whole);
    read_all(data, size, 1, &bytes);
    FUZZ_HOLDS(whole.len == bytes.len && memcmp(whole.data, bytes.data, whole.len) == 0);
    return 0;
}
