/* fixture: an engine on a data directory of its own, without workers, so that a test carries out each job by hand; and
 * an agent that does what the test says. */
#ifndef TEST_ENGINE_FIXTURE_H
#define TEST_ENGINE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/wait.h"
#include "engine/context.h"
#include "engine/journal.h"
#include "engine/load.h"
#include "engine/steps.h"
#include "store/accounts.h"
#include "store/deliveries.h"
#include "store/jobs.h"
#include "store/projects.h"
#include "store/runs.h"

enum { WAIT_MS = 60000 };

struct fixture;
/* What the agent does in a task; the default writes the expected outputs. */
typedef int work_fn(struct fixture *f, const struct agent_request *request, struct agent_result *result,
                    struct err *err);

struct fixture {
    char dir[64];
    struct arena *arena;
    struct engine *engine;
    struct engine_config config;
    struct err err;
    char account_id[ID_LEN];
    char project_id[ID_LEN];
    char run_id[ID_LEN];
    json_t *tasks; /* definitions for the next run, in mergeOrder */
    work_fn *work;
    atomic_int tries;          /* calls of the agent */
    struct assets *toy_assets; /* of toy_stack */
    struct stack *toy_stack, *own_stack;
    /* What was published, for waiting. */
    pthread_mutex_t lock; /* guards told */
    pthread_cond_t changed;
    uint64_t told;
};

