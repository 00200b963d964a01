/* scrape: GET /metrics: everything that is counted or measured, gathered at the moment it is asked for. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/exposition.h"
#include "api/handlers.h"
#include "api/metrics.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/counts.h"

/* ---- the process, by the names that Prometheus' own clients use ---- */

static int64_t open_descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    int64_t count = -3; /* ".", ".." and the folder itself */
    if (!folder)
        return 0;
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static void put_process(struct api_call *call, struct buf *out) {
    struct rusage usage = {0};
    struct rlimit files = {0};
    long long pages[2] = {0};
    FILE *statm = fopen("/proc/self/statm", "re");
    if (statm) {
        if (fscanf(statm, "%lld %lld", &pages[0], &pages[1]) != 2)
            pages[0] = pages[1] = 0;
        fclose(statm);
    }
    (void)getrusage(RUSAGE_SELF, &usage);
    (void)getrlimit(RLIMIT_NOFILE, &files);
    int64_t cpu_us = (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
                     usage.ru_stime.tv_usec;
    exposition_metric(out, "process_cpu_seconds_total", "counter", "User and system CPU time spent.");
    exposition_us(out, "process_cpu_seconds_total", "", NULL, cpu_us);
    exposition_gauge(out, "process_resident_memory_bytes", "Resident memory size.", pages[1] * getpagesize());
    exposition_gauge(out, "process_virtual_memory_bytes", "Virtual memory size.", pages[0] * getpagesize());
    exposition_gauge(out, "process_open_fds", "Open file descriptors.", open_descriptors());
    exposition_gauge(out, "process_max_fds", "Most file descriptors that may be open.", (int64_t)files.rlim_cur);
    exposition_metric(out, "process_start_time_seconds", "gauge", "Start of the server since 1970.");
    exposition_us(out, "process_start_time_seconds", "", NULL, call->api->started_ms * 1000);
}

/* ---- the server ---- */

static void put_http(struct api_call *call, struct buf *out) {
    struct http_stats http;
    http_server_stats(call->api->server, &http);
    metrics_put_requests(call->api->metrics, out);
    exposition_gauge(out, "prazium_http_connections", "Open connections.", (int64_t)http.connections);
    exposition_gauge(out, "prazium_http_requests_in_flight", "Requests under way.", (int64_t)http.requests);
    exposition_gauge(out, "prazium_http_event_streams", "Open event streams.", (int64_t)http.streams);
    exposition_gauge(out, "prazium_http_websockets", "Open WebSockets.", (int64_t)http.websockets);
    exposition_gauge(out, "prazium_http_pool_waiting", "Requests that wait for a thread of the pool.",
                     (int64_t)http.pool_waiting);
}

static void put_engine(struct api_call *call, struct buf *out) {
    struct engine_health health;
    struct store_stats store;
    engine_get_health(call->engine, call->arena, &health);
    store_get_stats(engine_store(call->engine), &store);
    exposition_gauge(out, "prazium_up", "1 unless the health is unhealthy.", health.level != HEALTH_UNHEALTHY);
    exposition_gauge(out, "prazium_degraded", "1 when the health is not healthy.", health.level != HEALTH_HEALTHY);
    exposition_gauge(out, "prazium_workers", "Worker threads.", health.workers_total);
    exposition_gauge(out, "prazium_workers_busy", "Worker threads that carry out a job.", health.workers_busy);
    exposition_counter(out, "prazium_events_appended_total", "Events appended to runs.",
                       engine_events_appended(call->engine));
    exposition_counter(out, "prazium_store_commits_total", "Durable commits.", store.commits);
    exposition_counter(out, "prazium_store_writes_total", "Writes that the commits carried.", store.writes);
    exposition_gauge(out, "prazium_store_writes_queued", "Writes that wait for their commit.", store.queued);
}

/* ---- the database: how much there is in which state ---- */

#define PUT_STATES(out, name, help, type, counts)                                                                      \
    do {                                                                                                               \
        exposition_metric(out, name, "gauge", help);                                                                   \
        for (size_t i_ = 0; i_ < ARRAY_LEN(counts); i_++)                                                              \
            exposition_int(out, name, "", (const struct label[]){{"state", type##_name((enum type)i_)}, {0}},          \
                           (counts)[i_]);                                                                              \
    } while (0)

static int count_in_read(struct db *db, void *arg, struct err *err) {
    return store_counts(db, clock_now_ms(), arg, err);
}

static void put_counts(const struct store_counts *counts, struct buf *out) {
    static const char jobs[] = "prazium_jobs";
    PUT_STATES(out, "prazium_projects", "Projects by state.", project_state, counts->projects);
    PUT_STATES(out, "prazium_runs", "Runs by state.", run_state, counts->runs);
    PUT_STATES(out, "prazium_deployments", "Deployments by state.", deployment_state, counts->deployments);
    exposition_metric(out, jobs, "gauge", "Jobs of the queue by state; processing: held by a worker.");
    exposition_int(out, jobs, "", (const struct label[]){{"state", "pending"}, {0}}, counts->jobs[JOB_PENDING]);
    exposition_int(out, jobs, "", (const struct label[]){{"state", "processing"}, {0}}, counts->jobs[JOB_CLAIMED]);
    exposition_int(out, jobs, "", (const struct label[]){{"state", "dead"}, {0}}, counts->jobs[JOB_DEAD]);
    exposition_metric(out, "prazium_model_tokens_total", "counter",
                      "Tokens of calls of models; input: cached ones, too.");
    exposition_int(out, "prazium_model_tokens_total", "", (const struct label[]){{"kind", "input"}, {0}},
                   counts->used.input_tokens);
    exposition_int(out, "prazium_model_tokens_total", "", (const struct label[]){{"kind", "cached"}, {0}},
                   counts->used.cached_tokens);
    exposition_int(out, "prazium_model_tokens_total", "", (const struct label[]){{"kind", "output"}, {0}},
                   counts->used.output_tokens);
    exposition_counter(out, "prazium_model_calls_total", "Calls of models.", counts->used.calls);
    exposition_metric(out, "prazium_model_cost_usd_total", "counter", "What calls of models cost.");
    exposition_us(out, "prazium_model_cost_usd_total", "", NULL, counts->used.cost_micros);
    exposition_metric(out, "prazium_model_reserved_usd", "gauge", "Reserved for calls of models under way.");
    exposition_us(out, "prazium_model_reserved_usd", "", NULL, counts->reserved.cost_micros);
    exposition_gauge(out, "prazium_jobs_due", "Pending jobs whose time has come.", counts->jobs_due);
    PUT_STATES(out, "prazium_webhook_deliveries", "Deliveries of webhooks of the last 30 days by state.",
               delivery_state, counts->webhook_deliveries);
    exposition_gauge(out, "prazium_webhook_deliveries_pending", "Deliveries of webhooks that are still to be made.",
                     counts->webhook_deliveries[DELIVERY_PENDING]);
}

int metrics_get(struct api_call *call, struct err *err) {
    struct store_counts counts;
    struct err count_err = {0};
    struct buf out = {0};
    exposition_metric(&out, "prazium_build_info", "gauge", "What runs; the value is always 1.");
    exposition_int(&out, "prazium_build_info", "", (const struct label[]){{"version", PRAZIUM_VERSION}, {0}}, 1);
    put_process(call, &out);
    put_http(call, &out);
    put_engine(call, &out);
    /* When the database does not answer, all else is still worth knowing. */
    if (store_read(engine_store(call->engine), count_in_read, &counts, &count_err) == 0)
        put_counts(&counts, &out);
    http_reply_body_copy(call->reply, EXPOSITION_MEDIA, out.data, out.len);
    buf_release(&out);
    return 0;
}
