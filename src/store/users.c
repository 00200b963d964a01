/* users: rows of account_user and session. */
#include "store/users.h"

#include "store/rows.h"

#define USER_COLUMNS "id, account_id, email, name, role, password_hash, created_ms, last_login_ms"

static int read_user(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct user *user = row;
    db_copy(stmt, 0, user->id, sizeof(user->id));
    db_copy(stmt, 1, user->account_id, sizeof(user->account_id));
    user->email = db_text(stmt, 2, arena);
    user->name = db_text(stmt, 3, arena);
    user->role = db_text(stmt, 4, arena);
    user->password_hash = db_text(stmt, 5, arena);
    user->created_ms = db_int(stmt, 6);
    user->last_login_ms = db_int(stmt, 7);
    return 0;
}

int store_user_insert(struct db *db, const struct user *user, struct err *err) {
    int64_t changes = 0;
    int result = db_run(db, &changes, err,
                        "INSERT INTO account_user (" USER_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
                        " ON CONFLICT (email) DO NOTHING",
                        "ttttttii", user->id, user->account_id, user->email, user->name, user->role,
                        user->password_hash, user->created_ms, user->last_login_ms);
    if (!result && changes == 0)
        return err_field(err, ERR_CONFLICT, "email", "There is a user with this e-mail address already");
    return rows_named(result, err, "store user %s", user->id);
}

int store_user_get(struct db *db, struct arena *arena, const char *id, struct user **out, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err, "SELECT " USER_COLUMNS " FROM account_user WHERE id = $1", "t", id);
    if (!result)
        result = rows_one(stmt, arena, sizeof(**out), read_user, (void **)out, err);
    return rows_named(result, err, "read user %s", id);
}

int store_user_by_email(struct db *db, struct arena *arena, const char *email, struct user **out, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err, "SELECT " USER_COLUMNS " FROM account_user WHERE email = $1", "t", email);
    if (!result)
        result = rows_one(stmt, arena, sizeof(**out), read_user, (void **)out, err);
    return rows_named(result, err, "find a user");
}

int store_user_logged_in(struct db *db, const char *id, int64_t now_ms, struct err *err) {
    int result = db_run(db, NULL, err, "UPDATE account_user SET last_login_ms = $2 WHERE id = $1", "ti", id, now_ms);
    return rows_named(result, err, "note the login of user %s", id);
}

int store_session_insert(struct db *db, const struct session *session, struct err *err) {
    int result =
        db_run(db, NULL, err, "INSERT INTO session (hash, user_id, created_ms, expires_ms) VALUES ($1, $2, $3, $4)",
               "ttii", session->hash, session->user_id, session->created_ms, session->expires_ms);
    return rows_named(result, err, "store a session of user %s", session->user_id);
}

static int read_identity(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct identity *identity = row;
    db_copy(stmt, 0, identity->user_id, sizeof(identity->user_id));
    db_copy(stmt, 1, identity->account_id, sizeof(identity->account_id));
    identity->role = db_text(stmt, 2, arena);
    identity->tier = db_text(stmt, 3, arena);
    identity->is_suspended = db_int(stmt, 4) > 0;
    return 0;
}

int store_session_identity(struct db *db, struct arena *arena, const char *hash, int64_t now_ms, struct identity **out,
                           struct err *err) {
    struct db_stmt *stmt;
    int result =
        db_query(db, &stmt, err,
                 "SELECT u.id, u.account_id, u.role, a.tier, a.suspended_ms"
                 " FROM session s JOIN account_user u ON u.id = s.user_id JOIN account a ON a.id = u.account_id"
                 " WHERE s.hash = $1 AND s.expires_ms > $2",
                 "ti", hash, now_ms);
    if (!result)
        result = rows_one(stmt, arena, sizeof(**out), read_identity, (void **)out, err);
    return rows_named(result, err, "find a session");
}

int store_session_delete(struct db *db, const char *hash, struct err *err) {
    int result = db_run(db, NULL, err, "DELETE FROM session WHERE hash = $1", "t", hash);
    return rows_named(result, err, "end a session");
}

int store_session_delete_expired(struct db *db, int64_t now_ms, struct err *err) {
    int result = db_run(db, NULL, err, "DELETE FROM session WHERE expires_ms <= $1", "i", now_ms);
    return rows_named(result, err, "delete expired sessions");
}
