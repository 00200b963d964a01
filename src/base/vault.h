/* vault: secrets at rest, by libsodium's XChaCha20-Poly1305. */
#ifndef BASE_VAULT_H
#define BASE_VAULT_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

#define VAULT_KEY_BYTES 32

struct vault_key {
    unsigned char bytes[VAULT_KEY_BYTES];
};

/* 32 bytes as 64 hex digits or as base64, with or without its padding. */
MUST_CHECK int vault_key_parse(const char *text, struct vault_key *out, struct err *err);
/* The key in the file at path, which is made at first (mode 0600). ERR_FORBIDDEN when others may read the file: what
 * they have read does not keep secrets. */
MUST_CHECK int vault_key_file(const char *path, struct vault_key *out, struct err *err);
void vault_key_wipe(struct vault_key *key);

/* text under the key, as one line: "v1." and the base64 of nonce and ciphertext. context says what it is for ("secret
 * of acct_… named …"): it is not kept in the line, and it opens under the same context alone, so that nobody who can
 * write to the database can put one secret in another's place. */
char *vault_close(struct arena *arena, const struct vault_key *key, const char *context, const char *text);
/* ERR_FORBIDDEN when it was sealed under another key or for another context, or was changed. */
MUST_CHECK int vault_open(struct arena *arena, const struct vault_key *key, const char *context, const char *sealed,
                          char **text, struct err *err);

#endif
