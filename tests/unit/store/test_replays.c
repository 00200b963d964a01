/* replays: a key is claimed once, in the transaction of what it stands for, and forgotten after a day. */
#include "fixture.h"

#include "store/replays.h"

static struct replay make(struct fixture *f, const char *key, int64_t created_ms) {
    struct replay replay = {.created_ms = created_ms};
    memcpy(replay.account_id, f->account_id, ID_LEN);
    hash_sha256_hex(replay.key_hash, key, strlen(key));
    hash_sha256_hex(replay.fingerprint, "POST /v1/projects", 17);
    return replay;
}

static bool claim(struct fixture *f, const struct replay *replay) {
    bool is_new = false;
    must(f, store_replay_claim(f->db, replay, &is_new, &f->err));
    return is_new;
}

static struct replay *find(struct fixture *f, const struct replay *replay, int64_t now_ms) {
    struct replay *found = NULL;
    must(f, store_replay_get(reader(f), f->arena, replay->account_id, replay->key_hash, now_ms, &found, &f->err));
    return found;
}

static void a_key_is_claimed_once(void **state) {
    struct fixture *f = *state;
    struct replay first = make(f, "a", 100), again = make(f, "a", 200), other = make(f, "b", 200);
    assert_null(find(f, &first, 100));
    assert_true(claim(f, &first));
    assert_false(claim(f, &again));
    assert_true(claim(f, &other));
    struct replay *found = find(f, &again, 200);
    assert_int_equal(found->status, 0);
    assert_null(found->body);
    assert_int_equal(found->created_ms, 100);
    add_account(f, first.account_id);
    assert_true(claim(f, &first));
}

static void an_answer_is_kept(void **state) {
    struct fixture *f = *state;
    struct replay replay = make(f, "a", 100);
    assert_int_equal(store_replay_answer(f->db, &replay, &f->err), -ERR_NOT_FOUND);
    assert_true(claim(f, &replay));
    replay.status = 201;
    replay.body = "sealed";
    must(f, store_replay_answer(f->db, &replay, &f->err));
    struct replay *found = find(f, &replay, 100);
    assert_int_equal(found->status, 201);
    assert_string_equal(found->body, "sealed");
    assert_string_equal(found->fingerprint, replay.fingerprint);
}

static void a_key_is_free_again_after_a_day(void **state) {
    struct fixture *f = *state;
    struct replay old = make(f, "a", 100), new = make(f, "a", 100 + REPLAY_LIFE_MS);
    old.status = 200;
    assert_true(claim(f, &old));
    assert_non_null(find(f, &old, 99 + REPLAY_LIFE_MS));
    assert_null(find(f, &old, 100 + REPLAY_LIFE_MS));
    assert_true(claim(f, &new));
    assert_int_equal(find(f, &new, new.created_ms)->created_ms, new.created_ms);
}

static void old_ones_are_deleted(void **state) {
    struct fixture *f = *state;
    struct replay old = make(f, "a", 100), young = make(f, "b", 101);
    int64_t deleted = 0;
    assert_true(claim(f, &old));
    assert_true(claim(f, &young));
    must(f, store_replay_delete_old(f->db, 100 + REPLAY_LIFE_MS, &deleted, &f->err));
    assert_int_equal(deleted, 1);
    must(f, store_replay_delete_old(f->db, 100 + REPLAY_LIFE_MS, &deleted, &f->err));
    assert_int_equal(deleted, 0);
    assert_non_null(find(f, &young, 200));
}

/* ---- Company ---- */

struct company {
    struct replay replay;
    bool is_new;
    int last_result, firsts, lasts;
};

static int claim_first(struct db *db, void *arg, struct err *err) {
    struct company *company = arg;
    company->firsts++;
    int result = store_replay_claim(db, &company->replay, &company->is_new, err);
    return result || company->is_new ? result : err_set(err, ERR_CONFLICT, "taken");
}

static int answer_last(struct db *db, void *arg, struct err *err) {
    struct company *company = arg;
    company->lasts++;
    return company->last_result ? err_set(err, ERR_INTERNAL, "no answer") : 0;
}

static int add_or_fail(struct db *db, void *arg, struct err *err) {
    struct account account = {.name = "n", .tier = "free"};
    if (!arg)
        return err_set(err, ERR_NOT_FOUND, "not this one");
    memcpy(account.id, arg, ID_LEN);
    return store_account_insert(db, &account, err);
}

static int write_with(struct fixture *f, struct company *company, char *id) {
    const struct store_company with = {.first = claim_first, .last = answer_last, .arg = company};
    must(f, store_accompany(f->store, &with, &f->err));
    return store_write(f->store, add_or_fail, id, &f->err);
}

static void company_shares_the_transaction(void **state) {
    struct fixture *f = *state;
    struct company company = {.replay = make(f, "a", 100)};
    struct account *account = NULL;
    char id[ID_LEN], other[ID_LEN];
    id_make(id, "acct");
    id_make(other, "acct");

    assert_int_equal(write_with(f, &company, NULL), -ERR_NOT_FOUND);
    assert_int_equal(company.lasts, 0);
    assert_null(find(f, &company.replay, 100));

    company.last_result = 1;
    assert_int_equal(write_with(f, &company, id), -ERR_INTERNAL);
    must(f, store_account_get(reader(f), f->arena, id, &account, &f->err));
    assert_null(account);
    assert_null(find(f, &company.replay, 100));

    company.last_result = 0;
    must(f, write_with(f, &company, id));
    assert_non_null(find(f, &company.replay, 100));
    assert_int_equal(write_with(f, &company, other), -ERR_CONFLICT);
    must(f, store_account_get(reader(f), f->arena, other, &account, &f->err));
    assert_null(account);

    /* Only the next write has it. */
    assert_int_equal(company.firsts, 4);
    must(f, store_write(f->store, add_or_fail, other, &f->err));
    assert_int_equal(company.firsts, 4);
}

static void company_can_be_sent_away(void **state) {
    struct fixture *f = *state;
    struct company company = {.replay = make(f, "a", 100)};
    const struct store_company with = {.first = claim_first, .last = answer_last, .arg = &company};
    char id[ID_LEN];
    id_make(id, "acct");
    must(f, store_accompany(f->store, &with, &f->err));
    must(f, store_accompany(f->store, NULL, &f->err));
    must(f, store_write(f->store, add_or_fail, id, &f->err));
    assert_int_equal(company.firsts, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(a_key_is_claimed_once),           T(an_answer_is_kept),
        T(a_key_is_free_again_after_a_day), T(old_ones_are_deleted),
        T(company_shares_the_transaction),  T(company_can_be_sent_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
