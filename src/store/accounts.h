/* accounts: rows of account and api_key. */
#ifndef STORE_ACCOUNTS_H
#define STORE_ACCOUNTS_H

#include "model/account.h"
#include "store/db.h"

MUST_CHECK int store_account_insert(struct db *db, const struct account *account, struct err *err);
MUST_CHECK int store_account_get(struct db *db, struct arena *arena, const char *id, struct account **out,
                                 struct err *err);
MUST_CHECK int store_account_count(struct db *db, int64_t *out, struct err *err);
/* The oldest account: the one made at first start. *out NULL if none. */
MUST_CHECK int store_account_first(struct db *db, struct arena *arena, struct account **out, struct err *err);

MUST_CHECK int store_key_insert(struct db *db, const struct api_key *key, struct err *err);
/* By SHA-256 hex of the presented key; revoked or expired ones are not found. */
MUST_CHECK int store_key_find(struct db *db, struct arena *arena, const char *hash, int64_t now_ms,
                              struct api_key **out, struct err *err);
MUST_CHECK int store_key_list(struct db *db, struct arena *arena, const char *account_id, struct api_key **rows,
                              size_t *count, struct err *err);
/* *revoked false when there is no such live key. */
MUST_CHECK int store_key_revoke(struct db *db, const char *id, int64_t now_ms, bool *revoked, struct err *err);
MUST_CHECK int store_key_touch(struct db *db, const char *id, int64_t now_ms, struct err *err);

#endif
