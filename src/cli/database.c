/* database: the server's database, for commands that work on it straight away. */
#include "cli/database.h"

#include "base/fs.h"

int database_open(const struct options *options, struct arena *arena, struct store **out, struct err *err) {
    const char *url = options->values[OPTION_DATABASE],
               *file = arena_printf(arena, "%s/prazium.db", options->values[OPTION_DATA]);
    /* Opening it would make it. */
    if (!url && !fs_exists(file))
        return err_set(err, ERR_NOT_FOUND, "there is no %s yet: start the server once", file);
    url = url ? url : arena_printf(arena, "sqlite:%s", file);
    return store_open(out, &(struct store_config){.url = url}, err);
}