/* The message, when something that must succeed does not. */
#define must(f, call)                                                                                                  \
    do {                                                                                                               \
        if ((call) < 0)                                                                                                \
            fail_msg("%s: %s", #call, (f)->err.message);                                                               \
    } while (0)

/* ---- The agent */

static inline void put_file(const char *root, const char *path, const char *text) {
    struct err err = {0};
    char *full = mem_printf("%s/%s", root, path);
    if (fs_write_file(full, text, strlen(text), 0644, &err) < 0)
        fail_msg("%s", err.message);
    free(full);
}

static inline int write_outputs(struct fixture *f, const struct agent_request *request, struct agent_result *result,
                                struct err *err) {
    size_t i;
    json_t *path;
    const char *slug = json_str(request->definition, "slug", "");
    json_array_foreach (json_object_get(request->definition, "expectedOutputs"), i, path)
        put_file(request->worktree, json_string_value(path), arena_printf(request->arena, "by %s\n", slug));
    result->summary = arena_printf(request->arena, "did %s", slug);
    return 0;
}

static inline int fixture_agent_run(void *self, const struct agent_request *request, struct agent_result *result,
                                    struct err *err) {
    struct fixture *f = self;
    atomic_fetch_add(&f->tries, 1);
    return f->work(f, request, result, err);
}

static const struct agent_ops fixture_agent_ops = {.name = "test", .run = fixture_agent_run};

/* ---- Opening and closing */

static const struct agent_ops learning_agent_ops = {.name = "test", .learns = true, .run = fixture_agent_run};

/* From now on the agent is one that learns. */
static inline void let_agent_learn(struct fixture *f) {
    f->engine->agents[0].ops = &learning_agent_ops;
}

static inline void fixture_told(const char *topic, int64_t value, void *arg) {
    struct fixture *f = arg;
    pthread_mutex_lock(&f->lock);
    f->told++;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static inline void fixture_open(struct fixture *f) {
    struct bus_subscription *subscription;
    f->config.data_dir = f->dir;
    must(f, engine_open(&f->engine, &f->config, &f->err));
    f->engine->agents[0] = (struct agent){.ops = &fixture_agent_ops, .self = f};
    f->own_stack = f->engine->stack;
    if (f->toy_stack)
        f->engine->stack = f->toy_stack;
    must(f, bus_subscribe(f->engine->bus, "*", fixture_told, f, &subscription, &f->err));
}

static inline void fixture_close(struct fixture *f) {
    f->engine->stack = f->own_stack;
    engine_close(f->engine, 0);
    f->engine = NULL;
}

/* As after a crash: what is claimed was claimed by the dead. */
static inline void fixture_reopen(struct fixture *f) {
    fixture_close(f);
    fixture_open(f);
}

static inline int add_account_in_tx(struct db *db, void *arg, struct err *err) {
    return store_account_insert(db, arg, err);
}

static inline struct fixture *fixture_create(void) {
    struct fixture *f = mem_alloc(sizeof(*f));
    struct account account = {.name = "Owner", .tier = "enterprise", .created_ms = 1};
    log_set_level(getenv("TEST_LOG") ? LOG_DEBUG : LOG_ERROR);
    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/prazium-engine-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->arena = arena_create();
    f->tasks = json_array();
    f->work = write_outputs;
    pthread_mutex_init(&f->lock, NULL);
    wait_init(&f->changed);
    fixture_open(f);
    id_make(account.id, "acct");
    str_copy(f->account_id, sizeof(f->account_id), account.id);
    must(f, store_write(f->engine->store, add_account_in_tx, &account, &f->err));
    return f;
}

static inline void fixture_destroy(struct fixture *f) {
    struct err err = {0};
    if (f->engine)
        fixture_close(f);
    stack_close(f->toy_stack);
    assets_close(f->toy_assets);
    json_decref(f->tasks);
    arena_destroy(f->arena);
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
    if (fs_remove_tree(f->dir, &err) < 0)
        print_error("%s\n", err.message);
    free(f);
}

static inline int fixture_set_up(void **state) {
    *state = fixture_create();
    return 0;
}

static inline int fixture_tear_down(void **state) {
    fixture_destroy(*state);
    return 0;
}

#define engine_test(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

static inline struct db *reader(struct fixture *f) {
    struct db *db = NULL;
    must(f, store_reader(f->engine->store, &db, &f->err));
    return db;
}

/* ---- Projects and runs */

struct approve_call {
    struct fixture *f;
    const char *plan_json;
};

static inline int approve_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct approve_call *call = arg;
    struct project *project = NULL;
    struct spec spec = {.version = 1, .documents_json = "{}", .plan_json = call->plan_json, .open_points_json = "[]"};
    int rc = load_project(journal->db, journal->arena, call->f->account_id, call->f->project_id, &project, err);
    if (rc < 0)
        return rc;
    str_copy(spec.project_id, sizeof(spec.project_id), project->id);
    project->spec_version = 1;
    rc = store_spec_insert(journal->db, &spec, err);
    if (rc == 0)
        rc = store_project_set_planning(journal->db, project, err);
    if (rc == 0)
        rc = journal_project_move(journal, project, PROJECT_CLARIFYING, err);
    if (rc == 0)
        rc = journal_project_move(journal, project, PROJECT_SPEC_REVIEW, err);
    if (rc == 0)
        rc = store_spec_approve(journal->db, project->id, 1, journal->now_ms, err);
    return rc < 0 ? rc : journal_project_move(journal, project, PROJECT_APPROVED, err);
}

/* A project whose spec, with this plan, is approved. NULL: a plan without anything. */
static inline void add_project(struct fixture *f, const char *plan_json) {
    struct project *project = NULL;
    struct approve_call call = {.f = f, .plan_json = plan_json ? plan_json : "{}"};
    must(f, engine_project_create(f->engine, f->account_id, "My App", "An app.", NULL, f->arena, &project, &f->err));
    str_copy(f->project_id, sizeof(f->project_id), project->id);
    must(f, journal_write(f->engine, approve_in_tx, &call, &f->err));
}

static inline const char *plan_text(struct fixture *f, const char *name) {
    struct buf text = {0};
    const char *path = arena_printf(f->arena, "%s/tests/data/plans/%s.json", TEST_SOURCE_ROOT, name);
    must(f, fs_read_file(path, 1 << 20, &text, &f->err));
    const char *copy = arena_strndup(f->arena, text.data, text.len);
    buf_release(&text);
    return copy;
}

/* "a b" → ["a", "b"]. */
static inline json_t *words(struct fixture *f, const char *text) {
    char **parts;
    size_t count;
    json_t *list = json_array();
    str_split(f->arena, text, " ", &parts, &count);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(parts[i]));
    return list;
}

