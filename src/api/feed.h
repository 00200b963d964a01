/* feed: the events of runs as a thread's readers share them: each is read from the database and written as text once,
 * for all who follow it there. */
#ifndef API_FEED_H
#define API_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

struct feeds;

/* One event in the forms in which it goes out. */
struct feed_event {
    int64_t sequence;
    bool is_last;      /* RUN_COMPLETED: nothing follows */
    const char *block; /* of an event stream, with its empty line */
    size_t block_len;
    const char *message; /* of a WebSocket that is subscribed to the run: {"type":"event","channel":"run:…","data":…} */
    size_t message_len;
    const char *data; /* the object in it */
    size_t data_len;
};

/* Of one thread, and only for it. */
struct feeds *feeds_create(struct store *store);
void feeds_destroy(struct feeds *feeds); /* accepts NULL */

/* Some events of the run after this sequence, in order and without a hole: *count 0 when there are none. They are valid
 * until the next call. */
MUST_CHECK int feeds_read(struct feeds *feeds, const char *run_id, int64_t after, const struct feed_event **out,
                          size_t *count, struct err *err);
/* Who reads says so: without readers nothing is kept. */
void feeds_join(struct feeds *feeds);
void feeds_leave(struct feeds *feeds);

#endif
