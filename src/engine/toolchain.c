/* toolchain: running the stack's commands on an app in a folder, and starting the app. */
#include "engine/toolchain.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/tools.h"
#include "net/net.h"

#define COMMAND_WALL_MS (10 * 60 * 1000)
#define START_WALL_MS (60 * 1000)
#define ANSWER_WALL_MS 10000 /* the first answer takes a while on a busy machine */
#define POLL_MS 50

/* What a command gets of the machine, and where it may write. Only what fetches packages has a network, and the cache
 * for them; an app that serves is to be reached. */
static void fence_in(const struct app *app, struct sandbox_spec *spec, struct arena *arena) {
    const struct tools *tools = tools_of(app->engine);
    struct sandbox_folder *folders = arena_array(arena, tools->folder_count + 2, sizeof *folders);
    for (size_t i = 0; i < tools->folder_count; i++)
        folders[i] = tools->folders[i];
    spec->fence = app->engine->fence;
    spec->folders = folders;
    spec->folder_count = tools->folder_count;
    spec->hosts = tools->hosts;
    if (spec->network == SANDBOX_NETWORK_PROXY)
        folders[spec->folder_count++] = (struct sandbox_folder){tools->cache, SANDBOX_SHARED};
    if (spec->network == SANDBOX_NETWORK_HOST)
        folders[spec->folder_count++] = (struct sandbox_folder){app->data, SANDBOX_WRITABLE};
    if (spec->network == SANDBOX_NETWORK_PROXY && tools->has_proxy)
        spec->network = SANDBOX_NETWORK_HOST;
}

int app_command(const struct app *app, const char *name, struct arena *arena, struct sandbox_result *out,
                struct err *err) {
    const char *const *argv = stack_command(app->engine->stack, name);
    if (!argv)
        return err_set(err, ERR_INTERNAL, "the stack has no command %s", name);
    struct sandbox_spec spec = {.argv = argv,
                                .dir = app->dir,
                                .home = app->home,
                                .env = tools_of(app->engine)->env,
                                .network = str_eq(name, "install") ? SANDBOX_NETWORK_PROXY : SANDBOX_NETWORK_OFF,
                                .wall_ms = COMMAND_WALL_MS,
                                .is_cancelled = app->is_cancelled,
                                .cancel_arg = app->cancel_arg};
    fence_in(app, &spec, arena);
    *out = (struct sandbox_result){0};
    int rc = sandbox_run(&spec, arena, out, err);
    if (out->refused)
        log_event(LOG_WARN, "a command asked for hosts that it may not speak to", "command", name, "hosts",
                  out->refused, NULL);
    return rc;
}

static bool answers(const struct app *app, struct net_client *client, int port) {
    char url[64];
    struct err err = {0};
    struct net_response response = {0};
    struct arena *arena = arena_create();
    snprintf(url, sizeof url, "http://127.0.0.1:%d/api/health", port);
    struct net_request request = {.method = "GET",
                                  .url = url,
                                  .connect_timeout_ms = 1000,
                                  .total_timeout_ms = ANSWER_WALL_MS,
                                  .is_cancelled = app->is_cancelled,
                                  .cancel_arg = app->cancel_arg};
    int rc = net_request(client, &request, arena, &response, &err);
    arena_destroy(arena);
    return rc == 0 && response.status == 200;
}

static int wait_until_it_answers(const struct app *app, struct sandbox_service *service, int port, struct err *err) {
    struct net_client *client = net_client_create();
    int64_t deadline = clock_mono_ms() + START_WALL_MS;
    int rc = 0;
    while (!answers(app, client, port)) {
        if (app->is_cancelled && app->is_cancelled(app->cancel_arg))
            rc = err_set(err, ERR_CANCELLED, "stopped");
        else if (!sandbox_service_is_running(service))
            rc = err_set(err, ERR_UNAVAILABLE, "the app ended before it answered");
        else if (clock_mono_ms() >= deadline)
            rc = err_set(err, ERR_TIMEOUT, "the app did not answer within %d s", START_WALL_MS / 1000);
        if (rc < 0)
            break;
        poll(NULL, 0, POLL_MS); /* the app tells nobody when it is ready */
    }
    net_client_destroy(client);
    return rc;
}

int app_start(const struct app *app, struct sandbox_service **out, int *port, struct err *err) {
    struct arena *arena = arena_create();
    struct sandbox_service *service = NULL;
    const char *const *common = tools_of(app->engine)->env, *const *argv = stack_command(app->engine->stack, "start");
    size_t n = 0;
    int rc = argv ? fs_mkdirs(app->data, 0750, err) : err_set(err, ERR_INTERNAL, "the stack has no command start");
    if (rc == 0)
        rc = net_free_port(port, err);
    while (common[n])
        n++;
    const char **env = arena_array(arena, n + 8, sizeof *env);
    memcpy(env, common, n * sizeof *env);
    env[n++] = "NODE_ENV=production";
    env[n++] = "HOSTNAME=127.0.0.1";
    env[n++] = arena_printf(arena, "PORT=%d", *port);
    env[n++] = arena_printf(arena, "DATABASE_PATH=%s/app.db", app->data);
    env[n++] = arena_printf(arena, "UPLOADS_PATH=%s/uploads", app->data);
    struct sandbox_spec spec = {.argv = argv,
                                .dir = app->dir,
                                .home = app->home,
                                .env = env,
                                .network = SANDBOX_NETWORK_HOST,
                                .wall_ms = 0, /* as long as it lives */
                                .cpu_seconds = INT32_MAX};
    fence_in(app, &spec, arena);
    if (rc == 0)
        rc = sandbox_service_start(&service, &spec, arena_printf(arena, "%s/app.log", app->data), err);
    if (rc == 0)
        rc = wait_until_it_answers(app, service, *port, err);
    if (rc < 0 && service) {
        const char *output = sandbox_service_output(service, arena);
        const char *reason = arena_strdup(arena, err->message);
        if (rc != -ERR_CANCELLED && *output)
            rc = err_set(err, err->code, "%s; its last output: %s", reason, str_tail(output, 200));
        sandbox_service_stop(service, 1000);
    } else {
        *out = service;
    }
    arena_destroy(arena);
    return rc;
}
