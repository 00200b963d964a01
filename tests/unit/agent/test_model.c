/* model: the loop of the model agent, against a scripted model server in the true wire formats. */
#include "../llm/models.h"
#include "desk.h"

#include "agent/model.h"
#include "agent/registry.h"
#include "llm/tape.h"

#define DEFINITION                                                                                                     \
    "{'id': 'task-001', 'slug': 'toy', 'description': 'A toy', 'instructions': 'Build it.', 'dependencies': [], "      \
    "'pathScope': ['src/**'], 'expectedOutputs': ['src/a.txt'], 'criteria': ['AC-2'], 'parts': []}"
#define WRITE(path, content)                                                                                           \
    "{'toolCalls': [{'id': 'w', 'name': 'write_file', 'arguments': {'path': '" path "', 'content': '" content "'}}]}"
#define FINISH "{'toolCalls': [{'id': 'f', 'name': 'finish', 'arguments': {'summary': 'Built the toy.'}}]}"
#define LIST(id, pattern)                                                                                              \
    "{'toolCalls': [{'id': '" id "', 'name': 'list_files', 'arguments': {'pattern': '" pattern "'}}]}"

struct work {
    struct fixture *f;
    struct desk desk;
    struct llm_model model;
    const char *script;
    struct agent_result result;
};

static void work_init(struct work *work, void **state) {
    *work = (struct work){.f = *state};
    desk_init(&work->desk, DEFINITION);
}

static int work_run(struct work *work, enum llm_format format, const char *steps) {
    struct desk *desk = &work->desk;
    desk->err = (struct err){0};
    work->model = script(work->f, format, steps, &work->script);
    desk->request.model = &work->model;
    return agent_model_ops.run(NULL, &desk->request, &work->result, &desk->err);
}

static void work_well(struct work *work, enum llm_format format, const char *steps) {
    if (work_run(work, format, steps) < 0)
        fail_msg("%s: %s", llm_format_name(format), work->desk.err.message);
}

static void work_fails(struct work *work, const char *steps, enum err_code code, const char *part) {
    int rc = work_run(work, LLM_CHAT, steps);
    if (rc != -(int)code || !strstr(work->desk.err.message, part))
        fail_msg("%d: %s", rc, work->desk.err.message);
}

/* What the server was sent as its call number `index`, as text. */
static const char *sent(struct work *work, size_t index) {
    json_t *request = json_array_get(requests_of(work->f, work->script), index);
    assert_non_null(request);
    return json_text(work->f->arena, json_object_get(request, "body"));
}

static void assert_sent(struct work *work, size_t index, const char *part) {
    if (!strstr(sent(work, index), part))
        fail_msg("call %zu lacks %s: %s", index, part, sent(work, index));
}

static void it_works_in_all_formats(void **state) {
    for (int format = 0; format < LLM_FORMAT_COUNT; format++) {
        struct work work;
        work_init(&work, state);
        work.desk.request.documents =
            desk_json(&work.desk, "{'ROUTES.md': 'the routes', 'ACCEPTANCE.md': '# A\\n## G\\n### AC-1 One\\n\\nfirst"
                                  "\\n\\n### AC-2 Two\\n\\nsecond\\n'}");
        work_well(&work, (enum llm_format)format,
                  "[{'text': 'I begin.', 'toolCalls': [{'id': 'a', 'name': 'write_file', 'arguments': {'path': "
                  "'src/a.txt', 'content': 'one\\ntwo\\n'}}, {'id': 'b', 'name': 'read_file', 'arguments': {'path': "
                  "'src/a.txt'}}]}, {'toolCalls': [{'id': 'c', 'name': 'run_command', 'arguments': {'command': 'cat "
                  "src/a.txt; exit 3'}}]}, " FINISH "]");
        assert_string_equal(desk_get(&work.desk, "tree/src/a.txt"), "one\ntwo\n");
        assert_string_equal(work.result.summary, "Built the toy.");
        assert_true(str_starts(work.desk.notes.data,
                               "MESSAGE {\"role\":\"assistant\",\"text\":\"I begin.\"}\n"
                               "FILE_CREATED {\"path\":\"src/a.txt\",\"size\":8}\n"
                               "COMMAND_STARTED {\"command\":\"cat src/a.txt; exit 3\"}\n"
                               "COMMAND_COMPLETED {\"command\":\"cat src/a.txt; exit 3\",\"exitCode\":3,"));
        assert_sent(&work, 0, "Build it.");
        assert_sent(&work, 0, "### AC-2 Two");
        assert_null(strstr(sent(&work, 0), "AC-1"));
        assert_sent(&work, 0, "the routes");
        assert_sent(&work, 0, "`src/**`");
        assert_null(strstr(sent(&work, 0), work.desk.dir));
        assert_sent(&work, 1, "created src/a.txt (8 bytes)");
        assert_sent(&work, 1, "one\\ntwo\\n");
        assert_sent(&work, 2, "exit code 3\\none\\ntwo");
        desk_release(&work.desk);
    }
}

