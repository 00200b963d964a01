/* replay: keys, what is under way, what is stored. */
#include "api/replay.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/seal.h"
#include "base/str.h"
#include "engine/engine.h"
#include "store/replays.h"

enum { KEY_MAX = 255 };

static const char header[] = "Idempotency-Key";

/* On the stack of the thread that carries it out. */
struct flight {
    struct list node;
    const struct replay *replay;
};

struct replays {
    pthread_mutex_t lock; /* guards flights */
    struct list flights;  /* no more than there are threads for handlers */
};

/* One request with a key. */
struct attempt {
    struct api_call *call;
    struct replay replay;
    const char *secret; /* what its answer is sealed with */
    bool is_resumed;    /* its effect is there, its answer is not */
    bool is_taken;      /* another request with this key came first */
    bool is_claimed;    /* the effect and the key are stored */
    bool is_answered;   /* so is the answer */
};

struct replays *replays_create(void) {
    struct replays *replays = mem_alloc(sizeof *replays);
    pthread_mutex_init(&replays->lock, NULL);
    list_init(&replays->flights);
    return replays;
}

void replays_destroy(struct replays *replays) {
    if (!replays)
        return;
    pthread_mutex_destroy(&replays->lock);
    free(replays);
}

bool replay_is_for(const struct api_route *route) {
    return route->method == HTTP_POST && route->role != ROLE_ANYONE && route->is_blocking && !route->is_raw;
}

/* ---- The key ---- */

static bool is_sound(const char *key) {
    size_t len = strlen(key);
    for (const char *c = key; *c; c++)
        if (*c < '!' || *c > '~')
            return false;
    return len > 0 && len <= KEY_MAX;
}

/* *key is NULL when there is none. */
static int read_key(const struct api_call *call, const char **key, struct err *err) {
    *key = NULL;
    for (size_t i = 0; i < http_request_header_count(call->request); i++) {
        struct http_pair pair = http_request_header_at(call->request, i);
        if (strcasecmp(pair.name, header) != 0)
            continue;
        if (*key)
            return err_field(err, ERR_VALIDATION, header, "Idempotency-Key must be given once");
        *key = pair.value;
    }
    if (*key && !is_sound(*key))
        return err_field(err, ERR_VALIDATION, header, "Idempotency-Key must be 1 to %d visible ASCII characters",
                         KEY_MAX);
    return 0;
}

/* The role is part of what is asked: an administrator's answer is not for a member. */
static void put_fingerprint(const struct api_call *call, char out[HASH_HEX_LEN]) {
    CLEANUP(buf_release) struct buf text = {0};
    size_t len = 0;
    const char *body = http_request_body(call->request, &len);
    buf_printf(&text, "%s %s?%s\n%s\n", http_request_method_name(call->request), http_request_path(call->request),
               http_request_query(call->request), call->role);
    buf_put(&text, body, len);
    hash_sha256_hex(out, text.data, text.len);
}

static void begin_attempt(struct attempt *attempt, struct api_call *call, const char *key) {
    *attempt = (struct attempt){.call = call, .replay = {.created_ms = clock_now_ms()}};
    str_copy(attempt->replay.account_id, ID_LEN, call->account_id);
    hash_sha256_hex(attempt->replay.key_hash, key, strlen(key));
    put_fingerprint(call, attempt->replay.fingerprint);
    attempt->secret = arena_printf(call->arena, "%s %s", call->account_id, key);
}

/* ---- One at a time ---- */

static bool is_same_key(const struct replay *a, const struct replay *b) {
    return str_eq(a->key_hash, b->key_hash) && str_eq(a->account_id, b->account_id);
}

/* False when a request of this key is under way. */
static bool take_off(struct replays *replays, struct flight *flight) {
    bool is_free = true;
    pthread_mutex_lock(&replays->lock);
    list_for_each (node, next_node, &replays->flights)
        is_free = is_free && !is_same_key(container_of(node, struct flight, node)->replay, flight->replay);
    if (is_free)
        list_append(&replays->flights, &flight->node);
    pthread_mutex_unlock(&replays->lock);
    return is_free;
}

static void land(struct replays *replays, struct flight *flight) {
    pthread_mutex_lock(&replays->lock);
    list_remove(&flight->node);
    pthread_mutex_unlock(&replays->lock);
}

/* ---- In the transaction of the effect ---- */

static int claim_in_tx(struct db *db, void *arg, struct err *err) {
    struct attempt *attempt = arg;
    bool is_new = false;
    int rc = store_replay_claim(db, &attempt->replay, &is_new, err);
    attempt->is_taken = rc == 0 && !is_new && !attempt->is_resumed;
    if (attempt->is_taken)
        return err_field(err, ERR_CONFLICT, header, "Another request with this Idempotency-Key came first");
    return rc;
}

