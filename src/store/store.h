/* store: the database as a whole: opening, migrating, reading, and writing in groups.
 *
 * Reads: store_reader() gives the calling thread a connection of its own. Writes: store_write() hands a function to the
 * one writer, which runs what has gathered in one transaction (each function inside its own savepoint), commits once,
 * and only then lets the callers go on: returning 0 means that the work is on disk. A function that fails is rolled
 * back alone. A failed commit fails everybody in the group; a failed fsync (any I/O error at commit) stops the store
 * for good: ERR_UNAVAILABLE from then on. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/db.h"

struct store;

struct store_config {
    const char *url; /* "sqlite:PATH"; later "postgres://…" */
};

/* Opens, migrates to the newest schema (a newer one than this binary knows is refused), starts the writer. */
MUST_CHECK int store_open(struct store **out, const struct store_config *config, struct err *err);
/* Waits for queued writes, then closes every connection. Other threads must have ended or called store_thread_end. */
void store_close(struct store *store);
/* Gives back this thread's read connection (done by itself when a thread ends). */
void store_thread_end(struct store *store);

/* This thread's read connection. Each statement sees the newest committed state. */
MUST_CHECK int store_reader(struct store *store, struct db **out, struct err *err);
/* A consistent view over several reads: nothing in between changes. fn must only read. */
typedef int store_fn(struct db *db, void *arg, struct err *err);
MUST_CHECK int store_read(struct store *store, store_fn *fn, void *arg, struct err *err);
/* See above. fn runs on the writer thread: it must be quick, do no I/O of its own, and be prepared to run again if the
 * group is retried (it must derive everything anew from db and arg). */
MUST_CHECK int store_write(struct store *store, store_fn *fn, void *arg, struct err *err);

/* What comes along with a write in its transaction, whoever does it: first runs before its function, last after it has
 * succeeded. When either fails, so does the write. Both as fn above. */
struct store_company {
    store_fn *first, *last;
    void *arg;
};
/* This thread's next write has company, and that one alone; NULL: it has none. company must live until then. */
MUST_CHECK int store_accompany(struct store *store, const struct store_company *company, struct err *err);

/* One trivial read; for health. */
MUST_CHECK int store_ping(struct store *store, struct err *err);
/* PRAGMA integrity_check or the like; for doctor and tests. */
MUST_CHECK int store_check(struct store *store, struct err *err);
int store_schema_version(void); /* newest this binary knows */

struct store_stats {
    int64_t commits;   /* durable commits since the start */
    int64_t writes;    /* functions they carried */
    int64_t queued;    /* waiting for their group now */
    int64_t commit_ms; /* how long the group under way takes by now; 0: there is none */
};
void store_get_stats(struct store *store, struct store_stats *out);

#endif
