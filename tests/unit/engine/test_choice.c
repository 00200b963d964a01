/* choice: the more special counts; what does not go together is refused, or passed over where nobody asked for it. */
#include "fixture.h"

#include "engine/choice.h"
#include "engine/secrets.h"
#include "engine/settings.h"

static json_t *parsed(struct fixture *f, const char *text) {
    json_t *json = NULL;
    must(f, json_parse(f->arena, text, strlen(text), &json, &f->err));
    return json;
}

/* "codex:m blueprint" */
static const char *agents_of(struct fixture *f, const struct choice *choice) {
    const char *text = "";
    for (size_t i = 0; i < choice->agent_count; i++)
        text = arena_printf(f->arena, "%s%s%s%s%s", text, i ? " " : "", choice->agents[i].kind,
                            choice->agents[i].model ? ":" : "", str_or(choice->agents[i].model, ""));
    return text;
}

static void reopen_with(struct fixture *f, const char *planner, const char *agents, const struct llm_model *model) {
    fixture_close(f);
    f->config.planner = planner;
    f->config.agents = agents;
    f->config.model = model;
    fixture_open(f);
}

static const struct llm_model servers_model = {
    .format = LLM_ANTHROPIC, .name = "claude-sonnet-4-5", .api_key = "the server's"};

static void without_a_word_the_catalog_does_it(void **state) {
    struct fixture *f = *state;
    struct choice choice;
    must(f, choice_make(f->engine, &(struct choice_wishes){0}, f->arena, &choice, &f->err));
    assert_string_equal(choice.planner, "blueprint");
    assert_string_equal(agents_of(f, &choice), "blueprint");
    assert_false(choice.has_model);
}

static void the_more_special_counts(void **state) {
    struct fixture *f = *state;
    struct choice choice;
    struct choice_wishes wishes = {0};
    reopen_with(f, NULL, "codex:gpt-5,qwen:qwen3:8b", &servers_model);
    must(f, choice_make(f->engine, &wishes, f->arena, &choice, &f->err));
    assert_string_equal(agents_of(f, &choice), "codex:gpt-5 qwen:qwen3:8b");
    wishes.project =
        parsed(f, "{\"agents\": [{\"kind\": \"model\"}], \"model\": {\"provider\": \"ollama\", \"name\": \"q\", "
                  "\"url\": \"http://10.0.0.1:11434\"}}");
    must(f, choice_make(f->engine, &wishes, f->arena, &choice, &f->err));
    assert_string_equal(agents_of(f, &choice), "model");
    assert_string_equal(choice.model.name, "q");
    assert_int_equal(choice.model.format, LLM_OLLAMA);
    /* The server's key is not for where an account points. */
    assert_null(choice.model.api_key);
    assert_true(choice.model.only_public);
    wishes.run = parsed(f, "{\"agents\": [{\"kind\": \"blueprint\"}], \"taskAgents\": {\"ui\": [{\"kind\": \"claude\", "
                           "\"model\": \"opus\"}]}}");
    must(f, choice_make(f->engine, &wishes, f->arena, &choice, &f->err));
    assert_string_equal(agents_of(f, &choice), "blueprint");
    wishes.task_slug = "data";
    must(f, choice_make(f->engine, &wishes, f->arena, &choice, &f->err));
    assert_string_equal(agents_of(f, &choice), "blueprint");
    wishes.task_slug = "ui";
    must(f, choice_make(f->engine, &wishes, f->arena, &choice, &f->err));
    assert_string_equal(agents_of(f, &choice), "claude:opus");
}

static void whoever_can_follow_the_plan_does(void **state) {
    struct fixture *f = *state;
    struct choice choice;
    struct choice_wishes wishes = {.plan = parsed(f, "{\"source\": \"model\"}")};
    reopen_with(f, "model", NULL, &servers_model);
    must(f, choice_make(f->engine, &(struct choice_wishes){0}, f->arena, &choice, &f->err));
    assert_string_equal(choice.planner, "model");
    assert_string_equal(agents_of(f, &choice), "model");
    /* It is the plan that says who made it, whatever is set by now. */
    must(f, choice_make(f->engine, &(struct choice_wishes){.plan = parsed(f, "{}")}, f->arena, &choice, &f->err));
    assert_string_equal(choice.planner, "blueprint");
    assert_string_equal(agents_of(f, &choice), "blueprint");
    /* What the operator lists is passed over where it cannot follow. */
    reopen_with(f, NULL, "blueprint,codex", &servers_model);
    must(f, choice_make(f->engine, &wishes, f->arena, &choice, &f->err));
    assert_string_equal(agents_of(f, &choice), "codex");
    /* What somebody asked for is refused. */
    wishes.project = parsed(f, "{\"agents\": [{\"kind\": \"codex\"}, {\"kind\": \"blueprint\"}]}");
    assert_int_equal(choice_make(f->engine, &wishes, f->arena, &choice, &f->err), -ERR_CONFLICT);
    assert_string_equal(f->err.field, "agent");
    wishes.run = parsed(f, "{\"agents\": [{\"kind\": \"model\"}]}");
    must(f, choice_make(f->engine, &wishes, f->arena, &choice, &f->err));
}

