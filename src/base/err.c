/* err: filling in errors, and the table from a code to its names. */
#include "base/err.h"

#include <stdio.h>
#include <string.h>

struct code_row {
    const char *name;
    int http_status;
    int exit_code;
};

static const struct code_row code_rows[] = {[ERR_NONE] = {"INTERNAL_ERROR", 500, 1},
#define X(code, name, http, exit) [code] = {name, http, exit},
                                            ERR_LIST(X)
#undef X
};

static const struct code_row *row_of(enum err_code code) {
    size_t index = (size_t)code;
    if (index >= sizeof(code_rows) / sizeof(code_rows[0]))
        index = ERR_NONE;
    return &code_rows[index];
}

static void copy_cut(char *out, size_t out_size, const char *text) {
    size_t len = strnlen(text, out_size - 1);
    memmove(out, text, len);
    out[len] = '\0';
}

static void append(char *out, size_t out_size, const char *text) {
    size_t len = strlen(out);
    copy_cut(out + len, out_size - len, text);
}

/* Formats beside the error first, since an argument may point into the old message. */
__attribute__((format(printf, 4, 0))) static int set(struct err *err, enum err_code code, const char *field,
                                                     const char *format, va_list args) {
    char message[sizeof(err->message)];

    if (!err)
        return -(int)code;
    (void)vsnprintf(message, sizeof(message), format, args);
    err->code = code;
    copy_cut(err->field, sizeof(err->field), field ? field : "");
    memcpy(err->message, message, sizeof(message));
    return -(int)code;
}

int err_set(struct err *err, enum err_code code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int result = set(err, code, NULL, format, args);
    va_end(args);
    return result;
}

int err_field(struct err *err, enum err_code code, const char *field, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int result = set(err, code, field, format, args);
    va_end(args);
    return result;
}

int err_errno(struct err *err, enum err_code code, int errnum, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int result = set(err, code, NULL, format, args);
    va_end(args);
    if (err) {
        char text[128];
        /* The GNU strerror_r, which may leave text alone and return a constant. */
        const char *reason = strerror_r(errnum, text, sizeof(text));
        append(err->message, sizeof(err->message), ": ");
        append(err->message, sizeof(err->message), reason);
    }
    return result;
}

int err_wrap(struct err *err, const char *format, ...) {
    char message[sizeof(err->message)];
    va_list args;

    if (!err)
        return -(int)ERR_INTERNAL;
    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    append(message, sizeof(message), ": ");
    append(message, sizeof(message), err->message);
    memcpy(err->message, message, sizeof(message));
    /* Wrapping an error nobody set must still read as a failure. */
    if (err->code == ERR_NONE)
        err->code = ERR_INTERNAL;
    return -(int)err->code;
}

const char *err_name(enum err_code code) {
    return row_of(code)->name;
}

int err_http_status(enum err_code code) {
    return row_of(code)->http_status;
}

int err_exit_code(enum err_code code) {
    return row_of(code)->exit_code;
}
