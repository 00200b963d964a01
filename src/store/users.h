/* users: rows of account_user and session. */
#ifndef STORE_USERS_H
#define STORE_USERS_H

#include "model/account.h"
#include "store/db.h"

/* ERR_CONFLICT when another user has the e-mail address. */
MUST_CHECK int store_user_insert(struct db *db, const struct user *user, struct err *err);
/* *out NULL when there is none. email in lower case. */
MUST_CHECK int store_user_get(struct db *db, struct arena *arena, const char *id, struct user **out, struct err *err);
MUST_CHECK int store_user_by_email(struct db *db, struct arena *arena, const char *email, struct user **out,
                                   struct err *err);
MUST_CHECK int store_user_logged_in(struct db *db, const char *id, int64_t now_ms, struct err *err);

MUST_CHECK int store_session_insert(struct db *db, const struct session *session, struct err *err);
/* On whose behalf a session comes; *out NULL for an unknown or expired one. */
MUST_CHECK int store_session_identity(struct db *db, struct arena *arena, const char *hash, int64_t now_ms,
                                      struct identity **out, struct err *err);
MUST_CHECK int store_session_delete(struct db *db, const char *hash, struct err *err);
MUST_CHECK int store_session_delete_expired(struct db *db, int64_t now_ms, struct err *err);

#endif
