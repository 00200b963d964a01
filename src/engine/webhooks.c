/* webhooks: the thread that sends webhooks what they are told. */
#include "engine/webhooks.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/wait.h"
#include "engine/attempts.h"
#include "engine/journal.h"
#include "engine/messages.h"
#include "net/net.h"
#include "net/signature.h"
#include "store/webhook_deliveries.h"
#include "store/webhooks.h"

#define POLL_MS 5000 /* what a lost wake-up costs at most */
#define CONNECT_TIMEOUT_MS 5000
#define TOTAL_TIMEOUT_MS 15000
#define LEASE_MS 60000 /* an attempt, and what claiming and recording it may take on a busy disk */
#define ANSWER_MAX_BYTES (64 * 1024)
#define GONE 410

enum {
    SENDING_MAX = 64,    /* at a time */
    OF_A_WEBHOOK_MAX = 4 /* so that a slow receiver delays none but itself */
};

/* One attempt. */
struct sending {
    struct arena *arena; /* NULL: this place is free */
    char delivery_id[ID_LEN], webhook_id[ID_LEN];
    struct webhook_delivery *delivery; /* as claimed; NULL when somebody else was quicker */
    struct webhook *webhook;
    struct net_header headers[5];
    struct net_request request;
    int64_t began_ms; /* monotonic */
    bool is_gone;     /* the receiver wants nothing more, ever */
};

struct webhooks {
    struct engine *engine;
    struct bus_subscription *told;
    pthread_mutex_t lock; /* guards wakes, is_ending, deadline_ms, and group as a pointer */
    pthread_cond_t changed;
    uint64_t wakes;
    bool is_ending;
    int64_t deadline_ms;     /* monotonic: of what is under way at the end */
    struct net_group *group; /* made when there is something to send for the first time */
    pthread_t thread;
    struct sending sendings[SENDING_MAX]; /* this and below: the thread's own */
    size_t count;                         /* places that are taken */
};

static void told(const char *topic, int64_t value, void *arg) {
    struct webhooks *webhooks = arg;
    pthread_mutex_lock(&webhooks->lock);
    webhooks->wakes++;
    pthread_cond_broadcast(&webhooks->changed);
    if (webhooks->group)
        net_group_wake(webhooks->group);
    pthread_mutex_unlock(&webhooks->lock);
}

/* ---- Places ---- */

static void free_place(struct webhooks *webhooks, struct sending *sending) {
    arena_destroy(sending->arena);
    *sending = (struct sending){0};
    webhooks->count--;
}

static struct sending *take_place(struct webhooks *webhooks, const struct webhook_delivery *row) {
    struct sending *sending = webhooks->sendings;
    while (sending->arena)
        sending++;
    sending->arena = arena_create();
    str_copy(sending->delivery_id, ID_LEN, row->id);
    str_copy(sending->webhook_id, ID_LEN, row->webhook_id);
    webhooks->count++;
    return sending;
}

static int count_of(const struct webhooks *webhooks, const char *webhook_id) {
    int count = 0;
    for (size_t i = 0; i < SENDING_MAX; i++)
        count += webhooks->sendings[i].arena && str_eq(webhooks->sendings[i].webhook_id, webhook_id);
    return count;
}

/* ---- Recording ---- */

struct record {
    struct sending *ended[SENDING_MAX];
    size_t count;
};

static int record_in_tx(struct journal *journal, void *arg, struct err *err) {
    const struct record *record = arg;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < record->count; i++) {
        const struct sending *sending = record->ended[i];
        struct webhook *webhook = NULL;
        rc = messages_end_attempt(journal, sending->delivery, err);
        if (rc == 0 && sending->is_gone)
            rc = store_webhook_get(journal->db, journal->arena, sending->webhook_id, NULL, &webhook, err);
        /* Its owner may have sent it elsewhere meanwhile. */
        if (rc == 0 && webhook && webhook->is_enabled && str_eq(webhook->url, sending->webhook->url))
            rc = messages_disable(journal, webhook, "The receiver answered 410 Gone", err);
    }
    return rc;
}

