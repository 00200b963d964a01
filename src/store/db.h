/* db: one connection to a database, over a driver. SQL is the dialect that SQLite and PostgreSQL share: $1 parameters,
 * RETURNING, ON CONFLICT. A handle belongs to one thread at a time. */
#ifndef STORE_DB_H
#define STORE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct db;
struct db_stmt;

enum db_dialect { DB_SQLITE, DB_POSTGRES };

/* What a driver supplies. Everything above this struct is the same for all databases. */
struct db_driver {
    const char *name;
    enum db_dialect dialect;
    const char
        *begin_write;       /* begins a transaction that may write, so that it cannot fail later for want of the lock */
    const char *begin_read; /* begins one in which all reads see the same state */
    int (*open)(struct db **out, const char *url, bool is_read_only, struct err *err);
    void (*close)(struct db *db);
    int (*execute)(struct db *db, const char *script, struct err *err); /* statements without parameters or rows */
    int (*prepare)(struct db *db, const char *sql, struct db_stmt **out, struct err *err);
    void (*bind_text)(struct db_stmt *stmt, int index, const char *text); /* index from 1; NULL binds NULL; copied */
    void (*bind_int)(struct db_stmt *stmt, int index, int64_t value);
    void (*bind_null)(struct db_stmt *stmt, int index);
    int (*step)(struct db_stmt *stmt, bool *has_row, struct err *err);
    int64_t (*changes)(struct db_stmt *stmt);          /* rows an UPDATE, INSERT or DELETE touched */
    bool (*is_null)(struct db_stmt *stmt, int column); /* column from 0 */
    const char *(*column_text)(struct db_stmt *stmt, int column, size_t *len); /* valid until the next step */
    int64_t (*column_int)(struct db_stmt *stmt, int column);
    void (*finish)(struct db_stmt *stmt);         /* back into the cache; NULL is fine */
    int (*check)(struct db *db, struct err *err); /* reads everything and says what is damaged */
};

struct db {
    const struct db_driver *driver;
};

/* The common part of a statement; drivers embed it first. */
struct db_stmt {
    struct db *db;
};

/* Prepares (from the handle's cache, keyed by the address of a constant string) and binds in one go. kinds has one
 * letter a parameter: 't' const char * (NULL binds NULL), 'i' int64_t, 's' const char * where "" binds NULL. The caller
 * steps, and finishes. */
MUST_CHECK int db_query(struct db *db, struct db_stmt **out, struct err *err, const char *sql, const char *kinds, ...);
MUST_CHECK int db_step(struct db_stmt *stmt, bool *has_row, struct err *err);
void db_finish(struct db_stmt *stmt);
void db_finishp(struct db_stmt **stmt); /* for CLEANUP */
/* A statement without rows, to its end; *changes (may be NULL) gets the rows touched. */
MUST_CHECK int db_run(struct db *db, int64_t *changes, struct err *err, const char *sql, const char *kinds, ...);

/* Columns, from 0. Text is copied into the arena; NULL stays NULL. */
char *db_text(struct db_stmt *stmt, int column, struct arena *arena);
int64_t db_int(struct db_stmt *stmt, int column); /* NULL is 0 */
/* Copies into a fixed array, "" for NULL. */
void db_copy(struct db_stmt *stmt, int column, char *out, size_t out_size);

#endif
