/* refusal: what a server means by not answering: whether to ask again, and when. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "llm/wire.h"

/* Words in "type" and "code" of error objects; the first that is met decides. Sources: Anthropic's and OpenAI's lists
 * of error codes. General ones come with many statuses, and say less than those do. */
static const struct {
    const char *word;
    enum llm_fault fault;
    bool is_retryable, is_general;
} words[] = {
    {"enforced_spend_limit_reached", LLM_FAULT_QUOTA, false, false},
    {"insufficient_quota", LLM_FAULT_QUOTA, false, false},
    {"usage_limit_reached", LLM_FAULT_QUOTA, false, false},
    {"usage_not_included", LLM_FAULT_QUOTA, false, false},
    {"billing_error", LLM_FAULT_QUOTA, false, false},
    {"billing_hard_limit_reached", LLM_FAULT_QUOTA, false, false},
    {"invalid_api_key", LLM_FAULT_KEY, false, false},
    {"authentication_error", LLM_FAULT_KEY, false, false},
    {"permission_error", LLM_FAULT_KEY, false, false},
    {"model_not_found", LLM_FAULT_MODEL, false, false},
    {"context_length_exceeded", LLM_FAULT_REQUEST, false, false},
    {"invalid_prompt", LLM_FAULT_REQUEST, false, false},
    {"rate_limit_exceeded", LLM_FAULT_RATE, true, false},
    {"rate_limit_error", LLM_FAULT_RATE, true, false},
    {"overloaded_error", LLM_FAULT_OVERLOAD, true, false},
    {"server_error", LLM_FAULT_OVERLOAD, true, true},
    {"api_error", LLM_FAULT_OVERLOAD, true, true},
    {"timeout_error", LLM_FAULT_OVERLOAD, true, true},
    {"invalid_request_error", LLM_FAULT_REQUEST, false, true},
    {"request_too_large", LLM_FAULT_REQUEST, false, true},
    {"not_found_error", LLM_FAULT_MODEL, false, true},
};

static bool says(const json_t *error, const char *word) {
    return str_eq(json_str(error, "error_code", NULL), word) || str_eq(json_str(error, "code", NULL), word) ||
           str_eq(json_str(error, "type", NULL), word) || str_eq(json_str(error, "status", NULL), word);
}

const char *refusal_message(const json_t *error) {
    if (json_is_string(error))
        return json_string_value(error);
    const char *text = json_str(error, "message", NULL);
    return text ? text : str_or(json_str(error, "detail", NULL), "");
}

static void read_words(struct refusal *out, const json_t *error) {
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!says(error, words[i].word) || (words[i].is_general && out->status))
            continue;
        out->fault = words[i].fault;
        out->is_retryable = words[i].is_retryable;
        return;
    }
}

static void read_status(struct refusal *out, int status, bool is_about_model) {
    switch (status) {
    case 400:
    case 413:
    case 422:
        out->fault = LLM_FAULT_REQUEST;
        break;
    case 401:
    case 403:
        out->fault = LLM_FAULT_KEY;
        break;
    case 402:
        out->fault = LLM_FAULT_QUOTA;
        break;
    case 404:
        out->fault = is_about_model ? LLM_FAULT_MODEL : LLM_FAULT_FORMAT;
        break;
    case 429:
        out->fault = LLM_FAULT_RATE;
        out->is_retryable = true;
        break;
    default:
        out->is_retryable = status == 0 || status == 408 || status == 409 || status >= 500;
        out->fault = out->is_retryable ? LLM_FAULT_OVERLOAD : LLM_FAULT_FORMAT;
    }
}

void refusal_read(struct refusal *out, int status, const json_t *error) {
    *out = (struct refusal){.status = status};
    read_words(out, error);
    if (out->fault == LLM_FAULT_NONE)
        read_status(out, status, str_contains_nocase(refusal_message(error), "model"));
    int64_t at_s = json_int(error, "resets_at", 0), in_s = json_int(error, "resets_in_seconds", 0);
    if (at_s > 0 && at_s < INT64_C(1) << 40)
        out->resets_at_ms = at_s * 1000;
    else if (in_s > 0 && in_s < INT64_C(1) << 32)
        out->resets_at_ms = clock_now_ms() + in_s * 1000;
}

/* IMF-fixdate, as RFC 9110 has it; 0 when it is none. */
static int64_t http_date_ms(const char *text) {
    struct tm parts = {0};
    const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return end && !*end ? (int64_t)timegm(&parts) * 1000 : 0;
}

/* A decimal number of units as milliseconds; -1 when it is none. Bounded to a month. */
static int64_t decimal_ms(const char *text, int64_t unit_ms) {
    static const double month_ms = 31.0 * 24 * 3600 * 1000;
    char *end = NULL;
    if (!isdigit((unsigned char)text[0]))
        return -1;
    double value = strtod(text, &end) * (double)unit_ms;
    if (*end)
        return -1;
    return value < month_ms ? (int64_t)(value + 0.999) : (int64_t)month_ms;
}

int64_t refusal_wait_ms(const struct net_response *head, int64_t now_ms) {
    const char *exact = net_response_header(head, "retry-after-ms"), *text = net_response_header(head, "retry-after");
    int64_t wait_ms = exact ? decimal_ms(exact, 1) : -1;

    if (wait_ms < 0 && text)
        wait_ms = decimal_ms(text, 1000);
    if (wait_ms < 0 && text) {
        int64_t at_ms = http_date_ms(text);
        wait_ms = at_ms > now_ms ? at_ms - now_ms : 0;
    }
    return wait_ms > 0 ? wait_ms : 0;
}

void refusal_of_answer(struct refusal *out, const struct net_response *head, const char *body, size_t body_len,
                       struct arena *arena, const char **message) {
    json_t *value = NULL;
    const json_t *error = NULL;
    const char *should_retry = net_response_header(head, "x-should-retry");

    if (body_len && json_parse(arena, body, body_len, &value, NULL) == 0)
        error = json_object_get(value, "error") ? json_object_get(value, "error") : value;
    refusal_read(out, head->status, error);
    *message = refusal_message(error);
    out->wait_ms = refusal_wait_ms(head, clock_now_ms());
    if (out->fault == LLM_FAULT_QUOTA) {
        if (!out->resets_at_ms && out->wait_ms)
            out->resets_at_ms = clock_now_ms() + out->wait_ms;
    } else if (should_retry) {
        out->is_retryable = str_eq(should_retry, "true");
    }
}

int refusal_event(struct answer *answer, const json_t *error, struct err *err) {
    struct refusal refusal;
    const char *message = refusal_message(error);
    refusal_read(&refusal, 0, error);
    int rc =
        answer_fail(answer, refusal.fault, refusal.is_retryable, err, "%s", *message ? message : "the server failed");
    answer->refusal = refusal;
    return rc;
}
