/* hostile: an agent that does its worst, as a script that runs behind the fence and under limits. For each attempt: the
 * task's attempt fails with a clear reason, nothing outside the worktree has changed, nothing of it lives on, and the
 * engine works as before. */
#include "fixture.h"

#include <sys/stat.h>

#include "sandbox/sandbox.h"

/* Of the test at hand. */
static struct {
    const char *script;
    struct sandbox_spec limits;
    bool has_no_fence;
    const char *output;
} attack;

/* What a command-line agent will be: its script in the worktree, its words as the result. */
static int run_script(struct fixture *f, const struct agent_request *request, struct agent_result *result,
                      struct err *err) {
    struct sandbox_result ended = {0};
    const char *env[] = {arena_printf(request->arena, "DATA=%s", f->dir),
                         arena_printf(request->arena, "WORKTREE=%s", request->worktree), NULL};
    struct sandbox_spec spec = attack.limits;
    spec.argv = (const char *const[]){"bash", "-c", attack.script, NULL};
    spec.dir = request->worktree;
    spec.home = arena_printf(request->arena, "%s-home", request->worktree);
    spec.env = env;
    spec.fence = attack.has_no_fence ? NULL : f->engine->fence;
    spec.wall_ms = spec.wall_ms ? spec.wall_ms : 60000;
    spec.is_cancelled = request->is_cancelled;
    spec.cancel_arg = request->cancel_arg;
    int rc = write_outputs(f, request, result, err);
    if (rc == 0)
        rc = sandbox_run(&spec, request->arena, &ended, err);
    attack.output = arena_strdup(f->arena, ended.output);
    (void)!fs_remove_tree(spec.home, NULL);
    return rc;
}

static void begin(struct fixture *f, const char *script) {
    memset(&attack, 0, sizeof attack);
    attack.script = script;
    add_task(f, "task-001", "shell", "", "src/app/** README.md", "src/app/page.tsx README.md");
    begin_run(f);
    f->work = run_script;
}

/* What must be as before, whatever the agent did. */
static void check_unharmed(struct fixture *f) {
    struct task *task = task_now(f, "shell");
    assert_false(fs_exists(engine_worktree_path(f->engine, task, f->arena)));
    assert_string_equal(task->commit_sha, "");
    assert_string_equal(ref_of(f, "refs/heads/feat/task-001-shell"), run_now(f)->base_sha);
    struct engine_health health;
    engine_get_health(f->engine, f->arena, &health);
    assert_int_equal(health.database, HEALTH_HEALTHY);
    /* An honest agent does the same task. */
    f->work = write_outputs;
    reclaim(f);
    step(f, JOB_TASK_EXECUTE);
    assert_string_not_equal(task_now(f, "shell")->commit_sha, "");
}

static void fails_with(struct fixture *f, enum err_code code, const char *reason) {
    assert_int_equal(execute_task(take_job(f, JOB_TASK_EXECUTE), &f->err), -(int)code);
    if (!strstr(f->err.message, reason))
        fail_msg("not told: %s\nbut: %s\noutput: %s", reason, f->err.message, str_or(attack.output, ""));
    check_unharmed(f);
}

/* ---- in the worktree: found before anything of ours touches it */

static void writes_outside_its_scope(void **state) {
    begin(*state, "echo x > package.json");
    fails_with(*state, ERR_VALIDATION, "1 changes outside the task's pathScope, first package.json");
}

static void plants_symlinks(void **state) {
    begin(*state, "ln -s /etc/passwd src/app/secret");
    fails_with(*state, ERR_VALIDATION, "src/app/secret is a symlink to an absolute path");
}

static void plants_a_way_up(void **state) {
    begin(*state, "ln -s ../../../../../admin.key src/app/secret");
    fails_with(*state, ERR_VALIDATION, "src/app/secret is a symlink that leaves the tree");
}

static void plants_a_pipe(void **state) {
    begin(*state, "mkfifo src/app/pipe");
    fails_with(*state, ERR_VALIDATION, "src/app/pipe is a named pipe");
}

static void plants_a_repository_with_hooks(void **state) {
    begin(*state, "mkdir -p src/app/lib/.git/hooks; echo 'touch /tmp/owned' > src/app/lib/.git/hooks/post-checkout");
    fails_with(*state, ERR_VALIDATION, "src/app/lib/.git has a name that is git's own");
}

static void plants_a_repository_in_disguise(void **state) {
    begin(*state, "mkdir -p $'src/app/.g\\u200cit'; echo x > $'src/app/.g\\u200cit/config'");
    fails_with(*state, ERR_VALIDATION, "has a name that is git's own");
}

static void plants_filters(void **state) {
    begin(*state, "echo '* filter=evil' > src/app/.gitattributes; git config filter.evil.smudge 'touch /tmp/owned'");
    fails_with(*state, ERR_VALIDATION, "src/app/.gitattributes names a filter");
}

