/* health: whether the parts work, without an envelope and without a key. */
#include "api/handlers.h"

int health_get(struct api_call *call, struct err *err) {
    struct engine_health health;
    struct buf out = {0};
    struct jw jw;
    engine_get_health(call->engine, call->arena, &health);
    jw_init(&jw, &out);
    jw_object(&jw);
    jw_kstr(&jw, "status", health_level_name(health.level));
    jw_kstr(&jw, "version", PRAZIUM_VERSION);
    jw_key(&jw, "components");
    jw_object(&jw);
    jw_kstr(&jw, "database", health_level_name(health.database));
    jw_kstr(&jw, "redis", health_level_name(health.redis));
    jw_kstr(&jw, "workers", health_level_name(health.workers));
    jw_object_end(&jw);
    jw_key(&jw, "backends");
    jw_object(&jw);
    jw_kstr(&jw, "database", health.database_name);
    jw_kstr(&jw, "redis", health.bus_name);
    jw_kstr(&jw, "workers", "embedded");
    jw_object_end(&jw);
    jw_key(&jw, "reasons");
    jw_array(&jw);
    for (size_t i = 0; i < health.reason_count; i++)
        jw_str(&jw, health.reasons[i]);
    jw_array_end(&jw);
    jw_object_end(&jw);
    reply_json(call, &out, health.level == HEALTH_UNHEALTHY ? 503 : 200);
    return 0;
}
