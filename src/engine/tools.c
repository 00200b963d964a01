/* tools: what build commands get of the machine: their environment, and the folders behind the fence. */
#include "engine/tools.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"

#define NPM_WALL_MS 20000
#define NPM_SETTING_BYTES 4096
#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"
#define MAX_VARIABLES 32
#define MAX_FOLDERS 8

/* Commands get a HOME of their own, so their user's npmrc is out of sight (it may hold tokens); some settings are all
 * they need of it. */
static const char *npm_setting(struct arena *arena, const char *name) {
    const char *argv[] = {"npm", "config", "get", name, NULL};
    const char *path = arena_printf(arena, "PATH=%s", str_or(getenv("PATH"), DEFAULT_PATH));
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

/* ---- the environment */

static const char *const proxies[] = {"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"};
static const char *const passed_on[] = {"NO_PROXY", "no_proxy", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"};

static void set(const char **env, size_t *count, struct arena *arena, const char *name, const char *value) {
    if (value && *value && *count < MAX_VARIABLES)
        env[(*count)++] = arena_printf(arena, "%s=%s", name, value);
}

static void make_env(struct tools *tools, const char *registry, const char *cafile, struct arena *arena) {
    static const char *const fixed[] = {
        "CI=true",
        "NEXT_TELEMETRY_DISABLED=1",
        "npm_config_fund=false",
        "npm_config_audit=false",
        "npm_config_update_notifier=false",
        "npm_config_prefer_offline=true",
        "npm_config_ignore_scripts=true", /* packages have no business running code at installation */
    };
    const char **env = arena_array(arena, MAX_VARIABLES + 1, sizeof *env);
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        env[count++] = fixed[i];
    set(env, &count, arena, "PATH", str_or(getenv("PATH"), DEFAULT_PATH));
    set(env, &count, arena, "npm_config_cache", tools->cache);
    set(env, &count, arena, "npm_config_registry", registry);
    set(env, &count, arena, "npm_config_cafile", cafile);
    for (size_t i = 0; i < ARRAY_LEN(passed_on); i++)
        set(env, &count, arena, passed_on[i], getenv(passed_on[i]));
    for (size_t i = 0; i < ARRAY_LEN(proxies); i++) {
        set(env, &count, arena, proxies[i], getenv(proxies[i]));
        tools->has_proxy = tools->has_proxy || (getenv(proxies[i]) && *getenv(proxies[i]));
    }
    tools->env = env;
}

/* ---- the folders */

static bool is_of_system(const char *path) {
    static const char *const roots[] = {"/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/"};
    for (size_t i = 0; i < ARRAY_LEN(roots); i++)
        if (str_starts(path, roots[i]))
            return true;
    return false;
}

static bool is_within(const char *path, const char *folder) {
    size_t len = strlen(folder);
    return str_starts(path, folder) && (folder[len - 1] == '/' || path[len] == '/' || path[len] == '\0');
}

static const char *parent_of(const char *path, struct arena *arena) {
    const char *slash = strrchr(path, '/');
    return slash && slash != path ? arena_strndup(arena, path, (size_t)(slash - path)) : "/";
}

/* Where the file that a program really is lies with what it needs: the outermost node_modules; else PREFIX of
 * PREFIX/bin/program, unless there is more in it than programs. */
static const char *home_of(const char *real, const char *data_dir, struct arena *arena) {
    static const char modules[] = "/node_modules/";
    const char *at = strstr(real, modules), *bin = parent_of(real, arena), *prefix = parent_of(bin, arena);
    if (at)
        return arena_strndup(arena, real, (size_t)(at - real) + strlen(modules) - 1);
    return is_within(data_dir, prefix) || is_within(str_or(getenv("HOME"), "/"), prefix) ? bin : prefix;
}

static void add_folder(struct sandbox_folder *folders, size_t *count, const char *path) {
    if (!path || *count == MAX_FOLDERS)
        return;
    folders[(*count)++] = (struct sandbox_folder){path, SANDBOX_READ_ONLY};
}

static void find_folders(struct tools *tools, const char *data_dir, const char *cafile, struct arena *arena) {
    static const char *const programs[] = {"node", "npm"};
    struct sandbox_folder *folders = arena_array(arena, MAX_FOLDERS, sizeof *folders);
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
        char found[PATH_MAX];
        if (!proc_find_program(programs[i], str_or(getenv("PATH"), DEFAULT_PATH), found, sizeof found))
            continue;
        const char *real = fs_real(arena, found);
        if (!is_of_system(found))
            add_folder(folders, &count, parent_of(arena_strdup(arena, found), arena));
        if (real && !is_of_system(real))
            add_folder(folders, &count, home_of(real, data_dir, arena));
    }
    const char *files[] = {cafile, getenv("NODE_EXTRA_CA_CERTS"), getenv("SSL_CERT_FILE")};
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        if (files[i] && files[i][0] == '/')
            add_folder(folders, &count, files[i]);
    tools->folders = folders;
    tools->folder_count = count;
}

/* ---- npm's registry */

/* HOST:PORT of a URL. */
static const char *host_of(const char *url, struct arena *arena) {
    bool is_plain = str_starts(url, "http://");
    const char *at = strstr(url, "://");
    at = at ? at + 3 : url;
    size_t len = strcspn(at, "/?#");
    const char *host = arena_strndup(arena, at, len), *user = strrchr(host, '@');
    host = user ? user + 1 : host;
    const char *colon = strrchr(host, ':');
    bool has_port = colon && !strchr(colon, ']');
    return has_port ? host : arena_printf(arena, "%s:%s", host, is_plain ? "80" : "443");
}

static const struct tools *find_tools(struct engine *engine) {
    struct arena *arena = engine->arena;
    struct tools *tools = arena_alloc(arena, sizeof *tools);
    struct err err = {0};
    const char *cache = fs_join(arena, engine->data_dir, "cache/npm");
    const char *registry = npm_setting(arena, "registry"), *cafile = npm_setting(arena, "cafile");
    /* The name of the folder itself: behind the fence nothing leads there. What cannot be made, npm will tell. */
    tools->cache = fs_mkdirs(cache, 0750, &err) == 0 ? str_or(fs_real(arena, cache), cache) : cache;
    const char **hosts = arena_array(arena, 2, sizeof *hosts);
    hosts[0] = host_of(str_or(registry, "https://registry.npmjs.org/"), arena);
    tools->hosts = hosts;
    make_env(tools, registry, cafile, arena);
    find_folders(tools, engine->data_dir, cafile, arena);
    return tools;
}

const struct tools *tools_of(struct engine *engine) {
    pthread_mutex_lock(&engine->tools_lock);
    if (!engine->tools)
        engine->tools = find_tools(engine);
    const struct tools *tools = engine->tools;
    pthread_mutex_unlock(&engine->tools_lock);
    return tools;
}
