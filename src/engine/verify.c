/* verify: proves the merged result: outputs, install, type-check, build, tests, the running app's routes, and every
 * acceptance criterion, each with its evidence. What cannot be proven has failed. */
#include <string.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/exchange.h"
#include "engine/load.h"
#include "engine/rework.h"
#include "engine/steps.h"
#include "engine/toolchain.h"
#include "store/jobs.h"
#include "store/runs.h"

#define LARGEST_FILE_BYTES (64 << 20)
#define EVIDENCE_OUTPUT_BYTES 4000 /* of a command's output, its end */

struct verification {
    struct job_context *context;
    struct engine *engine;
    struct arena *arena;
    struct run *run;
    struct repo *repo;
    json_t *plan;
    json_t *result; /* verificationResult in the making */
    json_t *told;   /* id → status of the checks that were told before a crash */
    struct app app;
    struct sandbox_service *service;
    struct exchanges *exchanges;
    const char *broken; /* what keeps later checks from being carried out, or NULL */
    /* of the check being recorded */
    json_t *check;
};

static int record_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct verification *v = arg;
    struct run *run = NULL;
    int rc = step_begin(journal, v->context->job, &run, err);
    if (rc < 0)
        return rc;
    run->verification_json = json_text(journal->arena, v->result);
    rc = store_run_update(journal->db, run, err);
    const char *id = json_str(v->check, "id", ""), *status = json_str(v->check, "status", "");
    if (rc < 0 || str_eq(json_str(v->told, id, NULL), status))
        return rc;
    json_t *payload = json_own(journal->arena, json_pack("{s:s, s:s, s:s, s:s, s:I}", "check", id, "title",
                                                         json_str(v->check, "title", ""), "kind",
                                                         json_str(v->check, "kind", ""), "status", status, "durationMs",
                                                         (json_int_t)json_int(v->check, "durationMs", 0)));
    if (json_str(v->check, "fault", NULL))
        json_object_set(payload, "fault", json_object_get(v->check, "fault"));
    return journal_event(journal, run, NULL, EVENT_CHECK_COMPLETED, json_text(journal->arena, payload), err);
}

/* Keeps a check's outcome, durably, and tells it. fault NULL: passed. extra's members are added (may be NULL). */
static int record(struct verification *v, const char *id, const char *kind, const char *title, int64_t began_ms,
                  const char *fault, bool is_skipped, json_t *extra, struct err *err) {
    json_t *check = json_pack("{s:s, s:s, s:s, s:s, s:I}", "id", id, "kind", kind, "title", title, "status",
                              is_skipped ? "skipped"
                              : fault    ? "failed"
                                         : "passed",
                              "durationMs", (json_int_t)(clock_mono_ms() - began_ms));
    if (fault)
        json_object_set_new(check, "fault", json_string(str_mend(v->arena, fault)));
    if (extra)
        json_object_update(check, extra);
    json_array_append_new(json_object_get(v->result, "checks"), check);
    v->check = check;
    return journal_write(v->engine, record_in_tx, v, err);
}

static int check_outputs(struct verification *v, struct err *err) {
    int64_t began = clock_mono_ms();
    char **paths = NULL;
    size_t count = 0, task_count = 0, total = 0;
    struct task *tasks = NULL;
    struct db *db = NULL;
    const char *fault = NULL;
    int rc = repo_paths(v->repo, v->arena, v->run->head_sha, &paths, &count, err);
    if (rc == 0)
        rc = store_reader(v->engine->store, &db, err);
    if (rc == 0)
        rc = store_task_list(db, v->arena, v->run->id, &tasks, &task_count, err);
    json_t *present = json_own(v->arena, json_object());
    for (size_t i = 0; i < count; i++)
        json_object_set_new(present, paths[i], json_true());
    for (size_t i = 0; rc == 0 && i < task_count; i++) {
        json_t *definition = NULL, *expected;
        size_t k;
        rc = load_definition(&tasks[i], v->arena, &definition, err);
        json_array_foreach (json_object_get(definition, "expectedOutputs"), k, expected) {
            total++;
            if (!fault && !json_object_get(present, json_string_value(expected)))
                fault = arena_printf(v->arena, "%s of task %s is missing", json_string_value(expected), tasks[i].slug);
        }
    }
    if (rc < 0)
        return rc;
    if (fault)
        v->broken = "an expected output is missing";
    json_t *extra =
        json_own(v->arena, json_pack("{s:I, s:I}", "expected", (json_int_t)total, "files", (json_int_t)count));
    return record(v, "outputs", "files", "Every expected output is there", began, fault, false, extra, err);
}

