/* hooks_fixture: webhooks of the fixture's account, and what they are told. */
#ifndef TEST_ENGINE_HOOKS_FIXTURE_H
#define TEST_ENGINE_HOOKS_FIXTURE_H

#include "fixture.h"

#include "engine/hooks.h"
#include "store/webhook_deliveries.h"
#include "store/webhooks.h"

static inline struct webhook *add_webhook(struct fixture *f, const char *url) {
    struct webhook *row = NULL;
    must(f,
         engine_webhook_create(f->engine, f->account_id, &(struct webhook_edit){.url = url}, f->arena, &row, &f->err));
    return row;
}

/* Newest first. */
static inline size_t deliveries(struct fixture *f, const struct webhook *webhook, struct webhook_delivery **rows) {
    struct page page = page_numbered(1, 100);
    size_t count = 0;
    int64_t total = 0;
    must(f, store_webhook_delivery_page(reader(f), f->arena, webhook->id, NULL, &page, rows, &count, &total, &f->err));
    return count;
}

static inline struct webhook_delivery *delivery_now(struct fixture *f, const struct webhook_delivery *of) {
    struct webhook_delivery *row = NULL;
    must(f, store_webhook_delivery_get(reader(f), f->arena, of->id, of->webhook_id, &row, &f->err));
    assert_non_null(row);
    return row;
}

#endif
