/* agents: carrying out a task by the agents of its choice. */
#include "engine/agents.h"

#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/agent_tape.h"
#include "engine/load.h"
#include "engine/metering.h"
#include "engine/steps.h"
#include "engine/tools.h"
#include "store/projects.h"
#include "store/runs.h"

#define ROOM_WAIT_MS (10 * 60 * 1000) /* for calls of the same budget that are under way */

/* What is the same for all agents of a call. */
struct material {
    json_t *plan, *documents;
    const char *account_id;
    const char *home;
};

const char *agents_name(struct engine *engine, const struct agent_choice *agent) {
    const struct agent *itself = choice_agent(engine, agent);
    return itself && itself->ops ? itself->ops->name : agent->kind;
}

static int load_material(const struct agents_call *call, struct material *out, struct err *err) {
    struct engine *engine = call->context->engine;
    struct arena *arena = call->context->arena;
    struct project *project = NULL;
    struct spec *spec = NULL;
    struct db *db = NULL;
    int rc = store_reader(engine->store, &db, err);
    if (rc == 0)
        rc = load_plan(db, arena, call->run, &out->plan, err);
    if (rc == 0)
        rc = store_spec_get(db, arena, call->run->project_id, call->run->spec_version, &spec, err);
    if (rc == 0)
        rc = json_parse(arena, spec->documents_json, strlen(spec->documents_json), &out->documents, err);
    if (rc == 0)
        rc = store_project_get(db, arena, call->run->project_id, NULL, &project, err);
    if (rc == 0 && !project)
        return err_set(err, ERR_INTERNAL, "project %s does not exist", call->run->project_id);
    out->account_id = rc == 0 ? project->account_id : NULL;
    out->home = arena_printf(arena, "%s/workspaces/%s/home/%s", engine->data_dir, call->run->project_id,
                             task_worktree_name(call->task, arena));
    return rc;
}

/* ---- one agent */

/* The meter of its calls, and what a refusal leaves behind, live as long as the job. */
static const struct llm_meter *meter_of(const struct agents_call *call, const struct material *material,
                                        const struct agent_kind *kind, const struct llm_model *model) {
    struct arena *arena = call->context->arena;
    struct budget_scope *scope = arena_alloc(arena, sizeof *scope);
    struct metering *metering = arena_alloc(arena, sizeof *metering);
    *scope = (struct budget_scope){.account_id = material->account_id,
                                   .project_id = call->run->project_id,
                                   .run_id = call->run->id,
                                   .task_id = call->task->id,
                                   .purpose = kind->needs_model ? "task" : "agent",
                                   .job = call->context->job,
                                   .wait_ms = ROOM_WAIT_MS,
                                   .is_cancelled = job_should_stop,
                                   .cancel_arg = call->context};
    metering_init(metering, call->context->engine, scope, model);
    call->context->refused = &metering->reservation;
    return &metering->meter;
}

static void give_model(struct agents_call *call, const struct material *material, const struct agent_choice *choice,
                       struct agent_request *request) {
    struct arena *arena = call->context->arena;
    request->model_name = choice->model;
    call->notes.secret = NULL;
    if (!call->choice.has_model)
        return;
    struct llm_model *model = arena_alloc(arena, sizeof *model);
    *model = call->choice.model;
    model->name = str_or(choice->model, model->name);
    request->model = model;
    request->meter = meter_of(call, material, agent_kind_find(choice->kind), model);
    call->notes.secret = model->api_key && *model->api_key ? model->api_key : NULL;
}

static void give_tools(const struct agents_call *call, struct agent_request *request) {
    struct engine *engine = call->context->engine;
    const struct tools *tools = tools_of(engine);
    request->fence = engine->fence;
    request->tool_env = tools->env;
    request->tool_folders = tools->folders;
    request->tool_folder_count = tools->folder_count;
    request->tool_hosts = tools->hosts;
}

static int make_home(const char *home, struct err *err) {
    int rc = fs_remove_tree(home, err);
    return rc < 0 ? rc : fs_mkdirs(home, 0700, err);
}

