/* id: TypeIDs: a prefix, '_', and a UUIDv7 (RFC 9562) in 26 characters of Crockford base32. */
#include "base/id.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"

enum { SUFFIX_LEN = 26, UUID_BYTES = 16, LONGEST_PREFIX = ID_LEN - SUFFIX_LEN - 2 };

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

/* Guards last_ms and last_counter: what the newest id of this process was made of. */
static pthread_mutex_t last_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t last_ms;
static uint32_t last_counter;

/* RFC 9562, section 6.2, method 1: the 12 bits of rand_a count within a millisecond, from a random start whose top bit
 * is clear. When they run out, or the clock went back, the time of the newest id is kept or moved on instead. */
static void next_tick(uint64_t *ms, uint32_t *counter) {
    int64_t now = clock_now_ms();
    uint64_t now_ms = now > 0 ? (uint64_t)now : 0;
    uint32_t start = hash_random_below(0x800);

    (void)pthread_mutex_lock(&last_lock);
    if (now_ms > last_ms) {
        last_ms = now_ms;
        last_counter = start;
    } else if (last_counter < 0xfff) {
        last_counter++;
    } else {
        last_ms++;
        last_counter = start;
    }
    *ms = last_ms;
    *counter = last_counter;
    (void)pthread_mutex_unlock(&last_lock);
}

static void make_uuid(unsigned char uuid[UUID_BYTES]) {
    uint64_t ms;
    uint32_t counter;
    next_tick(&ms, &counter);
    for (int i = 0; i < 6; i++)
        uuid[i] = (unsigned char)(ms >> (40 - 8 * i));
    uuid[6] = (unsigned char)(0x70 | counter >> 8);
    uuid[7] = (unsigned char)counter;
    hash_random(uuid + 8, 8);
    uuid[8] = (unsigned char)(0x80 | (uuid[8] & 0x3f));
}

/* 130 bits in 26 digits of five: two zero bits come first, so that the first digit is at most 7. */
static void encode(char out[SUFFIX_LEN + 1], const unsigned char uuid[UUID_BYTES]) {
    uint32_t bits = 0;
    int bit_count = 2;
    for (int i = 0; i < UUID_BYTES; i++) {
        bits = bits << 8 | uuid[i];
        for (bit_count += 8; bit_count >= 5; bit_count -= 5)
            *out++ = alphabet[bits >> (bit_count - 5) & 31];
    }
    *out = '\0';
}

/* prefix is copied up to what fits; all of ours are at most eight letters. */
static char *put_id(char out[ID_LEN], const char *prefix, const unsigned char uuid[UUID_BYTES]) {
    size_t len = strnlen(prefix, LONGEST_PREFIX);
    memcpy(out, prefix, len);
    out[len] = '_';
    encode(out + len + 1, uuid);
    return out;
}

char *id_make(char out[ID_LEN], const char *prefix) {
    unsigned char uuid[UUID_BYTES];
    make_uuid(uuid);
    return put_id(out, prefix, uuid);
}

bool id_is_valid(const char *id, const char *prefix) {
    size_t len = strlen(prefix);
    if (!id || len > LONGEST_PREFIX || strncmp(id, prefix, len) != 0 || id[len] != '_')
        return false;
    const char *suffix = id + len + 1;
    return strlen(suffix) == SUFFIX_LEN && strspn(suffix, alphabet) == SUFFIX_LEN && suffix[0] <= '7';
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* 8-4-4-4-12 hex digits. */
static bool parse_uuid(unsigned char uuid[UUID_BYTES], const char *text) {
    int digits = 0;
    memset(uuid, 0, UUID_BYTES);
    for (int i = 0; i < 36; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text[i] != '-')
                return false;
            continue;
        }
        int value = hex_value(text[i]);
        if (value < 0)
            return false;
        uuid[digits / 2] = (unsigned char)(uuid[digits / 2] << 4 | value);
        digits++;
    }
    return text[36] == '\0';
}

bool id_parse(char out[ID_LEN], const char *text, const char *prefix) {
    unsigned char uuid[UUID_BYTES];
    if (!text)
        return false;
    if (id_is_valid(text, prefix)) {
        memcpy(out, text, strlen(text) + 1);
        return true;
    }
    if (!parse_uuid(uuid, text))
        return false;
    (void)put_id(out, prefix, uuid);
    return true;
}
