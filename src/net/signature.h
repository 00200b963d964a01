/* signature: how a webhook's receiver knows who sent it. Source: Standard Webhooks 1.0.0
 * (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md, "Signature scheme"). */
#ifndef NET_SIGNATURE_H
#define NET_SIGNATURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

/* A new secret: "whsec_" and 32 random bytes in base64. */
char *net_secret_make(struct arena *arena);
/* "whsec_" and 24 to 64 bytes in base64 with its padding. */
bool net_secret_is_valid(const char *secret);
/* "v1," and the base64 of HMAC-SHA256 over "id.timestamp.body", under a secret that is valid. time_s: Unix seconds. */
char *net_signature(struct arena *arena, const char *secret, const char *id, int64_t time_s, const char *body,
                    size_t body_len);

#endif
