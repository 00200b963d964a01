/* stats: how much there is of everything, for those who run the server. */
#include "api/handlers.h"
#include "api/spending.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/counts.h"

static int64_t sum(const int64_t *counts, size_t count) {
    int64_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += counts[i];
    return total;
}

/* {key: value, …} under a name. */
struct member {
    const char *key;
    int64_t value;
};

static void put_counts(struct jw *jw, const char *name, const struct member *members, size_t count) {
    jw_key(jw, name);
    jw_object(jw);
    for (size_t i = 0; i < count; i++)
        jw_kint(jw, members[i].key, members[i].value);
    jw_object_end(jw);
}

#define PUT_COUNTS(jw, name, ...)                                                                                      \
    put_counts(jw, name, (const struct member[]){__VA_ARGS__}, ARRAY_LEN(((const struct member[]){__VA_ARGS__})))

static void put_stats(struct jw *jw, const struct store_counts *counts, const struct engine_health *health,
                      const struct http_stats *http) {
    int64_t projects = sum(counts->projects, ARRAY_LEN(counts->projects)),
            runs = sum(counts->runs, ARRAY_LEN(counts->runs));
    int64_t ended = counts->runs[RUN_SUCCEEDED] + counts->runs[RUN_FAILED] + counts->runs[RUN_CANCELLED];
    /* As GET /projects lists them when it is not asked for the archived ones. */
    PUT_COUNTS(jw, "projects", {"total", projects}, {"active", projects - counts->projects[PROJECT_ARCHIVED]});
    PUT_COUNTS(jw, "runs", {"total", runs}, {"succeeded", counts->runs[RUN_SUCCEEDED]},
               {"failed", counts->runs[RUN_FAILED]}, {"cancelled", counts->runs[RUN_CANCELLED]},
               {"inProgress", runs - ended});
    PUT_COUNTS(jw, "queue", {"pending", counts->jobs[JOB_PENDING]}, {"processing", counts->jobs[JOB_CLAIMED]});
    PUT_COUNTS(jw, "workers", {"total", health->workers_total}, {"active", health->workers_alive},
               {"busy", health->workers_busy});
    PUT_COUNTS(jw, "deployments", {"deploying", counts->deployments[DEPLOYMENT_DEPLOYING]},
               {"live", counts->deployments[DEPLOYMENT_LIVE]});
    jw_key(jw, "spending");
    jw_object(jw);
    present_usd(jw, "totalUsd", counts->used.cost_micros);
    present_usd(jw, "monthUsd", counts->used_this_month.cost_micros);
    present_usd(jw, "reservedUsd", counts->reserved.cost_micros);
    jw_object_end(jw);
    PUT_COUNTS(jw, "streams", {"connections", (int64_t)http->connections}, {"eventStreams", (int64_t)http->streams},
               {"webSockets", (int64_t)http->websockets});
}

struct count_call {
    struct store_counts counts;
};

/* In one transaction: the numbers agree with each other. */
static int count_in_read(struct db *db, void *arg, struct err *err) {
    struct count_call *call = arg;
    return store_counts(db, clock_now_ms(), &call->counts, err);
}

int stats_get(struct api_call *call, struct err *err) {
    struct count_call counted;
    struct engine_health health;
    struct http_stats http;
    struct buf out;
    struct jw jw;
    int rc = store_read(engine_store(call->engine), count_in_read, &counted, err);
    if (rc < 0)
        return rc;
    engine_get_health(call->engine, call->arena, &health);
    http_server_stats(call->api->server, &http);
    reply_data(&out, &jw);
    jw_object(&jw);
    put_stats(&jw, &counted.counts, &health, &http);
    jw_kstr(&jw, "version", PRAZIUM_VERSION);
    jw_ktime(&jw, "startedAt", call->api->started_ms);
    jw_kint(&jw, "uptimeSeconds", (clock_mono_ms() - call->api->started_mono_ms) / 1000);
    jw_object_end(&jw);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}