static void what_is_missing_is_told(void **state) {
    struct work work;
    work_init(&work, state);
    work.desk.request.feedback = "The button is missing.";
    work_well(&work, LLM_ANTHROPIC,
              "[" FINISH ", " WRITE("lib/a.txt", "x") ", " WRITE("src/a.txt", "x") ", " FINISH "]");
    assert_sent(&work, 0, "The button is missing.");
    assert_sent(&work, 1, "these files are expected of the task and not there: src/a.txt");
    assert_sent(&work, 1, "\"is_error\":true");
    assert_sent(&work, 2, "lib/a.txt is outside the task's scope");
    assert_null(desk_get(&work.desk, "tree/lib/a.txt"));
    desk_release(&work.desk);
}

static void faulty_calls_are_told_and_counted(void **state) {
    struct work work;
    work_init(&work, state);
    work_well(&work, LLM_CHAT,
              "[{'toolCalls': [{'id': 'a', 'name': 'fly', 'arguments': {}}, {'id': 'b', 'name': 'write_file', "
              "'arguments': {'path': 7}}]}, " WRITE("src/a.txt", "x") ", " FINISH "]");
    assert_sent(&work, 1, "there is no such tool; there are list_files, read_file");
    assert_sent(&work, 1, "path must be a string");
    work_fails(&work,
               "[{'toolCalls': [{'id': 'a', 'name': 'a'}, {'id': 'b', 'name': 'b'}, {'id': 'c', 'name': 'c'}, {'id': "
               "'d', 'name': 'd'}, {'id': 'e', 'name': 'e'}]}]",
               ERR_INTERNAL, "one call after another that no tool can take");
    desk_release(&work.desk);
}

static void silence_is_no_end(void **state) {
    struct work work;
    work_init(&work, state);
    /* Not done, and it says so only in words: told, and at last given up. */
    work_fails(&work, "[{'text': 'Done!'}, {'text': 'Done!!'}, {'text': 'Really.'}]", ERR_INTERNAL,
               "the model stopped before the task was done: not yet: these files");
    assert_sent(&work, 1, "If the task is done, call finish.");
    assert_sent(&work, 2, "The task is not done: not yet");
    /* Done, and it stays with that. */
    work_well(&work, LLM_CHAT, "[" WRITE("src/a.txt", "x") ", {'text': 'Done!'}, {'text': 'All is there.'}]");
    assert_string_equal(work.result.summary, "All is there.");
    work_fails(&work, "[{'text': 'No.', 'stop': 'refusal'}]", ERR_FORBIDDEN, "the model will not do this: No.");
    desk_release(&work.desk);
}

static void answers_that_are_cut_go_on(void **state) {
    struct work work;
    work_init(&work, state);
    work_well(&work, LLM_ANTHROPIC,
              "[{'text': 'I will', 'stop': 'length'}, {'text': 'hm', 'stop': 'pause'}, " WRITE("src/a.txt",
                                                                                               "x") ", " FINISH "]");
    assert_sent(&work, 1, "Your answer was cut at the limit of its length");
    work_fails(&work, "[{'text': 'x', 'stop': 'length', 'repeat': true}]", ERR_INTERNAL, "again and again");
    desk_release(&work.desk);
}

static void circles_are_noticed(void **state) {
    struct work work;
    work_init(&work, state);
    work_fails(&work, "[{'toolCalls': [{'name': 'list_files', 'arguments': {}}], 'repeat': true}]", ERR_INTERNAL,
               "the model is stuck: the same call, again and again");
    assert_int_equal(json_array_size(requests_of(work.f, work.script)), 6);
    assert_sent(&work, 3, "You seem to be stuck");
    /* Another way after the warning. */
    work_well(&work, LLM_CHAT,
              "[" LIST("1", "a") ", " LIST("2", "a") ", " LIST("3", "a") ", " WRITE("src/a.txt", "x") ", " FINISH "]");
    desk_release(&work.desk);
}