static int run_one(struct agents_call *call, const struct material *material, const struct agent_choice *choice,
                   struct err *err) {
    struct job_context *context = call->context;
    struct arena *arena = context->arena;
    struct agent_result result = {0};
    struct err home_err = {0};
    struct agent_request request = {
        .definition = call->definition,
        .plan = material->plan,
        .documents = material->documents,
        .worktree = call->worktree,
        .home = material->home,
        .git_dir = engine_repo_path(context->engine, call->run->project_id, arena),
        .attempt = call->task->attempts,
        .feedback = call->feedback,
        .scope = arena_printf(arena, "task/%s/%lld", call->task->slug, (long long)call->task->attempts),
        .tape = context->engine->tape,
        .command = choice->command,
        .arena = arena,
        .is_cancelled = job_should_stop,
        .cancel_arg = context,
        .on_output = agent_notes_output,
        .output_arg = &call->notes,
        .on_note = agent_notes_tell,
        .note_arg = &call->notes};
    const struct agent *agent = choice_agent(context->engine, choice);
    int rc = make_home(material->home, err);
    if (rc < 0)
        return rc;
    call->agent = agent;
    give_tools(call, &request);
    give_model(call, material, choice, &request);
    if (context->engine->tape && agent_tape_is_for(agent_kind_find(choice->kind)))
        rc = agent_tape_run(context->engine, agent, &request, &result, err);
    else
        rc = agent->ops->run(agent->self, &request, &result, err);
    call->summary = str_mend(arena, result.summary); /* an agent may say anything */
    context->resets_ms = result.resets_ms;
    if (fs_remove_tree(material->home, &home_err) < 0)
        log_event(LOG_WARN, "cannot remove an agent's home", "task", call->task->id, "error", home_err.message, NULL);
    return rc;
}

/* ---- one after the other */

/* It says that it cannot work at all. A quota whose end is known is waited for. */
static bool may_pass_on(const struct agents_call *call, const struct err *err) {
    return err->code == ERR_UNAVAILABLE || (err->code == ERR_QUOTA && call->context->resets_ms == 0);
}

struct takeover {
    struct agents_call *call;
    const char *name, *text;
};

static int take_over_in_tx(struct journal *journal, void *arg, struct err *err) {
    const struct takeover *takeover = arg;
    const struct agents_call *call = takeover->call;
    struct run *run = NULL;
    struct task *task = NULL;
    json_t *payload = json_own(journal->arena, json_pack("{s:s, s:s}", "role", "system", "text", takeover->text));
    int rc = step_begin(journal, call->context->job, &run, err);
    if (rc == 0)
        rc = load_task(journal->db, journal->arena, call->task->id, &task, err);
    if (rc == 0)
        rc = store_attempt_set_agent(journal->db, task->id, task->attempts, takeover->name, err);
    return rc < 0 ? rc : journal_event(journal, run, task, EVENT_MESSAGE, json_text(journal->arena, payload), err);
}

static int take_over(struct agents_call *call, size_t index, const char *why, struct err *err) {
    struct engine *engine = call->context->engine;
    const char *before = agents_name(engine, &call->choice.agents[index - 1]);
    struct takeover takeover = {.call = call, .name = agents_name(engine, &call->choice.agents[index])};
    takeover.text =
        str_mend(call->context->arena,
                 arena_printf(call->context->arena, "%s cannot work: %s; %s takes over", before, why, takeover.name));
    int rc = journal_write(engine, take_over_in_tx, &takeover, err);
    return rc < 0 || !call->agent ? rc : call->begin_anew(call->arg, err);
}

int agents_run(struct agents_call *call, struct err *err) {
    struct engine *engine = call->context->engine;
    struct material material = {0};
    const char *fault = NULL;
    agent_notes_init(&call->notes, call->context, call->task);
    int rc = load_material(call, &material, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < call->choice.agent_count; i++) {
        const struct agent_choice *agent = &call->choice.agents[i];
        rc = i > 0 ? take_over(call, i, fault ? fault : arena_strdup(call->context->arena, err->message), err) : 0;
        if (rc < 0)
            return rc;
        call->context->resets_ms = 0;
        call->context->refused = NULL;
        fault = choice_fault(engine, &call->choice, agent, call->context->arena);
        rc = fault ? err_set(err, ERR_UNAVAILABLE, "%s cannot work: %s", agents_name(engine, agent), fault)
                   : run_one(call, &material, agent, err);
        if (rc == 0 || !may_pass_on(call, err))
            break;
    }
    if (rc == 0 && job_should_stop(call->context))
        return err_set(err, ERR_CANCELLED, "stopped");
    return rc;
}
