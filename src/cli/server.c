/* server: an engine and its API in this process. */
#include "cli/server.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/str.h"
#include "base/vault.h"
#include "cli/model.h"
#include "model/key.h"
#include "store/accounts.h"
#include "store/keys.h"

struct first_call {
    const char *key;
    bool made;
};

/* The first account, with its administrator's key, in one transaction. */
static int make_first_account(struct db *db, void *arg, struct err *err) {
    struct first_call *call = arg;
    struct account account = {.name = "Default", .tier = "enterprise", .created_ms = clock_now_ms()};
    struct api_key key = {
        .name = "admin", .role = "admin", .hint = key_hint(call->key), .created_ms = account.created_ms};
    int64_t count = 0;
    int rc = store_account_count(db, &count, err);
    call->made = false;
    if (rc < 0 || count > 0)
        return rc;
    id_make(account.id, "acct");
    id_make(key.id, "key");
    str_copy(key.account_id, sizeof key.account_id, account.id);
    hash_sha256_hex(key.hash, call->key, strlen(call->key));
    rc = store_account_insert(db, &account, err);
    if (rc == 0)
        rc = store_key_insert(db, &key, err);
    call->made = rc == 0;
    return rc;
}

/* The key's file is written before its row, so that a crash in between leaves a file that the next start writes anew,
 * and never an account that nobody has the key of. */
static int ensure_first_account(struct engine *engine, struct arena *arena, struct err *err) {
    struct db *db = NULL;
    int64_t count = 0;
    int rc = store_reader(engine_store(engine), &db, err);
    if (rc == 0)
        rc = store_account_count(db, &count, err);
    if (rc < 0 || count > 0)
        return rc;
    struct first_call call = {.key = key_make(arena)};
    const char *line = arena_printf(arena, "%s\n", call.key);
    rc = fs_write_file_atomic(arena_printf(arena, "%s/admin.key", engine_data_dir(engine)), line, strlen(line), 0600,
                              err);
    return rc < 0 ? rc : store_write(engine_store(engine), make_first_account, &call, err);
}

int server_admin_key(const char *data_dir, struct arena *arena, const char **out, struct err *err) {
    struct buf text = {0};
    int rc = fs_read_file(arena_printf(arena, "%s/admin.key", data_dir), 4096, &text, err);
    if (rc == 0)
        *out = str_trim(arena, text.data);
    buf_release(&text);
    return rc;
}

/* Each connection is a descriptor: as many as we may have. Children get limits of their own. */
static void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* A wrong one is told at the start, not when a secret is due. An empty one is as good as none. */
static int take_master_key(const char **out, struct err *err) {
    const char *text = getenv("PRAZIUM_MASTER_KEY");
    struct vault_key key;
    if (!text || !text[0])
        return 0;
    int rc = vault_key_parse(text, &key, err);
    vault_key_wipe(&key);
    *out = text;
    return rc < 0 ? err_wrap(err, "PRAZIUM_MASTER_KEY") : 0;
}

int server_start(struct server *server, const struct options *options, const char *listen, struct arena *arena,
                 struct err *err) {
    struct llm_model model;
    struct engine_config config = {
        .model = &model,
        .data_dir = options->values[OPTION_DATA],
        .database_url = options->values[OPTION_DATABASE],
        .blueprints_dir = options->values[OPTION_BLUEPRINTS],
        .sandbox = options->values[OPTION_SANDBOX],
        .planner = options->values[OPTION_PLANNER],
        .agents = options->values[OPTION_AGENT],
        .agent_command = options->values[OPTION_AGENT_COMMAND],
        .acp_command = options->values[OPTION_ACP_COMMAND],
        .record_dir = options->values[OPTION_RECORD],
        .replay_dir = options->values[OPTION_REPLAY],
        .allows_private_models = str_eq(options->values[OPTION_MODEL_PRIVATE_ADDRESSES], "allow"),
        .allows_private_webhooks = str_eq(options->values[OPTION_WEBHOOK_PRIVATE_ADDRESSES], "allow"),
        .worker_count = options->values[OPTION_WORKERS] ? (int)option_int(options, OPTION_WORKERS) : -1};
    *server = (struct server){0};
    raise_descriptor_limit();
    int rc = model_of(options, arena, &model, err);
    if (rc == 0)
        rc = take_master_key(&config.master_key, err);
    if (rc == 0)
        rc = engine_open(&server->engine, &config, err);
    if (rc == 0)
        rc = ensure_first_account(server->engine, arena, err);
    if (rc == 0) {
        struct api_config api = {.listen = listen,
                                 .engine = server->engine,
                                 .is_rate_limit_off = !str_eq(options->values[OPTION_RATE_LIMIT], "on"),
                                 .is_behind_proxy = str_eq(options->values[OPTION_BEHIND_PROXY], "on"),
                                 .is_registration_off = !str_eq(options->values[OPTION_REGISTRATION], "on")};
        rc = api_start(&server->api, &api, err);
        rc = rc < 0 ? err_wrap(err, "--listen %s", listen) : 0;
    }
    if (rc == 0) {
        const char *colon = strrchr(listen, ':');
        const char *host =
            colon && colon != listen ? arena_strndup(arena, listen, (size_t)(colon - listen)) : "127.0.0.1";
        /* "All addresses" is none to connect to. */
        host = str_eq(host, "0.0.0.0") ? "127.0.0.1" : str_eq(host, "[::]") ? "[::1]" : host;
        server->url = arena_printf(arena, "http://%s:%d", host, api_port(server->api));
        const char *line = arena_printf(arena, "%s\n", server->url);
        rc = fs_write_file_atomic(arena_printf(arena, "%s/server.url", engine_data_dir(server->engine)), line,
                                  strlen(line), 0644, err);
    }
    if (rc < 0)
        server_stop(server, 0);
    return rc;
}

void server_stop(struct server *server, int64_t grace_ms) {
    char path[4096];
    if (server->engine) {
        snprintf(path, sizeof path, "%s/server.url", engine_data_dir(server->engine));
        unlink(path);
    }
    engine_stop_planning(server->engine);
    api_stop(server->api, grace_ms);
    engine_close(server->engine, grace_ms);
    *server = (struct server){0};
}
