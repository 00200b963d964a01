/* deliver: exports and deployments: who may ask, what is made, what is left when it fails. */
#include "toy.h"

#include <sched.h>

#include "base/hash.h"
#include "engine/janitor.h"
#include "engine/services.h"
#include "engine/worker.h"
#include "net/net.h"

static int succeed_in_tx(struct journal *journal, void *arg, struct err *err) {
    return step_finish(journal, run_now(arg), RUN_SUCCEEDED, NULL, err);
}

/* A run that succeeded, with one file. */
static void begin_built(struct fixture *f) {
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    begin_run(f);
    while (run_now(f)->state == RUN_EXECUTING)
        must(f, handle(hold(f, claim(f)), &f->err));
    must(f, journal_write(f->engine, succeed_in_tx, f, &f->err)); /* takes the place of the verification */
    step(f, JOB_RUN_FINISH);
    assert_run(f, RUN_SUCCEEDED);
}

static struct export *export_now(struct fixture *f, const char *id) {
    struct export *row = NULL;
    must(f, store_export_get(reader(f), f->arena, id, NULL, &row, &f->err));
    return row;
}

static struct deployment *deployment_now(struct fixture *f, const char *id) {
    struct deployment *row = NULL;
    must(f, store_deployment_get(reader(f), f->arena, id, NULL, &row, &f->err));
    return row;
}

static struct export *create_export(struct fixture *f) {
    struct export *row = NULL;
    must(f, engine_export_create(f->engine, f->account_id, f->project_id, NULL, "zip", f->arena, &row, &f->err));
    return row;
}

static void an_export_is_made_and_expires(void **state) {
    struct fixture *f = *state;
    begin_built(f);
    struct export *row = create_export(f);
    const char *path = engine_export_path(f->engine, row->id, f->arena);
    struct buf file = {0};
    char hash[HASH_HEX_LEN];
    assert_string_equal(row->run_id, f->run_id); /* the newest that succeeded */
    assert_int_equal(export_now(f, row->id)->state, EXPORT_PROCESSING);
    step(f, JOB_EXPORT_MAKE);
    struct export *made = export_now(f, row->id);
    assert_int_equal(made->state, EXPORT_COMPLETED);
    must(f, fs_read_file(path, 1 << 20, &file, &f->err));
    assert_int_equal(made->size_bytes, (int64_t)file.len);
    assert_string_equal(made->sha256, hash_sha256_hex(hash, file.data, file.len));
    assert_non_null(memmem(file.data, file.len, "my-app-run-1/a/x", 16));
    buf_release(&file);
    assert_int_equal(made->expires_ms - made->completed_ms, INT64_C(7) * 24 * 3600 * 1000);
    janitor_sweep(f->engine, false);
    assert_true(fs_exists(path));
    clock_advance_ms(INT64_C(7) * 24 * 3600 * 1000 + 1000);
    janitor_sweep(f->engine, false);
    assert_int_equal(export_now(f, row->id)->state, EXPORT_EXPIRED);
    assert_false(fs_exists(path));
}

static void an_export_is_made_once(void **state) {
    struct fixture *f = *state;
    begin_built(f);
    struct export *row = create_export(f);
    struct job_context *dead = take_job(f, JOB_EXPORT_MAKE);
    assert_int_equal(reclaim(f), 1);
    assert_int_equal(make_export(dead, &f->err), -ERR_STALE); /* the file is there, its row not */
    assert_int_equal(export_now(f, row->id)->state, EXPORT_PROCESSING);
    step(f, JOB_EXPORT_MAKE);
    assert_int_equal(export_now(f, row->id)->state, EXPORT_COMPLETED);
}

static void an_export_that_cannot_be_made_has_failed(void **state) {
    struct fixture *f = *state;
    begin_built(f);
    struct export *row = create_export(f);
    const char *folder = arena_printf(f->arena, "%s/exports", f->dir);
    must(f, fs_remove_tree(folder, &f->err));
    put_file(f->dir, "exports", "in the way");
    struct job_context *job = take_job(f, JOB_EXPORT_MAKE);
    assert_true(make_export(job, &f->err) < 0);
    bury(f, job->job, bury_export_job, f->err.message);
    assert_int_equal(export_now(f, row->id)->state, EXPORT_FAILED);
    assert_string_equal(export_now(f, row->id)->error, f->err.message);
    assert_null(claim(f));
}

