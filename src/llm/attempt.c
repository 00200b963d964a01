/* attempt: one exchange with a model's server, from the request to the last event of its stream. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "llm/wire.h"

enum {
    CONNECT_MS = 10000,
    IDLE_MS = 120000,
    MAX_EVENT_BYTES = 16 * 1024 * 1024,
    MAX_STREAM_BYTES = 256 * 1024 * 1024, /* a stream says little in many bytes */
    MAX_REFUSAL_BYTES = 64 * 1024,
    MAX_WORD = 300, /* of what a server says, in a message */
};

struct exchange {
    const struct attempt *attempt;
    struct answer *answer;
    struct err *err;
    struct arena *scratch;
    struct sse_reader *reader;
    struct buf line;    /* of NDJSON */
    struct buf refused; /* the beginning of a body that is no answer */
    struct net_response head;
    bool is_stream; /* 200, and of the right type */
    bool is_idle, is_stopped, was_sent;
    int64_t moved_mono_ms;
    int verdict; /* of the events: 0, ANSWER_DONE, or negative: */
    struct err said;
};

static const char *type_of(const struct net_response *head) {
    return str_or(net_response_header(head, "content-type"), "");
}

static bool is_right_type(const struct wire *wire, const struct net_response *head) {
    const char *type = type_of(head);
    if (!type[0])
        return true;
    if (wire->is_ndjson)
        return str_contains_nocase(type, "json");
    return strncasecmp(type, "text/event-stream", 17) == 0;
}

static void on_head(const struct net_response *head, void *arg) {
    struct exchange *exchange = arg;
    exchange->head = *head;
    exchange->is_stream = head->status == 200 && is_right_type(exchange->attempt->wire, head);
}

static int take_json(struct exchange *exchange, const char *text) {
    struct answer *answer = exchange->answer;
    json_t *event = NULL;
    struct err why = {0};
    int rc = json_parse(exchange->scratch, text, strlen(text), &event, &why);

    if (rc < 0)
        rc = answer_fail(answer, LLM_FAULT_FORMAT, true, &exchange->said, "an event of the stream is not JSON: %s",
                         why.message);
    else
        rc = exchange->attempt->wire->take_event(answer, event, exchange->scratch, &exchange->said);
    arena_reset(exchange->scratch);
    return rc;
}

static int on_event(const struct sse_event *event, void *arg) {
    struct exchange *exchange = arg;
    if (str_eq(event->data, "[DONE]"))
        return exchange->attempt->wire->ends_by_itself ? ANSWER_DONE : 0;
    exchange->verdict = take_json(exchange, event->data);
    return exchange->verdict;
}

static int take_lines(struct exchange *exchange, const char *data, size_t len) {
    while (len) {
        const char *end = memchr(data, '\n', len);
        size_t part = end ? (size_t)(end - data) : len;
        if (part > MAX_EVENT_BYTES - exchange->line.len)
            return answer_fail(exchange->answer, LLM_FAULT_TOO_LARGE, false, &exchange->said,
                               "a line of more than %d bytes", MAX_EVENT_BYTES);
        buf_put(&exchange->line, data, part);
        if (!end)
            return 0;
        int rc = 0;
        if (exchange->line.len && strspn(exchange->line.data, " \r\t") < exchange->line.len)
            rc = take_json(exchange, exchange->line.data);
        buf_reset(&exchange->line);
        if (rc)
            return rc;
        data = end + 1;
        len -= part + 1;
    }
    return 0;
}

static int feed(struct exchange *exchange, const char *data, size_t len) {
    if (exchange->attempt->wire->is_ndjson)
        return take_lines(exchange, data, len);
    int rc = sse_reader_feed(exchange->reader, data, len, &exchange->said);
    if (rc == -ERR_TOO_LARGE && exchange->verdict == 0)
        return answer_fail(exchange->answer, LLM_FAULT_TOO_LARGE, false, &exchange->said,
                           "an event of more than %d bytes", MAX_EVENT_BYTES);
    return rc;
}

/* Non-zero ends the transfer: there is all that matters. */
static int on_body(const char *data, size_t len, void *arg) {
    struct exchange *exchange = arg;
    exchange->moved_mono_ms = clock_mono_ms();
    if (exchange->is_stream) {
        exchange->verdict = feed(exchange, data, len);
        return exchange->verdict;
    }
    buf_put(&exchange->refused, data, len);
    return exchange->refused.overflowed;
}

