/* openapi_error: the errors that operations answer, each told once among the components. */
#include "api/openapi_error.h"

#include <string.h>

#include "api/openapi_schema.h"
#include "api/replay.h"
#include "base/mem.h"

/* When an operation may answer it. */
enum occasion {
    ALWAYS,
    COUNTED,       /* against a rate */
    WITH_ROLE,     /* somebody must ask, or a password is looked at */
    WITH_WRITE,    /* somebody must ask, or a browser could be made to */
    WITH_IDS,      /* the path names something */
    WITH_CONFLICT, /* of states */
    WITH_BODY,     /* the method has one */
    WITH_JSON,     /* which is JSON */
    WITH_RANGES,
};

/* Sorted by status. */
static const struct shared_error {
    const char *status, *name;
    enum occasion occasion;
    enum err_code code;
    const char *description, *message, *field;
    const char *header, *header_ref; /* one of its own, or NULL */
} shared_errors[] = {
    {"400", "BadRequest", ALWAYS, ERR_VALIDATION,
     "What was sent is wrong. `details.fields` names every fault of the query and the body.",
     "Project name is required", "name", NULL, NULL},
    {"401", "Unauthorized", WITH_ROLE, ERR_UNAUTHORIZED, "Nobody is known to ask: no key or session, or no valid one.",
     "The API key is not valid", NULL, "WWW-Authenticate", "Authenticate"},
    {"403", "Forbidden", WITH_WRITE, ERR_FORBIDDEN,
     "Whoever asks may not do this, the account is suspended, or another site sent a write with a browser's session.",
     "This needs an administrator's key", NULL, NULL, NULL},
    {"404", "NotFound", WITH_IDS, ERR_NOT_FOUND, "There is no such thing, or it is another account's.",
     "Project not found", NULL, NULL, NULL},
    {"408", "RequestTimeout", WITH_BODY, ERR_VALIDATION, "The body came too slowly.", "The request took too long", NULL,
     NULL, NULL},
    {"409", "Conflict", WITH_CONFLICT, ERR_CONFLICT,
     "Not in the state that it is in; or the Idempotency-Key was used for another request, or its first request is "
     "still "
     "under way, which Retry-After then says.",
     "The project has no approved spec", NULL, "Retry-After", "RetryAfter"},
    {"413", "PayloadTooLarge", WITH_BODY, ERR_TOO_LARGE, "The body is larger than what is taken.",
     "The body is too large", NULL, NULL, NULL},
    {"414", "UriTooLong", ALWAYS, ERR_VALIDATION, "The address is too long.", "The address is too long", NULL, NULL,
     NULL},
    {"415", "UnsupportedMediaType", WITH_JSON, ERR_MEDIA, "The body is not application/json.",
     "The body must be application/json", NULL, NULL, NULL},
    {"416", "RangeNotSatisfiable", WITH_RANGES, ERR_RANGE, "The range lies beyond the end.",
     "The range lies beyond the 5242880 bytes of the export", "Range", "Content-Range", "ContentRange"},
    {"417", "ExpectationFailed", ALWAYS, ERR_VALIDATION, "The header Expect asks for what is not done here.",
     "The expectation cannot be met", NULL, NULL, NULL},
    {"429", "TooManyRequests", COUNTED, ERR_RATE,
     "More requests than the account's tier has, or more builds at once: `details` says which.",
     "Too many requests: 60 a minute are allowed; try again in 12 s", NULL, "Retry-After", "RetryAfter"},
    {"431", "HeadersTooLarge", ALWAYS, ERR_HEADERS, "The headers are too many or too long.",
     "The headers are too large", NULL, NULL, NULL},
    {"500", "InternalError", ALWAYS, ERR_INTERNAL, "A fault of ours; the log has it under the request id.",
     "Something went wrong on our side", NULL, NULL, NULL},
    {"503", "Unavailable", ALWAYS, ERR_UNAVAILABLE, "Overloaded or stopping; try again.",
     "The server is stopping; try again", NULL, "Retry-After", "RetryAfter"},
};

static void add_header(json_t *headers, const char *name, const char *component) {
    json_object_set_new(headers, name, json_pack("{s:o}", "$ref", json_sprintf("#/components/headers/%s", component)));
}

json_t *error_headers(void) {
    json_t *headers = json_object();
    add_header(headers, "X-Request-Id", "RequestId");
    add_header(headers, "X-RateLimit-Limit", "RateLimitLimit");
    add_header(headers, "X-RateLimit-Remaining", "RateLimitRemaining");
    add_header(headers, "X-RateLimit-Reset", "RateLimitReset");
    add_header(headers, "RateLimit", "RateLimit");
    add_header(headers, "RateLimit-Policy", "RateLimitPolicy");
    return headers;
}

static json_t *example_of(const struct shared_error *shared) {
    json_t *details = json_object();
    if (shared->field) {
        json_object_set_new(details, "field", json_string(shared->field));
        json_object_set_new(details, "fields",
                            json_pack("[{s:s, s:s}]", "field", shared->field, "message", shared->message));
    }
    if (shared->code == ERR_RATE)
        json_object_update_new(details, json_pack("{s:i, s:i}", "limit", 60, "retryAfterSeconds", 12));
    json_object_set_new(details, "requestId", json_string("req_c5a587aa9f53ac07"));
    return json_pack("{s:b, s:{s:s, s:s, s:o}}", "success", 0, "error", "code", err_name(shared->code), "message",
                     shared->message, "details", details);
}

void error_add_responses(json_t *responses) {
    for (size_t i = 0; i < ARRAY_LEN(shared_errors); i++) {
        const struct shared_error *shared = &shared_errors[i];
        json_t *headers = error_headers();
        if (shared->header)
            add_header(headers, shared->header, shared->header_ref);
        json_object_set_new(responses, shared->name,
                            json_pack("{s:s, s:o, s:{s:{s:o, s:o}}}", "description", shared->description, "headers",
                                      headers, "content", "application/json", "schema", schema_ref("Error"), "example",
                                      example_of(shared)));
    }
}

static bool is_occasion(const struct api_route *route, enum occasion occasion) {
    bool has_body = route->method == HTTP_POST || route->method == HTTP_PUT || route->method == HTTP_PATCH;
    switch (occasion) {
    case ALWAYS:
        return true;
    case COUNTED:
        return !route->is_uncounted;
    case WITH_ROLE:
        return route->role != ROLE_ANYONE || route->checks_password || route->may_identify;
    case WITH_WRITE:
        return route->role != ROLE_ANYONE || route->method != HTTP_GET || route->may_identify;
    case WITH_IDS:
        return strpbrk(route->path, ":*") != NULL;
    case WITH_CONFLICT:
        return route->conflicts || replay_is_for(route);
    case WITH_BODY:
        return has_body;
    case WITH_JSON:
        return has_body && !route->is_raw;
    case WITH_RANGES:
        return route->has_ranges;
    }
    return false;
}

void error_add_to(json_t *responses, const struct api_route *route) {
    for (size_t i = 0; i < ARRAY_LEN(shared_errors); i++)
        if (is_occasion(route, shared_errors[i].occasion))
            json_object_set_new(
                responses, shared_errors[i].status,
                json_pack("{s:o}", "$ref", json_sprintf("#/components/responses/%s", shared_errors[i].name)));
}
