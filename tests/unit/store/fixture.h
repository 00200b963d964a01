/* fixture: a real store in a temporary folder, and rows to begin with. */
#ifndef TEST_STORE_FIXTURE_H
#define TEST_STORE_FIXTURE_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/mem.h"
#include "store/accounts.h"
#include "store/driver.h"
#include "store/jobs.h"
#include "store/projects.h"
#include "store/runs.h"
#include "store/store.h"

struct fixture {
    char dir[64];
    char path[96];
    char url[104];
    struct store *store;
    struct db *db; /* a connection beside the store's own that may write: each statement is a transaction */
    struct arena *arena;
    struct err err;
    char account_id[ID_LEN];
};

/* The message, when something that must succeed does not. */
#define must(f, call)                                                                                                  \
    do {                                                                                                               \
        if (call)                                                                                                      \
            fail_msg("%s: %s", #call, (f)->err.message);                                                               \
    } while (0)

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    return remove(path);
}

static inline void fixture_open(struct fixture *f) {
    must(f, store_open(&f->store, &(struct store_config){.url = f->url}, &f->err));
}

static inline void add_account(struct fixture *f, char id[ID_LEN]) {
    struct account account = {.name = "Owner", .tier = "free", .created_ms = 1};
    id_make(account.id, "acct");
    memcpy(id, account.id, ID_LEN);
    must(f, store_account_insert(f->db, &account, &f->err));
}

static inline struct project add_project(struct fixture *f, const char *name, const char *description) {
    struct project project = {.name = name, .description = description, .created_ms = 1, .updated_ms = 1};
    id_make(project.id, "proj");
    memcpy(project.account_id, f->account_id, ID_LEN);
    must(f, store_project_insert(f->db, &project, &f->err));
    return project;
}

static inline struct run add_run(struct fixture *f, const char *project_id) {
    struct run run = {.state = RUN_QUEUED, .trigger = "manual", .spec_version = 1, .created_ms = 5};
    id_make(run.id, "run");
    (void)snprintf(run.project_id, sizeof(run.project_id), "%s", project_id);
    must(f, store_run_insert(f->db, &run, &f->err));
    return run;
}

static inline struct task add_task(struct fixture *f, const struct run *run, int64_t sequence) {
    struct task task = {.sequence = sequence,
                        .slug = "shell",
                        .state = TASK_PENDING,
                        .definition_json = "{}",
                        .branch = "feat/task-001-shell"};
    id_make(task.id, "task");
    memcpy(task.run_id, run->id, ID_LEN);
    memcpy(task.project_id, run->project_id, ID_LEN);
    must(f, store_task_insert(f->db, &task, &f->err));
    return task;
}

static inline struct fixture *fixture_create(void) {
    struct fixture *f = mem_alloc(sizeof(*f));
    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/prazium-store-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    (void)snprintf(f->path, sizeof(f->path), "%s/prazium.db", f->dir);
    (void)snprintf(f->url, sizeof(f->url), "sqlite:%s", f->path);
    f->arena = arena_create();
    fixture_open(f);
    must(f, db_open(&f->db, f->url, false, &f->err));
    add_account(f, f->account_id);
    return f;
}

static inline void fixture_destroy(struct fixture *f) {
    db_close(f->db);
    store_close(f->store);
    arena_destroy(f->arena);
    (void)nftw(f->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
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

static inline struct db *reader(struct fixture *f) {
    struct db *db = NULL;
    must(f, store_reader(f->store, &db, &f->err));
    return db;
}

#endif
