/* settings: who plans and who carries out, in bodies and answers; GET /agents. */
#include "api/settings.h"

#include "api/handlers.h"

static const json_t *given(const struct api_call *call, const char *name) {
    const json_t *value = call_json(call, name);
    return json_is_null(value) ? NULL : value;
}

bool settings_change_of(const struct api_call *call, struct settings_change *out) {
    *out = (struct settings_change){.sets_planner = call_has(call, "planner"),
                                    .sets_agents = call_has(call, "agent"),
                                    .sets_model = call_has(call, "model"),
                                    .planner = call_text(call, "planner"),
                                    .agents = given(call, "agent"),
                                    .model = given(call, "model")};
    return out->sets_planner || out->sets_agents || out->sets_model;
}

void run_agents_of(const struct api_call *call, struct run_agents *out) {
    *out = (struct run_agents){.agents = given(call, "agent"), .task_agents = given(call, "taskAgents")};
}

void present_settings(struct jw *jw, const char *key, const json_t *value) {
    jw_key(jw, key);
    if (value)
        jw_value(jw, value);
    else
        jw_null(jw);
}

int agent_list(struct api_call *call, struct err *err) {
    struct agent_row *rows;
    size_t count;
    struct buf out;
    struct jw jw;
    engine_agents(call->engine, call->arena, &rows, &count);
    reply_data(&out, &jw);
    jw_array(&jw);
    for (size_t i = 0; i < count; i++) {
        jw_object(&jw);
        jw_kstr(&jw, "kind", rows[i].name);
        jw_kstr(&jw, "title", rows[i].title);
        jw_kbool(&jw, "isAvailable", rows[i].reason == NULL);
        jw_kstr(&jw, "reason", rows[i].reason);
        jw_kbool(&jw, "isDefault", rows[i].is_default);
        jw_object_end(&jw);
    }
    jw_array_end(&jw);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}
