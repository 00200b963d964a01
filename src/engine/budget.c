/* budget: what calls of models may cost, and what they did cost. */
#include "engine/budget.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/bell.h"
#include "engine/load.h"
#include "store/accounts.h"
#include "store/jobs.h"
#include "store/runs.h"
#include "store/spending.h"

/* No call lasts longer: whoever reserved and was never heard of again holds nothing up for ever. */
#define RESERVATION_MS 3600000
#define PASSING_MS 60000 /* when to look again at what only reservations took */

/* ---- In words */

static const char *amount(struct arena *arena, bool is_cost, int64_t value) {
    char usd[USD_TEXT_LEN];
    return is_cost ? arena_printf(arena, "$%s", spending_usd(value, usd))
                   : arena_printf(arena, "%lld tokens", (long long)value);
}

const char *budget_words(struct arena *arena, const struct budget_refusal *refusal) {
    static const char *const names[] = {
        [WAIT_RUN_COST] = "The run's limit of",
        [WAIT_RUN_TOKENS] = "The run's limit of",
        [WAIT_ACCOUNT_COST] = "The account's limit for this month of",
        [WAIT_ACCOUNT_TOKENS] = "The account's limit for this month of",
        [WAIT_PROVIDER_QUOTA] = "The provider's quota is used up",
    };
    bool is_cost = refusal->reason == WAIT_RUN_COST || refusal->reason == WAIT_ACCOUNT_COST;
    if (refusal->reason == WAIT_PROVIDER_QUOTA)
        return names[refusal->reason];
    return arena_printf(arena, "%s %s has no room: %s are spent, %s reserved, and the next call may come to %s",
                        names[refusal->reason], amount(arena, is_cost, refusal->limit),
                        amount(arena, is_cost, refusal->spent), amount(arena, is_cost, refusal->reserved),
                        amount(arena, is_cost, refusal->wanted));
}

/* ---- Looking */

/* What a limit is held against. */
struct balance {
    struct spending_limits limits, reserved;
    struct usage_sum spent;
};

static bool fits(const struct balance *balance, bool is_cost, int64_t wanted, enum wait_reason reason,
                 struct budget_refusal *out) {
    struct budget_refusal refusal = {
        .reason = reason,
        .limit = is_cost ? balance->limits.cost_micros : balance->limits.tokens,
        .spent = is_cost ? balance->spent.cost_micros : balance->spent.input_tokens + balance->spent.output_tokens,
        .reserved = is_cost ? balance->reserved.cost_micros : balance->reserved.tokens,
        .wanted = wanted,
    };
    if (refusal.limit == NO_LIMIT || refusal.spent + refusal.reserved + wanted <= refusal.limit)
        return true;
    refusal.is_passing = refusal.spent + wanted <= refusal.limit;
    *out = refusal;
    return false;
}

static int read_balance(struct db *db, const char *account_id, const char *run_id, int64_t now_ms, struct balance *out,
                        struct err *err) {
    int rc = run_id ? store_run_limits(db, run_id, &out->limits, err)
                    : store_account_limits(db, account_id, &out->limits, err);
    if (rc == 0)
        rc = store_usage_total(db, run_id ? run_id : account_id, run_id ? 0 : spending_month(now_ms), &out->spent, err);
    return rc < 0 ? rc : store_reservation_sum(db, account_id, run_id, &out->reserved, err);
}

int budget_look(struct journal *journal, const struct budget_scope *scope, int64_t cost_micros, int64_t tokens,
                bool *is_room, struct budget_refusal *out, struct err *err) {
    struct balance run = {.limits = SPENDING_UNLIMITED}, account;
    int rc = read_balance(journal->db, scope->account_id, NULL, journal->now_ms, &account, err);
    if (rc == 0 && scope->run_id)
        rc = read_balance(journal->db, scope->account_id, scope->run_id, journal->now_ms, &run, err);
    if (rc < 0)
        return rc;
    *is_room = fits(&run, true, cost_micros, WAIT_RUN_COST, out) && fits(&run, false, tokens, WAIT_RUN_TOKENS, out);
    if (!*is_room)
        return 0;
    *is_room = fits(&account, true, cost_micros, WAIT_ACCOUNT_COST, out) &&
               fits(&account, false, tokens, WAIT_ACCOUNT_TOKENS, out);
    /* A call that no month has room for would be looked at again in vain, every month. */
    if (!*is_room && out->wanted <= out->limit)
        out->resumes_ms = spending_next_month(journal->now_ms);
    return 0;
}

