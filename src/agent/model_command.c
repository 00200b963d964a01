/* model_command: commands of a model, behind the fence. They have no network, but for npm as far as it only installs.
 */
#include <string.h>

#include "agent/model_tools.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"

enum {
    COMMAND_BYTES = 8192,
    SECONDS = 120,
    SECONDS_MAX = 600,
    OUTPUT_BYTES = 12 * 1024,
    TOLD_BYTES = 4096,
    WORDS_MAX = 40,
    INSTALL_SECONDS = 600,
};

/* ---- installing packages */

static bool is_option(const char *word) {
    static const char *const options[] = {"--save-dev",
                                          "-D",
                                          "--save",
                                          "--save-exact",
                                          "-E",
                                          "--package-lock-only",
                                          "--no-audit",
                                          "--no-fund",
                                          "--silent",
                                          "--omit=dev",
                                          "--include=dev",
                                          "--prefer-offline",
                                          "--offline"};
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        if (str_eq(word, options[i]))
            return true;
    return false;
}

/* "zod", "zod@4", "@types/node@^22": of the registry, by its name; no address, no folder and no repository. */
static bool is_package(const char *word) {
    const char *slash = strchr(word, '/');
    if (strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@/._~^-") != strlen(word))
        return false;
    if (word[0] == '@')
        return slash && slash[1] && !strchr(slash + 1, '/');
    return word[0] != '.' && word[0] != '-' && !slash;
}

const char *const *command_install_words(struct arena *arena, const char *command) {
    char **words = NULL;
    size_t count = 0;
    if (strpbrk(command, "\n\r\\\"'`$&|;<>(){}*?#!"))
        return NULL;
    str_split(arena, command, " \t", &words, &count);
    if (count < 2 || count > WORDS_MAX || !str_eq(words[0], "npm"))
        return NULL;
    bool is_ci = str_eq(words[1], "ci");
    if (!is_ci && !str_eq(words[1], "install") && !str_eq(words[1], "i"))
        return NULL;
    for (size_t i = 2; i < count; i++)
        if (!is_option(words[i]) && (is_ci || !is_package(words[i])))
            return NULL;
    const char **argv = arena_array(arena, count + 1, sizeof(*argv));
    memcpy(argv, words, count * sizeof(*argv));
    return argv;
}

/* ---- what it said */

static const char *replace_all(struct arena *arena, const char *text, const char *from, const char *to) {
    CLEANUP(buf_release) struct buf out = {0};
    if (!from || !from[0])
        return text;
    for (const char *at; (at = strstr(text, from)); text = at + strlen(from)) {
        buf_put(&out, text, (size_t)(at - text));
        buf_puts(&out, to);
    }
    buf_puts(&out, text);
    return arena_strndup(arena, out.data, out.len);
}

/* Where the folders lie is of no use to a model. */
static const char *output_of(const struct bench *bench, const struct sandbox_result *result, struct arena *arena) {
    const char *text = text_visible(arena, arena_strndup(arena, str_or(result->output, ""), result->output_len));
    text = replace_all(arena, text, bench->request->worktree, ".");
    return replace_all(arena, text, bench->request->home, "~");
}

static void tell_end(const struct bench *bench, const char *command, const struct sandbox_result *result,
                     const char *output) {
    bench_tell(bench, EVENT_COMMAND_COMPLETED,
               json_pack("{s:s, s:i, s:I, s:s}", "command", command, "exitCode", result->exit_code, "durationMs",
                         (json_int_t)result->elapsed_ms, "output", str_tail(output, TOLD_BYTES)));
}

/* ---- running */

static const char *env_value(const struct agent_request *request, const char *name) {
    size_t len = strlen(name);
    for (size_t i = 0; request->tool_env && request->tool_env[i]; i++)
        if (str_starts(request->tool_env[i], name) && request->tool_env[i][len] == '=')
            return request->tool_env[i] + len + 1;
    return NULL;
}

/* What fetches packages has a network, and the cache for them. Where the server itself needs a proxy to reach the
 * registry, so does npm. */
static void let_fetch(const struct agent_request *request, struct sandbox_spec *spec, struct arena *arena) {
    const char *cache = env_value(request, "npm_config_cache");
    struct sandbox_folder *folders = arena_array(arena, request->tool_folder_count + 1, sizeof(*folders));
    for (size_t i = 0; i < request->tool_folder_count; i++)
        folders[i] = request->tool_folders[i];
    if (cache)
        folders[spec->folder_count++] = (struct sandbox_folder){cache, SANDBOX_SHARED};
    spec->folders = folders;
    spec->hosts = request->tool_hosts;
    bool has_proxy = env_value(request, "HTTPS_PROXY") || env_value(request, "https_proxy") ||
                     env_value(request, "HTTP_PROXY") || env_value(request, "http_proxy");
    spec->network = has_proxy ? SANDBOX_NETWORK_HOST : SANDBOX_NETWORK_PROXY;
}

static struct sandbox_spec spec_of(const struct bench *bench, const char *command, int64_t seconds,
                                   struct arena *arena) {
    const struct agent_request *request = bench->request;
    const char *const *install = command_install_words(arena, command);
    const char **shell = arena_array(arena, 4, sizeof(*shell));
    shell[0] = "sh";
    shell[1] = "-c";
    shell[2] = command;
    struct sandbox_spec spec = {.argv = install ? install : shell,
                                .dir = request->worktree,
                                .home = request->home,
                                .env = request->tool_env,
                                .fence = request->fence,
                                .folders = request->tool_folders,
                                .folder_count = request->tool_folder_count,
                                .network = SANDBOX_NETWORK_OFF,
                                .wall_ms = (install ? INSTALL_SECONDS : seconds) * 1000,
                                .output_bytes = OUTPUT_BYTES,
                                .is_cancelled = bench->is_cancelled,
                                .cancel_arg = bench->cancel_arg};
    if (install)
        let_fetch(request, &spec, arena);
    return spec;
}

static int run(struct bench *bench, const json_t *arguments, struct arena *arena, struct tool_answer *out,
               struct err *err) {
    struct sandbox_result result = {0};
    const char *command = NULL;
    int64_t seconds = 0;
    int rc = argument_text(arguments, "command", NULL, &command, err);
    if (rc == 0)
        rc = argument_number(arguments, "timeout_seconds", SECONDS, SECONDS_MAX, &seconds, err);
    if (rc < 0)
        return rc;
    if (!command[0] || strlen(command) > COMMAND_BYTES)
        return err_field(err, ERR_VALIDATION, "command", "command must have 1 to %d bytes", COMMAND_BYTES);
    struct sandbox_spec spec = spec_of(bench, command, seconds, arena);
    const char *shown = text_visible(arena, command);
    bench_tell(bench, EVENT_COMMAND_STARTED, json_pack("{s:s}", "command", shown));
    rc = sandbox_run(&spec, arena, &result, err);
    const char *output = output_of(bench, &result, arena);
    if (rc < 0 && !result.reason) { /* it never ran */
        result.exit_code = -1;
        output = str_or(err ? err->message : NULL, "it could not be run");
    }
    tell_end(bench, shown, &result, output);
    if (rc == -ERR_CANCELLED)
        return rc;
    const char *ended =
        rc < 0 ? str_or(result.reason, "it could not be run") : arena_printf(arena, "exit code %d", result.exit_code);
    out->is_volatile = true;
    out->text = arena_printf(arena, "%s%s%s%s%s", ended, output[0] ? "\n" : "", output,
                             result.refused ? "\nThere is no network for it, so these could not be reached: " : "",
                             str_or(result.refused, ""));
    return 0;
}

const struct tool tool_run_command = {
    .name = "run_command",
    .description = "Run a command with sh in the project's folder, and wait for its end. There is no network, except "
                   "for \"npm ci\" and \"npm install NAME…\" alone, which reach npm's registry. Nothing that it starts "
                   "outlives it.",
    .schema = "{\"type\":\"object\",\"properties\":{\"command\":{\"type\":\"string\"},\"timeout_seconds\":{\"type\":"
              "\"integer\",\"description\":\"120, if left out; at most 600.\"}},\"required\":[\"command\"],"
              "\"additionalProperties\":false}",
    .run = run,
};