/* What cannot be recorded is sent again when its lease ends. */
static void record_all(struct webhooks *webhooks, struct record *record) {
    struct err err = {0};
    if (record->count > 0 && journal_write(webhooks->engine, record_in_tx, record, &err) < 0)
        log_event(LOG_ERROR, "cannot record what came of webhooks", "error", err.message, NULL);
    for (size_t i = 0; i < record->count; i++) {
        struct sending *sending = record->ended[i];
        if (sending->is_gone)
            log_event(LOG_INFO, "webhook is gone", "webhook", sending->webhook_id, NULL);
        else if (sending->delivery->state == DELIVERY_FAILED)
            log_event(LOG_INFO, "a webhook was not told", "webhook", sending->webhook_id, "delivery",
                      sending->delivery_id, NULL);
        free_place(webhooks, sending);
    }
    record->count = 0;
}

/* ---- What came of an attempt ---- */

static const char *why(const struct sending *sending, const struct net_outcome *outcome) {
    if (outcome->result == 0)
        return arena_printf(sending->arena, "The receiver answered %d", outcome->response.status);
    /* Which address it was is nothing for outsiders: the name may be one of our own network. */
    if (outcome->result == -ERR_FORBIDDEN)
        return "The host has no public address";
    return str_mend(sending->arena, outcome->err.message);
}

static int64_t asked_ms(const struct net_outcome *outcome, int64_t now_ms) {
    bool may_ask = outcome->result == 0 && (outcome->response.status == 429 || outcome->response.status == 503);
    return may_ask ? attempt_asked_ms(net_response_header(&outcome->response, "retry-after"), now_ms) : 0;
}

static void judge(struct sending *sending, const struct net_outcome *outcome) {
    struct webhook_delivery *row = sending->delivery;
    int64_t now_ms = clock_now_ms();
    int status = outcome->result == 0 ? outcome->response.status : 0;
    bool is_delivered = status >= 200 && status < 300;
    int64_t wait_ms = attempt_wait_ms(row->attempts, asked_ms(outcome, now_ms));
    row->response_status = status;
    row->response_ms = clock_mono_ms() - sending->began_ms;
    row->error = is_delivered ? NULL : why(sending, outcome);
    sending->is_gone = status == GONE;
    if (is_delivered)
        row->state = DELIVERY_DELIVERED;
    else if (sending->is_gone || wait_ms == 0)
        row->state = DELIVERY_FAILED;
    if (row->state == DELIVERY_PENDING)
        row->next_attempt_ms = now_ms + wait_ms;
    else
        row->completed_ms = now_ms;
}

/* Works on what is under way until something has ended, or somebody woke it; and records all that has ended by then. */
static void collect(struct webhooks *webhooks, int64_t wait_ms) {
    struct record record = {.count = 0};
    struct net_outcome outcome;
    while (record.count < SENDING_MAX && net_group_next(webhooks->group, record.count > 0 ? 0 : wait_ms, &outcome)) {
        struct sending *sending = outcome.tag;
        judge(sending, &outcome);
        record.ended[record.count++] = sending;
    }
    record_all(webhooks, &record);
}

/* ---- Beginning an attempt ---- */

/* All signatures that are valid now, the newest secret's first. */
static const char *sign(const struct sending *sending, int64_t now_ms) {
    const struct webhook *webhook = sending->webhook;
    const char *body = sending->delivery->payload_json, *id = sending->delivery->id;
    int64_t time_s = now_ms / 1000;
    const char *text = net_signature(sending->arena, webhook->secret, id, time_s, body, strlen(body));
    if (!webhook->old_secret || webhook->old_secret_until_ms <= now_ms)
        return text;
    return arena_printf(sending->arena, "%s %s", text,
                        net_signature(sending->arena, webhook->old_secret, id, time_s, body, strlen(body)));
}

