/* accounts: what sessions and the administration of accounts share. */
#ifndef API_ACCOUNTS_H
#define API_ACCOUNTS_H

#include "api/call.h"

void present_user(struct jw *jw, const struct user *user);
/* The address in lower case; a fault when it is none. NULL gives NULL. */
const char *checked_email(struct api_call *call, const char *text);
/* A key of the account, not stored yet. *text is the key itself, in the arena. */
struct api_key new_key(struct api_call *call, const char *account_id, const char *name, const char *role,
                       const char **text);
/* With the key itself when text is not NULL. */
void present_key(struct jw *jw, const struct api_key *key, const char *text);

#endif
