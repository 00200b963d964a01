/* keys: the API keys of an account. */
#include "api/keys.h"

#include <string.h>

#include "api/handlers.h"
#include "api/page.h"
#include "base/clock.h"
#include "base/str.h"
#include "model/key.h"
#include "store/keys.h"

struct api_key new_key(struct api_call *call, const char *account_id, const char *name, const char *role,
                       const char **text) {
    *text = key_make(call->arena);
    struct api_key key = {.name = name, .role = role, .hint = key_hint(*text), .created_ms = clock_now_ms()};
    id_make(key.id, "key");
    (void)str_copy(key.account_id, ID_LEN, account_id);
    hash_sha256_hex(key.hash, *text, strlen(*text));
    return key;
}

void present_key(struct jw *jw, const struct api_key *key, const char *text) {
    jw_object(jw);
    jw_kstr(jw, "id", key->id);
    jw_kstr(jw, "name", key->name);
    jw_kstr(jw, "role", key->role);
    jw_kstr(jw, "hint", key->hint);
    if (text)
        jw_kstr(jw, "key", text);
    jw_ktime(jw, "createdAt", key->created_ms);
    jw_ktime(jw, "lastUsedAt", key->last_used_ms);
    jw_ktime(jw, "expiresAt", key->expires_ms);
    jw_ktime(jw, "revokedAt", key->revoked_ms);
    jw_object_end(jw);
}

int key_list(struct api_call *call, struct err *err) {
    struct api_key *rows = NULL;
    struct list_page page;
    int64_t total = 0;
    size_t count = 0;
    struct buf out;
    struct jw jw;
    int rc = page_of_ids(call, "key", &page, err);
    if (rc == 0)
        rc = store_key_page(call->db, call->arena, call->account_id, &page.at, &rows, &count, &total, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_array(&jw);
    count = page_rows(&page, count);
    for (size_t i = 0; i < count; i++)
        present_key(&jw, &rows[i], NULL);
    jw_array_end(&jw);
    page_reply_end(call, &out, &jw, &page, total, count ? rows[count - 1].id : NULL);
    return 0;
}

static int insert_in_tx(struct db *db, void *arg, struct err *err) {
    return store_key_insert(db, arg, err);
}

struct created_key {
    struct api_key key;
    const char *text;
};

static void write_created(struct jw *jw, struct api_call *call, void *arg) {
    const struct created_key *created = arg;
    present_key(jw, &created->key, created->text);
}

int key_create(struct api_call *call, struct err *err) {
    const char *role = call_text(call, "role");
    struct created_key created;
    struct api_key *key = &created.key;
    *key = new_key(call, call->account_id, call_text(call, "name"), role, &created.text);
    key->expires_ms = call_time(call, "expiresAt");
    reply_promise(call, 201, write_created, &created);
    if (key->expires_ms && key->expires_ms <= key->created_ms)
        call_fault(call, "expiresAt", "expiresAt must be in the future");
    int rc = call_check(call, err);
    if (rc == 0 && str_eq(role, "admin") && !str_eq(call->role, "admin"))
        rc = err_field(err, ERR_FORBIDDEN, "role", "Only an administrator can make an administrator's key");
    if (rc == 0)
        rc = store_write(engine_store(call->engine), insert_in_tx, key, err);
    return rc < 0 ? rc : reply_promised(call);
}

struct revoke_call {
    const char *id;
    bool is_revoked;
};

static int revoke_in_tx(struct db *db, void *arg, struct err *err) {
    struct revoke_call *call = arg;
    return store_key_revoke(db, call->id, clock_now_ms(), &call->is_revoked, err);
}

/* A second time is as good as the first. */
int key_revoke(struct api_call *call, struct err *err) {
    struct revoke_call revoke = {0};
    struct api_key *key = NULL;
    struct buf out;
    struct jw jw;
    int rc = call_id(call, "key", "key", "API key", &revoke.id, err);
    if (rc == 0)
        rc = store_key_get(call->db, call->arena, revoke.id, call->account_id, &key, err);
    if (rc == 0 && !key)
        return err_set(err, ERR_NOT_FOUND, "API key not found");
    if (rc == 0)
        rc = store_write(engine_store(call->engine), revoke_in_tx, &revoke, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_object(&jw);
    jw_kstr(&jw, "id", key->id);
    jw_kstr(&jw, "status", "revoked");
    jw_object_end(&jw);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}
