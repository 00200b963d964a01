/* settings: who plans a project and who carries it out, as its account says. */
#include "engine/settings.h"

#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "engine/choice.h"
#include "engine/journal.h"
#include "engine/load.h"
#include "engine/secrets.h"
#include "net/address.h"

static int parse(const char *text, struct arena *arena, json_t **out, struct err *err) {
    if (text)
        return json_parse(arena, text, strlen(text), out, err);
    *out = json_own(arena, json_object());
    return 0;
}

/* ---- checking */

/* A list that somebody asks for: each of it could do the work, as things stand. */
static int check_agents(struct engine *engine, const json_t *agents, const struct choice *choice, const char *field,
                        struct arena *arena, struct err *err) {
    json_t *item;
    size_t i;
    if (json_array_size(agents) == 0 || json_array_size(agents) > CHOICE_AGENTS_MAX)
        return err_field(err, ERR_VALIDATION, field, "%s must have from 1 to %d items", field, CHOICE_AGENTS_MAX);
    json_array_foreach (agents, i, item) {
        const char *name = json_str(item, "kind", "");
        const char *at = arena_printf(arena, "%s[%zu].kind", field, i);
        const struct agent_kind *kind = agent_kind_find(name);
        struct agent_choice agent = {.kind = kind ? kind->name : NULL};
        if (!kind || !choice_agent(engine, &agent)->ops)
            return err_field(err, ERR_VALIDATION, at, "%s must be an agent of this server; there is no \"%.40s\"", at,
                             name);
        agent.command = choice_command(engine, kind->name);
        const char *fault = choice_fault(engine, choice, &agent, arena);
        if (fault)
            return err_field(err, ERR_VALIDATION, at, "%s: %s cannot work on this server: %s", at, name, fault);
        if (kind->knows_only_catalog && str_eq(choice->planner, "model"))
            return err_field(err, ERR_VALIDATION, at, "%s: %s cannot carry out what a model plans", at, name);
    }
    return 0;
}

static int check_all(struct engine *engine, const json_t *settings, const struct settings_change *change,
                     struct arena *arena, struct err *err) {
    const json_t *agents = json_object_get(settings, "agents");
    struct err conflict = {0};
    struct choice choice;
    int rc = choice_make(engine, &(struct choice_wishes){.project = settings}, arena, &choice, &conflict);
    if (str_eq(choice.planner, "model") && !choice.has_model && change->sets_planner)
        return err_field(err, ERR_VALIDATION, "planner", "planner \"model\" needs a model: set one up with `model`");
    if (agents && change->sets_agents)
        return check_agents(engine, agents, &choice, "agent", arena, err);
    /* It is the planner that no longer fits, or the model that went away. */
    if (rc < 0)
        return err_field(err, ERR_VALIDATION, change->sets_planner ? "planner" : conflict.field, "%s",
                         conflict.message);
    if (str_eq(choice.planner, "model") && !choice.has_model)
        return err_field(err, ERR_VALIDATION, "model", "model is needed: a model plans this project");
    return 0;
}

/* ---- setting */

static json_t *plain_agents(const json_t *agents) {
    json_t *list = json_array(), *item;
    size_t i;
    json_array_foreach (agents, i, item) {
        json_t *plain = json_pack("{s:s}", "kind", json_str(item, "kind", ""));
        if (json_str(item, "model", NULL))
            json_object_set_new(plain, "model", json_string(json_str(item, "model", NULL)));
        json_array_append_new(list, plain);
    }
    return list;
}

static void put(json_t *object, const char *key, json_t *value) {
    if (value)
        json_object_set_new(object, key, value);
    else
        json_object_del(object, key);
}

/* Where it would be asked: the provider's own address may be of this machine, too (Ollama's). */
static int check_address(struct journal *journal, const json_t *model, struct err *err) {
    struct llm_model asked = {.name = json_str(model, "name", ""), .base_url = json_str(model, "url", NULL)};
    struct err fault = {0};
    if (!llm_format_parse(json_str(model, "provider", ""), &asked.format))
        return err_field(err, ERR_VALIDATION, "model.provider", "model.provider is not known");
    const char *url = asked.base_url ? asked.base_url : llm_address(&asked, journal->arena);
    if (net_url_check(url, !journal->engine->allows_private_models, &fault) < 0)
        return err_field(err, ERR_VALIDATION, "model.url", "model.url %s", fault.message);
    return 0;
}

static int put_model(struct journal *journal, const struct project *project, json_t *settings, const json_t *model,
                     struct err *err) {
    const json_t *before = json_object_get(settings, "model"), *given = json_object_get(model, "key");
    const char *provider = json_str(model, "provider", ""), *url = json_str(model, "url", NULL);
    /* A key goes nowhere but where it was meant for. */
    bool keeps_key = !given && json_flag(before, "hasKey", false) &&
                     str_eq(json_str(before, "provider", ""), provider) && str_eq(json_str(before, "url", NULL), url);
    int rc = model ? check_address(journal, model, err) : 0;
    if (rc == 0 && !keeps_key)
        rc = secret_set(journal, project->account_id, project->id, CHOICE_MODEL_KEY, json_string_value(given), err);
    if (rc < 0)
        return rc;
    json_t *plain = model ? json_pack("{s:s, s:s, s:b}", "provider", provider, "name", json_str(model, "name", ""),
                                      "hasKey", keeps_key || json_is_string(given))
                          : NULL;
    if (plain && url)
        json_object_set_new(plain, "url", json_string(url));
    put(settings, "model", plain);
    return 0;
}

