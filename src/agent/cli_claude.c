/* cli_claude: Claude Code, by `claude -p --output-format stream-json`; and Qwen Code, which tells what it does in the
 * same way. */
#include "agent/cli.h"
#include "base/json.h"
#include "base/str.h"

/* ---- what they tell */

static bool is_one_of(const char *name, const char *const *names) {
    for (; *names; names++)
        if (str_eq(name, *names))
            return true;
    return false;
}

static void on_tool_use(struct cli_run *run, const json_t *block) {
    static const char *const shells[] = {"Bash", "run_shell_command", NULL};
    static const char *const writers[] = {"Write", "Edit", "MultiEdit", "write_file", "edit", "replace", NULL};
    const char *name = json_str(block, "name", ""), *id = json_str(block, "id", NULL);
    const json_t *input = json_object_get(block, "input");
    if (is_one_of(name, shells))
        cli_tool_began(run, id, json_str(input, "command", NULL), NULL);
    else if (is_one_of(name, writers))
        cli_tool_began(run, id, NULL, json_str(input, "file_path", NULL));
}

/* Of a tool's result: a text, or blocks of which the first is one. */
static const char *text_of(const json_t *content) {
    return json_is_string(content) ? json_string_value(content) : json_str(json_array_get(content, 0), "text", NULL);
}

static void on_blocks(struct cli_run *run, const json_t *content) {
    size_t i;
    json_t *block;
    json_array_foreach (content, i, block) {
        const char *type = json_str(block, "type", "");
        if (str_eq(type, "text"))
            cli_said(run, json_str(block, "text", NULL));
        else if (str_eq(type, "tool_use"))
            on_tool_use(run, block);
        else if (str_eq(type, "tool_result"))
            /* The code itself is not told. */
            cli_tool_ended(run, json_str(block, "tool_use_id", NULL), json_flag(block, "is_error", false) ? -1 : 0,
                           text_of(json_object_get(block, "content")));
    }
}

static void on_usage(struct cli_run *run, const json_t *usage) {
    int64_t written = json_int(usage, "cache_creation_input_tokens", 0);
    int64_t read = json_int(usage, "cache_read_input_tokens", 0);
    if (usage)
        cli_used(run, &(struct llm_usage){.input_tokens = json_int(usage, "input_tokens", 0) + written + read,
                                          .cached_input_tokens = read,
                                          .cache_write_tokens = written,
                                          .output_tokens = json_int(usage, "output_tokens", 0)});
}

static void on_rate_limit(struct cli_run *run, const json_t *info) {
    int64_t seconds = json_int(info, "resetsAt", 0);
    if (!str_eq(json_str(info, "status", NULL), "rejected"))
        return;
    if (seconds > 0 && seconds < INT64_MAX / 1000)
        run->resets_ms = seconds * 1000;
    cli_failed(run, "the usage limit is reached");
}

static void on_event(struct cli_run *run, const json_t *event) {
    const char *type = json_str(event, "type", "");
    if (str_eq(type, "assistant") || str_eq(type, "user")) {
        if (str_eq(type, "assistant") || json_is_array(json_at(event, "message.content")))
            on_blocks(run, json_at(event, "message.content"));
    } else if (str_eq(type, "rate_limit_event")) {
        on_rate_limit(run, json_object_get(event, "rate_limit_info"));
    } else if (str_eq(type, "result")) {
        on_usage(run, json_object_get(event, "usage"));
        if (json_flag(event, "is_error", false) || !str_eq(json_str(event, "subtype", "success"), "success"))
            cli_failed(run, json_str(event, "result", json_str(event, "subtype", "it failed")));
    }
}

/* ---- Claude Code */

static int prepare_claude(struct cli_run *run, struct err *err) {
    static const char settings[] = "{\"permissions\":{\"defaultMode\":\"acceptEdits\",\"allow\":[\"Bash\"],"
                                   "\"deny\":[\"WebFetch\",\"WebSearch\"]}}\n";
    const char *name = cli_model_name(run);
    int rc = cli_home_file(run, ".claude/settings.json", settings, err);
    cli_model_env(run);
    cli_env(run, "CLAUDE_CONFIG_DIR", cli_home_path(run, ".claude"));
    cli_env(run, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1");
    cli_env(run, "DISABLE_AUTOUPDATER", "1");
    cli_arg(run, "-p");
    cli_arg(run, run->prompt);
    cli_arg(run, "--output-format");
    cli_arg(run, "stream-json");
    cli_arg(run, "--verbose");
    cli_arg(run, "--permission-mode");
    cli_arg(run, "acceptEdits");
    if (run->request->limits.steps > 0) {
        cli_arg(run, "--max-turns");
        cli_arg(run, arena_printf(run->request->arena, "%lld", (long long)run->request->limits.steps));
    }
    if (name) {
        cli_arg(run, "--model");
        cli_arg(run, name);
    }
    return rc;
}

const struct cli_kind cli_claude = {
    .name = "claude",
    .program = "claude",
    .formats = 1U << LLM_ANTHROPIC,
    .key_env = "ANTHROPIC_API_KEY",
    .own_host = "api.anthropic.com:443",
    .prepare = prepare_claude,
    .on_event = on_event,
};

/* ---- Qwen Code */

static int prepare_qwen(struct cli_run *run, struct err *err) {
    const char *name = cli_model_name(run);
    int rc = cli_home_file(run, ".qwen/settings.json",
                           "{\"general\":{\"disableAutoUpdate\":true,\"enableAutoUpdate\":false},"
                           "\"privacy\":{\"usageStatisticsEnabled\":false}}\n",
                           err);
    cli_model_env(run);
    cli_arg(run, "--auth-type");
    cli_arg(run, "openai");
    if (name) {
        cli_arg(run, "-m");
        cli_arg(run, name);
    }
    cli_arg(run, "--yolo");
    cli_arg(run, "-o");
    cli_arg(run, "stream-json");
    cli_arg(run, run->prompt);
    return rc;
}

const struct cli_kind cli_qwen = {
    .name = "qwen",
    .program = "qwen",
    .formats = 1U << LLM_CHAT | 1U << LLM_OLLAMA,
    .needs_model = true,
    .prepare = prepare_qwen,
    .on_event = on_event,
};
