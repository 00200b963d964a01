/* llm: a call from its first attempt to its last. */
#include "llm/llm.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"
#include "llm/tape.h"
#include "llm/wire.h"

enum {
    MAX_ATTEMPTS = 5,
    TOTAL_MS = 600000,
    BACKOFF_MS = 500,
    BACKOFF_CAP_MS = 30000,
    /* Whoever is told to wait longer gives the call up, and says when to come back: a caller has better ways to wait.
     */
    PATIENCE_MS = 60000,
    SLICE_MS = 50,
    HIDDEN_TOKENS = 1024,
    LEAST_MS = 100, /* with less left, no further attempt begins */
};

static const char *const format_names[] = {
#define X(id, name) [id] = name,
    LLM_FORMAT_LIST(X)
#undef X
};
static const char *const stop_names[] = {
#define X(id, name) [id] = name,
    LLM_STOP_LIST(X)
#undef X
};
static const enum err_code fault_codes[] = {
#define X(id, code) [id] = code,
    LLM_FAULT_LIST(X)
#undef X
};
static const struct wire *const wires[] = {
    [LLM_ANTHROPIC] = &wire_anthropic,
    [LLM_RESPONSES] = &wire_responses,
    [LLM_CHAT] = &wire_chat,
    [LLM_OLLAMA] = &wire_ollama,
};

const char *llm_format_name(enum llm_format format) {
    return format_names[format];
}

const char *llm_stop_name(enum llm_stop stop) {
    return stop_names[stop];
}

bool llm_format_parse(const char *name, enum llm_format *out) {
    for (size_t i = 0; i < ARRAY_LEN(format_names); i++) {
        if (str_eq(format_names[i], name)) {
            *out = (enum llm_format)i;
            return true;
        }
    }
    return false;
}

bool llm_stop_parse(const char *name, enum llm_stop *out) {
    for (size_t i = 0; i < ARRAY_LEN(stop_names); i++) {
        if (str_eq(stop_names[i], name)) {
            *out = (enum llm_stop)i;
            return true;
        }
    }
    return false;
}

const struct wire *wire_of(enum llm_format format) {
    return wires[format];
}

enum err_code fault_code(enum llm_fault fault) {
    return fault_codes[fault] ? fault_codes[fault] : ERR_UNAVAILABLE;
}

const char *without_key(struct arena *arena, const char *text, const char *key) {
    const char *at = key && key[0] ? strstr(text, key) : NULL;
    if (!at)
        return text;
    CLEANUP(buf_release) struct buf out = {0};
    for (; at; text = at + strlen(key), at = strstr(text, key)) {
        buf_put(&out, text, (size_t)(at - text));
        buf_puts(&out, "[key]");
    }
    buf_puts(&out, text);
    return arena_strndup(arena, out.data, out.len);
}

/* A call under way. */
struct call {
    const struct llm_model *model;
    struct llm_request request; /* of which output is dropped when the server cannot do it */
    const struct wire *wire;
    struct arena *arena;
    struct llm_reply *reply;
    const char *url;
    struct buf body;
    int64_t deadline_mono_ms;
    struct refusal refusal;
};

static int give_up(struct call *call, enum llm_fault fault) {
    call->reply->fault = fault;
    return -(int)fault_code(fault);
}

const char *llm_address(const struct llm_model *model, struct arena *arena) {
    const struct wire *wire = wires[model->format];
    char *base = arena_strdup(arena, model->base_url && model->base_url[0] ? model->base_url : wire->default_url);
    size_t len = strlen(base);
    while (len && base[len - 1] == '/')
        base[--len] = '\0';
    const char *host = strstr(base, "://");
    bool has_v1 = str_ends(base, "/v1"), has_path = strchr(host ? host + 3 : base, '/') != NULL;
    /* Anthropic's addresses are given without "/v1", also those with a path; the others' with it. */
    bool is_added = wire->v1 && !has_v1 && (wire == &wire_anthropic || !has_path);
    return arena_printf(arena, "%s%s", base, is_added ? wire->v1 : "");
}

