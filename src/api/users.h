/* users: what an answer tells of a user, and their addresses. */
#ifndef API_USERS_H
#define API_USERS_H

#include "api/call.h"

void present_user(struct jw *jw, const struct user *user);
/* The address in lower case; a fault when it is none. NULL gives NULL. */
const char *checked_email(struct api_call *call, const char *text);

#endif
