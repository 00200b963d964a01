/* hooks: the webhooks of an account: made, changed, tried. */
#include "engine/hooks.h"

#include "base/str.h"
#include "engine/journal.h"
#include "engine/load.h"
#include "engine/messages.h"
#include "net/address.h"
#include "net/signature.h"
#include "store/accounts.h"
#include "store/webhook_deliveries.h"
#include "store/webhooks.h"

#define OLD_SECRET_MS (INT64_C(24) * 3600 * 1000)

struct hook_call {
    const char *account_id, *id, *delivery_id;
    const struct webhook_edit *edit;
    const char *secret;  /* a new one */
    struct arena *arena; /* of what is handed out */
    struct webhook **out_webhook;
    struct webhook_delivery **out_delivery;
};

int engine_webhook_check_url(const struct engine *engine, const char *url, struct err *err) {
    return net_url_check(url, !engine->allows_private_webhooks, err);
}

static int check_project(struct journal *journal, const char *account_id, const char *project_id, struct err *err) {
    struct project *project = NULL;
    int rc = load_project(journal->db, journal->arena, account_id, project_id, &project, err);
    return rc == -ERR_NOT_FOUND ? err_field(err, ERR_NOT_FOUND, "projectId", "Project not found") : rc;
}

static int apply(struct journal *journal, struct webhook *webhook, const struct webhook_edit *edit, struct err *err) {
    if (edit->has_project && edit->project_id) {
        int rc = check_project(journal, webhook->account_id, edit->project_id, err);
        if (rc < 0)
            return rc;
    }
    if (edit->url)
        webhook->url = edit->url;
    if (edit->has_project)
        str_copy(webhook->project_id, sizeof webhook->project_id, str_or(edit->project_id, ""));
    if (edit->has_events)
        webhook->events_json = edit->events_json;
    if (edit->has_description)
        webhook->description = edit->description;
    webhook->updated_ms = journal->now_ms;
    return 0;
}

static int create_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct hook_call *call = arg;
    struct webhook *webhook = *call->out_webhook;
    int64_t count = 0;
    /* The account's row is locked, so that two at once cannot both be the last. */
    int rc = store_account_lock(journal->db, call->account_id, err);
    if (rc == 0)
        rc = store_webhook_count(journal->db, call->account_id, &count, err);
    if (rc == 0 && count >= WEBHOOKS_MAX)
        rc = err_set(err, ERR_CONFLICT, "The account has %d webhooks, which is as many as it may have", WEBHOOKS_MAX);
    if (rc == 0)
        rc = apply(journal, webhook, call->edit, err);
    if (rc < 0)
        return rc;
    webhook->is_enabled = !call->edit->has_enabled || call->edit->is_enabled;
    webhook->created_ms = journal->now_ms;
    return store_webhook_insert(journal->db, webhook, err);
}

int engine_webhook_create(struct engine *engine, const char *account_id, const struct webhook_edit *edit,
                          struct arena *arena, struct webhook **out, struct err *err) {
    struct webhook *webhook = arena_alloc(arena, sizeof *webhook);
    struct hook_call call = {.account_id = account_id, .edit = edit, .out_webhook = out};
    id_make(webhook->id, "hook");
    str_copy(webhook->account_id, sizeof webhook->account_id, account_id);
    webhook->secret = net_secret_make(arena);
    *out = webhook;
    return journal_write(engine, create_in_tx, &call, err);
}

static int load_webhook(struct journal *journal, const struct hook_call *call, struct webhook **out, struct err *err) {
    struct arena *arena = call->arena ? call->arena : journal->arena;
    int rc = store_webhook_get(journal->db, arena, call->id, call->account_id, out, err);
    return rc == 0 && !*out ? err_set(err, ERR_NOT_FOUND, "Webhook not found") : rc;
}

static int update_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct hook_call *call = arg;
    struct webhook *webhook = NULL;
    int rc = load_webhook(journal, call, &webhook, err);
    if (rc == 0)
        rc = apply(journal, webhook, call->edit, err);
    if (rc < 0)
        return rc;
    *call->out_webhook = webhook;
    if (call->edit->has_enabled && !call->edit->is_enabled && webhook->is_enabled)
        return messages_disable(journal, webhook, NULL, err);
    if (call->edit->has_enabled && call->edit->is_enabled) {
        webhook->is_enabled = true;
        webhook->disabled_reason = NULL;
    }
    return store_webhook_update(journal->db, webhook, err);
}

