/* cli: one attempt of an agent that is a program of its own. */
#include "agent/cli.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "sandbox/hosts.h"

enum {
    DEFAULT_WALL_MS = 30 * 60 * 1000,
    DEFAULT_IDLE_MS = 5 * 60 * 1000,
    DEFAULT_TOKENS = 2000000,
    OUTPUT_SHARE = 10, /* of the tokens, what a model may answer: one part in so many */
    LINE_BYTES = 1 << 20,
    KEPT_OUTPUT_BYTES = 8 << 10,
    GRACE_MS = 1000,
    FAULTY_MS = 60 * 1000, /* as long as nothing but faults is told: some reconnect for ever */
    CANCEL_MS = 2000,      /* for one that is told to stop to do so */
};
#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

/* ---- the program */

static const char *variable(const char *const *env, const char *name) {
    size_t len = strlen(name);
    for (size_t i = 0; env && env[i]; i++)
        if (strncmp(env[i], name, len) == 0 && env[i][len] == '=')
            return env[i] + len + 1;
    return NULL;
}

static int find_program(struct cli_run *run, const char *name, struct err *err) {
    char found[PATH_MAX];
    if (!proc_find_program(name, run->path, found, sizeof found))
        return err_set(err, ERR_UNAVAILABLE, "the program %s of the agent %s is not installed", name, run->kind->name);
    run->program = arena_strdup(run->request->arena, found);
    run->argv[run->argc++] = run->program;
    return 0;
}

static int find_own_program(struct cli_run *run, struct err *err) {
    const struct agent_request *request = run->request;
    if (run->kind->program)
        return find_program(run, run->kind->program, err);
    run->words = arena_array(request->arena, CLI_ARGS_MAX, sizeof *run->words);
    if (cli_words(request->arena, str_or(request->command, ""), run->words, CLI_ARGS_MAX, &run->word_count, err) < 0)
        return -(int)err->code;
    if (run->word_count == 0)
        return err_set(err, ERR_UNAVAILABLE, "the agent %s has no command", run->kind->name);
    return find_program(run, run->words[0], err);
}

/* ---- the model */

/* ERR_UNAVAILABLE: it has nobody to ask. */
static int check_model(const struct cli_run *run, struct err *err) {
    const struct cli_kind *kind = run->kind;
    const struct llm_model *model = run->model;
    if (model && kind->formats && !(kind->formats & 1U << model->format))
        return err_set(err, ERR_UNAVAILABLE, "the agent %s does not speak to models as \"%s\" does", kind->name,
                       llm_format_name(model->format));
    if (!model && kind->needs_model)
        return err_set(err, ERR_UNAVAILABLE, "the agent %s has no model", kind->name);
    if (!model && kind->key_env && !str_or(getenv(kind->key_env), "")[0])
        return err_set(err, ERR_UNAVAILABLE,
                       "the agent %s has no model that it can be pointed at, and the server no %s", kind->name,
                       kind->key_env);
    return 0;
}

const char *cli_model_name(const struct cli_run *run) {
    const struct agent_request *request = run->request;
    return request->model_name ? request->model_name : run->model ? run->model->name : NULL;
}

const char *cli_bare_address(const struct cli_run *run) {
    const char *address = llm_address(run->model, run->request->arena);
    size_t len = strlen(address);
    return str_ends(address, "/v1") ? arena_strndup(run->request->arena, address, len - 3) : address;
}

void cli_model_env(struct cli_run *run) {
    const struct llm_model *model = run->model;
    if (!model)
        return;
    const char *key = str_or(model->api_key, "none"), *name = cli_model_name(run);
    bool is_anthropic = model->format == LLM_ANTHROPIC;
    const char *address = llm_address(model, run->request->arena);
    if (model->format == LLM_OLLAMA)
        address = arena_printf(run->request->arena, "%s/v1", address);
    cli_env(run, is_anthropic ? "ANTHROPIC_BASE_URL" : "OPENAI_BASE_URL",
            is_anthropic ? cli_bare_address(run) : address);
    cli_env(run, is_anthropic ? "ANTHROPIC_API_KEY" : "OPENAI_API_KEY", key);
    cli_env(run, is_anthropic ? "ANTHROPIC_MODEL" : "OPENAI_MODEL", name);
}