/* The next task in mergeOrder. Lists are words with blanks between. */
static inline void add_task(struct fixture *f, const char *id, const char *slug, const char *dependencies,
                            const char *scope, const char *outputs) {
    json_array_append_new(f->tasks, json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:[], s:[]}", "id", id, "slug", slug,
                                              "description", slug, "instructions", "Do it.", "dependencies",
                                              words(f, dependencies), "pathScope", words(f, scope), "expectedOutputs",
                                              words(f, outputs), "criteria", "parts"));
}

static inline int decomposed_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct fixture *f = arg;
    struct run *run = NULL;
    struct repo *repo = NULL;
    size_t i;
    json_t *definition;
    int rc = store_run_get(journal->db, journal->arena, f->run_id, NULL, &run, err);
    if (rc == 0)
        rc = engine_repo_open(f->engine, run->project_id, &repo, err);
    if (rc == 0)
        rc = repo_ref_get(repo, "refs/heads/main", run->base_sha, err);
    repo_close(repo);
    str_copy(run->head_sha, sizeof(run->head_sha), run->base_sha);
    if (rc == 0)
        rc = store_run_update(journal->db, run, err);
    json_array_foreach (f->tasks, i, definition) {
        struct task task = {.sequence = (int64_t)i + 1, .state = TASK_PENDING};
        id_make(task.id, "task");
        str_copy(task.run_id, sizeof(task.run_id), run->id);
        str_copy(task.project_id, sizeof(task.project_id), run->project_id);
        task.slug = json_str(definition, "slug", "");
        task.definition_json = json_text(journal->arena, definition);
        task.branch = arena_printf(journal->arena, "feat/%s-%s", json_str(definition, "id", ""), task.slug);
        if (rc == 0)
            rc = store_task_insert(journal->db, &task, err);
    }
    if (rc == 0)
        rc = journal_run_move(journal, run, RUN_EXECUTING, NULL, err);
    if (rc == 0)
        rc = store_job_delete_pending(journal->db, run->id, err); /* run_decompose */
    return rc < 0 ? rc : step_schedule(journal, run, err);
}

static inline void create_run(struct fixture *f) {
    struct run *run = NULL;
    must(f, engine_run_create(f->engine, f->account_id, f->project_id, &(struct run_request){.trigger = "manual"},
                              f->arena, &run, &(struct build_room){0}, &f->err));
    str_copy(f->run_id, sizeof(f->run_id), run->id);
}

/* A project, and a run of it that executes the tasks added before, as if they were what the plan asked for. */
static inline void begin_run(struct fixture *f) {
    if (!f->project_id[0])
        add_project(f, NULL);
    create_run(f);
    must(f, journal_write(f->engine, decomposed_in_tx, f, &f->err));
}

static inline struct run *run_now(struct fixture *f) {
    struct run *run = NULL;
    must(f, store_run_get(reader(f), f->arena, f->run_id, NULL, &run, &f->err));
    assert_non_null(run);
    return run;
}

static inline struct project *project_now(struct fixture *f) {
    struct project *project = NULL;
    must(f, store_project_get(reader(f), f->arena, f->project_id, NULL, &project, &f->err));
    assert_non_null(project);
    return project;
}

static inline struct task *task_now(struct fixture *f, const char *slug) {
    struct task *tasks = NULL;
    size_t count = 0;
    must(f, store_task_list(reader(f), f->arena, f->run_id, &tasks, &count, &f->err));
    for (size_t i = 0; i < count; i++)
        if (str_eq(tasks[i].slug, slug))
            return &tasks[i];
    fail_msg("there is no task %s", slug);
    return NULL;
}

#define assert_run(f, expected) assert_string_equal(run_state_name(run_now(f)->state), run_state_name(expected))
#define assert_task(f, slug, expected)                                                                                 \
    assert_string_equal(task_state_name(task_now(f, slug)->state), task_state_name(expected))

/* The run's events of this type (NULL: all), with their payloads parsed. */
static inline struct event *events_of(struct fixture *f, const char *type, size_t *count) {
    struct event_query query = {.run_id = f->run_id, .limit = 1000, .has_type = type != NULL};
    struct event *events = NULL;
    if (type)
        assert_true(event_type_parse(type, &query.type));
    must(f, store_event_list(reader(f), f->arena, &query, &events, count, &f->err));
    return events;
}

