/* faults: what servers do wrong, in each wire format: what is tried again, what is not, and what is said of it. */
#include "models.h"

static const enum llm_format formats[] = {LLM_ANTHROPIC, LLM_RESPONSES, LLM_CHAT, LLM_OLLAMA};
static const char key[] = "sk-very-secret-0123456789";

/* One attempt fails; the next is answered. */
static void passing_faults_are_outlived(void **state) {
    struct fixture *f = *state;
    static const char *const faults[] = {
        "{'kind': 'status', 'status': 429, 'headers': {'retry-after': '0'}}",
        "{'kind': 'status', 'status': 429, 'headers': {'retry-after-ms': '5'}, 'error': {'type': 'rate_limit_error'}}",
        "{'kind': 'status', 'status': 529, 'error': {'type': 'overloaded_error'}}",
        "{'kind': 'status', 'status': 503, 'contentType': 'text/html', 'body': '<h1>Service Unavailable</h1>'}",
        "{'kind': 'status', 'status': 504}",
        "{'kind': 'status', 'status': 502}",
        "{'kind': 'status', 'status': 500}",
        "{'kind': 'status', 'status': 408}",
        "'cut'",
        "'truncated'",
        "'reset'",
        "'malformed'",
        "'bad-utf8'",
        "{'kind': 'error-event', 'error': {'type': 'overloaded_error', 'message': 'Overloaded'}}",
        "{'kind': 'error-event', 'error': {'type': 'server_error', 'message': 'oops'}}",
    };
    const char *name;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        for (size_t k = 0; k < ARRAY_LEN(faults); k++) {
            struct llm_model model = script(
                f, formats[i],
                arena_printf(f->arena, "[{'text': ['one ', 'two', ' three'], 'fault': %s}, {'text': ['good', ' end']}]",
                             faults[k]),
                &name);
            struct llm_request request = ask(f, "Hi");
            buf_reset(&f->seen);
            f->restarts = 0;
            if (call(f, &model, &request))
                fail_msg("%s, %s: %s", llm_format_name(formats[i]), faults[k], f->err.message);
            assert_string_equal(f->reply.parts[0].text, "good end");
            assert_string_equal(f->seen.data, "good end");
            assert_int_equal(f->restarts, 1);
            assert_int_equal(f->reply.attempts, 2);
            assert_int_equal(f->reply.fault, LLM_FAULT_NONE);
        }
    }
}

/* Only so many attempts, and then what was wrong at the last. */
static void attempts_are_bounded(void **state) {
    struct fixture *f = *state;
    const char *name;
    struct llm_model model =
        script(f, LLM_CHAT,
               "[{'fault': {'kind': 'status', 'status': 503, 'error': {'message': 'down'}}, 'repeat': true}]", &name);
    struct llm_request request = ask(f, "Hi");
    model.max_attempts = 3;
    assert_int_equal(call(f, &model, &request), -ERR_UNAVAILABLE);
    assert_int_equal(f->reply.fault, LLM_FAULT_OVERLOAD);
    assert_int_equal(f->reply.attempts, 3);
    assert_int_equal(f->reply.http_status, 503);
    assert_string_equal(f->err.message, "the model's server answered 503: down");
    assert_int_equal(json_array_size(requests_of(f, name)), 3);
}

struct last_row {
    const char *fault;
    enum llm_fault is;
    enum err_code code;
    const char *says;
};

