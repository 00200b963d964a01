/* rows: from the rows of a statement to structs in an arena. For the store's own files. */
#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include "store/db.h"

/* Fills the (zeroed) struct at row from the statement's current row. */
typedef int row_fn(struct db_stmt *stmt, struct arena *arena, void *row, struct err *err);

/* Both run the statement to its end and finish it, whatever happens. *out is the first row in the arena, NULL if there
 * is none; *rows an arena array of *count structs of size_bytes. Outputs are untouched on failure. */
MUST_CHECK int rows_one(struct db_stmt *stmt, struct arena *arena, size_t size_bytes, row_fn *read, void **out,
                        struct err *err);
MUST_CHECK int rows_all(struct db_stmt *stmt, struct arena *arena, size_t size_bytes, row_fn *read, void **rows,
                        size_t *count, struct err *err);
/* The integers in the columns of the first row; all 0 when there is no row. Finishes the statement. */
MUST_CHECK int rows_ints(struct db_stmt *stmt, int64_t *values, int count, struct err *err);

/* For an UPDATE that must have met its row. */
MUST_CHECK int rows_touched(int64_t changes, const char *what, const char *id, struct err *err);

/* A result as it is, an error's message with "operation: " before it. */
int rows_named(int result, struct err *err, const char *format, ...) __attribute__((format(printf, 3, 4)));

int rows_unknown(struct err *err, const char *type, const char *name);
/* Reads a column that holds the name of an enum value: 0, or an error when this binary does not know the name. */
#define row_enum(type, stmt, column, out, err)                                                                         \
    ({                                                                                                                 \
        char name_[64];                                                                                                \
        db_copy(stmt, column, name_, sizeof(name_));                                                                   \
        type##_parse(name_, out) ? 0 : rows_unknown(err, #type, name_);                                                \
    })

#endif
