/* task_words: what an event tells of a task, in words, for its log. */
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "engine/task_log.h"

#define PATHS_MAX 50 /* named of a conflict or violation */

static const char *with_reason(struct arena *arena, const char *what, const json_t *payload) {
    const char *why = json_str(payload, "error", NULL);
    return why ? arena_printf(arena, "%s: %s", what, why) : what;
}

static const char *began(struct arena *arena, const struct task *task) {
    return arena_printf(arena, "attempt %lld began on %s", (long long)task->attempts, task->base_sha);
}

static const char *began_again(struct arena *arena, const struct task *task, const json_t *payload) {
    return with_reason(arena,
                       arena_printf(arena, "%s, since %s", began(arena, task), json_str(payload, "reason", "it must")),
                       payload);
}

static const char *paths(struct arena *arena, const json_t *payload) {
    const json_t *list = json_object_get(payload, "paths");
    size_t count = json_array_size(list);
    const char *text = "";
    for (size_t i = 0; i < count && i < PATHS_MAX; i++)
        text =
            arena_printf(arena, "%s%s%s", text, i ? ", " : "", str_or(json_string_value(json_array_get(list, i)), ""));
    return count > PATHS_MAX ? arena_printf(arena, "%s and %zu more", text, count - PATHS_MAX) : text;
}

static const char *file(struct arena *arena, const char *what, const json_t *payload) {
    return arena_printf(arena, "%s %s, %lld bytes", what, json_str(payload, "path", ""),
                        (long long)json_int(payload, "size", 0));
}

static const char *command_ended(struct arena *arena, const json_t *payload) {
    const char *output = json_str(payload, "output", "");
    return arena_printf(arena, "exit code %lld after %lld ms: %s%s%s", (long long)json_int(payload, "exitCode", -1),
                        (long long)json_int(payload, "durationMs", 0), json_str(payload, "command", ""),
                        output[0] ? "\n" : "", output);
}

static const char *used(struct arena *arena, const json_t *payload) {
    const json_t *cost = json_object_get(payload, "costUsd");
    const char *text = arena_printf(arena, "%s of %s took %lld tokens and gave %lld", json_str(payload, "model", ""),
                                    json_str(payload, "provider", ""), (long long)json_int(payload, "inputTokens", 0),
                                    (long long)json_int(payload, "outputTokens", 0));
    return json_is_number(cost) ? arena_printf(arena, "%s for $%g", text, json_number_value(cost)) : text;
}

const char *task_event_words(struct arena *arena, const struct task *task, enum event_type type,
                             const char *payload_json) {
    json_t *payload = NULL;
    struct err err = {0};
    if (json_parse(arena, payload_json, strlen(payload_json), &payload, &err) < 0)
        return NULL;
    switch (type) {
    case EVENT_TASK_STARTED:
        return task->attempts > 0 ? began(arena, task) : NULL;
    case EVENT_TASK_RETRIED:
        if (task->state == TASK_PENDING)
            return arena_printf(arena, "to be tried again: %s", json_str(payload, "reason", ""));
        return began_again(arena, task, payload);
    case EVENT_FILE_CREATED:
        return file(arena, "created", payload);
    case EVENT_FILE_MODIFIED:
        return file(arena, "changed", payload);
    case EVENT_FILE_DELETED:
        return arena_printf(arena, "deleted %s", json_str(payload, "path", ""));
    case EVENT_TASK_OUTPUT:
        return arena_printf(arena, "agent: %s", json_str(payload, "text", ""));
    case EVENT_SCOPE_VIOLATION:
        return arena_printf(arena, "changed outside its pathScope: %s", paths(arena, payload));
    case EVENT_MERGE_COMPLETED:
        return arena_printf(arena, "merged as %s", json_str(payload, "mergeSha", ""));
    case EVENT_MERGE_CONFLICT:
        return arena_printf(arena, "not merged: conflicts in %s", paths(arena, payload));
    case EVENT_TASK_COMPLETED:
        return with_reason(arena, json_str(payload, "status", ""), payload);
    case EVENT_MESSAGE:
        return arena_printf(arena, "%s: %s", json_str(payload, "role", "agent"), json_str(payload, "text", ""));
    case EVENT_COMMAND_STARTED:
        return arena_printf(arena, "$ %s", json_str(payload, "command", ""));
    case EVENT_COMMAND_COMPLETED:
        return command_ended(arena, payload);
    case EVENT_USAGE:
        return used(arena, payload);
    case EVENT_RUN_WAITING:
    case EVENT_RUN_RESUMED:
    case EVENT_RUN_STARTED:
    case EVENT_RUN_DECOMPOSED:
    case EVENT_VERIFICATION_STARTED:
    case EVENT_CHECK_COMPLETED:
    case EVENT_VERIFICATION_COMPLETED:
    case EVENT_RUN_COMPLETED:
        break;
    }
    return NULL;
}