/* None of these is asked twice. */
static void lasting_faults_are_told_at_once(void **state) {
    struct fixture *f = *state;
    static const struct last_row rows[] = {
        {"{'kind': 'status', 'status': 400, 'error': {'message': 'prompt is too long'}}", LLM_FAULT_REQUEST,
         ERR_UNAVAILABLE, "400: prompt is too long"},
        {"{'kind': 'status', 'status': 413}", LLM_FAULT_REQUEST, ERR_UNAVAILABLE, "413"},
        {"{'kind': 'status', 'status': 401, 'error': {'message': 'no\\n\\u0007key'}}", LLM_FAULT_KEY, ERR_UNAVAILABLE,
         "401: no  key"},
        {"{'kind': 'status', 'status': 403}", LLM_FAULT_KEY, ERR_UNAVAILABLE, "403"},
        {"{'kind': 'status', 'status': 404, 'error': {'message': 'model x not found'}}", LLM_FAULT_MODEL,
         ERR_UNAVAILABLE, "404: model x not found"},
        {"{'kind': 'status', 'status': 404, 'contentType': 'text/plain', 'body': '404 page not found'}",
         LLM_FAULT_FORMAT, ERR_UNAVAILABLE, "404"},
        {"{'kind': 'status', 'status': 402}", LLM_FAULT_QUOTA, ERR_QUOTA, "402"},
        {"'html'", LLM_FAULT_FORMAT, ERR_UNAVAILABLE, "text/html"},
        {"{'kind': 'redirect', 'to': 'https://elsewhere.example/v1'}", LLM_FAULT_FORMAT, ERR_UNAVAILABLE,
         "to https://elsewhere.example/v1"},
        {"{'kind': 'status', 'status': 503, 'headers': {'x-should-retry': 'false'}}", LLM_FAULT_OVERLOAD,
         ERR_UNAVAILABLE, "503"},
        {"'huge'", LLM_FAULT_TOO_LARGE, ERR_UNAVAILABLE, "larger than 4194304 bytes"},
        {"'huge-event'", LLM_FAULT_TOO_LARGE, ERR_UNAVAILABLE, "more than 16777216 bytes"},
    };
    const char *name;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        /* The last row is many bytes, and of the stream rather than of the format. */
        for (size_t k = 0; k < ARRAY_LEN(rows) - (i == 1 || i == 2); k++) {
            struct llm_model model =
                script(f, formats[i], arena_printf(f->arena, "[{'text': 'x', 'fault': %s}]", rows[k].fault), &name);
            struct llm_request request = ask(f, "Hi");
            if (call(f, &model, &request) != -(int)rows[k].code || f->reply.fault != rows[k].is ||
                !strstr(f->err.message, rows[k].says))
                fail_msg("%s, %s: fault %d, %s", llm_format_name(formats[i]), rows[k].fault, f->reply.fault,
                         f->err.message);
            assert_int_equal(f->reply.attempts, 1);
        }
    }
}

/* Spend limits come as 429 like any other, and are not waited for. */
static void quotas_are_not_asked_again(void **state) {
    struct fixture *f = *state;
    static const char *const errors[] = {
        "'error': {'type': 'rate_limit_error', 'error_code': 'enforced_spend_limit_reached', 'message': 'spent'}",
        "'error': {'type': 'insufficient_quota', 'code': 'insufficient_quota', 'message': 'spent'}",
    };
    const char *name;
    for (size_t k = 0; k < ARRAY_LEN(errors); k++) {
        struct llm_model model =
            script(f, k ? LLM_CHAT : LLM_ANTHROPIC,
                   arena_printf(f->arena,
                                "[{'fault': {'kind': 'status', 'status': 429, 'headers': {'retry-after': '1'}, %s}}]",
                                errors[k]),
                   &name);
        struct llm_request request = ask(f, "Hi");
        assert_int_equal(call(f, &model, &request), -ERR_QUOTA);
        assert_int_equal(f->reply.fault, LLM_FAULT_QUOTA);
        assert_int_equal(f->reply.attempts, 1);
        assert_string_equal(f->err.message, "the model's server answered 429: spent");
    }
}

