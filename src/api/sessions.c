/* sessions: users register, log in and out, and ask who they are. */
#include <stdio.h>
#include <string.h>

#include "api/auth.h"
#include "api/handlers.h"
#include "api/keys.h"
#include "api/limits.h"
#include "api/users.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/password.h"
#include "base/str.h"
#include "model/key.h"
#include "store/accounts.h"
#include "store/keys.h"
#include "store/users.h"

#define TRIES_PER_MINUTE 10 /* for an e-mail address, and for an address of the network */

/* ---- Tries ---- */

struct tries {
    char email[320], address[80];
};

static int count_try(struct api_call *call, const char *name, struct err *err) {
    struct allowance allowance = limits_take(call->api->attempts, name, TRIES_PER_MINUTE, 1, clock_mono_ms());
    if (!allowance.is_over)
        return 0;
    return auth_refuse_rate(call, &allowance, "Too many attempts at a password", err);
}

/* Counted before the password is looked at, so that a burst at once gets no more than one after another. */
static int begin_try(struct api_call *call, const char *email, struct tries *tries, struct err *err) {
    char hash[HASH_HEX_LEN];
    snprintf(tries->email, sizeof tries->email, "email:%s", hash_sha256_hex(hash, email, strlen(email)));
    snprintf(tries->address, sizeof tries->address, "address:%s", auth_peer(call));
    int rc = count_try(call, tries->address, err);
    return rc < 0 ? rc : count_try(call, tries->email, err);
}

/* One that succeeded was no guess. */
static void forgive_try(struct api_call *call, const struct tries *tries) {
    limits_give_back(call->api->attempts, tries->email, clock_mono_ms());
    limits_give_back(call->api->attempts, tries->address, clock_mono_ms());
}

/* ---- Answers ---- */

static void set_cookie(struct api_call *call, const char *token, int64_t life_s) {
    http_reply_header(call->reply, "Set-Cookie",
                      arena_printf(call->arena, "%s=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Lax%s", SESSION_COOKIE,
                                   token, (long long)life_s, auth_is_tls(call) ? "; Secure" : ""));
}

static void present_account(struct jw *jw, const struct account *account) {
    jw_object(jw);
    jw_kstr(jw, "id", account->id);
    jw_kstr(jw, "name", account->name);
    jw_kstr(jw, "tier", account->tier);
    jw_ktime(jw, "createdAt", account->created_ms);
    jw_object_end(jw);
}

static void present_key_in_short(struct jw *jw, const struct api_key *key) {
    jw_object(jw);
    jw_kstr(jw, "id", key->id);
    jw_kstr(jw, "name", key->name);
    jw_kstr(jw, "hint", key->hint);
    jw_kstr(jw, "role", key->role);
    jw_object_end(jw);
}

static void reply_who(struct api_call *call, const struct account *account, const struct user *user,
                      const struct api_key *key, int status) {
    struct buf out;
    struct jw jw;
    reply_data(&out, &jw);
    jw_object(&jw);
    jw_key(&jw, "user");
    if (user)
        present_user(&jw, user);
    else
        jw_null(&jw);
    jw_key(&jw, "account");
    present_account(&jw, account);
    jw_key(&jw, "apiKey");
    if (key)
        present_key_in_short(&jw, key);
    else
        jw_null(&jw);
    jw_object_end(&jw);
    reply_data_end(call, &out, &jw, status);
}

/* ---- Sessions ---- */

struct session_call {
    struct account *account; /* to be made with the user; NULL: both are there */
    struct user *user;
    struct session session;
};

static int begin_in_tx(struct db *db, void *arg, struct err *err) {
    struct session_call *call = arg;
    int rc = call->account ? store_account_insert(db, call->account, err) : 0;
    if (rc == 0 && call->account)
        rc = store_user_insert(db, call->user, err);
    if (rc == 0)
        rc = store_session_delete_expired(db, call->session.created_ms, err);
    if (rc == 0)
        rc = store_user_logged_in(db, call->user->id, call->session.created_ms, err);
    return rc < 0 ? rc : store_session_insert(db, &call->session, err);
}