static int put_answer(struct db *db, struct attempt *attempt, struct err *err) {
    const struct answer *answer = &attempt->call->answer;
    attempt->replay.status = answer->status;
    attempt->replay.body = seal_close(attempt->call->arena, attempt->secret, answer->text, answer->len);
    return store_replay_answer(db, &attempt->replay, err);
}

static int answer_in_tx(struct db *db, void *arg, struct err *err) {
    struct attempt *attempt = arg;
    attempt->is_claimed = true;
    attempt->is_answered = reply_promised_early(attempt->call);
    return attempt->is_answered ? put_answer(db, attempt, err) : 0;
}

/* For what is answered after its transaction, or had none. */
static int answer_late_in_tx(struct db *db, void *arg, struct err *err) {
    struct attempt *attempt = arg;
    int rc = attempt->is_claimed ? 0 : claim_in_tx(db, attempt, err);
    return rc < 0 ? rc : put_answer(db, attempt, err);
}

/* ---- Carrying out, and answering again ---- */

static int look(struct attempt *attempt, struct replay **found, struct err *err) {
    const struct replay *replay = &attempt->replay;
    return store_replay_get(attempt->call->db, attempt->call->arena, replay->account_id, replay->key_hash,
                            clock_now_ms(), found, err);
}

static int refuse_busy(struct api_call *call, struct err *err) {
    http_reply_header(call->reply, "Retry-After", "1");
    return err_field(err, ERR_CONFLICT, header, "The first request with this Idempotency-Key is still under way");
}

static int answer_again(struct attempt *attempt, const struct replay *found, struct err *err) {
    struct api_call *call = attempt->call;
    size_t len = 0;
    if (!str_eq(found->fingerprint, attempt->replay.fingerprint))
        return err_field(err, ERR_CONFLICT, header, "Idempotency-Key was used for another request");
    if (found->status == 0)
        return err_field(err, ERR_CONFLICT, header,
                         "The first request with this Idempotency-Key took effect, but its answer is lost");
    const char *text = seal_open(call->arena, attempt->secret, found->body, &len);
    if (!text)
        return err_set(err, ERR_INTERNAL, "the answer under an Idempotency-Key cannot be opened");
    http_reply_status(call->reply, (int)found->status);
    http_reply_header(call->reply, "Idempotent-Replayed", "true");
    http_reply_body(call->reply, "application/json; charset=utf-8", text, len);
    return 0;
}

/* The answer goes out even when it cannot be stored: it is true. */
static void answer_late(struct attempt *attempt) {
    struct err err = {0};
    if (attempt->is_answered || !attempt->call->answer.text)
        return;
    if (store_write(engine_store(attempt->call->engine), answer_late_in_tx, attempt, &err) < 0)
        log_event(LOG_WARN, "an answer was not stored", "request", http_request_id(attempt->call->request), "error",
                  err.message, NULL);
}

static int carry_out(struct attempt *attempt, api_handler *handle, struct err *err) {
    const struct store_company company = {.first = claim_in_tx, .last = answer_in_tx, .arg = attempt};
    struct store *store = engine_store(attempt->call->engine);
    struct replay *found = NULL;
    struct err end_err = {0};
    int rc = store_accompany(store, &company, err);
    if (rc < 0)
        return rc;
    rc = handle(attempt->call, err);
    if (store_accompany(store, NULL, &end_err) < 0 && rc == 0) {
        *err = end_err;
        rc = -(int)end_err.code;
    }
    if (rc == 0)
        answer_late(attempt);
    /* Another process was quicker. */
    if (rc < 0 && attempt->is_taken && look(attempt, &found, &end_err) == 0 && found)
        rc = answer_again(attempt, found, err);
    return rc;
}

static int attempt_once(struct attempt *attempt, api_handler *handle, struct err *err) {
    struct api_call *call = attempt->call;
    struct replay *found = NULL;
    int rc = look(attempt, &found, err);
    if (rc < 0)
        return rc;
    attempt->is_resumed =
        found && found->status == 0 && call->route->resumes && str_eq(found->fingerprint, attempt->replay.fingerprint);
    call->is_resumed = attempt->is_resumed;
    if (found && !attempt->is_resumed)
        return answer_again(attempt, found, err);
    return carry_out(attempt, handle, err);
}

int replay_handle(struct api_call *call, api_handler *handle, struct err *err) {
    struct replays *replays = call->api->replays;
    struct attempt attempt;
    struct flight flight = {.replay = &attempt.replay};
    const char *key = NULL;
    if (!replay_is_for(call->route))
        return handle(call, err);
    int rc = read_key(call, &key, err);
    if (rc < 0 || !key)
        return rc < 0 ? rc : handle(call, err);
    begin_attempt(&attempt, call, key);
    if (!take_off(replays, &flight))
        return refuse_busy(call, err);
    rc = attempt_once(&attempt, handle, err);
    land(replays, &flight);
    return rc;
}
