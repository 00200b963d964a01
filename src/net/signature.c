/* signature: how a webhook's receiver knows who sent it. */
#include "net/signature.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"

#define PREFIX "whsec_"

enum {
    MADE_BYTES = 32,
    MIN_BYTES = 24,
    MAX_BYTES = 64,
    VARIANT = sodium_base64_VARIANT_ORIGINAL,
};

/* Bytes of the key; 0 when it is none. */
static size_t decode(const char *secret, unsigned char key[MAX_BYTES]) {
    const char *text = secret + strlen(PREFIX);
    size_t len = 0;
    if (!str_starts(secret, PREFIX) || sodium_base642bin(key, MAX_BYTES, text, strlen(text), NULL, &len, NULL, VARIANT))
        return 0;
    return len >= MIN_BYTES ? len : 0;
}

bool net_secret_is_valid(const char *secret) {
    unsigned char key[MAX_BYTES];
    bool is_valid = decode(secret, key) > 0;
    sodium_memzero(key, sizeof(key));
    return is_valid;
}

char *net_secret_make(struct arena *arena) {
    unsigned char key[MADE_BYTES];
    char text[sodium_base64_ENCODED_LEN(MADE_BYTES, VARIANT)];
    hash_random(key, sizeof(key));
    sodium_bin2base64(text, sizeof(text), key, sizeof(key), VARIANT);
    sodium_memzero(key, sizeof(key));
    return arena_printf(arena, PREFIX "%s", text);
}

char *net_signature(struct arena *arena, const char *secret, const char *id, int64_t time_s, const char *body,
                    size_t body_len) {
    unsigned char key[MAX_BYTES], mac[crypto_auth_hmacsha256_BYTES];
    char text[sodium_base64_ENCODED_LEN(crypto_auth_hmacsha256_BYTES, VARIANT)];
    const char *head = arena_printf(arena, "%s.%lld.", id, (long long)time_s);
    crypto_auth_hmacsha256_state state;
    size_t key_len = decode(secret, key);

    assert(key_len > 0);
    crypto_auth_hmacsha256_init(&state, key, key_len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)head, strlen(head));
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)body, body_len);
    crypto_auth_hmacsha256_final(&state, mac);
    sodium_memzero(key, sizeof(key));
    sodium_bin2base64(text, sizeof(text), mac, sizeof(mac), VARIANT);
    return arena_printf(arena, "v1,%s", text);
}
