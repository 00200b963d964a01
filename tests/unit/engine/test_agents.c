/* agents: who takes a task over, what is told while it is worked on, and what it costs. */
#include "fixture.h"

#include <sys/stat.h>

#include "engine/agent_notes.h"
#include "store/spending.h"

/* Stand-ins for kinds that this program may have, by the name of their row. */
static struct agent_choice *add_agent(struct fixture *f, size_t index, const char *kind, const struct agent_ops *ops) {
    struct agent_choice *agent = &f->engine->defaults.agents[index];
    *agent = (struct agent_choice){.kind = kind};
    f->engine->defaults.agent_count = index + 1;
    f->engine->has_listed_agents = true;
    if (ops)
        *(struct agent *)choice_agent(f->engine, agent) = (struct agent){.ops = ops, .self = f};
    return agent;
}

static void begin_one(struct fixture *f) {
    add_task(f, "task-001", "shell", "", "src/**", "src/page.tsx");
    begin_run(f);
    f->engine->sandbox = SANDBOX_OFF; /* the stand-ins are not fenced in */
    f->engine->defaults.has_model = true;
    f->engine->defaults.model = (struct llm_model){
        .format = LLM_ANTHROPIC, .name = "claude-sonnet-4-5", .base_url = "http://127.0.0.1:1", .api_key = "sk-secret"};
}

static const char *attempt_agent(struct fixture *f) {
    struct task_attempt *rows = NULL;
    size_t count = 0;
    must(f, store_attempt_list(reader(f), f->arena, task_now(f, "shell")->id, &rows, &count, &f->err));
    return count ? rows[count - 1].agent : NULL;
}

/* ---- who takes over */

static int be_unreachable(void *self, const struct agent_request *request, struct agent_result *result,
                          struct err *err) {
    put_file(request->worktree, "elsewhere", "half done");
    put_file(request->home, "notes", "private");
    return err_set(err, ERR_UNAVAILABLE, "the model at 127.0.0.1:1 does not answer");
}

static const struct agent_ops codex_ops = {.name = "codex", .learns = true, .run = be_unreachable};
static const struct agent_ops unreachable_ops = {.name = "model", .learns = true, .run = be_unreachable};

static void the_next_one_takes_over(void **state) {
    struct fixture *f = *state;
    begin_one(f);
    add_agent(f, 0, "codex", &codex_ops);
    add_agent(f, 1, "model", &unreachable_ops);
    add_agent(f, 2, "blueprint", NULL);
    setenv("PATH", "/nowhere", 1); /* Codex is not to be found */
    struct job_context *job = take_job(f, JOB_TASK_EXECUTE);
    must(f, execute_task(job, &f->err));
    assert_int_equal(event_count(f, "MESSAGE"), 2);
    assert_string_equal(event_text(f, "MESSAGE", 0, "role"), "system");
    assert_string_equal(event_text(f, "MESSAGE", 0, "text"),
                        "codex cannot work: its program codex is not to be found; model takes over");
    assert_string_equal(event_text(f, "MESSAGE", 1, "text"),
                        "model cannot work: the model at 127.0.0.1:1 does not answer; test takes over");
    assert_string_equal(attempt_agent(f), "test");
    assert_int_equal(task_now(f, "shell")->attempts, 1);
    /* What the one before left lying about is not the next one's. */
    assert_string_equal(paths_of(f, task_now(f, "shell")->commit_sha), "src/page.tsx");
    assert_false(
        fs_exists(arena_printf(f->arena, "%s/workspaces/%s/home/feat-task-001", f->engine->data_dir, f->project_id)));
}

static void nobody_is_left(void **state) {
    struct fixture *f = *state;
    begin_one(f);
    add_agent(f, 0, "model", &unreachable_ops);
    f->engine->defaults.has_model = false;
    assert_int_equal(execute_task(take_job(f, JOB_TASK_EXECUTE), &f->err), -ERR_UNAVAILABLE);
    assert_string_equal(f->err.message, "model cannot work: no model is set up");
    assert_int_equal(event_count(f, "MESSAGE"), 0);
}

static int be_wrong(void *self, const struct agent_request *request, struct agent_result *result, struct err *err) {
    return err_set(err, ERR_TIMEOUT, "it took too long");
}

static const struct agent_ops wrong_ops = {.name = "model", .learns = true, .run = be_wrong};

