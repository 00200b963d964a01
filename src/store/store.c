/* store: the writer, and a read connection for each thread that asks. */
#include "store/store.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/list.h"
#include "base/mem.h"
#include "store/driver.h"
#include "store/migrations.h"
#include "store/rows.h"
#include "store/writer.h"

static const struct writer_limits writer_limits = {.queued = 4096, .queued_ms = 60000};

struct store {
    char *url;
    struct writer *writer;
    pthread_key_t reader_key; /* this thread's struct reader */
    pthread_mutex_t lock;     /* guards readers */
    struct list readers;
};

struct reader {
    struct list node;
    struct store *store;
    struct db *db;
    const struct store_company *company; /* of this thread's next write, or NULL */
};

/* Also what ends a thread's reader when the thread ends. */
static void reader_destroy(void *arg) {
    struct reader *reader = arg;
    (void)pthread_mutex_lock(&reader->store->lock);
    list_remove(&reader->node);
    (void)pthread_mutex_unlock(&reader->store->lock);
    db_close(reader->db);
    free(reader);
}

static int open_writer(struct store *store, struct err *err) {
    struct db *db;
    int result = db_open(&db, store->url, false, err);
    if (result)
        return result;
    result = migrations_run(db, err);
    if (!result)
        result = writer_create(&store->writer, db, &writer_limits, err);
    if (result)
        db_close(db);
    return result;
}

int store_open(struct store **out, const struct store_config *config, struct err *err) {
    struct store *store = mem_alloc(sizeof(*store));
    int errnum = pthread_key_create(&store->reader_key, reader_destroy);
    if (errnum) {
        free(store);
        return err_errno(err, ERR_UNAVAILABLE, errnum, "open the store");
    }
    store->url = mem_strdup(config->url);
    list_init(&store->readers);
    (void)pthread_mutex_init(&store->lock, NULL);
    int result = open_writer(store, err);
    if (result) {
        store_close(store);
        return rows_named(result, err, "open the store");
    }
    *out = store;
    return 0;
}

void store_close(struct store *store) {
    if (!store)
        return;
    /* Readers first: the writer, last to close, then puts the whole log into the file. */
    (void)pthread_key_delete(store->reader_key);
    list_for_each (node, next_node, &store->readers)
        reader_destroy(container_of(node, struct reader, node));
    writer_destroy(store->writer);
    (void)pthread_mutex_destroy(&store->lock);
    free(store->url);
    free(store);
}

void store_thread_end(struct store *store) {
    struct reader *reader = pthread_getspecific(store->reader_key);
    if (!reader)
        return;
    (void)pthread_setspecific(store->reader_key, NULL);
    reader_destroy(reader);
}

/* This thread's own. */
static int open_reader(struct store *store, struct reader **out, struct err *err) {
    struct reader *reader = pthread_getspecific(store->reader_key);
    if (!reader) {
        struct db *db;
        int result = db_open(&db, store->url, true, err);
        if (result)
            return result;
        reader = mem_alloc(sizeof(*reader));
        reader->store = store;
        reader->db = db;
        (void)pthread_mutex_lock(&store->lock);
        list_append(&store->readers, &reader->node);
        (void)pthread_mutex_unlock(&store->lock);
        int errnum = pthread_setspecific(store->reader_key, reader);
        if (errnum) {
            reader_destroy(reader);
            return err_errno(err, ERR_UNAVAILABLE, errnum, "keep a reader");
        }
    }
    *out = reader;
    return 0;
}

int store_reader(struct store *store, struct db **out, struct err *err) {
    struct reader *reader = NULL;
    int result = open_reader(store, &reader, err);
    if (!result)
        *out = reader->db;
    return result;
}

int store_read(struct store *store, store_fn *fn, void *arg, struct err *err) {
    struct db *db;
    int result = store_reader(store, &db, err);
    if (!result)
        result = db_run(db, NULL, err, db->driver->begin_read, "");
    if (result)
        return result;
    result = fn(db, arg, err);
    int ended = db_run(db, NULL, result ? NULL : err, result ? "ROLLBACK" : "COMMIT", "");
    return result ? result : ended;
}

struct accompanied {
    const struct store_company *company;
    store_fn *fn;
    void *arg;
};

static int run_accompanied(struct db *db, void *arg, struct err *err) {
    const struct accompanied *call = arg;
    int result = call->company->first(db, call->company->arg, err);
    if (!result)
        result = call->fn(db, call->arg, err);
    return result ? result : call->company->last(db, call->company->arg, err);
}

int store_accompany(struct store *store, const struct store_company *company, struct err *err) {
    struct reader *reader = NULL;
    int result = open_reader(store, &reader, err);
    if (!result)
        reader->company = company;
    return result;
}

int store_write(struct store *store, store_fn *fn, void *arg, struct err *err) {
    struct reader *reader = pthread_getspecific(store->reader_key);
    if (!reader || !reader->company)
        return writer_run(store->writer, fn, arg, err);
    struct accompanied call = {.company = reader->company, .fn = fn, .arg = arg};
    reader->company = NULL;
    return writer_run(store->writer, run_accompanied, &call, err);
}

int store_ping(struct store *store, struct err *err) {
    struct db *db;
    struct db_stmt *stmt;
    int64_t version = 0;

    int result = writer_health(store->writer, err);
    if (!result)
        result = store_reader(store, &db, err);
    if (!result)
        result = db_query(db, &stmt, err, "SELECT MAX(version) FROM schema_version", "");
    return result ? result : rows_ints(stmt, &version, 1, err);
}

int store_check(struct store *store, struct err *err) {
    struct db *db;
    int result = store_reader(store, &db, err);
    return result ? result : db->driver->check(db, err);
}

int store_schema_version(void) {
    return migrations_newest(DB_SQLITE);
}

void store_get_stats(struct store *store, struct store_stats *out) {
    writer_stats(store->writer, out);
}
