/* verify: what is proven, what fails, and that nothing is told twice. The commands are a toy stack's. */
#include "toy.h"

#define STEP(method, path, expect, route)                                                                              \
    "{'note':'n','request':{'method':'" method "','path':'" path "','json':{'a':1}},'expect':" expect                  \
    ",'route':'" route "'}"

/* Written with ' for ". */
static const char whole_plan[] =
    "{'setup':[{'note':'sign in','as':'owner','request':{'path':'/sign-in'}}],"
    "'checks':[{'id':'api','title':'The API','steps':[" STEP(
        "POST", "/api/things", "{'status':201}",
        "POST /api/things") "]}],"
                            "'routes':[{'method':'POST','path':'/api/things'},{'method':'GET','path':'/me'}],"
                            "'criteria':["
                            "{'id':'AC-1','title':'Me','statement':'S','check':{'kind':'http','steps':[{'note':'me','"
                            "as':'owner',"
                            "'request':{'path':'/me'},'route':'GET /me'}]}},"
                            "{'id':'AC-2','title':'Files','check':{'kind':'files','paths':['a/x']}},"
                            "{'id':'AC-3','title':'Tests','check':{'kind':'tests'}},"
                            "{'id':'AC-4','title':'Build','check':{'kind':'build'}}]}";

/* A run of this plan up to its verification, with one file a/x. */
static void begin(struct fixture *f, const char *plan, const struct toy *toy) {
    char *text = arena_strdup(f->arena, plan);
    for (char *at = text; *at; at++)
        if (*at == '\'')
            *at = '"';
    toy_use(f, toy);
    add_project(f, text);
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    begin_run(f);
    step(f, JOB_TASK_EXECUTE);
    step(f, JOB_RUN_ADVANCE);
    assert_run(f, RUN_VERIFYING);
}

static json_t *result(struct fixture *f) {
    json_t *parsed = NULL;
    const char *text = run_now(f)->verification_json;
    assert_non_null(text);
    must(f, json_parse(f->arena, text, strlen(text), &parsed, &f->err));
    return parsed;
}

static json_t *entry(struct fixture *f, const char *list, const char *id) {
    size_t i;
    json_t *item;
    json_array_foreach (json_object_get(result(f), list), i, item) {
        if (str_eq(json_str(item, "id", NULL), id))
            return item;
    }
    fail_msg("there is no %s in %s", id, list);
    return NULL;
}

#define assert_check(f, id, status_is) assert_string_equal(json_str(entry(f, "checks", id), "status", ""), status_is)
#define assert_criterion(f, id, status_is)                                                                             \
    assert_string_equal(json_str(entry(f, "criteria", id), "status", ""), status_is)

static void all_is_proven(void **state) {
    struct fixture *f = *state;
    begin(f, whole_plan, &(struct toy){.build = "echo built"});
    step(f, JOB_RUN_VERIFY);
    json_t *all = result(f);
    assert_string_equal(json_str(all, "status", ""), "passed");
    assert_string_equal(json_str(all, "commitSha", ""), run_now(f)->head_sha);
    assert_true(*json_str(all, "completedAt", "") != '\0');
    static const char *const checks[] = {"outputs", "install", "typecheck", "build", "test", "start",         "setup",
                                         "api",     "AC-1",    "AC-2",      "AC-3",  "AC-4", "routes-covered"};
    assert_int_equal(json_array_size(json_object_get(all, "checks")), ARRAY_LEN(checks));
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        assert_string_equal(json_str(json_array_get(json_object_get(all, "checks"), i), "id", ""), checks[i]);
        assert_check(f, checks[i], "passed");
    }
    assert_string_equal(json_str(entry(f, "checks", "build"), "command", ""), "sh -c echo built");
    assert_string_equal(json_str(entry(f, "checks", "build"), "output", ""), "built\n");
    assert_int_equal(json_int(entry(f, "checks", "build"), "exitCode", -1), 0);
    for (int i = 1; i <= 4; i++)
        assert_criterion(f, arena_printf(f->arena, "AC-%d", i), "proven");
    assert_string_equal(json_string_value(json_at(entry(f, "criteria", "AC-1"), "evidence.exchanges.0.request.path")),
                        "/me");
    assert_int_equal(event_count(f, "CHECK_COMPLETED"), ARRAY_LEN(checks));
    assert_string_equal(event_text(f, "VERIFICATION_COMPLETED", 0, "status"), "passed");
    assert_string_equal(event_text(f, "VERIFICATION_COMPLETED", 0, "criteria"), "{\"total\":4,\"proven\":4}");
    step(f, JOB_RUN_FINISH);
    assert_run(f, RUN_SUCCEEDED);
    assert_string_equal(ref_of(f, "refs/heads/main"), run_now(f)->head_sha);
}