/* HOST:PORT of an address. */
static const char *host_of(const char *url, struct arena *arena) {
    const char *at = strstr(url, "://");
    at = at ? at + 3 : url;
    const char *host = arena_strndup(arena, at, strcspn(at, "/?#")), *user = strrchr(host, '@');
    host = user ? user + 1 : host;
    const char *colon = strrchr(host, ':');
    bool has_port = colon && !strchr(colon, ']');
    return has_port ? host : arena_printf(arena, "%s:%s", host, str_starts(url, "http://") ? "80" : "443");
}

/* ---- the fence */

bool cli_is_fenced(const struct cli_run *run) {
    return run->request->fence && !sandbox_fence_fault(run->request->fence);
}

/* Where the program lies with what it needs: the outermost node_modules; else the folder that it is in. */
static const char *folder_of(const char *program, struct arena *arena) {
    static const char modules[] = "/node_modules/";
    const char *at = strstr(program, modules), *slash = strrchr(program, '/');
    size_t len = at ? (size_t)(at - program) + strlen(modules) - 1 : (size_t)(slash - program);
    return arena_strndup(arena, program, len);
}

static void add_folders(const struct cli_run *run, struct sandbox_spec *spec) {
    const struct agent_request *request = run->request;
    struct arena *arena = request->arena;
    const char *places[] = {run->program, fs_real(arena, run->program)};
    size_t count = request->tool_folder_count;
    struct sandbox_folder *folders =
        arena_array(arena, count + ARRAY_LEN(places) + run->word_count + 1, sizeof *folders);
    if (count)
        memcpy(folders, request->tool_folders, count * sizeof *folders);
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (places[i] && !str_starts(places[i], "/usr/") && strchr(places[i] + 1, '/') != strrchr(places[i], '/'))
            folders[count++] = (struct sandbox_folder){folder_of(places[i], arena), SANDBOX_READ_ONLY};
    for (size_t i = 1; i < run->word_count; i++)
        if (run->words[i][0] == '/' && fs_exists(run->words[i]) && !fs_is_dir(run->words[i]))
            folders[count++] = (struct sandbox_folder){run->words[i], SANDBOX_READ_ONLY}; /* its script, mostly */
    if (request->git_dir)
        folders[count++] = (struct sandbox_folder){request->git_dir, SANDBOX_HIDDEN};
    spec->folders = folders;
    spec->folder_count = count;
}

/* It may speak to its model's server and to npm's registry. Without a model that is set up it has one of its own,
 * wherever that is. Where this server itself reaches the network by a proxy only, there is no other way than its. */
static void open_network(const struct cli_run *run, struct sandbox_spec *spec) {
    const struct agent_request *request = run->request;
    struct arena *arena = request->arena;
    size_t count = 0;
    while (request->tool_hosts && request->tool_hosts[count])
        count++;
    const char **hosts = arena_array(arena, count + 2, sizeof *hosts);
    if (count)
        memcpy(hosts, request->tool_hosts, count * sizeof *hosts);
    hosts[count] = run->model ? host_of(llm_address(run->model, arena), arena) : str_or(run->kind->own_host, "*:443");
    char host[256] = "";
    int port = 0;
    bool is_near = hosts_split(hosts[count], host, sizeof host, &port) && hosts_is_loopback(host);
    bool has_proxy = variable(request->tool_env, "HTTPS_PROXY") || variable(request->tool_env, "https_proxy") ||
                     variable(request->tool_env, "HTTP_PROXY") || variable(request->tool_env, "http_proxy");
    /* An account that names a host may not so reach this server's network. */
    bool is_kept_in = run->model && run->model->only_public;
    if (is_kept_in)
        hosts[count] = arena_printf(arena, HOSTS_PUBLIC "%s", hosts[count]);
    spec->network = has_proxy && !is_near && !is_kept_in ? SANDBOX_NETWORK_HOST : SANDBOX_NETWORK_PROXY;
    spec->hosts = hosts;
}

/* What build commands get; but the way to the network is the fence's where it opens one. */
static void add_tool_env(struct cli_run *run, const struct sandbox_spec *spec) {
    static const char *const proxies[] = {
        "HTTP_PROXY=", "HTTPS_PROXY=", "http_proxy=", "https_proxy=", "NO_PROXY=", "no_proxy="};
    bool is_dropped = cli_is_fenced(run) && spec->network == SANDBOX_NETWORK_PROXY;
    const char *const *env = run->request->tool_env;
    for (size_t i = 0; env && env[i] && run->env_count < CLI_ENV_MAX; i++) {
        bool is_proxy = false;
        for (size_t p = 0; p < ARRAY_LEN(proxies); p++)
            is_proxy = is_proxy || str_starts(env[i], proxies[p]);
        if (!is_proxy || !is_dropped)
            run->env[run->env_count++] = env[i];
    }
}

