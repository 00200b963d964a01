/* Tests of agent/blueprint: what it writes, what it removes, and what it never touches. */
#include "../blueprint/fixture.h"

#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"

static const char stack_json[] =
    "{\"name\":\"toy\",\"title\":\"Toy\",\"commands\":{},\"parts\":{"
    "\"base\":{\"title\":\"Base\",\"needs\":[],\"scope\":[\"base/**\",\"top\"],\"files\":["
    "{\"template\":\"plain\",\"path\":\"base/plain\",\"copy\":true},{\"template\":\"plain\",\"path\":\"top\"}]},"
    "\"entity\":{\"each\":\"entities\",\"title\":\"E\",\"needs\":[\"base\"],\"scope\":[\"src/{{slug}}/**\"],\"files\":["
    "{\"template\":\"one.mustache\",\"path\":\"src/{{slug}}/deep/one\"}]}}}";

struct bench {
    struct fixture fixture;
    struct assets *assets;
    struct stack *stack;
    struct agent agent;
    struct agent_request request;
    struct agent_result result;
    char output[512];
    int polls_left; /* before is_cancelled says so; -1: never */
};

static bool is_cancelled(void *arg) {
    struct bench *bench = arg;
    return bench->polls_left == 0 || (bench->polls_left > 0 && bench->polls_left-- == 0);
}

static void note_output(const char *text, void *arg) {
    struct bench *bench = arg;
    size_t len = strlen(bench->output);
    (void)snprintf(bench->output + len, sizeof(bench->output) - len, "%s\n", text);
}

static void bench_init(struct bench *bench) {
    memset(bench, 0, sizeof(*bench));
    fixture_init(&bench->fixture);
    fixture_write(&bench->fixture, "data/stacks/toy/stack.json", stack_json);
    fixture_write(&bench->fixture, "data/stacks/toy/plain", "plain\n");
    fixture_write(&bench->fixture, "data/stacks/toy/one.mustache", "{{{Type}}}\n");
    const char *data = fs_join(bench->fixture.arena, bench->fixture.dir, "data");
    assert_int_equal(assets_open(&bench->assets, data, &bench->fixture.err), 0);
    if (stack_open(&bench->stack, bench->assets, "toy", &bench->fixture.err) < 0)
        fail_msg("%s", bench->fixture.err.message);
    fixture_write(&bench->fixture, "tree/.git", "gitdir: elsewhere\n");
    agent_blueprint_init(&bench->agent, bench->stack);
    bench->polls_left = -1;
    bench->request = (struct agent_request){
        .plan = fixture_plan(&bench->fixture, "projects"),
        .worktree = fs_join(bench->fixture.arena, bench->fixture.dir, "tree"),
        .attempt = 1,
        .arena = bench->fixture.arena,
        .is_cancelled = is_cancelled,
        .cancel_arg = bench,
        .on_output = note_output,
        .output_arg = bench,
    };
}

static void bench_release(struct bench *bench) {
    stack_close(bench->stack);
    assets_close(bench->assets);
    fixture_release(&bench->fixture);
}

static int run(struct bench *bench, const char *definition) {
    bench->request.definition = fixture_json(&bench->fixture, definition);
    return bench->agent.ops->run(bench->agent.self, &bench->request, &bench->result, &bench->fixture.err);
}

static void expect_file(struct bench *bench, const char *path, const char *text) {
    const char *found = fixture_read(&bench->fixture, path);
    if (!found)
        fail_msg("%s is missing", path);
    assert_string_equal(found, text);
}

static void writes_the_parts_of_a_task(void **state) {
    struct bench bench;
    bench_init(&bench);
    if (run(&bench, "{\"parts\":[\"base\",\"entity:tasks\"],\"pathScope\":[\"base/**\",\"top\",\"src/tasks/**\"]}") < 0)
        fail_msg("%s", bench.fixture.err.message);
    expect_file(&bench, "tree/base/plain", "plain\n");
    expect_file(&bench, "tree/top", "plain\n");
    expect_file(&bench, "tree/src/tasks/deep/one", "Task\n");
    assert_null(fixture_read(&bench.fixture, "tree/src/teams/deep/one"));
    assert_string_equal(bench.output, "2 files for base\n1 file for entity:tasks\n");
    assert_string_equal(bench.result.summary, "3 written, 0 removed");
    bench_release(&bench);
}

static void removes_what_no_part_makes(void **state) {
    struct bench bench;
    bench_init(&bench);
    fixture_write(&bench.fixture, "tree/src/tasks/old/a", "x");
    fixture_write(&bench.fixture, "tree/src/tasks/deep/one", "x");
    fixture_write(&bench.fixture, "tree/src/tasks/deep/two", "x");
    fixture_write(&bench.fixture, "tree/src/teams/kept", "x");
    fixture_write(&bench.fixture, "tree/notes", "x");
    assert_int_equal(run(&bench, "{\"parts\":[\"entity:tasks\"],\"pathScope\":[\"src/tasks/**\"]}"), 0);
    assert_null(fixture_read(&bench.fixture, "tree/src/tasks/old/a"));
    assert_false(fs_exists(fs_join(bench.fixture.arena, bench.request.worktree, "src/tasks/old")));
    assert_null(fixture_read(&bench.fixture, "tree/src/tasks/deep/two"));
    expect_file(&bench, "tree/src/tasks/deep/one", "Task\n");
    expect_file(&bench, "tree/src/teams/kept", "x");
    expect_file(&bench, "tree/notes", "x");
    assert_string_equal(bench.output, "2 files removed\n1 file for entity:tasks\n");
    bench_release(&bench);
}

