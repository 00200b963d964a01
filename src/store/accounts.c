/* accounts: rows of account. */
#include "store/accounts.h"

#include "base/clock.h"
#include "store/rows.h"

#define ACCOUNT_COLUMNS "id, name, tier, created_ms, suspended_ms"

static int read_account(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct account *account = row;
    db_copy(stmt, 0, account->id, sizeof(account->id));
    account->name = db_text(stmt, 1, arena);
    account->tier = db_text(stmt, 2, arena);
    account->created_ms = db_int(stmt, 3);
    account->suspended_ms = db_int(stmt, 4);
    return 0;
}

int store_account_insert(struct db *db, const struct account *account, struct err *err) {
    int result = db_run(db, NULL, err, "INSERT INTO account (" ACCOUNT_COLUMNS ") VALUES ($1, $2, $3, $4, $5)", "tttii",
                        account->id, account->name, account->tier, account->created_ms, account->suspended_ms);
    return rows_named(result, err, "store account %s", account->id);
}

int store_account_get(struct db *db, struct arena *arena, const char *id, struct account **out, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err, "SELECT " ACCOUNT_COLUMNS " FROM account WHERE id = $1", "t", id);
    if (!result)
        result = rows_one(stmt, arena, sizeof(**out), read_account, (void **)out, err);
    return rows_named(result, err, "read account %s", id);
}

int store_account_count(struct db *db, int64_t *out, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err, "SELECT COUNT(*) FROM account", "");
    if (!result)
        result = rows_ints(stmt, out, 1, err);
    return rows_named(result, err, "count accounts");
}

int store_account_first(struct db *db, struct arena *arena, struct account **out, struct err *err) {
    struct db_stmt *stmt;
    int result =
        db_query(db, &stmt, err, "SELECT " ACCOUNT_COLUMNS " FROM account ORDER BY created_ms, id LIMIT 1", "");
    if (!result)
        result = rows_one(stmt, arena, sizeof(**out), read_account, (void **)out, err);
    return rows_named(result, err, "read the first account");
}

int store_account_lock(struct db *db, const char *id, struct err *err) {
    int result = db_run(db, NULL, err, "UPDATE account SET tier = tier WHERE id = $1", "t", id);
    return rows_named(result, err, "lock account %s", id);
}

int store_account_update(struct db *db, const struct account *account, struct err *err) {
    int64_t changes = 0;
    int result = db_run(db, &changes, err, "UPDATE account SET name = $2, tier = $3, suspended_ms = $4 WHERE id = $1",
                        "ttti", account->id, account->name, account->tier, account->suspended_ms);
    if (!result)
        result = rows_touched(changes, "account", account->id, err);
    return rows_named(result, err, "update account %s", account->id);
}

static int read_account_row(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct account_row *item = row;
    item->users = db_int(stmt, 5);
    item->projects = db_int(stmt, 6);
    item->limits = (struct spending_limits){.cost_micros = db_int(stmt, 7), .tokens = db_int(stmt, 8)};
    item->usage = (struct usage_sum){.calls = db_int(stmt, 9),
                                     .unpriced_calls = db_int(stmt, 10),
                                     .input_tokens = db_int(stmt, 11),
                                     .cached_tokens = db_int(stmt, 12),
                                     .cache_write_tokens = db_int(stmt, 13),
                                     .output_tokens = db_int(stmt, 14),
                                     .cost_micros = db_int(stmt, 15)};
    return read_account(stmt, arena, &item->account, err);
}

#define ACCOUNT_ROW                                                                                                    \
    "SELECT a.id, a.name, a.tier, a.created_ms, a.suspended_ms,"                                                       \
    " (SELECT COUNT(*) FROM account_user WHERE account_id = a.id),"                                                    \
    " (SELECT COALESCE(SUM(total), 0) FROM project_total WHERE account_id = a.id AND state <> 'archived'),"            \
    " a.limit_cost_micros, a.limit_tokens, u.calls, u.unpriced_calls, u.input_tokens, u.cached_tokens,"                \
    " u.cache_write_tokens, u.output_tokens, u.cost_micros"                                                            \
    " FROM account a LEFT JOIN usage_total u ON u.subject_id = a.id AND u.month = $1"

int store_account_row(struct db *db, struct arena *arena, const char *id, struct account_row **out, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err, ACCOUNT_ROW " WHERE a.id = $2", "it", spending_month(clock_now_ms()), id);
    if (!result)
        result = rows_one(stmt, arena, sizeof(**out), read_account_row, (void **)out, err);
    return rows_named(result, err, "read account %s", id);
}

int store_account_list(struct db *db, struct arena *arena, const struct page *page, struct account_row **rows,
                       size_t *count, int64_t *total, struct err *err) {
    struct db_stmt *stmt;
    int result = store_account_count(db, total, err);
    if (!result)
        result = db_query(db, &stmt, err, ACCOUNT_ROW " WHERE a.id < $4 ORDER BY a.id DESC LIMIT $2 OFFSET $3", "iiit",
                          spending_month(clock_now_ms()), page->limit, page->offset, page->below_id);
    if (!result)
        result = rows_all(stmt, arena, sizeof(**rows), read_account_row, (void **)rows, count, err);
    return rows_named(result, err, "list accounts");
}
