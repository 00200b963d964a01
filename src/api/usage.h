/* usage: when API keys were last used, noted beside the requests. */
#ifndef API_USAGE_H
#define API_USAGE_H

#include <stdint.h>

#include "base/err.h"
#include "store/store.h"

struct usage;

/* Starts the thread that writes. */
MUST_CHECK int usage_create(struct usage **out, struct store *store, struct err *err);
void usage_destroy(struct usage *usage); /* writes what is noted; accepts NULL */
/* The key is in use, and the database knows of last_used_ms. Costs nothing when that is less than a minute ago. */
void usage_note(struct usage *usage, const char *key_id, int64_t last_used_ms);

#endif
