/* specs: rows of spec, one a version of a project's documents. */
#include "store/projects.h"
#include "store/rows.h"

#define SPEC_COLUMNS                                                                                                   \
    "project_id, version, documents_json, plan_json, open_points_json, approved_ms, created_ms, is_edited"

static int read_spec(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct spec *spec = row;
    db_copy(stmt, 0, spec->project_id, sizeof(spec->project_id));
    spec->version = db_int(stmt, 1);
    spec->documents_json = db_text(stmt, 2, arena);
    spec->plan_json = db_text(stmt, 3, arena);
    spec->open_points_json = db_text(stmt, 4, arena);
    spec->approved_ms = db_int(stmt, 5);
    spec->created_ms = db_int(stmt, 6);
    spec->is_edited = db_int(stmt, 7) != 0;
    return 0;
}

static int read_spec_short(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct spec *spec = row;
    db_copy(stmt, 0, spec->project_id, sizeof(spec->project_id));
    spec->version = db_int(stmt, 1);
    spec->approved_ms = db_int(stmt, 2);
    spec->created_ms = db_int(stmt, 3);
    spec->is_edited = db_int(stmt, 4) != 0;
    return 0;
}

int store_spec_insert(struct db *db, const struct spec *spec, struct err *err) {
    int result = db_run(db, NULL, err, "INSERT INTO spec (" SPEC_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                        "titttiii", spec->project_id, spec->version, spec->documents_json, spec->plan_json,
                        spec->open_points_json, spec->approved_ms, spec->created_ms, (int64_t)spec->is_edited);
    return rows_named(result, err, "store spec %lld of project %s", (long long)spec->version, spec->project_id);
}

int store_spec_get(struct db *db, struct arena *arena, const char *project_id, int64_t version, struct spec **out,
                   struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err, "SELECT " SPEC_COLUMNS " FROM spec WHERE project_id = $1 AND version = $2",
                          "ti", project_id, version);
    if (!result)
        result = rows_one(stmt, arena, sizeof(**out), read_spec, (void **)out, err);
    return rows_named(result, err, "read spec %lld of project %s", (long long)version, project_id);
}

int store_spec_list(struct db *db, struct arena *arena, const char *project_id, const struct page *page,
                    struct spec **rows, size_t *count, int64_t *total, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err, "SELECT COUNT(*) FROM spec WHERE project_id = $1", "t", project_id);
    if (!result)
        result = rows_ints(stmt, total, 1, err);
    if (!result)
        result = db_query(db, &stmt, err,
                          "SELECT project_id, version, approved_ms, created_ms, is_edited FROM spec"
                          " WHERE project_id = $1 AND version < $4 ORDER BY version DESC LIMIT $2 OFFSET $3",
                          "tiii", project_id, page->limit, page->offset, page->below_number);
    if (!result)
        result = rows_all(stmt, arena, sizeof(**rows), read_spec_short, (void **)rows, count, err);
    return rows_named(result, err, "list the specs of project %s", project_id);
}

int store_spec_approve(struct db *db, const char *project_id, int64_t version, int64_t now_ms, struct err *err) {
    int64_t changes = 0;
    /* A second approval leaves the time of the first. */
    int result = db_run(db, &changes, err,
                        "UPDATE spec SET approved_ms = CASE WHEN approved_ms = 0 THEN $3 ELSE approved_ms END"
                        " WHERE project_id = $1 AND version = $2",
                        "tii", project_id, version, now_ms);
    if (!result)
        result = rows_touched(changes, "that version of the spec of project", project_id, err);
    return rows_named(result, err, "approve spec %lld of project %s", (long long)version, project_id);
}
