/* webhook_deliveries: rows of webhook_delivery. */
#include "store/webhook_deliveries.h"

#include "store/rows.h"

#define COLUMNS                                                                                                        \
    "id, webhook_id, type, state, attempts, next_attempt_ms, lease_until_ms, last_attempt_ms, response_status,"        \
    " response_ms, created_ms, completed_ms, error"

static int read_delivery(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct webhook_delivery *delivery = row;
    db_copy(stmt, 0, delivery->id, sizeof(delivery->id));
    db_copy(stmt, 1, delivery->webhook_id, sizeof(delivery->webhook_id));
    delivery->type = db_text(stmt, 2, arena);
    delivery->attempts = db_int(stmt, 4);
    delivery->next_attempt_ms = db_int(stmt, 5);
    delivery->lease_until_ms = db_int(stmt, 6);
    delivery->last_attempt_ms = db_int(stmt, 7);
    delivery->response_status = db_int(stmt, 8);
    delivery->response_ms = db_int(stmt, 9);
    delivery->created_ms = db_int(stmt, 10);
    delivery->completed_ms = db_int(stmt, 11);
    delivery->error = db_text(stmt, 12, arena);
    return row_enum(delivery_state, stmt, 3, &delivery->state, err);
}

static int read_whole(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct webhook_delivery *delivery = row;
    delivery->payload_json = db_text(stmt, 13, arena);
    return read_delivery(stmt, arena, row, err);
}

static int read_ids(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct webhook_delivery *delivery = row;
    db_copy(stmt, 0, delivery->id, sizeof(delivery->id));
    db_copy(stmt, 1, delivery->webhook_id, sizeof(delivery->webhook_id));
    return 0;
}

int store_webhook_delivery_insert(struct db *db, const struct webhook_delivery *row, struct err *err) {
    int result =
        db_run(db, NULL, err,
               "INSERT INTO webhook_delivery (" COLUMNS ", payload_json)"
               " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
               "ttttiiiiiiiitt", row->id, row->webhook_id, row->type, delivery_state_name(row->state), row->attempts,
               row->next_attempt_ms, row->lease_until_ms, row->last_attempt_ms, row->response_status, row->response_ms,
               row->created_ms, row->completed_ms, row->error, row->payload_json);
    return rows_named(result, err, "store delivery %s", row->id);
}

int store_webhook_delivery_get(struct db *db, struct arena *arena, const char *id, const char *webhook_id,
                               struct webhook_delivery **out, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err,
                          "SELECT " COLUMNS ", payload_json FROM webhook_delivery WHERE id = $1 AND webhook_id = $2",
                          "tt", id, webhook_id);
    if (!result)
        result = rows_one(stmt, arena, sizeof(**out), read_whole, (void **)out, err);
    return rows_named(result, err, "read delivery %s", id);
}

#define OF_PAGE "WHERE webhook_id = $1 AND (CAST($2 AS TEXT) IS NULL OR state = $2)"

int store_webhook_delivery_page(struct db *db, struct arena *arena, const char *webhook_id, const char *state,
                                const struct page *page, struct webhook_delivery **rows, size_t *count, int64_t *total,
                                struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err, "SELECT COUNT(*) FROM webhook_delivery " OF_PAGE, "tt", webhook_id, state);
    if (!result)
        result = rows_ints(stmt, total, 1, err);
    if (!result)
        result = db_query(db, &stmt, err,
                          "SELECT " COLUMNS " FROM webhook_delivery " OF_PAGE
                          " AND id < $5 ORDER BY id DESC LIMIT $3 OFFSET $4",
                          "ttiit", webhook_id, state, page->limit, page->offset, page->below_id);
    if (!result)
        result = rows_all(stmt, arena, sizeof(**rows), read_delivery, (void **)rows, count, err);
    return rows_named(result, err, "list the deliveries of webhook %s", webhook_id);
}

int store_webhook_delivery_pending(struct db *db, const char *webhook_id, int64_t most, int64_t *out, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err,
                          "SELECT COUNT(*) FROM (SELECT 1 FROM webhook_delivery"
                          " WHERE webhook_id = $1 AND state = 'pending' LIMIT $2) AS pending",
                          "ti", webhook_id, most);
    if (!result)
        result = rows_ints(stmt, out, 1, err);
    return rows_named(result, err, "count what is pending for webhook %s", webhook_id);
}

/* The webhooks with something pending are found by skipping from one to the next in the index, and of each only the
 * first few rows are read: what it costs does not grow with what waits. */
