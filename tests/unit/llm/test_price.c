/* price: tables, and sums that are rounded up. */
#include "models.h"

#include "base/fs.h"
#include "llm/price.h"

static const char *write_table(struct fixture *f, const char *text) {
    char *dir = arena_strdup(f->arena, "/tmp/prazium-price-XXXXXX");
    assert_non_null(mkdtemp(dir));
    const char *path = arena_printf(f->arena, "%s/prices.json", dir);
    assert_int_equal(fs_write_file(path, text, strlen(text), 0600, &f->err), 0);
    return path;
}

static void drop_table(struct fixture *f, const char *path) {
    const char *dir = arena_strndup(f->arena, path, (size_t)(strrchr(path, '/') - path));
    assert_int_equal(fs_remove_tree(dir, &f->err), 0);
}

static void models_are_known_by_their_beginning(void **state) {
    struct price price;
    assert_true(price_find(NULL, "claude-sonnet-4-5-20250929", &price));
    assert_int_equal(price.input, 3000000);
    assert_int_equal(price.cached_input, 300000);
    assert_int_equal(price.cache_write, 3750000);
    assert_int_equal(price.output, 15000000);
    assert_true(price_find(NULL, "gpt-4o-mini-2024-07-18", &price)); /* not as gpt-4o */
    assert_int_equal(price.output, 600000);
    assert_true(price_find(NULL, "openai/GPT-4o", &price));
    assert_int_equal(price.output, 10000000);
    assert_false(price_find(NULL, "qwen3:8b", &price));
    assert_int_equal(price.input + price.output, 0);
}

static void tables_can_be_edited(void **state) {
    struct fixture *f = *state;
    const char *path = write_table(
        f, "{\"gpt-4o\":{\"input\":1,\"output\":2.5,\"cachedInput\":0.075},\"my/qwen\":{\"input\":0,\"output\":0.01}}");
    struct price_table *table = NULL;
    struct price price;
    if (price_table_load(&table, path, &f->err))
        fail_msg("%s", f->err.message);
    assert_true(price_find(table, "gpt-4o-mini", &price)); /* the file's rows come first */
    assert_int_equal(price.input, 1000000);
    assert_int_equal(price.cached_input, 75000);
    assert_int_equal(price.cache_write, 1000000);
    assert_int_equal(price.output, 2500000);
    assert_true(price_find(table, "my/qwen3:8b", &price));
    assert_int_equal(price.output, 10000);
    assert_true(price_find(table, "o3", &price));
    price_table_destroy(table);
    drop_table(f, path);
    assert_int_equal(price_table_load(&table, "/nonexistent/prices.json", &f->err), 0);
    assert_false(price_find(table, "my/qwen", &price));
    price_table_destroy(table);
}

static void wrong_tables_are_refused(void **state) {
    struct fixture *f = *state;
    static const char *const tables[] = {
        "[]",
        "{\"a\":1}",
        "{\"a\":{\"input\":1}}",
        "{\"a\":{\"input\":-1,\"output\":1}}",
        "{\"a\":{\"input\":\"1\",\"output\":1}}",
        "{\"\":{\"input\":1,\"output\":1}}",
        "{\"a\":{\"input\":1,\"output\":1,\"cacheWrite\":1e9}}",
        "{\"a\":",
    };
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        struct price_table *table = NULL;
        const char *path = write_table(f, tables[i]);
        assert_int_equal(price_table_load(&table, path, &f->err), -ERR_VALIDATION);
        assert_null(table);
        assert_true(str_starts(f->err.message, path));
        drop_table(f, path);
    }
}

static void sums_are_rounded_up(void **state) {
    struct price price = {.input = 3000000, .cached_input = 300000, .cache_write = 3750000, .output = 15000000};
    assert_int_equal(price_of(&price, &(struct llm_usage){0}), 0);
    assert_int_equal(price_of(&price, &(struct llm_usage){.input_tokens = 1}), 3);
    assert_int_equal(price_of(&price, &(struct llm_usage){.input_tokens = 1, .cached_input_tokens = 1}), 1);
    assert_int_equal(price_of(&price, &(struct llm_usage){.input_tokens = 1000000,
                                                          .cached_input_tokens = 600000,
                                                          .cache_write_tokens = 300000,
                                                          .output_tokens = 100000}),
                     300000 + 180000 + 1125000 + 1500000);
    assert_int_equal(price_of(&price, &(struct llm_usage){.input_tokens = 1, .cached_input_tokens = 9}), 3);
    assert_true(price_of(&price, &(struct llm_usage){.input_tokens = INT64_MAX}) == INT64_MAX);
    assert_true(price_of(&price, &(struct llm_usage){.output_tokens = INT64_MAX / 15000000, .input_tokens = 9000000}) ==
                INT64_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        T(models_are_known_by_their_beginning),
        T(tables_can_be_edited),
        T(wrong_tables_are_refused),
        T(sums_are_rounded_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