static inline size_t event_count(struct fixture *f, const char *type) {
    size_t count = 0;
    events_of(f, type, &count);
    return count;
}

/* A member of the payload of the index-th event of this type. */
static inline const char *event_text(struct fixture *f, const char *type, size_t index, const char *path) {
    size_t count = 0;
    json_t *payload = NULL;
    struct event *events = events_of(f, type, &count);
    assert_true(index < count);
    must(f, json_parse(f->arena, events[index].payload_json, strlen(events[index].payload_json), &payload, &f->err));
    const char *text = json_string_value(json_at(payload, path));
    return text ? text : json_text(f->arena, json_at(payload, path));
}

/* All event types of the run in order, with blanks between. */
static inline const char *event_line(struct fixture *f) {
    size_t count = 0;
    const char *line = "";
    struct event *events = events_of(f, NULL, &count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(events[i].sequence, (int64_t)i + 1);
        line = arena_printf(f->arena, "%s%s%s", line, i ? " " : "", event_type_name(events[i].type));
    }
    return line;
}

/* ---- Jobs by hand */

static inline int claim_in_tx(struct db *db, void *arg, struct err *err) {
    struct {
        struct fixture *f;
        struct job *job;
    } *call = arg;
    struct claim claim = {.worker = "wrk_test", .now_ms = clock_now_ms(), .lease_ms = 15000};
    return store_job_claim(db, call->f->arena, &claim, &call->job, err);
}

/* The next due job, claimed; NULL if there is none. */
static inline struct job *claim(struct fixture *f) {
    struct {
        struct fixture *f;
        struct job *job;
    } call = {.f = f};
    must(f, store_write(f->engine->store, claim_in_tx, &call, &f->err));
    return call.job;
}

static inline struct job_context *hold(struct fixture *f, struct job *job) {
    struct job_context *context = arena_alloc(f->arena, sizeof(*context));
    assert_non_null(job);
    context->engine = f->engine;
    context->arena = f->arena;
    context->job = job;
    return context;
}

/* Claims the next job, which must be of this kind. */
static inline struct job_context *take_job(struct fixture *f, enum job_kind kind) {
    struct job *job = claim(f);
    if (!job)
        fail_msg("there is no job, but %s was expected", job_kind_name(kind));
    assert_string_equal(job_kind_name(job->kind), job_kind_name(kind));
    return hold(f, job);
}

static inline int handle(struct job_context *context, struct err *err) {
    static job_handler *const handlers[] = {
        [JOB_RUN_DECOMPOSE] = decompose_run, [JOB_TASK_EXECUTE] = execute_task,
        [JOB_RUN_ADVANCE] = advance_run,     [JOB_RUN_VERIFY] = verify_run,
        [JOB_RUN_FINISH] = finish_run,       [JOB_RUN_RESUME] = resume_run,
        [JOB_EXPORT_MAKE] = make_export,     [JOB_DEPLOYMENT_START] = start_deployment,
    };
    return handlers[context->job->kind](context, err);
}

/* Carries out the next job, which must be of this kind and succeed. */
static inline void step(struct fixture *f, enum job_kind kind) {
    struct job_context *context = take_job(f, kind);
    if (handle(context, &f->err) < 0)
        fail_msg("%s: %s", job_kind_name(kind), f->err.message);
}

/* Carries out what is due until nothing is; how many jobs. */
static inline int step_all(struct fixture *f) {
    int count = 0;
    struct job *job;
    while ((job = claim(f)) != NULL) {
        if (handle(hold(f, job), &f->err) < 0)
            fail_msg("%s: %s", job_kind_name(job->kind), f->err.message);
        count++;
    }
    return count;
}

static inline int reclaim_in_tx(struct db *db, void *arg, struct err *err) {
    return store_job_reclaim(db, clock_now_ms(), true, arg, err);
}

/* Every claim is taken back, as a restart does. */
static inline int64_t reclaim(struct fixture *f) {
    int64_t count = 0;
    must(f, store_write(f->engine->store, reclaim_in_tx, &count, &f->err));
    return count;
}

