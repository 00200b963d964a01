/* keys: what the makers of keys share. */
#ifndef API_KEYS_H
#define API_KEYS_H

#include "api/call.h"

/* A key of the account, not stored yet. *text is the key itself, in the arena. */
struct api_key new_key(struct api_call *call, const char *account_id, const char *name, const char *role,
                       const char **text);
/* With the key itself when text is not NULL. */
void present_key(struct jw *jw, const struct api_key *key, const char *text);

#endif
