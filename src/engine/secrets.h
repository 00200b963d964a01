/* secrets: what accounts and projects gave us to use for them, under the server's master key. */
#ifndef ENGINE_SECRETS_H
#define ENGINE_SECRETS_H

#include "engine/engine.h"

/* project_id NULL: the account's own. The master key is the configuration's, or DATA/master.key, which is made at its
 * first use; ERR_FORBIDDEN when others can read that file, or when a secret was kept under another key. */
MUST_CHECK int engine_secret_put(struct engine *engine, const char *account_id, const char *project_id,
                                 const char *name, const char *text, struct err *err);
/* The project's, else the account's; *text NULL when neither has one. */
MUST_CHECK int engine_secret_find(struct engine *engine, const char *account_id, const char *project_id,
                                  const char *name, struct arena *arena, const char **text, struct err *err);
/* *deleted false when there was none. */
MUST_CHECK int engine_secret_delete(struct engine *engine, const char *account_id, const char *project_id,
                                    const char *name, bool *deleted, struct err *err);

/* In a transaction: it is this, or, with NULL, there is none. */
struct journal;
MUST_CHECK int secret_set(struct journal *journal, const char *account_id, const char *project_id, const char *name,
                          const char *text, struct err *err);

#endif
