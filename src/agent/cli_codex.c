/* cli_codex: Codex, by `codex exec --json`. */
#include "agent/cli.h"
#include "base/json.h"
#include "base/str.h"

/* CODEX_HOME must not lie below TMPDIR. */
#define CODEX_HOME ".codex"

static int prepare(struct cli_run *run, struct err *err) {
    const struct agent_request *request = run->request;
    struct arena *arena = request->arena;
    const char *name = cli_model_name(run);
    const char *config = "check_for_update_on_startup = false\n[analytics]\nenabled = false\n";
    if (run->model)
        /* TOML's basic strings are as JSON's. */
        config =
            arena_printf(arena,
                         "model_provider = \"local\"\n%s[model_providers.local]\nname = \"local\"\nbase_url = %s\n"
                         "wire_api = \"responses\"\nenv_key = \"PRAZIUM_MODEL_KEY\"\nrequires_openai_auth = false\n"
                         "request_max_retries = 3\nstream_max_retries = 3\n",
                         config, json_text(arena, json_own(arena, json_string(llm_address(run->model, arena)))));
    int rc = cli_home_file(run, CODEX_HOME "/config.toml", config, err);
    if (rc < 0)
        return rc;
    cli_env(run, "CODEX_HOME", cli_home_path(run, CODEX_HOME));
    if (run->model)
        cli_env(run, "PRAZIUM_MODEL_KEY", str_or(run->model->api_key, "none"));
    cli_arg(run, "exec");
    cli_arg(run, "--json");
    cli_arg(run, "--skip-git-repo-check");
    cli_arg(run, "--ephemeral");
    /* Its own fence does not work within ours. */
    if (cli_is_fenced(run)) {
        cli_arg(run, "--dangerously-bypass-approvals-and-sandbox");
    } else {
        cli_arg(run, "-s");
        cli_arg(run, "workspace-write");
    }
    if (name) {
        cli_arg(run, "-m");
        cli_arg(run, name);
    }
    cli_arg(run, "-C");
    cli_arg(run, request->worktree);
    cli_arg(run, "--");
    cli_arg(run, run->prompt);
    return 0;
}

static void on_files(struct cli_run *run, const json_t *changes) {
    size_t i;
    json_t *change;
    json_array_foreach (changes, i, change)
        cli_wrote(run, json_str(change, "path", NULL), str_eq(json_str(change, "kind", NULL), "add"));
}

static void on_item(struct cli_run *run, const json_t *item, bool is_completed) {
    const char *type = json_str(item, "type", ""), *id = json_str(item, "id", NULL);
    if (str_eq(type, "command_execution") && is_completed)
        cli_tool_ended(run, id, json_int(item, "exit_code", -1), json_str(item, "aggregated_output", NULL));
    else if (str_eq(type, "command_execution"))
        cli_tool_began(run, id, json_str(item, "command", NULL), NULL);
    else if (str_eq(type, "file_change") && is_completed)
        on_files(run, json_object_get(item, "changes"));
    else if (str_eq(type, "agent_message") && is_completed)
        cli_said(run, json_str(item, "text", NULL));
    else if (str_eq(type, "error") && is_completed)
        cli_log(run, json_str(item, "message", NULL)); /* a warning, mostly: it goes on */
}

static void on_event(struct cli_run *run, const json_t *event) {
    const char *type = json_str(event, "type", "");
    const json_t *usage = json_object_get(event, "usage");
    if (str_eq(type, "item.started"))
        on_item(run, json_object_get(event, "item"), false);
    else if (str_eq(type, "item.completed"))
        on_item(run, json_object_get(event, "item"), true);
    else if (str_eq(type, "turn.completed") && usage)
        cli_used(run, &(struct llm_usage){.input_tokens = json_int(usage, "input_tokens", 0),
                                          .cached_input_tokens = json_int(usage, "cached_input_tokens", 0),
                                          .output_tokens = json_int(usage, "output_tokens", 0)});
    else if (str_eq(type, "turn.failed"))
        cli_failed(run, json_str(json_object_get(event, "error"), "message", "the turn failed"));
    else if (str_eq(type, "error"))
        cli_failed(run, json_str(event, "message", NULL));
}

const struct cli_kind cli_codex = {
    .name = "codex",
    .program = "codex",
    .formats = 1U << LLM_RESPONSES,
    .key_env = "CODEX_API_KEY",
    .own_host = "api.openai.com:443",
    .prepare = prepare,
    .on_event = on_event,
};