static void a_failed_build_proves_nothing(void **state) {
    struct fixture *f = *state;
    begin(f, whole_plan, &(struct toy){.build = "echo no such module; exit 3"});
    step(f, JOB_RUN_VERIFY);
    assert_check(f, "typecheck", "passed");
    assert_check(f, "build", "failed");
    assert_string_equal(json_str(entry(f, "checks", "build"), "fault", ""), "exit code 3");
    assert_string_equal(json_str(entry(f, "checks", "build"), "output", ""), "no such module\n");
    assert_check(f, "test", "skipped");
    assert_check(f, "start", "skipped");
    assert_check(f, "api", "skipped");
    assert_check(f, "routes-covered", "skipped");
    assert_criterion(f, "AC-1", "failed");
    assert_string_equal(json_str(entry(f, "criteria", "AC-1"), "fault", ""), "not reached: build failed");
    assert_criterion(f, "AC-3", "failed");
    assert_criterion(f, "AC-4", "failed");
    assert_string_equal(json_str(result(f), "status", ""), "failed");
    step(f, JOB_RUN_FINISH);
    assert_run(f, RUN_FAILED);
    assert_string_equal(run_now(f)->error, "verification failed: The app builds: exit code 3");
    assert_string_equal(ref_of(f, "refs/heads/main"), run_now(f)->base_sha); /* main never breaks */
    assert_false(fs_exists(workspace_of(f)));
}

static void failing_tests_fail_their_criterion(void **state) {
    struct fixture *f = *state;
    begin(f, whole_plan, &(struct toy){.test = "exit 1"});
    step(f, JOB_RUN_VERIFY);
    assert_criterion(f, "AC-3", "failed");
    assert_string_equal(json_str(entry(f, "criteria", "AC-3"), "fault", ""), "the check test is failed");
    assert_criterion(f, "AC-4", "proven");
    assert_string_equal(event_text(f, "VERIFICATION_COMPLETED", 0, "status"), "failed");
}

static void a_route_that_was_not_exercised_fails(void **state) {
    struct fixture *f = *state;
    begin(f,
          "{'routes':[{'method':'GET','path':'/page'},{'method':'GET','path':'/secret'}],'criteria':["
          "{'id':'AC-1','title':'Page','check':{'kind':'http','steps':[{'request':{'path':'/page'},'route':'GET "
          "/page'}]}}]}",
          &(struct toy){0});
    step(f, JOB_RUN_VERIFY);
    assert_criterion(f, "AC-1", "proven");
    assert_check(f, "routes-covered", "failed");
    assert_string_equal(json_str(entry(f, "checks", "routes-covered"), "fault", ""), "GET /secret was not exercised");
    step(f, JOB_RUN_FINISH);
    assert_run(f, RUN_FAILED);
}

static void an_unproven_criterion_fails_with_evidence(void **state) {
    struct fixture *f = *state;
    begin(f,
          "{'routes':[],'criteria':[{'id':'AC-1','title':'T','check':{'kind':'http','steps':["
          "{'note':'Look','request':{'path':'/page'},'expect':{'contains':['bye']}}]}},"
          "{'id':'AC-2','title':'F','check':{'kind':'files','paths':['a/x','a/y']}}]}",
          &(struct toy){0});
    step(f, JOB_RUN_VERIFY);
    assert_criterion(f, "AC-1", "failed");
    json_t *said = json_at(entry(f, "criteria", "AC-1"), "evidence.exchanges.0");
    assert_string_equal(json_str(said, "fault", ""), "the answer does not contain \"bye\"");
    assert_string_equal(json_string_value(json_at(said, "response.body")), "\"hello\"");
    assert_string_equal(json_str(entry(f, "criteria", "AC-1"), "fault", ""),
                        "Look: GET /page: the answer does not contain \"bye\"");
    assert_string_equal(json_str(entry(f, "criteria", "AC-2"), "fault", ""), "a/y is not in the tree");
}