static void retires_paths(void **state) {
    struct bench bench;
    bench_init(&bench);
    fixture_write(&bench.fixture, "tree/src/gone/page", "x");
    fixture_write(&bench.fixture, "tree/src/kept/page", "x");
    assert_int_equal(run(&bench, "{\"parts\":[\"retire\"],\"pathScope\":[\"src/gone/page\",\"src/absent\",\".git\"]}"),
                     0);
    assert_false(fs_exists(fs_join(bench.fixture.arena, bench.request.worktree, "src/gone")));
    expect_file(&bench, "tree/src/kept/page", "x");
    expect_file(&bench, "tree/.git", "gitdir: elsewhere\n");
    assert_string_equal(bench.result.summary, "0 written, 1 removed");
    /* Again: nothing is left to do. */
    assert_int_equal(run(&bench, "{\"parts\":[\"retire\"],\"pathScope\":[\"src/gone/page\"]}"), 0);
    bench_release(&bench);
}

static void leaves_git_alone(void **state) {
    struct bench bench;
    bench_init(&bench);
    fixture_write(&bench.fixture, "tree/sub/.git/config", "x");
    assert_int_equal(run(&bench, "{\"parts\":[\"retire\"],\"pathScope\":[\"**\"]}"), 0);
    expect_file(&bench, "tree/.git", "gitdir: elsewhere\n");
    expect_file(&bench, "tree/sub/.git/config", "x");
    bench_release(&bench);
}

static void follows_no_symlink(void **state) {
    struct bench bench;
    bench_init(&bench);
    struct arena *arena = bench.fixture.arena;
    const char *outside = fs_join(arena, bench.fixture.dir, "outside");
    fixture_write(&bench.fixture, "outside/kept", "x");
    fixture_write(&bench.fixture, "outside/plain", "x");
    fixture_write(&bench.fixture, "tree/src/x", "x");

    /* A folder on the way. */
    assert_int_equal(symlink(outside, fs_join(arena, bench.request.worktree, "base")), 0);
    assert_int_equal(run(&bench, "{\"parts\":[\"base\"],\"pathScope\":[\"base/**\",\"top\"]}"), -ERR_VALIDATION);
    assert_int_equal(run(&bench, "{\"parts\":[\"base\"],\"pathScope\":[\"top\"]}"), -ERR_VALIDATION);
    expect_file(&bench, "outside/kept", "x");
    expect_file(&bench, "outside/plain", "x");
    assert_int_equal(unlink(fs_join(arena, bench.request.worktree, "base")), 0);

    /* The file itself: the link is replaced. Another in the scope goes. */
    assert_int_equal(symlink("../outside/kept", fs_join(arena, bench.request.worktree, "top")), 0);
    assert_int_equal(mkdir(fs_join(arena, bench.request.worktree, "base"), 0755), 0);
    assert_int_equal(symlink(outside, fs_join(arena, bench.request.worktree, "base/link")), 0);
    assert_int_equal(run(&bench, "{\"parts\":[\"base\"],\"pathScope\":[\"base/**\",\"top\"]}"), 0);
    expect_file(&bench, "tree/top", "plain\n");
    expect_file(&bench, "outside/kept", "x");
    assert_false(fs_exists(fs_join(arena, bench.request.worktree, "base/link")));
    bench_release(&bench);
}

static void refuses_unknown_parts(void **state) {
    static const char *const definitions[] = {
        "{}",
        "{\"parts\":[]}",
        "{\"parts\":[\"ghost\"]}",
        "{\"parts\":[1]}",
        "{\"parts\":[\"base\"],\"pathScope\":[\"/etc/**\"]}",
    };
    struct bench bench;
    bench_init(&bench);
    for (size_t i = 0; i < ARRAY_LEN(definitions); i++)
        assert_int_equal(run(&bench, definitions[i]), -ERR_VALIDATION);
    assert_null(fixture_read(&bench.fixture, "tree/top"));
    bench_release(&bench);
}

static void stops_when_cancelled(void **state) {
    struct bench bench;
    bench_init(&bench);
    bench.polls_left = 1;
    assert_int_equal(run(&bench, "{\"parts\":[\"base\"],\"pathScope\":[\"base/**\",\"top\"]}"), -ERR_CANCELLED);
    assert_non_null(fixture_read(&bench.fixture, "tree/base/plain"));
    assert_null(fixture_read(&bench.fixture, "tree/top"));
    bench_release(&bench);
}

static void needs_neither_listener_nor_canceller(void **state) {
    struct bench bench;
    bench_init(&bench);
    bench.request.is_cancelled = NULL;
    bench.request.on_output = NULL;
    assert_int_equal(run(&bench, "{\"parts\":[\"base\"],\"pathScope\":[\"base/**\",\"top\"]}"), 0);
    bench_release(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_parts_of_a_task),
        cmocka_unit_test(removes_what_no_part_makes),
        cmocka_unit_test(retires_paths),
        cmocka_unit_test(leaves_git_alone),
        cmocka_unit_test(follows_no_symlink),
        cmocka_unit_test(refuses_unknown_parts),
        cmocka_unit_test(stops_when_cancelled),
        cmocka_unit_test(needs_neither_listener_nor_canceller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
