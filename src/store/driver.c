/* driver: the drivers there are, and opening a connection by its URL. */
#include "store/driver.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static const struct {
    const char *scheme;
    const struct db_driver *driver;
} schemes[] = {
    {"sqlite:", &sqlite_driver},
};

int db_open(struct db **out, const char *url, bool is_read_only, struct err *err) {
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (str_starts(url, schemes[i].scheme))
            return schemes[i].driver->open(out, url + strlen(schemes[i].scheme), is_read_only, err);
    /* Not the URL itself: it may hold a password. */
    return err_set(err, ERR_VALIDATION, "database URL has a scheme that is not known: use sqlite:PATH");
}

void db_close(struct db *db) {
    if (db)
        db->driver->close(db);
}
