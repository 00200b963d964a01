/* spending: what models cost: what was used, how much may be, and what is set aside for calls under way. Costs are in
 * micro-USD, so that sums are exact. */
#ifndef MODEL_SPENDING_H
#define MODEL_SPENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"

#define MICROS_PER_USD INT64_C(1000000)
#define NO_LIMIT (-1)
#define LIMIT_USD_MAX INT64_C(1000000) /* of a limit that somebody sets: sums stay far from 64 bits */
#define LIMIT_TOKENS_MAX INT64_C(1000000000000)

/* How much may be spent; each NO_LIMIT, or 0 and more. */
struct spending_limits {
    int64_t cost_micros;
    int64_t tokens; /* input and output together */
};

#define SPENDING_UNLIMITED ((struct spending_limits){NO_LIMIT, NO_LIMIT})

/* One call of a model that was answered, or broke off after it was charged. */
struct usage_entry {
    char id[ID_LEN]; /* that of its reservation: it is entered once */
    char account_id[ID_LEN];
    char project_id[ID_LEN]; /* "" for none, as below */
    char run_id[ID_LEN];
    char task_id[ID_LEN];
    const char *purpose; /* "questions", "spec", "decompose", "task", "agent", … */
    const char *provider, *model;
    int64_t input_tokens; /* all of them; the next two are parts of it */
    int64_t cached_tokens, cache_write_tokens;
    int64_t output_tokens;
    int64_t cost_micros;
    bool is_priced; /* the cost is exact; otherwise the price or the usage is not known, and it is what was estimated */
    int64_t created_ms;
};

struct usage_sum {
    int64_t calls, unpriced_calls;
    int64_t input_tokens, cached_tokens, cache_write_tokens, output_tokens;
    int64_t cost_micros;
};

/* What a call under way may come to at most. It counts as spent until it is settled. */
struct reservation {
    char id[ID_LEN];
    char account_id[ID_LEN];
    char run_id[ID_LEN]; /* or "" */
    char job_id[ID_LEN]; /* or ""; it is void when the job is no longer held under this token */
    int64_t job_token;
    int64_t cost_micros, tokens;
    int64_t created_ms, expires_ms;
};

/* 202611: the month in UTC that budgets of accounts are counted by. */
int64_t spending_month(int64_t time_ms);
/* When the month after that of time_ms begins. */
int64_t spending_next_month(int64_t time_ms);

#define DAY_TEXT_LEN 32
/* "2026-11-28", of days since 1970. */
char *spending_day(char out[DAY_TEXT_LEN], int64_t days);

#define USD_TEXT_LEN 32
/* "1.5", "0.000012": a JSON number in dollars, without zeros that say nothing. */
char *spending_usd(int64_t micros, char out[USD_TEXT_LEN]);

#endif