/* Begins a session of the user, who is made with the account when that is given. */
static int begin_session(struct api_call *call, struct account *account, struct user *user, struct err *err) {
    const char *token = session_token_make(call->arena);
    int64_t now_ms = clock_now_ms();
    struct session_call session = {
        .account = account,
        .user = user,
        .session = {.created_ms = now_ms, .expires_ms = now_ms + SESSION_LIFE_MS},
    };
    hash_sha256_hex(session.session.hash, token, strlen(token));
    (void)str_copy(session.session.user_id, ID_LEN, user->id);
    int rc = store_write(engine_store(call->engine), begin_in_tx, &session, err);
    if (rc == 0)
        set_cookie(call, token, SESSION_LIFE_MS / 1000);
    return rc;
}

int session_register(struct api_call *call, struct err *err) {
    struct tries tries;
    if (call->api->is_registration_off)
        return err_set(err, ERR_FORBIDDEN, "This server makes accounts by its administrator alone");
    const char *email = checked_email(call, call_text(call, "email"));
    int rc = call_check(call, err);
    if (rc == 0)
        rc = auth_same_site(call->request, err);
    if (rc == 0)
        rc = begin_try(call, email, &tries, err);
    if (rc < 0)
        return rc;
    const char *name = str_or(call_text(call, "name"), email);
    struct account account = {
        .name = str_or(call_text(call, "accountName"), name), .tier = "free", .created_ms = clock_now_ms()};
    struct user user = {.email = email, .name = name, .role = "member", .created_ms = account.created_ms};
    id_make(account.id, "acct");
    id_make(user.id, "user");
    (void)str_copy(user.account_id, ID_LEN, account.id);
    rc = password_hash(call_text(call, "password"), call->arena, &user.password_hash, err);
    if (rc == 0)
        rc = begin_session(call, &account, &user, err);
    if (rc < 0)
        return rc;
    forgive_try(call, &tries);
    reply_who(call, &account, &user, NULL, 201);
    return 0;
}

int session_login(struct api_call *call, struct err *err) {
    struct tries tries;
    struct user *user = NULL;
    struct account *account = NULL;
    bool matches = false;
    const char *email = str_lower(call->arena, call_text(call, "email"));
    int rc = auth_same_site(call->request, err);
    if (rc == 0)
        rc = begin_try(call, email, &tries, err);
    if (rc == 0)
        rc = store_user_by_email(call->db, call->arena, email, &user, err);
    if (rc == 0)
        rc = password_verify(user ? user->password_hash : NULL, call_text(call, "password"), &matches, err);
    if (rc == 0 && !matches)
        return err_set(err, ERR_UNAUTHORIZED, "E-mail address or password is wrong");
    if (rc == 0)
        rc = store_account_get(call->db, call->arena, user->account_id, &account, err);
    if (rc < 0)
        return rc;
    if (account->suspended_ms)
        return err_set(err, ERR_FORBIDDEN, "The account is suspended");
    rc = begin_session(call, NULL, user, err);
    if (rc < 0)
        return rc;
    forgive_try(call, &tries);
    reply_who(call, account, user, NULL, 200);
    return 0;
}

static int end_in_tx(struct db *db, void *arg, struct err *err) {
    return store_session_delete(db, arg, err);
}

/* Whoever has no session, or one that ended, is logged out already. */
int session_logout(struct api_call *call, struct err *err) {
    const char *token = http_request_cookie(call->request, SESSION_COOKIE);
    char hash[HASH_HEX_LEN];
    struct buf out;
    struct jw jw;
    int rc = auth_same_site(call->request, err);
    if (rc == 0 && session_token_is_sound(token))
        rc = store_write(engine_store(call->engine), end_in_tx, hash_sha256_hex(hash, token, strlen(token)), err);
    if (rc < 0)
        return rc;
    set_cookie(call, "", 0);
    reply_data(&out, &jw);
    jw_object(&jw);
    jw_kbool(&jw, "loggedOut", true);
    jw_object_end(&jw);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}

int session_me(struct api_call *call, struct err *err) {
    const struct identity *who = call->identity;
    struct account *account = NULL;
    struct user *user = NULL;
    struct api_key *key = NULL;
    int rc = store_account_get(call->db, call->arena, who->account_id, &account, err);
    if (rc == 0 && who->user_id[0])
        rc = store_user_get(call->db, call->arena, who->user_id, &user, err);
    if (rc == 0 && who->key_id[0])
        rc = store_key_get(call->db, call->arena, who->key_id, who->account_id, &key, err);
    if (rc == 0)
        reply_who(call, account, user, key, 200);
    return rc;
}
