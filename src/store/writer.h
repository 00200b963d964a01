/* writer: the one thread that writes, in groups that share a commit. For the store's own files. */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include "store/store.h"

struct writer;

struct writer_limits {
    size_t queued;     /* writes that may wait; one more is ERR_UNAVAILABLE */
    int64_t queued_ms; /* a write that has not begun by then is given up: the disk hangs */
};

/* Takes over db, closing it at destroy; on failure it stays the caller's. */
MUST_CHECK int writer_create(struct writer **out, struct db *db, const struct writer_limits *limits, struct err *err);
/* Carries out what is queued, then ends the thread. NULL is fine. */
void writer_destroy(struct writer *writer);

/* As store_write. */
MUST_CHECK int writer_run(struct writer *writer, store_fn *fn, void *arg, struct err *err);
/* 0, or ERR_UNAVAILABLE and why, once a commit has failed for good. */
MUST_CHECK int writer_health(struct writer *writer, struct err *err);
void writer_stats(struct writer *writer, struct store_stats *out);

#endif