static void only_what_succeeded_is_delivered(void **state) {
    struct fixture *f = *state;
    struct export *row = NULL;
    struct deployment *deployment = NULL;
    char nobody[ID_LEN];
    add_project(f, NULL);
    assert_int_equal(
        engine_export_create(f->engine, f->account_id, f->project_id, NULL, "zip", f->arena, &row, &f->err),
        -ERR_CONFLICT);
    assert_string_equal(f->err.message, "No run of this project has succeeded yet");
    create_run(f);
    assert_int_equal(
        engine_export_create(f->engine, f->account_id, f->project_id, f->run_id, "zip", f->arena, &row, &f->err),
        -ERR_CONFLICT);
    assert_string_equal(f->err.message, "The run is decomposing; only a run that succeeded can be delivered");
    assert_string_equal(f->err.field, "runId");
    id_make(nobody, "run");
    assert_int_equal(engine_deployment_create(f->engine, f->account_id, f->project_id, nobody, "local", f->arena,
                                              &deployment, &f->err),
                     -ERR_NOT_FOUND);
    assert_int_equal(engine_deployment_create(f->engine, f->account_id, f->project_id, NULL, "railway", f->arena,
                                              &deployment, &f->err),
                     -ERR_VALIDATION);
    assert_string_equal(f->err.message, "Provider \"railway\" is not configured; configured: local");
    assert_int_equal(
        engine_export_create(f->engine, f->account_id, f->project_id, NULL, "tar", f->arena, &row, &f->err),
        -ERR_VALIDATION);
    assert_string_equal(f->err.field, "format");
}

static struct deployment *create_deployment(struct fixture *f) {
    struct deployment *row = NULL;
    must(f, engine_deployment_create(f->engine, f->account_id, f->project_id, NULL, "local", f->arena, &row, &f->err));
    return row;
}

/* GET url + path. */
static int status_of(struct fixture *f, const char *url, const char *path) {
    struct net_client *client = net_client_create();
    struct net_response response = {0};
    struct net_request request = {.method = "GET", .url = arena_printf(f->arena, "%s%s", url, path)};
    int rc = net_request(client, &request, f->arena, &response, &f->err);
    net_client_destroy(client);
    return rc < 0 ? rc : response.status;
}

static const char *awaited_id; /* of the deployment that a test waits for */

static bool is_on_its_way(struct fixture *f) {
    return deployment_now(f, awaited_id)->state == DEPLOYMENT_DEPLOYING;
}

static bool is_not_live(struct fixture *f) {
    return deployment_now(f, awaited_id)->state != DEPLOYMENT_LIVE;
}

static void a_deployment_lives_and_comes_back(void **state) {
    struct fixture *f = *state;
    begin_built(f);
    toy_use(f, &(struct toy){.build = "echo x >> $HOME/builds"});
    awaited_id = create_deployment(f)->id;
    step(f, JOB_DEPLOYMENT_START);
    struct deployment *row = deployment_now(f, awaited_id);
    assert_int_equal(row->state, DEPLOYMENT_LIVE);
    assert_string_equal(row->url, arena_printf(f->arena, "http://127.0.0.1:%lld", (long long)row->port));
    assert_int_equal(status_of(f, row->url, "/page"), 200);
    /* It ends by itself: it is brought back, without being built again. */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(status_of(f, deployment_now(f, awaited_id)->url, "/end"), 200);
        assert_true(wait_until(f, is_on_its_way));
        step(f, JOB_DEPLOYMENT_START);
        assert_int_equal(deployment_now(f, awaited_id)->state, DEPLOYMENT_LIVE);
    }
    /* One that lived long begins its count anew. */
    clock_advance_ms(11 * 60 * 1000);
    assert_int_equal(status_of(f, deployment_now(f, awaited_id)->url, "/end"), 200);
    assert_true(wait_until(f, is_on_its_way));
    step(f, JOB_DEPLOYMENT_START);
    struct buf built = {0};
    must(f, fs_read_file(arena_printf(f->arena, "%s/deployments/%s/home/builds", f->dir, awaited_id), 1000, &built,
                         &f->err));
    assert_string_equal(built.data, "x\n");
    buf_release(&built);
    /* A server that starts again brings it back, too. */
    fixture_reopen(f);
    toy_use(f, &(struct toy){0});
    assert_int_equal(deployment_now(f, awaited_id)->state, DEPLOYMENT_DEPLOYING);
    step(f, JOB_DEPLOYMENT_START);
    row = deployment_now(f, awaited_id);
    assert_int_equal(status_of(f, row->url, "/page"), 200);
    fixture_close(f); /* stops it */
    assert_true(status_of(f, row->url, "/page") < 0);
}

