/* model_stuck: notices a model that goes in circles. */
#include "agent/model_stuck.h"

#include <stdlib.h>

/* FNV-1a: whoever meant to collide would only be called stuck. */
static uint64_t hash(uint64_t from, const char *text) {
    for (; *text; text++)
        from = (from ^ (unsigned char)*text) * 0x100000001b3;
    return from;
}

static uint64_t hash_call(const char *name, const json_t *arguments) {
    char *text = json_dumps(arguments, JSON_COMPACT | JSON_SORT_KEYS);
    uint64_t value = hash(hash(hash(0xcbf29ce484222325, name), "\n"), text ? text : "");
    free(text);
    return value;
}

static bool is_seen(const struct stuck *stuck, uint64_t call) {
    for (size_t i = 0; i < stuck->seen_count; i++)
        if (stuck->seen[i] == call)
            return true;
    return false;
}

void stuck_note_call(struct stuck *stuck, const char *name, const json_t *arguments, bool is_fault) {
    uint64_t call = hash_call(name, arguments);
    stuck->repeats = call == stuck->last ? stuck->repeats + 1 : 1;
    stuck->last = call;
    stuck->faults = is_fault ? stuck->faults + 1 : 0;
    if (is_fault || is_seen(stuck, call))
        return;
    stuck->is_new = true;
    if (stuck->seen_count < STUCK_SEEN_MAX)
        stuck->seen[stuck->seen_count++] = call;
}

void stuck_note_change(struct stuck *stuck) {
    stuck->seen_count = 0;
    stuck->is_new = true;
    stuck->is_warned = false;
}

enum stuck_verdict stuck_end_step(struct stuck *stuck, const char **why) {
    stuck->idle_steps = stuck->is_new ? 0 : stuck->idle_steps + 1;
    stuck->is_new = false;
    if (stuck->faults >= STUCK_FAULTS) {
        *why = "one call after another that no tool can take";
        return STUCK_FAIL;
    }
    if (stuck->repeats >= STUCK_REPEATS)
        *why = "the same call, again and again";
    else if (stuck->idle_steps >= STUCK_IDLE_STEPS)
        *why = "no file changed, and nothing new looked at, for many answers";
    else
        return STUCK_NOT;
    stuck->repeats = 0;
    stuck->idle_steps = 0;
    if (stuck->is_warned)
        return STUCK_FAIL;
    stuck->is_warned = true;
    return STUCK_WARN;
}
