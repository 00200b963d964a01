/* registry: the kinds of agents. Each is a row; whoever makes one gives its row the ops. */
#include "agent/registry.h"

#include "agent/model.h"
#include "base/mem.h"
#include "base/str.h"

static const struct agent_kind kinds[] = {
    {.name = "blueprint", .title = "The catalog", .ops = &agent_blueprint_ops, .knows_only_catalog = true},
    {.name = "model",
     .title = "A language model with tools",
     .ops = &agent_model_ops,
     .needs_model = true,
     .needs_fence = true},
    {.name = "codex", .title = "Codex", .ops = &agent_codex_ops, .program = "codex", .needs_fence = true},
    {.name = "opencode",
     .title = "opencode",
     .ops = &agent_opencode_ops,
     .program = "opencode",
     .needs_model = true,
     .needs_fence = true},
    {.name = "claude", .title = "Claude Code", .ops = &agent_claude_ops, .program = "claude", .needs_fence = true},
    {.name = "gemini", .title = "Gemini CLI", .ops = &agent_gemini_ops, .program = "gemini", .needs_fence = true},
    {.name = "qwen",
     .title = "Qwen Code",
     .ops = &agent_qwen_ops,
     .program = "qwen",
     .needs_model = true,
     .needs_fence = true},
    {.name = "acp",
     .title = "Any agent that speaks ACP",
     .ops = &agent_acp_ops,
     .needs_command = true,
     .needs_fence = true},
    {.name = "command", .title = "Any command", .ops = &agent_command_ops, .needs_command = true, .needs_fence = true},
};
_Static_assert(ARRAY_LEN(kinds) <= AGENT_KINDS_MAX, "room for every kind");

const struct agent_kind *agent_kinds(size_t *count) {
    *count = ARRAY_LEN(kinds);
    return kinds;
}

const struct agent_kind *agent_kind_find(const char *name) {
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_eq(kinds[i].name, name))
            return &kinds[i];
    return NULL;
}
