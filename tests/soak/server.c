/* server: the real API over a real database with one run whose events come at a given rate, for the soak test.
 *
 * usage: soak_server DATA_DIR EVENTS EVENTS_PER_SECOND BYTES
 * Prints "PORT KEY PROJECT_ID RUN_ID" and waits for a line on standard input; then the events come, the last of them
 * RUN_COMPLETED. Each payload has the time at which it was written, and BYTES of text. Ends with its standard input. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "api/api.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/journal.h"
#include "model/key.h"
#include "store/accounts.h"
#include "store/keys.h"
#include "store/runs.h"

struct soak {
    struct engine *engine;
    struct api *api;
    struct arena *arena;
    const char *key;
    struct account account;
    struct project *project;
    struct run run;
    int64_t told, total;
    char *text; /* of each event */
};

static void must(int rc, const char *what, const struct err *err) {
    if (rc >= 0)
        return;
    fprintf(stderr, "soak_server: %s: %s\n", what, err->message);
    exit(1);
}

static int64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int account_in_tx(struct db *db, void *arg, struct err *err) {
    struct soak *soak = arg;
    struct api_key key = {.name = "soak", .role = "member", .hint = "soak", .created_ms = 1};
    soak->account = (struct account){.name = "Soak", .tier = "enterprise", .created_ms = 1};
    id_make(soak->account.id, "acct");
    id_make(key.id, "key");
    str_copy(key.account_id, sizeof key.account_id, soak->account.id);
    hash_sha256_hex(key.hash, soak->key, strlen(soak->key));
    int rc = store_account_insert(db, &soak->account, err);
    return rc < 0 ? rc : store_key_insert(db, &key, err);
}

static int run_in_tx(struct db *db, void *arg, struct err *err) {
    struct soak *soak = arg;
    bool moved;
    soak->run = (struct run){.state = RUN_QUEUED, .trigger = "manual", .spec_version = 1, .created_ms = 1};
    id_make(soak->run.id, "run");
    str_copy(soak->run.project_id, sizeof soak->run.project_id, soak->project->id);
    int rc = store_run_insert(db, &soak->run, err);
    if (rc == 0)
        rc = store_run_move(db, soak->run.id, RUN_QUEUED, RUN_DECOMPOSING, NULL, 1, &moved, err);
    if (rc == 0)
        rc = store_run_move(db, soak->run.id, RUN_DECOMPOSING, RUN_EXECUTING, NULL, 1, &moved, err);
    soak->run.state = RUN_EXECUTING;
    return rc;
}

static int event_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct soak *soak = arg;
    struct run run = soak->run;
    if (soak->told + 1 == soak->total)
        return journal_run_move(journal, &run, RUN_CANCELLED, NULL, err);
    return journal_event(
        journal, &run, NULL, EVENT_TASK_OUTPUT,
        arena_printf(journal->arena, "{\"sentUs\":%lld,\"text\":\"%s\"}", (long long)now_us(), soak->text), err);
}

static void set_up(struct soak *soak, const char *data_dir) {
    struct err err = {0};
    soak->arena = arena_create();
    soak->key = key_make(soak->arena);
    must(engine_open(&soak->engine, &(struct engine_config){.data_dir = data_dir}, &err), "engine", &err);
    must(store_write(engine_store(soak->engine), account_in_tx, soak, &err), "account", &err);
    must(engine_project_create(soak->engine, soak->account.id, "Soak", "An app.", NULL, soak->arena, &soak->project,
                               &err),
         "project", &err);
    must(store_write(engine_store(soak->engine), run_in_tx, soak, &err), "run", &err);
    must(api_start(&soak->api,
                   &(struct api_config){.listen = "127.0.0.1:0", .engine = soak->engine, .is_rate_limit_off = true},
                   &err),
         "api", &err);
}

int main(int argc, char **argv) {
    struct soak soak = {0};
    struct rlimit limit;
    struct err err = {0};
    char line[16];
    int64_t per_second = 0, bytes = 0;
    if (argc != 5 || !str_to_int(argv[4], 0, 32768, &bytes) || !str_to_int(argv[2], 1, 1000000, &soak.total) ||
        !str_to_int(argv[3], 1, 1000000, &per_second)) {
        fprintf(stderr, "usage: soak_server DATA_DIR EVENTS EVENTS_PER_SECOND BYTES\n");
        return 2;
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    log_set_level(LOG_ERROR);
    set_up(&soak, argv[1]);
    soak.text = arena_alloc(soak.arena, (size_t)bytes + 1);
    memset(soak.text, 'x', (size_t)bytes);
    printf("%d %s %s %s\n", api_port(soak.api), soak.key, soak.project->id, soak.run.id);
    fflush(stdout);
    if (fgets(line, sizeof line, stdin)) {
        struct timespec next;
        clock_gettime(CLOCK_MONOTONIC, &next);
        for (; soak.told < soak.total; soak.told++) {
            must(journal_write(soak.engine, event_in_tx, &soak, &err), "event", &err);
            int64_t next_ns = next.tv_nsec + 1000000000 / per_second;
            next.tv_sec += next_ns / 1000000000;
            next.tv_nsec = next_ns % 1000000000;
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
        }
        while (fgets(line, sizeof line, stdin))
            ;
    }
    api_stop(soak.api, 1000);
    engine_close(soak.engine, 0);
    arena_destroy(soak.arena);
    return 0;
}