static const char *command_line(struct arena *arena, const char *const *argv) {
    const char *text = argv ? argv[0] : "(none)";
    for (size_t i = 1; argv && argv[i]; i++)
        text = arena_printf(arena, "%s %s", text, argv[i]);
    return text;
}

static int check_command(struct verification *v, const char *name, const char *title, struct err *err) {
    int64_t began = clock_mono_ms();
    struct sandbox_result result = {0};
    struct err run_err = {0};
    const char *fault = NULL;
    if (v->broken)
        return record(v, name, "command", title, began, arena_printf(v->arena, "not reached: %s", v->broken), true,
                      NULL, err);
    int rc = app_command(&v->app, name, v->arena, &result, &run_err);
    if (rc == -ERR_CANCELLED)
        return err_set(err, ERR_CANCELLED, "stopped");
    if (rc < 0)
        fault = arena_strdup(v->arena, run_err.message);
    else if (result.exit_code != 0)
        fault = arena_printf(v->arena, "exit code %d", result.exit_code);
    if (fault)
        v->broken = arena_printf(v->arena, "%s failed", name);
    struct buf clean = {0};
    struct jw jw; /* the writer mends what is not UTF-8 */
    jw_init(&jw, &clean);
    jw_object(&jw);
    jw_kstr(&jw, "command", command_line(v->arena, stack_command(v->engine->stack, name)));
    jw_key(&jw, "exitCode");
    if (rc < 0 && !result.reason)
        jw_null(&jw); /* it never ran */
    else
        jw_int(&jw, result.exit_code);
    jw_kstr(&jw, "output", str_tail(str_or(result.output, ""), EVIDENCE_OUTPUT_BYTES));
    jw_object_end(&jw);
    json_t *extra = NULL;
    rc = json_parse(v->arena, clean.data, clean.len, &extra, err);
    buf_release(&clean);
    return rc < 0 ? rc : record(v, name, "command", title, began, fault, false, extra, err);
}

static int check_start(struct verification *v, struct err *err) {
    int64_t began = clock_mono_ms();
    struct err start_err = {0};
    int port = 0;
    if (v->broken)
        return record(v, "start", "start", "The app starts and answers", began,
                      arena_printf(v->arena, "not reached: %s", v->broken), true, NULL, err);
    int rc = app_start(&v->app, &v->service, &port, &start_err);
    if (rc == -ERR_CANCELLED)
        return err_set(err, ERR_CANCELLED, "stopped");
    if (rc < 0)
        v->broken = "the app did not start";
    else
        v->exchanges = exchanges_create(port, job_should_stop, v->context);
    return record(v, "start", "start", "The app starts and answers", began,
                  rc < 0 ? arena_strdup(v->arena, start_err.message) : NULL, false, NULL, err);
}

/* Steps against the running app. *fault as recorded. */
static int check_steps(struct verification *v, const char *id, const char *title, const json_t *steps,
                       const char **fault, json_t **evidence, struct err *err) {
    int64_t began = clock_mono_ms();
    *evidence = json_own(v->arena, json_array());
    *fault = NULL;
    if (!v->exchanges) {
        *fault = arena_printf(v->arena, "not reached: %s", str_or(v->broken, "the app is not running"));
        return record(v, id, "http", title, began, *fault, true, NULL, err);
    }
    int rc = exchanges_run(v->exchanges, steps, v->arena, *evidence, fault, err);
    if (rc < 0)
        return rc;
    json_t *extra = json_own(v->arena, json_pack("{s:O}", "exchanges", *evidence));
    return record(v, id, "http", title, began, *fault, false, extra, err);
}

