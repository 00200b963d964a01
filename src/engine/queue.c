/* queue: how many runs of an account may be under way at once, and which waits for a place. */
#include "engine/queue.h"

#include "base/log.h"
#include "base/str.h"
#include "engine/load.h"
#include "engine/waiting.h"
#include "model/tier.h"
#include "store/accounts.h"
#include "store/runs.h"

/* What the account has under way, and may have. The account's row is locked: transactions of one account that begin
 * runs come one after another, on every database. */
static int look(struct journal *journal, const char *account_id, struct build_room *room, struct arena *arena,
                struct err *err) {
    struct account *account = NULL;
    int rc = store_account_lock(journal->db, account_id, err);
    if (rc == 0)
        rc = store_account_get(journal->db, journal->arena, account_id, &account, err);
    if (rc == 0 && !account)
        rc = err_set(err, ERR_INTERNAL, "there is no account %s", account_id);
    if (rc < 0)
        return rc;
    *room = (struct build_room){.limit = tier_of(account->tier)->concurrent_builds};
    return store_run_under_way(journal->db, arena, account_id, &room->run_ids, &room->active, err);
}

static int begin(struct journal *journal, struct run *run, struct err *err) {
    int rc = journal_run_move(journal, run, RUN_DECOMPOSING, NULL, err);
    if (rc < 0)
        return rc;
    run->started_ms = journal->now_ms;
    rc = store_run_update(journal->db, run, err);
    if (rc == 0)
        rc = journal_enqueue(
            journal,
            &(struct job_spec){
                .kind = JOB_RUN_DECOMPOSE, .project_id = run->project_id, .run_id = run->id, .is_exclusive = true},
            err);
    return rc;
}

/* Begins what waits, in order, while there is room. run may be NULL; else it follows its row, if that is among them. */
static int fill(struct journal *journal, const char *account_id, struct run *run, struct build_room *room,
                struct arena *room_arena, struct err *err) {
    struct run *waiting = NULL;
    size_t count = 0;
    int rc = look(journal, account_id, room, room_arena, err);
    if (rc == 0)
        rc = store_run_queued(journal->db, journal->arena, account_id, &waiting, &count, err);
    for (size_t i = 0; rc == 0 && i < count && (int64_t)(room->active + i) < room->limit; i++) {
        bool is_own = run && str_eq(waiting[i].id, run->id);
        if (!is_own)
            log_event(LOG_INFO, "a queued run begins", "run", waiting[i].id, NULL);
        rc = begin(journal, is_own ? run : &waiting[i], err);
    }
    return rc;
}

/* Should there be room although others wait (a tier was raised behind our back), it is theirs first. */
int queue_begin(struct journal *journal, const char *account_id, struct run *run, bool may_wait,
                struct build_room *room, struct arena *room_arena, struct err *err) {
    int rc = fill(journal, account_id, run, room, room_arena, err);
    if (rc < 0 || run->state != RUN_QUEUED || may_wait)
        return rc;
    return err_set(err, ERR_RATE, "The account's limit of %lld concurrent build%s is reached", (long long)room->limit,
                   room->limit == 1 ? "" : "s");
}

int queue_go_on(struct journal *journal, const char *account_id, struct err *err) {
    struct build_room room;
    return fill(journal, account_id, NULL, &room, journal->arena, err);
}

int queue_go_on_for(struct journal *journal, const char *project_id, struct err *err) {
    struct project *project = NULL;
    int rc = load_project(journal->db, journal->arena, NULL, project_id, &project, err);
    return rc < 0 ? rc : queue_go_on(journal, project->account_id, err);
}

static int changed_in_tx(struct journal *journal, void *arg, struct err *err) {
    int rc = waiting_end_for_account(journal, arg, err);
    return rc < 0 ? rc : queue_go_on(journal, arg, err);
}

int engine_account_changed(struct engine *engine, const char *account_id, struct err *err) {
    char id[ID_LEN];
    (void)str_copy(id, sizeof id, account_id);
    return journal_write(engine, changed_in_tx, id, err);
}
