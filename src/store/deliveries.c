/* deliveries: rows of export and deployment. */
#include "store/deliveries.h"

#include "store/rows.h"

#define EXPORT_COLUMNS                                                                                                 \
    "id, project_id, run_id, run_number, format, state, commit_sha, sha256, size_bytes, error, created_ms,"            \
    " completed_ms, expires_ms"
#define DEPLOYMENT_COLUMNS                                                                                             \
    "id, project_id, run_id, provider, state, commit_sha, url, error, port, created_ms, updated_ms"

static int read_export(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct export *export = row;
    db_copy(stmt, 0, export->id, sizeof(export->id));
    db_copy(stmt, 1, export->project_id, sizeof(export->project_id));
    db_copy(stmt, 2, export->run_id, sizeof(export->run_id));
    export->run_number = db_int(stmt, 3);
    export->format = db_text(stmt, 4, arena);
    db_copy(stmt, 6, export->commit_sha, sizeof(export->commit_sha));
    db_copy(stmt, 7, export->sha256, sizeof(export->sha256));
    export->size_bytes = db_int(stmt, 8);
    export->error = db_text(stmt, 9, arena);
    export->created_ms = db_int(stmt, 10);
    export->completed_ms = db_int(stmt, 11);
    export->expires_ms = db_int(stmt, 12);
    return row_enum(export_state, stmt, 5, &export->state, err);
}

static int read_deployment(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct deployment *deployment = row;
    db_copy(stmt, 0, deployment->id, sizeof(deployment->id));
    db_copy(stmt, 1, deployment->project_id, sizeof(deployment->project_id));
    db_copy(stmt, 2, deployment->run_id, sizeof(deployment->run_id));
    deployment->provider = db_text(stmt, 3, arena);
    db_copy(stmt, 5, deployment->commit_sha, sizeof(deployment->commit_sha));
    deployment->url = db_text(stmt, 6, arena);
    deployment->error = db_text(stmt, 7, arena);
    deployment->port = db_int(stmt, 8);
    deployment->created_ms = db_int(stmt, 9);
    deployment->updated_ms = db_int(stmt, 10);
    return row_enum(deployment_state, stmt, 4, &deployment->state, err);
}

#define OF_PAGE "WHERE project_id = $1 AND (CAST($2 AS TEXT) IS NULL OR state = $2)"

static int page_total(struct db *db, const char *sql, const struct delivery_query *query, int64_t *total,
                      struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err, sql, "tt", query->project_id, query->state);
    return result ? result : rows_ints(stmt, total, 1, err);
}

static int page_query(struct db *db, struct db_stmt **stmt, const char *sql, const struct delivery_query *query,
                      struct err *err) {
    return db_query(db, stmt, err, sql, "ttiit", query->project_id, query->state, query->page.limit, query->page.offset,
                    query->page.below_id);
}

int store_export_insert(struct db *db, const struct export *row, struct err *err) {
    int result = db_run(db, NULL, err,
                        "INSERT INTO export (" EXPORT_COLUMNS ")"
                        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
                        "tttittttitiii", row->id, row->project_id, row->run_id, row->run_number, row->format,
                        export_state_name(row->state), row->commit_sha, row->sha256, row->size_bytes, row->error,
                        row->created_ms, row->completed_ms, row->expires_ms);
    return rows_named(result, err, "store export %s", row->id);
}

int store_export_get(struct db *db, struct arena *arena, const char *id, const char *project_id, struct export **out,
                     struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err,
                          "SELECT " EXPORT_COLUMNS " FROM export"
                          " WHERE id = $1 AND (CAST($2 AS TEXT) IS NULL OR project_id = $2)",
                          "tt", id, project_id);
    if (!result)
        result = rows_one(stmt, arena, sizeof(**out), read_export, (void **)out, err);
    return rows_named(result, err, "read export %s", id);
}

int store_export_move(struct db *db, const struct export *row, enum export_state from, enum export_state to,
                      bool *moved, struct err *err) {
    int64_t changes = 0;
    int result = db_run(db, &changes, err,
                        "UPDATE export SET state = $3, sha256 = $4, size_bytes = $5, error = $6, completed_ms = $7,"
                        " expires_ms = $8 WHERE id = $1 AND state = $2",
                        "ttttitii", row->id, export_state_name(from), export_state_name(to), row->sha256,
                        row->size_bytes, row->error, row->completed_ms, row->expires_ms);
    if (!result)
        *moved = changes > 0;
    return rows_named(result, err, "move export %s to %s", row->id, export_state_name(to));
}

