/* webhooks: the webhooks of an account. */
#include "api/webhooks.h"

#include "api/handlers.h"
#include "api/page.h"
#include "base/str.h"
#include "engine/hooks.h"
#include "store/webhooks.h"

int call_webhook(struct api_call *call, struct webhook **out, struct err *err) {
    const char *id;
    int rc = call_id(call, "webhook", "hook", "Webhook", &id, err);
    if (rc == 0)
        rc = store_webhook_get(call->db, call->arena, id, call->account_id, out, err);
    if (rc == 0 && !*out)
        return err_set(err, ERR_NOT_FOUND, "Webhook not found");
    return rc;
}

/* The secret is for whoever made it alone. */
static void present_webhook(struct jw *jw, const struct webhook *row, bool shows_secret) {
    jw_object(jw);
    jw_kstr(jw, "id", row->id);
    jw_kstr(jw, "url", row->url);
    jw_kstr(jw, "projectId", row->project_id[0] ? row->project_id : NULL);
    jw_kraw(jw, "events", row->events_json);
    jw_kstr(jw, "description", row->description);
    jw_kbool(jw, "enabled", row->is_enabled);
    jw_kstr(jw, "disabledReason", row->disabled_reason);
    if (shows_secret)
        jw_kstr(jw, "secret", row->secret);
    jw_ktime(jw, "createdAt", row->created_ms);
    jw_ktime(jw, "updatedAt", row->updated_ms);
    jw_object_end(jw);
}

static void reply_webhook(struct api_call *call, const struct webhook *row) {
    struct buf out;
    struct jw jw;
    reply_data(&out, &jw);
    present_webhook(&jw, row, false);
    reply_data_end(call, &out, &jw, 200);
}

int webhook_list(struct api_call *call, struct err *err) {
    struct list_page page;
    int64_t total = 0;
    struct webhook *rows = NULL;
    size_t count = 0;
    struct buf out;
    struct jw jw;
    int rc = page_of_ids(call, "hook", &page, err);
    if (rc == 0)
        rc = store_webhook_page(call->db, call->arena, call->account_id, &page.at, &rows, &count, &total, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_array(&jw);
    count = page_rows(&page, count);
    for (size_t i = 0; i < count; i++)
        present_webhook(&jw, &rows[i], false);
    jw_array_end(&jw);
    page_reply_end(call, &out, &jw, &page, total, count ? rows[count - 1].id : NULL);
    return 0;
}

/* Names of events in the order of the list in model, each once. NULL for none. */
static const char *events_of(struct api_call *call) {
#define X(value, name) name,
    static const char *const names[] = {WEBHOOK_EVENT_LIST(X)};
#undef X
    json_t *given = call_json(call, "events"), *kept = json_own(call->arena, json_array());
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        bool is_wanted = false;
        for (size_t i = 0; i < json_array_size(given); i++)
            is_wanted = is_wanted || str_eq(json_string_value(json_array_get(given, i)), names[n]);
        if (is_wanted)
            json_array_append_new(kept, json_string(names[n]));
    }
    return given ? json_text(call->arena, kept) : NULL;
}

static int take_edit(struct api_call *call, struct webhook_edit *edit, struct err *err) {
    const char *project_id = call_text(call, "projectId");
    struct err fault = {0};
    *edit = (struct webhook_edit){.url = call_text(call, "url"),
                                  .has_project = call_has(call, "projectId"),
                                  .has_events = call_has(call, "events"),
                                  .has_description = call_has(call, "description"),
                                  .has_enabled = call_has(call, "enabled"),
                                  .events_json = events_of(call),
                                  .description = call_text(call, "description"),
                                  .is_enabled = call_flag(call, "enabled", true)};
    if (edit->url && engine_webhook_check_url(call->engine, edit->url, &fault) < 0)
        call_fault(call, "url", "url %s", fault.message);
    int rc = call_check(call, err);
    if (rc < 0 || !project_id)
        return rc;
    char *id = arena_alloc(call->arena, ID_LEN);
    if (!id_parse(id, project_id, "proj"))
        return err_field(err, ERR_NOT_FOUND, "projectId", "Project not found");
    edit->project_id = id;
    return 0;
}

static void write_with_secret(struct jw *jw, struct api_call *call, void *arg) {
    struct webhook *const *row = arg;
    present_webhook(jw, *row, true);
}

int webhook_create(struct api_call *call, struct err *err) {
    struct webhook *row = NULL;
    struct webhook_edit edit;
    reply_promise(call, 201, write_with_secret, &row);
    int rc = take_edit(call, &edit, err);
    if (rc == 0)
        rc = engine_webhook_create(call->engine, call->account_id, &edit, call->arena, &row, err);
    if (rc == -ERR_CONFLICT)
        call_detail(call, "limit", json_integer(WEBHOOKS_MAX));
    return rc < 0 ? rc : reply_promised(call);
}

int webhook_get(struct api_call *call, struct err *err) {
    struct webhook *row = NULL;
    int rc = call_webhook(call, &row, err);
    if (rc == 0)
        reply_webhook(call, row);
    return rc;
}

int webhook_update(struct api_call *call, struct err *err) {
    struct webhook *row = NULL;
    struct webhook_edit edit;
    int rc = call_webhook(call, &row, err);
    if (rc == 0)
        rc = take_edit(call, &edit, err);
    if (rc == 0)
        rc = engine_webhook_update(call->engine, call->account_id, row->id, &edit, call->arena, &row, err);
    if (rc == 0)
        reply_webhook(call, row);
    return rc;
}

int webhook_delete(struct api_call *call, struct err *err) {
    struct webhook *row = NULL;
    struct buf out;
    struct jw jw;
    int rc = call_webhook(call, &row, err);
    if (rc == 0)
        rc = engine_webhook_delete(call->engine, call->account_id, row->id, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    jw_object(&jw);
    jw_kstr(&jw, "id", row->id);
    jw_kstr(&jw, "status", "deleted");
    jw_object_end(&jw);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}

int webhook_rotate(struct api_call *call, struct err *err) {
    struct webhook *row = NULL;
    int rc = call_webhook(call, &row, err);
    reply_promise(call, 200, write_with_secret, &row);
    if (rc == 0)
        rc = engine_webhook_rotate(call->engine, call->account_id, row->id, call->arena, &row, err);
    return rc < 0 ? rc : reply_promised(call);
}