/* A person wrote it into ACCEPTANCE.md: it stands in the ledger, and the run cannot succeed. */
static void a_criterion_without_a_check_stays_unproven(void **state) {
    struct fixture *f = *state;
    begin(f,
          "{'routes':[{'method':'GET','path':'/page'}],'criteria':["
          "{'id':'AC-1','title':'Page','check':{'kind':'http','steps':[{'request':{'path':'/page'},'route':'GET "
          "/page'}]}},{'id':'AC-2','title':'Moon','statement':'It is round','check':{'kind':'none'}}]}",
          &(struct toy){0});
    step(f, JOB_RUN_VERIFY);
    assert_criterion(f, "AC-1", "proven");
    assert_criterion(f, "AC-2", "unproven");
    assert_check(f, "AC-2", "skipped");
    assert_string_equal(json_str(entry(f, "criteria", "AC-2"), "fault", ""), "no check is known for this criterion");
    assert_string_equal(json_string_value(json_at(entry(f, "criteria", "AC-2"), "evidence.note")),
                        "no check is known for this criterion");
    assert_string_equal(event_text(f, "VERIFICATION_COMPLETED", 0, "criteria"), "{\"total\":2,\"proven\":1}");
    step(f, JOB_RUN_FINISH);
    assert_run(f, RUN_FAILED);
    assert_string_equal(run_now(f)->error, "verification failed: Moon: no check is known for this criterion");
}

static void a_plan_without_criteria_has_proven_nothing(void **state) {
    struct fixture *f = *state;
    begin(f, "{'routes':[],'criteria':[]}", &(struct toy){0});
    step(f, JOB_RUN_VERIFY);
    step(f, JOB_RUN_FINISH);
    assert_run(f, RUN_FAILED);
    assert_string_equal(run_now(f)->error, "verification failed: the spec has no criteria");
}

static void an_app_that_does_not_start_says_why(void **state) {
    struct fixture *f = *state;
    begin(f, whole_plan, &(struct toy){.start = "printf 'port taken \\351'; exit 1"});
    step(f, JOB_RUN_VERIFY);
    assert_check(f, "start", "failed");
    assert_string_equal(json_str(entry(f, "checks", "start"), "fault", ""),
                        "the app ended before it answered; its last output: port taken \xef\xbf\xbd");
    assert_criterion(f, "AC-1", "failed");
    assert_criterion(f, "AC-3", "proven"); /* the tests did pass */
}

static void a_command_that_cannot_run_has_no_exit_code(void **state) {
    struct fixture *f = *state;
    begin(f, whole_plan, &(struct toy){.lacks_test = true});
    step(f, JOB_RUN_VERIFY);
    assert_check(f, "test", "failed");
    assert_string_equal(json_str(entry(f, "checks", "test"), "fault", ""), "the stack has no command test");
    assert_true(json_is_null(json_object_get(entry(f, "checks", "test"), "exitCode")));
}

static int remove_file(struct fixture *f, const struct agent_request *request, struct agent_result *result,
                       struct err *err) {
    char *path = mem_printf("%s/a/x", request->worktree);
    (void)unlink(path);
    free(path);
    put_file(request->worktree, "a/y", "y");
    return 0;
}

