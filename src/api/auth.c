/* auth: on whose behalf a request comes, whether it may, and how often it has come. */
#include "api/auth.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/limits.h"
#include "api/usage.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/str.h"
#include "model/key.h"
#include "model/tier.h"
#include "store/keys.h"
#include "store/users.h"

#define ADDRESS_PER_MINUTE 300 /* requests without identity */

/* ---- Who ---- */

bool auth_credential(const char *text, struct credential *out) {
    bool is_key = key_is_sound(text);
    if (!is_key && !session_token_is_sound(text))
        return false;
    out->is_session = !is_key;
    hash_sha256_hex(out->hash, text, strlen(text));
    return true;
}

int auth_identity(struct db *db, struct arena *arena, const struct credential *credential, struct identity **out,
                  struct err *err) {
    int64_t now_ms = clock_now_ms();
    *out = NULL;
    return credential->is_session ? store_session_identity(db, arena, credential->hash, now_ms, out, err)
                                  : store_key_identity(db, arena, credential->hash, now_ms, out, err);
}

/* *out NULL for what cannot be a key or a token at all. */
static int identify_text(struct api_call *call, struct db *db, const char *text, struct identity **out,
                         struct err *err) {
    struct credential credential;
    *out = NULL;
    return auth_credential(text, &credential) ? auth_identity(db, call->arena, &credential, out, err) : 0;
}

/* The last value of the last header of that name: what the proxy itself has added. NULL if there is none. */
static const char *last_forwarded(const struct api_call *call, const char *name) {
    const char *value = NULL;
    if (!call->api->is_behind_proxy)
        return NULL;
    for (size_t i = 0; i < http_request_header_count(call->request); i++) {
        struct http_pair header = http_request_header_at(call->request, i);
        if (strcasecmp(header.name, name) == 0)
            value = header.value;
    }
    const char *comma = value ? strrchr(value, ',') : NULL;
    return value ? str_trim(call->arena, comma ? comma + 1 : value) : NULL;
}

const char *auth_peer(const struct api_call *call) {
    const char *address = last_forwarded(call, "X-Forwarded-For");
    struct in6_addr parsed;
    bool is_address =
        address && (inet_pton(AF_INET, address, &parsed) == 1 || inet_pton(AF_INET6, address, &parsed) == 1);
    return is_address ? address : http_request_peer(call->request);
}

bool auth_is_tls(const struct api_call *call) {
    return str_eq(last_forwarded(call, "X-Forwarded-Proto"), "https");
}

/* "https://example.org:8443" is of host "example.org:8443". */
static bool is_of_host(const char *origin, const char *host) {
    const char *name = strstr(origin, "://");
    return name && host && strcasecmp(name + 3, host) == 0;
}

int auth_same_site(struct http_request *request, struct err *err) {
    const char *site = http_request_header(request, "Sec-Fetch-Site"), *origin = http_request_header(request, "Origin");
    bool is_foreign = (site && !str_eq(site, "same-origin") && !str_eq(site, "none")) ||
                      (origin && !is_of_host(origin, http_request_header(request, "Host")));
    return is_foreign ? err_set(err, ERR_FORBIDDEN, "A session cannot be used from another site") : 0;
}

static bool is_safe(enum http_method method) {
    return method == HTTP_GET || method == HTTP_HEAD || method == HTTP_OPTIONS;
}

