/* choice: who plans and who carries out, from the general to the special. */
#include "engine/choice.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "engine/context.h"
#include "llm/tape.h"

#define BLUEPRINT "blueprint"
#define MODEL "model"

const struct agent *choice_agent(struct engine *engine, const struct agent_choice *agent) {
    size_t count;
    const struct agent_kind *kinds = agent_kinds(&count), *kind = agent_kind_find(agent->kind);
    return kind ? &engine->agents[kind - kinds] : NULL;
}

bool choice_learns(struct engine *engine, const struct choice *choice) {
    const struct agent *agent = choice->agent_count ? choice_agent(engine, &choice->agents[0]) : NULL;
    return agent && agent->ops && agent->ops->learns;
}

/* ---- whether an agent can work */

static const char *missing_program(const struct agent_kind *kind, const struct agent_choice *agent,
                                   struct arena *arena) {
    char found[PATH_MAX];
    const char *program = kind->program;
    if (kind->needs_command) {
        const char *word = agent->command + strspn(agent->command, " \t");
        program = arena_strndup(arena, word, strcspn(word, " \t"));
    }
    if (!program || proc_find_program(program, getenv("PATH"), found, sizeof found))
        return NULL;
    return arena_printf(arena, "its program %s is not in PATH", program);
}

const char *choice_fault(struct engine *engine, const struct choice *choice, const struct agent_choice *agent,
                         struct arena *arena) {
    const struct agent_kind *kind = agent_kind_find(agent->kind);
    const struct agent *itself = choice_agent(engine, agent);
    if (!kind || !itself->ops)
        return "this server has no such agent";
    if (kind->needs_command && !agent->command)
        return "the operator has given it no command";
    if (kind->needs_model && !choice->has_model)
        return "no model is set up";
    if (kind->needs_fence && engine->sandbox != SANDBOX_OFF && sandbox_fence_fault(engine->fence))
        return arena_printf(arena, "nothing would fence it in: %s", sandbox_fence_fault(engine->fence));
    if ((kind->program || kind->needs_command) && tape_is_replay(engine->tape))
        return "recordings hold nothing of its work";
    return missing_program(kind, agent, arena);
}

/* ---- the server's own */

static void add_agent(struct choice *choice, const char *kind, const char *model) {
    choice->agents[choice->agent_count++] = (struct agent_choice){.kind = kind, .model = model};
}

static void give_commands(struct engine *engine, struct choice *choice) {
    for (size_t i = 0; i < choice->agent_count; i++) {
        struct agent_choice *agent = &choice->agents[i];
        if (str_eq(agent->kind, "acp"))
            agent->command = engine->acp_command;
        else if (str_eq(agent->kind, "command"))
            agent->command = engine->agent_command;
    }
}

/* One of "codex:gpt-5,model". */
static int add_listed(struct choice *choice, const char *text, struct arena *arena, struct err *err) {
    const char *colon = strchr(text, ':');
    const char *name = colon ? arena_strndup(arena, text, (size_t)(colon - text)) : text;
    const struct agent_kind *kind = agent_kind_find(name);
    if (!kind)
        return err_field(err, ERR_VALIDATION, "agent", "there is no agent \"%s\"", name);
    if (colon && !colon[1])
        return err_field(err, ERR_VALIDATION, "agent", "\"%s\" names no model after the colon", text);
    if (choice->agent_count == CHOICE_AGENTS_MAX)
        return err_field(err, ERR_VALIDATION, "agent", "at most %d agents can be listed", CHOICE_AGENTS_MAX);
    add_agent(choice, kind->name, colon ? colon + 1 : NULL);
    return 0;
}

static int check_defaults(struct engine *engine, const struct engine_config *config, struct err *err) {
    const struct choice *choice = &engine->defaults;
    bool plans_by_model = str_eq(choice->planner, MODEL);
    if (plans_by_model && !choice->has_model)
        return err_field(err, ERR_VALIDATION, "planner", "the planner \"model\" needs a model: set one up");
    for (size_t i = 0; config->agents && i < choice->agent_count; i++) {
        const struct agent_kind *kind = agent_kind_find(choice->agents[i].kind);
        if (plans_by_model && kind->knows_only_catalog)
            return err_field(err, ERR_VALIDATION, "agent", "\"%s\" cannot carry out what a model plans", kind->name);
        if (kind->needs_model && !choice->has_model)
            return err_field(err, ERR_VALIDATION, "agent", "the agent \"%s\" needs a model: set one up", kind->name);
        if (kind->needs_command && !choice->agents[i].command)
            return err_field(err, ERR_VALIDATION, "agent", "the agent \"%s\" needs a command: give one", kind->name);
    }
    return 0;
}

int choice_open(struct engine *engine, const struct engine_config *config, struct err *err) {
    struct choice *out = &engine->defaults;
    char **listed = NULL;
    size_t count = 0;
    int rc = 0;
    engine->agent_command = config->agent_command;
    engine->acp_command = config->acp_command;
    out->planner = str_eq(config->planner, MODEL) ? MODEL : BLUEPRINT;
    out->has_model = engine->model.name != NULL;
    out->model = engine->model;
    if (config->agents)
        str_split(engine->arena, config->agents, ", ", &listed, &count);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = add_listed(out, listed[i], engine->arena, err);
    if (rc == 0 && out->agent_count == 0)
        add_agent(out, out->planner, NULL); /* both have an agent of their name */
    give_commands(engine, out);
    return rc < 0 ? rc : check_defaults(engine, config, err);
}

/* ---- projects and runs */

int choice_of_project(struct engine *engine, struct db *db, const struct project *project, struct arena *arena,
                      struct choice *out, struct err *err) {
    *out = engine->defaults;
    return 0;
}

int choice_of_run(struct engine *engine, struct db *db, const struct run *run, const struct task *task,
                  struct arena *arena, struct choice *out, struct err *err) {
    *out = engine->defaults;
    return 0;
}
