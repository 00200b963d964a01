/* messages: what webhooks are told. */
#include "engine/messages.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "engine/journal.h"
#include "store/runs.h"
#include "store/webhook_deliveries.h"
#include "store/webhooks.h"

#define PENDING_MAX 10000 /* of one webhook; what comes then fails at once, and is in the log */

/* {"type", "timestamp", "data"}, of which data is to be written. */
static void begin(struct jw *jw, struct buf *out, const struct journal *journal, const char *type) {
    jw_init(jw, out);
    jw_object(jw);
    jw_kstr(jw, "type", type);
    jw_ktime(jw, "timestamp", journal->now_ms);
    jw_key(jw, "data");
    jw_object(jw);
}

static const char *end(struct jw *jw, struct journal *journal) {
    jw_object_end(jw);
    jw_object_end(jw);
    const char *text = arena_strndup(journal->arena, jw->out->data, jw->out->len);
    buf_release(jw->out);
    return text;
}

static int deliver(struct journal *journal, const struct webhook *webhook, const char *type, const char *payload_json,
                   struct webhook_delivery *row, struct err *err) {
    int64_t pending = 0;
    *row = (struct webhook_delivery){.type = type,
                                     .state = DELIVERY_PENDING,
                                     .payload_json = payload_json,
                                     .next_attempt_ms = journal->now_ms,
                                     .created_ms = journal->now_ms};
    id_make(row->id, "msg");
    str_copy(row->webhook_id, sizeof row->webhook_id, webhook->id);
    int rc = store_webhook_delivery_pending(journal->db, webhook->id, PENDING_MAX, &pending, err);
    if (rc == 0 && pending >= PENDING_MAX) {
        row->state = DELIVERY_FAILED;
        row->completed_ms = journal->now_ms;
        row->error = "Too many messages were waiting for this webhook";
    }
    if (rc == 0)
        rc = store_webhook_delivery_insert(journal->db, row, err);
    if (rc == 0)
        journal->wakes_webhooks = true;
    return rc;
}

/* Who listens is asked first: nearly always nobody does, and nothing more is to be read. */
static int listening(struct journal *journal, const char *project_id, enum webhook_event event, struct webhook **rows,
                     size_t *count, struct err *err) {
    return store_webhook_listening(journal->db, journal->arena, project_id, webhook_event_name(event), rows, count,
                                   err);
}

static int deliver_all(struct journal *journal, const struct webhook *webhooks, size_t count, enum webhook_event event,
                       const char *payload_json, struct err *err) {
    struct webhook_delivery row;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = deliver(journal, &webhooks[i], webhook_event_name(event), payload_json, &row, err);
    return rc;
}

static int of_run(struct journal *journal, const struct event *event, const char **payload_json,
                  enum webhook_event type, struct err *err) {
    struct run *run = NULL;
    struct buf out = {0};
    struct jw jw;
    int rc = store_run_get(journal->db, journal->arena, event->run_id, NULL, &run, err);
    if (rc == 0 && !run)
        rc = err_set(err, ERR_INTERNAL, "run %s does not exist", event->run_id);
    if (rc < 0)
        return rc;
    begin(&jw, &out, journal, webhook_event_name(type));
    jw_kstr(&jw, "projectId", run->project_id);
    jw_kstr(&jw, "runId", run->id);
    jw_kint(&jw, "runNumber", run->number);
    jw_kstr(&jw, "status", run_state_name(run->state));
    jw_kstr(&jw, "trigger", run->trigger);
    jw_kstr(&jw, "error", run->error);
    *payload_json = end(&jw, journal);
    return 0;
}

