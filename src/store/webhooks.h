/* webhooks: rows of webhook. */
#ifndef STORE_WEBHOOKS_H
#define STORE_WEBHOOKS_H

#include "model/webhook.h"
#include "store/db.h"
#include "store/page.h"

MUST_CHECK int store_webhook_insert(struct db *db, const struct webhook *row, struct err *err);
/* account_id NULL: anybody's. *out is NULL when there is none. */
MUST_CHECK int store_webhook_get(struct db *db, struct arena *arena, const char *id, const char *account_id,
                                 struct webhook **out, struct err *err);
MUST_CHECK int store_webhook_count(struct db *db, const char *account_id, int64_t *out, struct err *err);
/* Newest first. */
MUST_CHECK int store_webhook_page(struct db *db, struct arena *arena, const char *account_id, const struct page *page,
                                  struct webhook **rows, size_t *count, int64_t *total, struct err *err);
/* Enabled ones that are told of this event (a name) in this project. */
MUST_CHECK int store_webhook_listening(struct db *db, struct arena *arena, const char *project_id, const char *event,
                                       struct webhook **rows, size_t *count, struct err *err);
/* All but id, account and created_ms as it is in row. */
MUST_CHECK int store_webhook_update(struct db *db, const struct webhook *row, struct err *err);
/* Its deliveries go, too. */
MUST_CHECK int store_webhook_delete(struct db *db, const char *id, bool *deleted, struct err *err);

#endif
