/* account: accounts, straight in the database. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/password.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/database.h"
#include "model/key.h"
#include "store/accounts.h"
#include "store/keys.h"
#include "store/users.h"

#define PASSWORD_MIN 8
#define LIST_PAGE 100

struct account_call {
    struct account account;
    struct user *user; /* or NULL */
    struct api_key key;
};

static int create_in_tx(struct db *db, void *arg, struct err *err) {
    struct account_call *call = arg;
    int rc = store_account_insert(db, &call->account, err);
    if (rc == 0 && call->user)
        rc = store_user_insert(db, call->user, err);
    return rc < 0 ? rc : store_key_insert(db, &call->key, err);
}

/* Not from the command line, which others can see. */
static int read_password(struct arena *arena, const char **out, struct err *err) {
    const char *given = getenv("PRAZIUM_PASSWORD");
    char line[1100];
    if (!given) {
        if (!fgets(line, sizeof line, stdin))
            line[0] = '\0';
        line[strcspn(line, "\r\n")] = '\0';
        given = line;
    }
    if (str_utf8_len(given) < PASSWORD_MIN)
        return err_set(err, ERR_VALIDATION,
                       "the password must be at least %d characters: give it by PRAZIUM_PASSWORD or "
                       "on standard input",
                       PASSWORD_MIN);
    *out = arena_strdup(arena, given);
    return 0;
}

static int make_user(const struct options *options, const char *account_id, struct arena *arena, struct user *user,
                     struct err *err) {
    const char *password = NULL;
    *user = (struct user){.email = str_lower(arena, options->values[OPTION_EMAIL]),
                          .role = options->values[OPTION_ROLE],
                          .created_ms = clock_now_ms()};
    user->name = user->email;
    id_make(user->id, "user");
    (void)str_copy(user->account_id, ID_LEN, account_id);
    if (!strchr(user->email, '@'))
        return err_field(err, ERR_VALIDATION, "email", "--email must be an e-mail address");
    int rc = read_password(arena, &password, err);
    return rc < 0 ? rc : password_hash(password, arena, &user->password_hash, err);
}

static int create(struct store *store, const struct options *options, struct arena *arena, struct err *err) {
    const char *text = key_make(arena), *name = options->values[OPTION_NAME];
    struct account_call call = {
        .account = {.name = name, .tier = str_or(options->values[OPTION_TIER], "free"), .created_ms = clock_now_ms()},
        .key = {.name = "first key", .role = "member", .hint = key_hint(text)}};
    struct user user;
    int rc = 0;
    if (!name)
        return err_set(err, ERR_VALIDATION, "say what it is called: prazium account create --name NAME");
    id_make(call.account.id, "acct");
    id_make(call.key.id, "key");
    (void)str_copy(call.key.account_id, ID_LEN, call.account.id);
    call.key.created_ms = call.account.created_ms;
    hash_sha256_hex(call.key.hash, text, strlen(text));
    if (options->values[OPTION_EMAIL]) {
        call.user = &user;
        rc = make_user(options, call.account.id, arena, &user, err);
    }
    if (rc == 0)
        rc = store_write(store, create_in_tx, &call, err);
    if (rc == 0)
        printf("%s\n%s\n", call.account.id, text);
    return rc;
}

static int list(struct store *store, struct arena *arena, struct err *err) {
    struct account_row *rows = NULL;
    struct db *db = NULL;
    int64_t total = 1;
    int rc = store_reader(store, &db, err);
    for (int64_t page = 1, shown = 0; rc == 0 && shown < total; page++) {
        size_t count = 0;
        const struct page at = page_numbered(page, LIST_PAGE);
        rc = store_account_list(db, arena, &at, &rows, &count, &total, err);
        for (size_t i = 0; rc == 0 && i < count; i++)
            printf("%s  %-10s  %-9s  %5lld projects  %s\n", rows[i].account.id, rows[i].account.tier,
                   rows[i].account.suspended_ms ? "suspended" : "active", (long long)rows[i].projects,
                   rows[i].account.name);
        shown += count ? (int64_t)count : total;
    }
    return rc;
}

struct set_call {
    const char *id;
    const struct options *options;
    bool is_suspended, is_resumed;
    struct arena *arena;
};

static int set_in_tx(struct db *db, void *arg, struct err *err) {
    struct set_call *call = arg;
    struct account *account = NULL;
    int rc = store_account_get(db, call->arena, call->id, &account, err);
    if (rc == 0 && !account)
        return err_set(err, ERR_NOT_FOUND, "there is no account %s", call->id);
    if (rc < 0)
        return rc;
    account->name = str_or(call->options->values[OPTION_NAME], account->name);
    account->tier = str_or(call->options->values[OPTION_TIER], account->tier);
    if (call->is_resumed)
        account->suspended_ms = 0;
    if (call->is_suspended && !account->suspended_ms)
        account->suspended_ms = clock_now_ms();
    return store_account_update(db, account, err);
}

int command_account(const struct options *options, struct arena *arena, struct err *err) {
    const char *action = options->word_count > 0 ? options->words[0] : NULL;
    bool takes_id = str_eq(action, "set") || str_eq(action, "suspend") || str_eq(action, "resume");
    if (!takes_id && !str_eq(action, "create") && !str_eq(action, "list"))
        return err_set(err, ERR_VALIDATION,
                       "say what to do: prazium account create | list | set ID | suspend ID | resume ID");
    if (options->word_count != (takes_id ? 2u : 1u))
        return err_set(err, ERR_VALIDATION,
                       takes_id ? "say which account: prazium account %s ID"
                                : "prazium account %s takes no further words",
                       action);
    struct store *store = NULL;
    int rc = database_open(options, arena, &store, err);
    struct set_call set = {.id = takes_id ? options->words[1] : NULL,
                           .options = options,
                           .is_suspended = str_eq(action, "suspend"),
                           .is_resumed = str_eq(action, "resume"),
                           .arena = arena};
    if (rc == 0 && takes_id)
        rc = store_write(store, set_in_tx, &set, err);
    else if (rc == 0 && str_eq(action, "create"))
        rc = create(store, options, arena, err);
    else if (rc == 0)
        rc = list(store, arena, err);
    store_close(store);
    return rc;
}
