/* oid_map: object ids to pointers; used as a set, too. */
#ifndef GIT_OID_MAP_H
#define GIT_OID_MAP_H

#include <git2/oid.h>
#include <stdbool.h>
#include <stddef.h>

struct oid_slot {
    git_oid id;
    void *value;
    bool is_used;
};
/* Zeroed is empty and valid. Walk over slots[0..capacity) and leave out those that are not is_used. */
struct oid_map {
    struct oid_slot *slots;
    size_t capacity; /* 0 or a power of two */
    size_t count;
};

/* False, and nothing changed, if id is there already. */
bool oid_map_add(struct oid_map *map, const git_oid *id, void *value);
bool oid_map_has(const struct oid_map *map, const git_oid *id);
void *oid_map_get(const struct oid_map *map, const git_oid *id); /* NULL if absent */
void oid_map_release(struct oid_map *map);                       /* not the values; leaves it empty */

#endif
