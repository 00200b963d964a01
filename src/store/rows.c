/* rows: collecting the rows of a statement into an arena. */
#include "store/rows.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

int rows_one(struct db_stmt *stmt, struct arena *arena, size_t size_bytes, row_fn *read, void **out, struct err *err) {
    CLEANUP(db_finishp) struct db_stmt *owned = stmt;
    bool has_row = false;
    void *row = NULL;

    int result = db_step(owned, &has_row, err);
    if (!result && has_row) {
        row = arena_alloc(arena, size_bytes);
        result = read(owned, arena, row, err);
    }
    /* To its end: an INSERT … RETURNING is complete only then. */
    while (!result && has_row)
        result = db_step(owned, &has_row, err);
    if (!result)
        *out = row;
    return result;
}

int rows_all(struct db_stmt *stmt, struct arena *arena, size_t size_bytes, row_fn *read, void **rows, size_t *count,
             struct err *err) {
    CLEANUP(db_finishp) struct db_stmt *owned = stmt;
    size_t used = 0, capacity = 0;
    char *items = NULL;

    for (;;) {
        bool has_row = false;
        int result = db_step(owned, &has_row, err);
        if (result)
            return result;
        if (!has_row)
            break;
        if (used == capacity) {
            size_t larger = capacity ? capacity * 2 : 16;
            char *moved = arena_array(arena, larger, size_bytes);
            if (used)
                memcpy(moved, items, used * size_bytes);
            items = moved;
            capacity = larger;
        }
        result = read(owned, arena, items + used * size_bytes, err);
        if (result)
            return result;
        used++;
    }
    *rows = items;
    *count = used;
    return 0;
}

int rows_ints(struct db_stmt *stmt, int64_t *values, int count, struct err *err) {
    CLEANUP(db_finishp) struct db_stmt *owned = stmt;
    bool has_row = false;

    int result = db_step(owned, &has_row, err);
    if (result)
        return result;
    for (int i = 0; i < count; i++)
        values[i] = has_row ? db_int(owned, i) : 0;
    while (!result && has_row)
        result = db_step(owned, &has_row, err);
    return result;
}

int rows_touched(int64_t changes, const char *what, const char *id, struct err *err) {
    return changes > 0 ? 0 : err_set(err, ERR_NOT_FOUND, "%s %s does not exist", what, id);
}

int rows_named(int result, struct err *err, const char *format, ...) {
    if (result && err) {
        char operation[160];
        va_list args;
        va_start(args, format);
        (void)vsnprintf(operation, sizeof(operation), format, args);
        va_end(args);
        (void)err_wrap(err, "%s", operation);
    }
    return result;
}

int rows_unknown(struct err *err, const char *type, const char *name) {
    return err_set(err, ERR_INTERNAL, "the database holds a %s this version does not know: \"%s\"", type, name);
}
