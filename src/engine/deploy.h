/* deploy: ending deployments of provider `local`. */
#ifndef ENGINE_DEPLOY_H
#define ENGINE_DEPLOY_H

#include "engine/journal.h"

/* Deployments that became stopped in a transaction, and whose processes go after it. */
struct stopped_deployments {
    char (*ids)[ID_LEN];
    size_t count;
};

/* In a transaction: what runs or is on its way of the project's deployments becomes stopped, in arena. before_id: only
 * those made before that one, and of them only what is live; NULL: all. */
MUST_CHECK int deploy_stop_rows(struct journal *journal, const char *project_id, const char *before_id,
                                struct arena *arena, struct stopped_deployments *out, struct err *err);
/* After it: processes and folders go. False when some are still at it. */
bool deploy_end(struct engine *engine, const struct stopped_deployments *stopped);

#endif