/* ---- for prepare */

void cli_arg(struct cli_run *run, const char *text) {
    if (run->argc < CLI_ARGS_MAX)
        run->argv[run->argc++] = text;
}

void cli_env(struct cli_run *run, const char *name, const char *value) {
    if (value && run->env_count < CLI_ENV_MAX)
        run->env[run->env_count++] = arena_printf(run->request->arena, "%s=%s", name, value);
}

const char *cli_home_path(const struct cli_run *run, const char *path) {
    return fs_join(run->request->arena, run->request->home, path);
}

int cli_home_file(struct cli_run *run, const char *path, const char *text, struct err *err) {
    return fs_write_file(cli_home_path(run, path), text, strlen(text), 0600, err);
}

/* ---- what it says */

static void hear(const char *line, size_t len, void *arg) {
    struct cli_run *run = arg;
    cli_heard(run, line, len);
    arena_reset(run->line_arena);
}

static void hear_error(const char *line, size_t len, void *arg) {
    struct cli_run *run = arg;
    cli_printed(run, line, len);
    arena_reset(run->line_arena);
}

static int64_t token_limit(const struct cli_run *run) {
    return run->request->limits.tokens > 0 ? run->request->limits.tokens : DEFAULT_TOKENS;
}

static bool is_over_limit(const struct cli_run *run) {
    return run->usage.input_tokens + run->usage.output_tokens > token_limit(run);
}

static bool is_cancelled(const struct cli_run *run) {
    return run->request->is_cancelled && run->request->is_cancelled(run->request->cancel_arg);
}

static bool is_lost(const struct cli_run *run) {
    int64_t idle_ms = run->request->limits.idle_ms, most_ms = idle_ms > 0 && idle_ms < FAULTY_MS ? idle_ms : FAULTY_MS;
    return run->faulty_mono_ms && clock_mono_ms() - run->faulty_mono_ms >= most_ms;
}

/* One with whom there is a conversation is told first. */
static bool must_stop(void *arg) {
    struct cli_run *run = arg;
    if (!is_over_limit(run) && !is_cancelled(run) && !is_lost(run))
        return false;
    if (!run->kind->on_cancel)
        return true;
    if (run->cancel_mono_ms == 0) {
        run->cancel_mono_ms = clock_mono_ms();
        run->kind->on_cancel(run);
    }
    return clock_mono_ms() - run->cancel_mono_ms >= CANCEL_MS;
}

/* ---- its end */

/* What it used is known from itself alone: the most that it may use is reserved before. */
static int run_metered(struct cli_run *run, const struct sandbox_spec *spec, struct sandbox_result *out,
                       struct err *err) {
    const struct llm_meter *meter = run->request->meter;
    int64_t output_tokens = token_limit(run) / OUTPUT_SHARE;
    int rc = meter ? meter->reserve(meter->arg, token_limit(run) - output_tokens, output_tokens, err) : 0;
    if (rc < 0)
        return rc;
    rc = sandbox_run(spec, run->request->arena, out, err);
    if (meter)
        meter->settle(meter->arg, &run->usage, run->has_usage);
    if (rc == -ERR_NOT_FOUND)
        return err_set(err, ERR_UNAVAILABLE, "the agent %s cannot be started: %s", run->kind->name,
                       arena_strdup(run->request->arena, err->message));
    if ((rc == 0 || rc == -ERR_CANCELLED) && is_cancelled(run))
        return err_set(err, ERR_CANCELLED, "the agent %s was cancelled", run->kind->name);
    if (rc == -ERR_CANCELLED && is_lost(run))
        return err_set(err, ERR_UNAVAILABLE, "the agent %s does not get on: %s", run->kind->name, run->fault);
    if ((rc == 0 || rc == -ERR_CANCELLED) && is_over_limit(run))
        return err_set(err, ERR_TOO_LARGE, "the agent %s used more than %lld tokens", run->kind->name,
                       (long long)token_limit(run));
    return rc;
}

static bool is_quota(const char *fault) {
    static const char *const words[] = {"quota",       "usage limit",    "usage_limit", "credit balance",
                                        "spend limit", "hit your limit", "spend_limit", "billing"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_contains_nocase(fault, words[i]))
            return true;
    return false;
}