static void a_failure_of_the_work_is_the_attempts(void **state) {
    struct fixture *f = *state;
    begin_one(f);
    add_agent(f, 0, "model", &wrong_ops);
    add_agent(f, 1, "blueprint", NULL);
    assert_int_equal(execute_task(take_job(f, JOB_TASK_EXECUTE), &f->err), -ERR_TIMEOUT);
    assert_int_equal(atomic_load(&f->tries), 0);
    assert_int_equal(event_count(f, "MESSAGE"), 0);
}

static int64_t resets_ms;

static int be_used_up(void *self, const struct agent_request *request, struct agent_result *result, struct err *err) {
    result->resets_ms = resets_ms;
    return err_set(err, ERR_QUOTA, "used up");
}

static const struct agent_ops used_up_ops = {.name = "model", .learns = true, .run = be_used_up};

static void a_quota_is_waited_for_when_its_end_is_known(void **state) {
    struct fixture *f = *state;
    begin_one(f);
    add_agent(f, 0, "model", &used_up_ops);
    add_agent(f, 1, "blueprint", NULL);
    resets_ms = clock_now_ms() + 60000;
    struct job_context *job = take_job(f, JOB_TASK_EXECUTE);
    assert_int_equal(execute_task(job, &f->err), -ERR_QUOTA);
    assert_int_equal(job->resets_ms, resets_ms);
    assert_int_equal(atomic_load(&f->tries), 0);
    reclaim(f);
    resets_ms = 0;
    must(f, execute_task(take_job(f, JOB_TASK_EXECUTE), &f->err));
    assert_int_equal(atomic_load(&f->tries), 1);
}

/* ---- what is told */

static void tell(const struct agent_request *request, enum event_type type, json_t *payload) {
    request->on_note(&(struct agent_note){.type = type, .payload = payload}, request->note_arg);
    json_decref(payload);
}

static int tell_much(struct fixture *f, const struct agent_request *request, struct agent_result *result,
                     struct err *err) {
    char *long_text = mem_alloc(20001);
    memset(long_text, 'x', 20000);
    tell(request, EVENT_MESSAGE, json_pack("{s:s, s:s}", "role", "root", "text", "\x1b[2Jhello\nthe key is sk-secret"));
    tell(request, EVENT_MESSAGE, json_pack("{s:s}", "text", long_text));
    tell(request, EVENT_COMMAND_STARTED, json_pack("{s:s, s:s}", "command", "npm test", "secret", "sk-secret"));
    tell(request, EVENT_COMMAND_COMPLETED,
         json_pack("{s:s, s:i, s:i, s:s}", "command", "npm test", "exitCode", 1, "durationMs", 5, "output", long_text));
    tell(request, EVENT_FILE_CREATED, json_pack("{s:s, s:i}", "path", "src/page.tsx", "size", 9));
    tell(request, EVENT_FILE_CREATED, json_pack("{s:s, s:i}", "path", "../../etc/passwd", "size", 9));
    tell(request, EVENT_FILE_DELETED, json_pack("{s:s}", "path", "src/other.tsx"));
    tell(request, EVENT_RUN_COMPLETED, json_pack("{s:s}", "status", "succeeded"));
    put_file(request->worktree, "src/other.tsx", "here again");
    free(long_text);
    return write_outputs(f, request, result, err);
}

static void an_agents_words_are_bounded(void **state) {
    struct fixture *f = *state;
    begin_one(f);
    f->work = tell_much;
    step(f, JOB_TASK_EXECUTE);
    assert_string_equal(event_line(f), "RUN_STARTED TASK_STARTED MESSAGE MESSAGE COMMAND_STARTED COMMAND_COMPLETED "
                                       "FILE_CREATED FILE_DELETED FILE_CREATED TASK_OUTPUT");
    assert_string_equal(event_text(f, "MESSAGE", 0, "role"), "agent");
    assert_string_equal(event_text(f, "MESSAGE", 0, "text"), "\\x1b[2Jhello\nthe key is [key]");
    assert_true(strlen(event_text(f, "MESSAGE", 1, "text")) < NOTE_TEXT_BYTES + 64);
    assert_string_equal(event_text(f, "COMMAND_STARTED", 0, "secret"), "null");
    assert_string_equal(event_text(f, "COMMAND_COMPLETED", 0, "exitCode"), "1");
    assert_true(strlen(event_text(f, "COMMAND_COMPLETED", 0, "output")) < NOTE_TEXT_BYTES + 64);
    /* Each file once; one that is told to be gone, and is there, is told as it is. */
    assert_string_equal(event_text(f, "FILE_CREATED", 0, "path"), "src/page.tsx");
    assert_string_equal(event_text(f, "FILE_CREATED", 1, "path"), "src/other.tsx");
}