static bool is_over(void *arg) {
    struct exchange *exchange = arg;
    const struct llm_request *request = exchange->attempt->request;
    int64_t idle_ms = exchange->attempt->model->idle_ms ? exchange->attempt->model->idle_ms : IDLE_MS;

    exchange->is_stopped = request->is_cancelled && request->is_cancelled(request->cancel_arg);
    exchange->is_idle = clock_mono_ms() - exchange->moved_mono_ms >= idle_ms;
    return exchange->is_stopped || exchange->is_idle;
}

/* A server's own word, fit for a message: short, on one line, without the key. */
static const char *word_of(const struct attempt *attempt, const char *text) {
    char *word = arena_strdup(attempt->arena, without_key(attempt->arena, text, attempt->model->api_key));
    size_t len = 0;
    while (word[len] && len < MAX_WORD) {
        size_t size = str_utf8_next(word + len, strlen(word + len));
        if (size <= 1 && ((unsigned char)word[len] < 0x20 || word[len] == 0x7f || size == 0))
            word[len] = ' ';
        len += size ? size : 1;
    }
    word[len] = '\0';
    return word;
}

static int refuse_redirect(struct exchange *exchange, struct refusal *refusal) {
    const char *to = str_or(net_response_header(&exchange->head, "location"), "nowhere");
    refusal->fault = LLM_FAULT_FORMAT;
    refusal->is_retryable = false;
    return err_set(exchange->err, ERR_UNAVAILABLE,
                   "the server sends elsewhere (status %d, to %s): give that address, if it is the right one",
                   exchange->head.status, word_of(exchange->attempt, to));
}

static int refuse_status(struct exchange *exchange, struct refusal *refusal) {
    const char *message = "";
    int status = exchange->head.status;

    refusal_of_answer(refusal, &exchange->head, exchange->refused.data, exchange->refused.len, exchange->scratch,
                      &message);
    message = word_of(exchange->attempt, message);
    if (status >= 300 && status < 400)
        return refuse_redirect(exchange, refusal);
    if (status == 200 && !message[0]) { /* no stream, and no error either */
        *refusal = (struct refusal){.fault = LLM_FAULT_FORMAT, .status = status};
        return err_set(exchange->err, ERR_UNAVAILABLE, "the server answered with %s where a stream of %s was due",
                       type_of(&exchange->head)[0] ? word_of(exchange->attempt, type_of(&exchange->head)) : "nothing",
                       exchange->attempt->wire->is_ndjson ? "JSON lines" : "events");
    }
    return err_set(exchange->err, fault_code(refusal->fault), "the model's server answered %d%s%s", status,
                   message[0] ? ": " : "", message);
}

static void refuse(struct refusal *refusal, enum llm_fault fault, bool is_retryable) {
    *refusal = (struct refusal){.fault = fault, .is_retryable = is_retryable, .status = refusal->status};
}

/* The transfer itself failed; err says how. */
static int refuse_transfer(struct exchange *exchange, struct refusal *refusal, int rc) {
    struct err *err = exchange->err;
    bool has_begun = exchange->was_sent || exchange->head.status;

    if (exchange->is_stopped) {
        refuse(refusal, LLM_FAULT_CANCELLED, false);
        return err_set(err, ERR_CANCELLED, "the call of the model was stopped");
    }
    if (exchange->is_idle) {
        refuse(refusal, LLM_FAULT_TIMEOUT, true);
        return err_set(err, ERR_TIMEOUT, "the model's server fell silent");
    }
    if (rc == -ERR_TOO_LARGE)
        refuse(refusal, LLM_FAULT_TOO_LARGE, false);
    else if (rc == -ERR_VALIDATION)
        refuse(refusal, LLM_FAULT_SETTINGS, false);
    else if (rc == -ERR_TIMEOUT)
        refuse(refusal, LLM_FAULT_TIMEOUT, true);
    else
        refuse(refusal, has_begun ? LLM_FAULT_CUT : LLM_FAULT_CONNECT, true);
    char said[sizeof(err->message)];
    (void)str_copy(said, sizeof(said), err->message);
    return err_set(err, fault_code(refusal->fault), "%s: %s",
                   has_begun ? "the answer broke off" : "the model's server cannot be reached", said);
}

