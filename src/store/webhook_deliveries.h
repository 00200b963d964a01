/* webhook_deliveries: rows of webhook_delivery: what webhooks are told, when, and what came of it.
 *
 * A pending delivery is due at next_attempt_ms. Whoever is about to send it claims it first, which takes it out of
 * sight until lease_until_ms: nobody else sends it meanwhile, and should the sender die, it is due again by itself. */
#ifndef STORE_WEBHOOK_DELIVERIES_H
#define STORE_WEBHOOK_DELIVERIES_H

#include "model/webhook.h"
#include "store/db.h"
#include "store/page.h"

MUST_CHECK int store_webhook_delivery_insert(struct db *db, const struct webhook_delivery *row, struct err *err);
MUST_CHECK int store_webhook_delivery_get(struct db *db, struct arena *arena, const char *id, const char *webhook_id,
                                          struct webhook_delivery **out, struct err *err);
/* Newest first, without payloads; state: its name, or NULL: any. */
MUST_CHECK int store_webhook_delivery_page(struct db *db, struct arena *arena, const char *webhook_id,
                                           const char *state, const struct page *page, struct webhook_delivery **rows,
                                           size_t *count, int64_t *total, struct err *err);
/* How many are pending; counts no further than to most. */
MUST_CHECK int store_webhook_delivery_pending(struct db *db, const char *webhook_id, int64_t most, int64_t *out,
                                              struct err *err);

/* What is due at now_ms, longest overdue first: at most each of a webhook and most in all, with id and webhook_id
 * alone. One webhook's backlog hides none of another's. */
MUST_CHECK int store_webhook_delivery_due(struct db *db, struct arena *arena, int64_t now_ms, int64_t each,
                                          int64_t most, struct webhook_delivery **rows, size_t *count, struct err *err);
/* When the next becomes due after after_ms; 0: never. */
MUST_CHECK int store_webhook_delivery_next_due(struct db *db, int64_t after_ms, int64_t *out, struct err *err);
/* Compare and set: *out is the delivery with its attempt counted, NULL when it is not due any more. */
MUST_CHECK int store_webhook_delivery_claim(struct db *db, struct arena *arena, const char *id, int64_t now_ms,
                                            int64_t lease_until_ms, struct webhook_delivery **out, struct err *err);
/* What came of the attempt that row was claimed for: state, next_attempt_ms, response_status, response_ms, error and
 * completed_ms are written as they are in row. *was_ours is false when the lease was lost. */
MUST_CHECK int store_webhook_delivery_end(struct db *db, const struct webhook_delivery *row, bool *was_ours,
                                          struct err *err);
/* Due now; of one that has ended the attempts begin anew. False when it was in another state, or is being sent. */
MUST_CHECK int store_webhook_delivery_again(struct db *db, const char *id, enum delivery_state from, int64_t now_ms,
                                            bool *moved, struct err *err);
/* All that are pending fail. */
MUST_CHECK int store_webhook_delivery_give_up(struct db *db, const char *webhook_id, int64_t now_ms, const char *error,
                                              struct err *err);
/* What dead senders had claimed is due. For a start on a database that nobody else uses. */
MUST_CHECK int store_webhook_delivery_reclaim(struct db *db, int64_t now_ms, struct err *err);
/* Those that ended before this, at most so many at once. */
MUST_CHECK int store_webhook_delivery_sweep(struct db *db, int64_t before_ms, int64_t most, int64_t *deleted,
                                            struct err *err);

#endif