int settings_apply(struct journal *journal, struct project *project, const struct settings_change *change,
                   struct err *err) {
    json_t *settings = NULL;
    int rc = parse(project->settings_json, journal->arena, &settings, err);
    if (rc < 0)
        return rc;
    if (change->sets_planner)
        put(settings, "planner", change->planner ? json_string(change->planner) : NULL);
    if (change->sets_agents)
        put(settings, "agents", change->agents ? plain_agents(change->agents) : NULL);
    if (change->sets_model)
        rc = put_model(journal, project, settings, change->model, err);
    if (rc == 0)
        rc = check_all(journal->engine, settings, change, journal->arena, err);
    if (rc == 0)
        project->settings_json = json_object_size(settings) ? json_text(journal->arena, settings) : NULL;
    return rc;
}

int settings_forget_key(struct journal *journal, struct project *project, struct err *err) {
    json_t *settings = NULL;
    int rc = parse(project->settings_json, journal->arena, &settings, err);
    json_t *model = rc == 0 ? json_object_get(settings, "model") : NULL;
    if (!json_flag(model, "hasKey", false))
        return rc;
    json_object_set_new(model, "hasKey", json_false());
    project->settings_json = json_text(journal->arena, settings);
    return secret_set(journal, project->account_id, project->id, CHOICE_MODEL_KEY, NULL, err);
}

/* ---- runs */

static int check_run(struct journal *journal, const struct run *run, const struct run_agents *agents, struct err *err) {
    struct choice choice;
    const char *slug;
    json_t *list;
    int rc = choice_look_at_run(journal->engine, journal->db, run, journal->arena, &choice, err);
    if (rc == -ERR_CONFLICT && agents->agents)
        rc = 0; /* those that do not fit are not asked */
    if (rc == 0 && agents->agents)
        rc = check_agents(journal->engine, agents->agents, &choice, "agent", journal->arena, err);
    json_object_foreach ((json_t *)agents->task_agents, slug, list) {
        const char *field = arena_printf(journal->arena, "taskAgents.%.60s", slug);
        if (rc == 0)
            rc = check_agents(journal->engine, list, &choice, field, journal->arena, err);
    }
    return rc;
}

int settings_apply_run(struct journal *journal, struct run *run, const struct run_agents *agents, struct err *err) {
    json_t *settings = NULL, *list;
    const char *slug;
    int rc = parse(run->settings_json, journal->arena, &settings, err);
    if (rc < 0)
        return rc;
    rc = check_run(journal, run, agents, err);
    if (rc < 0)
        return rc;
    if (agents->agents)
        put(settings, "agents", plain_agents(agents->agents));
    if (json_object_size(agents->task_agents) && !json_object_get(settings, "taskAgents"))
        json_object_set_new(settings, "taskAgents", json_object());
    json_object_foreach ((json_t *)agents->task_agents, slug, list)
        put(json_object_get(settings, "taskAgents"), slug, plain_agents(list));
    run->settings_json = json_object_size(settings) ? json_text(journal->arena, settings) : NULL;
    return 0;
}

/* ---- for people */

static json_t *agents_json(const struct choice *choice) {
    json_t *list = json_array();
    for (size_t i = 0; i < choice->agent_count; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:s?}", "kind", choice->agents[i].kind, "model", choice->agents[i].model));
    return list;
}

json_t *engine_project_settings(struct engine *engine, const struct project *project, struct arena *arena) {
    json_t *settings = NULL;
    struct err err = {0};
    struct choice choice;
    if (parse(project->settings_json, arena, &settings, &err) < 0)
        return NULL;
    /* What does not go together is shown, too. */
    (void)!choice_make(engine, &(struct choice_wishes){.project = settings}, arena, &choice, &err);
    const json_t *own = json_object_get(settings, "model");
    json_t *model = choice.has_model
                        ? json_pack("{s:s, s:s, s:s?, s:b, s:b}", "provider", llm_format_name(choice.model.format),
                                    "name", choice.model.name, "url", json_str(own, "url", NULL), "hasKey",
                                    json_flag(own, "hasKey", false), "isOwn", own != NULL)
                        : json_null();
    return json_own(
        arena, json_pack("{s:s, s:o, s:o}", "planner", choice.planner, "agent", agents_json(&choice), "model", model));
}

json_t *engine_run_settings(struct engine *engine, struct db *db, const struct run *run, struct arena *arena) {
    json_t *settings = NULL;
    struct err err = {0};
    struct choice choice = {0};
    if (parse(run->settings_json, arena, &settings, &err) < 0)
        return NULL;
    (void)!choice_look_at_run(engine, db, run, arena, &choice, &err);
    json_t *tasks = json_object_get(settings, "taskAgents");
    return json_own(arena, json_pack("{s:o, s:o}", "agent", agents_json(&choice), "taskAgents",
                                     tasks ? json_incref(tasks) : json_object()));
}

void engine_agents(struct engine *engine, struct arena *arena, struct agent_row **out, size_t *count) {
    size_t all, n = 0;
    const struct agent_kind *kinds = agent_kinds(&all);
    struct agent_row *rows = arena_array(arena, all, sizeof *rows);
    for (size_t i = 0; i < all; i++) {
        struct agent_choice agent = {.kind = kinds[i].name, .command = choice_command(engine, kinds[i].name)};
        if (!choice_agent(engine, &agent)->ops)
            continue;
        rows[n++] = (struct agent_row){.name = kinds[i].name,
                                       .title = kinds[i].title,
                                       .reason = choice_fault(engine, &engine->defaults, &agent, arena),
                                       .is_default = str_eq(engine->defaults.agents[0].kind, kinds[i].name)};
    }
    *out = rows;
    *count = n;
}
