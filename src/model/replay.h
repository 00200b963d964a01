/* replay: what a request with an Idempotency-Key did, so that its repeat is answered alike. */
#ifndef MODEL_REPLAY_H
#define MODEL_REPLAY_H

#include <stdint.h>

#include "base/hash.h"
#include "base/id.h"

#define REPLAY_LIFE_MS (24 * 60 * 60 * 1000LL)

struct replay {
    char account_id[ID_LEN];
    char key_hash[HASH_HEX_LEN];    /* SHA-256 of the key; the key itself is never stored */
    char fingerprint[HASH_HEX_LEN]; /* SHA-256 of what was asked */
    int64_t status;                 /* of the answer; 0: it took effect, and is not answered yet */
    int64_t created_ms;
    const char *body; /* of the answer, sealed; NULL while status is 0 */
};

#endif
