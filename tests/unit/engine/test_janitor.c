/* janitor: what a crash or time left behind goes; what is in use stays. */
#include "fixture.h"

#include <sys/stat.h>
#include <utime.h>

#include "base/proc.h"
#include "engine/janitor.h"
#include "sandbox/sandbox.h"

static const char *in_data(struct fixture *f, const char *path) {
    return arena_printf(f->arena, "%s/%s", f->dir, path);
}

/* A folder with a file in it, as old as asked. */
static const char *leave(struct fixture *f, const char *path, int64_t age_ms) {
    const char *full = in_data(f, path);
    put_file(full, "file", "x");
    time_t then = (time_t)((clock_now_ms() - age_ms) / 1000);
    assert_int_equal(utime(full, &(struct utimbuf){then, then}), 0);
    return full;
}

enum { OLD_MS = 700000 };

static void orphans_go_when_they_are_old(void **state) {
    struct fixture *f = *state;
    char id[ID_LEN];
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    begin_run(f);
    const char *active = leave(f, arena_printf(f->arena, "workspaces/%s", f->project_id), OLD_MS);
    const char *idle = leave(f, arena_printf(f->arena, "workspaces/%s", id_make(id, "proj")), OLD_MS);
    const char *young = leave(f, arena_printf(f->arena, "workspaces/%s", id_make(id, "proj")), 0);
    const char *repo = leave(f, arena_printf(f->arena, "repos/%s.git", id_make(id, "proj")), OLD_MS);
    const char *young_repo = leave(f, arena_printf(f->arena, "repos/%s.git", id_make(id, "proj")), 0);
    const char *foreign = leave(f, "repos/notes", OLD_MS);
    const char *deployment = leave(f, arena_printf(f->arena, "deployments/%s", id_make(id, "dep")), 0);
    const char *export = in_data(f, arena_printf(f->arena, "exports/%s.zip", id_make(id, "exp")));
    const char *half = in_data(f, arena_printf(f->arena, "exports/%s.zip.tmp-abc", id_make(id, "exp")));
    put_file(f->dir, export + strlen(f->dir) + 1, "zip");
    put_file(f->dir, half + strlen(f->dir) + 1, "zi");
    janitor_sweep(f->engine, false);
    assert_true(fs_exists(active));
    assert_false(fs_exists(idle));
    assert_true(fs_exists(young));
    assert_false(fs_exists(repo));
    assert_true(fs_exists(young_repo));
    assert_true(fs_exists(foreign)); /* not ours to judge */
    assert_true(fs_exists(engine_repo_path(f->engine, f->project_id, f->arena)));
    assert_false(fs_exists(deployment));
    assert_false(fs_exists(export));
    assert_true(fs_exists(half)); /* it may be about to be renamed */
    clock_advance_ms(OLD_MS);
    janitor_sweep(f->engine, false);
    assert_false(fs_exists(young));
    assert_false(fs_exists(young_repo));
    assert_false(fs_exists(half));
    assert_true(fs_exists(active));
}

static void a_restart_sweeps_at_once(void **state) {
    struct fixture *f = *state;
    char id[ID_LEN];
    const char *workspace = leave(f, arena_printf(f->arena, "workspaces/%s", id_make(id, "proj")), 0);
    const char *repo = leave(f, arena_printf(f->arena, "repos/%s.git", id_make(id, "proj")), 0);
    fixture_reopen(f);
    assert_false(fs_exists(workspace));
    assert_false(fs_exists(repo));
}

static int forget_jobs_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct fixture *f = arg;
    return store_job_delete_pending(journal->db, f->run_id, err);
}

/* An open run without a job would wait for ever. */
static void runs_without_a_job_are_woken(void **state) {
    struct fixture *f = *state;
    add_project(f, NULL);
    create_run(f);
    janitor_sweep(f->engine, false);
    assert_int_equal(job_count(f, JOB_RUN_DECOMPOSE), 1); /* it has one */
    must(f, journal_write(f->engine, forget_jobs_in_tx, f, &f->err));
    janitor_sweep(f->engine, false);
    assert_int_equal(job_count(f, JOB_RUN_DECOMPOSE), 1);
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    must(f, journal_write(f->engine, decomposed_in_tx, f, &f->err));
    step(f, JOB_TASK_EXECUTE);
    must(f, journal_write(f->engine, forget_jobs_in_tx, f, &f->err));
    janitor_sweep(f->engine, false);
    step(f, JOB_RUN_ADVANCE);
    assert_run(f, RUN_VERIFYING);
    must(f, journal_write(f->engine, forget_jobs_in_tx, f, &f->err));
    janitor_sweep(f->engine, false);
    assert_int_equal(job_count(f, JOB_RUN_VERIFY), 1);
}

/* What a killed server left: claims, a lock of a ref, a child. */
static void a_start_recovers_what_the_dead_left(void **state) {
    struct fixture *f = *state;
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    begin_run(f);
    struct job_context *dead = take_job(f, JOB_TASK_EXECUTE);
    char id[ID_LEN];
    str_copy(id, sizeof(id), dead->job->id);
    const char *lock =
        arena_printf(f->arena, "%s/refs/heads/run/1.lock", engine_repo_path(f->engine, f->project_id, f->arena));
    put_file(arena_printf(f->arena, "%s/refs/heads/run", engine_repo_path(f->engine, f->project_id, f->arena)),
             "1.lock", "");
    /* A child with the tag, as an earlier instance would have left it. */
    const char *env[] = {arena_printf(f->arena, "PRAZIUM_COMMAND=%s/old", f->engine->tag), NULL};
    const char *argv[] = {"/bin/sleep", "600", NULL};
    struct proc child;
    struct proc_exit ended;
    must(f, proc_start(&child, &(struct proc_spec){.argv = argv, .env = env, .is_session = true}, &f->err));
    fixture_reopen(f);
    must(f, proc_wait(&child, clock_mono_ms() + WAIT_MS, &ended, &f->err));
    assert_int_equal(ended.signal, 9);
    proc_release(&child);
    assert_false(fs_exists(lock));
    struct job_context *again = take_job(f, JOB_TASK_EXECUTE);
    assert_string_equal(again->job->id, id);
    assert_int_equal(again->job->interruptions, 1);
    must(f, execute_task(again, &f->err));
    step(f, JOB_RUN_ADVANCE);
    assert_run(f, RUN_VERIFYING);
}

static void one_server_a_data_directory(void **state) {
    struct fixture *f = *state;
    struct engine *second = NULL;
    assert_int_equal(engine_open(&second, &f->config, &f->err), -ERR_CONFLICT);
    assert_non_null(strstr(f->err.message, "another prazium server uses the data directory"));
    assert_null(second);
    /* And the first one works on. */
    add_project(f, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        engine_test(orphans_go_when_they_are_old), engine_test(a_restart_sweeps_at_once),
        engine_test(runs_without_a_job_are_woken), engine_test(a_start_recovers_what_the_dead_left),
        engine_test(one_server_a_data_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
