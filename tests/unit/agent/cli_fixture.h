/* cli_fixture: an attempt of an agent's program in folders of its own, what it is told, and what it tells. */
#ifndef TEST_CLI_FIXTURE_H
#define TEST_CLI_FIXTURE_H

#include "../blueprint/fixture.h"

#include "agent/cli.h"
#include "agent/registry.h"
#include "base/clock.h"
#include "sandbox/sandbox.h"

struct bench {
    struct fixture fixture;
    struct agent_request request;
    struct agent_result result;
    struct llm_model model;
    const char *env[4];
    struct buf told; /* a line a note or line of output */
    bool is_cancelled;
    const char *cancel_at; /* cancelled once this was told */
    struct llm_meter meter;
    struct buf metered;
    int reserve_rc;
};

static inline bool bench_is_cancelled(void *arg) {
    const struct bench *bench = arg;
    return bench->is_cancelled;
}

static inline void bench_told(struct bench *bench) {
    if (bench->cancel_at && strstr(bench->told.data, bench->cancel_at))
        bench->is_cancelled = true;
}

static inline void bench_output(const char *text, void *arg) {
    struct bench *bench = arg;
    buf_printf(&bench->told, "log: %s\n", text);
    bench_told(bench);
}

/* Durations differ: they are told as 0. */
static inline void bench_note(const struct agent_note *note, void *arg) {
    struct bench *bench = arg;
    json_t *payload = json_deep_copy(note->payload);
    if (json_object_get(payload, "durationMs"))
        json_object_set_new(payload, "durationMs", json_integer(0));
    CLEANUP(mem_freep) char *text = json_dumps(payload, JSON_COMPACT);
    buf_printf(&bench->told, "%s %s\n", event_type_name(note->type), text);
    json_decref(payload);
    bench_told(bench);
}

static inline int bench_reserve(void *arg, int64_t input_tokens, int64_t output_tokens, struct err *err) {
    struct bench *bench = arg;
    buf_printf(&bench->metered, "reserve %lld+%lld\n", (long long)input_tokens, (long long)output_tokens);
    return bench->reserve_rc ? err_set(err, ERR_BUDGET, "no money left") : 0;
}

static inline void bench_settle(void *arg, const struct llm_usage *usage, bool is_known) {
    struct bench *bench = arg;
    buf_printf(&bench->metered, "settle %s %lld (%lld, %lld)+%lld\n", is_known ? "known" : "unknown",
               (long long)usage->input_tokens, (long long)usage->cached_input_tokens,
               (long long)usage->cache_write_tokens, (long long)usage->output_tokens);
}

static inline void bench_init(struct bench *bench) {
    memset(bench, 0, sizeof *bench);
    struct fixture *fixture = &bench->fixture;
    fixture_init(fixture);
    assert_int_equal(sandbox_start(&fixture->err), 0);
    struct arena *arena = fixture->arena;
    const char *path = str_or(getenv("PATH"), "/usr/bin:/bin");
    bench->env[0] = arena_printf(arena, "PATH=%s/bin:%s", fixture->dir, path);
    bench->env[1] = "npm_config_fund=false";
    bench->model = (struct llm_model){
        .format = LLM_RESPONSES, .base_url = "http://127.0.0.1:9", .name = "test-model", .api_key = "sk-very-secret"};
    bench->meter = (struct llm_meter){bench_reserve, bench_settle, bench};
    bench->request = (struct agent_request){
        .definition = fixture_json(fixture, "{\"description\":\"Make a page\",\"instructions\":\"Write a.txt.\","
                                            "\"pathScope\":[\"**\"],\"expectedOutputs\":[\"a.txt\"],"
                                            "\"criteria\":[\"AC-1\"]}"),
        .documents = fixture_json(fixture, "{\"SPEC.md\":\"The app.\"}"),
        .worktree = fs_join(arena, fixture->dir, "tree"),
        .home = fs_join(arena, fixture->dir, "home"),
        .attempt = 1,
        .scope = "task/page/1",
        .model = &bench->model,
        .tool_env = bench->env,
        .limits = {.wall_ms = 60000, .idle_ms = 30000},
        .arena = arena,
        .is_cancelled = bench_is_cancelled,
        .cancel_arg = bench,
        .on_output = bench_output,
        .output_arg = bench,
        .on_note = bench_note,
        .note_arg = bench,
    };
    fixture_write(fixture, "tree/old.txt", "old\n");
    assert_int_equal(fs_mkdirs(bench->request.home, 0700, &fixture->err), 0);
}

static inline void bench_release(struct bench *bench) {
    buf_release(&bench->told);
    buf_release(&bench->metered);
    fixture_release(&bench->fixture);
}

/* A program of this name, first in PATH. */
static inline void bench_program(struct bench *bench, const char *name, const char *script) {
    const char *path = arena_printf(bench->fixture.arena, "%s/bin/%s", bench->fixture.dir, name);
    assert_int_equal(fs_write_file(path, script, strlen(script), 0755, &bench->fixture.err), 0);
}

static inline int bench_run(struct bench *bench, const char *kind) {
    const struct agent_kind *found = agent_kind_find(kind);
    assert_non_null(found);
    memset(&bench->result, 0, sizeof bench->result);
    memset(&bench->fixture.err, 0, sizeof bench->fixture.err);
    buf_reset(&bench->told);
    buf_puts(&bench->told, "");
    return found->ops->run(NULL, &bench->request, &bench->result, &bench->fixture.err);
}

static inline void bench_succeeds(struct bench *bench, const char *kind) {
    if (bench_run(bench, kind) < 0)
        fail_msg("%s\n%s", bench->fixture.err.message, bench->told.data);
}

static inline void bench_fails(struct bench *bench, const char *kind, enum err_code code, const char *part) {
    int rc = bench_run(bench, kind);
    if (rc != -(int)code || !strstr(bench->fixture.err.message, part))
        fail_msg("%d %s, and not %d %s", rc, bench->fixture.err.message, -(int)code, part);
}

#endif
