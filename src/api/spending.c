/* spending: what models cost: GET /usage, and how it stands in other answers. */
#include "api/spending.h"

#include "api/handlers.h"
#include "base/clock.h"
#include "base/str.h"
#include "store/spending.h"

#define GROUPS_MAX 1000

void present_usd(struct jw *jw, const char *key, int64_t micros) {
    char usd[USD_TEXT_LEN];
    jw_kraw(jw, key, spending_usd(micros, usd));
}

static void put_sum(struct jw *jw, const struct usage_sum *sum) {
    jw_kint(jw, "inputTokens", sum->input_tokens);
    jw_kint(jw, "cachedTokens", sum->cached_tokens);
    jw_kint(jw, "outputTokens", sum->output_tokens);
    present_usd(jw, "costUsd", sum->cost_micros);
    jw_kbool(jw, "isComplete", sum->unpriced_calls == 0);
}

void present_usage(struct jw *jw, const char *key, const struct usage_sum *sum) {
    jw_key(jw, key);
    jw_object(jw);
    put_sum(jw, sum);
    jw_object_end(jw);
}

void present_limits(struct jw *jw, const char *key, const struct spending_limits *limits, const char *cost_key,
                    const char *tokens_key) {
    jw_key(jw, key);
    jw_object(jw);
    if (limits->cost_micros == NO_LIMIT)
        jw_kraw(jw, cost_key, NULL);
    else
        present_usd(jw, cost_key, limits->cost_micros);
    jw_key(jw, tokens_key);
    if (limits->tokens == NO_LIMIT)
        jw_null(jw);
    else
        jw_int(jw, limits->tokens);
    jw_object_end(jw);
}

struct limits_change spending_limits_of(const struct api_call *call, const char *cost_key, const char *tokens_key) {
    const json_t *limits = call_json(call, "limits"), *cost = json_object_get(limits, cost_key),
                 *tokens = json_object_get(limits, tokens_key);
    return (struct limits_change){
        .sets_cost = cost != NULL,
        .sets_tokens = tokens != NULL,
        .limits = {.cost_micros =
                       json_is_number(cost) ? (int64_t)(json_number_value(cost) * MICROS_PER_USD + 0.5) : NO_LIMIT,
                   .tokens = json_is_integer(tokens) ? json_integer_value(tokens) : NO_LIMIT}};
}

static const char *const group_names[] = {[USAGE_BY_DAY] = "day",
                                          [USAGE_BY_PROJECT] = "project",
                                          [USAGE_BY_RUN] = "run",
                                          [USAGE_BY_MODEL] = "model",
                                          [USAGE_BY_PURPOSE] = "purpose"};

static void present_report(struct jw *jw, const struct usage_query *query, const struct usage_sum *total,
                           const struct usage_row *rows, size_t count) {
    jw_object(jw);
    jw_ktime(jw, "from", query->from_ms);
    jw_ktime(jw, "to", query->to_ms);
    jw_kstr(jw, "groupBy", group_names[query->group]);
    jw_key(jw, "totals");
    jw_object(jw);
    jw_kint(jw, "calls", total->calls);
    put_sum(jw, total);
    jw_object_end(jw);
    jw_key(jw, "groups");
    jw_array(jw);
    for (size_t i = 0; i < count; i++) {
        jw_object(jw);
        jw_kstr(jw, "key", rows[i].key[0] ? rows[i].key : NULL);
        jw_kint(jw, "calls", rows[i].sum.calls);
        put_sum(jw, &rows[i].sum);
        jw_object_end(jw);
    }
    jw_array_end(jw);
    jw_kbool(jw, "isTruncated", count == GROUPS_MAX);
    jw_object_end(jw);
}

int usage_get(struct api_call *call, struct err *err) {
    struct usage_query query = {.account_id = call->account_id,
                                .project_id = call_query(call, "projectId"),
                                .run_id = call_query(call, "runId"),
                                .limit = GROUPS_MAX};
    const char *group = call_query(call, "groupBy");
    int64_t now_ms = clock_now_ms();
    char id[2][ID_LEN];
    struct usage_sum total = {0};
    struct usage_row *rows = NULL;
    size_t count = 0;
    struct buf out;
    struct jw jw;
    for (size_t i = 0; group && i < sizeof group_names / sizeof group_names[0]; i++)
        if (str_eq(group, group_names[i]))
            query.group = (enum usage_group)i;
    if (query.project_id && id_parse(id[0], query.project_id, "proj"))
        query.project_id = id[0];
    if (query.run_id && id_parse(id[1], query.run_id, "run"))
        query.run_id = id[1];
    /* By default the thirty days until now. */
    if (!call_query(call, "to") || !clock_parse_iso(call_query(call, "to"), &query.to_ms))
        query.to_ms = now_ms + 1;
    if (!call_query(call, "from") || !clock_parse_iso(call_query(call, "from"), &query.from_ms))
        query.from_ms = query.to_ms - INT64_C(30) * 24 * 3600 * 1000;
    if (query.from_ms >= query.to_ms)
        call_fault(call, "from", "from must be before to");
    int rc = call_check(call, err);
    if (rc == 0)
        rc = store_usage_sum(call->db, &query, &total, err);
    if (rc == 0)
        rc = store_usage_list(call->db, call->arena, &query, &rows, &count, err);
    if (rc < 0)
        return rc;
    reply_data(&out, &jw);
    present_report(&jw, &query, &total, rows, count);
    reply_data_end(call, &out, &jw, 200);
    return 0;
}
