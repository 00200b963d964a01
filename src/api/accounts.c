/* accounts: the administration of all accounts. */
#include "store/accounts.h"
#include "api/handlers.h"
#include "api/keys.h"
#include "api/page.h"
#include "api/spending.h"
#include "api/users.h"
#include "base/clock.h"
#include "base/password.h"
#include "base/str.h"
#include "store/keys.h"
#include "store/spending.h"
#include "store/users.h"

/* Into an open object. */
static void present_members(struct jw *jw, const struct account_row *row) {
    jw_kstr(jw, "id", row->account.id);
    jw_kstr(jw, "name", row->account.name);
    jw_kstr(jw, "tier", row->account.tier);
    jw_kstr(jw, "status", row->account.suspended_ms ? "suspended" : "active");
    jw_kint(jw, "users", row->users);
    jw_kint(jw, "projects", row->projects);
    present_limits(jw, "limits", &row->limits, "costUsdPerMonth", "tokensPerMonth");
    present_usage(jw, "usage", &row->usage);
    jw_ktime(jw, "createdAt", row->account.created_ms);
}

int account_list(struct api_call *call, struct err *err) {
    struct account_row *rows = NULL;
    struct list_page page;
    int64_t total = 0;
    size_t count = 0;
    struct buf out;
    struct jw jw;
    int rc = page_of_ids(call, "acct", &page, err);
    if (rc == 0)
        rc = store_account_list(call->db, call->arena, &page.at, &rows, &count, &total, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_array(&jw);
    count = page_rows(&page, count);
    for (size_t i = 0; i < count; i++) {
        jw_object(&jw);
        present_members(&jw, &rows[i]);
        jw_object_end(&jw);
    }
    jw_array_end(&jw);
    page_reply_end(call, &out, &jw, &page, total, count ? rows[count - 1].account.id : NULL);
    return 0;
}

struct make_call {
    struct account account;
    struct spending_limits limits;
    struct user *user; /* or NULL */
    struct api_key key;
    const char *text; /* of the key */
};

static int make_in_tx(struct db *db, void *arg, struct err *err) {
    struct make_call *call = arg;
    int rc = store_account_insert(db, &call->account, err);
    if (rc == 0)
        rc = store_account_set_limits(db, call->account.id, &call->limits, err);
    if (rc == 0 && call->user)
        rc = store_user_insert(db, call->user, err);
    return rc < 0 ? rc : store_key_insert(db, &call->key, err);
}

/* With an e-mail address there is a user, who needs a password. */
static int new_user(struct api_call *call, const char *account_id, struct user *user, bool *is_there, struct err *err) {
    const char *email = checked_email(call, call_text(call, "email")), *password = call_text(call, "password");
    *is_there = email != NULL;
    if (email && !password)
        call_fault(call, "password", "password is required with an e-mail address");
    if (!email && password)
        call_fault(call, "email", "email is required with a password");
    int rc = call_check(call, err);
    if (rc < 0 || !email)
        return rc;
    *user = (struct user){.email = email, .name = email, .role = call_text(call, "role"), .created_ms = clock_now_ms()};
    id_make(user->id, "user");
    (void)str_copy(user->account_id, ID_LEN, account_id);
    return password_hash(password, call->arena, &user->password_hash, err);
}

static void write_created(struct jw *jw, struct api_call *call, void *arg) {
    const struct make_call *make = arg;
    jw_object(jw);
    present_members(
        jw, &(struct account_row){.account = make->account, .limits = make->limits, .users = make->user != NULL});
    jw_key(jw, "user");
    if (make->user)
        present_user(jw, make->user);
    else
        jw_null(jw);
    jw_key(jw, "apiKey");
    present_key(jw, &make->key, make->text);
    jw_object_end(jw);
}

int account_create(struct api_call *call, struct err *err) {
    struct make_call make = {
        .limits = spending_limits_of(call, "costUsdPerMonth", "tokensPerMonth").limits,
        .account = {.name = call_text(call, "name"), .tier = call_text(call, "tier"), .created_ms = clock_now_ms()}};
    struct user user;
    bool has_user = false;
    id_make(make.account.id, "acct");
    int rc = new_user(call, make.account.id, &user, &has_user, err);
    make.user = has_user ? &user : NULL;
    make.key = new_key(call, make.account.id, "first key", "member", &make.text);
    reply_promise(call, 201, write_created, &make);
    if (rc == 0)
        rc = store_write(engine_store(call->engine), make_in_tx, &make, err);
    return rc < 0 ? rc : reply_promised(call);
}

struct change_call {
    const char *id, *name, *tier, *status; /* NULL: as it is */
    struct limits_change limits;
    struct arena *arena;
    struct account_row *row;
};

static int change_in_tx(struct db *db, void *arg, struct err *err) {
    struct change_call *call = arg;
    int rc = store_account_row(db, call->arena, call->id, &call->row, err);
    if (rc == 0 && !call->row)
        return err_set(err, ERR_NOT_FOUND, "Account not found");
    if (rc < 0)
        return rc;
    struct account *account = &call->row->account;
    account->name = str_or(call->name, account->name);
    account->tier = str_or(call->tier, account->tier);
    if (str_eq(call->status, "active"))
        account->suspended_ms = 0;
    else if (call->status && !account->suspended_ms)
        account->suspended_ms = clock_now_ms();
    rc = store_account_update(db, account, err);
    if (call->limits.sets_cost)
        call->row->limits.cost_micros = call->limits.limits.cost_micros;
    if (call->limits.sets_tokens)
        call->row->limits.tokens = call->limits.limits.tokens;
    return rc < 0 ? rc : store_account_set_limits(db, account->id, &call->row->limits, err);
}

int account_update(struct api_call *call, struct err *err) {
    struct change_call change = {.name = call_text(call, "name"),
                                 .tier = call_text(call, "tier"),
                                 .status = call_text(call, "status"),
                                 .limits = spending_limits_of(call, "costUsdPerMonth", "tokensPerMonth"),
                                 .arena = call->arena};
    struct buf out;
    struct jw jw;
    int rc = call_id(call, "account", "acct", "Account", &change.id, err);
    bool has_limits = change.limits.sets_cost || change.limits.sets_tokens;
    if (rc == 0 && !change.name && !change.tier && !change.status && !has_limits)
        call_fault(call, "name", "name, tier, status or limits is required");
    if (rc == 0)
        rc = call_check(call, err);
    /* Whoever suspends the account they come with could not undo it. */
    if (rc == 0 && str_eq(change.status, "suspended") && str_eq(change.id, call->account_id))
        rc = err_field(err, ERR_CONFLICT, "status", "An account cannot suspend itself");
    if (rc == 0)
        rc = store_write(engine_store(call->engine), change_in_tx, &change, err);
    /* A higher tier or limit may have room for what waits. */
    if (rc == 0)
        rc = engine_account_changed(call->engine, change.id, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_object(&jw);
    present_members(&jw, change.row);
    jw_object_end(&jw);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}