static int check_routes(struct verification *v, struct err *err) {
    int64_t began = clock_mono_ms();
    const char *fault = NULL;
    size_t i;
    json_t *route, *routes = json_object_get(v->plan, "routes");
    json_array_foreach (routes, i, route) {
        const char *name = arena_printf(v->arena, "%s %s", json_str(route, "method", ""), json_str(route, "path", ""));
        if (!fault && !(v->exchanges && exchanges_covered(v->exchanges, name)))
            fault = arena_printf(v->arena, "%s was not exercised", name);
    }
    json_t *extra = json_own(v->arena, json_pack("{s:I}", "routes", (json_int_t)json_array_size(routes)));
    return record(v, "routes-covered", "http", "Every route of ROUTES.md was exercised", began, fault, !v->exchanges,
                  extra, err);
}

static const char *status_of_check(const struct verification *v, const char *id) {
    size_t i;
    json_t *check;
    json_array_foreach (json_object_get(v->result, "checks"), i, check) {
        if (str_eq(json_str(check, "id", NULL), id))
            return json_str(check, "status", "");
    }
    return "missing";
}

/* The tasks (task-001 …) whose definition names the criterion. */
static json_t *tasks_of_criterion(const struct verification *v, const char *criterion_id) {
    json_t *found = json_array(), *definition, *id, *parsed = NULL;
    size_t i, k;
    struct err err = {0};
    if (!v->run->tasks_json || json_parse(v->arena, v->run->tasks_json, strlen(v->run->tasks_json), &parsed, &err) < 0)
        return found;
    json_array_foreach (json_object_get(parsed, "tasks"), i, definition) {
        json_array_foreach (json_object_get(definition, "criteria"), k, id) {
            if (str_eq(json_string_value(id), criterion_id))
                json_array_append(found, json_object_get(definition, "id"));
        }
    }
    return found;
}

/* Every path is in the tree, and every text of "contains" in each of the files. */
static const char *find_file_fault(struct verification *v, const json_t *check) {
    size_t i, k, len;
    json_t *path, *text;
    json_array_foreach (json_object_get(check, "paths"), i, path) {
        const char *data, *name = str_or(json_string_value(path), "");
        struct err err = {0};
        if (repo_read(v->repo, v->arena, v->run->head_sha, name, LARGEST_FILE_BYTES, &data, &len, &err) < 0)
            return arena_printf(v->arena, "%s is not in the tree", name);
        json_array_foreach (json_object_get(check, "contains"), k, text) {
            if (!memmem(data, len, json_string_value(text), json_string_length(text)))
                return arena_printf(v->arena, "%s does not contain \"%s\"", name, json_string_value(text));
        }
    }
    return NULL;
}

/* A criterion that rests on a file or on another check. */
static int prove_otherwise(struct verification *v, const char *kind, const json_t *check, const char **fault,
                           struct err *err) {
    if (str_eq(kind, "files")) {
        *fault = find_file_fault(v, check);
        return 0;
    }
    if (!str_eq(kind, "tests") && !str_eq(kind, "build"))
        return err_set(err, ERR_INTERNAL, "a criterion has a check of unknown kind '%s'", kind);
    const char *id = str_eq(kind, "tests") ? "test" : "build";
    if (!str_eq(status_of_check(v, id), "passed"))
        *fault = arena_printf(v->arena, "the check %s is %s", id, status_of_check(v, id));
    return 0;
}