/* What comes behind the scheme; with Basic, which is what git has, the password. NULL for another scheme. */
static const char *presented_key(struct api_call *call, const char *value) {
    static const char bearer[] = "Bearer ", basic[] = "Basic ";
    char text[256];
    size_t len = 0;
    if (strncasecmp(value, bearer, sizeof bearer - 1) == 0)
        return value + sizeof bearer - 1;
    if (!call->route->takes_basic || strncasecmp(value, basic, sizeof basic - 1) != 0)
        return NULL;
    value += sizeof basic - 1;
    if (sodium_base642bin((unsigned char *)text, sizeof text - 1, value, strlen(value), NULL, &len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return NULL;
    text[len] = '\0';
    const char *colon = strchr(text, ':');
    return colon ? arena_strdup(call->arena, colon + 1) : NULL;
}

static int identify_key(struct api_call *call, struct db *db, const char *value, struct identity **out,
                        struct err *err) {
    const char *text = presented_key(call, value);
    if (!text || !str_starts(text, "pzm_"))
        return err_set(err, ERR_UNAUTHORIZED,
                       call->route->takes_basic ? "The password must be an API key, \"pzm_…\""
                                                : "The Authorization header must be \"Bearer pzm_…\"");
    int rc = identify_text(call, db, text, out, err);
    return rc == 0 && !*out ? err_set(err, ERR_UNAUTHORIZED, "The API key is not valid") : rc;
}

static int identify_session(struct api_call *call, struct db *db, const char *token, struct identity **out,
                            struct err *err) {
    int rc = session_token_is_sound(token) ? identify_text(call, db, token, out, err) : 0;
    if (rc == 0 && !*out)
        return err_set(err, ERR_UNAUTHORIZED, "The session is not valid; log in again");
    if (rc == 0 && (!is_safe(http_request_method(call->request)) || call->route->may_identify))
        rc = auth_same_site(call->request, err);
    return rc;
}

static const char *session_of(struct http_request *request) {
    const char *cookie = http_request_cookie(request, SESSION_COOKIE);
    return cookie && *cookie ? cookie : NULL;
}

static int identify(struct api_call *call, struct db *db, struct identity **out, struct err *err) {
    const char *header = http_request_header(call->request, "Authorization");
    const char *token = session_of(call->request);
    if (header)
        return identify_key(call, db, header, out, err);
    if (token)
        return identify_session(call, db, token, out, err);
    return err_set(err, ERR_UNAUTHORIZED, "Authentication is required: send \"Authorization: Bearer pzm_…\"");
}

bool auth_is_presented(struct http_request *request) {
    return http_request_header(request, "Authorization") || session_of(request);
}

struct credential auth_presented(struct api_call *call) {
    const char *header = http_request_header(call->request, "Authorization");
    struct credential credential = {0};
    (void)auth_credential(header ? presented_key(call, header) : session_of(call->request), &credential);
    return credential;
}

/* ---- How often ---- */

static void put_headers(struct http_reply *reply, const struct allowance *allowance) {
    char text[96];
    int64_t left_s = (allowance->left_ms + 999) / 1000;
    long long limit = (long long)allowance->limit, remaining = (long long)allowance->remaining;
    snprintf(text, sizeof text, "%lld", limit);
    http_reply_header(reply, "X-RateLimit-Limit", text);
    snprintf(text, sizeof text, "%lld", remaining);
    http_reply_header(reply, "X-RateLimit-Remaining", text);
    snprintf(text, sizeof text, "%lld", (long long)(clock_now_ms() / 1000 + left_s));
    http_reply_header(reply, "X-RateLimit-Reset", text);
    snprintf(text, sizeof text, "\"default\";q=%lld;w=%d", limit, LIMITS_WINDOW_MS / 1000);
    http_reply_header(reply, "RateLimit-Policy", text);
    snprintf(text, sizeof text, "\"default\";r=%lld;t=%lld", remaining, (long long)left_s);
    http_reply_header(reply, "RateLimit", text);
}

int auth_refuse_rate(struct api_call *call, const struct allowance *allowance, const char *what, struct err *err) {
    char text[24];
    int64_t left_s = (allowance->left_ms + 999) / 1000;
    snprintf(text, sizeof text, "%lld", (long long)left_s);
    if (call->reply)
        http_reply_header(call->reply, "Retry-After", text);
    call_detail(call, "limit", json_integer(allowance->limit));
    call_detail(call, "retryAfterSeconds", json_integer(left_s));
    return err_set(err, ERR_RATE, "%s: %lld a minute are allowed; try again in %lld s", what,
                   (long long)allowance->limit, (long long)left_s);
}

static int count(struct api_call *call, const char *name, int64_t limit, struct err *err) {
    if (!call->api->limits)
        return 0;
    struct allowance allowance =
        limits_take(call->api->limits, name, limit, call->route && call->route->is_uncounted ? 0 : 1, clock_mono_ms());
    put_headers(call->reply, &allowance);
    return allowance.is_over ? auth_refuse_rate(call, &allowance, "Too many requests", err) : 0;
}

enum { ADDRESS_NAME_LEN = 80 };

static const char *address_name(char out[ADDRESS_NAME_LEN], const char *peer) {
    snprintf(out, ADDRESS_NAME_LEN, "address:%s", peer);
    return out;
}

static int count_address(struct api_call *call, struct err *err) {
    char name[ADDRESS_NAME_LEN];
    return count(call, address_name(name, auth_peer(call)), ADDRESS_PER_MINUTE, err);
}

struct allowance auth_count_account(struct api *api, const char *account_id, int64_t per_minute) {
    if (!api->limits)
        return (struct allowance){0};
    return limits_take(api->limits, account_id, per_minute, 1, clock_mono_ms());
}

struct allowance auth_count_address(struct api *api, const char *peer) {
    char name[ADDRESS_NAME_LEN];
    return auth_count_account(api, address_name(name, peer), ADDRESS_PER_MINUTE);
}

void auth_headers_for_address(struct api *api, struct http_request *request, struct http_reply *reply) {
    struct api_call call = {.api = api, .request = request, .reply = reply, .arena = http_request_arena(request)};
    (void)!count_address(&call, NULL);
}

/* ---- Whether ---- */

int auth_admit_anyone(struct api_call *call, struct err *err) {
    return count_address(call, err);
}

int auth_admit(struct api_call *call, struct db *db, struct err *err) {
    struct identity *identity = NULL;
    struct err rate = {0};
    int rc = identify(call, db, &identity, err);
    /* Whoever guesses keys is told so too often by the limit of the address. */
    if (rc < 0)
        return count_address(call, &rate) < 0 ? (*err = rate, -(int)ERR_RATE) : rc;
    rc = count(call, identity->account_id, tier_of(identity->tier)->requests_per_minute, err);
    if (rc == 0 && identity->is_suspended)
        rc = err_set(err, ERR_FORBIDDEN, "The account is suspended");
    if (rc == 0 && call->route->role == ROLE_ADMIN && !str_eq(identity->role, "admin"))
        rc = err_set(err, ERR_FORBIDDEN, "This needs an administrator's key");
    if (rc < 0)
        return rc;
    http_request_set_user(call->request, identity);
    if (identity->key_id[0])
        usage_note(call->api->usage, identity->key_id, identity->last_used_ms);
    return 0;
}
