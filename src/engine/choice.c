/* choice: who plans and who carries out, from the general to the special. */
#include "engine/choice.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/proc.h"
#include "base/str.h"
#include "engine/context.h"
#include "engine/load.h"
#include "engine/secrets.h"
#include "llm/tape.h"
#include "store/projects.h"

#define BLUEPRINT "blueprint"
#define MODEL "model"

const struct agent *choice_agent(struct engine *engine, const struct agent_choice *agent) {
    size_t count;
    const struct agent_kind *kinds = agent_kinds(&count), *kind = agent_kind_find(agent->kind);
    return kind ? &engine->agents[kind - kinds] : NULL;
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
    if (!program || (strchr(program, '/') ? access(program, X_OK) == 0
                                          : proc_find_program(program, getenv("PATH"), found, sizeof found)))
        return NULL;
    return arena_printf(arena, "its program %s is not to be found", program);
}

const char *choice_fault(struct engine *engine, const struct choice *choice, const struct agent_choice *agent,
                         struct arena *arena) {
    const struct agent_kind *kind = agent_kind_find(agent->kind);
    const struct agent *itself = choice_agent(engine, agent);
    if (!kind || !itself->ops)
        return "this server has no such agent";
    if (tape_is_replay(engine->tape))
        return NULL; /* nobody is asked to work */
    if (kind->needs_command && !agent->command)
        return "the operator has given it no command";
    if (kind->needs_model && !choice->has_model)
        return "no model is set up";
    if (kind->needs_fence && engine->sandbox != SANDBOX_OFF && sandbox_fence_fault(engine->fence))
        return arena_printf(arena, "nothing would fence it in: %s", sandbox_fence_fault(engine->fence));
    return missing_program(kind, agent, arena);
}

/* ---- the server's own */

static void add_agent(struct choice *choice, const char *kind, const char *model) {
    choice->agents[choice->agent_count++] = (struct agent_choice){.kind = kind, .model = model};
}

const char *choice_command(const struct engine *engine, const char *kind) {
    return str_eq(kind, "acp") ? engine->acp_command : str_eq(kind, "command") ? engine->agent_command : NULL;
}

