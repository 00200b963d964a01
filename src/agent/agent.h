/* agent: carrying out one task in one worktree. */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "blueprint/blueprint.h"
#include "llm/llm.h"
#include "model/states.h"
#include "sandbox/sandbox.h"

/* What happens while an agent works, as it happens: EVENT_MESSAGE {"role", "text"}, EVENT_COMMAND_STARTED {"command"},
 * EVENT_COMMAND_COMPLETED {"command", "exitCode", "durationMs", "output"}, EVENT_FILE_CREATED and EVENT_FILE_MODIFIED
 * {"path", "size"}, EVENT_FILE_DELETED {"path"}, EVENT_TASK_OUTPUT {"text"}. Texts may be of any bytes and any length:
 * whoever is told mends and cuts them. */
struct agent_note {
    enum event_type type;
    const json_t *payload; /* borrowed, for the call */
};

/* 0: the agent's default. */
struct agent_limits {
    int64_t steps, tokens; /* of a model: calls, and tokens in and out together */
    int64_t wall_ms, idle_ms;
};

struct agent_request {
    const json_t *definition; /* of the task */
    const json_t *plan;
    const json_t *documents; /* {"SPEC.md": text, …} */
    const char *worktree;    /* absolute path */
    const char *home;        /* a private folder of this attempt; nobody needs it afterwards */
    const char *git_dir;     /* the project's repository, which the agent must not see */
    int64_t attempt;         /* from 1 */
    const char *feedback;    /* why the last attempt failed, or NULL */
    const char *scope;       /* of the calls of models: "task/ui-shell/1"; the same for every run of the same spec */

    const char *model_name;        /* as chosen for this agent; NULL: its own default */
    const struct llm_model *model; /* a server of models, with model_name as its name if there is one; NULL: none */
    const struct llm_meter *meter; /* for one call at a time; NULL: nobody counts */
    struct llm_tape *tape;         /* or NULL */
    const char *command;           /* the operator's, of kinds that need one */

    const struct sandbox_fence *fence;
    const char *const *tool_env;               /* NAME=value, NULL-terminated: what build commands get */
    const struct sandbox_folder *tool_folders; /* further folders behind the fence, for build commands */
    size_t tool_folder_count;
    const char *const *tool_hosts; /* of npm's registry, for the fence's proxy */
    struct agent_limits limits;

    struct arena *arena;
    bool (*is_cancelled)(void *arg);
    void *cancel_arg;
    /* Progress worth telling: a line of text, for the task's log alone. */
    void (*on_output)(const char *text, void *arg);
    void *output_arg;
    /* From the thread that the agent runs on. May be NULL. */
    void (*on_note)(const struct agent_note *note, void *arg);
    void *note_arg;
};

struct agent_result {
    const char *summary; /* one line, in the request's arena */
    int64_t resets_ms;   /* with ERR_QUOTA: when there is quota again; 0: unknown */
};

/* One kind of agent. run leaves its work in the worktree and commits nothing; self is its own state.
 *
 * Failures say who may do better. ERR_UNAVAILABLE: it cannot work at all (its program or its model is not to be had),
 * so that another agent may be asked in its place; so is ERR_QUOTA without resets_ms. With resets_ms the run waits, and
 * after ERR_BUDGET, which is the meter's and passes through as it is. ERR_CANCELLED and ERR_STALE: told to stop. All
 * else is a failure of the work: the attempt has failed. */
struct agent_ops {
    const char *name;
    bool learns; /* told what was wrong with its work, it may do better; otherwise the same comes of the same task */
    int (*run)(void *self, const struct agent_request *request, struct agent_result *result, struct err *err);
};

struct agent {
    const struct agent_ops *ops;
    void *self;
};

/* The blueprint agent: renders the parts that the definition names, and removes from the worktree what the task
 * "retire" names and files inside the task's pathScope that no part of it renders. Keeps a pointer to stack. */
extern const struct agent_ops agent_blueprint_ops;
void agent_blueprint_init(struct agent *agent, const struct stack *stack);

/* Programs of their own: agent/cli.h. */
extern const struct agent_ops agent_codex_ops, agent_opencode_ops, agent_claude_ops, agent_gemini_ops, agent_qwen_ops,
    agent_acp_ops, agent_command_ops;

#endif
