/* webhooks: who listens for what; deliveries from being due to being swept. */
#include "fixture.h"

#include "store/webhook_deliveries.h"
#include "store/webhooks.h"

static const struct page one_row = {.limit = 1, .below_id = PAGE_TOP_ID},
                         nine_rows = {.limit = 9, .below_id = PAGE_TOP_ID};

static struct webhook add_webhook(struct fixture *f, const char *project_id, const char *events_json) {
    struct webhook row = {.url = "https://example.org/hook",
                          .secret = "whsec_secret",
                          .description = "chat",
                          .events_json = events_json,
                          .is_enabled = true,
                          .created_ms = 3,
                          .updated_ms = 3};
    id_make(row.id, "hook");
    memcpy(row.account_id, f->account_id, ID_LEN);
    (void)snprintf(row.project_id, sizeof(row.project_id), "%s", project_id);
    must(f, store_webhook_insert(f->db, &row, &f->err));
    return row;
}

static struct webhook_delivery add_delivery(struct fixture *f, const char *webhook_id, int64_t due_ms) {
    struct webhook_delivery row = {.type = "run.completed",
                                   .state = DELIVERY_PENDING,
                                   .next_attempt_ms = due_ms,
                                   .payload_json = "{\"type\":\"run.completed\"}",
                                   .created_ms = 5};
    id_make(row.id, "msg");
    memcpy(row.webhook_id, webhook_id, ID_LEN);
    must(f, store_webhook_delivery_insert(f->db, &row, &f->err));
    return row;
}

static struct webhook_delivery *claim(struct fixture *f, const char *id, int64_t now_ms, int64_t lease_until_ms) {
    struct webhook_delivery *row = NULL;
    must(f, store_webhook_delivery_claim(f->db, f->arena, id, now_ms, lease_until_ms, &row, &f->err));
    return row;
}

static struct webhook_delivery *look(struct fixture *f, const struct webhook_delivery *of) {
    struct webhook_delivery *row = NULL;
    must(f, store_webhook_delivery_get(reader(f), f->arena, of->id, of->webhook_id, &row, &f->err));
    return row;
}

static bool end(struct fixture *f, const struct webhook_delivery *row) {
    bool was_ours = false;
    must(f, store_webhook_delivery_end(f->db, row, &was_ours, &f->err));
    return was_ours;
}

static size_t due(struct fixture *f, int64_t now_ms, int64_t each, int64_t most, struct webhook_delivery **rows) {
    size_t count = 0;
    must(f, store_webhook_delivery_due(reader(f), f->arena, now_ms, each, most, rows, &count, &f->err));
    return count;
}

static void a_webhook_is_kept_and_changed(void **state) {
    struct fixture *f = *state;
    struct project project = add_project(f, "A", "");
    struct webhook row = add_webhook(f, project.id, "[\"run.completed\"]"), *read = NULL, *rows = NULL;
    int64_t total = 0;
    size_t count = 0;
    bool deleted = false;

    must(f, store_webhook_get(reader(f), f->arena, row.id, f->account_id, &read, &f->err));
    assert_string_equal(read->url, row.url);
    assert_string_equal(read->secret, row.secret);
    assert_string_equal(read->project_id, project.id);
    assert_string_equal(read->events_json, row.events_json);
    assert_true(read->is_enabled);
    assert_null(read->old_secret);
    must(f, store_webhook_get(reader(f), f->arena, row.id, "acct_other", &read, &f->err));
    assert_null(read);
    row.project_id[0] = '\0';
    row.events_json = row.description = NULL;
    row.is_enabled = false;
    row.old_secret = "whsec_old";
    row.old_secret_until_ms = 99;
    row.disabled_reason = "gone";
    must(f, store_webhook_update(f->db, &row, &f->err));
    must(f, store_webhook_get(reader(f), f->arena, row.id, NULL, &read, &f->err));
    assert_string_equal(read->project_id, "");
    assert_null(read->events_json);
    assert_null(read->description);
    assert_false(read->is_enabled);
    assert_string_equal(read->old_secret, "whsec_old");
    assert_int_equal(read->old_secret_until_ms, 99);
    assert_string_equal(read->disabled_reason, "gone");

    struct webhook second = add_webhook(f, "", NULL);
    must(f, store_webhook_page(reader(f), f->arena, f->account_id, &one_row, &rows, &count, &total, &f->err));
    assert_int_equal(total, 2);
    assert_int_equal(count, 1);
    assert_string_equal(rows[0].id, second.id);
    struct webhook_delivery delivery = add_delivery(f, second.id, 1);
    must(f, store_webhook_delete(f->db, second.id, &deleted, &f->err));
    assert_true(deleted);
    assert_null(look(f, &delivery));
    must(f, store_webhook_delete(f->db, second.id, &deleted, &f->err));
    assert_false(deleted);
    assert_int_equal(store_webhook_update(f->db, &second, &f->err), -ERR_NOT_FOUND);
}

