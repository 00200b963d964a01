/* sqlite: the driver for SQLite: WAL, durable commits, prepared statements kept for the next use. */
#include <ctype.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "store/driver.h"
#include "store/rows.h"

enum {
    CACHE_SLOTS = 256, /* a power of two, well above the statements there are */
    CACHE_WAYS = 4,
    BUSY_TIMEOUT_MS = 10000, /* for another process on the same file: the command line beside a server */
};

struct sqlite_stmt {
    struct db_stmt base; /* first: the rest of the program sees only this */
    sqlite3_stmt *handle;
    const char *key; /* the caller's string */
    char *sql;       /* its content: an address may be used again */
    int bind_status; /* the first failed bind, told by step */
    bool is_cached, is_in_use;
};

struct sqlite_db {
    struct db base;
    sqlite3 *handle;
    struct sqlite_stmt *cache[CACHE_SLOTS];
};

static struct sqlite_db *self(struct db *db) {
    return (struct sqlite_db *)db;
}

static struct sqlite_stmt *self_stmt(struct db_stmt *stmt) {
    return (struct sqlite_stmt *)stmt;
}

static enum err_code code_of(int status) {
    switch (status) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return ERR_CONFLICT;
    default:
        break;
    }
    switch (status & 0xff) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
    case SQLITE_NOMEM:
        return ERR_UNAVAILABLE;
    case SQLITE_TOOBIG:
        return ERR_TOO_LARGE;
    default:
        return ERR_INTERNAL;
    }
}

static int fail(sqlite3 *handle, int status, struct err *err) {
    return err_set(err, code_of(status), "database: %s", handle ? sqlite3_errmsg(handle) : sqlite3_errstr(status));
}

static void stmt_destroy(struct sqlite_stmt *stmt) {
    if (!stmt)
        return;
    (void)sqlite3_finalize(stmt->handle);
    free(stmt->sql);
    free(stmt);
}

static void driver_close(struct db *db) {
    if (!db)
        return;
    struct sqlite_db *own = self(db);
    for (size_t i = 0; i < CACHE_SLOTS; i++)
        stmt_destroy(own->cache[i]);
    (void)sqlite3_close_v2(own->handle);
    free(own);
}

static int driver_execute(struct db *db, const char *script, struct err *err) {
    struct sqlite_db *own = self(db);
    int status = sqlite3_exec(own->handle, script, NULL, NULL, NULL);
    return status == SQLITE_OK ? 0 : fail(own->handle, status, err);
}

/* synchronous=FULL: in WAL mode a commit returns after the log's fsync, and nothing acknowledged is lost with the
 * power. */
static const char writer_settings[] = "PRAGMA journal_mode=WAL;"
                                      "PRAGMA synchronous=FULL;"
                                      "PRAGMA foreign_keys=ON;"
                                      "PRAGMA cache_size=-16000;"
                                      "PRAGMA journal_size_limit=67108864;";
static const char reader_settings[] = "PRAGMA query_only=ON;"
                                      "PRAGMA cache_size=-4000;";

