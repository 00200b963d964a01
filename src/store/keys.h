/* keys: rows of api_key. */
#ifndef STORE_KEYS_H
#define STORE_KEYS_H

#include "model/account.h"
#include "store/db.h"
#include "store/page.h"

MUST_CHECK int store_key_insert(struct db *db, const struct api_key *key, struct err *err);
/* On whose behalf a key comes, by SHA-256 hex of the key; *out NULL for a revoked, expired or unknown one. */
MUST_CHECK int store_key_identity(struct db *db, struct arena *arena, const char *hash, int64_t now_ms,
                                  struct identity **out, struct err *err);
/* *out NULL when the account has none of this id. */
MUST_CHECK int store_key_get(struct db *db, struct arena *arena, const char *id, const char *account_id,
                             struct api_key **out, struct err *err);
/* Newest first, revoked ones too; the second a page of them. */
MUST_CHECK int store_key_list(struct db *db, struct arena *arena, const char *account_id, struct api_key **rows,
                              size_t *count, struct err *err);
MUST_CHECK int store_key_page(struct db *db, struct arena *arena, const char *account_id, const struct page *page,
                              struct api_key **rows, size_t *count, int64_t *total, struct err *err);
/* *revoked false when there is no such live key. */
MUST_CHECK int store_key_revoke(struct db *db, const char *id, int64_t now_ms, bool *revoked, struct err *err);
MUST_CHECK int store_key_touch(struct db *db, const char *id, int64_t now_ms, struct err *err);

#endif
