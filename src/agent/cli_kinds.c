/* cli_kinds: the agents that are programs of their own, as the registry knows agents. */
#include "agent/cli.h"

/* Each is told what was wrong with its work. */
#define CLI_OPS(kind)                                                                                                  \
    static int run_##kind(void *self, const struct agent_request *request, struct agent_result *result,                \
                          struct err *err) {                                                                           \
        (void)self;                                                                                                    \
        return cli_run_attempt(&cli_##kind, request, result, err);                                                     \
    }                                                                                                                  \
    const struct agent_ops agent_##kind##_ops = {.name = #kind, .learns = true, .run = run_##kind};

CLI_OPS(acp)
CLI_OPS(claude)
CLI_OPS(codex)
CLI_OPS(command)
CLI_OPS(gemini)
CLI_OPS(opencode)
CLI_OPS(qwen)