static void an_app_that_keeps_ending_has_failed(void **state) {
    struct fixture *f = *state;
    begin_built(f);
    toy_use(f, &(struct toy){0});
    awaited_id = create_deployment(f)->id;
    for (int i = 0; i < 4; i++) {
        step(f, JOB_DEPLOYMENT_START);
        (void)status_of(f, deployment_now(f, awaited_id)->url, "/end");
        assert_true(wait_until(f, is_not_live));
    }
    assert_int_equal(deployment_now(f, awaited_id)->state, DEPLOYMENT_FAILED);
    assert_non_null(strstr(deployment_now(f, awaited_id)->error, "keeps ending by itself"));
    assert_null(claim(f));
    janitor_sweep(f->engine, false);
    assert_false(fs_exists(arena_printf(f->arena, "%s/deployments/%s", f->dir, awaited_id)));
}

static void a_build_that_fails_is_told(void **state) {
    struct fixture *f = *state;
    begin_built(f);
    toy_use(f, &(struct toy){.build = "echo it broke; exit 2"});
    struct deployment *row = create_deployment(f);
    struct job_context *job = take_job(f, JOB_DEPLOYMENT_START);
    assert_int_equal(start_deployment(job, &f->err), -ERR_UNAVAILABLE);
    assert_string_equal(f->err.message, "build ended with exit code 2: it broke\n");
    bury(f, job->job, bury_deployment_job, f->err.message);
    assert_int_equal(deployment_now(f, row->id)->state, DEPLOYMENT_FAILED);
    assert_string_equal(deployment_now(f, row->id)->error, f->err.message);
}

/* Its lease is lost while the app starts: the app does not stay. */
static void a_lost_lease_leaves_no_app(void **state) {
    struct fixture *f = *state;
    begin_built(f);
    toy_use(f, &(struct toy){.start = "echo $PORT > ${DATABASE_PATH%/*}/port; exec node -e \"$SCRIPT\""});
    const char *env[] = {f->engine->tools->env[0], arena_printf(f->arena, "SCRIPT=%s", toy_server), NULL};
    struct tools tools = *f->engine->tools;
    tools.env = env;
    f->engine->tools = &tools;
    struct deployment *row = create_deployment(f);
    struct job_context *stale = take_job(f, JOB_DEPLOYMENT_START);
    reclaim(f);
    assert_int_equal(start_deployment(stale, &f->err), -ERR_STALE);
    assert_int_equal(deployment_now(f, row->id)->state, DEPLOYMENT_DEPLOYING);
    struct buf port = {0};
    must(f, fs_read_file(arena_printf(f->arena, "%s/deployments/%s/data/port", f->dir, row->id), 100, &port, &f->err));
    assert_true(status_of(f, arena_printf(f->arena, "http://127.0.0.1:%s", str_trim(f->arena, port.data)), "/") < 0);
    buf_release(&port);
}

static bool has_folder(struct fixture *f, const char *id) {
    return fs_exists(arena_printf(f->arena, "%s/deployments/%s", f->dir, id));
}

static int stop(struct fixture *f, const char *id, struct deployment **out) {
    return engine_deployment_stop(f->engine, f->account_id, f->project_id, id, f->arena, out, &f->err);
}

static void a_live_deployment_stops_for_good(void **state) {
    struct fixture *f = *state;
    struct deployment *row = NULL;
    begin_built(f);
    toy_use(f, &(struct toy){0});
    const char *id = create_deployment(f)->id;
    step(f, JOB_DEPLOYMENT_START);
    const char *url = deployment_now(f, id)->url;
    assert_int_equal(status_of(f, url, "/page"), 200);
    must(f, stop(f, id, &row));
    assert_int_equal(row->state, DEPLOYMENT_STOPPED);
    assert_true(status_of(f, url, "/page") < 0);
    assert_false(has_folder(f, id));
    assert_null(deployment_now(f, id)->url);
    assert_int_equal(stop(f, id, &row), -ERR_CONFLICT);
    assert_string_equal(f->err.message, "The deployment is stopped already");
    fixture_reopen(f);
    assert_int_equal(deployment_now(f, id)->state, DEPLOYMENT_STOPPED);
    assert_null(claim(f));
}

