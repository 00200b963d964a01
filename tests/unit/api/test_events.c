/* events: the list with its filters, and the stream: from the beginning, from an id, live, to the end. */
#include "fixture.h"

struct append_call {
    struct event event;
    struct fixture *f;
};

static int append_in_tx(struct db *db, void *arg, struct err *err) {
    struct append_call *call = arg;
    return store_event_append(db, &call->event, err);
}

static int64_t append(struct fixture *f, const struct run *run, enum event_type type, const char *task_id,
                      const char *payload, int64_t at_ms) {
    struct append_call call = {.event = {.type = type, .payload_json = payload, .created_ms = at_ms}, .f = f};
    id_make(call.event.id, "evt");
    str_copy(call.event.run_id, sizeof(call.event.run_id), run->id);
    str_copy(call.event.project_id, sizeof(call.event.project_id), run->project_id);
    str_copy(call.event.task_id, sizeof(call.event.task_id), task_id ? task_id : "");
    must(f, store_write(engine_store(f->engine), append_in_tx, &call, &f->err));
    return call.event.sequence;
}

#define EVENTS_AT INT64_C(1705318200000) /* 2024-01-15T11:30:00Z */

static const char *begin(struct fixture *f, struct run *run, char task_id[ID_LEN]) {
    const char *project = add_project(f);
    *run = add_run(f, RUN_EXECUTING, "0123456789012345678901234567890123456789");
    id_make(task_id, "task");
    append(f, run, EVENT_RUN_STARTED, NULL, "{\"status\":\"decomposing\"}", EVENTS_AT);
    append(f, run, EVENT_TASK_STARTED, task_id, "{\"slug\":\"ui\"}", EVENTS_AT + 1000);
    append(f, run, EVENT_FILE_CREATED, task_id, "{}", EVENTS_AT + 2000);
    return arena_printf(f->arena, "%s/runs/%s/events", project, run->id);
}

static void the_list_filters(void **state) {
    struct fixture *f = *state;
    struct run run;
    char task_id[ID_LEN];
    const char *path = begin(f, &run, task_id);
    assert_int_equal(ask(f, "GET", path, NULL), 200);
    assert_said(f, "data.0.eventType", "RUN_STARTED");
    assert_said(f, "data.0.taskId", "null");
    assert_said(f, "data.1.taskId", task_id);
    assert_said(f, "data.1.payload", "{\"slug\":\"ui\"}");
    assert_said(f, "data.1.createdAt", "2024-01-15T11:30:01.000Z");
    assert_said(f, "data.2.sequence", "3");
    assert_int_equal(ask(f, "GET", arena_printf(f->arena, "%s?after=2024-01-15T11:30:01Z", path), NULL), 200);
    assert_said(f, "data.0.eventType", "FILE_CREATED");
    assert_said(f, "data.1", "(missing)");
    assert_int_equal(
        ask(f, "GET", arena_printf(f->arena, "%s?type=TASK_STARTED&taskId=%s&limit=1", path, task_id), NULL), 200);
    assert_said(f, "data.0.sequence", "2");
    assert_int_equal(ask(f, "GET", arena_printf(f->arena, "%s?afterSequence=2", path), NULL), 200);
    assert_said(f, "data.0.sequence", "3");
    static const char *const refused[] = {"after=yesterday", "type=NOPE", "taskId=7", "limit=0", "limit=1001"};
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        assert_int_equal(ask(f, "GET", arena_printf(f->arena, "%s?%s", path, refused[i]), NULL), 400);
}

static struct client open_stream(struct fixture *f, const char *path, const char *headers) {
    struct client client = client_open(api_port(f->api));
    client_send(&client,
                arena_printf(f->arena,
                             "GET %s/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " MEMBER_KEY "\r\n%s\r\n",
                             path, headers));
    return client;
}

