/* call: one request in the hands of a handler: who asks, what with, and how to answer. */
#ifndef API_CALL_H
#define API_CALL_H

#include <stdatomic.h>

#include "api/api.h"
#include "api/route.h"
#include "base/json.h"
#include "http/http.h"
#include "model/account.h"
#include "store/db.h"

struct fault {
    const char *field, *message;
};

/* Writes the value of `data`. On whichever thread: it must read nothing but arg. */
typedef void answer_fn(struct jw *jw, struct api_call *call, void *arg);

/* What was answered: a success, as JSON. */
struct answer {
    int status;
    const char *text; /* NULL: nothing yet */
    size_t len;
};

struct api_call {
    struct api *api;
    struct engine *engine;
    struct http_request *request;
    struct http_reply *reply;
    struct arena *arena;
    struct db *db; /* this thread's read connection */
    const struct api_route *route;
    const struct identity *identity; /* who asks; NULL for ROLE_ANYONE */
    const char *account_id;          /* NULL for ROLE_ANYONE */
    const char *role;                /* "member", "admin"; "" for ROLE_ANYONE */
    json_t *body;                    /* an object, checked by the route's fields */
    bool is_resumed;                 /* the effect is there already, and was not answered yet (replay.h) */
    struct {
        int status;
        answer_fn *write; /* NULL: nothing is promised */
        void *arg;
    } promise;
    struct answer answer;
    json_t *details; /* further members for the details of an error; see call_detail */
    struct fault faults[16];
    size_t fault_count;
};

struct reference;
struct metrics;

struct limits;
struct usage;
struct replays;

struct api {
    struct engine *engine;
    struct limits *limits;   /* requests a minute; NULL: switched off */
    struct limits *attempts; /* at passwords */
    struct usage *usage;
    atomic_int git_under_way; /* requests that git works on; clone.c */
    struct replays *replays;
    bool is_registration_off, is_behind_proxy;
    struct http_server *server;
    struct http_route *routes;
    struct reference *reference;
    struct metrics *metrics;
    int64_t started_ms, started_mono_ms;
};

/* The table, in api/routes/. */
const struct api_route *api_routes(size_t *count);

/* ---- Input: checked by the row's fields before the handler runs (input.h). ---- */

/* A member of the body: NULL (the fallback, false) when it was not given, or null was. A text has the field's fallback
 * when there is one. */
const char *call_text(const struct api_call *call, const char *name);
int64_t call_int(const struct api_call *call, const char *name, int64_t fallback);
bool call_flag(const struct api_call *call, const char *name, bool fallback);
int64_t call_time(const struct api_call *call, const char *name); /* milliseconds since 1970; 0 when not given */
json_t *call_json(const struct api_call *call, const char *name); /* borrowed */
bool call_has(const struct api_call *call, const char *name);     /* null counts */

/* A query parameter; NULL when absent or empty. Numbers and flags have the field's fallback. */
const char *call_query(const struct api_call *call, const char *name);
int64_t call_query_int(const struct api_call *call, const char *name);
bool call_query_flag(const struct api_call *call, const char *name);

/* Faults that no field can say. They gather; call_check() turns them into one ERR_VALIDATION. */
void call_fault(struct api_call *call, const char *field, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A member of error.details, beside what is always there. Takes over value. */
void call_detail(struct api_call *call, const char *name, json_t *value);
/* ERR_VALIDATION when faults were noted. */
MUST_CHECK int call_check(struct api_call *call, struct err *err);
/* The id in a path parameter (TypeID or its UUID form) as a TypeID; ERR_NOT_FOUND "<What> not found" when it cannot be
 * one. */
MUST_CHECK int call_id(struct api_call *call, const char *param, const char *prefix, const char *what, const char **out,
                       struct err *err);
/* Loads the project of the path, on call->db, for the caller's account. */
MUST_CHECK int call_project(struct api_call *call, struct project **out, struct err *err);
MUST_CHECK int call_run(struct api_call *call, struct run **out, struct err *err);
MUST_CHECK int call_task(struct api_call *call, struct task **out, struct err *err);
/* The run named in the body (runId), as an id; NULL when none is named. A malformed id is an id that names no run. */
MUST_CHECK int call_named_run(struct api_call *call, const char **out, struct err *err);

/* ---- Output ---- */

/* Begins {"success": true, "data": — the caller writes one value — and ends it with reply_data_end. */
void reply_data(struct buf *out, struct jw *jw);
void reply_data_end(struct api_call *call, struct buf *out, struct jw *jw, int status);
/* The answer to come, said before the engine or the store is asked to make what it tells of: with it, it is stored for
 * repeats of the request in the very transaction (replay.h). write then sees the thing that arg leads to as it is
 * written, and may run twice. */
void reply_promise(struct api_call *call, int status, answer_fn *write, void *arg);
/* Answers as promised. Returns 0. */
int reply_promised(struct api_call *call);
/* Makes the promised answer, in the transaction; false when none is promised. For replay.c. */
bool reply_promised_early(struct api_call *call);
/* JSON without an envelope. */
void reply_json(struct api_call *call, struct buf *out, int status);
/* The member "details" of an error, into an open object. call may be NULL. */
void put_details(struct jw *jw, const struct api_call *call, const struct err *err);
/* The error envelope. call may be NULL. */
void reply_error(struct http_reply *reply, const struct api_call *call, const struct err *err, int status);

#endif
