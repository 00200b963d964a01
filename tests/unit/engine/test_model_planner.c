/* Unit test of planning by model, against the scripted model server: questions, spec, tasks, and answers that are not
 * as they should be. */
#include "../llm/models.h"

#include "planner/model.h"

struct planning {
    struct assets *assets;
    struct stack *stack;
};
static struct planning planning;

static int open_all(void **state) {
    struct err err = {0};
    if (assets_open(&planning.assets, TEST_SOURCE_ROOT "/blueprints", &err) < 0 ||
        stack_open(&planning.stack, planning.assets, "next", &err) < 0)
        fail_msg("%s", err.message);
    return models_start(state);
}

static int close_all(void **state) {
    stack_close(planning.stack);
    assets_close(planning.assets);
    return models_stop(state);
}

static const char questions[] =
    "{'questions': [{'question': 'Who may write?', 'type': 'single_choice', 'options': ['All', 'Some'],"
    " 'default': ['All']}, {'question': 'Which days?', 'type': 'multiple_choice', 'options': ['Mon', 'Tue'],"
    " 'default': ['Mon', 'Tue']}, {'question': 'Is it public?', 'type': 'boolean', 'options': [], 'default': "
    "['true']}]}";

static const char spec_text[] =
    "{'tagline': 'Notes for all', 'spec': 'Notes are short texts. Whoever reaches the app may write one, read all of "
    "them"
    " and take them away again.', 'data': '# Data\\n\\nA note has a title of at most 100 characters, which is required,"
    " and the time at which it was made.', 'routes': [{'method': 'GET', 'path': '/', 'kind': 'page', 'auth': false,"
    " 'summary': 'All notes'}, {'method': 'POST', 'path': '/api/notes', 'kind': 'api', 'auth': false, 'summary':"
    " 'Makes one'}], 'setup': [], 'criteria': [{'id': 'AC-1', 'title': 'A note is kept', 'statement': 'When a note is"
    " made, then it is listed.', 'check': {'kind': 'http', 'paths': [], 'contains': [], 'steps': [{'note': 'Made',"
    " 'as': '', 'method': 'POST', 'path': '/api/notes', 'headers': [], 'contentType': '', 'body': '{\\\"title\\\": "
    "\\\"A\\\"}',"
    " 'status': 201, 'expectJson': [{'path': 'title', 'value': 'A'}], 'expectHeaders': [], 'expectAtLeast': [],"
    " 'contains': [], 'absent': [], 'save': [{'name': 'note', 'path': 'id'}], 'route': 'POST /api/notes'}, {'note':"
    " 'Listed', 'as': '', 'method': 'GET', 'path': '/', 'headers': [], 'contentType': '', 'body': '', 'status': 200,"
    " 'expectJson': [], 'expectHeaders': [], 'expectAtLeast': [], 'contains': ['A'], 'absent': [], 'save': [],"
    " 'route': 'GET /'}]}}], 'openPoints': ['Notes cannot be changed.']}";

static const char tasks_text[] =
    "{'tasks': [{'slug': 'all', 'description': 'The app', 'instructions': 'Make the whole app: its set-up, a page and"
    " the API of notes.', 'dependencies': [], 'pathScope': ['**'], 'expectedOutputs': ['package.json'], 'criteria':"
    " ['AC-1']}], 'mergeOrder': ['all']}";

/* An answer of a script: the JSON, with ' for ", as a text. */
static const char *step(struct fixture *f, const char *answer) {
    char *text = arena_strdup(f->arena, answer);
    for (char *c = text; *c; c++)
        *c = (char)(*c == '\'' ? '"' : *c);
    return json_text(f->arena, json_own(f->arena, json_pack("{s:s}", "text", text)));
}

struct run {
    struct llm_model model;
    struct planner_model by;
    struct planner_input input;
    struct planner_failure failure;
    const char *name;
};

static void begin(struct fixture *f, struct run *run, enum llm_format format, const char *steps) {
    *run = (struct run){0};
    run->model = script(f, format, steps, &run->name);
    run->by = (struct planner_model){.assets = planning.assets, .stack = planning.stack, .model = &run->model};
    run->input = (struct planner_input){.name = "Notes", .description = "An app for notes."};
    f->err = (struct err){0};
}

static int ask_questions(struct fixture *f, struct run *run, json_t **out) {
    return model_questions(&run->by, &run->input, f->arena, out, &run->failure, &f->err);
}