static void give_commands(const struct engine *engine, struct choice *choice) {
    for (size_t i = 0; i < choice->agent_count; i++)
        choice->agents[i].command = choice_command(engine, choice->agents[i].kind);
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

static int check_defaults(const struct engine *engine, struct err *err) {
    const struct choice *choice = &engine->defaults;
    bool plans_by_model = str_eq(choice->planner, MODEL);
    if (plans_by_model && !choice->has_model)
        return err_field(err, ERR_VALIDATION, "planner", "the planner \"model\" needs a model: set one up");
    for (size_t i = 0; engine->has_listed_agents && i < choice->agent_count; i++) {
        const struct agent_kind *kind = agent_kind_find(choice->agents[i].kind);
        if (plans_by_model && kind->knows_only_catalog)
            return err_field(err, ERR_VALIDATION, "agent", "\"%s\" cannot carry out what a model plans", kind->name);
        if (kind->needs_model && !choice->has_model)
            return err_field(err, ERR_VALIDATION, "agent", "the agent \"%s\" needs a model: set one up", kind->name);
        if (kind->needs_command && !choice->agents[i].command && !tape_is_replay(engine->tape))
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
    engine->allows_private_models = config->allows_private_models;
    out->planner = str_eq(config->planner, MODEL) ? MODEL : BLUEPRINT;
    out->has_model = engine->model.name != NULL;
    out->model = engine->model;
    if (config->agents)
        str_split(engine->arena, config->agents, ", ", &listed, &count);
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = add_listed(out, listed[i], engine->arena, err);
    engine->has_listed_agents = out->agent_count > 0;
    if (rc == 0 && !engine->has_listed_agents)
        add_agent(out, out->planner, NULL); /* both have an agent of their name */
    give_commands(engine, out);
    return rc < 0 ? rc : check_defaults(engine, err);
}

/* ---- projects and runs */

static void take_model(const json_t *model, struct choice *out, const struct engine *engine) {
    struct llm_model taken = {.name = json_str(model, "name", NULL),
                              .base_url = json_str(model, "url", NULL),
                              .only_public = !engine->allows_private_models};
    if (!taken.name || !llm_format_parse(json_str(model, "provider", ""), &taken.format))
        return;
    out->model = taken;
    out->has_model = true;
}

/* Those that this program knows: one that was chosen under another version is passed over. */
static void take_agents(const json_t *agents, struct choice *out) {
    json_t *item;
    size_t i;
    out->agent_count = 0;
    json_array_foreach (agents, i, item) {
        const struct agent_kind *kind = agent_kind_find(json_str(item, "kind", ""));
        if (kind && out->agent_count < CHOICE_AGENTS_MAX)
            add_agent(out, kind->name, json_str(item, "model", NULL));
    }
}

static bool knows_only_catalog(const struct agent_choice *agent) {
    return agent_kind_find(agent->kind)->knows_only_catalog;
}

/* Where nobody chose, whoever can do it does. */
static void fit_defaults(const struct engine *engine, struct choice *out) {
    bool plans_by_model = str_eq(out->planner, MODEL);
    size_t kept = 0;
    for (size_t i = 0; engine->has_listed_agents && i < out->agent_count; i++)
        if (!plans_by_model || !knows_only_catalog(&out->agents[i]))
            out->agents[kept++] = out->agents[i];
    out->agent_count = kept;
    if (kept == 0)
        add_agent(out, out->planner, NULL);
}

int choice_make(struct engine *engine, const struct choice_wishes *wishes, struct arena *arena, struct choice *out,
                struct err *err) {
    const json_t *of_task = json_object_get(json_object_get(wishes->run, "taskAgents"), str_or(wishes->task_slug, "")),
                 *of_run = json_object_get(wishes->run, "agents"),
                 *of_project = json_object_get(wishes->project, "agents");
    const json_t *agents = of_task ? of_task : of_run ? of_run : of_project;
    const char *planner = json_str(wishes->project, "planner", engine->defaults.planner);
    *out = engine->defaults;
    if (wishes->plan)
        planner = json_str(wishes->plan, "source", BLUEPRINT);
    out->planner = str_eq(planner, MODEL) ? MODEL : BLUEPRINT;
    take_model(json_object_get(wishes->project, "model"), out, engine);
    if (agents)
        take_agents(agents, out);
    if (!agents || out->agent_count == 0)
        fit_defaults(engine, out);
    give_commands(engine, out);
    for (size_t i = 0; i < out->agent_count && str_eq(out->planner, MODEL); i++)
        if (knows_only_catalog(&out->agents[i]))
            return err_field(err, ERR_CONFLICT, "agent", "The agent %s cannot carry out what a model plans",
                             out->agents[i].kind);
    return 0;
}

static int parse_settings(const char *text, struct arena *arena, json_t **out, struct err *err) {
    *out = NULL;
    return text ? json_parse(arena, text, strlen(text), out, err) : 0;
}

/* Of a project's own model. */
static int take_key(struct engine *engine, const struct project *project, const json_t *settings, struct arena *arena,
                    struct choice *out, struct err *err) {
    if (!json_flag(json_object_get(settings, "model"), "hasKey", false))
        return 0;
    int rc =
        engine_secret_find(engine, project->account_id, project->id, CHOICE_MODEL_KEY, arena, &out->model.api_key, err);
    return rc < 0 ? err_wrap(err, "the key of the project's model") : 0;
}

int choice_of_project(struct engine *engine, struct db *db, const struct project *project, struct arena *arena,
                      struct choice *out, struct err *err) {
    json_t *settings;
    int rc = parse_settings(project->settings_json, arena, &settings, err);
    if (rc == 0)
        rc = choice_make(engine, &(struct choice_wishes){.project = settings}, arena, out, err);
    return rc < 0 ? rc : take_key(engine, project, settings, arena, out, err);
}

/* Of a run, without its model's key. */
static int make_of_run(struct engine *engine, struct db *db, const struct run *run, const struct task *task,
                       struct arena *arena, struct project **project, json_t **settings, struct choice *out,
                       struct err *err) {
    json_t *of_run = NULL, *plan = NULL;
    int rc = store_project_get(db, arena, run->project_id, NULL, project, err);
    if (rc == 0 && !*project)
        return err_set(err, ERR_INTERNAL, "project %s does not exist", run->project_id);
    if (rc == 0)
        rc = parse_settings((*project)->settings_json, arena, settings, err);
    if (rc == 0)
        rc = parse_settings(run->settings_json, arena, &of_run, err);
    if (rc == 0)
        rc = load_plan(db, arena, run, &plan, err);
    if (rc < 0)
        return rc;
    struct choice_wishes wishes = {
        .project = *settings, .run = of_run, .task_slug = task ? task->slug : NULL, .plan = plan};
    return choice_make(engine, &wishes, arena, out, err);
}

int choice_of_run(struct engine *engine, struct db *db, const struct run *run, const struct task *task,
                  struct arena *arena, struct choice *out, struct err *err) {
    struct project *project = NULL;
    json_t *settings = NULL;
    int rc = make_of_run(engine, db, run, task, arena, &project, &settings, out, err);
    return rc < 0 ? rc : take_key(engine, project, settings, arena, out, err);
}

int choice_look_at_run(struct engine *engine, struct db *db, const struct run *run, struct arena *arena,
                       struct choice *out, struct err *err) {
    struct project *project = NULL;
    json_t *settings = NULL;
    return make_of_run(engine, db, run, NULL, arena, &project, &settings, out, err);
}

int choice_learns(struct engine *engine, struct db *db, const struct run *run, const struct task *task,
                  struct arena *arena, bool *out, struct err *err) {
    struct project *project = NULL;
    json_t *settings = NULL;
    struct choice choice = {0};
    int rc = make_of_run(engine, db, run, task, arena, &project, &settings, &choice, err);
    /* Who does not fit the plan does not do it, let alone better. */
    if (rc < 0 && rc != -ERR_CONFLICT)
        return rc;
    const struct agent *agent = choice_agent(engine, &choice.agents[0]);
    *out = rc == 0 && agent->ops && agent->ops->learns;
    return 0;
}
