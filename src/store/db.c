/* db: binding by kinds, and reading columns. */
#include "store/db.h"

#include <assert.h>
#include <stdarg.h>

#include "base/mem.h"
#include "base/str.h"

static void bind_all(struct db_stmt *stmt, const char *kinds, va_list args) {
    const struct db_driver *driver = stmt->db->driver;

    for (int i = 0; kinds[i]; i++) {
        const char *text;
        switch (kinds[i]) {
        case 'i':
            driver->bind_int(stmt, i + 1, va_arg(args, int64_t));
            break;
        case 't':
            driver->bind_text(stmt, i + 1, va_arg(args, const char *));
            break;
        case 's':
            text = va_arg(args, const char *);
            driver->bind_text(stmt, i + 1, text && *text ? text : NULL);
            break;
        default:
            assert(!"kinds has a letter that is not known");
        }
    }
}

__attribute__((nonnull(5))) static int query(struct db *db, struct db_stmt **out, struct err *err, const char *sql,
                                             const char *kinds, va_list args) {
    struct db_stmt *stmt;
    int result = db->driver->prepare(db, sql, &stmt, err);
    if (result)
        return result;
    bind_all(stmt, kinds, args);
    *out = stmt;
    return 0;
}

int db_query(struct db *db, struct db_stmt **out, struct err *err, const char *sql, const char *kinds, ...) {
    va_list args;
    va_start(args, kinds);
    int result = query(db, out, err, sql, kinds, args);
    va_end(args);
    return result;
}

int db_run(struct db *db, int64_t *changes, struct err *err, const char *sql, const char *kinds, ...) {
    CLEANUP(db_finishp) struct db_stmt *stmt = NULL;
    bool has_row = true;
    va_list args;

    va_start(args, kinds);
    int result = query(db, &stmt, err, sql, kinds, args);
    va_end(args);
    while (!result && has_row)
        result = db_step(stmt, &has_row, err);
    if (!result && changes)
        *changes = db->driver->changes(stmt);
    return result;
}

int db_step(struct db_stmt *stmt, bool *has_row, struct err *err) {
    return stmt->db->driver->step(stmt, has_row, err);
}

void db_finish(struct db_stmt *stmt) {
    if (stmt)
        stmt->db->driver->finish(stmt);
}

void db_finishp(struct db_stmt **stmt) {
    db_finish(*stmt);
    *stmt = NULL;
}

char *db_text(struct db_stmt *stmt, int column, struct arena *arena) {
    size_t len = 0;
    const char *text = stmt->db->driver->column_text(stmt, column, &len);
    return text ? arena_strndup(arena, text, len) : NULL;
}

int64_t db_int(struct db_stmt *stmt, int column) {
    return stmt->db->driver->column_int(stmt, column);
}

void db_copy(struct db_stmt *stmt, int column, char *out, size_t out_size) {
    size_t len = 0;
    const char *text = stmt->db->driver->column_text(stmt, column, &len);
    (void)str_copy(out, out_size, text ? text : "");
}