/* The stream came to its end, or to one that we made. */
static int judge(struct exchange *exchange, int rc, struct llm_reply *reply, struct refusal *refusal) {
    struct answer *answer = exchange->answer;
    bool is_whole = exchange->attempt->wire->ends_by_itself ? answer->has_stop && !exchange->is_stopped
                                                            : exchange->verdict == ANSWER_DONE;
    refusal->status = exchange->head.status;
    if (exchange->verdict < 0) {
        *refusal = answer->refusal;
        refusal->status = exchange->head.status;
        return err_set(exchange->err, exchange->said.code, "%s", exchange->said.message);
    }
    if (exchange->head.status && !exchange->is_stream && (rc == 0 || exchange->refused.overflowed))
        return refuse_status(exchange, refusal);
    if (!is_whole && rc < 0 && exchange->verdict == 0)
        return refuse_transfer(exchange, refusal, rc);
    if (!is_whole) {
        refuse(refusal, LLM_FAULT_CUT, true);
        return err_set(exchange->err, ERR_UNAVAILABLE, "the answer broke off before its end");
    }
    rc = answer_finish(answer, reply, exchange->err);
    *refusal = answer->refusal;
    refusal->status = exchange->head.status;
    return rc;
}

static int exchange_run(struct exchange *exchange) {
    const struct attempt *attempt = exchange->attempt;
    const struct llm_model *model = attempt->model;
    struct net_header headers[5];
    struct net_client *client = net_client_create();
    struct net_response response = {0};

    size_t count = attempt->wire->headers(model, attempt->arena, headers);
    headers[count++] = (struct net_header){"Content-Type", "application/json"};
    headers[count++] =
        (struct net_header){"Accept", attempt->wire->is_ndjson ? "application/x-ndjson" : "text/event-stream"};
    struct net_request request = {
        .method = "POST",
        .url = attempt->url,
        .headers = headers,
        .header_count = count,
        .body = attempt->body->data,
        .body_len = attempt->body->len,
        .connect_timeout_ms = model->connect_ms ? model->connect_ms : CONNECT_MS,
        .total_timeout_ms = attempt->deadline_mono_ms - clock_mono_ms(),
        .max_body_bytes = MAX_STREAM_BYTES,
        .only_public = model->only_public,
        .is_cancelled = is_over,
        .cancel_arg = exchange,
        .on_body = on_body,
        .on_head = on_head,
        .on_body_arg = exchange,
        .was_sent = &exchange->was_sent,
    };
    if (request.total_timeout_ms < 1)
        request.total_timeout_ms = 1;
    int rc = net_request(client, &request, attempt->arena, &response, exchange->err);
    if (rc == 0 && !exchange->head.status) /* an answer without a body */
        on_head(&response, exchange);
    if (rc == 0 && exchange->verdict == 0 && exchange->line.len) /* a last line without its end */
        exchange->verdict = take_json(exchange, exchange->line.data);
    net_client_destroy(client);
    return rc;
}

int attempt_run(const struct attempt *attempt, struct llm_reply *reply, struct refusal *refusal,
                struct llm_usage *usage, bool *is_known, struct err *err) {
    CLEANUP(mem_freep) struct answer *answer = mem_alloc(sizeof(*answer));
    struct exchange exchange = {
        .attempt = attempt, .answer = answer, .err = err, .scratch = arena_create(), .moved_mono_ms = clock_mono_ms()};
    *refusal = (struct refusal){0};
    answer_init(answer, attempt->request, attempt->arena);
    exchange.reader = sse_reader_create(on_event, &exchange, MAX_EVENT_BYTES);
    buf_init(&exchange.refused, MAX_REFUSAL_BYTES);
    int rc = exchange_run(&exchange);
    rc = judge(&exchange, rc, reply, refusal);
    *usage = answer->usage;
    /* Who was never asked, or refused, has not used anything; of an answer that broke off nobody knows. */
    *is_known = rc == 0 ? answer->has_usage : !exchange.was_sent || (exchange.head.status && !exchange.is_stream);
    answer_release(answer);
    sse_reader_destroy(exchange.reader);
    buf_release(&exchange.line);
    buf_release(&exchange.refused);
    arena_destroy(exchange.scratch);
    return rc;
}
