/* oid_map: object ids to pointers, by open addressing: an id is a hash already. */
#include "git/oid_map.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { FIRST_CAPACITY = 64 };

/* The slot that id is in, or the free one where it would go. The table is never full. */
static struct oid_slot *slot_of(const struct oid_map *map, const git_oid *id) {
    size_t at;
    memcpy(&at, id->id, sizeof(at));
    for (;; at++) {
        struct oid_slot *slot = &map->slots[at & (map->capacity - 1)];
        if (!slot->is_used || git_oid_equal(&slot->id, id))
            return slot;
    }
}

static void grow(struct oid_map *map) {
    struct oid_map bigger = {.capacity = map->capacity ? map->capacity * 2 : FIRST_CAPACITY, .count = map->count};
    bigger.slots = mem_alloc(bigger.capacity * sizeof(*bigger.slots));
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].is_used)
            *slot_of(&bigger, &map->slots[i].id) = map->slots[i];
    free(map->slots);
    *map = bigger;
}

bool oid_map_add(struct oid_map *map, const git_oid *id, void *value) {
    if (map->count * 2 >= map->capacity)
        grow(map);
    struct oid_slot *slot = slot_of(map, id);
    if (slot->is_used)
        return false;
    *slot = (struct oid_slot){.id = *id, .value = value, .is_used = true};
    map->count++;
    return true;
}

bool oid_map_has(const struct oid_map *map, const git_oid *id) {
    return map->capacity && slot_of(map, id)->is_used;
}

void *oid_map_get(const struct oid_map *map, const git_oid *id) {
    return map->capacity ? slot_of(map, id)->value : NULL;
}

void oid_map_release(struct oid_map *map) {
    free(map->slots);
    *map = (struct oid_map){0};
}
