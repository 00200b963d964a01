/* packed: the schemas of the answers and the reference page, compiled in by scripts/pack-reference. */
#ifndef API_PACKED_H
#define API_PACKED_H

#include <stddef.h>

struct packed_file {
    const char *name; /* "schemas/projects.json", "reference/index.html" */
    const char *data;
    size_t len;
};

/* Ends with one without a name. */
extern const struct packed_file packed_files[];

#endif
