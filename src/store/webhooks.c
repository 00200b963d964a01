/* webhooks: rows of webhook. */
#include "store/webhooks.h"

#include "store/rows.h"

#define COLUMNS                                                                                                        \
    "id, account_id, project_id, url, secret, is_enabled, created_ms, updated_ms, description, events_json,"           \
    " old_secret, old_secret_until_ms, disabled_reason"

static int read_webhook(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct webhook *webhook = row;
    db_copy(stmt, 0, webhook->id, sizeof(webhook->id));
    db_copy(stmt, 1, webhook->account_id, sizeof(webhook->account_id));
    db_copy(stmt, 2, webhook->project_id, sizeof(webhook->project_id));
    webhook->url = db_text(stmt, 3, arena);
    webhook->secret = db_text(stmt, 4, arena);
    webhook->is_enabled = db_int(stmt, 5);
    webhook->created_ms = db_int(stmt, 6);
    webhook->updated_ms = db_int(stmt, 7);
    webhook->description = db_text(stmt, 8, arena);
    webhook->events_json = db_text(stmt, 9, arena);
    webhook->old_secret = db_text(stmt, 10, arena);
    webhook->old_secret_until_ms = db_int(stmt, 11);
    webhook->disabled_reason = db_text(stmt, 12, arena);
    return 0;
}

int store_webhook_insert(struct db *db, const struct webhook *row, struct err *err) {
    int result = db_run(db, NULL, err,
                        "INSERT INTO webhook (" COLUMNS ")"
                        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
                        "ttsttiiitttit", row->id, row->account_id, row->project_id, row->url, row->secret,
                        (int64_t)row->is_enabled, row->created_ms, row->updated_ms, row->description, row->events_json,
                        row->old_secret, row->old_secret_until_ms, row->disabled_reason);
    return rows_named(result, err, "store webhook %s", row->id);
}

int store_webhook_get(struct db *db, struct arena *arena, const char *id, const char *account_id, struct webhook **out,
                      struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err,
                          "SELECT " COLUMNS " FROM webhook"
                          " WHERE id = $1 AND (CAST($2 AS TEXT) IS NULL OR account_id = $2)",
                          "tt", id, account_id);
    if (!result)
        result = rows_one(stmt, arena, sizeof(**out), read_webhook, (void **)out, err);
    return rows_named(result, err, "read webhook %s", id);
}

int store_webhook_count(struct db *db, const char *account_id, int64_t *out, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err, "SELECT COUNT(*) FROM webhook WHERE account_id = $1", "t", account_id);
    if (!result)
        result = rows_ints(stmt, out, 1, err);
    return rows_named(result, err, "count the webhooks of account %s", account_id);
}

int store_webhook_page(struct db *db, struct arena *arena, const char *account_id, const struct page *page,
                       struct webhook **rows, size_t *count, int64_t *total, struct err *err) {
    struct db_stmt *stmt;
    int result = store_webhook_count(db, account_id, total, err);
    if (!result)
        result = db_query(db, &stmt, err,
                          "SELECT " COLUMNS
                          " FROM webhook WHERE account_id = $1 AND id < $4 ORDER BY id DESC LIMIT $2 OFFSET $3",
                          "tiit", account_id, page->limit, page->offset, page->below_id);
    if (!result)
        result = rows_all(stmt, arena, sizeof(**rows), read_webhook, (void **)rows, count, err);
    return rows_named(result, err, "list the webhooks of account %s", account_id);
}

/* A name in quotes is in the text of the array just when it is in the array: names hold neither quotes nor wildcards.
 */
int store_webhook_listening(struct db *db, struct arena *arena, const char *project_id, const char *event,
                            struct webhook **rows, size_t *count, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err,
                          "SELECT " COLUMNS " FROM webhook"
                          " WHERE account_id = (SELECT p.account_id FROM project p WHERE p.id = $1)"
                          " AND is_enabled = 1 AND (project_id IS NULL OR project_id = $1)"
                          " AND (events_json IS NULL OR events_json LIKE '%\"' || $2 || '\"%')",
                          "tt", project_id, event);
    if (!result)
        result = rows_all(stmt, arena, sizeof(**rows), read_webhook, (void **)rows, count, err);
    return rows_named(result, err, "find who listens for %s of project %s", event, project_id);
}

int store_webhook_update(struct db *db, const struct webhook *row, struct err *err) {
    int64_t changes = 0;
    int result = db_run(db, &changes, err,
                        "UPDATE webhook SET project_id = $2, url = $3, secret = $4, is_enabled = $5, updated_ms = $6,"
                        " description = $7, events_json = $8, old_secret = $9, old_secret_until_ms = $10,"
                        " disabled_reason = $11 WHERE id = $1",
                        "tsttiitttit", row->id, row->project_id, row->url, row->secret, (int64_t)row->is_enabled,
                        row->updated_ms, row->description, row->events_json, row->old_secret, row->old_secret_until_ms,
                        row->disabled_reason);
    if (!result)
        result = rows_touched(changes, "webhook", row->id, err);
    return rows_named(result, err, "update webhook %s", row->id);
}

int store_webhook_delete(struct db *db, const char *id, bool *deleted, struct err *err) {
    int64_t changes = 0;
    int result = db_run(db, &changes, err, "DELETE FROM webhook WHERE id = $1", "t", id);
    if (!result)
        *deleted = changes > 0;
    return rows_named(result, err, "delete webhook %s", id);
}
