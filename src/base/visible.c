/* visible: text of others, as it may be shown to people. */
#include "base/visible.h"

#include <stdint.h>

#include "base/str.h"

#define LONGEST_BYTES 8 /* that one character comes to */

static uint32_t code_point(const char *text, size_t len) {
    const unsigned char *at = (const unsigned char *)text;
    if (len == 1)
        return at[0];
    uint32_t code = at[0] & (0xffU >> (len + 1));
    for (size_t i = 1; i < len; i++)
        code = code << 6 | (at[i] & 0x3fU);
    return code;
}

/* What would move the cursor, or turn the order of what a terminal or a page shows. */
static bool is_control(uint32_t code) {
    return (code < 0x20 && code != '\t') || (code >= 0x7f && code < 0xa0) || code == 0x61c ||
           (code >= 0x200e && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

void visible_put(struct buf *out, const char *text, size_t len, size_t max_bytes, bool keeps_lines) {
    size_t begin = out->len;
    for (size_t at = 0; at < len;) {
        size_t size = str_utf8_next(text + at, len - at);
        uint32_t code = size ? code_point(text + at, size) : 0xfffd;
        if (out->len - begin + LONGEST_BYTES > max_bytes) {
            buf_printf(out, " … (%zu more bytes)", len - at);
            return;
        }
        if (!size)
            buf_puts(out, "\xef\xbf\xbd");
        else if (is_control(code) && !(keeps_lines && code == '\n'))
            buf_printf(out, code < 0x100 ? "\\x%02x" : "\\u%04x", (unsigned)code);
        else
            buf_put(out, text + at, size);
        at += size ? size : 1;
    }
}