static void an_output_that_a_later_task_removed_is_missed(void **state) {
    struct fixture *f = *state;
    toy_use(f, &(struct toy){0});
    add_project(f, "{\"routes\":[],\"criteria\":[]}");
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    add_task(f, "task-002", "two", "task-001", "a/**", "a/y");
    begin_run(f);
    step(f, JOB_TASK_EXECUTE);
    step(f, JOB_RUN_ADVANCE);
    f->work = remove_file;
    step(f, JOB_TASK_EXECUTE);
    step(f, JOB_RUN_ADVANCE);
    step(f, JOB_RUN_VERIFY);
    assert_check(f, "outputs", "failed");
    assert_string_equal(json_str(entry(f, "checks", "outputs"), "fault", ""), "a/x of task one is missing");
    assert_check(f, "install", "skipped");
}

struct crash {
    struct fixture *f;
    int told, after;
};

/* On the handler's own thread, after a commit: the server might die here. */
static void crash_after(const char *topic, int64_t value, void *arg) {
    struct crash *crash = arg;
    if (++crash->told == crash->after)
        reclaim(crash->f);
}

static void what_was_told_before_a_crash_is_not_told_again(void **state) {
    struct fixture *f = *state;
    struct crash crash = {.f = f, .after = 4};
    struct bus_subscription *subscription;
    begin(f, whole_plan, &(struct toy){0});
    must(f, bus_subscribe(f->engine->bus, arena_printf(f->arena, "run:%s", f->run_id), crash_after, &crash,
                          &subscription, &f->err));
    assert_int_equal(verify_run(take_job(f, JOB_RUN_VERIFY), &f->err), -ERR_STALE);
    assert_int_equal(event_count(f, "CHECK_COMPLETED"), 4);
    assert_false(fs_exists(run_verify_path(f->engine, run_now(f), f->arena)));
    step(f, JOB_RUN_VERIFY);
    bus_unsubscribe(subscription);
    assert_int_equal(event_count(f, "CHECK_COMPLETED"), 13); /* each once */
    assert_int_equal(event_count(f, "VERIFICATION_COMPLETED"), 1);
    assert_string_equal(json_str(result(f), "status", ""), "passed");
}

static bool commands_begun(struct fixture *f) {
    return fs_exists(arena_printf(f->arena, "%s/cache/begun", f->dir));
}

struct verifier {
    struct fixture *f;
    struct job_context *job;
    int rc;
    struct err err;
};

static void *verify_main(void *arg) {
    struct verifier *verifier = arg;
    verifier->rc = verify_run(verifier->job, &verifier->err);
    store_thread_end(verifier->f->engine->store);
    return NULL;
}

static void a_cancel_stops_a_command_at_work(void **state) {
    struct fixture *f = *state;
    pthread_t thread;
    begin(f, whole_plan,
          &(struct toy){.install = arena_printf(f->arena, "touch %s/cache/begun; exec sleep 600", f->dir)});
    struct verifier verifier = {.f = f, .job = take_job(f, JOB_RUN_VERIFY)};
    verifier.job->arena = arena_create();
    assert_int_equal(pthread_create(&thread, NULL, verify_main, &verifier), 0);
    assert_true(wait_until(f, commands_begun));
    int64_t began_ms = clock_mono_ms();
    atomic_store(&verifier.job->is_cancelled, true);
    pthread_join(thread, NULL);
    arena_destroy(verifier.job->arena);
    assert_int_equal(verifier.rc, -ERR_CANCELLED);
    assert_true(clock_mono_ms() - began_ms < 10000);
    assert_false(fs_exists(run_verify_path(f->engine, run_now(f), f->arena)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        engine_test(all_is_proven),
        engine_test(a_failed_build_proves_nothing),
        engine_test(failing_tests_fail_their_criterion),
        engine_test(a_route_that_was_not_exercised_fails),
        engine_test(an_unproven_criterion_fails_with_evidence),
        engine_test(a_criterion_without_a_check_stays_unproven),
        engine_test(a_plan_without_criteria_has_proven_nothing),
        engine_test(an_app_that_does_not_start_says_why),
        engine_test(a_command_that_cannot_run_has_no_exit_code),
        engine_test(an_output_that_a_later_task_removed_is_missed),
        engine_test(what_was_told_before_a_crash_is_not_told_again),
        engine_test(a_cancel_stops_a_command_at_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
