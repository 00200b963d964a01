/* logs: a task's log as it is, as it grows, and when nothing follows any more. */
#include "fixture.h"

#include <sys/stat.h>

#include "engine/task_log.h"

/* A task in this state; its path. */
static const char *begin(struct fixture *f, struct task *task, enum task_state state) {
    const char *project = add_project(f);
    struct run run = add_run(f, RUN_EXECUTING, "0123456789012345678901234567890123456789");
    *task = (struct task){0};
    str_copy(task->id, sizeof task->id, add_task(f, &run, 1, state));
    str_copy(task->run_id, sizeof task->run_id, run.id);
    return arena_printf(f->arena, "%s/runs/%s/tasks/%s/log", project, run.id, task->id);
}

static void write_last(struct fixture *f, const struct task *task, const char *text) {
    struct task_notes notes = {0};
    task_notes_add(&notes, f->arena, task, 1000, text, true);
    task_notes_write(&notes, f->engine);
}

static struct client follow(struct fixture *f, const char *path) {
    struct client client = client_open(api_port(f->api));
    client_send(&client,
                arena_printf(f->arena, "GET %s?follow=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n",
                             path, MEMBER_KEY));
    return client;
}

static void a_log_grows(void **state) {
    struct fixture *f = *state;
    struct task task;
    const char *path = begin(f, &task, TASK_RUNNING);
    assert_int_equal(ask(f, "GET", path, NULL), 200);
    assert_string_equal(f->answer.body, "");
    assert_string_equal(answer_header(&f->answer, "Content-Type"), "text/plain; charset=utf-8");
    const char *empty = arena_strdup(f->arena, answer_header(&f->answer, "ETag"));
    assert_int_equal(ask_as(f, MEMBER_KEY, "GET", path, "Range: bytes=0-\r\n", NULL), 416);
    task_log_write(f->engine, &task, "agent: ", "one");
    assert_int_equal(ask_as(f, MEMBER_KEY, "GET", path, arena_printf(f->arena, "If-None-Match: %s\r\n", empty), NULL),
                     200);
    assert_true(str_ends(f->answer.body, " agent: one\n"));
    size_t len = f->answer.body_len;
    const char *tag = arena_strdup(f->arena, answer_header(&f->answer, "ETag"));
    assert_int_equal(ask_as(f, MEMBER_KEY, "GET", path, arena_printf(f->arena, "If-None-Match: %s\r\n", tag), NULL),
                     304);
    task_log_write(f->engine, &task, "", "two");
    assert_int_equal(ask_as(f, MEMBER_KEY, "GET", path, arena_printf(f->arena, "Range: bytes=%zu-\r\n", len), NULL),
                     206);
    assert_true(str_ends(f->answer.body, " two\n"));
    assert_null(strstr(f->answer.body, "one"));
    assert_int_equal(ask_as(f, OTHER_KEY, "GET", path, "", NULL), 404);
}

static void who_follows_has_each_line_as_it_comes(void **state) {
    struct fixture *f = *state;
    struct task task;
    const char *path = begin(f, &task, TASK_RUNNING);
    struct client client = follow(f, path);
    assert_true(client_wait_for(&client, "\r\n\r\n")); /* before there is a file */
    task_log_write(f->engine, &task, "", "one");
    assert_true(client_wait_for(&client, " one\n"));
    struct client late = follow(f, path);
    assert_true(client_wait_for(&late, " one\n"));
    task_log_write(f->engine, &task, "", "two");
    assert_true(client_wait_for(&client, " two\n"));
    write_last(f, &task, "the last");
    assert_true(client_wait_for(&client, " the last\n\r\n0\r\n\r\n"));
    assert_true(client_wait_for(&late, " the last\n\r\n0\r\n\r\n"));
    client_close(&client);
    client_close(&late);
}

static void a_long_log_comes_whole(void **state) {
    struct fixture *f = *state;
    struct task task;
    struct answer answer;
    const char *path = begin(f, &task, TASK_RUNNING);
    char *line = arena_alloc(f->arena, 4000);
    memset(line, 'x', 3999);
    for (int i = 0; i < 200; i++)
        task_log_write(f->engine, &task, "", line);
    write_last(f, &task, "the last");
    struct client client = follow(f, path);
    client_answer(&client, false, &answer);
    client_close(&client);
    assert_int_equal(answer.status, 200);
    struct stat st;
    assert_int_equal(stat(engine_task_log_path(f->engine, &task, f->arena), &st), 0);
    assert_int_equal(answer.body_len, st.st_size);
}

/* A crash came between the task's end and the last line. */
static void a_log_that_was_never_closed_ends(void **state) {
    struct fixture *f = *state;
    struct task task;
    struct answer answer;
    const char *path = begin(f, &task, TASK_FAILED);
    struct client client = follow(f, path);
    client_answer(&client, false, &answer);
    assert_int_equal(answer.body_len, 0);
    task_log_write(f->engine, &task, "", "one");
    client_send(&client,
                arena_printf(f->arena,
                             "GET %s?follow=true&offset=5 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n",
                             path, MEMBER_KEY));
    client_answer(&client, false, &answer);
    assert_true(str_ends(answer.body, " one\n"));
    assert_null(strstr(answer.body, "20")); /* of the year */
    client_close(&client);
}

static void head_of_what_is_followed_ends(void **state) {
    struct fixture *f = *state;
    struct task task;
    const char *path = begin(f, &task, TASK_RUNNING);
    assert_int_equal(ask(f, "HEAD", arena_printf(f->arena, "%s?follow=true", path), NULL), 200);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        api_test(a_log_grows),
        api_test(who_follows_has_each_line_as_it_comes),
        api_test(a_long_log_comes_whole),
        api_test(a_log_that_was_never_closed_ends),
        api_test(head_of_what_is_followed_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