static size_t listening(struct fixture *f, const char *project_id, const char *event) {
    struct webhook *rows = NULL;
    size_t count = 0;
    must(f, store_webhook_listening(reader(f), f->arena, project_id, event, &rows, &count, &f->err));
    return count;
}

static void listeners_are_of_the_account_the_project_and_the_event(void **state) {
    struct fixture *f = *state;
    struct project one = add_project(f, "A", ""), two = add_project(f, "B", "");
    char mine[ID_LEN], other[ID_LEN];

    assert_int_equal(listening(f, one.id, "run.completed"), 0);
    (void)add_webhook(f, "", NULL);
    (void)add_webhook(f, one.id, NULL);
    struct webhook some = add_webhook(f, "", "[\"run.completed\",\"task.started\"]");
    assert_int_equal(listening(f, one.id, "run.completed"), 3);
    assert_int_equal(listening(f, two.id, "run.completed"), 2);
    assert_int_equal(listening(f, one.id, "run.complete"), 2);
    assert_int_equal(listening(f, one.id, "task.completed"), 2);
    some.is_enabled = false;
    must(f, store_webhook_update(f->db, &some, &f->err));
    assert_int_equal(listening(f, one.id, "run.completed"), 2);
    memcpy(mine, f->account_id, ID_LEN);
    add_account(f, other);
    memcpy(f->account_id, other, ID_LEN);
    struct project theirs = add_project(f, "C", "");
    assert_int_equal(listening(f, theirs.id, "run.completed"), 0);
    (void)add_webhook(f, "", NULL);
    assert_int_equal(listening(f, theirs.id, "run.completed"), 1);
    assert_int_equal(listening(f, one.id, "run.completed"), 2);
}

static void an_attempt_is_claimed_by_one(void **state) {
    struct fixture *f = *state;
    struct webhook webhook = add_webhook(f, "", NULL);
    struct webhook_delivery row = add_delivery(f, webhook.id, 10), *rows = NULL;
    int64_t next_ms = 0;

    assert_null(claim(f, row.id, 9, 100));
    struct webhook_delivery *first = claim(f, row.id, 10, 100);
    assert_non_null(first);
    assert_int_equal(first->attempts, 1);
    assert_int_equal(first->lease_until_ms, 100);
    assert_string_equal(first->payload_json, row.payload_json);
    assert_null(claim(f, row.id, 10, 110)); /* somebody sends it */
    assert_int_equal(due(f, 99, 4, 9, &rows), 0);

    /* It is due again when the lease ends, and what its first sender has to tell comes too late. */
    assert_int_equal(due(f, 100, 4, 9, &rows), 1);
    struct webhook_delivery *second = claim(f, row.id, 100, 200);
    assert_int_equal(second->attempts, 2);
    first->state = DELIVERY_DELIVERED;
    assert_false(end(f, first));
    second->next_attempt_ms = 300;
    second->response_status = 500;
    second->response_ms = 12;
    second->error = "The receiver answered 500";
    assert_true(end(f, second));
    assert_false(end(f, second));
    struct webhook_delivery *read = look(f, &row);
    assert_int_equal(read->state, DELIVERY_PENDING);
    assert_int_equal(read->next_attempt_ms, 300);
    assert_int_equal(read->lease_until_ms, 0);
    assert_int_equal(read->last_attempt_ms, 100);
    assert_int_equal(read->response_status, 500);
    assert_int_equal(read->response_ms, 12);
    assert_string_equal(read->error, "The receiver answered 500");
    must(f, store_webhook_delivery_next_due(reader(f), 299, &next_ms, &f->err));
    assert_int_equal(next_ms, 300);
    must(f, store_webhook_delivery_next_due(reader(f), 300, &next_ms, &f->err));
    assert_int_equal(next_ms, 0);
}

static void a_backlog_hides_nobody(void **state) {
    struct fixture *f = *state;
    struct webhook slow = add_webhook(f, "", NULL), fast = add_webhook(f, "", NULL);
    struct webhook_delivery *rows = NULL;
    int64_t pending = 0;

    for (int64_t i = 0; i < 50; i++)
        (void)add_delivery(f, slow.id, i);
    struct webhook_delivery behind = add_delivery(f, fast.id, 60);
    assert_int_equal(due(f, 100, 4, 64, &rows), 5);
    assert_string_equal(rows[3].webhook_id, slow.id);
    assert_string_equal(rows[4].id, behind.id);
    assert_int_equal(due(f, 100, 4, 3, &rows), 3);
    assert_int_equal(due(f, 2, 4, 64, &rows), 3);
    must(f, store_webhook_delivery_pending(reader(f), slow.id, 1000, &pending, &f->err));
    assert_int_equal(pending, 50);
    must(f, store_webhook_delivery_pending(reader(f), slow.id, 20, &pending, &f->err));
    assert_int_equal(pending, 20);
}