static void a_stream_goes_on_to_the_end(void **state) {
    struct fixture *f = *state;
    struct run run;
    char task_id[ID_LEN];
    const char *path = begin(f, &run, task_id);
    struct client client = open_stream(f, path, "");
    assert_true(client_wait_for(&client, "Content-Type: text/event-stream"));
    assert_true(client_wait_for(&client, "retry: 1000\n\n"));
    assert_true(client_wait_for(&client, "id: 1\nevent: RUN_STARTED\ndata: {\"status\":\"decomposing\"}\n\n"));
    const char *second =
        arena_printf(f->arena, "id: 2\nevent: TASK_STARTED\ndata: {\"taskId\":\"%s\",\"slug\":\"ui\"}\n\n", task_id);
    assert_true(client_wait_for(&client, second));
    assert_true(client_wait_for(&client, arena_printf(f->arena, "data: {\"taskId\":\"%s\"}\n\n", task_id)));
    /* What is written now comes with the wake-up, not with a tick. */
    const char *topic = arena_printf(f->arena, "run:%s", run.id);
    int64_t began_ms = clock_mono_ms();
    bus_publish(engine_bus(f->engine), topic,
                append(f, &run, EVENT_TASK_OUTPUT, task_id, "{\"text\":\"hi\"}", EVENTS_AT + 3000));
    assert_true(client_wait_for(&client, "\"text\":\"hi\""));
    assert_true(clock_mono_ms() - began_ms < 10000);
    bus_publish(engine_bus(f->engine), topic,
                append(f, &run, EVENT_RUN_COMPLETED, NULL, "{\"status\":\"succeeded\"}", EVENTS_AT + 4000));
    assert_true(client_wait_for(&client, "event: RUN_COMPLETED\n"));
    assert_true(client_wait_for(&client, "\r\n0\r\n\r\n")); /* nothing follows it */
    client_close(&client);
}

static void a_stream_is_taken_up_where_it_stood(void **state) {
    struct fixture *f = *state;
    struct run run;
    char task_id[ID_LEN];
    const char *path = begin(f, &run, task_id);
    struct client client = open_stream(f, path, "Last-Event-ID: 2\r\n");
    assert_true(client_wait_for(&client, "id: 3\n"));
    assert_null(memmem(client.in.data, client.in.len, "id: 2\n", 6));
    client_close(&client);
    client = open_stream(f, arena_printf(f->arena, "%s", path), "Last-Event-ID: x\r\n");
    assert_true(client_wait_for(&client, "Last-Event-ID must be the sequence of an event"));
    client_close(&client);
    client = client_open(api_port(f->api));
    client_send(&client,
                arena_printf(f->arena,
                             "GET %s/stream?lastEventId=2 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " MEMBER_KEY
                             "\r\n\r\n",
                             path));
    assert_true(client_wait_for(&client, "id: 3\n"));
    client_close(&client);
}

static void an_ended_run_has_nothing_more_to_say(void **state) {
    struct fixture *f = *state;
    const char *project = add_project(f);
    struct run run = add_run(f, RUN_SUCCEEDED, "0123456789012345678901234567890123456789");
    append(f, &run, EVENT_RUN_COMPLETED, NULL, "{\"status\":\"succeeded\"}", EVENTS_AT);
    const char *path = arena_printf(f->arena, "%s/runs/%s/events/stream", project, run.id);
    assert_int_equal(ask(f, "GET", path, NULL), 200);
    assert_non_null(strstr(f->answer.body, "event: RUN_COMPLETED\n"));
    assert_int_equal(ask_as(f, MEMBER_KEY, "GET", path, "Last-Event-ID: 1\r\n", NULL), 204);
    assert_int_equal(ask_as(f, MEMBER_KEY, "HEAD", path, "", NULL), 200);
    assert_int_equal(ask_as(f, OTHER_KEY, "GET", path, "", NULL), 404);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        api_test(the_list_filters),
        api_test(a_stream_goes_on_to_the_end),
        api_test(a_stream_is_taken_up_where_it_stood),
        api_test(an_ended_run_has_nothing_more_to_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