/* ---- Reserving */

struct reserve_call {
    const struct budget_scope *scope;
    struct budget_reservation *out;
    bool is_room;
};

/* The run is there to be worked on; one that waits is not. */
static int check_run(struct journal *journal, struct reserve_call *call, struct err *err) {
    struct run *run = NULL;
    int rc = store_run_get(journal->db, journal->arena, call->scope->run_id, NULL, &run, err);
    if (rc == 0 && !run)
        rc = err_set(err, ERR_INTERNAL, "there is no run %s", call->scope->run_id);
    if (rc < 0)
        return rc;
    if (run->is_cancel_requested || run_state_is_terminal(run->state))
        return err_set(err, ERR_CANCELLED, "the run is not to go on");
    if (run->state != RUN_WAITING)
        return 0;
    call->is_room = false;
    call->out->refusal = (struct budget_refusal){.is_waiting = true, .reason = WAIT_PROVIDER_QUOTA};
    return err_set(err, ERR_BUDGET, "the run waits");
}

static int reserve_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct reserve_call *call = arg;
    const struct budget_scope *scope = call->scope;
    struct reservation *row = &call->out->row;
    int rc = scope->job ? store_job_guard(journal->db, scope->job->id, scope->job->lease.token, err) : 0;
    if (rc == 0)
        rc = store_account_lock(journal->db, scope->account_id, err);
    if (rc == 0 && scope->run_id)
        rc = check_run(journal, call, err);
    if (rc == 0)
        rc = budget_look(journal, scope, row->cost_micros, row->tokens, &call->is_room, &call->out->refusal, err);
    if (rc == 0 && !call->is_room)
        return err_set(err, ERR_BUDGET, "%s", budget_words(journal->arena, &call->out->refusal));
    if (rc < 0)
        return rc;
    row->created_ms = journal->now_ms;
    row->expires_ms = journal->now_ms + RESERVATION_MS;
    return store_reservation_insert(journal->db, row, err);
}

static int64_t checked(int64_t value, int64_t most) {
    return value < 0 ? 0 : value < most ? value : most;
}

static void begin(struct budget_reservation *out, const struct budget_scope *scope, int64_t cost_micros,
                  int64_t tokens) {
    *out = (struct budget_reservation){.row = {.cost_micros = checked(cost_micros, LIMIT_USD_MAX * MICROS_PER_USD),
                                               .tokens = checked(tokens, LIMIT_TOKENS_MAX)}};
    id_make(out->row.id, "use");
    (void)str_copy(out->row.account_id, ID_LEN, scope->account_id);
    (void)str_copy(out->row.run_id, ID_LEN, str_or(scope->run_id, ""));
    (void)str_copy(out->project_id, ID_LEN, str_or(scope->project_id, ""));
    (void)str_copy(out->task_id, ID_LEN, str_or(scope->task_id, ""));
    (void)str_copy(out->purpose, sizeof out->purpose, scope->purpose);
    if (!scope->job)
        return;
    (void)str_copy(out->row.job_id, ID_LEN, scope->job->id);
    out->row.job_token = scope->job->lease.token;
}

static int try_to_reserve(struct engine *engine, struct reserve_call *call, struct err *err) {
    return journal_write(engine, reserve_in_tx, call, err);
}

int budget_reserve(struct engine *engine, const struct budget_scope *scope, int64_t cost_micros, int64_t tokens,
                   struct budget_reservation *out, struct err *err) {
    struct reserve_call call = {.scope = scope, .out = out};
    struct bell bell;
    char topic[ID_LEN + 16];
    begin(out, scope, cost_micros, tokens);
    if (scope->wait_ms <= 0)
        return try_to_reserve(engine, &call, err);
    (void)snprintf(topic, sizeof topic, "budget:%s", scope->account_id);
    int64_t deadline = clock_mono_ms() + scope->wait_ms;
    int rc = bell_init(&bell, engine, topic, err);
    if (rc == 0)
        rc = try_to_reserve(engine, &call, err);
    while (rc == -ERR_BUDGET && out->refusal.is_passing && clock_mono_ms() < deadline) {
        if (scope->is_cancelled && scope->is_cancelled(scope->cancel_arg)) {
            rc = err_set(err, ERR_CANCELLED, "stopped");
            break;
        }
        bell_wait(&bell, deadline - clock_mono_ms());
        rc = try_to_reserve(engine, &call, err);
    }
    bell_release(&bell);
    if (rc == -ERR_BUDGET && out->refusal.is_passing)
        out->refusal.resumes_ms = clock_now_ms() + PASSING_MS;
    return rc;
}