int engine_webhook_update(struct engine *engine, const char *account_id, const char *id,
                          const struct webhook_edit *edit, struct arena *arena, struct webhook **out, struct err *err) {
    struct hook_call call = {.account_id = account_id, .id = id, .edit = edit, .arena = arena, .out_webhook = out};
    return journal_write(engine, update_in_tx, &call, err);
}

static int delete_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct hook_call *call = arg;
    struct webhook *webhook = NULL;
    bool deleted = false;
    int rc = load_webhook(journal, call, &webhook, err);
    return rc < 0 ? rc : store_webhook_delete(journal->db, call->id, &deleted, err);
}

int engine_webhook_delete(struct engine *engine, const char *account_id, const char *id, struct err *err) {
    struct hook_call call = {.account_id = account_id, .id = id};
    return journal_write(engine, delete_in_tx, &call, err);
}

static int rotate_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct hook_call *call = arg;
    struct webhook *webhook = NULL;
    int rc = load_webhook(journal, call, &webhook, err);
    if (rc < 0)
        return rc;
    webhook->old_secret = webhook->secret;
    webhook->old_secret_until_ms = journal->now_ms + OLD_SECRET_MS;
    webhook->secret = call->secret;
    webhook->updated_ms = journal->now_ms;
    *call->out_webhook = webhook;
    return store_webhook_update(journal->db, webhook, err);
}

int engine_webhook_rotate(struct engine *engine, const char *account_id, const char *id, struct arena *arena,
                          struct webhook **out, struct err *err) {
    struct hook_call call = {
        .account_id = account_id, .id = id, .secret = net_secret_make(arena), .arena = arena, .out_webhook = out};
    return journal_write(engine, rotate_in_tx, &call, err);
}

/* One that is disabled is told nothing. */
static int refuse_disabled(const struct webhook *webhook, struct err *err) {
    return webhook->is_enabled ? 0 : err_set(err, ERR_CONFLICT, "The webhook is disabled");
}

/* As it is now, for whoever asked: the row outlives the transaction. */
static int hand_out(struct journal *journal, const struct hook_call *call, const char *id, struct err *err) {
    return store_webhook_delivery_get(journal->db, call->arena, id, call->id, call->out_delivery, err);
}

static int ping_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct hook_call *call = arg;
    struct webhook *webhook = NULL;
    struct webhook_delivery *row = NULL;
    int rc = load_webhook(journal, call, &webhook, err);
    if (rc == 0)
        rc = refuse_disabled(webhook, err);
    if (rc == 0)
        rc = messages_ping(journal, webhook, &row, err);
    return rc < 0 ? rc : hand_out(journal, call, row->id, err);
}

int engine_webhook_ping(struct engine *engine, const char *account_id, const char *id, struct arena *arena,
                        struct webhook_delivery **out, struct err *err) {
    struct hook_call call = {.account_id = account_id, .id = id, .arena = arena, .out_delivery = out};
    return journal_write(engine, ping_in_tx, &call, err);
}

static int send_again_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct hook_call *call = arg;
    struct webhook *webhook = NULL;
    struct webhook_delivery *row = NULL;
    int rc = load_webhook(journal, call, &webhook, err);
    if (rc == 0)
        rc = store_webhook_delivery_get(journal->db, journal->arena, call->delivery_id, call->id, &row, err);
    if (rc == 0 && !row)
        rc = err_set(err, ERR_NOT_FOUND, "Delivery not found");
    if (rc == 0)
        rc = refuse_disabled(webhook, err);
    if (rc == 0)
        rc = messages_send_again(journal, row, err);
    return rc < 0 ? rc : hand_out(journal, call, row->id, err);
}

int engine_webhook_send_again(struct engine *engine, const char *account_id, const char *id, const char *delivery_id,
                              struct arena *arena, struct webhook_delivery **out, struct err *err) {
    struct hook_call call = {
        .account_id = account_id, .id = id, .delivery_id = delivery_id, .arena = arena, .out_delivery = out};
    return journal_write(engine, send_again_in_tx, &call, err);
}
