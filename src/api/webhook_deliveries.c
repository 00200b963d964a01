/* webhook_deliveries: what a webhook was told, and is to be told. */
#include "store/webhook_deliveries.h"

#include "api/handlers.h"
#include "api/page.h"
#include "api/webhooks.h"
#include "engine/hooks.h"

/* Null when no answer came. */
static void put_answered(struct jw *jw, const char *key, bool is_answered, int64_t value) {
    jw_key(jw, key);
    if (is_answered)
        jw_int(jw, value);
    else
        jw_null(jw);
}

static void present_delivery(struct jw *jw, const struct webhook_delivery *row, bool is_whole) {
    bool is_pending = row->state == DELIVERY_PENDING, is_answered = row->response_status > 0;
    jw_object(jw);
    jw_kstr(jw, "id", row->id);
    jw_kstr(jw, "webhookId", row->webhook_id);
    jw_kstr(jw, "type", row->type);
    jw_kstr(jw, "status", delivery_state_name(row->state));
    jw_kint(jw, "attempts", row->attempts);
    put_answered(jw, "responseStatus", is_answered, row->response_status);
    put_answered(jw, "responseTimeMs", is_answered, row->response_ms);
    jw_kstr(jw, "error", row->error);
    jw_ktime(jw, "lastAttemptAt", row->last_attempt_ms);
    jw_ktime(jw, "nextAttemptAt", is_pending ? row->next_attempt_ms : 0);
    jw_ktime(jw, "createdAt", row->created_ms);
    jw_ktime(jw, "completedAt", row->completed_ms);
    if (is_whole)
        jw_kraw(jw, "message", row->payload_json);
    jw_object_end(jw);
}

int webhook_delivery_list(struct api_call *call, struct err *err) {
    struct list_page page;
    int64_t total = 0;
    struct webhook *webhook = NULL;
    struct webhook_delivery *rows = NULL;
    size_t count = 0;
    struct buf out;
    struct jw jw;
    int rc = page_of_ids(call, "msg", &page, err);
    if (rc == 0)
        rc = call_webhook(call, &webhook, err);
    if (rc == 0)
        rc = store_webhook_delivery_page(call->db, call->arena, webhook->id, call_query(call, "status"), &page.at,
                                         &rows, &count, &total, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_array(&jw);
    count = page_rows(&page, count);
    for (size_t i = 0; i < count; i++)
        present_delivery(&jw, &rows[i], false);
    jw_array_end(&jw);
    page_reply_end(call, &out, &jw, &page, total, count ? rows[count - 1].id : NULL);
    return 0;
}

static int load_delivery(struct api_call *call, struct webhook_delivery **out, struct err *err) {
    struct webhook *webhook = NULL;
    const char *id;
    int rc = call_webhook(call, &webhook, err);
    if (rc == 0)
        rc = call_id(call, "delivery", "msg", "Delivery", &id, err);
    if (rc == 0)
        rc = store_webhook_delivery_get(call->db, call->arena, id, webhook->id, out, err);
    if (rc == 0 && !*out)
        return err_set(err, ERR_NOT_FOUND, "Delivery not found");
    return rc;
}

int webhook_delivery_get(struct api_call *call, struct err *err) {
    struct webhook_delivery *row = NULL;
    struct buf out;
    struct jw jw;
    int rc = load_delivery(call, &row, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    present_delivery(&jw, row, true);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}

static void write_begun(struct jw *jw, struct api_call *call, void *arg) {
    struct webhook_delivery *const *row = arg;
    present_delivery(jw, *row, false);
}

int webhook_delivery_retry(struct api_call *call, struct err *err) {
    struct webhook_delivery *row = NULL;
    int rc = load_delivery(call, &row, err);
    reply_promise(call, 202, write_begun, &row);
    if (rc == 0)
        rc =
            engine_webhook_send_again(call->engine, call->account_id, row->webhook_id, row->id, call->arena, &row, err);
    return rc < 0 ? rc : reply_promised(call);
}

int webhook_ping(struct api_call *call, struct err *err) {
    struct webhook *webhook = NULL;
    struct webhook_delivery *row = NULL;
    int rc = call_webhook(call, &webhook, err);
    reply_promise(call, 202, write_begun, &row);
    if (rc == 0)
        rc = engine_webhook_ping(call->engine, call->account_id, webhook->id, call->arena, &row, err);
    return rc < 0 ? rc : reply_promised(call);
}
