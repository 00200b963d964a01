/* spending: rows of usage_entry, their sums, and what is reserved. */
#ifndef STORE_SPENDING_H
#define STORE_SPENDING_H

#include "model/spending.h"
#include "store/db.h"

/* Enters what was used, and adds it to the sums it belongs to; *is_added false when an entry with this id is there
 * already. */
MUST_CHECK int store_usage_insert(struct db *db, const struct usage_entry *entry, bool *is_added, struct err *err);
/* What an account, a project, a run or a task has used, ever (month 0); of an account also in a month. */
MUST_CHECK int store_usage_total(struct db *db, const char *subject_id, int64_t month, struct usage_sum *out,
                                 struct err *err);
/* What all accounts have used in this month (0: ever). */
MUST_CHECK int store_usage_everywhere(struct db *db, int64_t month, struct usage_sum *out, struct err *err);

enum usage_group { USAGE_BY_DAY, USAGE_BY_PROJECT, USAGE_BY_RUN, USAGE_BY_MODEL, USAGE_BY_PURPOSE };
struct usage_query {
    const char *account_id;
    const char *project_id, *run_id; /* NULL: any */
    int64_t from_ms, to_ms;          /* from_ms <= created_ms < to_ms */
    enum usage_group group;
    int64_t limit; /* most rows */
};
struct usage_row {
    const char *key; /* "2026-11-28", an id, a word; "" when an entry has none */
    struct usage_sum sum;
};
/* The sums by group: days in order, all else by what it cost, most first. */
MUST_CHECK int store_usage_list(struct db *db, struct arena *arena, const struct usage_query *query,
                                struct usage_row **rows, size_t *count, struct err *err);
/* The sum over all that the query names, whatever its group and limit. */
MUST_CHECK int store_usage_sum(struct db *db, const struct usage_query *query, struct usage_sum *out, struct err *err);

MUST_CHECK int store_reservation_insert(struct db *db, const struct reservation *reservation, struct err *err);
/* There may be none any more. */
MUST_CHECK int store_reservation_delete(struct db *db, const char *id, struct err *err);
/* What is reserved for an account; with run_id, for this run of it alone. */
MUST_CHECK int store_reservation_sum(struct db *db, const char *account_id, const char *run_id,
                                     struct spending_limits *out, struct err *err);
MUST_CHECK int store_reservation_everywhere(struct db *db, struct spending_limits *out, struct err *err);
/* Deletes those that ran out, and those whose job is held under their token no more; with is_all every one. *count of
 * them. */
MUST_CHECK int store_reservation_sweep(struct db *db, int64_t now_ms, bool is_all, int64_t *count, struct err *err);

/* Limits of an account (a month) or of a run; ERR_NOT_FOUND when there is no such row. */
MUST_CHECK int store_account_limits(struct db *db, const char *account_id, struct spending_limits *out,
                                    struct err *err);
MUST_CHECK int store_account_set_limits(struct db *db, const char *account_id, const struct spending_limits *limits,
                                        struct err *err);
MUST_CHECK int store_run_limits(struct db *db, const char *run_id, struct spending_limits *out, struct err *err);
MUST_CHECK int store_run_set_limits(struct db *db, const char *run_id, const struct spending_limits *limits,
                                    struct err *err);

#endif
