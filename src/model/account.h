/* account: who owns projects, and the keys that open it. */
#ifndef MODEL_ACCOUNT_H
#define MODEL_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/id.h"

struct account {
    char id[ID_LEN];
    const char *name;
    const char *tier; /* "free", "pro", "enterprise" */
    int64_t created_ms;
    int64_t suspended_ms; /* 0: in use; its keys and sessions open nothing */
};

/* Who may ask: "member", or "admin", who may also administer the whole system. */
struct user {
    char id[ID_LEN];
    char account_id[ID_LEN];
    const char *email; /* lower case; unique */
    const char *name;
    const char *role;
    const char *password_hash; /* Argon2id, as crypto_pwhash_str writes it */
    int64_t created_ms, last_login_ms;
};

/* A signed-in browser. Its token is random and known to the browser alone. */
struct session {
    char hash[HASH_HEX_LEN]; /* SHA-256 of the token */
    char user_id[ID_LEN];
    int64_t created_ms, expires_ms;
};

/* On whose behalf a request comes: what its key or session says. */
struct identity {
    char account_id[ID_LEN];
    char user_id[ID_LEN]; /* "" for a key */
    char key_id[ID_LEN];  /* "" for a session */
    const char *tier, *role;
    bool is_suspended;    /* the account is */
    int64_t last_used_ms; /* of a key */
};

struct api_key {
    char id[ID_LEN];
    char account_id[ID_LEN];
    const char *name;
    const char *role;                                         /* "member", "admin" */
    char hash[HASH_HEX_LEN];                                  /* SHA-256 of the key; the key itself is never stored */
    const char *hint;                                         /* its last four characters */
    int64_t created_ms, last_used_ms, expires_ms, revoked_ms; /* 0: none */
};

#endif
