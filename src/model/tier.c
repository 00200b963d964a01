/* tier: the table of tiers. */
#include "model/tier.h"

#include "base/mem.h"
#include "base/str.h"

static const struct tier tiers[] = {
    {.name = "free", .requests_per_minute = 60, .concurrent_builds = 1},
    {.name = "pro", .requests_per_minute = 300, .concurrent_builds = 5},
    {.name = "enterprise", .requests_per_minute = 1000, .concurrent_builds = TIER_UNLIMITED},
};

const struct tier *tier_find(const char *name) {
    for (size_t i = 0; i < ARRAY_LEN(tiers); i++)
        if (str_eq(tiers[i].name, name))
            return &tiers[i];
    return NULL;
}

const struct tier *tier_of(const char *name) {
    const struct tier *tier = tier_find(name);
    return tier ? tier : &tiers[0];
}

const struct tier *tier_all(size_t *count) {
    *count = ARRAY_LEN(tiers);
    return tiers;
}
