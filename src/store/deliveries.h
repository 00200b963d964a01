/* deliveries: rows of export and deployment. */
#ifndef STORE_DELIVERIES_H
#define STORE_DELIVERIES_H

#include "model/delivery.h"
#include "store/db.h"
#include "store/page.h"

/* A page of a project's exports or deployments. */
struct delivery_query {
    const char *project_id;
    const char *state; /* its name, or NULL: any */
    struct page page;
};

MUST_CHECK int store_export_insert(struct db *db, const struct export *row, struct err *err);
MUST_CHECK int store_export_get(struct db *db, struct arena *arena, const char *id, const char *project_id,
                                struct export **out, struct err *err);
/* Compare and set of the state; the other members that can change (sha256, size_bytes, error, completed_ms, expires_ms)
 * are written as they are in row. */
MUST_CHECK int store_export_move(struct db *db, const struct export *row, enum export_state from, enum export_state to,
                                 bool *moved, struct err *err);
/* Completed ones whose time has come. */
MUST_CHECK int store_export_due(struct db *db, struct arena *arena, int64_t now_ms, struct export **rows, size_t *count,
                                struct err *err);

/* Newest first. */
MUST_CHECK int store_export_page(struct db *db, struct arena *arena, const struct delivery_query *query,
                                 struct export **rows, size_t *count, int64_t *total, struct err *err);
/* *deleted is false when there was none. */
MUST_CHECK int store_export_delete(struct db *db, const char *id, bool *deleted, struct err *err);

MUST_CHECK int store_deployment_insert(struct db *db, const struct deployment *row, struct err *err);
MUST_CHECK int store_deployment_get(struct db *db, struct arena *arena, const char *id, const char *project_id,
                                    struct deployment **out, struct err *err);
/* Compare and set of the state; url, error, port, updated_ms are written as they are in row. */
MUST_CHECK int store_deployment_move(struct db *db, const struct deployment *row, enum deployment_state from,
                                     enum deployment_state to, bool *moved, struct err *err);
/* All in this state, oldest first; project_id NULL: of every project. */
MUST_CHECK int store_deployment_list(struct db *db, struct arena *arena, const char *project_id,
                                     enum deployment_state state, struct deployment **rows, size_t *count,
                                     struct err *err);
/* Newest first. */
MUST_CHECK int store_deployment_page(struct db *db, struct arena *arena, const struct delivery_query *query,
                                     struct deployment **rows, size_t *count, int64_t *total, struct err *err);

#endif