static void a_deployment_stops_before_it_began(void **state) {
    struct fixture *f = *state;
    struct deployment *row = NULL;
    char nobody[ID_LEN];
    begin_built(f);
    const char *id = create_deployment(f)->id;
    must(f, stop(f, id, &row));
    assert_int_equal(deployment_now(f, id)->state, DEPLOYMENT_STOPPED);
    assert_null(claim(f));
    id_make(nobody, "dep");
    assert_int_equal(stop(f, nobody, &row), -ERR_NOT_FOUND);
    assert_int_equal(engine_deployment_stop(f->engine, "acct_other", f->project_id, id, f->arena, &row, &f->err),
                     -ERR_NOT_FOUND);
}

static bool is_building(struct fixture *f) {
    return fs_exists(arena_printf(f->arena, "%s/cache/building", f->dir));
}

/* The build would take for ever: it is ended, and the answer comes when it is gone. */
static void a_deployment_stops_while_it_is_built(void **state) {
    struct fixture *f = *state;
    struct deployment *row = NULL;
    begin_built(f);
    const char *held = arena_printf(f->arena, "%s/cache/held", f->dir);
    toy_use(f, &(struct toy){.install = arena_printf(f->arena, "exec 9>%s; flock 9; touch %s/cache/building; sleep 300",
                                                     held, f->dir)});
    must(f, workers_start(&f->engine->workers, f->engine, 1, &f->err));
    const char *id = create_deployment(f)->id;
    assert_true(wait_until(f, is_building));
    must(f, stop(f, id, &row));
    assert_int_equal(deployment_now(f, id)->state, DEPLOYMENT_STOPPED);
    assert_false(has_folder(f, id));
    CLEANUP(mem_closep) int fd = -1;
    must(f, fs_lock(held, &fd, &f->err));
}

static void a_new_deployment_takes_the_place_of_the_old(void **state) {
    struct fixture *f = *state;
    begin_built(f);
    toy_use(f, &(struct toy){0});
    const char *old = create_deployment(f)->id;
    step(f, JOB_DEPLOYMENT_START);
    const char *url = deployment_now(f, old)->url, *fresh = create_deployment(f)->id;
    assert_int_equal(deployment_now(f, old)->state, DEPLOYMENT_LIVE); /* until the new one is */
    step(f, JOB_DEPLOYMENT_START);
    assert_int_equal(deployment_now(f, fresh)->state, DEPLOYMENT_LIVE);
    assert_int_equal(deployment_now(f, old)->state, DEPLOYMENT_STOPPED);
    assert_true(status_of(f, url, "/page") < 0);
    assert_false(has_folder(f, old));
    assert_int_equal(status_of(f, deployment_now(f, fresh)->url, "/page"), 200);
}

/* The older one is ready later: it does not push the newer one out. */
static void an_old_deployment_comes_too_late(void **state) {
    struct fixture *f = *state;
    begin_built(f);
    toy_use(f, &(struct toy){0});
    const char *old = create_deployment(f)->id;
    struct job_context *slow = take_job(f, JOB_DEPLOYMENT_START);
    const char *fresh = create_deployment(f)->id;
    step(f, JOB_DEPLOYMENT_START);
    must(f, start_deployment(slow, &f->err));
    assert_int_equal(deployment_now(f, old)->state, DEPLOYMENT_STOPPED);
    assert_int_equal(deployment_now(f, fresh)->state, DEPLOYMENT_LIVE);
    assert_int_equal(status_of(f, deployment_now(f, fresh)->url, "/page"), 200);
    assert_null(claim(f));
}