static void make_request(const struct engine *engine, struct sending *sending) {
    int64_t now_ms = clock_now_ms();
    struct net_header *headers = sending->headers;
    headers[0] = (struct net_header){"content-type", "application/json"};
    headers[1] = (struct net_header){"user-agent", "Prazium/" PRAZIUM_VERSION};
    headers[2] = (struct net_header){"webhook-id", sending->delivery->id};
    headers[3] =
        (struct net_header){"webhook-timestamp", arena_printf(sending->arena, "%lld", (long long)(now_ms / 1000))};
    headers[4] = (struct net_header){"webhook-signature", sign(sending, now_ms)};
    sending->request = (struct net_request){.method = "POST",
                                            .url = sending->webhook->url,
                                            .headers = headers,
                                            .header_count = ARRAY_LEN(sending->headers),
                                            .body = sending->delivery->payload_json,
                                            .body_len = strlen(sending->delivery->payload_json),
                                            .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                            .total_timeout_ms = TOTAL_TIMEOUT_MS,
                                            .max_body_bytes = ANSWER_MAX_BYTES,
                                            .cuts_body = true,
                                            .only_public = !engine->allows_private_webhooks};
}

static void need_group(struct webhooks *webhooks) {
    if (webhooks->group)
        return;
    struct net_group *group = net_group_create();
    pthread_mutex_lock(&webhooks->lock);
    webhooks->group = group;
    pthread_mutex_unlock(&webhooks->lock);
}

/* One that cannot be begun has failed like any other. */
static void begin(struct webhooks *webhooks, struct sending *sending, struct record *record) {
    struct net_outcome outcome = {0};
    need_group(webhooks);
    make_request(webhooks->engine, sending);
    sending->began_ms = clock_mono_ms();
    outcome.result = net_group_start(webhooks->group, &sending->request, sending->arena, sending, &outcome.err);
    if (outcome.result == 0)
        return;
    judge(sending, &outcome);
    record->ended[record->count++] = sending;
}

/* ---- What is due ---- */

struct claim {
    struct sending *taken[SENDING_MAX];
    size_t count;
};

static int claim_in_tx(struct db *db, void *arg, struct err *err) {
    const struct claim *claim = arg;
    int64_t now_ms = clock_now_ms();
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < claim->count; i++) {
        struct sending *sending = claim->taken[i];
        arena_reset(sending->arena); /* this may run twice */
        sending->webhook = NULL;
        rc = store_webhook_delivery_claim(db, sending->arena, sending->delivery_id, now_ms, now_ms + LEASE_MS,
                                          &sending->delivery, err);
        if (rc == 0 && sending->delivery)
            rc = store_webhook_get(db, sending->arena, sending->webhook_id, NULL, &sending->webhook, err);
    }
    return rc;
}

/* Takes places for what is due. Of those that are listed at most SENDING_MAX are of webhooks that have as much under
 * way as they may, since each place that is taken hides one: as many again are listed. */
static int find_due(struct webhooks *webhooks, struct arena *arena, struct claim *claim, struct err *err) {
    struct webhook_delivery *rows = NULL;
    struct db *db = NULL;
    size_t count = 0;
    int rc = store_reader(webhooks->engine->store, &db, err);
    if (rc == 0)
        rc = store_webhook_delivery_due(db, arena, clock_now_ms(), OF_A_WEBHOOK_MAX, INT64_C(2) * SENDING_MAX, &rows,
                                        &count, err);
    for (size_t i = 0; rc == 0 && i < count && webhooks->count < SENDING_MAX; i++)
        if (count_of(webhooks, rows[i].webhook_id) < OF_A_WEBHOOK_MAX)
            claim->taken[claim->count++] = take_place(webhooks, &rows[i]);
    return rc;
}

static int send_due(struct webhooks *webhooks, struct err *err) {
    struct arena *arena = arena_create();
    struct claim claim = {.count = 0};
    struct record record = {.count = 0};
    int rc = find_due(webhooks, arena, &claim, err);
    if (rc == 0 && claim.count > 0)
        rc = store_write(webhooks->engine->store, claim_in_tx, &claim, err);
    for (size_t i = 0; i < claim.count; i++) {
        struct sending *sending = claim.taken[i];
        if (rc == 0 && sending->delivery && sending->webhook)
            begin(webhooks, sending, &record);
        else
            free_place(webhooks, sending);
    }
    record_all(webhooks, &record);
    arena_destroy(arena);
    return rc;
}

