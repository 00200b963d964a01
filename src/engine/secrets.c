/* secrets: what accounts and projects gave us to use for them. */
#include "engine/secrets.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/vault.h"
#include "engine/context.h"
#include "engine/journal.h"
#include "store/secrets.h"

/* Read each time: it is asked for rarely, and is not left lying in memory. */
static int master_key(const struct engine *engine, struct vault_key *out, struct err *err) {
    if (engine->master_key)
        return vault_key_parse(engine->master_key, out, err);
    char path[4200];
    (void)snprintf(path, sizeof(path), "%s/master.key", engine->data_dir);
    return vault_key_file(path, out, err);
}

struct secret_call {
    struct vault_key key;
    const char *account_id, *project_id, *name, *text;
    bool deleted;
};

static int put(struct db *db, void *arg, struct err *err) {
    struct secret_call *call = arg;
    return store_secret_put(db, &call->key, call->account_id, call->project_id, call->name, call->text, clock_now_ms(),
                            err);
}

int engine_secret_put(struct engine *engine, const char *account_id, const char *project_id, const char *name,
                      const char *text, struct err *err) {
    struct secret_call call = {.account_id = account_id, .project_id = project_id, .name = name, .text = text};
    int rc = master_key(engine, &call.key, err);
    if (rc == 0)
        rc = store_write(engine->store, put, &call, err);
    vault_key_wipe(&call.key);
    return rc;
}

int engine_secret_find(struct engine *engine, const char *account_id, const char *project_id, const char *name,
                       struct arena *arena, const char **text, struct err *err) {
    struct vault_key key;
    struct db *db = NULL;
    const char *found = NULL;
    int rc = store_reader(engine->store, &db, err);
    if (rc == 0)
        rc = master_key(engine, &key, err);
    if (rc == 0 && project_id)
        rc = store_secret_get(db, arena, &key, account_id, project_id, name, &found, err);
    if (rc == 0 && !found)
        rc = store_secret_get(db, arena, &key, account_id, NULL, name, &found, err);
    vault_key_wipe(&key);
    if (rc == 0)
        *text = found;
    return rc;
}

int secret_set(struct journal *journal, const char *account_id, const char *project_id, const char *name,
               const char *text, struct err *err) {
    struct vault_key key;
    bool deleted;
    if (!text)
        return store_secret_delete(journal->db, account_id, project_id, name, &deleted, err);
    int rc = master_key(journal->engine, &key, err);
    if (rc == 0)
        rc = store_secret_put(journal->db, &key, account_id, project_id, name, text, journal->now_ms, err);
    vault_key_wipe(&key);
    return rc;
}

static int delete (struct db *db, void *arg, struct err *err) {
    struct secret_call *call = arg;
    return store_secret_delete(db, call->account_id, call->project_id, call->name, &call->deleted, err);
}

int engine_secret_delete(struct engine *engine, const char *account_id, const char *project_id, const char *name,
                         bool *deleted, struct err *err) {
    struct secret_call call = {.account_id = account_id, .project_id = project_id, .name = name};
    int rc = store_write(engine->store, delete, &call, err);
    if (rc == 0)
        *deleted = call.deleted;
    return rc;
}
