/* price: what calls of models cost, by a table that can be edited. */
#ifndef LLM_PRICE_H
#define LLM_PRICE_H

#include "llm/llm.h"

/* Micro-dollars (millionths of a dollar) for a million tokens: $3 is 3,000,000. */
struct price {
    int64_t input, cached_input, cache_write, output;
};

/* The built-in table, with the rows of the file at path before it, if there is one: {"claude-sonnet": {"input": 3,
 * "cachedInput": 0.3, "cacheWrite": 3.75, "output": 15}}, in dollars for a million tokens; what is left out of a row
 * costs as input does. */
struct price_table;
MUST_CHECK int price_table_load(struct price_table **out, const char *path, struct err *err);
void price_table_destroy(struct price_table *table);

/* The row whose name the model's begins with, the longest such; providers' prefixes ("openai/", "models/") do not
 * count. False: unknown, and *out is all zero. table NULL: the built-in one. */
bool price_find(const struct price_table *table, const char *model, struct price *out);
/* Micro-dollars, rounded up; INT64_MAX when it is more than that holds. */
int64_t price_of(const struct price *price, const struct llm_usage *usage);

#endif
