/* bus: wake-ups. A message says "look again", and carries nothing that would be missed if it were lost. */
#ifndef BUS_BUS_H
#define BUS_BUS_H

#include <stdint.h>

#include "base/err.h"

struct bus;
struct bus_subscription;

/* Topics are short strings: "jobs" (work may be due), "run:<id>" (events up to `value`), "project:<id>" (events of its
 * runs), "cancel:<run id>", "webhooks" (something is to be sent), "log:<task id>" (its log has more),
 * "budget:<account id>" (room may have come free). */

/* Called on the publisher's (or the bus') thread: must not block and must not call the bus. */
typedef void bus_fn(const char *topic, int64_t value, void *arg);

/* In-process bus. */
MUST_CHECK int bus_open_memory(struct bus **out, struct err *err);
void bus_close(struct bus *bus);             /* frees what is still subscribed */
const char *bus_name(const struct bus *bus); /* "memory" */

void bus_publish(struct bus *bus, const char *topic, int64_t value);
/* topic is one topic, or a prefix when it ends in '*'. */
MUST_CHECK int bus_subscribe(struct bus *bus, const char *topic, bus_fn *fn, void *arg, struct bus_subscription **out,
                             struct err *err);
/* When it returns, fn is not running and will not run again. Must not be called from within fn. */
void bus_unsubscribe(struct bus_subscription *subscription);

#endif