static inline size_t job_count(struct fixture *f, enum job_kind kind) {
    struct job *jobs = NULL;
    size_t all = 0, count = 0;
    must(f, store_job_list(reader(f), f->arena, f->run_id, &jobs, &all, &f->err));
    for (size_t i = 0; i < all; i++)
        count += jobs[i].kind == kind;
    return count;
}

struct bury_call {
    job_burial *bury;
    const struct job *job;
    const char *message;
};

static inline int bury_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct bury_call *call = arg;
    bool is_dead = false;
    int rc = 0;
    while (rc == 0 && !is_dead) {
        rc = store_job_fail(journal->db, call->job->id, call->job->lease.token, call->message, journal->now_ms,
                            &is_dead, err);
        if (rc == 0 && !is_dead) {
            struct claim again = {.worker = "wrk_test", .now_ms = journal->now_ms, .lease_ms = 15000};
            struct job *job = NULL;
            rc = store_job_claim(journal->db, journal->arena, &again, &job, err);
            if (rc == 0 && (!job || !str_eq(job->id, call->job->id)))
                return err_set(err, ERR_INTERNAL, "another job came in between");
            call->job = job;
        }
    }
    return rc < 0 ? rc : call->bury(journal, call->job, call->message, err);
}

/* The claimed job fails until it is out of attempts, and is buried. */
static inline void bury(struct fixture *f, struct job *job, job_burial *burial, const char *message) {
    struct bury_call call = {.bury = burial, .job = job, .message = message};
    must(f, journal_write(f->engine, bury_in_tx, &call, &f->err));
}

/* ---- The repository */

static inline struct repo *repo_of(struct fixture *f) {
    struct repo *repo = NULL;
    must(f, engine_repo_open(f->engine, f->project_id, &repo, &f->err));
    return repo;
}

static inline const char *ref_of(struct fixture *f, const char *name) {
    char *sha = arena_alloc(f->arena, SHA_LEN);
    struct repo *repo = repo_of(f);
    must(f, repo_ref_get(repo, name, sha, &f->err));
    repo_close(repo);
    return sha;
}

/* All paths of a commit, with blanks between. */
static inline const char *paths_of(struct fixture *f, const char *commit) {
    struct repo *repo = repo_of(f);
    char **paths;
    size_t count;
    const char *line = "";
    must(f, repo_paths(repo, f->arena, commit, &paths, &count, &f->err));
    for (size_t i = 0; i < count; i++)
        line = arena_printf(f->arena, "%s%s%s", line, i ? " " : "", paths[i]);
    repo_close(repo);
    return line;
}

static inline const char *file_of(struct fixture *f, const char *commit, const char *path) {
    struct repo *repo = repo_of(f);
    const char *data;
    size_t len;
    must(f, repo_read(repo, f->arena, commit, path, 1 << 20, &data, &len, &f->err));
    const char *text = arena_strndup(f->arena, data, len);
    repo_close(repo);
    return text;
}

static inline const char *workspace_of(struct fixture *f) {
    return arena_printf(f->arena, "%s/workspaces/%s", f->engine->data_dir, f->project_id);
}

/* ---- Waiting for worker threads */

/* Waits until is_so answers true, looking whenever something was published; false after the deadline. */
static inline bool wait_until(struct fixture *f, bool (*is_so)(struct fixture *f)) {
    int64_t deadline_ms = clock_mono_ms() + WAIT_MS;
    for (;;) {
        pthread_mutex_lock(&f->lock);
        uint64_t seen = f->told;
        pthread_mutex_unlock(&f->lock);
        if (is_so(f))
            return true;
        if (clock_mono_ms() >= deadline_ms)
            return false;
        pthread_mutex_lock(&f->lock);
        if (f->told == seen)
            (void)wait_ms(&f->changed, &f->lock, 200);
        pthread_mutex_unlock(&f->lock);
    }
}

static inline bool run_has_ended(struct fixture *f) {
    return run_state_is_terminal(run_now(f)->state);
}

#endif
