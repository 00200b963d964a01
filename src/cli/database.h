/* database: the server's database, for commands that work on it straight away: a server may be running meanwhile. */
#ifndef CLI_DATABASE_H
#define CLI_DATABASE_H

#include "cli/options.h"
#include "store/store.h"

/* The one that --database or --data names, which must be there: ERR_NOT_FOUND. The caller closes it. */
MUST_CHECK int database_open(const struct options *options, struct arena *arena, struct store **out, struct err *err);

#endif