static const struct agent_ops learner = {.name = "model", .learns = true};

static bool learns(struct fixture *f, const struct run *run, const char *slug) {
    bool out = false;
    must(f, choice_learns(f->engine, reader(f), run, slug ? task_now(f, slug) : NULL, f->arena, &out, &f->err));
    return out;
}

static void who_learns_is_asked_of_each_task(void **state) {
    struct fixture *f = *state;
    struct choice choice = {.agents = {{.kind = "model"}}};
    *(struct agent *)choice_agent(f->engine, &choice.agents[0]) = (struct agent){.ops = &learner};
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    add_task(f, "task-002", "two", "", "b/**", "b/x");
    begin_run(f);
    struct run *run = run_now(f);
    assert_false(learns(f, run, "one"));
    run->settings_json = "{\"taskAgents\": {\"two\": [{\"kind\": \"model\"}]}}";
    assert_false(learns(f, run, "one"));
    assert_true(learns(f, run, "two"));
    run->settings_json =
        "{\"agents\": [{\"kind\": \"model\"}], \"taskAgents\": {\"two\": [{\"kind\": \"blueprint\"}]}}";
    assert_true(learns(f, run, "one"));
    assert_false(learns(f, run, "two"));
}

static void refuse_open(struct fixture *f, const struct engine_config *config, const char *field, const char *message) {
    struct engine *engine = NULL;
    struct engine_config other = *config;
    struct err err = {0};
    other.data_dir = arena_printf(f->arena, "%s-other", f->dir);
    assert_true(engine_open(&engine, &other, &err) < 0);
    assert_string_equal(err.field, field);
    assert_string_equal(err.message, message);
    must(f, fs_remove_tree(other.data_dir, &f->err));
}

static void an_operator_is_told_at_the_start(void **state) {
    struct fixture *f = *state;
    refuse_open(f, &(struct engine_config){.agents = "nobody"}, "agent", "there is no agent \"nobody\"");
    refuse_open(f, &(struct engine_config){.agents = "codex:"}, "agent", "\"codex:\" names no model after the colon");
    refuse_open(f, &(struct engine_config){.agents = "codex,codex,codex,codex,codex"}, "agent",
                "at most 4 agents can be listed");
    refuse_open(f, &(struct engine_config){.agents = "model"}, "agent",
                "the agent \"model\" needs a model: set one up");
    refuse_open(f, &(struct engine_config){.agents = "command"}, "agent",
                "the agent \"command\" needs a command: give one");
    refuse_open(f, &(struct engine_config){.planner = "model"}, "planner",
                "the planner \"model\" needs a model: set one up");
    refuse_open(f, &(struct engine_config){.planner = "model", .agents = "blueprint", .model = &servers_model}, "agent",
                "\"blueprint\" cannot carry out what a model plans");
}

static void a_projects_key_is_its_own(void **state) {
    struct fixture *f = *state;
    struct project *project = NULL;
    struct choice choice;
    const char *text = NULL;
    json_t *model = parsed(f, "{\"provider\": \"chat\", \"name\": \"m\", \"url\": \"https://models.example.org\", "
                              "\"key\": \"sk-own\"}");
    struct settings_change change = {.sets_model = true, .model = model};
    must(f, engine_project_create(f->engine, f->account_id, "A", "An app.", &change, f->arena, &project, &f->err));
    assert_null(strstr(project->settings_json, "sk-own"));
    must(f, choice_of_project(f->engine, reader(f), project, f->arena, &choice, &f->err));
    assert_string_equal(choice.model.api_key, "sk-own");
    assert_string_equal(choice.model.base_url, "https://models.example.org");

    /* Another address has not got it, and nor has the project any more. */
    model = parsed(f, "{\"provider\": \"chat\", \"name\": \"m\", \"url\": \"https://elsewhere.example.org\"}");
    change.model = model;
    must(f, engine_project_update(f->engine, f->account_id, project->id, NULL, NULL, &change, f->arena, &project,
                                  &f->err));
    must(f, choice_of_project(f->engine, reader(f), project, f->arena, &choice, &f->err));
    assert_null(choice.model.api_key);
    must(f, engine_secret_find(f->engine, f->account_id, project->id, CHOICE_MODEL_KEY, f->arena, &text, &f->err));
    assert_null(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        engine_test(without_a_word_the_catalog_does_it), engine_test(the_more_special_counts),
        engine_test(whoever_can_follow_the_plan_does),   engine_test(an_operator_is_told_at_the_start),
        engine_test(a_projects_key_is_its_own),          engine_test(who_learns_is_asked_of_each_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
