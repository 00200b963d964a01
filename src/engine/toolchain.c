/* toolchain: running the stack's commands on an app in a folder, and starting the app. */
#include "engine/toolchain.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "net/net.h"

#define COMMAND_WALL_MS (10 * 60 * 1000)
#define START_WALL_MS (60 * 1000)
#define ANSWER_WALL_MS 10000 /* the first answer takes a while on a busy machine */
#define POLL_MS 50
#define NPM_WALL_MS 20000
#define NPM_SETTING_BYTES 4096

/* What npm is told by whoever runs the server. Commands get a HOME of their own, so their user's npmrc is out of
 * sight (it may hold tokens); the registry's address is all they need of it. */
static const char *const npm_settings[] = {"registry", "cafile"};

static const char *npm_setting(struct arena *arena, const char *name) {
    const char *argv[] = {"npm", "config", "get", name, NULL};
    const char *path = arena_printf(arena, "PATH=%s", str_or(getenv("PATH"), "/usr/local/bin:/usr/bin:/bin"));
    const char *home = arena_printf(arena, "HOME=%s", str_or(getenv("HOME"), "/"));
    const char *env[] = {path, home, "NO_UPDATE_NOTIFIER=1", NULL};
    struct proc_spec spec = {.argv = argv, .env = env, .dir = "/"};
    struct proc_exit ended = {0};
    struct err err = {0};
    struct buf text;
    buf_init(&text, NPM_SETTING_BYTES);
    int rc = proc_capture(&spec, NPM_WALL_MS, &text, &ended, &err);
    const char *value = str_trim(arena, str_or(text.data, ""));
    buf_release(&text);
    bool is_set = rc == 0 && ended.code == 0 && value[0] && !str_eq(value, "null") && !str_eq(value, "undefined");
    return is_set ? value : NULL;
}

/* Asked once: npm takes a moment to answer. */
static const char *const *tool_env(struct engine *engine) {
    pthread_mutex_lock(&engine->tools_lock);
    if (!engine->tool_env) {
        static const char *const passed_on[] = {"HTTP_PROXY",          "HTTPS_PROXY",  "NO_PROXY",
                                                "http_proxy",          "https_proxy",  "no_proxy",
                                                "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"};
        struct arena *arena = engine->arena;
        const char **env = arena_array(arena, 16 + ARRAY_LEN(passed_on), sizeof *env);
        size_t n = 0;
        env[n++] = arena_printf(arena, "PATH=%s", str_or(getenv("PATH"), "/usr/local/bin:/usr/bin:/bin"));
        env[n++] = "CI=true";
        env[n++] = "NEXT_TELEMETRY_DISABLED=1";
        env[n++] = "npm_config_fund=false";
        env[n++] = "npm_config_audit=false";
        env[n++] = "npm_config_update_notifier=false";
        env[n++] = "npm_config_prefer_offline=true";
        env[n++] = "npm_config_ignore_scripts=true"; /* packages have no business running code at installation */
        env[n++] = arena_printf(arena, "npm_config_cache=%s/cache/npm", engine->data_dir);
        for (size_t i = 0; i < ARRAY_LEN(npm_settings); i++) {
            const char *value = npm_setting(arena, npm_settings[i]);
            if (value)
                env[n++] = arena_printf(arena, "npm_config_%s=%s", npm_settings[i], value);
        }
        for (size_t i = 0; i < ARRAY_LEN(passed_on); i++)
            if (getenv(passed_on[i]))
                env[n++] = arena_printf(arena, "%s=%s", passed_on[i], getenv(passed_on[i]));
        engine->tool_env = env;
    }
    pthread_mutex_unlock(&engine->tools_lock);
    return engine->tool_env;
}

int app_command(const struct app *app, const char *name, struct arena *arena, struct sandbox_result *out,
                struct err *err) {
    const char *const *argv = stack_command(app->engine->stack, name);
    if (!argv)
        return err_set(err, ERR_INTERNAL, "the stack has no command %s", name);
    struct sandbox_spec spec = {.argv = argv,
                                .dir = app->dir,
                                .home = app->home,
                                .env = tool_env(app->engine),
                                .wall_ms = COMMAND_WALL_MS,
                                .is_cancelled = app->is_cancelled,
                                .cancel_arg = app->cancel_arg};
    return sandbox_run(&spec, arena, out, err);
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
    const char *const *common = tool_env(app->engine), *const *argv = stack_command(app->engine->stack, "start");
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
                                .wall_ms = 0, /* as long as it lives */
                                .cpu_seconds = INT32_MAX};
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
