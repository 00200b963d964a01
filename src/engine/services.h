/* services: the apps that provider `local` has running. */
#ifndef ENGINE_SERVICES_H
#define ENGINE_SERVICES_H

#include "engine/context.h"
#include "sandbox/sandbox.h"

/* Starts the watch over running apps, and puts the deployments that were live before a restart back on their way. */
MUST_CHECK int services_create(struct services **out, struct engine *engine, struct err *err);
/* Stops every app. Accepts NULL. */
void services_destroy(struct services *services);
/* An app is about to be built and started: services_remove waits until services_add or services_forget says how that
 * went. */
void services_expect(struct services *services, const char *deployment_id);
void services_forget(struct services *services, const char *deployment_id);
/* Takes over a started app; an older one of the same deployment is stopped. */
void services_add(struct services *services, const char *deployment_id, struct sandbox_service *service);
/* Stops it if it runs, or when it has come. False when one was still on its way after timeout_ms. */
bool services_remove(struct services *services, const char *deployment_id, int64_t timeout_ms);

#endif
