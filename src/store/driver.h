/* driver: the drivers there are, and opening a connection by its URL. For the store's own files. */
#ifndef STORE_DRIVER_H
#define STORE_DRIVER_H

#include "store/db.h"

extern const struct db_driver sqlite_driver;

/* Opens "sqlite:PATH" by the driver its scheme names. A writing connection creates the file; a reading one needs it. */
MUST_CHECK int db_open(struct db **out, const char *url, bool is_read_only, struct err *err);
void db_close(struct db *db); /* NULL is fine */

#endif
