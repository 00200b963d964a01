/* price: what calls of models cost. */
#include "llm/price.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

enum { TABLE_MAX_ROWS = 1000, FILE_MAX_BYTES = 1024 * 1024 };

struct price_row {
    const char *name;
    struct price price;
};

struct price_table {
    struct arena *arena;
    struct price_row *rows;
    size_t count;
};

/* Tenths of a cent, as micro-dollars. */
#define MILLS(n) (INT64_C(1000) * (n))
#define ROW(row_name, in, cached, write, out)                                                                          \
    {                                                                                                                  \
        (row_name), {                                                                                                  \
            MILLS(in), MILLS(cached), MILLS(write), MILLS(out)                                                         \
        }                                                                                                              \
    }

/* The providers' public lists at the time of writing, in tenths of a cent for a million tokens: input, cached input,
 * cache write, output. Models that one runs oneself are not listed: their owner knows what they cost. */
static const struct price_row built_in[] = {
    ROW("claude-opus-4", 15000, 1500, 18750, 75000),
    ROW("claude-opus-4-5", 5000, 500, 6250, 25000),
    ROW("claude-opus-4-6", 5000, 500, 6250, 25000),
    ROW("claude-sonnet-4", 3000, 300, 3750, 15000),
    ROW("claude-3-7-sonnet", 3000, 300, 3750, 15000),
    ROW("claude-haiku-4", 1000, 100, 1250, 5000),
    ROW("claude-3-5-haiku", 800, 80, 1000, 4000),
    ROW("gpt-5", 1250, 125, 1250, 10000),
    ROW("gpt-5-mini", 250, 25, 250, 2000),
    ROW("gpt-5-nano", 50, 5, 50, 400),
    ROW("gpt-4.1", 2000, 500, 2000, 8000),
    ROW("gpt-4.1-mini", 400, 100, 400, 1600),
    ROW("gpt-4.1-nano", 100, 25, 100, 400),
    ROW("gpt-4o", 2500, 1250, 2500, 10000),
    ROW("gpt-4o-mini", 150, 75, 150, 600),
    ROW("o3", 2000, 500, 2000, 8000),
    ROW("o4-mini", 1100, 275, 1100, 4400),
    ROW("deepseek-chat", 280, 28, 280, 420),
    ROW("deepseek-reasoner", 280, 28, 280, 420),
};

/* A price in dollars; false when it is none. */
static bool read_dollars(const json_t *value, int64_t fallback, int64_t *out) {
    if (!value) {
        *out = fallback;
        return true;
    }
    double dollars = json_is_number(value) ? json_number_value(value) : -1;
    if (!(dollars >= 0 && dollars <= 1000000))
        return false;
    *out = (int64_t)(dollars * 1e6);
    *out += dollars * 1e6 - (double)*out > 1e-3; /* what is left is no error of the representation */
    return true;
}

static int read_row(const char *name, const json_t *json, struct price *out, struct err *err) {
    bool is_well = json_is_object(json) && json_object_get(json, "input") && json_object_get(json, "output") &&
                   read_dollars(json_object_get(json, "input"), 0, &out->input) &&
                   read_dollars(json_object_get(json, "output"), 0, &out->output) &&
                   read_dollars(json_object_get(json, "cachedInput"), out->input, &out->cached_input) &&
                   read_dollars(json_object_get(json, "cacheWrite"), out->input, &out->cache_write);
    if (is_well && name[0])
        return 0;
    return err_set(err, ERR_VALIDATION,
                   "%s: a price is {\"input\", \"cachedInput\", \"cacheWrite\", \"output\"}, in dollars for a million "
                   "tokens, with at least input and output",
                   name[0] ? name : "a row without a name");
}

static int read_table(struct price_table *table, json_t *json, struct err *err) {
    if (!json_is_object(json) || json_object_size(json) > TABLE_MAX_ROWS)
        return err_set(err, ERR_VALIDATION, "prices are an object of at most %d rows", TABLE_MAX_ROWS);
    table->rows = arena_array(table->arena, json_object_size(json) + 1, sizeof(*table->rows));
    for (void *at = json_object_iter(json); at; at = json_object_iter_next(json, at)) {
        struct price_row *row = &table->rows[table->count];
        row->name = json_object_iter_key(at);
        int rc = read_row(row->name, json_object_iter_value(at), &row->price, err);
        if (rc < 0)
            return rc;
        table->count++;
    }
    return 0;
}

int price_table_load(struct price_table **out, const char *path, struct err *err) {
    CLEANUP(buf_release) struct buf text = {0};
    struct price_table *table = mem_alloc(sizeof(*table));
    json_t *json = NULL;

    table->arena = arena_create();
    int rc = fs_exists(path) ? fs_read_file(path, FILE_MAX_BYTES, &text, err) : 0;
    if (rc == 0 && text.len)
        rc = json_parse(table->arena, text.data, text.len, &json, err);
    if (rc == 0 && json)
        rc = read_table(table, json, err);
    if (rc < 0) {
        price_table_destroy(table);
        return err_wrap(err, "%s", path);
    }
    *out = table;
    return 0;
}

void price_table_destroy(struct price_table *table) {
    if (!table)
        return;
    arena_destroy(table->arena);
    free(table);
}

static const struct price_row *longest(const struct price_row *rows, size_t count, const char *model) {
    const struct price_row *best = NULL;
    size_t best_len = 0;
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(rows[i].name);
        if (len > best_len && strncasecmp(rows[i].name, model, len) == 0) {
            best = &rows[i];
            best_len = len;
        }
    }
    return best;
}

bool price_find(const struct price_table *table, const char *model, struct price *out) {
    const char *slash = strrchr(model, '/'), *bare = slash ? slash + 1 : model;
    const struct price_row *row = table ? longest(table->rows, table->count, model) : NULL;

    if (!row && table)
        row = longest(table->rows, table->count, bare);
    if (!row)
        row = longest(built_in, ARRAY_LEN(built_in), bare);
    *out = row ? row->price : (struct price){0};
    return row != NULL;
}

/* sum += tokens * price; false when that is more than the type holds. */
static bool add(int64_t *sum, int64_t tokens, int64_t price) {
    int64_t product;
    return !__builtin_mul_overflow(tokens > 0 ? tokens : 0, price, &product) &&
           !__builtin_add_overflow(*sum, product, sum);
}

int64_t price_of(const struct price *price, const struct llm_usage *usage) {
    int64_t fresh = usage->input_tokens - usage->cached_input_tokens - usage->cache_write_tokens, sum = 0;
    if (!add(&sum, fresh, price->input) || !add(&sum, usage->cached_input_tokens, price->cached_input) ||
        !add(&sum, usage->cache_write_tokens, price->cache_write) || !add(&sum, usage->output_tokens, price->output))
        return INT64_MAX;
    return sum / 1000000 + (sum % 1000000 > 0);
}
