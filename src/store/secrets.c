/* secrets: rows of secret. */
#include "store/secrets.h"

#include "base/str.h"
#include "store/rows.h"

/* '' stands for no project, so that one comparison does for both. */
#define PLACE " account_id = $1 AND COALESCE(project_id, '') = $2"

static const char *context_of(struct arena *arena, const char *account_id, const char *project_id, const char *name) {
    return arena_printf(arena, "secret\n%s\n%s\n%s", account_id, str_or(project_id, ""), name);
}

int store_secret_put(struct db *db, const struct vault_key *key, const char *account_id, const char *project_id,
                     const char *name, const char *text, int64_t now_ms, struct err *err) {
    struct arena *arena = arena_create();
    int64_t changes = 0;
    const char *sealed = vault_close(arena, key, context_of(arena, account_id, project_id, name), text);
    int result =
        db_run(db, &changes, err, "UPDATE secret SET sealed = $4, updated_ms = $5 WHERE" PLACE " AND name = $3",
               "tttti", account_id, str_or(project_id, ""), name, sealed, now_ms);
    if (!result && changes == 0)
        result = db_run(db, NULL, err,
                        "INSERT INTO secret (account_id, project_id, name, sealed, created_ms, updated_ms)"
                        " VALUES ($1, $2, $3, $4, $5, $6)",
                        "ttttii", account_id, project_id, name, sealed, now_ms, now_ms);
    arena_destroy(arena);
    return rows_named(result, err, "store the secret %s", name);
}

static int read_sealed(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    *(const char **)row = db_text(stmt, 0, arena);
    return 0;
}

int store_secret_get(struct db *db, struct arena *arena, const struct vault_key *key, const char *account_id,
                     const char *project_id, const char *name, const char **text, struct err *err) {
    struct db_stmt *stmt;
    const char **sealed = NULL;
    char *opened = NULL;
    int result = db_query(db, &stmt, err, "SELECT sealed FROM secret WHERE" PLACE " AND name = $3", "ttt", account_id,
                          str_or(project_id, ""), name);
    if (!result)
        result = rows_one(stmt, arena, sizeof(*sealed), read_sealed, (void **)&sealed, err);
    if (!result && sealed)
        result = vault_open(arena, key, context_of(arena, account_id, project_id, name), *sealed, &opened, err);
    if (!result)
        *text = opened;
    return rows_named(result, err, "read the secret %s", name);
}

static int read_secret(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err) {
    struct secret_row *secret = row;
    secret->name = db_text(stmt, 0, arena);
    secret->project_id = db_text(stmt, 1, arena);
    secret->created_ms = db_int(stmt, 2);
    secret->updated_ms = db_int(stmt, 3);
    return 0;
}

int store_secret_list(struct db *db, struct arena *arena, const char *account_id, const char *project_id,
                      struct secret_row **rows, size_t *count, struct err *err) {
    struct db_stmt *stmt;
    int result = db_query(db, &stmt, err,
                          "SELECT name, project_id, created_ms, updated_ms FROM secret WHERE" PLACE " ORDER BY name",
                          "tt", account_id, str_or(project_id, ""));
    if (!result)
        result = rows_all(stmt, arena, sizeof(**rows), read_secret, (void **)rows, count, err);
    return rows_named(result, err, "list secrets");
}

int store_secret_delete(struct db *db, const char *account_id, const char *project_id, const char *name, bool *deleted,
                        struct err *err) {
    int64_t changes = 0;
    int result = db_run(db, &changes, err, "DELETE FROM secret WHERE" PLACE " AND name = $3", "ttt", account_id,
                        str_or(project_id, ""), name);
    if (!result)
        *deleted = changes > 0;
    return rows_named(result, err, "delete the secret %s", name);
}