static void plants_submodules(void **state) {
    begin(*state, "printf '[submodule \"x\"]\\npath = x\\nurl = /\\n' > .gitmodules");
    fails_with(*state, ERR_VALIDATION, ".gitmodules would bring in other repositories");
}

static void makes_a_program_of_the_user(void **state) {
    begin(*state, "cp /bin/true src/app/tool; chmod 4755 src/app/tool");
    fails_with(*state, ERR_VALIDATION, "src/app/tool is a set-user-id");
}

/* Without a fence the file can be replaced. */
static void fakes_its_git(void **state) {
    begin(*state, "rm -f .git; git init -q .; git config core.fsmonitor 'touch /tmp/owned'");
    attack.has_no_fence = true;
    fails_with(*state, ERR_VALIDATION, ".git was changed, removed or replaced");
}

/* ---- out of the worktree */

static void cannot_touch_its_git(void **state) {
    struct fixture *f = *state;
    begin(
        f,
        "rm -f .git || echo kept; echo x > .git || echo kept; mv .git y || echo kept; cat $(cut -d' ' -f2 .git)/HEAD; "
        "exec sleep 600");
    attack.limits.idle_ms = 300;
    fails_with(f, ERR_TIMEOUT, "wrote nothing for 300 ms");
    assert_true(sandbox_fence_fault(f->engine->fence) || strstr(attack.output, "kept\n"));
}

static void reads_secrets_and_writes_outside(void **state) {
    struct fixture *f = *state;
    if (sandbox_fence_fault(f->engine->fence))
        return; /* then the server's user is all that keeps them: see SECURITY.md */
    put_file(f->dir, "admin.key", "the-key");
    begin(f, "cat /etc/shadow $DATA/admin.key $DATA/prazium.db* $DATA/repos/*/config; ls -A $DATA; "
             "for to in $DATA $DATA/repos $WORKTREE/.. /usr /etc /; do echo x > $to/owned && echo wrote $to; done; "
             "(echo > /dev/tcp/127.0.0.1/1) 2>&1 | grep -c refused; getent hosts example.com; exec sleep 600");
    attack.limits.idle_ms = 500;
    fails_with(f, ERR_TIMEOUT, "wrote nothing for 500 ms");
    assert_null(strstr(attack.output, "the-key"));
    assert_null(strstr(attack.output, "root:"));
    assert_null(strstr(attack.output, "SQLite format"));
    assert_null(strstr(attack.output, "repositoryformat"));
    /* Of the data directory it sees the way to its own folders, which is not there outside. */
    assert_non_null(strstr(attack.output, "workspaces\n"));
    assert_null(strstr(attack.output, "repos\n"));
    static const char *const places[] = {"owned", "repos/owned", "workspaces/owned"};
    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        assert_false(fs_exists(fs_join(f->arena, f->dir, places[i])));
}

/* ---- resources */

static void forks_without_end(void **state) {
    begin(*state, "while :; do (setsid bash -c 'trap \"\" TERM; sleep 600' &); done");
    attack.limits.processes = 64;
    fails_with(*state, ERR_TOO_LARGE, "it had more than 64 processes and threads");
}

static void fills_the_disk(void **state) {
    begin(*state, "for i in $(seq 40); do head -c 4000000 /dev/zero > src/app/f$i; done; sleep 600");
    attack.limits.disk_bytes = 64 << 20;
    fails_with(*state, ERR_TOO_LARGE, "its folders held more than 64 MiB");
}

static void prints_without_end(void **state) {
    begin(*state, "yes; sleep 600");
    attack.limits.total_output_bytes = 16 << 20;
    fails_with(*state, ERR_TOO_LARGE, "it wrote more than 16384 KiB of output");
}

static void will_not_end(void **state) {
    begin(*state,
          "trap '' TERM INT HUP; (setsid bash -c 'trap \"\" TERM; exec -a prazium-hostile sleep 600' &); sleep 600");
    attack.limits.wall_ms = 300;
    attack.limits.grace_ms = 100;
    fails_with(*state, ERR_TIMEOUT, "did not end within 300 ms");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        engine_test(writes_outside_its_scope),
        engine_test(plants_symlinks),
        engine_test(plants_a_way_up),
        engine_test(plants_a_pipe),
        engine_test(plants_a_repository_with_hooks),
        engine_test(plants_a_repository_in_disguise),
        engine_test(plants_filters),
        engine_test(plants_submodules),
        engine_test(makes_a_program_of_the_user),
        engine_test(fakes_its_git),
        engine_test(cannot_touch_its_git),
        engine_test(reads_secrets_and_writes_outside),
        engine_test(forks_without_end),
        engine_test(fills_the_disk),
        engine_test(prints_without_end),
        engine_test(will_not_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
