/* messages: what happened is told in its transaction, to whoever listens; and no more than can wait. */
#include "hooks_fixture.h"

#include "engine/messages.h"

/* Nobody sends anything: what is written stays as it was. */
#define NOWHERE "https://203.0.113.1/hook"

struct move_call {
    struct fixture *f;
    struct export export;
    struct deployment deployment;
    enum export_state export_to;
    enum deployment_state deployment_to;
    bool fails;
};

/* The types that were told, oldest first, with blanks between. */
static const char *types(struct fixture *f, const struct webhook *webhook) {
    struct webhook_delivery *rows = NULL;
    const char *line = "";
    for (size_t i = deliveries(f, webhook, &rows); i-- > 0;)
        line = arena_printf(f->arena, "%s%s%s", line, *line ? " " : "", rows[i].type);
    return line;
}

static json_t *message(struct fixture *f, const struct webhook_delivery *row) {
    json_t *body = NULL;
    const char *text = delivery_now(f, row)->payload_json;
    must(f, json_parse(f->arena, text, strlen(text), &body, &f->err));
    assert_int_equal(json_object_size(body), 3);
    assert_string_equal(json_str(body, "type", ""), row->type);
    assert_non_null(json_str(body, "timestamp", NULL));
    return json_object_get(body, "data");
}

/* The data of the newest message. */
static json_t *newest(struct fixture *f, const struct webhook *webhook, const char *type) {
    struct webhook_delivery *rows = NULL;
    assert_true(deliveries(f, webhook, &rows) > 0);
    assert_string_equal(rows[0].type, type);
    return message(f, &rows[0]);
}

static void a_run_is_told_from_its_plan_to_its_end(void **state) {
    struct fixture *f = *state;
    struct webhook *webhook = add_webhook(f, NOWHERE);
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    begin_run(f);
    assert_string_equal(types(f, webhook), "spec.ready spec.approved run.started");
    json_t *data = newest(f, webhook, "run.started");
    assert_string_equal(json_str(data, "projectId", ""), f->project_id);
    assert_string_equal(json_str(data, "runId", ""), f->run_id);
    assert_int_equal(json_int(data, "runNumber", 0), 1);
    assert_string_equal(json_str(data, "status", ""), "decomposing");
    step(f, JOB_TASK_EXECUTE);
    step(f, JOB_RUN_ADVANCE);
    assert_string_equal(types(f, webhook),
                        "spec.ready spec.approved run.started task.started task.completed run.verifying");
    struct webhook_delivery *rows = NULL;
    (void)deliveries(f, webhook, &rows);
    data = message(f, &rows[1]);
    assert_string_equal(json_str(data, "taskId", ""), task_now(f, "one")->id);
    assert_string_equal(json_str(data, "slug", ""), "one");
    assert_string_equal(json_str(data, "status", ""), "succeeded");
    assert_int_equal(json_int(data, "attempts", 0), 1);
}

static int end_run_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct move_call *call = arg;
    struct run *run = NULL;
    int rc = store_run_get(journal->db, journal->arena, call->f->run_id, NULL, &run, err);
    if (rc == 0)
        rc = journal_run_move(journal, run, RUN_FAILED, "no luck", err);
    return rc == 0 && call->fails ? err_set(err, ERR_CONFLICT, "changed its mind") : rc;
}

static void what_did_not_happen_is_not_told(void **state) {
    struct fixture *f = *state;
    struct webhook *webhook = add_webhook(f, NOWHERE);
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    begin_run(f);
    struct move_call call = {.f = f, .fails = true};
    assert_int_equal(journal_write(f->engine, end_run_in_tx, &call, &f->err), -ERR_CONFLICT);
    assert_run(f, RUN_EXECUTING);
    assert_string_equal(types(f, webhook), "spec.ready spec.approved run.started");
    call.fails = false;
    must(f, journal_write(f->engine, end_run_in_tx, &call, &f->err));
    assert_string_equal(types(f, webhook), "spec.ready spec.approved run.started task.completed run.completed");
    json_t *data = newest(f, webhook, "run.completed");
    assert_string_equal(json_str(data, "status", ""), "failed");
    assert_string_equal(json_str(data, "error", ""), "no luck");
}