static int set_up(struct sqlite_db *own, bool is_read_only, struct err *err) {
    (void)sqlite3_extended_result_codes(own->handle, 1);
    (void)sqlite3_busy_timeout(own->handle, BUSY_TIMEOUT_MS);
    /* "x" is a name and never a string; and no statement reaches into the tables behind the full-text index. */
    (void)sqlite3_db_config(own->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    (void)sqlite3_db_config(own->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    (void)sqlite3_db_config(own->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return driver_execute(&own->base, is_read_only ? reader_settings : writer_settings, err);
}

static int driver_open(struct db **out, const char *path, bool is_read_only, struct err *err) {
    if (!*path)
        return err_set(err, ERR_VALIDATION, "database URL lacks a path: use sqlite:PATH");

    struct sqlite_db *own = mem_alloc(sizeof(*own));
    own->base.driver = &sqlite_driver;
    /* A reader too may have to write, to the log's index; query_only keeps it from more. One handle a thread, so that
     * SQLite's own locking is not needed. */
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (is_read_only ? 0 : SQLITE_OPEN_CREATE);
    int status = sqlite3_open_v2(path, &own->handle, flags, NULL);
    int result = status == SQLITE_OK ? set_up(own, is_read_only, err) : fail(own->handle, status, err);
    if (result) {
        driver_close(&own->base);
        return rows_named(result, err, "open %s", path);
    }
    *out = &own->base;
    return 0;
}

/* `$1` is a name to SQLite, numbered as it comes; `?1` is the number itself. */
static char *numbered(const char *sql) {
    char *copy = mem_strdup(sql);
    char quote = '\0';
    for (char *c = copy; *c; c++) {
        if (quote)
            quote = *c == quote ? '\0' : quote;
        else if (*c == '\'' || *c == '"')
            quote = *c;
        else if (*c == '$' && isdigit((unsigned char)c[1]))
            *c = '?';
    }
    return copy;
}

static int stmt_create(struct sqlite_db *own, const char *sql, struct sqlite_stmt **out, struct err *err) {
    CLEANUP(mem_freep) char *text = numbered(sql);
    sqlite3_stmt *handle = NULL;
    int status = sqlite3_prepare_v3(own->handle, text, -1, SQLITE_PREPARE_PERSISTENT, &handle, NULL);
    if (status != SQLITE_OK)
        return fail(own->handle, status, err);

    struct sqlite_stmt *stmt = mem_alloc(sizeof(*stmt));
    stmt->base.db = &own->base;
    stmt->handle = handle;
    stmt->key = sql;
    stmt->sql = mem_strdup(sql);
    *out = stmt;
    return 0;
}

static struct sqlite_stmt **ways_of(struct sqlite_db *own, const char *sql) {
    uint64_t hash = (uint64_t)(uintptr_t)sql * UINT64_C(0x9e3779b97f4a7c15);
    return &own->cache[(hash >> 32) & (CACHE_SLOTS - CACHE_WAYS)];
}

/* Into an empty place, else into that of one that rests; when all are at work it stays outside and dies at finish. */
static void cache_put(struct sqlite_stmt **ways, struct sqlite_stmt *stmt) {
    struct sqlite_stmt **place = NULL;
    for (size_t i = 0; i < CACHE_WAYS; i++) {
        if (!ways[i]) {
            place = &ways[i];
            break;
        }
        if (!ways[i]->is_in_use && (!place || ways[i]->key == stmt->key))
            place = &ways[i];
    }
    if (!place)
        return;
    stmt_destroy(*place);
    *place = stmt;
    stmt->is_cached = true;
}

static int driver_prepare(struct db *db, const char *sql, struct db_stmt **out, struct err *err) {
    struct sqlite_db *own = self(db);
    struct sqlite_stmt **ways = ways_of(own, sql);
    struct sqlite_stmt *stmt = NULL;

    for (size_t i = 0; i < CACHE_WAYS && !stmt; i++)
        if (ways[i] && ways[i]->key == sql && !ways[i]->is_in_use && strcmp(ways[i]->sql, sql) == 0)
            stmt = ways[i];
    if (!stmt) {
        int result = stmt_create(own, sql, &stmt, err);
        if (result)
            return result;
        cache_put(ways, stmt);
    }
    stmt->is_in_use = true;
    stmt->bind_status = SQLITE_OK;
    *out = &stmt->base;
    return 0;
}

static void note_bind(struct sqlite_stmt *stmt, int status) {
    if (stmt->bind_status == SQLITE_OK)
        stmt->bind_status = status;
}

static void driver_bind_text(struct db_stmt *stmt, int index, const char *text) {
    struct sqlite_stmt *own = self_stmt(stmt);
    note_bind(own, text ? sqlite3_bind_text(own->handle, index, text, -1, SQLITE_TRANSIENT)
                        : sqlite3_bind_null(own->handle, index));
}

static void driver_bind_int(struct db_stmt *stmt, int index, int64_t value) {
    struct sqlite_stmt *own = self_stmt(stmt);
    note_bind(own, sqlite3_bind_int64(own->handle, index, value));
}

static void driver_bind_null(struct db_stmt *stmt, int index) {
    struct sqlite_stmt *own = self_stmt(stmt);
    note_bind(own, sqlite3_bind_null(own->handle, index));
}

static int driver_step(struct db_stmt *stmt, bool *has_row, struct err *err) {
    struct sqlite_stmt *own = self_stmt(stmt);
    if (own->bind_status != SQLITE_OK)
        return err_set(err, code_of(own->bind_status), "database: bind: %s", sqlite3_errstr(own->bind_status));
    int status = sqlite3_step(own->handle);
    if (status != SQLITE_ROW && status != SQLITE_DONE)
        return fail(self(stmt->db)->handle, status, err);
    *has_row = status == SQLITE_ROW;
    return 0;
}

static int64_t driver_changes(struct db_stmt *stmt) {
    return sqlite3_changes64(self(stmt->db)->handle);
}

static bool driver_is_null(struct db_stmt *stmt, int column) {
    return sqlite3_column_type(self_stmt(stmt)->handle, column) == SQLITE_NULL;
}

static const char *driver_column_text(struct db_stmt *stmt, int column, size_t *len) {
    struct sqlite_stmt *own = self_stmt(stmt);
    const char *text = (const char *)sqlite3_column_text(own->handle, column);
    *len = text ? (size_t)sqlite3_column_bytes(own->handle, column) : 0;
    return text;
}

static int64_t driver_column_int(struct db_stmt *stmt, int column) {
    return sqlite3_column_int64(self_stmt(stmt)->handle, column);
}

static void driver_finish(struct db_stmt *stmt) {
    if (!stmt)
        return;
    struct sqlite_stmt *own = self_stmt(stmt);
    if (!own->is_cached) {
        stmt_destroy(own);
        return;
    }
    (void)sqlite3_reset(own->handle);
    (void)sqlite3_clear_bindings(own->handle);
    own->is_in_use = false;
}

static int driver_check(struct db *db, struct err *err) {
    CLEANUP(db_finishp) struct db_stmt *pages = NULL;
    CLEANUP(db_finishp) struct db_stmt *references = NULL;
    bool has_row = false;

    int result = db_query(db, &pages, err, "PRAGMA integrity_check(1)", "");
    if (!result)
        result = db_step(pages, &has_row, err);
    if (result)
        return result;
    size_t len = 0;
    const char *answer = has_row ? driver_column_text(pages, 0, &len) : NULL;
    if (!str_eq(answer, "ok"))
        return err_set(err, ERR_UNAVAILABLE, "database is damaged: %s", str_or(answer, "no answer"));

    result = db_query(db, &references, err, "PRAGMA foreign_key_check", "");
    if (!result)
        result = db_step(references, &has_row, err);
    if (!result && has_row) {
        const char *table = driver_column_text(references, 0, &len);
        result =
            err_set(err, ERR_UNAVAILABLE, "database is damaged: a row of %s refers to nothing", str_or(table, "?"));
    }
    return result;
}

const struct db_driver sqlite_driver = {
    .name = "sqlite",
    .dialect = DB_SQLITE,
    .begin_write = "BEGIN IMMEDIATE",
    .begin_read = "BEGIN",
    .open = driver_open,
    .close = driver_close,
    .execute = driver_execute,
    .prepare = driver_prepare,
    .bind_text = driver_bind_text,
    .bind_int = driver_bind_int,
    .bind_null = driver_bind_null,
    .step = driver_step,
    .changes = driver_changes,
    .is_null = driver_is_null,
    .column_text = driver_column_text,
    .column_int = driver_column_int,
    .finish = driver_finish,
    .check = driver_check,
};
