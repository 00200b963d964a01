/* key: the text of API keys and session tokens. */
#include "model/key.h"

#include <string.h>

#include "base/hash.h"
#include "base/str.h"

enum { RANDOM_BYTES = 20, RANDOM_CHARS = 32, TAIL_CHARS = 6, TOKEN_BYTES = 32 };

static const char prefix[] = "pzm_";
static const char base32[] = "0123456789abcdefghjkmnpqrstvwxyz";

static void write_tail(char *out, const char *random) {
    uint32_t crc = hash_crc32(random, RANDOM_CHARS);
    for (int i = 0; i < TAIL_CHARS; i++)
        out[i] = base32[crc >> (5 * i) & 31];
    out[TAIL_CHARS] = '\0';
}

char *key_make(struct arena *arena) {
    unsigned char random[RANDOM_BYTES];
    char text[RANDOM_CHARS + 1], tail[TAIL_CHARS + 1];
    hash_random(random, sizeof random);
    for (int i = 0; i < RANDOM_CHARS; i++) {
        int bit = i * 5, byte = bit / 8, shift = bit % 8;
        unsigned pair = (unsigned)random[byte] << 8 | (byte + 1 < RANDOM_BYTES ? random[byte + 1] : 0);
        text[i] = base32[pair >> (11 - shift) & 31];
    }
    text[RANDOM_CHARS] = '\0';
    write_tail(tail, text);
    return arena_printf(arena, "%s%s%s", prefix, text, tail);
}

bool key_is_sound(const char *text) {
    char tail[TAIL_CHARS + 1];
    if (!text || !str_starts(text, prefix) || strlen(text) != sizeof prefix - 1 + RANDOM_CHARS + TAIL_CHARS)
        return false;
    write_tail(tail, text + sizeof prefix - 1);
    return str_eq(tail, text + sizeof prefix - 1 + RANDOM_CHARS);
}

const char *key_hint(const char *text) {
    return str_tail(text, 4);
}

char *session_token_make(struct arena *arena) {
    unsigned char random[TOKEN_BYTES];
    char *text = arena_alloc(arena, 2 * TOKEN_BYTES + 1);
    hash_random(random, sizeof random);
    hash_hex(text, random, sizeof random);
    return text;
}

bool session_token_is_sound(const char *text) {
    return text && strlen(text) == 2 * TOKEN_BYTES && strspn(text, "0123456789abcdef") == 2 * TOKEN_BYTES;
}
