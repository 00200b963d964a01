/* hash: SHA-256, random bytes and hex, by libsodium. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_HEX_LEN 65

/* Lower-case hex of SHA-256. Returns out. */
char *hash_sha256_hex(char out[HASH_HEX_LEN], const void *data, size_t len);
void hash_random(void *out, size_t len);
/* len bytes as 2*len lower-case hex digits and a NUL. */
void hash_hex(char *out, const void *data, size_t len);
uint32_t hash_crc32(const void *data, size_t len);
/* Uniform in [0, bound). */
uint32_t hash_random_below(uint32_t bound);

#endif