static void archiving_stops_what_runs(void **state) {
    struct fixture *f = *state;
    struct deployment *row = NULL;
    begin_built(f);
    toy_use(f, &(struct toy){0});
    const char *live = create_deployment(f)->id;
    step(f, JOB_DEPLOYMENT_START);
    const char *url = deployment_now(f, live)->url, *coming = create_deployment(f)->id;
    must(f, engine_project_archive(f->engine, f->account_id, f->project_id, &f->err));
    assert_int_equal(deployment_now(f, live)->state, DEPLOYMENT_STOPPED);
    assert_int_equal(deployment_now(f, coming)->state, DEPLOYMENT_STOPPED);
    assert_true(status_of(f, url, "/page") < 0);
    assert_null(claim(f));
    assert_int_equal(
        engine_deployment_create(f->engine, f->account_id, f->project_id, NULL, "local", f->arena, &row, &f->err),
        -ERR_CONFLICT);
    assert_string_equal(f->err.message, "The project is archived");
}

static void an_export_is_deleted(void **state) {
    struct fixture *f = *state;
    begin_built(f);
    const char *made = create_export(f)->id;
    step(f, JOB_EXPORT_MAKE);
    const char *path = engine_export_path(f->engine, made, f->arena);
    assert_true(fs_exists(path));
    assert_int_equal(engine_export_delete(f->engine, "acct_other", f->project_id, made, &f->err), -ERR_NOT_FOUND);
    must(f, engine_export_delete(f->engine, f->account_id, f->project_id, made, &f->err));
    assert_null(export_now(f, made));
    assert_false(fs_exists(path));
    assert_int_equal(engine_export_delete(f->engine, f->account_id, f->project_id, made, &f->err), -ERR_NOT_FOUND);
    assert_string_equal(f->err.message, "Export not found");
    /* Before it was begun, and while it is made. */
    const char *waiting = create_export(f)->id;
    must(f, engine_export_delete(f->engine, f->account_id, f->project_id, waiting, &f->err));
    assert_null(claim(f));
    const char *making = create_export(f)->id;
    struct job_context *job = take_job(f, JOB_EXPORT_MAKE);
    must(f, engine_export_delete(f->engine, f->account_id, f->project_id, making, &f->err));
    must(f, make_export(job, &f->err));
    assert_null(export_now(f, making));
    assert_false(fs_exists(engine_export_path(f->engine, making, f->arena)));
    assert_null(claim(f));
}

struct making {
    struct job_context *job;
    int rc;
    struct err err;
};

static void *make_main(void *arg) {
    struct making *making = arg;
    making->rc = make_export(making->job, &making->err);
    store_thread_end(making->job->engine->store);
    return NULL;
}

/* Whoever comes first, nothing is left. */
static void an_export_is_deleted_while_it_is_made(void **state) {
    struct fixture *f = *state;
    begin_built(f);
    for (int i = 0; i < 20; i++) {
        const char *id = create_export(f)->id;
        struct making making = {.job = take_job(f, JOB_EXPORT_MAKE)};
        pthread_t thread;
        making.job->arena = arena_create();
        assert_int_equal(pthread_create(&thread, NULL, make_main, &making), 0);
        if (i % 2)
            sched_yield();
        must(f, engine_export_delete(f->engine, f->account_id, f->project_id, id, &f->err));
        pthread_join(thread, NULL);
        if (making.rc < 0)
            fail_msg("%s", making.err.message);
        arena_destroy(making.job->arena);
        assert_null(export_now(f, id));
        assert_false(fs_exists(engine_export_path(f->engine, id, f->arena)));
        assert_null(claim(f));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        engine_test(an_export_is_made_and_expires),
        engine_test(an_export_is_made_once),
        engine_test(an_export_that_cannot_be_made_has_failed),
        engine_test(only_what_succeeded_is_delivered),
        engine_test(a_deployment_lives_and_comes_back),
        engine_test(an_app_that_keeps_ending_has_failed),
        engine_test(a_build_that_fails_is_told),
        engine_test(a_lost_lease_leaves_no_app),
        engine_test(a_live_deployment_stops_for_good),
        engine_test(a_deployment_stops_before_it_began),
        engine_test(a_deployment_stops_while_it_is_built),
        engine_test(a_new_deployment_takes_the_place_of_the_old),
        engine_test(an_old_deployment_comes_too_late),
        engine_test(archiving_stops_what_runs),
        engine_test(an_export_is_deleted),
        engine_test(an_export_is_deleted_while_it_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