static void questions_are_those_of_the_contract(void **state) {
    struct fixture *f = *state;
    for (enum llm_format format = 0; format < LLM_FORMAT_COUNT; format++) {
        struct run run;
        json_t *asked = NULL;
        begin(f, &run, format, arena_printf(f->arena, "[%s]", step(f, questions)));
        if (ask_questions(f, &run, &asked) < 0)
            fail_msg("%s: %s", llm_format_name(format), f->err.message);
        assert_string_equal(
            json_text(f->arena, asked),
            "[{\"id\":\"q1\",\"question\":\"Who may write?\",\"type\":\"single_choice\",\"options\":[\"All\",\"Some\"],"
            "\"default\":\"All\"},{\"id\":\"q2\",\"question\":\"Which days?\",\"type\":\"multiple_choice\",\"options\":"
            "[\"Mon\",\"Tue\"],\"default\":[\"Mon\",\"Tue\"]},{\"id\":\"q3\",\"question\":\"Is it public?\",\"type\":"
            "\"boolean\",\"default\":true}]");
        assert_int_equal(planner_check_answers(asked, json_of(f, "[{'questionId': 'q3', 'answer': false}]"), &f->err),
                         0);
    }
}

static void faults_are_told_and_mended(void **state) {
    struct fixture *f = *state;
    struct run run;
    json_t *asked = NULL;
    begin(f, &run, LLM_CHAT,
          arena_printf(f->arena, "[%s,%s,%s]", step(f, "Let me think about that."), step(f, "{'questions': []}"),
                       step(f, questions)));
    assert_int_equal(ask_questions(f, &run, &asked), 0);
    json_t *sent = requests_of(f, run.name);
    assert_int_equal(json_array_size(sent), 3);
    const char *last = json_text(f->arena, json_at(sent, "2.body"));
    assert_non_null(strstr(last, "the answer is no JSON object"));
    assert_non_null(strstr(last, "\\\"questions\\\" has 0 items, where 3 to 7 are due"));
}

static void an_answer_that_is_wrong_four_times_is_the_end(void **state) {
    struct fixture *f = *state;
    const char *wrong = step(f, "{'questions': 'none'}");
    struct run run;
    json_t *asked = NULL;
    begin(f, &run, LLM_ANTHROPIC, arena_printf(f->arena, "[%s,%s,%s,%s,%s]", wrong, wrong, wrong, wrong, wrong));
    assert_int_equal(ask_questions(f, &run, &asked), -ERR_UNAVAILABLE);
    assert_null(asked);
    assert_true(run.failure.is_faulty);
    assert_non_null(strstr(f->err.message, "4 times; the last time: \"questions\" must be an array"));
    assert_int_equal(json_array_size(requests_of(f, run.name)), 4);
}

static void what_is_cut_or_refused(void **state) {
    struct fixture *f = *state;
    struct run run;
    json_t *asked = NULL;
    begin(f, &run, LLM_CHAT, arena_printf(f->arena, "[{'text':'{','stop':'length'},%s]", step(f, questions)));
    assert_int_equal(ask_questions(f, &run, &asked), 0);
    assert_non_null(
        strstr(json_text(f->arena, json_at(requests_of(f, run.name), "1.body")), "cut because it is too long"));
    begin(f, &run, LLM_CHAT, "[{'text':'I will not.','stop':'refusal'}]");
    assert_int_equal(ask_questions(f, &run, &asked), -ERR_UNAVAILABLE);
    assert_non_null(strstr(f->err.message, "The model refuses to plan this"));
    begin(f, &run, LLM_CHAT, "[{'fault':{'kind':'status','status':429,'error':{'type':'insufficient_quota'}}}]");
    assert_int_equal(ask_questions(f, &run, &asked), -ERR_QUOTA);
}

static void make_spec(struct fixture *f, struct run *run, const struct planner_base *base, struct planner_spec *out) {
    if (model_spec(&run->by, &run->input, base, f->arena, out, &run->failure, &f->err) < 0)
        fail_msg("%s", f->err.message);
}

static void the_documents_agree_with_the_plan(void **state) {
    struct fixture *f = *state;
    struct planner_spec spec;
    struct run run;
    begin(f, &run, LLM_ANTHROPIC, arena_printf(f->arena, "[%s]", step(f, spec_text)));
    run.input.questions = json_of(f, "[{'id':'q1','question':'Who may write?','type':'boolean','default':true}]");
    run.input.answers = json_of(f, "[{'questionId':'q1','answer':false}]");
    make_spec(f, &run, NULL, &spec);
    assert_true(plan_is_by_model(spec.plan));
    assert_string_equal(json_str(json_at(spec.plan, "answers.0"), "answer", ""), "No");
    assert_string_equal(json_str(json_at(spec.plan, "criteria.0.check.steps.0.request.json"), "title", ""), "A");
    const char *acceptance = json_str(spec.documents, "ACCEPTANCE.md", "");
    assert_non_null(strstr(acceptance, "### AC-1 A note is kept"));
    assert_non_null(strstr(acceptance, "`POST /api/notes` answers 201"));
    assert_non_null(strstr(json_str(spec.documents, "ROUTES.md", ""), "| POST | `/api/notes` | anyone | Makes one |"));
    assert_true(str_starts(json_str(spec.documents, "SPEC.md", ""), "# Notes: specification\n\nNotes are short"));
    assert_true(str_starts(json_str(spec.documents, "DATA.md", ""), "# Data\n"));
    assert_int_equal(json_array_size(spec.open_points), 1);
    assert_non_null(strstr(json_text(f->arena, json_at(requests_of(f, run.name), "0.body")), "Who may write? No"));
}

