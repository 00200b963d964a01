/* accounts: rows of account. */
#ifndef STORE_ACCOUNTS_H
#define STORE_ACCOUNTS_H

#include "model/account.h"
#include "model/spending.h"
#include "store/db.h"
#include "store/page.h"

MUST_CHECK int store_account_insert(struct db *db, const struct account *account, struct err *err);
MUST_CHECK int store_account_get(struct db *db, struct arena *arena, const char *id, struct account **out,
                                 struct err *err);
MUST_CHECK int store_account_count(struct db *db, int64_t *out, struct err *err);
/* The oldest account: the one made at first start. *out NULL if none. */
MUST_CHECK int store_account_first(struct db *db, struct arena *arena, struct account **out, struct err *err);

/* Until the transaction ends nobody else passes here for this account. */
MUST_CHECK int store_account_lock(struct db *db, const char *id, struct err *err);
MUST_CHECK int store_account_update(struct db *db, const struct account *account, struct err *err);

struct account_row {
    struct account account;
    int64_t users, projects; /* projects: but archived ones */
    struct spending_limits limits;
    struct usage_sum usage; /* in this month */
};
MUST_CHECK int store_account_row(struct db *db, struct arena *arena, const char *id, struct account_row **out,
                                 struct err *err);
/* Newest first. */
MUST_CHECK int store_account_list(struct db *db, struct arena *arena, const struct page *page,
                                  struct account_row **rows, size_t *count, int64_t *total, struct err *err);

#endif