/* A long wait is the caller's: the call ends, and says until when. */
static void long_waits_are_told(void **state) {
    struct fixture *f = *state;
    const char *name;
    struct llm_request request = ask(f, "Hi");
    int64_t before_ms = clock_now_ms();
    struct llm_model model = script(
        f, LLM_ANTHROPIC, "[{'fault': {'kind': 'status', 'status': 429, 'headers': {'retry-after': '3600'}}}]", &name);
    assert_int_equal(call(f, &model, &request), -ERR_QUOTA);
    assert_int_equal(f->reply.fault, LLM_FAULT_QUOTA);
    assert_true(f->reply.resets_at_ms >= before_ms + 3600000 && f->reply.resets_at_ms <= clock_now_ms() + 3600000);
    model = script(f, LLM_RESPONSES,
                   "[{'fault': {'kind': 'status', 'status': 429, 'error': {'type': 'usage_limit_reached', 'resets_at': "
                   "4102444800}}}]",
                   &name);
    assert_int_equal(call(f, &model, &request), -ERR_QUOTA);
    assert_true(f->reply.resets_at_ms == INT64_C(4102444800000));
}

/* What the server asks to wait is waited; here the clock runs while anybody looks at it. */
static bool clock_runs(void *arg) {
    int64_t *asked = arg;
    ++*asked;
    clock_advance_ms(3000);
    return false;
}

static void retry_after_is_waited(void **state) {
    struct fixture *f = *state;
    const char *name;
    int64_t asked = 0;
    struct llm_model model = script(
        f, LLM_CHAT, "[{'fault': {'kind': 'status', 'status': 429, 'headers': {'retry-after': '20'}}}, {'text': 'x'}]",
        &name);
    struct llm_request request = ask(f, "Hi");
    request.is_cancelled = clock_runs;
    request.cancel_arg = &asked;
    int64_t before_ms = clock_mono_ms();
    call_well(f, &model, &request);
    assert_int_equal(f->reply.attempts, 2);
    assert_true(clock_mono_ms() - before_ms >= 20000);
}

static void deadlines_end_the_wait(void **state) {
    struct fixture *f = *state;
    static const char *const faults[] = {"hang", "hang-stream"};
    const char *name;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        for (size_t k = 0; k < ARRAY_LEN(faults); k++) {
            struct llm_model model =
                script(f, formats[i],
                       arena_printf(f->arena, "[{'text': 'one', 'fault': '%s'}, {'text': 'two'}]", faults[k]), &name);
            struct llm_request request = ask(f, "Hi");
            model.idle_ms = 150; /* time to connect, also on a busy machine */
            model.max_attempts = 1;
            assert_int_equal(call(f, &model, &request), -ERR_TIMEOUT);
            assert_int_equal(f->reply.fault, LLM_FAULT_TIMEOUT);
            assert_string_equal(f->err.message, "the model's server fell silent");
            assert_false(f->reply.is_usage_known);
        }
    }
    /* Signs of life are no answer: the total counts. */
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        struct llm_model model = script(f, formats[i], "[{'fault': 'ping-forever'}]", &name);
        struct llm_request request = ask(f, "Hi");
        model.total_ms = 60;
        int rc = call(f, &model, &request);
        if (rc != -ERR_TIMEOUT || f->reply.fault != LLM_FAULT_TIMEOUT)
            fail_msg("%s: fault %d, %s", llm_format_name(formats[i]), f->reply.fault, f->err.message);
    }
}

static void slow_answers_are_whole(void **state) {
    struct fixture *f = *state;
    const char *name;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        struct llm_model model = script(f, formats[i],
                                        "[{'text': ['é', '🎉🎉'], 'fault': {'kind': 'drip', 'bytes': 3}, 'toolCalls': "
                                        "[{'name': 't', 'arguments': {'é': 1}}]}]",
                                        &name);
        struct llm_request request = ask(f, "Hi");
        call_well(f, &model, &request);
        assert_string_equal(f->reply.parts[0].text, "é🎉🎉");
        assert_int_equal(json_int(f->reply.parts[1].arguments, "é", 0), 1);
    }
}

static bool is_seen(void *arg) {
    struct fixture *f = arg;
    return f->seen.len > 0;
}

static bool always(void *arg) {
    return true;
}