static const char *url_of(const struct llm_model *model, struct arena *arena) {
    return arena_printf(arena, "%s%s", llm_address(model, arena), wires[model->format]->path);
}

static int check(struct call *call, struct err *err) {
    const struct llm_model *model = call->model;
    if (!model->name || !model->name[0]) {
        (void)err_set(err, ERR_VALIDATION, "no model is named");
        return give_up(call, LLM_FAULT_SETTINGS);
    }
    if (model->api_key && strpbrk(model->api_key, "\r\n")) {
        (void)err_set(err, ERR_VALIDATION, "the model's key has a line break in it");
        return give_up(call, LLM_FAULT_SETTINGS);
    }
    call->url = url_of(model, call->arena);
    if (strncasecmp(call->url, "http://", 7) != 0 && strncasecmp(call->url, "https://", 8) != 0) {
        (void)err_set(err, ERR_VALIDATION, "the model's address must begin with http:// or https://");
        return give_up(call, LLM_FAULT_SETTINGS);
    }
    return 0;
}

static void make_body(struct call *call) {
    struct jw jw;
    buf_reset(&call->body);
    jw_init(&jw, &call->body);
    call->wire->put_body(&jw, call->model, &call->request, call->arena);
}

/* An upper bound, since a budget is held by it: no token is less than a byte of what is sent, and what providers add of
 * their own (for tools, for schemas) is some hundred tokens. */
static int64_t most_tokens(const struct buf *body) {
    return (int64_t)body->len + HIDDEN_TOKENS;
}

static void add_usage(struct llm_usage *sum, const struct llm_usage *more) {
    sum->input_tokens += more->input_tokens;
    sum->cached_input_tokens += more->cached_input_tokens;
    sum->cache_write_tokens += more->cache_write_tokens;
    sum->output_tokens += more->output_tokens;
}

static int try_once(struct call *call, struct err *err) {
    const struct llm_meter *meter = call->request.meter;
    struct attempt attempt = {.model = call->model,
                              .request = &call->request,
                              .wire = call->wire,
                              .url = call->url,
                              .body = &call->body,
                              .deadline_mono_ms = call->deadline_mono_ms,
                              .arena = call->arena};
    struct llm_usage usage = {0};
    bool is_known = false;

    call->refusal = (struct refusal){0};
    if (meter) {
        int rc =
            meter->reserve(meter->arg, most_tokens(&call->body), body_max_tokens(call->model, &call->request), err);
        if (rc < 0) {
            call->refusal.fault = LLM_FAULT_METER;
            return rc;
        }
    }
    call->reply->attempts++;
    int rc = attempt_run(&attempt, call->reply, &call->refusal, &usage, &is_known, err);
    if (meter)
        meter->settle(meter->arg, &usage, is_known);
    add_usage(&call->reply->usage, &usage);
    call->reply->is_usage_known = call->reply->is_usage_known && is_known;
    call->reply->http_status = call->refusal.status;
    if (rc < 0 && call->request.on_text)
        call->request.on_text(NULL, call->request.text_arg);
    return rc;
}

static bool is_cancelled(const struct call *call) {
    return call->request.is_cancelled && call->request.is_cancelled(call->request.cancel_arg);
}

/* Full jitter: anything up to the cap, so that those who failed together do not come back together. What the server
 * asked for is waited in any case. */
static int64_t wait_of(const struct call *call) {
    int64_t cap_ms = call->model->backoff_ms ? call->model->backoff_ms : BACKOFF_MS;
    for (int i = 1; i < call->reply->attempts && cap_ms < BACKOFF_CAP_MS; i++)
        cap_ms *= 2;
    cap_ms = cap_ms < BACKOFF_CAP_MS ? cap_ms : BACKOFF_CAP_MS;
    return call->refusal.wait_ms + hash_random_below((uint32_t)cap_ms + 1);
}

