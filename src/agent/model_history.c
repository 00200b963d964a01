/* model_history: the conversation with a model, kept within the room that the model has for it. */
#include "agent/model_history.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define NOTHING "…"
#define DROPPED_RESULT "[dropped, to make room: call again what you need]"
#define DROPPED_TEXT "[dropped, to make room]"

enum { SMALL_BYTES = 200, PART_BYTES = 100 /* what a part is beside its text */ };

void history_init(struct history *history, struct arena *arena) {
    *history = (struct history){.arena = arena};
}

static struct llm_part copy_part(struct arena *arena, const struct llm_part *part) {
    struct llm_part copy = *part;
    copy.text = arena_strdup(arena, part->text);
    copy.id = arena_strdup(arena, part->id);
    copy.name = arena_strdup(arena, part->name);
    copy.arguments = part->arguments ? json_own(arena, json_incref(part->arguments)) : NULL;
    copy.opaque = part->opaque ? json_own(arena, json_incref(part->opaque)) : NULL;
    return copy;
}

static bool is_sent(const struct llm_part *part) {
    return part->kind == LLM_TOOL_CALL || part->kind == LLM_TOOL_RESULT || (part->kind == LLM_TEXT && part->text[0]);
}

void history_add(struct history *history, enum llm_role role, const struct llm_part *parts, size_t count) {
    if (history->count == history->capacity) {
        struct turn *turns = arena_array(history->arena, history->capacity * 2 + 16, sizeof(*turns));
        if (history->count)
            memcpy(turns, history->turns, history->count * sizeof(*turns));
        history->turns = turns;
        history->capacity = history->capacity * 2 + 16;
    }
    struct turn *turn = &history->turns[history->count++];
    bool has_some = false;
    *turn = (struct turn){.role = role, .parts = arena_array(history->arena, count + 1, sizeof(*turn->parts))};
    for (; turn->part_count < count; turn->part_count++) {
        turn->parts[turn->part_count] = copy_part(history->arena, &parts[turn->part_count]);
        has_some = has_some || is_sent(&parts[turn->part_count]);
    }
    if (!has_some)
        turn->parts[turn->part_count++] = (struct llm_part){.kind = LLM_TEXT, .text = NOTHING};
}

const struct llm_message *history_messages(const struct history *history, struct arena *arena) {
    struct llm_message *messages = arena_array(arena, history->count, sizeof(*messages));
    for (size_t i = 0; i < history->count; i++)
        messages[i] =
            (struct llm_message){history->turns[i].role, history->turns[i].parts, history->turns[i].part_count};
    return messages;
}

static size_t part_bytes(const struct llm_part *part) {
    size_t bytes = PART_BYTES;
    if (part->is_volatile)
        bytes += HISTORY_VOLATILE_BYTES;
    else if (part->text)
        bytes += strlen(part->text);
    if (part->arguments)
        bytes += json_dumpb(part->arguments, NULL, 0, JSON_COMPACT);
    if (part->opaque)
        bytes += json_dumpb(part->opaque, NULL, 0, JSON_COMPACT);
    return bytes;
}

size_t history_bytes(const struct history *history) {
    size_t bytes = 0;
    for (size_t i = 0; i < history->count; i++)
        for (size_t p = 0; p < history->turns[i].part_count; p++)
            bytes += part_bytes(&history->turns[i].parts[p]);
    return bytes;
}

/* ---- dropping. Each answers whether it could. */

static bool drop_result(struct arena *arena, struct llm_part *part) {
    (void)arena;
    if (part->kind != LLM_TOOL_RESULT || (!part->is_volatile && strlen(part->text) <= SMALL_BYTES))
        return false;
    part->text = DROPPED_RESULT;
    part->is_volatile = false;
    return true;
}

static bool drop_arguments(struct arena *arena, struct llm_part *part) {
    const char *name;
    json_t *value;
    bool is_any = false;
    if (part->kind != LLM_TOOL_CALL)
        return false;
    json_t *less = json_own(arena, json_copy(part->arguments));
    json_object_foreach (part->arguments, name, value) {
        if (!json_is_string(value) || json_string_length(value) <= SMALL_BYTES)
            continue;
        (void)json_object_set_new(less, name, json_string(DROPPED_TEXT));
        is_any = true;
    }
    if (is_any)
        part->arguments = less;
    return is_any;
}

static void drop(struct history *history, size_t kept_turns, size_t goal_bytes,
                 bool (*fn)(struct arena *, struct llm_part *), size_t *dropped) {
    size_t bytes = history_bytes(history);
    for (size_t i = 1; i + kept_turns < history->count; i++) {
        for (size_t p = 0; p < history->turns[i].part_count && bytes > goal_bytes; p++) {
            struct llm_part *part = &history->turns[i].parts[p];
            size_t before = part_bytes(part);
            if (!fn(history->arena, part))
                continue;
            bytes -= before - part_bytes(part);
            (*dropped)++;
        }
    }
}

int history_fit(struct history *history, size_t max_bytes, size_t *dropped, struct err *err) {
    static const size_t kept_turns[] = {HISTORY_KEPT_TURNS, HISTORY_LEAST_TURNS};
    *dropped = 0;
    for (size_t i = 0; i < ARRAY_LEN(kept_turns) && history_bytes(history) > max_bytes; i++) {
        size_t goal_bytes = i == 0 ? max_bytes / 10 * 6 : max_bytes;
        drop(history, kept_turns[i], goal_bytes, drop_result, dropped);
        drop(history, kept_turns[i], goal_bytes, drop_arguments, dropped);
    }
    if (history_bytes(history) <= max_bytes)
        return 0;
    return err_set(err, ERR_TOO_LARGE,
                   "the conversation with the model is larger than it can take: %zu bytes, with room for %zu",
                   history_bytes(history), max_bytes);
}
