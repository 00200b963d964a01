/* replays: rows of replay. */
#ifndef STORE_REPLAYS_H
#define STORE_REPLAYS_H

#include "model/replay.h"
#include "store/db.h"

/* *out is NULL when the account has none under this key that is younger than REPLAY_LIFE_MS. */
MUST_CHECK int store_replay_get(struct db *db, struct arena *arena, const char *account_id, const char *key_hash,
                                int64_t now_ms, struct replay **out, struct err *err);
/* Stores one without an answer, unless there is one under its key already: then *is_new is false. */
MUST_CHECK int store_replay_claim(struct db *db, const struct replay *replay, bool *is_new, struct err *err);
/* Writes status and body. */
MUST_CHECK int store_replay_answer(struct db *db, const struct replay *replay, struct err *err);
/* At most 1000 of those that are too old. */
MUST_CHECK int store_replay_delete_old(struct db *db, int64_t now_ms, int64_t *deleted, struct err *err);

#endif
