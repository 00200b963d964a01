/* cli_gemini: Gemini CLI, by `gemini --output-format stream-json`. It speaks to Google's own servers alone, with this
 * server's key for them. */
#include "agent/cli.h"
#include "base/json.h"
#include "base/str.h"

static int prepare(struct cli_run *run, struct err *err) {
    const char *name = run->request->model_name;
    int rc = cli_home_file(run, ".gemini/settings.json",
                           "{\"general\":{\"disableAutoUpdate\":true,\"enableAutoUpdate\":false},"
                           "\"privacy\":{\"usageStatisticsEnabled\":false},"
                           "\"security\":{\"auth\":{\"selectedType\":\"gemini-api-key\"}}}\n",
                           err);
    if (name) {
        cli_arg(run, "-m");
        cli_arg(run, name);
    }
    cli_arg(run, "-p");
    cli_arg(run, run->prompt);
    cli_arg(run, "--output-format");
    cli_arg(run, "stream-json");
    cli_arg(run, "--yolo");
    cli_arg(run, "--skip-trust");
    return rc;
}

static void on_tool_use(struct cli_run *run, const json_t *event) {
    const char *name = json_str(event, "tool_name", ""), *id = json_str(event, "tool_id", NULL);
    const json_t *parameters = json_object_get(event, "parameters");
    if (str_eq(name, "run_shell_command"))
        cli_tool_began(run, id, json_str(parameters, "command", NULL), NULL);
    else if (str_eq(name, "write_file") || str_eq(name, "replace"))
        cli_tool_began(run, id, NULL, json_str(parameters, "file_path", NULL));
}

static void on_result(struct cli_run *run, const json_t *event) {
    const json_t *stats = json_object_get(event, "stats");
    if (stats)
        cli_used(run, &(struct llm_usage){.input_tokens = json_int(stats, "input_tokens", 0),
                                          .cached_input_tokens = json_int(stats, "cached", 0),
                                          .output_tokens = json_int(stats, "output_tokens", 0)});
    if (!str_eq(json_str(event, "status", "success"), "success"))
        cli_failed(run, json_str(json_object_get(event, "error"), "message", "it failed"));
}

static void on_event(struct cli_run *run, const json_t *event) {
    const char *type = json_str(event, "type", "");
    if (str_eq(type, "message") && str_eq(json_str(event, "role", NULL), "assistant"))
        cli_says(run, json_str(event, "content", NULL));
    else if (str_eq(type, "tool_use"))
        on_tool_use(run, event);
    else if (str_eq(type, "tool_result"))
        cli_tool_ended(run, json_str(event, "tool_id", NULL),
                       str_eq(json_str(event, "status", NULL), "success") ? 0 : -1, json_str(event, "output", NULL));
    else if (str_eq(type, "error") && str_eq(json_str(event, "severity", "error"), "error"))
        cli_failed(run, json_str(event, "message", NULL));
    else if (str_eq(type, "error"))
        cli_log(run, json_str(event, "message", NULL));
    else if (str_eq(type, "result"))
        on_result(run, event);
}

const struct cli_kind cli_gemini = {
    .name = "gemini",
    .program = "gemini",
    .key_env = "GEMINI_API_KEY",
    .own_host = "generativelanguage.googleapis.com:443",
    .has_own_model = true,
    .prepare = prepare,
    .on_event = on_event,
};