static void limits_hold(void **state) {
    struct work work;
    work_init(&work, state);
    work.desk.request.limits.steps = 6;
    work_fails(&work,
               "[" LIST("1", "a") ", " LIST("2", "b") ", " LIST("3", "c") ", " LIST("4", "d") ", " LIST(
                   "5", "e") ", " LIST("6", "f") "]",
               ERR_TOO_LARGE, "the model was not done after 6 answers");
    assert_sent(&work, 1, "5 answers are left to you.");
    work.desk.request.limits = (struct agent_limits){.tokens = 200};
    work_fails(&work, "[" LIST("1", "a") ", " LIST("2", "b") ", " LIST("3", "c") "]", ERR_TOO_LARGE,
               "the model was not done after 240 tokens");
    work.desk.request.limits = (struct agent_limits){.wall_ms = 1};
    work_fails(&work, "[{'fault': 'hang'}]", ERR_TIMEOUT, "the model was not done after 0 minutes");
    desk_release(&work.desk);
}

static int refuse(void *arg, int64_t input_tokens, int64_t output_tokens, struct err *err) {
    return (*(int *)arg)-- > 0 ? 0 : err_set(err, ERR_BUDGET, "the run's limit has no room");
}

static void settle(void *arg, const struct llm_usage *usage, bool is_known) {
}

static void money_and_quota_pass_through(void **state) {
    struct work work;
    int calls = 1;
    struct llm_meter meter = {refuse, settle, &calls};
    work_init(&work, state);
    work.desk.request.meter = &meter;
    work_fails(&work, "[" WRITE("src/a.txt", "x") ", " FINISH "]", ERR_BUDGET, "the run's limit has no room");
    work.desk.request.meter = NULL;
    work_fails(&work, "[{'fault': {'kind': 'status', 'status': 429, 'headers': {'retry-after': '3600'}}}]", ERR_QUOTA,
               "");
    assert_true(work.result.resets_ms > clock_now_ms() + 3000000);
    work_fails(&work, "[{'fault': {'kind': 'status', 'status': 401}}]", ERR_UNAVAILABLE, "");
    work.desk.request.model = NULL;
    assert_int_equal(agent_model_ops.run(NULL, &work.desk.request, &work.result, &work.desk.err), -ERR_UNAVAILABLE);
    desk_release(&work.desk);
}

static void cancelling_ends_it_at_once(void **state) {
    struct work work;
    work_init(&work, state);
    work.desk.cancel_at = "COMMAND_STARTED";
    work_fails(&work, "[{'toolCalls': [{'name': 'run_command', 'arguments': {'command': 'sleep 100'}}]}]",
               ERR_CANCELLED, "the task was cancelled");
    assert_non_null(strstr(work.desk.notes.data, "COMMAND_COMPLETED"));
    work_fails(&work, "[]", ERR_CANCELLED, "the task was cancelled");
    desk_release(&work.desk);
}

/* A recording is played again elsewhere, where a command says other things. */
static void recordings_are_played_elsewhere(void **state) {
    struct work work, other;
    work_init(&work, state);
    work_init(&other, state);
    const char *steps =
        "[{'toolCalls': [{'id': 'r', 'name': 'run_command', 'arguments': {'command': 'pwd; date +%N; cat "
        "/proc/self/stat'}}]}, " WRITE("src/a.txt", "x") ", " FINISH "]";
    work.desk.request.tape = llm_tape_record(desk_path(&work.desk, "tape"));
    work_well(&work, LLM_ANTHROPIC, steps);
    llm_tape_destroy(work.desk.request.tape);
    assert_sent(&work, 1, "exit code 0\\n.\\n");

    other.desk.request.tape = llm_tape_replay(desk_path(&work.desk, "tape"));
    other.desk.request.model = NULL;
    if (agent_model_ops.run(NULL, &other.desk.request, &other.result, &other.desk.err) < 0)
        fail_msg("%s", other.desk.err.message);
    llm_tape_destroy(other.desk.request.tape);
    assert_string_equal(desk_get(&other.desk, "tree/src/a.txt"), "x");
    desk_release(&work.desk);
    desk_release(&other.desk);
}

static void the_registry_knows_it(void **state) {
    const struct agent_kind *kind = agent_kind_find("model");
    assert_non_null(kind);
    assert_ptr_equal(kind->ops, &agent_model_ops);
    assert_true(agent_model_ops.learns);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(it_works_in_all_formats),
        T(what_is_missing_is_told),
        T(faulty_calls_are_told_and_counted),
        T(silence_is_no_end),
        T(answers_that_are_cut_go_on),
        T(circles_are_noticed),
        T(limits_hold),
        T(money_and_quota_pass_through),
        T(cancelling_ends_it_at_once),
        T(the_registry_knows_it),
        T(recordings_are_played_elsewhere),
    };
    return cmocka_run_group_tests(tests, models_start, models_stop);
}
