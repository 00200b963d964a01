/* tier: what an account may use, one row for each tier there is. */
#ifndef MODEL_TIER_H
#define MODEL_TIER_H

#include <stddef.h>
#include <stdint.h>

#define TIER_UNLIMITED INT64_MAX

struct tier {
    const char *name;            /* "free", "pro", "enterprise" */
    int64_t requests_per_minute; /* for all keys and sessions of the account together */
    int64_t concurrent_builds;   /* runs that are under way at once, or TIER_UNLIMITED */
};

/* NULL when there is no tier of this name. */
const struct tier *tier_find(const char *name);
/* As tier_find, but the least of them for a name that is not known: what is stored may be of a newer binary. */
const struct tier *tier_of(const char *name);
/* All of them, from the least; for messages and for the reference. */
const struct tier *tier_all(size_t *count);

#endif
