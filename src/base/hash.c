/* hash: SHA-256, random bytes and hex, by libsodium. */
#include "base/hash.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

static pthread_once_t sodium_once = PTHREAD_ONCE_INIT;

/* Without randomness no id and no key is safe to make: that is the end of the process, not an error. */
static void start_sodium(void) {
    if (sodium_init() < 0)
        abort();
}

char *hash_sha256_hex(char out[HASH_HEX_LEN], const void *data, size_t len) {
    unsigned char digest[crypto_hash_sha256_BYTES];
    (void)crypto_hash_sha256(digest, data, len);
    hash_hex(out, digest, sizeof(digest));
    return out;
}

void hash_random(void *out, size_t len) {
    (void)pthread_once(&sodium_once, start_sodium);
    randombytes_buf(out, len);
}

void hash_hex(char *out, const void *data, size_t len) {
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = data;
    for (size_t i = 0; i < len; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}

/* CRC-32 as in zip, gzip and PNG (ISO 3309: polynomial 0xEDB88320, reflected), four bits at a time. */
uint32_t hash_crc32(const void *data, size_t len) {
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    const unsigned char *bytes = data;
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

uint32_t hash_random_below(uint32_t bound) {
    (void)pthread_once(&sodium_once, start_sodium);
    return randombytes_uniform(bound);
}