static int of_task(struct journal *journal, const struct event *event, const char **payload_json,
                   enum webhook_event type, struct err *err) {
    struct task *task = NULL;
    struct buf out = {0};
    struct jw jw;
    int rc = store_task_get(journal->db, journal->arena, event->task_id, event->run_id, &task, err);
    if (rc == 0 && !task)
        rc = err_set(err, ERR_INTERNAL, "task %s does not exist", event->task_id);
    if (rc < 0)
        return rc;
    begin(&jw, &out, journal, webhook_event_name(type));
    jw_kstr(&jw, "projectId", task->project_id);
    jw_kstr(&jw, "runId", task->run_id);
    jw_kstr(&jw, "taskId", task->id);
    jw_kstr(&jw, "slug", task->slug);
    jw_kint(&jw, "sequence", task->sequence);
    jw_kstr(&jw, "status", task_state_name(task->state));
    jw_kint(&jw, "attempts", task->attempts);
    jw_kstr(&jw, "error", task->error);
    *payload_json = end(&jw, journal);
    return 0;
}

static const struct {
    enum event_type event;
    enum webhook_event type;
    int (*describe)(struct journal *journal, const struct event *event, const char **payload_json,
                    enum webhook_event type, struct err *err);
} told_events[] = {
    {EVENT_RUN_STARTED, WEBHOOK_RUN_STARTED, of_run},
    {EVENT_VERIFICATION_STARTED, WEBHOOK_RUN_VERIFYING, of_run},
    {EVENT_RUN_COMPLETED, WEBHOOK_RUN_COMPLETED, of_run},
    {EVENT_TASK_STARTED, WEBHOOK_TASK_STARTED, of_task},
    {EVENT_TASK_COMPLETED, WEBHOOK_TASK_COMPLETED, of_task},
};

int messages_of_event(struct journal *journal, const struct event *event, struct err *err) {
    struct webhook *webhooks = NULL;
    const char *payload_json = NULL;
    size_t count = 0, i = 0;
    while (i < ARRAY_LEN(told_events) && told_events[i].event != event->type)
        i++;
    if (i == ARRAY_LEN(told_events))
        return 0;
    enum webhook_event type = told_events[i].type;
    int rc = listening(journal, event->project_id, type, &webhooks, &count, err);
    if (rc < 0 || count == 0)
        return rc;
    rc = told_events[i].describe(journal, event, &payload_json, type, err);
    return rc < 0 ? rc : deliver_all(journal, webhooks, count, type, payload_json, err);
}

/* False for a change that is not told. A cancelled run leaves a project approved, which is no approval. */
static bool told_of_project(enum project_state from, enum project_state to, enum webhook_event *out) {
    bool is_approval = from == PROJECT_SPEC_REVIEW && to == PROJECT_APPROVED;
    if (to == PROJECT_SPEC_REVIEW)
        *out = WEBHOOK_SPEC_READY;
    else if (to == PROJECT_ARCHIVED)
        *out = WEBHOOK_PROJECT_ARCHIVED;
    else
        *out = WEBHOOK_SPEC_APPROVED;
    return to == PROJECT_SPEC_REVIEW || to == PROJECT_ARCHIVED || is_approval;
}

int messages_of_project(struct journal *journal, const struct project *project, enum project_state from,
                        struct err *err) {
    struct webhook *webhooks = NULL;
    enum webhook_event type;
    size_t count = 0;
    struct buf out = {0};
    struct jw jw;
    if (!told_of_project(from, project->state, &type))
        return 0;
    int rc = listening(journal, project->id, type, &webhooks, &count, err);
    if (rc < 0 || count == 0)
        return rc;
    begin(&jw, &out, journal, webhook_event_name(type));
    jw_kstr(&jw, "projectId", project->id);
    jw_kstr(&jw, "name", project->name);
    jw_kstr(&jw, "status", project_state_name(project->state));
    jw_kint(&jw, "specVersion", project->spec_version);
    return deliver_all(journal, webhooks, count, type, end(&jw, journal), err);
}

