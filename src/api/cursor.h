/* cursor: where a reader of a run's events stands. Event streams and WebSocket channels are writers over it, and
 * polling asks by the same sequence. */
#ifndef API_CURSOR_H
#define API_CURSOR_H

#include "api/feed.h"
#include "base/id.h"
#include "bus/bus.h"

struct cursor;

/* Stands behind `after`. wake(arg) is called on any thread when there may be more to read, and must not block. All else
 * is for the thread of feeds alone. */
struct cursor *cursor_open(struct feeds *feeds, struct bus *bus, const char *run_id, int64_t after,
                           void (*wake)(void *arg), void *arg);
void cursor_close(struct cursor *cursor); /* accepts NULL; afterwards wake is not called any more */

/* Events after where it stands: *count 0 when there are none now. Valid until the next read of a cursor on this thread.
 * Costs next to nothing unless there is something new. */
MUST_CHECK int cursor_read(struct cursor *cursor, const struct feed_event **out, size_t *count, struct err *err);
/* Moves it on behind an event that was read. */
void cursor_pass(struct cursor *cursor, const struct feed_event *event);
int64_t cursor_sequence(const struct cursor *cursor);

#endif
