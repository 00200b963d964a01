/* migrations: the steps from an empty database to the newest schema. For the store's own files. */
#ifndef STORE_MIGRATIONS_H
#define STORE_MIGRATIONS_H

#include "store/db.h"

/* Brings the database to the newest schema, each step in a transaction of its own. One that is newer than this binary
 * knows is left alone: ERR_UNAVAILABLE. Safe when several processes start at once. */
MUST_CHECK int migrations_run(struct db *db, struct err *err);
/* No further than to this schema; for tests of what comes after. */
MUST_CHECK int migrations_run_to(struct db *db, int version, struct err *err);
int migrations_newest(enum db_dialect dialect);

#endif
