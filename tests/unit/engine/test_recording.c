/* recording: what it is opened by, and what happens when it does not fit. */
#include "toy.h"

#include "engine/recording.h"
#include "engine/worker.h"
#include "llm/tape.h"

static const char *folder(struct fixture *f) {
    return arena_printf(f->arena, "%s/recording", f->dir);
}

static void reopen(struct fixture *f, const struct llm_model *model, const char *record, const char *replay) {
    f->config.model = model;
    f->config.record_dir = record;
    f->config.replay_dir = replay;
    fixture_reopen(f);
}

static int try_open(struct fixture *f, const char *record, const char *replay) {
    struct engine engine = {.arena = f->arena};
    struct engine_config config = {.record_dir = record, .replay_dir = replay};
    int rc = recording_open(&engine, &config, &f->err);
    llm_tape_destroy(engine.tape);
    return rc;
}

static void the_label_names_the_model_but_not_its_key(void **state) {
    struct fixture *f = *state;
    struct llm_model model = {.format = LLM_OLLAMA, .name = "small", .api_key = "sk-secret-0123456789"};
    CLEANUP(buf_release) struct buf text = {0};
    f->config.agents = "blueprint:x";
    reopen(f, &model, folder(f), NULL);
    must(f, fs_read_file(arena_printf(f->arena, "%s/recording.json", folder(f)), 4096, &text, &f->err));
    assert_string_equal(text.data, "{\"version\":1,\"planner\":null,\"agents\":\"blueprint:x\",\"provider\":\"ollama\","
                                   "\"model\":\"small\"}\n");
    f->config.agents = NULL;
    reopen(f, NULL, NULL, folder(f));
    assert_string_equal(f->engine->model.name, "small");
    assert_int_equal(f->engine->model.format, LLM_OLLAMA);
    assert_null(f->engine->model.api_key);
    assert_string_equal(f->engine->defaults.agents[0].model, "x");
    model.name = "larger";
    f->config.agents = "blueprint:y";
    reopen(f, &model, NULL, folder(f));
    assert_string_equal(f->engine->model.name, "larger");
    assert_string_equal(f->engine->defaults.agents[0].model, "y");
}

static void folders_that_are_none_are_refused(void **state) {
    struct fixture *f = *state;
    assert_int_equal(try_open(f, NULL, folder(f)), -ERR_VALIDATION);
    assert_string_equal(f->err.field, "replay");
    assert_int_equal(try_open(f, folder(f), folder(f)), -ERR_VALIDATION);
    must(f, fs_mkdirs(folder(f), 0700, &f->err));
    put_file(folder(f), "recording.json", "{\"version\":2}");
    assert_int_equal(try_open(f, NULL, folder(f)), -ERR_VALIDATION);
    put_file(folder(f), "recording.json", "{");
    assert_int_equal(try_open(f, NULL, folder(f)), -ERR_VALIDATION);
    assert_true(try_open(f, arena_printf(f->arena, "%s/recording.json", folder(f)), NULL) < 0);
}

static int ask(struct fixture *f, const struct agent_request *request, struct agent_result *result, struct err *err) {
    struct llm_reply reply;
    struct llm_part part = {.kind = LLM_TEXT, .text = "Hi"};
    struct llm_message message = {.role = LLM_USER, .parts = &part, .part_count = 1};
    struct llm_request call = {
        .messages = &message, .message_count = 1, .tape = request->tape, .scope = request->scope};
    return llm_call(request->model, &call, request->arena, &reply, err);
}

/* Another attempt, or another agent, would fit no better. */
static void a_task_whose_recording_does_not_fit_has_failed(void **state) {
    struct fixture *f = *state;
    must(f, fs_mkdirs(folder(f), 0700, &f->err));
    put_file(folder(f), "recording.json", "{\"version\":1,\"provider\":\"chat\",\"model\":\"m\"}");
    reopen(f, NULL, NULL, folder(f));
    let_agent_learn(f);
    f->work = ask;
    add_task(f, "task-001", "shell", "", "a/**", "a/x");
    begin_run(f);
    must(f, workers_start(&f->engine->workers, f->engine, 1, &f->err));
    assert_true(wait_until(f, run_has_ended));
    assert_int_equal(run_now(f)->state, RUN_FAILED);
    assert_int_equal(atomic_load(&f->tries), 1);
    assert_string_equal(task_now(f, "shell")->error, "the recording does not fit: it has no call 1 of task/shell/1");
    workers_stop(f->engine->workers, 0);
    f->engine->workers = NULL;
}