/* What a person wrote stays word for word, and a criterion that nobody can check has no check. */
static void edited_documents_stay(void **state) {
    struct fixture *f = *state;
    struct planner_spec first, second;
    struct run run;
    begin(f, &run, LLM_CHAT, arena_printf(f->arena, "[%s,%s]", step(f, spec_text), step(f, spec_text)));
    make_spec(f, &run, NULL, &first);
    json_t *edited = json_own(f->arena, json_deep_copy(first.documents));
    const char *more = arena_printf(f->arena, "%s\n### AC-2 It is pleasant\n\nWhoever sees it smiles.\n",
                                    json_str(first.documents, "ACCEPTANCE.md", ""));
    json_object_set_new(edited, "ACCEPTANCE.md", json_string(more));
    make_spec(f, &run, &(struct planner_base){first.plan, first.documents, edited}, &second);
    assert_string_equal(json_str(second.documents, "ACCEPTANCE.md", ""), more);
    assert_string_equal(json_str(second.documents, "SPEC.md", ""), json_str(first.documents, "SPEC.md", ""));
    assert_int_equal(json_array_size(json_object_get(second.plan, "criteria")), 2);
    assert_string_equal(json_str(json_at(second.plan, "criteria.0.check"), "kind", ""), "http");
    assert_string_equal(json_str(json_at(second.plan, "criteria.1.check"), "kind", ""), "none");
    const char *asked = json_text(f->arena, json_at(requests_of(f, run.name), "1.body"));
    assert_non_null(strstr(asked, "ACCEPTANCE.md as it is now"));
    assert_non_null(strstr(asked, "Whoever sees it smiles."));
}

/* Criteria that a person dropped take what they saved with them: the model is told. */
static void what_rests_on_a_dropped_criterion_is_a_fault(void **state) {
    struct fixture *f = *state;
    struct planner_spec first, second;
    struct run run;
    begin(f, &run, LLM_CHAT, arena_printf(f->arena, "[%s]", step(f, spec_text)));
    make_spec(f, &run, NULL, &first);
    json_t *edited = json_own(f->arena, json_deep_copy(first.documents));
    json_object_set_new(edited, "ACCEPTANCE.md", json_string("# Notes\n\n### AC-2 It is pleasant\n\nAll smile.\n"));
    begin(f, &run, LLM_CHAT,
          arena_printf(f->arena, "[%s,{'text':'I will not.','stop':'refusal'}]", step(f, spec_text)));
    assert_int_equal(model_spec(&run.by, &run.input, &(struct planner_base){first.plan, first.documents, edited},
                                f->arena, &second, &run.failure, &f->err),
                     -ERR_UNAVAILABLE);
    const char *told = json_text(f->arena, json_at(requests_of(f, run.name), "1.body"));
    assert_non_null(strstr(told, "no step has \\\"route\\\": \\\"POST /api/notes\\\""));
    /* What cannot be read is refused before the model is asked. */
    json_object_set_new(edited, "ACCEPTANCE.md", json_string("### AC-1 One\n\nA.\n\n### AC-1 Two\n\nB.\n"));
    begin(f, &run, LLM_CHAT, "[]");
    assert_int_equal(model_spec(&run.by, &run.input, &(struct planner_base){first.plan, first.documents, edited},
                                f->arena, &second, &run.failure, &f->err),
                     -ERR_VALIDATION);
    assert_string_equal(f->err.field, "documents.ACCEPTANCE.md");
    assert_int_equal(json_array_size(requests_of(f, run.name)), 0);
}

static void a_plan_becomes_tasks(void **state) {
    struct fixture *f = *state;
    const char *paths[] = {"README.md"};
    struct planner_spec spec;
    struct run run;
    json_t *tasks = NULL;
    begin(f, &run, LLM_RESPONSES,
          arena_printf(f->arena, "[%s,%s,%s]", step(f, spec_text), step(f, "{'tasks': []}"), step(f, tasks_text)));
    make_spec(f, &run, NULL, &spec);
    assert_int_equal(
        model_decompose(&run.by, spec.plan, spec.documents, paths, 1, f->arena, &tasks, &run.failure, &f->err), 0);
    assert_string_equal(json_str(json_at(tasks, "tasks.0"), "id", ""), "task-001");
    const char *asked = json_text(f->arena, json_at(requests_of(f, run.name), "1.body"));
    assert_non_null(strstr(asked, "The repository has 1 files now"));
    assert_non_null(strstr(asked, "### AC-1 A note is kept"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(questions_are_those_of_the_contract),
        T(faults_are_told_and_mended),
        T(an_answer_that_is_wrong_four_times_is_the_end),
        T(what_is_cut_or_refused),
        T(the_documents_agree_with_the_plan),
        T(edited_documents_stay),
        T(what_rests_on_a_dropped_criterion_is_a_fault),
        T(a_plan_becomes_tasks),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
