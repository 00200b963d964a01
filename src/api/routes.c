/* routes: the one table that dispatches. */
#include "api/handlers.h"
#include "base/mem.h"

#define PROJECT "/v1/projects/:project"
#define RUN PROJECT "/runs/:run"

static const struct api_route routes[] = {
    {.method = HTTP_GET, .path = "/health", .handle = health_get, .role = ROLE_ANYONE},
    {.method = HTTP_GET, .path = "/v1/health", .handle = health_get, .role = ROLE_ANYONE},
    {.method = HTTP_GET, .path = "/v1/projects", .handle = project_list, .role = ROLE_MEMBER},
    {.method = HTTP_POST, .path = "/v1/projects", .handle = project_create, .role = ROLE_MEMBER, .is_blocking = true},
    {.method = HTTP_GET, .path = PROJECT, .handle = project_get, .role = ROLE_MEMBER},
    {.method = HTTP_PATCH, .path = PROJECT, .handle = project_update, .role = ROLE_MEMBER, .is_blocking = true},
    {.method = HTTP_DELETE, .path = PROJECT, .handle = project_archive, .role = ROLE_MEMBER, .is_blocking = true},
    {.method = HTTP_POST,
     .path = PROJECT "/clarify",
     .handle = project_clarify,
     .role = ROLE_MEMBER,
     .is_blocking = true},
    {.method = HTTP_POST,
     .path = PROJECT "/answers",
     .handle = project_answer,
     .role = ROLE_MEMBER,
     .is_blocking = true},
    {.method = HTTP_POST,
     .path = PROJECT "/approve",
     .handle = project_approve,
     .role = ROLE_MEMBER,
     .is_blocking = true},
    {.method = HTTP_POST,
     .path = PROJECT "/regenerate",
     .handle = project_regenerate,
     .role = ROLE_MEMBER,
     .is_blocking = true},
    {.method = HTTP_GET, .path = PROJECT "/runs", .handle = run_list, .role = ROLE_MEMBER},
    {.method = HTTP_POST, .path = PROJECT "/runs", .handle = run_create, .role = ROLE_MEMBER, .is_blocking = true},
    {.method = HTTP_GET, .path = RUN, .handle = run_get, .role = ROLE_MEMBER},
    {.method = HTTP_POST, .path = RUN "/cancel", .handle = run_cancel, .role = ROLE_MEMBER, .is_blocking = true},
    {.method = HTTP_POST, .path = RUN "/retry", .handle = run_retry, .role = ROLE_MEMBER, .is_blocking = true},
    {.method = HTTP_GET, .path = RUN "/tasks", .handle = task_list, .role = ROLE_MEMBER},
    {.method = HTTP_GET, .path = RUN "/tasks/:task", .handle = task_get, .role = ROLE_MEMBER},
    {.method = HTTP_GET, .path = RUN "/events", .handle = event_list, .role = ROLE_MEMBER},
    {.method = HTTP_GET, .path = RUN "/events/stream", .handle = event_stream, .role = ROLE_MEMBER},
    {.method = HTTP_POST, .path = PROJECT "/export", .handle = export_create, .role = ROLE_MEMBER, .is_blocking = true},
    {.method = HTTP_GET, .path = PROJECT "/exports/:export", .handle = export_get, .role = ROLE_MEMBER},
    {.method = HTTP_GET,
     .path = PROJECT "/exports/:export/download",
     .handle = export_download,
     .role = ROLE_MEMBER,
     .is_blocking = true},
    {.method = HTTP_POST,
     .path = PROJECT "/deploy",
     .handle = deployment_create,
     .role = ROLE_MEMBER,
     .is_blocking = true},
    {.method = HTTP_GET, .path = PROJECT "/deployments/:deployment", .handle = deployment_get, .role = ROLE_MEMBER},
    {.method = HTTP_GET, .path = PROJECT "/files", .handle = file_list, .role = ROLE_MEMBER, .is_blocking = true},
    {.method = HTTP_GET, .path = PROJECT "/files/*path", .handle = file_get, .role = ROLE_MEMBER, .is_blocking = true},
};

const struct api_route *api_routes(size_t *count) {
    *count = ARRAY_LEN(routes);
    return routes;
}
