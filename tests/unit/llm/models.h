/* models: the scripted model server of tests/models, which speaks the wire formats truly, and calls of it. */
#ifndef TEST_LLM_MODELS_H
#define TEST_LLM_MODELS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/str.h"
#include "llm/llm.h"
#include "net/net.h"

/* The server is one for all tests of a program; each test has scripts of its own on it. */
static struct {
    struct proc proc;
    int stdin_fd;
    char url[64];
} models;

static inline int models_start(void **state) {
    int in[2], out[2];
    struct err err = {0};
    char path[4200];
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    (void)snprintf(path, sizeof(path), "PATH=%s", str_or(getenv("PATH"), "/usr/local/bin:/usr/bin:/bin"));
    const char *argv[] = {"node", TEST_SOURCE_ROOT "/tests/models/server.mjs", NULL};
    const char *env[] = {path, NULL};
    struct proc_spec spec = {
        .argv = argv, .env = env, .stdin_fd = in[0], .stdout_fd = out[1], .stderr_fd = 2, .dies_with_parent = true};
    if (proc_start(&models.proc, &spec, &err))
        fail_msg("node: %s", err.message);
    (void)close(in[0]);
    (void)close(out[1]);
    models.stdin_fd = in[1];
    size_t len = 0;
    while (len + 1 < sizeof(models.url) && read(out[0], models.url + len, 1) == 1 && models.url[len] != '\n')
        len++;
    models.url[len] = '\0';
    (void)close(out[0]);
    assert_true(str_starts(models.url, "http://127.0.0.1:"));
    return 0;
}

static inline int models_stop(void **state) {
    struct proc_exit ended;
    struct err err;
    (void)close(models.stdin_fd);
    proc_signal_group(&models.proc, 9);
    (void)!proc_wait(&models.proc, INT64_MAX, &ended, &err);
    proc_release(&models.proc);
    return 0;
}

struct fixture {
    struct arena *arena;
    struct err err;
    struct llm_reply reply;
    struct buf seen; /* what on_text told */
    int restarts;
    int scripts;
};

static inline int fixture_set_up(void **state) {
    struct fixture *f = mem_alloc(sizeof(*f));
    f->arena = arena_create();
    *state = f;
    return 0;
}

static inline int fixture_tear_down(void **state) {
    struct fixture *f = *state;
    arena_destroy(f->arena);
    buf_release(&f->seen);
    free(f);
    return 0;
}

static inline struct net_response models_ask(struct fixture *f, const char *method, const char *path,
                                             const char *body) {
    struct net_client *client = net_client_create();
    struct net_response response = {0};
    struct net_request request = {.method = method,
                                  .url = arena_printf(f->arena, "%s%s", models.url, path),
                                  .body = body,
                                  .body_len = body ? strlen(body) : 0};
    if (net_request(client, &request, f->arena, &response, &f->err))
        fail_msg("%s: %s", path, f->err.message);
    net_client_destroy(client);
    assert_int_equal(response.status, 200);
    return response;
}

/* A model whose server plays these steps (JSON, with ' for "), one a call; the name of its script in *name. */
static inline struct llm_model script_keyed(struct fixture *f, enum llm_format format, const char *steps,
                                            const char *key, const char **name) {
    static int number;
    char *text = arena_strdup(f->arena, steps);
    for (char *c = text; *c; c++)
        *c = (char)(*c == '\'' ? '"' : *c);
    *name = arena_printf(f->arena, "script%d", ++number);
    (void)models_ask(f, "POST", "/_script",
                     arena_printf(f->arena, "{\"name\":\"%s\",\"steps\":%s%s%s%s}", *name, text,
                                  key ? ",\"key\":\"" : "", str_or(key, ""), key ? "\"" : ""));
    return (struct llm_model){.format = format,
                              .base_url = arena_printf(f->arena, "%s/s/%s%s", models.url, *name,
                                                       format == LLM_CHAT || format == LLM_RESPONSES ? "/v1" : ""),
                              .name = "test-model",
                              .backoff_ms = 1};
}

static inline struct llm_model script(struct fixture *f, enum llm_format format, const char *steps, const char **name) {
    return script_keyed(f, format, steps, NULL, name);
}

/* What came to a script: [{path, format, headers, body}]. */
static inline json_t *requests_of(struct fixture *f, const char *name) {
    json_t *all = NULL;
    struct net_response response = models_ask(f, "GET", arena_printf(f->arena, "/_requests?name=%s", name), NULL);
    if (json_parse(f->arena, response.body, response.body_len, &all, &f->err))
        fail_msg("%s", f->err.message);
    return all;
}

static inline void note_text(const char *text, void *arg) {
    struct fixture *f = arg;
    if (text)
        buf_puts(&f->seen, text);
    else
        f->restarts++;
    if (!text)
        buf_reset(&f->seen);
}

static inline struct llm_request ask(struct fixture *f, const char *text) {
    struct llm_part *part = arena_alloc(f->arena, sizeof(*part));
    struct llm_message *message = arena_alloc(f->arena, sizeof(*message));
    *part = (struct llm_part){.kind = LLM_TEXT, .text = text};
    *message = (struct llm_message){.role = LLM_USER, .parts = part, .part_count = 1};
    return (struct llm_request){.messages = message, .message_count = 1, .on_text = note_text, .text_arg = f};
}

static inline int call(struct fixture *f, const struct llm_model *model, const struct llm_request *request) {
    f->err = (struct err){0};
    return llm_call(model, request, f->arena, &f->reply, &f->err);
}

static inline void call_well(struct fixture *f, const struct llm_model *model, const struct llm_request *request) {
    if (call(f, model, request))
        fail_msg("%s: %s", llm_format_name(model->format), f->err.message);
}

static inline json_t *json_of(struct fixture *f, const char *text) {
    json_t *value = NULL;
    char *copy = arena_strdup(f->arena, text);
    for (char *c = copy; *c; c++)
        *c = (char)(*c == '\'' ? '"' : *c);
    if (json_parse(f->arena, copy, strlen(copy), &value, &f->err))
        fail_msg("%s", f->err.message);
    return value;
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

#endif