static bool again(struct fixture *f, const struct webhook_delivery *row, int64_t now_ms) {
    bool moved = false;
    must(f, store_webhook_delivery_again(f->db, row->id, row->state, now_ms, &moved, &f->err));
    return moved;
}

static void a_delivery_is_sent_again(void **state) {
    struct fixture *f = *state;
    struct webhook webhook = add_webhook(f, "", NULL);
    struct webhook_delivery row = add_delivery(f, webhook.id, 500);

    assert_true(again(f, &row, 10)); /* brought forward */
    assert_int_equal(look(f, &row)->next_attempt_ms, 10);
    struct webhook_delivery *sent = claim(f, row.id, 10, 100);
    assert_false(again(f, &row, 50)); /* under way */
    sent->state = DELIVERY_FAILED;
    sent->completed_ms = 60;
    assert_true(end(f, sent));
    assert_false(again(f, &row, 70)); /* not pending any more */
    assert_true(again(f, look(f, &row), 80));
    struct webhook_delivery *read = look(f, &row);
    assert_int_equal(read->state, DELIVERY_PENDING);
    assert_int_equal(read->attempts, 0);
    assert_int_equal(read->next_attempt_ms, 80);
    assert_int_equal(read->completed_ms, 0);
}

static void what_is_pending_is_given_up_or_reclaimed(void **state) {
    struct fixture *f = *state;
    struct webhook one = add_webhook(f, "", NULL), two = add_webhook(f, "", NULL);
    struct webhook_delivery gone = add_delivery(f, one.id, 10), claimed = add_delivery(f, two.id, 10),
                            waiting = add_delivery(f, two.id, 900);

    assert_non_null(claim(f, claimed.id, 10, 1000));
    must(f, store_webhook_delivery_give_up(f->db, one.id, 20, "disabled", &f->err));
    assert_int_equal(look(f, &gone)->state, DELIVERY_FAILED);
    assert_int_equal(look(f, &gone)->completed_ms, 20);
    assert_string_equal(look(f, &gone)->error, "disabled");
    must(f, store_webhook_delivery_reclaim(f->db, 30, &f->err));
    assert_int_equal(look(f, &claimed)->next_attempt_ms, 30);
    assert_int_equal(look(f, &claimed)->lease_until_ms, 0);
    assert_int_equal(look(f, &waiting)->next_attempt_ms, 900);
}

static void pages_and_sweeps(void **state) {
    struct fixture *f = *state;
    struct webhook webhook = add_webhook(f, "", NULL);
    struct webhook_delivery first = add_delivery(f, webhook.id, 10), second = add_delivery(f, webhook.id, 10), *rows;
    size_t count = 0;
    int64_t total = 0, deleted = 0;

    must(f,
         store_webhook_delivery_page(reader(f), f->arena, webhook.id, NULL, &one_row, &rows, &count, &total, &f->err));
    assert_int_equal(total, 2);
    assert_int_equal(count, 1);
    assert_string_equal(rows[0].id, second.id);
    assert_null(rows[0].payload_json);
    struct webhook_delivery *sent = claim(f, first.id, 10, 100);
    sent->state = DELIVERY_DELIVERED;
    sent->completed_ms = 40;
    assert_true(end(f, sent));
    must(f, store_webhook_delivery_page(reader(f), f->arena, webhook.id, "delivered", &nine_rows, &rows, &count, &total,
                                        &f->err));
    assert_int_equal(total, 1);
    assert_string_equal(rows[0].id, first.id);
    must(f, store_webhook_delivery_sweep(f->db, 40, 10, &deleted, &f->err));
    assert_int_equal(deleted, 0);
    must(f, store_webhook_delivery_sweep(f->db, 41, 10, &deleted, &f->err));
    assert_int_equal(deleted, 1);
    assert_null(look(f, &first));
    assert_non_null(look(f, &second));
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(a_webhook_is_kept_and_changed),
        T(listeners_are_of_the_account_the_project_and_the_event),
        T(an_attempt_is_claimed_by_one),
        T(a_backlog_hides_nobody),
        T(a_delivery_is_sent_again),
        T(what_is_pending_is_given_up_or_reclaimed),
        T(pages_and_sweeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
