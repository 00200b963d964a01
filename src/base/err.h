/* err: an error code with a message, on the caller's stack, passed as the last argument. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

/* One list gives the enum, the name in API answers, the HTTP status and the exit code of the CLI. */
#define ERR_LIST(X)                                                                                                    \
    X(ERR_VALIDATION, "VALIDATION_ERROR", 400, 2)                                                                      \
    X(ERR_UNAUTHORIZED, "UNAUTHORIZED", 401, 3)                                                                        \
    X(ERR_FORBIDDEN, "FORBIDDEN", 403, 3)                                                                              \
    X(ERR_NOT_FOUND, "NOT_FOUND", 404, 4)                                                                              \
    X(ERR_METHOD, "METHOD_NOT_ALLOWED", 405, 2)                                                                        \
    X(ERR_CONFLICT, "CONFLICT", 409, 5)                                                                                \
    X(ERR_TOO_LARGE, "PAYLOAD_TOO_LARGE", 413, 2)                                                                      \
    X(ERR_MEDIA, "UNSUPPORTED_MEDIA_TYPE", 415, 2)                                                                     \
    X(ERR_RANGE, "VALIDATION_ERROR", 416, 2)                                                                           \
    X(ERR_RATE, "RATE_LIMITED", 429, 6)                                                                                \
    X(ERR_HEADERS, "VALIDATION_ERROR", 431, 2)                                                                         \
    X(ERR_INTERNAL, "INTERNAL_ERROR", 500, 1)                                                                          \
    X(ERR_UNAVAILABLE, "UNAVAILABLE", 503, 7)                                                                          \
    X(ERR_QUOTA, "UNAVAILABLE", 503, 7)        /* what a model's provider allows is used up */                         \
    X(ERR_TIMEOUT, "INTERNAL_ERROR", 500, 8)   /* a deadline passed */                                                 \
    X(ERR_CANCELLED, "INTERNAL_ERROR", 500, 9) /* asked to stop */                                                     \
    X(ERR_STALE, "INTERNAL_ERROR", 500, 1)     /* a lease was lost to another */                                       \
    X(ERR_BUDGET, "CONFLICT", 409, 5)          /* a limit of spending has no room */

enum err_code {
    ERR_NONE = 0,
#define X(code, name, http, exit) code,
    ERR_LIST(X)
#undef X
};

#define MUST_CHECK __attribute__((warn_unused_result))

struct err {
    enum err_code code;
    char field[64]; /* the input field at fault, or empty */
    char message[512];
};

/* Sets code and message; returns -code, so that `return err_set(err, …)` reads well. err may be NULL. */
int err_set(struct err *err, enum err_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* As err_set, naming the input field at fault. */
int err_field(struct err *err, enum err_code code, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* As err_set, with ": " and strerror(errnum) appended. */
int err_errno(struct err *err, enum err_code code, int errnum, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Puts "context: " before the message that is there; keeps code and field. Returns -err->code. */
int err_wrap(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

const char *err_name(enum err_code code); /* as in API answers; never NULL */
int err_http_status(enum err_code code);  /* 400..503 */
int err_exit_code(enum err_code code);    /* 1..9 */

#endif
