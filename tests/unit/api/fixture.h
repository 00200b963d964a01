/* fixture: the API over an engine without workers, asked over real sockets; rows that only a run could make are
 * inserted. */
#ifndef TEST_API_FIXTURE_H
#define TEST_API_FIXTURE_H

#include "../http/client.h"

#include "api/api.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/engine.h"
#include "model/key.h"
#include "store/accounts.h"
#include "store/deliveries.h"
#include "store/keys.h"
#include "store/projects.h"
#include "store/runs.h"

#define MEMBER_KEY "pzm_000000000000000000000000000000016j8bzb"
#define OTHER_KEY "pzm_00000000000000000000000000000002wzwsf7" /* of another account */

struct fixture {
    char dir[64];
    struct arena *arena;
    struct engine *engine;
    struct api *api;
    struct err err;
    char account_id[ID_LEN];
    char project_id[ID_LEN];
    struct answer answer; /* the last */
};

#define must(f, call)                                                                                                  \
    do {                                                                                                               \
        if ((call) < 0)                                                                                                \
            fail_msg("%s: %s", #call, (f)->err.message);                                                               \
    } while (0)

struct key_call {
    const char *key, *role;
    char account_id[ID_LEN];
};

static inline int add_key_in_tx(struct db *db, void *arg, struct err *err) {
    struct key_call *call = arg;
    struct account account = {.name = "Owner", .tier = "enterprise", .created_ms = 1};
    struct api_key key = {.name = "key", .role = call->role, .hint = "mber", .created_ms = 1};
    id_make(account.id, "acct");
    id_make(key.id, "key");
    str_copy(call->account_id, sizeof(call->account_id), account.id);
    str_copy(key.account_id, sizeof(key.account_id), account.id);
    hash_sha256_hex(key.hash, call->key, strlen(call->key));
    int rc = store_account_insert(db, &account, err);
    return rc < 0 ? rc : store_key_insert(db, &key, err);
}

static inline int fixture_set_up(void **state) {
    struct fixture *f = mem_alloc(sizeof(*f));
    struct key_call member = {.key = MEMBER_KEY, .role = "member"}, other = {.key = OTHER_KEY, .role = "member"};
    log_set_level(LOG_ERROR);
    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/prazium-api-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->arena = arena_create();
    must(f, engine_open(&f->engine, &(struct engine_config){.data_dir = f->dir}, &f->err));
    must(f, store_write(engine_store(f->engine), add_key_in_tx, &member, &f->err));
    must(f, store_write(engine_store(f->engine), add_key_in_tx, &other, &f->err));
    str_copy(f->account_id, sizeof(f->account_id), member.account_id);
    must(f,
         api_start(&f->api, &(struct api_config){.listen = "127.0.0.1:0", .engine = f->engine, .loops = 2}, &f->err));
    *state = f;
    return 0;
}

static inline int fixture_tear_down(void **state) {
    struct fixture *f = *state;
    api_stop(f->api, 1000);
    engine_close(f->engine, 0);
    arena_destroy(f->arena);
    must(f, fs_remove_tree(f->dir, &f->err));
    free(f);
    return 0;
}

#define api_test(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

/* One request; the status. headers: further lines, each ended by CRLF. */
static inline int ask_as(struct fixture *f, const char *key, const char *method, const char *path, const char *headers,
                         const char *body) {
    const char *auth = key ? arena_printf(f->arena, "Authorization: Bearer %s\r\n", key) : "";
    const char *length = body ? arena_printf(f->arena, "Content-Length: %zu\r\n", strlen(body)) : "";
    exchange(api_port(f->api),
             arena_printf(f->arena, "%s %s HTTP/1.1\r\nHost: x\r\n%s%s%s\r\n%s", method, path, auth, headers, length,
                          body ? body : ""),
             &f->answer);
    return f->answer.status;
}

static inline int ask(struct fixture *f, const char *method, const char *path, const char *body) {
    return ask_as(f, MEMBER_KEY, method, path, body ? "Content-Type: application/json\r\n" : "", body);
}

/* A value of the answer's JSON as text; strings without quotes. */
static inline const char *said(struct fixture *f, const char *path) {
    json_t *parsed = NULL;
    if (json_parse(f->arena, f->answer.body, f->answer.body_len, &parsed, &f->err) < 0)
        fail_msg("%s in %s", f->err.message, f->answer.body);
    json_t *value = json_at(parsed, path);
    return json_is_string(value) ? json_string_value(value) : value ? json_text(f->arena, value) : "(missing)";
}

#define assert_said(f, path, expected) assert_string_equal(said(f, path), expected)

/* A project by the API; its path. */
static inline const char *add_project(struct fixture *f) {
    assert_int_equal(ask(f, "POST", "/v1/projects", "{\"name\":\"My App\",\"description\":\"An app.\"}"), 201);
    str_copy(f->project_id, sizeof(f->project_id), said(f, "data.id"));
    return arena_printf(f->arena, "/v1/projects/%s", f->project_id);
}

struct run_call {
    struct run run;
    struct fixture *f;
};

static inline int add_run_in_tx(struct db *db, void *arg, struct err *err) {
    struct run_call *call = arg;
    enum run_state to = call->run.state;
    bool moved;
    call->run.state = RUN_QUEUED;
    int rc = store_run_insert(db, &call->run, err);
    for (enum run_state state = RUN_QUEUED; rc == 0 && state < to && state < RUN_VERIFYING; state++)
        rc = store_run_move(db, call->run.id, state, state + 1, NULL, 5, &moved, err);
    if (rc == 0 && run_state_is_terminal(to))
        rc = store_run_move(db, call->run.id, RUN_VERIFYING, to, NULL, 6, &moved, err);
    if (rc == 0)
        rc = store_run_update(db, &call->run, err);
    call->run.state = to;
    return rc;
}

/* A run in this state, at this commit of the project. */
static inline struct run add_run(struct fixture *f, enum run_state state, const char *commit) {
    struct run_call call = {
        .run = {.state = state, .trigger = "manual", .spec_version = 1, .created_ms = 4, .started_ms = 5}, .f = f};
    id_make(call.run.id, "run");
    str_copy(call.run.project_id, sizeof(call.run.project_id), f->project_id);
    str_copy(call.run.head_sha, sizeof(call.run.head_sha), commit);
    must(f, store_write(engine_store(f->engine), add_run_in_tx, &call, &f->err));
    return call.run;
}

struct task_call {
    struct task task;
    enum task_state to;
};

static inline int add_task_in_tx(struct db *db, void *arg, struct err *err) {
    struct task_call *call = arg;
    bool moved;
    int rc = store_task_insert(db, &call->task, err);
    if (rc == 0 && call->to != TASK_PENDING)
        rc = store_task_move(db, call->task.id, TASK_PENDING, TASK_RUNNING, NULL, 100, &moved, err);
    if (rc == 0 && task_state_is_terminal(call->to))
        rc = store_task_move(db, call->task.id, TASK_RUNNING, call->to, call->to == TASK_FAILED ? "why" : NULL, 200,
                             &moved, err);
    return rc == 0 ? store_task_update(db, &call->task, err) : rc;
}

/* A task in this state, as far as rows go; its id. */
static inline const char *add_task(struct fixture *f, const struct run *run, int64_t sequence, enum task_state to) {
    struct task_call call = {
        .to = to,
        .task = {.sequence = sequence,
                 .slug = arena_printf(f->arena, "part-%lld", (long long)sequence),
                 .state = TASK_PENDING,
                 .definition_json =
                     "{\"id\":\"task-001\",\"slug\":\"ui\",\"description\":\"Do\",\"instructions\":\"How\","
                     "\"dependencies\":[],\"pathScope\":[\"a/**\"],\"expectedOutputs\":[\"a/x\"]}",
                 .branch = "feat/task-001-ui",
                 .attempts = 1,
                 .error = to == TASK_FAILED ? "why" : NULL,
                 .result_json = to == TASK_SUCCEEDED ? "{\"filesCreated\":[\"a/x\"],\"commitSha\":\"abc\"}" : NULL}};
    id_make(call.task.id, "task");
    str_copy(call.task.run_id, sizeof(call.task.run_id), run->id);
    str_copy(call.task.project_id, sizeof(call.task.project_id), run->project_id);
    must(f, store_write(engine_store(f->engine), add_task_in_tx, &call, &f->err));
    return arena_strdup(f->arena, call.task.id);
}

/* Puts these files on main; the commit. */
static inline const char *commit_files(struct fixture *f, const char *const files[][2]) {
    struct repo *repo = NULL;
    struct change_list changes;
    char tree[SHA_LEN], *commit = arena_alloc(f->arena, SHA_LEN), main_sha[SHA_LEN];
    const char *folder = arena_printf(f->arena, "%s/files", f->dir);
    for (size_t i = 0; files[i][0]; i++)
        must(f, fs_write_file(arena_printf(f->arena, "%s/%s", folder, files[i][0]), files[i][1], strlen(files[i][1]),
                              0644, &f->err));
    must(f, engine_repo_open(f->engine, f->project_id, &repo, &f->err));
    must(f, repo_ref_get(repo, "refs/heads/main", main_sha, &f->err));
    must(f, worktree_scan(repo, f->arena, folder, main_sha, tree, &changes, &f->err));
    struct commit_spec spec = {.parents = {main_sha, NULL}, .message = "files\n", .time_ms = 1};
    must(f, repo_commit_tree(repo, tree, &spec, commit, &f->err));
    must(f, repo_ref_set(repo, "refs/heads/main", NULL, commit, &f->err));
    repo_close(repo);
    return commit;
}

#endif
