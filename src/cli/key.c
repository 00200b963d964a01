/* key: API keys of an account, straight in the database (a server may be running: SQLite lets both write). */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/database.h"
#include "model/key.h"
#include "store/accounts.h"
#include "store/keys.h"

struct key_call {
    struct api_key key;
    bool revoked;
};

static int insert_in_tx(struct db *db, void *arg, struct err *err) {
    struct key_call *call = arg;
    return store_key_insert(db, &call->key, err);
}

static int revoke_in_tx(struct db *db, void *arg, struct err *err) {
    struct key_call *call = arg;
    return store_key_revoke(db, call->key.id, clock_now_ms(), &call->revoked, err);
}

static int create(struct store *store, const struct account *account, const struct options *options,
                  struct arena *arena, struct err *err) {
    const char *text = key_make(arena);
    struct key_call call = {.key = {.name = str_or(options->values[OPTION_NAME], "key"),
                                    .role = options->values[OPTION_ROLE],
                                    .hint = key_hint(text),
                                    .created_ms = clock_now_ms()}};
    id_make(call.key.id, "key");
    str_copy(call.key.account_id, sizeof call.key.account_id, account->id);
    hash_sha256_hex(call.key.hash, text, strlen(text));
    int rc = store_write(store, insert_in_tx, &call, err);
    if (rc == 0)
        printf("%s\n", text);
    return rc;
}

static int list(struct db *db, const struct account *account, struct arena *arena, struct err *err) {
    struct api_key *keys = NULL;
    size_t count = 0;
    char made[CLOCK_ISO_LEN], used[CLOCK_ISO_LEN];
    int rc = store_key_list(db, arena, account->id, &keys, &count, err);
    for (size_t i = 0; rc == 0 && i < count; i++)
        printf("%s  …%s  %-6s  %-7s  made %s  used %s  %s\n", keys[i].id, keys[i].hint, keys[i].role,
               keys[i].revoked_ms ? "revoked" : "live", clock_iso(keys[i].created_ms, made),
               keys[i].last_used_ms ? clock_iso(keys[i].last_used_ms, used) : "never", keys[i].name);
    return rc;
}

static int revoke(struct store *store, const char *id, struct err *err) {
    struct key_call call = {0};
    str_copy(call.key.id, sizeof call.key.id, id);
    int rc = store_write(store, revoke_in_tx, &call, err);
    if (rc == 0 && !call.revoked)
        return err_set(err, ERR_NOT_FOUND, "there is no live key %s", id);
    return rc;
}

int command_key(const struct options *options, struct arena *arena, struct err *err) {
    const char *action = options->word_count > 0 ? options->words[0] : NULL;
    bool is_revoke = str_eq(action, "revoke");
    if (!str_eq(action, "create") && !str_eq(action, "list") && !is_revoke)
        return err_set(err, ERR_VALIDATION, "say what to do: prazium key create | list | revoke ID");
    if (options->word_count != (is_revoke ? 2u : 1u))
        return err_set(err, ERR_VALIDATION,
                       is_revoke ? "say which key: prazium key revoke ID" : "prazium key %s takes no further words",
                       action);
    struct store *store = NULL;
    struct account *account = NULL;
    struct db *db = NULL;
    int rc = database_open(options, arena, &store, err);
    if (rc == 0)
        rc = store_reader(store, &db, err);
    if (rc == 0)
        rc = options->values[OPTION_ACCOUNT]
                 ? store_account_get(db, arena, options->values[OPTION_ACCOUNT], &account, err)
                 : store_account_first(db, arena, &account, err);
    if (rc == 0 && !account)
        rc = options->values[OPTION_ACCOUNT]
                 ? err_set(err, ERR_NOT_FOUND, "there is no account %s", options->values[OPTION_ACCOUNT])
                 : err_set(err, ERR_NOT_FOUND, "there is no account yet: start the server once");
    if (rc == 0 && str_eq(action, "create"))
        rc = create(store, account, options, arena, err);
    else if (rc == 0 && is_revoke)
        rc = revoke(store, options->words[1], err);
    else if (rc == 0)
        rc = list(db, account, arena, err);
    store_close(store);
    return rc;
}