static void calls_are_cancelled(void **state) {
    struct fixture *f = *state;
    const char *name;
    struct llm_model model =
        script(f, LLM_CHAT, "[{'text': ['one', 'two', 'three'], 'fault': 'hang-stream', 'repeat': true}]", &name);
    struct llm_request request = ask(f, "Hi");
    request.is_cancelled = is_seen;
    request.cancel_arg = f;
    assert_int_equal(call(f, &model, &request), -ERR_CANCELLED);
    assert_int_equal(f->reply.fault, LLM_FAULT_CANCELLED);
    assert_int_equal(f->reply.attempts, 1);
    request.is_cancelled = always;
    assert_int_equal(call(f, &model, &request), -ERR_CANCELLED);
    assert_int_equal(f->reply.attempts, 0);
    assert_int_equal(json_array_size(requests_of(f, name)), 1);
}

static void bad_arguments_are_asked_for_again(void **state) {
    struct fixture *f = *state;
    static const char *const arguments[] = {"{\\'a\\': ", "[1]", "\\'text\\'", "{\\'a\\':1,\\'a\\':2}"};
    const char *name;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        for (size_t k = 0; k < ARRAY_LEN(arguments); k++) {
            struct llm_model model = script(f, formats[i],
                                            arena_printf(f->arena,
                                                         "[{'toolCalls': [{'name': 't', 'arguments': '%s'}]}, "
                                                         "{'toolCalls': [{'name': 't', 'arguments': {'a': 2}}]}]",
                                                         arguments[k]),
                                            &name);
            struct llm_request request = ask(f, "Hi");
            call_well(f, &model, &request);
            if (formats[i] == LLM_OLLAMA && k == 3)
                continue; /* the test's server itself reads it, and keeps the last */
            assert_int_equal(f->reply.attempts, 2);
            assert_int_equal(json_int(f->reply.parts[0].arguments, "a", 0), 2);
        }
    }
}

/* Servers say back what they were sent. */
static void the_key_is_in_no_message(void **state) {
    struct fixture *f = *state;
    const char *name;
    struct llm_model model = script_keyed(f, LLM_CHAT, "[]", "another", &name);
    struct llm_request request = ask(f, "Hi");
    model.api_key = key;
    assert_int_equal(call(f, &model, &request), -ERR_UNAVAILABLE);
    assert_int_equal(f->reply.fault, LLM_FAULT_KEY);
    assert_string_equal(f->err.message, "the model's server answered 401: Incorrect API key provided: [key]");
    model = script(f, LLM_ANTHROPIC,
                   arena_printf(f->arena, "[{'fault': {'kind': 'redirect', 'to': 'http://x/?k=%s'}}]", key), &name);
    model.api_key = key;
    assert_int_equal(call(f, &model, &request), -ERR_UNAVAILABLE);
    assert_null(strstr(f->err.message, "very-secret"));
}

static void nobody_is_there(void **state) {
    struct fixture *f = *state;
    struct llm_request request = ask(f, "Hi");
    int port = 0;
    assert_int_equal(net_free_port(&port, &f->err), 0);
    struct llm_model model = {.format = LLM_CHAT,
                              .base_url = arena_printf(f->arena, "http://127.0.0.1:%d", port),
                              .name = "m",
                              .max_attempts = 2,
                              .backoff_ms = 1};
    assert_int_equal(call(f, &model, &request), -ERR_UNAVAILABLE);
    assert_int_equal(f->reply.fault, LLM_FAULT_CONNECT);
    assert_int_equal(f->reply.attempts, 2);
    assert_true(f->reply.is_usage_known);
    assert_true(str_starts(f->err.message, "the model's server cannot be reached: "));
    model.base_url = "ftp://x";
    assert_int_equal(call(f, &model, &request), -ERR_VALIDATION);
    assert_int_equal(f->reply.fault, LLM_FAULT_SETTINGS);
    model.name = NULL;
    assert_int_equal(call(f, &model, &request), -ERR_VALIDATION);
}