int store_export_due(struct db *db, struct arena *arena, int64_t now_ms, struct export **rows, size_t *count,
                     struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err,
                          "SELECT " EXPORT_COLUMNS " FROM export WHERE state = 'completed' AND expires_ms <= $1"
                          " ORDER BY expires_ms, id",
                          "i", now_ms);
    if (!result)
        result = rows_all(stmt, arena, sizeof(**rows), read_export, (void **)rows, count, err);
    return rows_named(result, err, "list expired exports");
}

int store_export_page(struct db *db, struct arena *arena, const struct delivery_query *query, struct export **rows,
                      size_t *count, int64_t *total, struct err *err) {
    struct db_stmt *stmt;
    int result = page_total(db, "SELECT COUNT(*) FROM export " OF_PAGE, query, total, err);
    if (!result)
        result = page_query(db, &stmt,
                            "SELECT " EXPORT_COLUMNS " FROM export " OF_PAGE
                            " AND id < $5 ORDER BY id DESC LIMIT $3 OFFSET $4",
                            query, err);
    if (!result)
        result = rows_all(stmt, arena, sizeof(**rows), read_export, (void **)rows, count, err);
    return rows_named(result, err, "list exports of project %s", query->project_id);
}

int store_export_delete(struct db *db, const char *id, bool *deleted, struct err *err) {
    int64_t changes = 0;
    int result = db_run(db, &changes, err, "DELETE FROM export WHERE id = $1", "t", id);
    if (!result)
        *deleted = changes > 0;
    return rows_named(result, err, "delete export %s", id);
}

int store_deployment_insert(struct db *db, const struct deployment *row, struct err *err) {
    int result =
        db_run(db, NULL, err,
               "INSERT INTO deployment (" DEPLOYMENT_COLUMNS ")"
               " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
               "ttttttttiii", row->id, row->project_id, row->run_id, row->provider, deployment_state_name(row->state),
               row->commit_sha, row->url, row->error, row->port, row->created_ms, row->updated_ms);
    return rows_named(result, err, "store deployment %s", row->id);
}

int store_deployment_get(struct db *db, struct arena *arena, const char *id, const char *project_id,
                         struct deployment **out, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err,
                          "SELECT " DEPLOYMENT_COLUMNS " FROM deployment"
                          " WHERE id = $1 AND (CAST($2 AS TEXT) IS NULL OR project_id = $2)",
                          "tt", id, project_id);
    if (!result)
        result = rows_one(stmt, arena, sizeof(**out), read_deployment, (void **)out, err);
    return rows_named(result, err, "read deployment %s", id);
}

int store_deployment_move(struct db *db, const struct deployment *row, enum deployment_state from,
                          enum deployment_state to, bool *moved, struct err *err) {
    int64_t changes = 0;
    int result = db_run(db, &changes, err,
                        "UPDATE deployment SET state = $3, url = $4, error = $5, port = $6, updated_ms = $7"
                        " WHERE id = $1 AND state = $2",
                        "tttttii", row->id, deployment_state_name(from), deployment_state_name(to), row->url,
                        row->error, row->port, row->updated_ms);
    if (!result)
        *moved = changes > 0;
    return rows_named(result, err, "move deployment %s to %s", row->id, deployment_state_name(to));
}

int store_deployment_list(struct db *db, struct arena *arena, const char *project_id, enum deployment_state state,
                          struct deployment **rows, size_t *count, struct err *err) {
    const char *name = deployment_state_name(state);
    struct db_stmt *stmt;
    int result =
        project_id ? db_query(db, &stmt, err,
                              "SELECT " DEPLOYMENT_COLUMNS " FROM deployment WHERE state = $1 AND project_id = $2"
                              " ORDER BY id",
                              "tt", name, project_id)
                   : db_query(db, &stmt, err,
                              "SELECT " DEPLOYMENT_COLUMNS " FROM deployment WHERE state = $1 ORDER BY id", "t", name);
    if (!result)
        result = rows_all(stmt, arena, sizeof(**rows), read_deployment, (void **)rows, count, err);
    return rows_named(result, err, "list deployments");
}

int store_deployment_page(struct db *db, struct arena *arena, const struct delivery_query *query,
                          struct deployment **rows, size_t *count, int64_t *total, struct err *err) {
    struct db_stmt *stmt;
    int result = page_total(db, "SELECT COUNT(*) FROM deployment " OF_PAGE, query, total, err);
    if (!result)
        result = page_query(db, &stmt,
                            "SELECT " DEPLOYMENT_COLUMNS " FROM deployment " OF_PAGE
                            " AND id < $5 ORDER BY id DESC LIMIT $3 OFFSET $4",
                            query, err);
    if (!result)
        result = rows_all(stmt, arena, sizeof(**rows), read_deployment, (void **)rows, count, err);
    return rows_named(result, err, "list deployments of project %s", query->project_id);
}