int messages_of_export(struct journal *journal, const struct export *row, struct err *err) {
    struct webhook *webhooks = NULL;
    enum webhook_event type = row->state == EXPORT_FAILED ? WEBHOOK_EXPORT_FAILED : WEBHOOK_EXPORT_COMPLETED;
    size_t count = 0;
    struct buf out = {0};
    struct jw jw;
    if (row->state != EXPORT_COMPLETED && row->state != EXPORT_FAILED)
        return 0;
    int rc = listening(journal, row->project_id, type, &webhooks, &count, err);
    if (rc < 0 || count == 0)
        return rc;
    begin(&jw, &out, journal, webhook_event_name(type));
    jw_kstr(&jw, "projectId", row->project_id);
    jw_kstr(&jw, "runId", row->run_id);
    jw_kstr(&jw, "exportId", row->id);
    jw_kstr(&jw, "status", export_state_name(row->state));
    jw_kstr(&jw, "format", row->format);
    jw_kint(&jw, "sizeBytes", row->size_bytes);
    jw_kstr(&jw, "error", row->error);
    return deliver_all(journal, webhooks, count, type, end(&jw, journal), err);
}

static bool told_of_deployment(enum deployment_state to, enum webhook_event *out) {
    switch (to) {
    case DEPLOYMENT_LIVE:
        *out = WEBHOOK_DEPLOYMENT_LIVE;
        return true;
    case DEPLOYMENT_FAILED:
        *out = WEBHOOK_DEPLOYMENT_FAILED;
        return true;
    case DEPLOYMENT_STOPPED:
        *out = WEBHOOK_DEPLOYMENT_STOPPED;
        return true;
    case DEPLOYMENT_DEPLOYING:
        break;
    }
    return false;
}

int messages_of_deployment(struct journal *journal, const struct deployment *row, struct err *err) {
    struct webhook *webhooks = NULL;
    enum webhook_event type;
    size_t count = 0;
    struct buf out = {0};
    struct jw jw;
    if (!told_of_deployment(row->state, &type))
        return 0;
    int rc = listening(journal, row->project_id, type, &webhooks, &count, err);
    if (rc < 0 || count == 0)
        return rc;
    begin(&jw, &out, journal, webhook_event_name(type));
    jw_kstr(&jw, "projectId", row->project_id);
    jw_kstr(&jw, "runId", row->run_id);
    jw_kstr(&jw, "deploymentId", row->id);
    jw_kstr(&jw, "status", deployment_state_name(row->state));
    jw_kstr(&jw, "provider", row->provider);
    jw_kstr(&jw, "url", row->url);
    jw_kstr(&jw, "error", row->error);
    return deliver_all(journal, webhooks, count, type, end(&jw, journal), err);
}

int messages_ping(struct journal *journal, const struct webhook *webhook, struct webhook_delivery **out,
                  struct err *err) {
    struct buf text = {0};
    struct jw jw;
    begin(&jw, &text, journal, WEBHOOK_PING);
    jw_kstr(&jw, "webhookId", webhook->id);
    *out = arena_alloc(journal->arena, sizeof **out);
    return deliver(journal, webhook, WEBHOOK_PING, end(&jw, journal), *out, err);
}

int messages_end_attempt(struct journal *journal, const struct webhook_delivery *row, struct err *err) {
    bool was_ours = false;
    return store_webhook_delivery_end(journal->db, row, &was_ours, err);
}

int messages_send_again(struct journal *journal, const struct webhook_delivery *row, struct err *err) {
    bool moved = false;
    int rc = store_webhook_delivery_again(journal->db, row->id, row->state, journal->now_ms, &moved, err);
    if (rc < 0)
        return rc;
    if (!moved)
        return err_set(err, ERR_CONFLICT, "The delivery is being sent at this moment");
    journal->wakes_webhooks = true;
    return 0;
}

int messages_disable(struct journal *journal, struct webhook *webhook, const char *reason, struct err *err) {
    webhook->is_enabled = false;
    webhook->disabled_reason = reason;
    webhook->updated_ms = journal->now_ms;
    int rc = store_webhook_update(journal->db, webhook, err);
    if (rc == 0)
        rc = store_webhook_delivery_give_up(journal->db, webhook->id, journal->now_ms, "The webhook was disabled", err);
    return rc;
}