/* False when it was cancelled meanwhile. */
static bool sleep_ms(const struct call *call, int64_t ms) {
    int64_t end_mono_ms = clock_mono_ms() + ms;
    for (;;) {
        if (is_cancelled(call))
            return false;
        int64_t left_ms = end_mono_ms - clock_mono_ms();
        if (left_ms <= 0)
            return true;
        (void)poll(NULL, 0, (int)(left_ms < SLICE_MS ? left_ms : SLICE_MS));
    }
}

/* Whether the server refused the very form of the output that was asked for, as servers do that know no schemas. */
static bool is_about_output(const struct call *call, const struct err *err) {
    static const char *const words[] = {"response_format", "json_schema", "output_config", "text.format",
                                        "output_format"};
    if (call->refusal.fault != LLM_FAULT_REQUEST || !call->request.output)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_contains_nocase(err->message, words[i]))
            return true;
    }
    return false;
}

static int stop_call(struct call *call, struct err *err) {
    (void)err_set(err, ERR_CANCELLED, "the call of the model was stopped");
    return give_up(call, LLM_FAULT_CANCELLED);
}

/* Whether to try again, once the wait is over: 0, or the call's failure. */
static int prepare_next(struct call *call, struct err *err) {
    int max = call->model->max_attempts ? call->model->max_attempts : MAX_ATTEMPTS;
    int64_t left_ms = call->deadline_mono_ms - clock_mono_ms();

    if (is_about_output(call, err) && call->reply->attempts < max) {
        call->request.output = NULL;
        make_body(call);
        return 0;
    }
    if (call->refusal.fault == LLM_FAULT_QUOTA)
        call->reply->resets_at_ms = call->refusal.resets_at_ms;
    if (call->refusal.is_retryable && call->refusal.wait_ms > PATIENCE_MS) {
        call->reply->resets_at_ms = clock_now_ms() + call->refusal.wait_ms;
        (void)err_wrap(err, "the model's server asks to wait %lld s", (long long)call->refusal.wait_ms / 1000);
        if (err)
            err->code = ERR_QUOTA;
        return give_up(call, LLM_FAULT_QUOTA);
    }
    if (!call->refusal.is_retryable || call->reply->attempts >= max)
        return give_up(call, call->refusal.fault);
    int64_t wait_ms = wait_of(call);
    if (wait_ms + LEAST_MS >= left_ms)
        return give_up(call, call->refusal.fault);
    return sleep_ms(call, wait_ms) ? 0 : stop_call(call, err);
}

static int run(struct call *call, struct err *err) {
    struct err own;
    err = err ? err : &own;
    int rc = check(call, err);
    if (rc < 0)
        return rc;
    make_body(call);
    for (;;) {
        if (is_cancelled(call))
            return stop_call(call, err);
        rc = try_once(call, err);
        if (rc == 0)
            return 0;
        if (call->refusal.fault == LLM_FAULT_METER) {
            call->reply->fault = LLM_FAULT_METER;
            return rc;
        }
        rc = prepare_next(call, err);
        if (rc < 0)
            return rc;
    }
}

int llm_call(const struct llm_model *model, const struct llm_request *request, struct arena *arena,
             struct llm_reply *reply, struct err *err) {
    struct call call = {.model = model,
                        .request = *request,
                        .wire = wires[model->format],
                        .arena = arena,
                        .reply = reply,
                        .deadline_mono_ms = clock_mono_ms() + (model->total_ms ? model->total_ms : TOTAL_MS)};
    *reply = (struct llm_reply){.is_usage_known = true};
    if (tape_is_replay(request->tape))
        return tape_replay(request->tape, request, arena, reply, err);
    int rc = run(&call, err);
    buf_release(&call.body);
    return rc < 0 || !request->tape ? rc : tape_record(request->tape, model, request, reply, arena, err);
}
