/* spending: what models cost, in answers and bodies. */
#ifndef API_SPENDING_H
#define API_SPENDING_H

#include "api/call.h"
#include "model/spending.h"

/* {"inputTokens", "cachedTokens", "outputTokens", "costUsd", "isComplete"}: not complete when the price of a call is
 * not known. */
void present_usage(struct jw *jw, const char *key, const struct usage_sum *sum);
/* {cost_key: dollars or null, tokens_key: tokens or null} */
void present_limits(struct jw *jw, const char *key, const struct spending_limits *limits, const char *cost_key,
                    const char *tokens_key);
void present_usd(struct jw *jw, const char *key, int64_t micros);

/* The limits in the body, by the same keys: null takes one away, and one that is not given stays as it is. */
struct limits_change spending_limits_of(const struct api_call *call, const char *cost_key, const char *tokens_key);

#endif