/* ---- Settling */

struct settle_call {
    const struct budget_reservation *reservation;
    const struct budget_use *use; /* NULL: none */
};

static const char *usage_payload(struct arena *arena, const struct budget_use *use) {
    CLEANUP(buf_release) struct buf out = {0};
    char usd[USD_TEXT_LEN];
    struct jw jw;
    jw_init(&jw, &out);
    jw_object(&jw);
    jw_kstr(&jw, "provider", use->provider);
    jw_kstr(&jw, "model", use->model);
    jw_kint(&jw, "inputTokens", use->input_tokens);
    jw_kint(&jw, "cachedTokens", use->cached_tokens);
    jw_kint(&jw, "outputTokens", use->output_tokens);
    jw_kraw(&jw, "costUsd", use->is_priced ? spending_usd(use->cost_micros, usd) : NULL);
    jw_object_end(&jw);
    return arena_strndup(arena, out.data, out.len);
}

/* RUN_COMPLETED is the last event of a run. */
static int tell(struct journal *journal, const struct settle_call *call, struct err *err) {
    const struct budget_reservation *reservation = call->reservation;
    struct run *run = NULL;
    struct task *task = NULL;
    if (!reservation->row.run_id[0])
        return 0;
    int rc = store_run_get(journal->db, journal->arena, reservation->row.run_id, NULL, &run, err);
    if (rc == 0 && reservation->task_id[0])
        rc = store_task_get(journal->db, journal->arena, reservation->task_id, NULL, &task, err);
    if (rc < 0 || !run || run_state_is_terminal(run->state))
        return rc;
    return journal_event(journal, run, task, EVENT_USAGE, usage_payload(journal->arena, call->use), err);
}

static int settle_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct settle_call *call = arg;
    const struct budget_reservation *reservation = call->reservation;
    const struct budget_use *use = call->use;
    bool is_added = false;
    int rc = store_reservation_delete(journal->db, reservation->row.id, err);
    if (rc < 0 || !use)
        return rc;
    struct usage_entry entry = {.purpose = reservation->purpose,
                                .provider = use->provider,
                                .model = use->model,
                                .input_tokens = use->input_tokens,
                                .cached_tokens = use->cached_tokens,
                                .cache_write_tokens = use->cache_write_tokens,
                                .output_tokens = use->output_tokens,
                                .cost_micros = use->cost_micros,
                                .is_priced = use->is_priced,
                                .created_ms = journal->now_ms};
    (void)str_copy(entry.id, ID_LEN, reservation->row.id);
    (void)str_copy(entry.account_id, ID_LEN, reservation->row.account_id);
    (void)str_copy(entry.project_id, ID_LEN, reservation->project_id);
    (void)str_copy(entry.run_id, ID_LEN, reservation->row.run_id);
    (void)str_copy(entry.task_id, ID_LEN, reservation->task_id);
    rc = store_usage_insert(journal->db, &entry, &is_added, err);
    return rc < 0 || !is_added ? rc : tell(journal, call, err);
}

static int settle(struct engine *engine, const struct budget_reservation *reservation, const struct budget_use *use,
                  struct err *err) {
    struct settle_call call = {.reservation = reservation, .use = use};
    char topic[ID_LEN + 16];
    int rc = journal_write(engine, settle_in_tx, &call, err);
    if (rc < 0)
        return rc;
    (void)snprintf(topic, sizeof topic, "budget:%s", reservation->row.account_id);
    bus_publish(engine->bus, topic, 0);
    return 0;
}

int budget_settle(struct engine *engine, const struct budget_reservation *reservation, const struct budget_use *use,
                  struct err *err) {
    return settle(engine, reservation, use, err);
}

int budget_release(struct engine *engine, const struct budget_reservation *reservation, struct err *err) {
    return settle(engine, reservation, NULL, err);
}