/* What was to come of the task is all there. */
static bool has_outputs(const struct agent_request *request) {
    const json_t *outputs = json_object_get(request->definition, "expectedOutputs");
    size_t i, found = 0;
    json_t *path;
    json_array_foreach (outputs, i, path)
        found += fs_exists(fs_join(request->arena, request->worktree, str_or(json_string_value(path), "")));
    return found > 0 && found == json_array_size(outputs);
}

/* By the worktree. An agent that changed nothing and says why could not work; one that says nothing did nothing. */
static int judge(const struct cli_run *run, const struct sandbox_result *ended, bool is_changed, struct err *err) {
    const char *name = run->kind->name;
    if (run->fault && (run->resets_ms || is_quota(run->fault)))
        return err_set(err, ERR_QUOTA, "the agent %s has no quota left: %s", name, run->fault);
    if (is_changed)
        return 0;
    if (run->fault)
        return err_set(err, ERR_UNAVAILABLE, "the agent %s could not work: %s", name, run->fault);
    if (ended->exit_code != 0 && !run->is_over)
        return err_set(err, ERR_UNAVAILABLE, "the agent %s ended with exit code %d and changed nothing: %s", name,
                       ended->exit_code, str_or(run->last_lines.data, ""));
    if (has_outputs(run->request))
        return 0;
    return err_set(err, ERR_VALIDATION, "the agent %s ended without changing anything", name);
}

static const char *one_line(struct arena *arena, const char *text) {
    const char *trimmed = str_trim(arena, text);
    return arena_strndup(arena, trimmed, strcspn(trimmed, "\r\n"));
}

static int carry_out(struct cli_run *run, struct sandbox_spec *spec, struct agent_result *result, struct err *err) {
    struct sandbox_result ended = {0};
    uint64_t before = 0, after = 0;
    int rc = cli_tree_print(run->request->worktree, &before, err);
    if (rc == 0)
        rc = run_metered(run, spec, &ended, err);
    cli_end_pieces(run);
    if (ended.refused)
        cli_log(run,
                arena_printf(run->request->arena, "it asked for hosts that it may not speak to: %s", ended.refused));
    if (rc == 0 && ended.exit_code != 0 && !run->is_over)
        cli_log(run, arena_printf(run->request->arena, "it ended with exit code %d", ended.exit_code));
    if (rc == 0)
        rc = cli_tree_print(run->request->worktree, &after, err);
    if (rc == 0)
        rc = judge(run, &ended, before != after, err);
    if (rc == -ERR_QUOTA)
        result->resets_ms = run->resets_ms;
    if (rc == 0)
        result->summary = run->said ? one_line(run->request->arena, run->said) : NULL;
    return rc;
}

int cli_run_attempt(const struct cli_kind *kind, const struct agent_request *request, struct agent_result *result,
                    struct err *err) {
    struct cli_run run = {.kind = kind, .request = request, .model = kind->has_own_model ? NULL : request->model};
    run.path = str_or(variable(request->tool_env, "PATH"), DEFAULT_PATH);
    int rc = find_own_program(&run, err);
    if (rc == 0)
        rc = check_model(&run, err);
    if (rc < 0)
        return rc;
    run.prompt = cli_prompt(request);
    struct sandbox_spec spec = {
        .argv = run.argv,
        .dir = request->worktree,
        .home = request->home,
        .env = run.env,
        .fence = request->fence,
        .wall_ms = request->limits.wall_ms > 0 ? request->limits.wall_ms : DEFAULT_WALL_MS,
        .idle_ms = request->limits.idle_ms > 0 ? request->limits.idle_ms : DEFAULT_IDLE_MS,
        .grace_ms = GRACE_MS,
        .output_bytes = KEPT_OUTPUT_BYTES,
        .line_bytes = LINE_BYTES,
        .is_cancelled = must_stop,
        .cancel_arg = &run,
        .on_line = hear,
        .on_line_arg = &run,
        .on_error_line = hear_error,
        .on_talk = kind->on_talk,
        .talk_arg = &run,
    };
    add_folders(&run, &spec);
    open_network(&run, &spec);
    add_tool_env(&run, &spec);
    if (!run.model && kind->key_env)
        cli_env(&run, kind->key_env, getenv(kind->key_env));
    rc = kind->prepare(&run, err);
    if (rc < 0)
        return rc;
    buf_init(&run.pieces, 4 * CLI_TEXT_BYTES);
    run.line_arena = arena_create();
    rc = carry_out(&run, &spec, result, err);
    arena_destroy(run.line_arena);
    buf_release(&run.pieces);
    buf_release(&run.last_lines);
    return rc;
}
