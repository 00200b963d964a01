/* assets_packed: the compiled-in data, written by scripts/pack-blueprints. Private to assets.c. */
#ifndef BLUEPRINT_ASSETS_PACKED_H
#define BLUEPRINT_ASSETS_PACKED_H

#include <stddef.h>

struct asset {
    const char *path; /* "features/boards.json" */
    const char *data; /* NUL-terminated beyond len */
    size_t len;
};

/* Sorted by path (strcmp). */
extern const struct asset assets_packed[];
extern const size_t assets_packed_count;

#endif