static int insert_in_tx(struct db *db, void *arg, struct err *err) {
    struct move_call *call = arg;
    int rc = store_export_insert(db, &call->export, err);
    return rc < 0 ? rc : store_deployment_insert(db, &call->deployment, err);
}

static int move_export_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct move_call *call = arg;
    struct export row = call->export;
    return journal_export_move(journal, &row, call->export_to, err);
}

static int move_deployment_in_tx(struct journal *journal, void *arg, struct err *err) {
    struct move_call *call = arg;
    struct deployment row = call->deployment;
    return journal_deployment_move(journal, &row, call->deployment_to, err);
}

static void exports_and_deployments_are_told(void **state) {
    struct fixture *f = *state;
    add_task(f, "task-001", "one", "", "a/**", "a/x");
    begin_run(f);
    struct webhook *webhook = add_webhook(f, NOWHERE);
    struct move_call call = {.f = f,
                             .export = {.format = "zip", .run_number = 1, .size_bytes = 7},
                             .deployment = {.provider = "local", .url = "http://127.0.0.1:1"}};
    id_make(call.export.id, "exp");
    id_make(call.deployment.id, "dep");
    str_copy(call.export.project_id, ID_LEN, f->project_id);
    str_copy(call.deployment.project_id, ID_LEN, f->project_id);
    str_copy(call.export.run_id, ID_LEN, f->run_id);
    str_copy(call.deployment.run_id, ID_LEN, f->run_id);
    must(f, store_write(f->engine->store, insert_in_tx, &call, &f->err));
    call.export_to = EXPORT_COMPLETED;
    must(f, journal_write(f->engine, move_export_in_tx, &call, &f->err));
    json_t *data = newest(f, webhook, "export.completed");
    assert_string_equal(json_str(data, "exportId", ""), call.export.id);
    assert_int_equal(json_int(data, "sizeBytes", 0), 7);
    call.export.state = EXPORT_COMPLETED;
    call.export_to = EXPORT_EXPIRED;
    must(f, journal_write(f->engine, move_export_in_tx, &call, &f->err));
    static const enum deployment_state ways[] = {DEPLOYMENT_LIVE, DEPLOYMENT_DEPLOYING, DEPLOYMENT_FAILED};
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        call.deployment_to = ways[i];
        must(f, journal_write(f->engine, move_deployment_in_tx, &call, &f->err));
        call.deployment.state = ways[i];
    }
    assert_string_equal(types(f, webhook), "export.completed deployment.live deployment.failed");
    data = newest(f, webhook, "deployment.failed");
    assert_string_equal(json_str(data, "deploymentId", ""), call.deployment.id);
    assert_string_equal(json_str(data, "provider", ""), "local");
}

static int many_in_tx(struct db *db, void *arg, struct err *err) {
    struct webhook_delivery row = {
        .type = WEBHOOK_PING, .payload_json = "{}", .next_attempt_ms = INT64_MAX, .created_ms = 1};
    int rc = 0;
    str_copy(row.webhook_id, ID_LEN, arg);
    for (int i = 0; rc == 0 && i < 10000; i++) {
        id_make(row.id, "msg");
        rc = store_webhook_delivery_insert(db, &row, err);
    }
    return rc;
}

static void no_more_wait_than_may(void **state) {
    struct fixture *f = *state;
    struct webhook *full = add_webhook(f, NOWHERE), *other = add_webhook(f, NOWHERE);
    struct webhook_delivery *rows = NULL;
    must(f, store_write(f->engine->store, many_in_tx, full->id, &f->err));
    add_project(f, NULL);
    (void)deliveries(f, full, &rows);
    assert_string_equal(rows[0].type, "spec.approved");
    assert_int_equal(rows[0].state, DELIVERY_FAILED);
    assert_true(rows[0].completed_ms > 0);
    assert_non_null(strstr(rows[0].error, "Too many"));
    assert_int_equal(deliveries(f, other, &rows), 2);
    assert_int_not_equal(rows[0].state, DELIVERY_FAILED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        engine_test(a_run_is_told_from_its_plan_to_its_end),
        engine_test(what_did_not_happen_is_not_told),
        engine_test(exports_and_deployments_are_told),
        engine_test(no_more_wait_than_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