int store_webhook_delivery_due(struct db *db, struct arena *arena, int64_t now_ms, int64_t each, int64_t most,
                               struct webhook_delivery **rows, size_t *count, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err,
                          "WITH RECURSIVE waiting (id) AS ("
                          "  SELECT MIN(webhook_id) FROM webhook_delivery WHERE state = 'pending' AND webhook_id > ''"
                          "  UNION ALL"
                          "  SELECT (SELECT MIN(d.webhook_id) FROM webhook_delivery d"
                          "          WHERE d.state = 'pending' AND d.webhook_id > waiting.id)"
                          "  FROM waiting WHERE waiting.id IS NOT NULL)"
                          " SELECT e.id, e.webhook_id FROM waiting w JOIN webhook_delivery e ON e.id IN ("
                          "   SELECT d.id FROM webhook_delivery d"
                          "   WHERE d.webhook_id = w.id AND d.state = 'pending' AND d.next_attempt_ms <= $1"
                          "   ORDER BY d.next_attempt_ms, d.id LIMIT $2)"
                          " ORDER BY e.next_attempt_ms, e.id LIMIT $3",
                          "iii", now_ms, each, most);
    if (!result)
        result = rows_all(stmt, arena, sizeof(**rows), read_ids, (void **)rows, count, err);
    return rows_named(result, err, "list what is due for webhooks");
}

int store_webhook_delivery_next_due(struct db *db, int64_t after_ms, int64_t *out, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err,
                          "SELECT MIN(next_attempt_ms) FROM webhook_delivery"
                          " WHERE state = 'pending' AND next_attempt_ms > $1",
                          "i", after_ms);
    if (!result)
        result = rows_ints(stmt, out, 1, err);
    return rows_named(result, err, "find when something is due for webhooks");
}

int store_webhook_delivery_claim(struct db *db, struct arena *arena, const char *id, int64_t now_ms,
                                 int64_t lease_until_ms, struct webhook_delivery **out, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err,
                          "UPDATE webhook_delivery SET attempts = attempts + 1, last_attempt_ms = $2,"
                          " lease_until_ms = $3, next_attempt_ms = $3"
                          " WHERE id = $1 AND state = 'pending' AND next_attempt_ms <= $2"
                          " RETURNING " COLUMNS ", payload_json",
                          "tii", id, now_ms, lease_until_ms);
    if (!result)
        result = rows_one(stmt, arena, sizeof(**out), read_whole, (void **)out, err);
    return rows_named(result, err, "claim delivery %s", id);
}

int store_webhook_delivery_end(struct db *db, const struct webhook_delivery *row, bool *was_ours, struct err *err) {
    int64_t changes = 0;
    int result = db_run(db, &changes, err,
                        "UPDATE webhook_delivery SET state = $4, next_attempt_ms = $5, lease_until_ms = 0,"
                        " response_status = $6, response_ms = $7, error = $8, completed_ms = $9"
                        " WHERE id = $1 AND state = 'pending' AND attempts = $2 AND lease_until_ms = $3",
                        "tiitiiiti", row->id, row->attempts, row->lease_until_ms, delivery_state_name(row->state),
                        row->next_attempt_ms, row->response_status, row->response_ms, row->error, row->completed_ms);
    if (!result)
        *was_ours = changes > 0;
    return rows_named(result, err, "end an attempt of delivery %s", row->id);
}

int store_webhook_delivery_again(struct db *db, const char *id, enum delivery_state from, int64_t now_ms, bool *moved,
                                 struct err *err) {
    int64_t changes = 0;
    int result = db_run(db, &changes, err,
                        "UPDATE webhook_delivery SET state = 'pending', next_attempt_ms = $3, lease_until_ms = 0,"
                        " completed_ms = 0, attempts = CASE WHEN state = 'pending' THEN attempts ELSE 0 END"
                        " WHERE id = $1 AND state = $2 AND lease_until_ms <= $3",
                        "tti", id, delivery_state_name(from), now_ms);
    if (!result)
        *moved = changes > 0;
    return rows_named(result, err, "send delivery %s again", id);
}

int store_webhook_delivery_give_up(struct db *db, const char *webhook_id, int64_t now_ms, const char *error,
                                   struct err *err) {
    int result = db_run(db, NULL, err,
                        "UPDATE webhook_delivery SET state = 'failed', lease_until_ms = 0, completed_ms = $2,"
                        " error = $3 WHERE webhook_id = $1 AND state = 'pending'",
                        "tit", webhook_id, now_ms, error);
    return rows_named(result, err, "give up the deliveries of webhook %s", webhook_id);
}

int store_webhook_delivery_reclaim(struct db *db, int64_t now_ms, struct err *err) {
    int result = db_run(db, NULL, err,
                        "UPDATE webhook_delivery SET lease_until_ms = 0, next_attempt_ms = $1"
                        " WHERE state = 'pending' AND lease_until_ms > 0",
                        "i", now_ms);
    return rows_named(result, err, "reclaim the deliveries of webhooks");
}

int store_webhook_delivery_sweep(struct db *db, int64_t before_ms, int64_t most, int64_t *deleted, struct err *err) {
    int result = db_run(db, deleted, err,
                        "DELETE FROM webhook_delivery WHERE id IN (SELECT d.id FROM webhook_delivery d"
                        " WHERE d.state <> 'pending' AND d.completed_ms < $1 LIMIT $2)",
                        "ii", before_ms, most);
    return rows_named(result, err, "delete old deliveries of webhooks");
}
