/* secrets: rows of secret: what an account, or one of its projects, gave us to use on its behalf. Only sealed text goes
 * into the database (base/vault.h), and it opens for that account, project and name alone. */
#ifndef STORE_SECRETS_H
#define STORE_SECRETS_H

#include "base/vault.h"
#include "store/db.h"

struct secret_row {
    const char *name;
    const char *project_id; /* NULL: of the account as a whole */
    int64_t created_ms, updated_ms;
};

/* Makes it, or puts text in the place of what was there. */
MUST_CHECK int store_secret_put(struct db *db, const struct vault_key *key, const char *account_id,
                                const char *project_id, const char *name, const char *text, int64_t now_ms,
                                struct err *err);
/* *text NULL when there is none. ERR_FORBIDDEN when it was not sealed under this key for this place. */
MUST_CHECK int store_secret_get(struct db *db, struct arena *arena, const struct vault_key *key, const char *account_id,
                                const char *project_id, const char *name, const char **text, struct err *err);
/* The account's own (project_id NULL) or the project's, by name; without what they hold. */
MUST_CHECK int store_secret_list(struct db *db, struct arena *arena, const char *account_id, const char *project_id,
                                 struct secret_row **rows, size_t *count, struct err *err);
/* *deleted false when there was none. */
MUST_CHECK int store_secret_delete(struct db *db, const char *account_id, const char *project_id, const char *name,
                                   bool *deleted, struct err *err);

#endif
