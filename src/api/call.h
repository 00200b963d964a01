/* call: one request in the hands of a handler: who asks, what with, and how to answer. */
#ifndef API_CALL_H
#define API_CALL_H

#include "api/api.h"
#include "base/json.h"
#include "http/http.h"
#include "model/account.h"
#include "store/db.h"

enum api_role { ROLE_ANYONE, ROLE_MEMBER, ROLE_ADMIN };

struct api_call;
/* Answers with one of the reply_… functions and returns 0, or returns an error, which becomes the envelope. */
typedef int api_handler(struct api_call *call, struct err *err);

/* One row of the route table. */
struct api_route {
    enum http_method method;
    const char *path;
    api_handler *handle;
    enum api_role role;
    bool is_blocking; /* writes, git, planning: runs on a pool thread. The others read, in one transaction */
    size_t max_body_bytes;
};

struct fault {
    const char *field, *message;
};

struct api_call {
    struct api *api;
    struct engine *engine;
    struct http_request *request;
    struct http_reply *reply;
    struct arena *arena;
    struct db *db;             /* this thread's read connection */
    const struct api_key *key; /* who asks; NULL for ROLE_ANYONE */
    const char *account_id;
    json_t *body; /* an object, after call_body() */
    struct fault faults[16];
    size_t fault_count;
};

struct api {
    struct engine *engine;
    struct http_server *server;
    struct http_route *routes;
};

/* The table, in api/routes.c. */
const struct api_route *api_routes(size_t *count);

/* ---- Input. Faults gather; call_check() turns them into one ERR_VALIDATION. ---- */

/* Parses the JSON body into call->body; an empty one is an empty object when it is optional. */
MUST_CHECK int call_body(struct api_call *call, bool is_optional, struct err *err);
/* For calls that take none: an empty body, or an object without members. */
MUST_CHECK int call_no_body(struct api_call *call, struct err *err);
/* Members other than these are faults. names ends with NULL. */
void call_only(struct api_call *call, const char *const *names);
void call_fault(struct api_call *call, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A string member: trimmed of white space at both ends, 1..max code points. Returns NULL and notes a fault when it is
 * wrong (null, too); NULL without a fault when it is absent and not required. label begins the messages. */
const char *call_text(struct api_call *call, const char *field, const char *label, bool is_required, size_t max_len);
/* As call_text, but one of the words (ends with NULL). */
const char *call_word(struct api_call *call, const char *field, const char *const *words, const char *fallback);
/* A query parameter as a number within [min, max]; the fallback when absent. */
int64_t call_query_int(struct api_call *call, const char *name, int64_t fallback, int64_t min, int64_t max);
/* A query parameter, NULL when absent or empty. */
const char *call_query(struct api_call *call, const char *name);
/* Query parameters other than these are faults. */
void call_query_only(struct api_call *call, const char *const *names);
/* ERR_VALIDATION when faults were noted. */
MUST_CHECK int call_check(struct api_call *call, struct err *err);
/* The id in a path parameter (TypeID or its UUID form) as a TypeID; ERR_NOT_FOUND "<What> not found" when it cannot be
 * one. */
MUST_CHECK int call_id(struct api_call *call, const char *param, const char *prefix, const char *what, const char **out,
                       struct err *err);
/* Loads the project of the path, on call->db, for the caller's account. */
MUST_CHECK int call_project(struct api_call *call, struct project **out, struct err *err);
MUST_CHECK int call_run(struct api_call *call, struct run **out, struct err *err);

/* ---- Output ---- */

/* Begins {"success": true, "data": — the caller writes one value — and ends it with reply_data_end. */
void reply_data(struct buf *out, struct jw *jw);
void reply_data_end(struct api_call *call, struct buf *out, struct jw *jw, int status);
/* As reply_data_end, with "pagination". */
void reply_page_end(struct api_call *call, struct buf *out, struct jw *jw, int64_t page, int64_t page_size,
                    int64_t total);
/* JSON without an envelope. */
void reply_json(struct api_call *call, struct buf *out, int status);
/* The error envelope. call may be NULL. */
void reply_error(struct http_reply *reply, const struct api_call *call, const struct err *err, int status);

#endif