/* ---- agents that are programs */

static const char key[] = "sk-secret-0123456789";

static int work_by_program(void *self, const struct agent_request *request, struct agent_result *result,
                           struct err *err) {
    struct agent_note note = {.type = EVENT_MESSAGE};
    json_t *said = json_own(request->arena, json_pack("{s:s, s:s}", "role", "agent", "text", key));
    struct fixture *f = self;
    atomic_fetch_add(&f->tries, 1);
    note.payload = said;
    request->on_note(&note, request->note_arg);
    request->on_output("begun", request->output_arg);
    if (request->attempt == 1)
        return err_set(err, ERR_INTERNAL, "it fell over");
    put_file(request->worktree, "a/x", arena_printf(request->arena, "the key is %s\n", key));
    put_file(request->worktree, "node_modules/y", "left out");
    result->summary = "wrote x";
    return 0;
}

static const struct agent_ops program_ops = {.name = "codex", .learns = true, .run = work_by_program};

/* A run whose task is carried out by codex, to its end. */
static void run_by_codex(struct fixture *f, const struct llm_model *model, const char *record, const char *replay) {
    static const struct agent_choice codex = {.kind = "codex"};
    reopen(f, model, record, replay);
    *(struct agent *)choice_agent(f->engine, &codex) = (struct agent){.ops = &program_ops, .self = f};
    f->engine->sandbox = SANDBOX_OFF;
    begin_run(f);
    must(f, workers_start(&f->engine->workers, f->engine, 1, &f->err));
    assert_true(wait_until(f, run_has_ended));
    workers_stop(f->engine->workers, 0);
    f->engine->workers = NULL;
}

static const char *recorded(struct fixture *f, const char *name) {
    CLEANUP(buf_release) struct buf text = {0};
    must(f, fs_read_file(arena_printf(f->arena, "%s/task/shell/%s", folder(f), name), 1 << 20, &text, &f->err));
    return arena_strdup(f->arena, text.data);
}

static void assert_done_by_codex(struct fixture *f) {
    struct task *task = task_now(f, "shell");
    assert_int_equal(task->state, TASK_SUCCEEDED);
    assert_int_equal(task->attempts, 2);
    assert_string_equal(paths_of(f, task->commit_sha), "a/x");
    assert_int_equal(event_count(f, "MESSAGE"), 2);
}

static void programs_work_is_done_again_without_them(void **state) {
    struct fixture *f = *state;
    const char *path = arena_printf(f->arena, "%s/bin", f->dir);
    struct llm_model model = {.format = LLM_CHAT, .name = "m", .api_key = key};
    f->config.agents = "codex";
    put_file(path, "codex", "");
    must(f, fs_write_file(arena_printf(f->arena, "%s/codex", path), "", 0, 0755, &f->err));
    setenv("PATH", arena_printf(f->arena, "%s:%s", path, getenv("PATH")), 1);
    add_task(f, "task-001", "shell", "", "a/**", "a/x");
    run_by_codex(f, &model, folder(f), NULL);
    assert_done_by_codex(f);
    assert_non_null(strstr(recorded(f, "1/work.json"), "it fell over"));
    assert_string_equal(recorded(f, "2/files/a/x"), "the key is [key]\n");
    assert_null(strstr(recorded(f, "2/work.json"), key));
    assert_null(strstr(recorded(f, "2/work.json"), "node_modules"));

    atomic_store(&f->tries, 0);
    f->project_id[0] = '\0';
    f->config.agents = NULL;
    must(f, fs_remove_tree(path, &f->err));
    run_by_codex(f, NULL, NULL, folder(f));
    assert_done_by_codex(f);
    assert_int_equal(atomic_load(&f->tries), 0);
    assert_string_equal(file_of(f, task_now(f, "shell")->commit_sha, "a/x"), "the key is [key]\n");

    /* Another task is not done by it. */
    f->project_id[0] = '\0';
    json_object_set_new(json_array_get(f->tasks, 0), "instructions", json_string("Do it otherwise."));
    run_by_codex(f, NULL, NULL, folder(f));
    assert_string_equal(task_now(f, "shell")->error, "the recording does not fit: task/shell/1 was another task");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        engine_test(the_label_names_the_model_but_not_its_key),
        engine_test(folders_that_are_none_are_refused),
        engine_test(a_task_whose_recording_does_not_fit_has_failed),
        engine_test(programs_work_is_done_again_without_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
