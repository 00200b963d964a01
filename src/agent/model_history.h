/* model_history: the conversation with a model, kept within the room that the model has for it. */
#ifndef AGENT_MODEL_HISTORY_H
#define AGENT_MODEL_HISTORY_H

#include "base/arena.h"
#include "base/err.h"
#include "llm/llm.h"

struct turn {
    enum llm_role role;
    struct llm_part *parts;
    size_t part_count;
};

struct history {
    struct arena *arena;
    struct turn *turns;
    size_t count, capacity;
};

void history_init(struct history *history, struct arena *arena);
/* Copies the parts. A turn without a part that can be sent gets a text that stands for nothing. */
void history_add(struct history *history, enum llm_role role, const struct llm_part *parts, size_t count);
/* As a request takes them. */
const struct llm_message *history_messages(const struct history *history, struct arena *arena);

/* How much it is, in bytes; what may differ from one machine to the next counts as HISTORY_VOLATILE_BYTES, so that the
 * same is dropped everywhere. */
enum { HISTORY_VOLATILE_BYTES = 16 * 1024 };
size_t history_bytes(const struct history *history);
enum { HISTORY_KEPT_TURNS = 6, HISTORY_LEAST_TURNS = 2 };
/* When it is more than max_bytes: drops what tools said, from the oldest on, then what they were given to write; never
 * of the first turn or the last HISTORY_KEPT_TURNS, unless it must: then of all but HISTORY_LEAST_TURNS. Calls and
 * results stay in pairs, and what the model thought stays with them. It drops more than it must, where it may, since
 * every change in the past costs the model's cache. *dropped: how many parts were emptied. ERR_TOO_LARGE when it is
 * still too much. */
MUST_CHECK int history_fit(struct history *history, size_t max_bytes, size_t *dropped, struct err *err);

#endif
