/* err: filling in errors, and the table from a code to its names. */
#include "base/err.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

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
    size_t len = str_head_len(text, out_size - 1);
    memmove(out, text, len);
    out[len] = '\0';
}

static void append(char *out, size_t out_size, const char *text) {
    size_t len = strlen(out);
    copy_cut(out + len, out_size - len, text);
}

/* vsnprintf, but what does not fit is cut at the end of a character. */
__attribute__((format(printf, 3, 0))) static void print_cut(char *out, size_t out_size, const char *format,
                                                            va_list args) {
    int len = vsnprintf(out, out_size, format, args);
    if (len < 0 || (size_t)len < out_size)
        return;
    /* out has only the first byte or bytes of the character it was cut in. */
    size_t end = out_size - 1, start = end;
    while (start > 0 && end - start < 3 && ((unsigned char)out[start - 1] & 0xc0) == 0x80)
        start--;
    if (start > 0 && (unsigned char)out[start - 1] >= 0xc0 && str_utf8_next(out + start - 1, end - start + 1) == 0)
        out[start - 1] = '\0';
}

/* Formats beside the error first, since an argument may point into the old message. */
__attribute__((format(printf, 4, 0))) static int set(struct err *err, enum err_code code, const char *field,
                                                     const char *format, va_list args) {
    char message[sizeof(err->message)];

    if (!err)
        return -(int)code;
    print_cut(message, sizeof(message), format, args);
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
    print_cut(message, sizeof(message), format, args);
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
