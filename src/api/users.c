/* users: what an answer tells of a user, and their addresses. */
#include "api/users.h"

#include <ctype.h>
#include <string.h>

#include "base/str.h"

void present_user(struct jw *jw, const struct user *user) {
    jw_object(jw);
    jw_kstr(jw, "id", user->id);
    jw_kstr(jw, "email", user->email);
    jw_kstr(jw, "name", user->name);
    jw_kstr(jw, "role", user->role);
    jw_ktime(jw, "createdAt", user->created_ms);
    jw_object_end(jw);
}

const char *checked_email(struct api_call *call, const char *text) {
    const char *at = text ? strchr(text, '@') : NULL;
    if (!text)
        return NULL;
    bool is_good =
        at && at != text && strchr(at + 1, '.') && !strchr(at + 1, '@') && at[1] != '.' && !str_ends(text, ".");
    for (const char *c = text; *c; c++)
        is_good = is_good && !isspace((unsigned char)*c) && (unsigned char)*c > ' ' && *c != 0x7f;
    if (!is_good)
        call_fault(call, "email", "email must be an e-mail address");
    return str_lower(call->arena, text);
}
