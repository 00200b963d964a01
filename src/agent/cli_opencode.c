/* cli_opencode: opencode, by `opencode run --format json`. */
#include "agent/cli.h"
#include "base/json.h"
#include "base/str.h"

static const char *package_of(enum llm_format format) {
    switch (format) {
    case LLM_ANTHROPIC:
        return "@ai-sdk/anthropic";
    case LLM_RESPONSES:
        return "@ai-sdk/openai";
    case LLM_CHAT:
    case LLM_OLLAMA:
    case LLM_FORMAT_COUNT:
        break;
    }
    return "@ai-sdk/openai-compatible";
}

/* Permissions are allowed: "ask" would be refused without a word. The key is a variable's, not in the file. */
static json_t *config_of(const struct cli_run *run) {
    const struct llm_model *model = run->model;
    struct arena *arena = run->request->arena;
    json_t *config = json_pack("{s:b, s:s, s:{s:s, s:s, s:s, s:s}}", "autoupdate", 0, "share", "disabled", "permission",
                               "edit", "allow", "bash", "allow", "webfetch", "deny", "external_directory", "deny");
    if (!model)
        return config;
    const char *name = cli_model_name(run);
    const char *address = llm_address(model, arena);
    if (model->format == LLM_OLLAMA)
        address = arena_printf(arena, "%s/v1", address);
    json_object_set_new(config, "provider",
                        json_pack("{s:{s:s, s:{s:s, s:s}, s:{s:{s:b}}}}", "local", "npm", package_of(model->format),
                                  "options", "baseURL", address, "apiKey", "{env:PRAZIUM_MODEL_KEY}", "models", name,
                                  "tool_call", 1));
    json_object_set_new(config, "model", json_sprintf("local/%s", name));
    json_object_set_new(config, "small_model", json_sprintf("local/%s", name));
    return config;
}

int cli_opencode_prepare(struct cli_run *run, struct err *err) {
    const struct llm_model *model = run->model;
    struct arena *arena = run->request->arena;
    if (model && !cli_model_name(run))
        return err_set(err, ERR_UNAVAILABLE, "the agent %s is given no model's name", run->kind->name);
    int rc = cli_home_file(run, "opencode.json", json_text(arena, json_own(arena, config_of(run))), err);
    cli_env(run, "OPENCODE_CONFIG", cli_home_path(run, "opencode.json"));
    cli_env(run, "OPENCODE_DISABLE_AUTOUPDATE", "1");
    cli_env(run, "OPENCODE_DISABLE_MODELS_FETCH", "1");
    cli_env(run, "OPENCODE_DISABLE_LSP_DOWNLOAD", "1");
    if (model)
        cli_env(run, "PRAZIUM_MODEL_KEY", str_or(model->api_key, "none"));
    return rc;
}

static int prepare(struct cli_run *run, struct err *err) {
    const char *name = cli_model_name(run);
    int rc = cli_opencode_prepare(run, err);
    cli_arg(run, "run");
    cli_arg(run, "--format");
    cli_arg(run, "json");
    if (name) {
        cli_arg(run, "-m");
        cli_arg(run, run->model ? arena_printf(run->request->arena, "local/%s", name) : name);
    }
    cli_arg(run, "--");
    cli_arg(run, run->prompt);
    return rc;
}

/* Told once it ended. */
static void on_tool(struct cli_run *run, const json_t *part) {
    const char *tool = json_str(part, "tool", ""), *id = json_str(part, "callID", NULL);
    const json_t *state = json_object_get(part, "state"), *input = json_object_get(state, "input");
    const json_t *facts = json_object_get(state, "metadata");
    bool is_completed = str_eq(json_str(state, "status", ""), "completed");
    const char *output = json_str(state, is_completed ? "output" : "error", NULL);
    if (str_eq(tool, "bash")) {
        cli_tool_began(run, id, json_str(input, "command", NULL), NULL);
        cli_tool_ended(run, id, json_int(facts, "exit", -1), output);
    } else if (is_completed && (str_eq(tool, "write") || str_eq(tool, "edit"))) {
        cli_wrote(run, json_str(input, "filePath", NULL), !json_flag(facts, "exists", true));
    } else if (!is_completed) {
        cli_log(run, output);
    }
}

/* input leaves out what the cache had. */
static void on_step(struct cli_run *run, const json_t *tokens) {
    int64_t read = json_int(json_object_get(tokens, "cache"), "read", 0);
    int64_t write = json_int(json_object_get(tokens, "cache"), "write", 0);
    if (tokens)
        cli_used(run, &(struct llm_usage){
                          .input_tokens = json_int(tokens, "input", 0) + read + write,
                          .cached_input_tokens = read,
                          .cache_write_tokens = write,
                          .output_tokens = json_int(tokens, "output", 0) + json_int(tokens, "reasoning", 0),
                      });
}

static void on_event(struct cli_run *run, const json_t *event) {
    const char *type = json_str(event, "type", "");
    const json_t *part = json_object_get(event, "part"), *error = json_object_get(event, "error");
    if (str_eq(type, "tool_use"))
        on_tool(run, part);
    else if (str_eq(type, "text"))
        cli_said(run, json_str(part, "text", NULL));
    else if (str_eq(type, "step_finish"))
        on_step(run, json_object_get(part, "tokens"));
    else if (str_eq(type, "error"))
        cli_failed(run, json_str(json_object_get(error, "data"), "message", json_str(error, "name", "it failed")));
}

const struct cli_kind cli_opencode = {
    .name = "opencode",
    .program = "opencode",
    .needs_model = true,
    .prepare = prepare,
    .on_event = on_event,
};
