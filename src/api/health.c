/* health: whether the parts work, without an envelope and without a key. */
#include "api/handlers.h"
#include "base/str.h"

int health_get(struct api_call *call, struct err *err) {
    struct engine_health health;
    struct buf out = {0};
    struct jw jw;
    engine_get_health(call->engine, &health);
    bool has_workers = health.workers_total > 0;
    const char *status = !health.is_database_healthy ? "unhealthy" : has_workers ? "healthy" : "degraded";
    jw_init(&jw, &out);
    jw_object(&jw);
    jw_kstr(&jw, "status", status);
    jw_kstr(&jw, "version", PRAZIUM_VERSION);
    jw_key(&jw, "components");
    jw_object(&jw);
    jw_kstr(&jw, "database", health.is_database_healthy ? "healthy" : "unhealthy");
    jw_kstr(&jw, "redis", "healthy"); /* wake-ups within the process cannot fail */
    jw_kstr(&jw, "workers", has_workers ? "healthy" : "unhealthy");
    jw_object_end(&jw);
    jw_key(&jw, "backends");
    jw_object(&jw);
    jw_kstr(&jw, "database", "sqlite");
    jw_kstr(&jw, "redis", health.bus_name);
    jw_kstr(&jw, "workers", "embedded");
    jw_object_end(&jw);
    jw_object_end(&jw);
    reply_json(call, &out, health.is_database_healthy ? 200 : 503);
    return 0;
}
