/* str: small questions about strings. */
#include "base/str.h"

#include <sodium.h>
#include <string.h>

#include "base/arena.h"

bool str_eq(const char *a, const char *b) {
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool str_starts(const char *text, const char *prefix) {
    return text && prefix && strncmp(text, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *text, const char *suffix) {
    if (!text || !suffix)
        return false;
    size_t text_len = strlen(text), suffix_len = strlen(suffix);
    return suffix_len <= text_len && memcmp(text + text_len - suffix_len, suffix, suffix_len) == 0;
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool str_contains_nocase(const char *text, const char *part) {
    if (!text || !part)
        return false;
    for (;; text++) {
        size_t i = 0;
        while (part[i] && lower(text[i]) == lower(part[i]))
            i++;
        if (!part[i])
            return true;
        if (!*text)
            return false;
    }
}

bool str_copy(char *out, size_t out_size, const char *text) {
    if (out_size == 0)
        return false;
    size_t len = text ? strlen(text) : 0;
    bool is_whole = len < out_size;
    if (!is_whole)
        len = out_size - 1;
    memcpy(out, text ? text : "", len);
    out[len] = '\0';
    return is_whole;
}

bool str_to_int(const char *text, int64_t min, int64_t max, int64_t *out) {
    if (!text)
        return false;
    bool is_negative = *text == '-';
    text += is_negative;
    if (!*text)
        return false;
    int64_t value = 0;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        int digit = *text - '0';
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, is_negative ? -digit : digit, &value))
            return false;
    }
    if (value < min || value > max)
        return false;
    *out = value;
    return true;
}

size_t str_utf8_next(const char *text, size_t len) {
    const unsigned char *b = (const unsigned char *)text;
    if (len == 0)
        return 0;
    if (b[0] < 0x80)
        return 1;
    if (b[0] < 0xc2 || b[0] > 0xf4)
        return 0;
    /* The second byte's range excludes overlong forms, surrogates and what is above U+10FFFF (RFC 3629, section 4). */
    unsigned char low = 0x80, high = 0xbf;
    size_t size = b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4;
    if (b[0] == 0xe0)
        low = 0xa0;
    else if (b[0] == 0xed)
        high = 0x9f;
    else if (b[0] == 0xf0)
        low = 0x90;
    else if (b[0] == 0xf4)
        high = 0x8f;
    if (len < size || b[1] < low || b[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if ((b[i] & 0xc0) != 0x80)
            return 0;
    return size;
}

bool str_is_utf8(const char *text, size_t len) {
    if (!text)
        return false;
    while (len > 0) {
        size_t size = str_utf8_next(text, len);
        if (size == 0 || *text == '\0')
            return false;
        text += size;
        len -= size;
    }
    return true;
}

size_t str_utf8_len(const char *text) {
    size_t count = 0;
    for (; text && *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

size_t str_head_len(const char *text, size_t max_bytes) {
    size_t len = strnlen(text, max_bytes + 1);
    if (len <= max_bytes)
        return len;
    for (len = max_bytes; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
        len--;
    return len;
}

const char *str_tail(const char *text, size_t max_bytes) {
    size_t len = strlen(text);
    const char *at = len > max_bytes ? text + len - max_bytes : text;
    while (((unsigned char)*at & 0xc0) == 0x80)
        at++;
    return at;
}

char *str_mend(struct arena *arena, const char *text) {
    static const char replacement[] = "\xef\xbf\xbd";
    if (!text)
        return NULL;
    size_t left = strlen(text);
    char *copy = arena_alloc(arena, left * (sizeof(replacement) - 1) + 1), *out = copy;
    while (left > 0) {
        size_t size = str_utf8_next(text, left), taken = size ? size : 1;
        const char *from = size ? text : replacement;
        for (size_t i = 0; i < (size ? size : sizeof(replacement) - 1); i++)
            *out++ = from[i];
        text += taken;
        left -= taken;
    }
    *out = '\0';
    return copy;
}

char *str_trim(struct arena *arena, const char *text) {
    if (!text)
        return NULL;
    while (is_space(*text))
        text++;
    size_t len = strlen(text);
    while (len > 0 && is_space(text[len - 1]))
        len--;
    return arena_strndup(arena, text, len);
}

char *str_lower(struct arena *arena, const char *text) {
    char *copy = arena_strdup(arena, text);
    for (char *at = copy; at && *at; at++)
        *at = lower(*at);
    return copy;
}

char *str_slug(struct arena *arena, const char *text, size_t max_len, const char *fallback) {
    size_t text_len = text ? strlen(text) : 0;
    char *slug = arena_alloc(arena, (text_len < max_len ? text_len : max_len) + 1);
    size_t len = 0;
    bool is_gap = false;
    for (; text_len > 0 && len < max_len; text++, text_len--) {
        char c = lower(*text);
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9')) {
            is_gap = len > 0;
            continue;
        }
        if (is_gap) {
            if (len + 1 >= max_len)
                break;
            slug[len++] = '-';
            is_gap = false;
        }
        slug[len++] = c;
    }
    slug[len] = '\0';
    return len ? slug : arena_strdup(arena, fallback);
}

void str_split(struct arena *arena, const char *text, const char *separators, char ***out, size_t *count) {
    size_t parts = 0;
    text = str_or(text, "");
    for (const char *at = text + strspn(text, separators); *at; at += strspn(at, separators)) {
        at += strcspn(at, separators);
        parts++;
    }
    char **array = arena_array(arena, parts + 1, sizeof(*array));
    const char *at = text + strspn(text, separators);
    for (size_t i = 0; i < parts; i++) {
        size_t len = strcspn(at, separators);
        array[i] = arena_strndup(arena, at, len);
        at += len;
        at += strspn(at, separators);
    }
    *out = array;
    *count = parts;
}

bool str_eq_secret(const char *a, const char *b) {
    if (!a || !b)
        return false;
    size_t len = strlen(a);
    return len == strlen(b) && sodium_memcmp(a, b, len) == 0;
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool str_url_decode(char *text, bool plus_is_space) {
    char *out = text;
    for (; *text; text++) {
        if (*text == '+' && plus_is_space) {
            *out++ = ' ';
        } else if (*text == '%') {
            int high = hex_value(text[1]);
            int low = high < 0 ? -1 : hex_value(text[2]);
            if (low < 0 || (high == 0 && low == 0))
                return false;
            *out++ = (char)(high << 4 | low);
            text += 2;
        } else {
            *out++ = *text;
        }
    }
    *out = '\0';
    return true;
}

char *str_url_encode(struct arena *arena, const char *text) {
    static const char digits[] = "0123456789ABCDEF";
    static const char unreserved[] = "-._~"; /* RFC 3986, section 2.3, beside letters and digits */
    text = str_or(text, "");
    char *encoded = arena_array(arena, strlen(text) + 1, 3);
    char *out = encoded;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        char lowered = lower(*text);
        if ((lowered >= 'a' && lowered <= 'z') || (c >= '0' && c <= '9') || strchr(unreserved, c)) {
            *out++ = *text;
        } else {
            *out++ = '%';
            *out++ = digits[c >> 4];
            *out++ = digits[c & 15];
        }
    }
    *out = '\0';
    return encoded;
}