/* How long until something becomes due. What is due already waits for a place, and for no time. */
static int64_t next_wait_ms(struct webhooks *webhooks) {
    struct db *db = NULL;
    struct err err = {0};
    int64_t now_ms = clock_now_ms(), next_ms = 0;
    int rc = store_reader(webhooks->engine->store, &db, &err);
    if (rc == 0)
        rc = store_webhook_delivery_next_due(db, now_ms, &next_ms, &err);
    if (rc < 0 || next_ms == 0 || next_ms - now_ms > POLL_MS)
        return POLL_MS;
    return next_ms - now_ms;
}

/* ---- The thread ---- */

static void pause_until(struct webhooks *webhooks, uint64_t seen, int64_t ms) {
    pthread_mutex_lock(&webhooks->lock);
    if (!webhooks->is_ending && webhooks->wakes == seen)
        (void)wait_ms(&webhooks->changed, &webhooks->lock, ms);
    pthread_mutex_unlock(&webhooks->lock);
}

static bool is_ending(struct webhooks *webhooks, uint64_t *seen, int64_t *deadline_ms) {
    pthread_mutex_lock(&webhooks->lock);
    bool answer = webhooks->is_ending;
    *seen = webhooks->wakes;
    *deadline_ms = webhooks->deadline_ms;
    pthread_mutex_unlock(&webhooks->lock);
    return answer;
}

static void *webhooks_main(void *arg) {
    struct webhooks *webhooks = arg;
    int64_t deadline_ms;
    uint64_t seen;
    while (!is_ending(webhooks, &seen, &deadline_ms)) {
        struct err err = {0};
        int64_t ms = POLL_MS;
        if (send_due(webhooks, &err) < 0)
            log_event(LOG_ERROR, "cannot send to webhooks", "error", err.message, NULL);
        else
            ms = next_wait_ms(webhooks);
        if (webhooks->count > 0)
            collect(webhooks, ms);
        else
            pause_until(webhooks, seen, ms);
    }
    while (webhooks->count > 0 && clock_mono_ms() < deadline_ms)
        collect(webhooks, deadline_ms - clock_mono_ms());
    store_thread_end(webhooks->engine->store);
    return NULL;
}

static void webhooks_free(struct webhooks *webhooks) {
    if (webhooks->told)
        bus_unsubscribe(webhooks->told);
    net_group_destroy(webhooks->group); /* before the arenas that its requests point into */
    for (size_t i = 0; i < SENDING_MAX; i++)
        arena_destroy(webhooks->sendings[i].arena);
    pthread_cond_destroy(&webhooks->changed);
    pthread_mutex_destroy(&webhooks->lock);
    free(webhooks);
}

int webhooks_start(struct webhooks **out, struct engine *engine, struct err *err) {
    struct webhooks *webhooks = mem_alloc(sizeof *webhooks);
    webhooks->engine = engine;
    pthread_mutex_init(&webhooks->lock, NULL);
    wait_init(&webhooks->changed);
    int rc = bus_subscribe(engine->bus, "webhooks", told, webhooks, &webhooks->told, err);
    if (rc == 0 && pthread_create(&webhooks->thread, NULL, webhooks_main, webhooks) != 0)
        rc = err_set(err, ERR_UNAVAILABLE, "cannot start the thread that sends webhooks");
    if (rc < 0) {
        webhooks_free(webhooks);
        return rc;
    }
    *out = webhooks;
    return 0;
}

void webhooks_stop(struct webhooks *webhooks, int64_t grace_ms) {
    if (!webhooks)
        return;
    pthread_mutex_lock(&webhooks->lock);
    webhooks->is_ending = true;
    webhooks->deadline_ms = clock_mono_ms() + grace_ms;
    pthread_cond_broadcast(&webhooks->changed);
    if (webhooks->group)
        net_group_wake(webhooks->group);
    pthread_mutex_unlock(&webhooks->lock);
    pthread_join(webhooks->thread, NULL);
    webhooks_free(webhooks);
}
