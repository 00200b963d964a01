/* metrics: counters of requests, kept in atomics: a request costs some adds, and reading them takes no lock. */
#include "api/metrics.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "api/exposition.h"
#include "base/mem.h"
#include "base/str.h"

enum { CLASSES = 6, METHODS = HTTP_OTHER + 1 };

static const char *const class_names[CLASSES] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"}; /* none: nobody waited */
static const int64_t bounds_us[] = {1000,   2500,   5000,    10000,   25000,   50000,   100000,
                                    250000, 500000, 1000000, 2500000, 5000000, 10000000};
static const char *const bound_names[] = {"0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1",
                                          "0.25",  "0.5",    "1",     "2.5",  "5",     "10"};
enum { BOUNDS = ARRAY_LEN(bounds_us) };

struct row_counts {
    atomic_llong requests[METHODS][CLASSES];
    atomic_llong buckets[BOUNDS + 1]; /* not yet summed up */
    atomic_llong sum_us;
};

struct metrics {
    const struct api_route *routes;
    size_t count;
    struct row_counts rows[]; /* the last: of no route */
};

struct metrics *metrics_create(const struct api_route *routes, size_t count) {
    struct metrics *metrics = mem_alloc(sizeof *metrics + (count + 1) * sizeof metrics->rows[0]);
    metrics->routes = routes;
    metrics->count = count;
    return metrics;
}

void metrics_destroy(struct metrics *metrics) {
    free(metrics);
}

static void add(atomic_llong *counter, int64_t value) {
    atomic_fetch_add_explicit(counter, value, memory_order_relaxed);
}

static int64_t read_counter(const atomic_llong *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* How long a stream lasts says nothing of how fast it was answered. */
static bool is_timed(const struct api_route *route, const struct http_outcome *outcome) {
    bool is_stream = route && route->media && str_eq(route->media, "text/event-stream");
    return outcome->status >= 200 && !is_stream;
}

void metrics_count(struct metrics *metrics, const struct api_route *route, enum http_method method,
                   const struct http_outcome *outcome) {
    struct row_counts *row = &metrics->rows[route ? (size_t)(route - metrics->routes) : metrics->count];
    int status_class = outcome->status / 100;
    add(&row->requests[method][status_class < CLASSES ? status_class : 0], 1);
    if (!is_timed(route, outcome))
        return;
    size_t bucket = 0;
    while (bucket < BOUNDS && outcome->elapsed_us > bounds_us[bucket])
        bucket++;
    add(&row->buckets[bucket], 1);
    add(&row->sum_us, outcome->elapsed_us);
}

static const char *method_name(enum http_method method) {
    static const char *const names[] = {
#define X(value, name) [value] = name,
        HTTP_METHOD_LIST(X)
#undef X
    };
    return *names[method] ? names[method] : "other";
}

static const char *route_path(const struct metrics *metrics, size_t at) {
    return at < metrics->count ? metrics->routes[at].path : "(none)";
}

static void put_counts(const struct metrics *metrics, struct buf *out) {
    static const char name[] = "prazium_http_requests_total";
    exposition_metric(out, name, "counter",
                      "Requests that ended, by method, route and class of status; none: the client was gone first.");
    for (size_t at = 0; at <= metrics->count; at++) {
        for (int method = 0; method < METHODS; method++) {
            for (int status_class = 0; status_class < CLASSES; status_class++) {
                int64_t value = read_counter(&metrics->rows[at].requests[method][status_class]);
                if (value > 0)
                    exposition_int(out, name, "",
                                   (const struct label[]){{"method", method_name((enum http_method)method)},
                                                          {"route", route_path(metrics, at)},
                                                          {"status", class_names[status_class]},
                                                          {0}},
                                   value);
            }
        }
    }
}

static void put_histogram(const struct metrics *metrics, size_t at, struct buf *out) {
    static const char name[] = "prazium_http_request_duration_seconds";
    const struct row_counts *row = &metrics->rows[at];
    const char *method = at < metrics->count ? method_name(metrics->routes[at].method) : "other";
    struct label labels[] = {{"method", method}, {"route", route_path(metrics, at)}, {0}, {0}};
    int64_t counts[BOUNDS + 1], total = 0, sum_us = read_counter(&row->sum_us);
    for (size_t i = 0; i <= BOUNDS; i++)
        total += counts[i] = read_counter(&row->buckets[i]);
    if (total == 0)
        return;
    int64_t so_far = 0;
    for (size_t i = 0; i <= BOUNDS; i++) {
        so_far += counts[i];
        labels[2] = (struct label){"le", i < BOUNDS ? bound_names[i] : "+Inf"};
        exposition_int(out, name, "_bucket", labels, so_far);
    }
    labels[2] = (struct label){0};
    exposition_us(out, name, "_sum", labels, sum_us);
    exposition_int(out, name, "_count", labels, total);
}

void metrics_put_requests(const struct metrics *metrics, struct buf *out) {
    put_counts(metrics, out);
    exposition_metric(out, "prazium_http_request_duration_seconds", "histogram",
                      "From the end of a request's headers to the end of its answer, without event streams.");
    for (size_t at = 0; at <= metrics->count; at++)
        put_histogram(metrics, at, out);
}

bool metrics_is_local(struct http_request *request) {
    static const char *const forwarded[] = {"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via"};
    const char *peer = http_request_peer(request);
    for (size_t i = 0; i < ARRAY_LEN(forwarded); i++)
        if (http_request_header(request, forwarded[i]))
            return false;
    return str_eq(peer, "::1") || str_starts(peer, "127.") || str_starts(peer, "::ffff:127.");
}
