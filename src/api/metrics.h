/* metrics: what the server counts of its requests, and how it tells Prometheus. */
#ifndef API_METRICS_H
#define API_METRICS_H

#include "api/route.h"

struct metrics;

/* For a table of this many rows. */
struct metrics *metrics_create(const struct api_route *routes, size_t count);
void metrics_destroy(struct metrics *metrics); /* accepts NULL */
/* After a request: on any thread, some adds to counters. route NULL: it met no row of the table. */
void metrics_count(struct metrics *metrics, const struct api_route *route, enum http_method method,
                   const struct http_outcome *outcome);
/* The counters of requests, as text. Rows that nobody asked for are left out. */
void metrics_put_requests(const struct metrics *metrics, struct buf *out);
/* Whether a request comes from this machine, and no proxy says that it asks for another. */
bool metrics_is_local(struct http_request *request);

#endif