static int check_criterion(struct verification *v, const json_t *criterion, struct err *err) {
    const json_t *check = json_object_get(criterion, "check");
    const char *id = json_str(criterion, "id", ""), *title = json_str(criterion, "title", ""),
               *kind = json_str(check, "kind", "");
    const char *fault = NULL;
    json_t *evidence = NULL, *proof = json_own(v->arena, json_pack("{s:s}", "kind", kind));
    int64_t began = clock_mono_ms();
    bool is_unknown = str_eq(kind, "none"); /* a person wrote it, and nobody knows how to prove it */
    int rc;
    if (is_unknown) {
        fault = "no check is known for this criterion";
        json_object_set_new(proof, "note", json_string(fault));
        rc = record(v, id, kind, title, began, fault, true, NULL, err);
    } else if (str_eq(kind, "http")) {
        rc = check_steps(v, id, title, json_object_get(check, "steps"), &fault, &evidence, err);
        if (rc == 0)
            json_object_set(proof, "exchanges", evidence);
    } else {
        rc = prove_otherwise(v, kind, check, &fault, err);
        json_object_update_missing(
            proof, json_own(v->arena, json_pack("{s:s}", "check", str_eq(kind, "tests") ? "test" : kind)));
        if (json_object_get(check, "paths"))
            json_object_set(proof, "paths", json_object_get(check, "paths"));
        if (json_object_get(check, "contains"))
            json_object_set(proof, "contains", json_object_get(check, "contains"));
        if (rc == 0)
            rc = record(v, id, kind, title, began, fault, false, NULL, err);
    }
    if (rc < 0)
        return rc;
    json_t *entry = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:O}", "id", id, "title", title, "statement",
                              json_str(criterion, "statement", ""), "status",
                              is_unknown ? "unproven"
                              : fault    ? "failed"
                                         : "proven",
                              "checkId", id, "tasks", tasks_of_criterion(v, id), "evidence", proof);
    if (fault)
        json_object_set_new(entry, "fault", json_string(str_mend(v->arena, fault)));
    json_array_append_new(json_object_get(v->result, "criteria"), entry);
    return 0;
}

static int check_app(struct verification *v, struct err *err) {
    const json_t *setup = json_object_get(v->plan, "setup");
    const char *fault = NULL;
    json_t *evidence, *check, *criterion;
    size_t i;
    int rc = check_start(v, err);
    if (rc == 0 && json_array_size(setup) > 0)
        rc = check_steps(v, "setup", "The first account is made", setup, &fault, &evidence, err);
    if (rc == 0 && fault && !v->broken)
        v->broken = "the first account could not be made";
    json_array_foreach (json_object_get(v->plan, "checks"), i, check) {
        if (rc == 0)
            rc = check_steps(v, json_str(check, "id", ""), json_str(check, "title", ""),
                             json_object_get(check, "steps"), &fault, &evidence, err);
    }
    json_array_foreach (json_object_get(v->plan, "criteria"), i, criterion) {
        if (rc == 0)
            rc = check_criterion(v, criterion, err);
    }
    return rc < 0 ? rc : check_routes(v, err);
}

static int run_checks(struct verification *v, struct err *err) {
    int rc = check_outputs(v, err);
    if (rc == 0)
        rc = check_command(v, "install", "Dependencies install from the lock file", err);
    if (rc == 0)
        rc = check_command(v, "typecheck", "The types hold", err);
    if (rc == 0)
        rc = check_command(v, "build", "The app builds", err);
    if (rc == 0)
        rc = check_command(v, "test", "The app's own tests pass", err);
    return rc < 0 ? rc : check_app(v, err);
}

/* Why the result is not a success, or NULL. A run without criteria has proven nothing. */
static const char *find_failure(const struct verification *v) {
    size_t i;
    json_t *item;
    json_array_foreach (json_object_get(v->result, "checks"), i, item) {
        if (!str_eq(json_str(item, "status", ""), "passed"))
            return arena_printf(v->arena, "verification failed: %s: %s", json_str(item, "title", ""),
                                json_str(item, "fault", "skipped"));
    }
    json_array_foreach (json_object_get(v->result, "criteria"), i, item) {
        if (!str_eq(json_str(item, "status", ""), "proven"))
            return arena_printf(v->arena, "%s is not proven: %s", json_str(item, "id", ""),
                                json_str(item, "fault", ""));
    }
    return json_array_size(json_object_get(v->result, "criteria")) == 0
               ? "verification failed: the spec has no criteria"
               : NULL;
}

