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
    struct webhook *webhook;
    struct webhook_delivery *delivery;
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
    struct webhook *webhook = call->webhook;
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
    struct hook_call call = {.account_id = account_id, .edit = edit, .webhook = webhook};
    id_make(webhook->id, "hook");
    str_copy(webhook->account_id, sizeof webhook->account_id, account_id);
    webhook->secret = net_secret_make(arena);
    int rc = journal_write(engine, create_in_tx, &call, err);
    if (rc == 0)
        *out = webhook;
    return rc;
}

static int load_webhook(struct journal *journal, struct hook_call *call, struct err *err) {
    int rc = store_webhook_get(journal->db, call->arena, call->id, call->account_id, &call->webhook, err);
    return rc == 0 && !call->webhook ? err_set(err, ERR_NOT_FOUND, "Webhook not found") : rc;
}

static int update_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct hook_call *call = arg;
    int rc = load_webhook(journal, call, err);
    if (rc == 0)
        rc = apply(journal, call->webhook, call->edit, err);
    if (rc < 0)
        return rc;
    if (call->edit->has_enabled && !call->edit->is_enabled && call->webhook->is_enabled)
        return messages_disable(journal, call->webhook, NULL, err);
    if (call->edit->has_enabled && call->edit->is_enabled) {
        call->webhook->is_enabled = true;
        call->webhook->disabled_reason = NULL;
    }
    return store_webhook_update(journal->db, call->webhook, err);
}

int engine_webhook_update(struct engine *engine, const char *account_id, const char *id,
                          const struct webhook_edit *edit, struct arena *arena, struct webhook **out, struct err *err) {
    struct hook_call call = {.account_id = account_id, .id = id, .edit = edit, .arena = arena};
    int rc = journal_write(engine, update_in_tx, &call, err);
    if (rc == 0)
        *out = call.webhook;
    return rc;
}

static int delete_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct hook_call *call = arg;
    bool deleted = false;
    call->arena = journal->arena;
    int rc = load_webhook(journal, call, err);
    return rc < 0 ? rc : store_webhook_delete(journal->db, call->id, &deleted, err);
}

int engine_webhook_delete(struct engine *engine, const char *account_id, const char *id, struct err *err) {
    struct hook_call call = {.account_id = account_id, .id = id};
    return journal_write(engine, delete_in_tx, &call, err);
}

static int rotate_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct hook_call *call = arg;
    int rc = load_webhook(journal, call, err);
    if (rc < 0)
        return rc;
    call->webhook->old_secret = call->webhook->secret;
    call->webhook->old_secret_until_ms = journal->now_ms + OLD_SECRET_MS;
    call->webhook->secret = call->secret;
    call->webhook->updated_ms = journal->now_ms;
    return store_webhook_update(journal->db, call->webhook, err);
}

int engine_webhook_rotate(struct engine *engine, const char *account_id, const char *id, struct arena *arena,
                          struct webhook **out, struct err *err) {
    struct hook_call call = {.account_id = account_id, .id = id, .secret = net_secret_make(arena), .arena = arena};
    int rc = journal_write(engine, rotate_in_tx, &call, err);
    if (rc == 0)
        *out = call.webhook;
    return rc;
}

static int load_enabled(struct journal *journal, struct hook_call *call, struct err *err) {
    int rc = load_webhook(journal, call, err);
    return rc == 0 && !call->webhook->is_enabled ? err_set(err, ERR_CONFLICT, "The webhook is disabled") : rc;
}

/* Handed out by what outlives the transaction. */
static int reload_delivery(struct journal *journal, struct hook_call *call, const char *id, struct err *err) {
    return store_webhook_delivery_get(journal->db, call->arena, id, call->id, &call->delivery, err);
}

static int ping_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct hook_call *call = arg;
    struct webhook_delivery *row = NULL;
    int rc = load_enabled(journal, call, err);
    if (rc == 0)
        rc = messages_ping(journal, call->webhook, &row, err);
    return rc < 0 ? rc : reload_delivery(journal, call, row->id, err);
}

int engine_webhook_ping(struct engine *engine, const char *account_id, const char *id, struct arena *arena,
                        struct webhook_delivery **out, struct err *err) {
    struct hook_call call = {.account_id = account_id, .id = id, .arena = arena};
    int rc = journal_write(engine, ping_in_tx, &call, err);
    if (rc == 0)
        *out = call.delivery;
    return rc;
}

static int send_again_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct hook_call *call = arg;
    struct webhook_delivery *row = NULL;
    int rc = load_webhook(journal, call, err);
    if (rc == 0)
        rc = store_webhook_delivery_get(journal->db, journal->arena, call->delivery_id, call->id, &row, err);
    if (rc == 0 && !row)
        rc = err_set(err, ERR_NOT_FOUND, "Delivery not found");
    if (rc == 0)
        rc = load_enabled(journal, call, err);
    if (rc == 0)
        rc = messages_send_again(journal, row, err);
    return rc < 0 ? rc : reload_delivery(journal, call, row->id, err);
}

int engine_webhook_send_again(struct engine *engine, const char *account_id, const char *id, const char *delivery_id,
                              struct arena *arena, struct webhook_delivery **out, struct err *err) {
    struct hook_call call = {.account_id = account_id, .id = id, .delivery_id = delivery_id, .arena = arena};
    int rc = journal_write(engine, send_again_in_tx, &call, err);
    if (rc == 0)
        *out = call.delivery;
    return rc;
}
