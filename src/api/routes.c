/* routes: the one table that dispatches, checks what comes in and makes the reference. */
#include "api/fields.h"
#include "api/handlers.h"
#include "base/mem.h"

#define PROJECT "/v1/projects/:project"
#define RUN PROJECT "/runs/:run"
#define TASK RUN "/tasks/:task"
#define WEBHOOK "/v1/webhooks/:webhook"

/* Sorted as docs/api.md is. A part of the rows a file: they are one array, so that their order is plain. */
static const struct api_route routes[] = {
/* clang-format off */
#include "api/routes/system.inc"
#include "api/routes/accounts.inc"
#include "api/routes/projects.inc"
#include "api/routes/runs.inc"
#include "api/routes/deliveries.inc"
#include "api/routes/files.inc"
#include "api/routes/webhooks.inc"
};
/* clang-format on */

const struct api_route *api_routes(size_t *count) {
    *count = ARRAY_LEN(routes);
    return routes;
}