/* A server that knows no schemas is asked without one. */
static void schemas_are_given_up(void **state) {
    struct fixture *f = *state;
    const char *name;
    struct llm_model model = script(f, LLM_CHAT,
                                    "[{'fault': {'kind': 'status', 'status': 400, 'error': {'message': 'This "
                                    "response_format type is unavailable now'}}}, {'json': {'a': [1]}}]",
                                    &name);
    struct llm_output output = {.name = "o", .schema = json_of(f, "{'type': 'object'}")};
    struct llm_request request = ask(f, "Hi");
    json_t *json = NULL;
    request.output = &output;
    call_well(f, &model, &request);
    assert_int_equal(llm_json(&f->reply, f->arena, &json, &f->err), 0);
    assert_string_equal(json_text(f->arena, json), "{\"a\":[1]}");
    json_t *requests = requests_of(f, name);
    assert_non_null(json_at(requests, "0.body.response_format"));
    assert_null(json_at(requests, "1.body.response_format"));
}

struct budget {
    int reserved, settled, unknown;
    int64_t left, input, output;
    struct llm_usage last;
};

static int reserve(void *arg, int64_t input_tokens, int64_t output_tokens, struct err *err) {
    struct budget *budget = arg;
    if (budget->left-- <= 0)
        return err_set(err, ERR_CONFLICT, "the budget is used up");
    budget->reserved++;
    budget->input = input_tokens;
    budget->output = output_tokens;
    return 0;
}

static void settle(void *arg, const struct llm_usage *usage, bool is_known) {
    struct budget *budget = arg;
    budget->settled++;
    budget->unknown += !is_known;
    budget->last = *usage;
}

static void each_attempt_is_metered(void **state) {
    struct fixture *f = *state;
    const char *name;
    static const char steps[] =
        "[{'fault': {'kind': 'status', 'status': 500}}, {'text': ['a', 'b', 'c'], 'fault': 'cut'}, "
        "{'text': 'x', 'usage': {'input': 9, 'output': 4}}]";
    struct llm_model model = script(f, LLM_ANTHROPIC, steps, &name);
    struct budget budget = {.left = 3};
    struct llm_meter meter = {.reserve = reserve, .settle = settle, .arg = &budget};
    struct llm_request request = ask(f, "Hi, this is a question of some length");
    request.meter = &meter;
    request.max_output_tokens = 55;
    call_well(f, &model, &request);
    assert_int_equal(budget.reserved, 3);
    assert_int_equal(budget.settled, 3);
    assert_int_equal(budget.unknown, 1); /* the one that was cut */
    assert_true(budget.input > 30);
    assert_int_equal(budget.output, 55);
    assert_int_equal(budget.last.input_tokens, 9);
    assert_int_equal(budget.last.output_tokens, 4);
    assert_false(f->reply.is_usage_known);
    assert_int_equal(f->reply.usage.output_tokens, 24); /* with what the cut attempt told of */

    budget = (struct budget){.left = 1};
    model = script(f, LLM_ANTHROPIC, steps, &name);
    assert_int_equal(call(f, &model, &request), -ERR_CONFLICT);
    assert_string_equal(f->err.message, "the budget is used up");
    assert_int_equal(f->reply.fault, LLM_FAULT_METER);
    assert_int_equal(budget.settled, 1);
    assert_int_equal(json_array_size(requests_of(f, name)), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(passing_faults_are_outlived),
        T(attempts_are_bounded),
        T(lasting_faults_are_told_at_once),
        T(quotas_are_not_asked_again),
        T(long_waits_are_told),
        T(retry_after_is_waited),
        T(deadlines_end_the_wait),
        T(slow_answers_are_whole),
        T(calls_are_cancelled),
        T(bad_arguments_are_asked_for_again),
        T(the_key_is_in_no_message),
        T(nobody_is_there),
        T(schemas_are_given_up),
        T(each_attempt_is_metered),
    };
    return cmocka_run_group_tests(tests, models_start, models_stop);
}
