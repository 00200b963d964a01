/* providers: where this server can deploy to. */
#ifndef ENGINE_PROVIDERS_H
#define ENGINE_PROVIDERS_H

#include "engine/context.h"

/* By name; NULL when there is none. */
const struct provider *provider_find(const char *name);
/* "local", with commas between. */
const char *provider_names(struct arena *arena);

#endif
