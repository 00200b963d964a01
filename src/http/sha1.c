/* sha1: the hash of the WebSocket handshake, which proves nothing but that the server read the key. FIPS 180-4. */
#include <string.h>

#include "http/internal.h"

enum { BLOCK = 64 };

static uint32_t rotate(uint32_t x, unsigned bits) {
    return x << bits | x >> (32 - bits);
}

static void mix(uint32_t state[5], const uint8_t block[BLOCK]) {
    uint32_t words[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];

    for (size_t i = 0; i < 16; i++)
        words[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 |
                   block[4 * i + 3];
    for (size_t i = 16; i < 80; i++)
        words[i] = rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    for (size_t i = 0; i < 80; i++) {
        uint32_t chosen, added;
        if (i < 20)
            chosen = (b & c) | (~b & d), added = 0x5a827999;
        else if (i < 40)
            chosen = b ^ c ^ d, added = 0x6ed9eba1;
        else if (i < 60)
            chosen = (b & c) | (b & d) | (c & d), added = 0x8f1bbcdc;
        else
            chosen = b ^ c ^ d, added = 0xca62c1d6;
        uint32_t next = rotate(a, 5) + chosen + e + added + words[i];
        e = d, d = c, c = rotate(b, 30), b = a, a = next;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

void sha1(const void *data, size_t len, uint8_t out[SHA1_BYTES]) {
    uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    const uint8_t *at = data;
    uint8_t block[BLOCK];
    size_t left = len;

    for (; left >= BLOCK; at += BLOCK, left -= BLOCK)
        mix(state, at);
    memset(block, 0, sizeof(block));
    memcpy(block, at, left);
    block[left] = 0x80;
    if (left >= BLOCK - 8) {
        mix(state, block);
        memset(block, 0, sizeof(block));
    }
    for (size_t i = 0; i < 8; i++)
        block[BLOCK - 1 - i] = (uint8_t)((uint64_t)len * 8 >> (8 * i));
    mix(state, block);
    for (size_t i = 0; i < SHA1_BYTES; i++)
        out[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}
