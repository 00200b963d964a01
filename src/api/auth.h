/* auth: on whose behalf a request comes, whether it may, and how often it has come. */
#ifndef API_AUTH_H
#define API_AUTH_H

#include "api/call.h"
#include "api/limits.h"

#define SESSION_COOKIE "prazium_session"
#define SESSION_LIFE_MS (30 * INT64_C(86400) * 1000)

/* Finds out who asks by the Authorization header or the session cookie, whether the route is for them, and counts the
 * request; sets the headers of the rate limit on the reply. On success http_request_user() is the struct identity.
 * ERR_UNAUTHORIZED, ERR_FORBIDDEN, ERR_RATE (with details in call). Reads db alone. */
MUST_CHECK int auth_admit(struct api_call *call, struct db *db, struct err *err);
/* For routes that anyone may call, and for what is no request of any route: counts it for the address. */
MUST_CHECK int auth_admit_anyone(struct api_call *call, struct err *err);
/* What a key or a session's token is known by; it cannot be made into one again. */
struct credential {
    char hash[HASH_HEX_LEN];
    bool is_session;
};
/* False for a text that can be neither. */
bool auth_credential(const char *key_or_token, struct credential *out);
/* Whether the request says who asks, rightly or wrongly. */
bool auth_is_presented(struct http_request *request);
/* What an admitted request was admitted for. */
struct credential auth_presented(struct api_call *call);
/* Who a key or a session belongs to; *out NULL when it is not valid (any more). */
MUST_CHECK int auth_identity(struct db *db, struct arena *arena, const struct credential *credential,
                             struct identity **out, struct err *err);
/* The address that a request comes from, and whether it came there by TLS: as the proxy says when there is one. */
const char *auth_peer(const struct api_call *call);
bool auth_is_tls(const struct api_call *call);
/* ERR_FORBIDDEN when a browser says that another site is behind the request. */
MUST_CHECK int auth_same_site(struct http_request *request, struct err *err);
/* Count what is no request of its own (a message) as one: for an account, and for an address. */
struct allowance auth_count_account(struct api *api, const char *account_id, int64_t per_minute);
struct allowance auth_count_address(struct api *api, const char *peer);
/* ERR_RATE with details, and with Retry-After if there is a reply. what begins the message. */
MUST_CHECK int auth_refuse_rate(struct api_call *call, const struct allowance *allowance, const char *what,
                                struct err *err);
/* The headers of the rate limit for an answer that was not counted before. */
void auth_headers_for_address(struct api *api, struct http_request *request, struct http_reply *reply);

#endif