static int conclude_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct verification *v = arg;
    struct run *run = NULL;
    size_t i, proven = 0;
    bool is_sent = false;
    json_t *item, *criteria = json_object_get(v->result, "criteria");
    const char *failure = find_failure(v), *status = failure ? "failed" : "passed";
    int rc = step_begin(journal, v->context->job, &run, err);
    if (rc < 0)
        return rc;
    json_array_foreach (criteria, i, item)
        proven += str_eq(json_str(item, "status", ""), "proven");
    run->verification_json = json_text(journal->arena, v->result);
    rc = store_run_update(journal->db, run, err);
    if (rc == 0)
        rc = journal_event(journal, run, NULL, EVENT_VERIFICATION_COMPLETED,
                           arena_printf(journal->arena,
                                        "{\"status\":\"%s\",\"criteria\":{\"total\":%zu,\"proven\":%zu}}", status,
                                        json_array_size(criteria), proven),
                           err);
    if (rc == 0 && failure)
        rc = rework_begin(journal, run, v->result, &is_sent, err);
    if (rc == 0 && !is_sent)
        rc = step_finish(journal, run, failure ? RUN_FAILED : RUN_SUCCEEDED, failure, err);
    return rc < 0 ? rc : step_end(journal, v->context->job, err);
}

/* What was told before a crash is not told again. */
static void remember_told(struct verification *v) {
    json_t *before = NULL, *check;
    size_t i;
    struct err err = {0};
    v->told = json_own(v->arena, json_object());
    if (!v->run->verification_json ||
        json_parse(v->arena, v->run->verification_json, strlen(v->run->verification_json), &before, &err) < 0)
        return;
    /* An earlier round that was concluded is told already; this one is told whole. */
    if (!str_eq(json_str(before, "status", ""), "running"))
        return;
    json_array_foreach (json_object_get(before, "checks"), i, check)
        json_object_set(v->told, json_str(check, "id", ""), json_object_get(check, "status"));
}

static int prepare(struct verification *v, struct err *err) {
    struct db *db = NULL;
    const char *root = run_verify_path(v->engine, v->run, v->arena);
    char now[CLOCK_ISO_LEN];
    int rc = store_reader(v->engine->store, &db, err);
    if (rc == 0)
        rc = load_plan(db, v->arena, v->run, &v->plan, err);
    if (rc == 0)
        rc = engine_repo_open(v->engine, v->run->project_id, &v->repo, err);
    v->app = (struct app){.engine = v->engine,
                          .dir = arena_printf(v->arena, "%s/app", root),
                          .home = arena_printf(v->arena, "%s/home", root),
                          .data = arena_printf(v->arena, "%s/data", root),
                          .is_cancelled = job_should_stop,
                          .cancel_arg = v->context};
    if (rc == 0)
        rc = fs_remove_tree(root, err);
    if (rc == 0)
        rc = fs_mkdirs(root, 0750, err);
    if (rc == 0)
        rc = repo_checkout(v->repo, v->run->head_sha, v->app.dir, err);
    remember_told(v);
    v->result =
        json_own(v->arena, json_pack("{s:s, s:s, s:s, s:[], s:[]}", "status", "running", "commitSha", v->run->head_sha,
                                     "startedAt", clock_iso(clock_now_ms(), now), "criteria", "checks"));
    return rc;
}

int verify_run(struct job_context *context, struct err *err) {
    struct verification v = {.context = context, .engine = context->engine, .arena = context->arena};
    struct db *db = NULL;
    char now[CLOCK_ISO_LEN];
    int rc = store_reader(v.engine->store, &db, err);
    if (rc == 0)
        rc = load_job_run(db, v.arena, context->job, &v.run, err);
    if (rc < 0)
        return rc;
    if (v.run->state != RUN_VERIFYING)
        return step_nothing(context, err);
    rc = prepare(&v, err);
    if (rc == 0)
        rc = run_checks(&v, err);
    exchanges_destroy(v.exchanges);
    sandbox_service_stop(v.service, 2000);
    repo_close(v.repo);
    struct err remove_err = {0};
    if (fs_remove_tree(run_verify_path(v.engine, v.run, v.arena), &remove_err) < 0)
        log_event(LOG_WARN, "cannot remove a verification folder", "run", v.run->id, "error", remove_err.message, NULL);
    if (rc < 0)
        return rc;
    json_object_set_new(v.result, "status", json_string(find_failure(&v) ? "failed" : "passed"));
    json_object_set_new(v.result, "completedAt", json_string(clock_iso(clock_now_ms(), now)));
    return journal_write(v.engine, conclude_in_tx, &v, err);
}
