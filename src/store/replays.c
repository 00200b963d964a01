/* replays: rows of replay. */
#include "store/replays.h"

#include "store/rows.h"

static int read_replay(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct replay *replay = row;
    db_copy(stmt, 0, replay->account_id, sizeof(replay->account_id));
    db_copy(stmt, 1, replay->key_hash, sizeof(replay->key_hash));
    db_copy(stmt, 2, replay->fingerprint, sizeof(replay->fingerprint));
    replay->status = db_int(stmt, 3);
    replay->created_ms = db_int(stmt, 4);
    replay->body = db_text(stmt, 5, arena);
    return 0;
}

int store_replay_get(struct db *db, struct arena *arena, const char *account_id, const char *key_hash, int64_t now_ms,
                     struct replay **out, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err,
                          "SELECT account_id, key_hash, fingerprint, status, created_ms, body FROM replay"
                          " WHERE account_id = $1 AND key_hash = $2 AND created_ms > $3",
                          "tti", account_id, key_hash, now_ms - REPLAY_LIFE_MS);
    if (!result)
        result = rows_one(stmt, arena, sizeof(**out), read_replay, (void **)out, err);
    return rows_named(result, err, "find a replay");
}

int store_replay_claim(struct db *db, const struct replay *replay, bool *is_new, struct err *err) {
    int64_t changes = 0;
    int result =
        db_run(db, NULL, err, "DELETE FROM replay WHERE account_id = $1 AND key_hash = $2 AND created_ms <= $3", "tti",
               replay->account_id, replay->key_hash, replay->created_ms - REPLAY_LIFE_MS);
    if (!result)
        result = db_run(db, &changes, err,
                        "INSERT INTO replay (account_id, key_hash, fingerprint, status, created_ms)"
                        " VALUES ($1, $2, $3, 0, $4) ON CONFLICT (account_id, key_hash) DO NOTHING",
                        "ttti", replay->account_id, replay->key_hash, replay->fingerprint, replay->created_ms);
    if (!result)
        *is_new = changes > 0;
    return rows_named(result, err, "claim an Idempotency-Key");
}

int store_replay_answer(struct db *db, const struct replay *replay, struct err *err) {
    int64_t changes = 0;
    int result =
        db_run(db, &changes, err, "UPDATE replay SET status = $3, body = $4 WHERE account_id = $1 AND key_hash = $2",
               "ttit", replay->account_id, replay->key_hash, replay->status, replay->body);
    if (!result)
        result = rows_touched(changes, "replay", replay->key_hash, err);
    return rows_named(result, err, "store an answer");
}

int store_replay_delete_old(struct db *db, int64_t now_ms, int64_t *deleted, struct err *err) {
    int result = db_run(db, deleted, err,
                        "DELETE FROM replay WHERE (account_id, key_hash) IN"
                        " (SELECT account_id, key_hash FROM replay WHERE created_ms <= $1"
                        "  ORDER BY created_ms LIMIT 1000)",
                        "i", now_ms - REPLAY_LIFE_MS);
    return rows_named(result, err, "delete old replays");
}
