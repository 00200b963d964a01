/* channel: what a WebSocket is subscribed to: the events of a run ("run:<id>"), or those of all runs of a project
 * ("project:<id>"), of which there is one at a time. A cursor stands behind it, as behind an event stream. */
#ifndef API_CHANNEL_H
#define API_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "api/feed.h"
#include "base/arena.h"
#include "base/id.h"
#include "base/json.h"
#include "base/list.h"
#include "bus/bus.h"

struct channel;

#define CHANNEL_NAME_LEN (ID_LEN + 10)

/* The channel's one name, for ids in either of their forms. False when it is none; out is "" then. */
bool channel_parse(const char *name, char out[CHANNEL_NAME_LEN]);

/* On whose behalf, and on which thread. */
struct channel_reader {
    struct store *store;
    struct bus *bus;
    struct feeds *feeds;
    const char *account_id;
    void (*wake)(void *arg); /* on any thread, when there may be more to read; must not block */
    void *arg;
};

/* name: by channel_parse. after says what the reader has had: for a run a sequence (NULL: 0), for a project {"<run
 * id>": sequence} with the last run of which it had any, or {} for none (NULL: all there is by now). ERR_VALIDATION,
 * and ERR_NOT_FOUND for what is not there or another account's. */
MUST_CHECK int channel_open(struct channel **out, const struct channel_reader *reader, const char *name,
                            const json_t *after, struct arena *arena, struct err *err);
void channel_close(struct channel *channel); /* accepts NULL; afterwards wake is not called any more */
const char *channel_name(const struct channel *channel);

/* Some events from where it stands, as by cursor_read. */
MUST_CHECK int channel_read(struct channel *channel, const struct feed_event **out, size_t *count, struct err *err);
/* Moves it on behind an event that was read. After the last event of a run what was read is not valid any more. */
void channel_pass(struct channel *channel, const struct feed_event *event);
/* Nothing will follow. */
bool channel_is_complete(const struct channel *channel);
/* The message that carries the event. Either it is in the event itself, or it is put into out. */
const char *channel_message(const struct channel *channel, const struct feed_event *event, struct buf *out,
                            size_t *len);
/* Where it stands, as a value for `after`. */
void channel_put_after(const struct channel *channel, struct jw *jw);

/* In the reader's list. */
struct list *channel_node(struct channel *channel);
struct channel *channel_of_node(struct list *node);

#endif
