/* seal: nonce and box as base64. */
#include "base/seal.h"

#include <sodium.h>
#include <string.h>

#include "base/hash.h"

enum { NONCE_LEN = crypto_secretbox_NONCEBYTES, OVERHEAD = NONCE_LEN + crypto_secretbox_MACBYTES };

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

static void make_key(unsigned char key[crypto_secretbox_KEYBYTES], const char *secret) {
    (void)crypto_generichash(key, crypto_secretbox_KEYBYTES, (const unsigned char *)secret, strlen(secret), NULL, 0);
}

char *seal_close(struct arena *arena, const char *secret, const char *text, size_t len) {
    unsigned char key[crypto_secretbox_KEYBYTES];
    unsigned char *box = arena_alloc(arena, OVERHEAD + len);
    size_t size = sodium_base64_encoded_len(OVERHEAD + len, BASE64);
    make_key(key, secret);
    hash_random(box, NONCE_LEN);
    (void)crypto_secretbox_easy(box + NONCE_LEN, (const unsigned char *)text, len, box, key);
    sodium_memzero(key, sizeof key);
    return sodium_bin2base64(arena_alloc(arena, size), size, box, OVERHEAD + len, BASE64);
}

char *seal_open(struct arena *arena, const char *secret, const char *sealed, size_t *len) {
    unsigned char key[crypto_secretbox_KEYBYTES];
    size_t size = strlen(sealed), box_len = 0;
    unsigned char *box = arena_alloc(arena, size + 1);
    if (sodium_base642bin(box, size + 1, sealed, size, NULL, &box_len, NULL, BASE64) != 0 || box_len < OVERHEAD)
        return NULL;
    char *text = arena_alloc(arena, box_len - OVERHEAD + 1);
    make_key(key, secret);
    int status = crypto_secretbox_open_easy((unsigned char *)text, box + NONCE_LEN, box_len - NONCE_LEN, box, key);
    sodium_memzero(key, sizeof key);
    if (status != 0)
        return NULL;
    text[box_len - OVERHEAD] = '\0';
    *len = box_len - OVERHEAD;
    return text;
}
