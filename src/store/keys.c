/* keys: rows of api_key. */
#include "store/keys.h"

#include "store/rows.h"

#define KEY_COLUMNS "id, account_id, name, role, hash, hint, created_ms, last_used_ms, expires_ms, revoked_ms"

static int read_key(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct api_key *key = row;
    db_copy(stmt, 0, key->id, sizeof(key->id));
    db_copy(stmt, 1, key->account_id, sizeof(key->account_id));
    key->name = db_text(stmt, 2, arena);
    key->role = db_text(stmt, 3, arena);
    db_copy(stmt, 4, key->hash, sizeof(key->hash));
    key->hint = db_text(stmt, 5, arena);
    key->created_ms = db_int(stmt, 6);
    key->last_used_ms = db_int(stmt, 7);
    key->expires_ms = db_int(stmt, 8);
    key->revoked_ms = db_int(stmt, 9);
    return 0;
}

int store_key_insert(struct db *db, const struct api_key *key, struct err *err) {
    int result =
        db_run(db, NULL, err, "INSERT INTO api_key (" KEY_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
               "ttttttiiii", key->id, key->account_id, key->name, key->role, key->hash, key->hint, key->created_ms,
               key->last_used_ms, key->expires_ms, key->revoked_ms);
    return rows_named(result, err, "store API key %s", key->id);
}

static int read_identity(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct identity *identity = row;
    db_copy(stmt, 0, identity->key_id, sizeof(identity->key_id));
    db_copy(stmt, 1, identity->account_id, sizeof(identity->account_id));
    identity->role = db_text(stmt, 2, arena);
    identity->last_used_ms = db_int(stmt, 3);
    identity->tier = db_text(stmt, 4, arena);
    identity->is_suspended = db_int(stmt, 5) > 0;
    return 0;
}

int store_key_identity(struct db *db, struct arena *arena, const char *hash, int64_t now_ms, struct identity **out,
                       struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err,
                          "SELECT k.id, k.account_id, k.role, k.last_used_ms, a.tier, a.suspended_ms"
                          " FROM api_key k JOIN account a ON a.id = k.account_id"
                          " WHERE k.hash = $1 AND k.revoked_ms = 0 AND (k.expires_ms = 0 OR k.expires_ms > $2)",
                          "ti", hash, now_ms);
    if (!result)
        result = rows_one(stmt, arena, sizeof(**out), read_identity, (void **)out, err);
    return rows_named(result, err, "find API key");
}

int store_key_get(struct db *db, struct arena *arena, const char *id, const char *account_id, struct api_key **out,
                  struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err, "SELECT " KEY_COLUMNS " FROM api_key WHERE id = $1 AND account_id = $2", "tt",
                          id, account_id);
    if (!result)
        result = rows_one(stmt, arena, sizeof(**out), read_key, (void **)out, err);
    return rows_named(result, err, "read API key %s", id);
}

int store_key_page(struct db *db, struct arena *arena, const char *account_id, const struct page *page,
                   struct api_key **rows, size_t *count, int64_t *total, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err, "SELECT COUNT(*) FROM api_key WHERE account_id = $1", "t", account_id);
    if (!result)
        result = rows_ints(stmt, total, 1, err);
    if (!result)
        result = db_query(db, &stmt, err,
                          "SELECT " KEY_COLUMNS " FROM api_key WHERE account_id = $1 AND id < $4"
                          " ORDER BY id DESC LIMIT $2 OFFSET $3",
                          "tiit", account_id, page->limit, page->offset, page->below_id);
    if (!result)
        result = rows_all(stmt, arena, sizeof(**rows), read_key, (void **)rows, count, err);
    return rows_named(result, err, "list API keys");
}

int store_key_list(struct db *db, struct arena *arena, const char *account_id, struct api_key **rows, size_t *count,
                   struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err, "SELECT " KEY_COLUMNS " FROM api_key WHERE account_id = $1 ORDER BY id DESC",
                          "t", account_id);
    if (!result)
        result = rows_all(stmt, arena, sizeof(**rows), read_key, (void **)rows, count, err);
    return rows_named(result, err, "list API keys");
}

int store_key_revoke(struct db *db, const char *id, int64_t now_ms, bool *revoked, struct err *err) {
    int64_t changes = 0;
    int result = db_run(db, &changes, err, "UPDATE api_key SET revoked_ms = $2 WHERE id = $1 AND revoked_ms = 0", "ti",
                        id, now_ms);
    if (!result)
        *revoked = changes > 0;
    return rows_named(result, err, "revoke API key %s", id);
}

int store_key_touch(struct db *db, const char *id, int64_t now_ms, struct err *err) {
    int result = db_run(db, NULL, err, "UPDATE api_key SET last_used_ms = $2 WHERE id = $1 AND last_used_ms < $2", "ti",
                        id, now_ms);
    return rows_named(result, err, "note the use of API key %s", id);
}