static int flood(struct fixture *f, const struct agent_request *request, struct agent_result *result, struct err *err) {
    ((struct agent_notes *)request->note_arg)->count = NOTES_MAX - 10; /* as if it had told so much before */
    for (int i = 0; i < 60; i++)
        tell(request, EVENT_MESSAGE, json_pack("{s:s}", "text", arena_printf(f->arena, "message %d", i)));
    return write_outputs(f, request, result, err);
}

static void a_flood_ends_in_the_log(void **state) {
    struct fixture *f = *state;
    struct buf log = {0};
    begin_one(f);
    f->work = flood;
    step(f, JOB_TASK_EXECUTE);
    assert_int_equal(event_count(f, "MESSAGE"), 10);
    must(f, fs_read_file(engine_task_log_path(f->engine, task_now(f, "shell"), f->arena), 1 << 24, &log, &f->err));
    assert_non_null(strstr(log.data, "agent: message 59\n"));
    assert_non_null(strstr(log.data, "the agent tells more than there are events for"));
    buf_release(&log);
}

/* ---- what it is given */

static int spend(void *self, const struct agent_request *request, struct agent_result *result, struct err *err) {
    struct fixture *f = self;
    struct llm_usage usage = {.input_tokens = 100, .output_tokens = 10};
    struct stat st;
    assert_string_equal(request->scope, "task/shell/1");
    assert_string_equal(request->model->name, "claude-opus-4-1");
    assert_string_equal(request->model->api_key, "sk-secret");
    assert_true(str_ends(request->git_dir, ".git"));
    assert_true(json_is_object(request->documents));
    assert_int_equal(stat(request->home, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    must(f, request->meter->reserve(request->meter->arg, 1000, 100, err));
    request->meter->settle(request->meter->arg, &usage, true);
    return write_outputs(f, request, result, err);
}

static const struct agent_ops spending_ops = {.name = "model", .learns = true, .run = spend};

static void what_it_uses_is_entered_once(void **state) {
    struct fixture *f = *state;
    struct usage_sum sum;
    begin_one(f);
    add_agent(f, 0, "model", &spending_ops)->model = "claude-opus-4-1";
    step(f, JOB_TASK_EXECUTE);
    must(f, store_usage_total(reader(f), task_now(f, "shell")->id, 0, &sum, &f->err));
    assert_int_equal(sum.calls, 1);
    assert_int_equal(sum.input_tokens, 100);
    assert_int_equal(event_count(f, "USAGE"), 1);
    assert_string_equal(event_text(f, "USAGE", 0, "model"), "claude-opus-4-1");
    assert_string_equal(attempt_agent(f), "model");
}

static int spend_too_much(void *self, const struct agent_request *request, struct agent_result *result,
                          struct err *err) {
    return request->meter->reserve(request->meter->arg, 1000, 100, err);
}

static const struct agent_ops lavish_ops = {.name = "model", .learns = true, .run = spend_too_much};

static int limit_in_tx(struct db *db, void *arg, struct err *err) {
    return store_run_set_limits(db, arg, &(struct spending_limits){.cost_micros = NO_LIMIT, .tokens = 50}, err);
}

/* No fallback is asked to spend what there is not. */
static void without_room_it_stops(void **state) {
    struct fixture *f = *state;
    begin_one(f);
    add_agent(f, 0, "model", &lavish_ops);
    add_agent(f, 1, "blueprint", NULL);
    must(f, store_write(f->engine->store, limit_in_tx, f->run_id, &f->err));
    struct job_context *job = take_job(f, JOB_TASK_EXECUTE);
    assert_int_equal(execute_task(job, &f->err), -ERR_BUDGET);
    assert_non_null(job->refused);
    assert_int_equal(atomic_load(&f->tries), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        engine_test(nobody_is_left),
        engine_test(a_failure_of_the_work_is_the_attempts),
        engine_test(a_quota_is_waited_for_when_its_end_is_known),
        engine_test(an_agents_words_are_bounded),
        engine_test(a_flood_ends_in_the_log),
        engine_test(what_it_uses_is_entered_once),
        engine_test(without_room_it_stops),
        engine_test(the_next_one_takes_over), /* the last one: it leaves no PATH */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
