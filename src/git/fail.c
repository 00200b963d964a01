/* fail: errors of libgit2 as ours. */
#include <stdarg.h>
#include <stdio.h>

#include "git/internal.h"

int git_fail(struct err *err, enum err_code code, const char *format, ...) {
    const git_error *last = git_error_last();
    char text[sizeof(err->message)];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return err_set(err, code, "%s: %s", text, last && last->message ? last->message : "unknown reason");
}
