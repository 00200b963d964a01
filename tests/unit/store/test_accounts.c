/* accounts: the first of them, and keys that are found while they live. */
#include "fixture.h"
#include "store/keys.h"

static struct api_key add_key(struct fixture *f, const char *hash, int64_t expires_ms) {
    struct api_key key = {.name = "ci", .role = "admin", .hint = "wxyz", .created_ms = 2, .expires_ms = expires_ms};
    id_make(key.id, "key");
    memcpy(key.account_id, f->account_id, ID_LEN);
    (void)snprintf(key.hash, sizeof(key.hash), "%s", hash);
    must(f, store_key_insert(f->db, &key, &f->err));
    return key;
}

static struct identity *find(struct fixture *f, const char *hash, int64_t now_ms) {
    struct identity *key = NULL;
    must(f, store_key_identity(reader(f), f->arena, hash, now_ms, &key, &f->err));
    return key;
}

static void accounts_are_counted_and_the_oldest_is_first(void **state) {
    struct fixture *f = *state;
    struct account older = {.id = "acct_older", .name = "Older", .tier = "enterprise", .created_ms = 0}, *read = NULL;
    int64_t count = 0;

    must(f, store_account_insert(f->db, &older, &f->err));
    must(f, store_account_count(reader(f), &count, &f->err));
    assert_int_equal(count, 2);
    must(f, store_account_first(reader(f), f->arena, &read, &f->err));
    assert_string_equal(read->id, "acct_older");
    assert_string_equal(read->tier, "enterprise");
    must(f, store_account_get(reader(f), f->arena, f->account_id, &read, &f->err));
    assert_string_equal(read->name, "Owner");
    assert_int_equal(read->created_ms, 1);
    must(f, store_account_get(reader(f), f->arena, "acct_none", &read, &f->err));
    assert_null(read);
}

static void keys_live_until_they_expire_or_are_revoked(void **state) {
    struct fixture *f = *state;
    struct api_key forever = add_key(f, "aa", 0), brief = add_key(f, "bb", 100), *rows = NULL;
    bool revoked = false;
    size_t count = 0;

    assert_string_equal(find(f, "aa", 1000)->key_id, forever.id);
    assert_non_null(find(f, "bb", 99));
    assert_null(find(f, "bb", 100));
    assert_null(find(f, "cc", 0));
    must(f, store_key_touch(f->db, forever.id, 50, &f->err));
    must(f, store_key_touch(f->db, forever.id, 40, &f->err));
    assert_int_equal(find(f, "aa", 1000)->last_used_ms, 50);
    must(f, store_key_revoke(f->db, forever.id, 60, &revoked, &f->err));
    assert_true(revoked);
    must(f, store_key_revoke(f->db, forever.id, 61, &revoked, &f->err));
    assert_false(revoked);
    assert_null(find(f, "aa", 1000));
    must(f, store_key_list(reader(f), f->arena, f->account_id, &rows, &count, &f->err));
    assert_int_equal(count, 2);
    assert_string_equal(rows[0].id, brief.id);
    assert_string_equal(rows[1].hash, "aa");
    assert_string_equal(rows[1].role, "admin");
    assert_string_equal(rows[1].hint, "wxyz");
    assert_int_equal(rows[1].revoked_ms, 60);
}

static void a_hash_is_stored_once(void **state) {
    struct fixture *f = *state;
    struct api_key key = add_key(f, "aa", 0);
    id_make(key.id, "key");
    assert_int_equal(store_key_insert(f->db, &key, &f->err), -ERR_CONFLICT);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(accounts_are_counted_and_the_oldest_is_first),
        T(keys_live_until_they_expire_or_are_revoked),
        T(a_hash_is_stored_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
