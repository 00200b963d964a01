/* settings: who plans and who carries out, in bodies and answers. */
#ifndef API_SETTINGS_H
#define API_SETTINGS_H

#include "api/call.h"
#include "engine/settings.h"

/* The members planner, agent and model of the body. False when none is given. */
bool settings_change_of(const struct api_call *call, struct settings_change *out);
/* The members agent and taskAgents. */
void run_agents_of(const struct api_call *call, struct run_agents *out);
/* Adds value as a member, null when it is NULL. */
void present_settings(struct jw *jw, const char *key, const json_t *value);

#endif
