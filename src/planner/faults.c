/* faults: what is wrong with what a model made. */
#include "planner/faults.h"

#include <stdarg.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define BRIEF_FAULTS 3

void faults_add(struct faults *faults, const char *place, const char *format, ...) {
    va_list args;
    if (faults->count++ >= FAULTS_MAX)
        return;
    va_start(args, format);
    const char *text = arena_vprintf(faults->arena, format, args);
    va_end(args);
    if (*place)
        text = arena_printf(faults->arena, "%s: %s", place, text);
    size_t len = str_head_len(text, FAULT_MAX_BYTES);
    faults->texts[faults->count - 1] = arena_printf(faults->arena, "%.*s%s", (int)len, text, text[len] ? "…" : "");
}

static size_t told(const struct faults *faults) {
    return faults->count < FAULTS_MAX ? faults->count : FAULTS_MAX;
}

const char *faults_list(const struct faults *faults) {
    CLEANUP(buf_release) struct buf out = {0};
    for (size_t i = 0; i < told(faults); i++)
        buf_printf(&out, "- %s\n", faults->texts[i]);
    if (faults->count > FAULTS_MAX)
        buf_printf(&out, "- and %zu more\n", faults->count - FAULTS_MAX);
    return arena_strndup(faults->arena, out.data ? out.data : "", out.len);
}

const char *faults_brief(const struct faults *faults) {
    const char *text = "";
    for (size_t i = 0; i < told(faults) && i < BRIEF_FAULTS; i++)
        text = arena_printf(faults->arena, "%s%s%s", text, i ? "; " : "", faults->texts[i]);
    if (faults->count > BRIEF_FAULTS)
        text = arena_printf(faults->arena, "%s; and %zu more", text, faults->count - BRIEF_FAULTS);
    return text;
}

const char *need_text(struct faults *faults, const json_t *object, const char *key, size_t min, size_t max,
                      const char *place) {
    const char *text = json_str(object, key, NULL);
    if (!text) {
        faults_add(faults, place, "\"%s\" must be a text", key);
        return NULL;
    }
    size_t len = str_utf8_len(text);
    if (len >= min && len <= max)
        return text;
    if (len == 0)
        faults_add(faults, place, "\"%s\" is empty", key);
    else
        faults_add(faults, place, "\"%s\" has %zu characters, where %zu to %zu are due", key, len, min, max);
    return NULL;
}

const json_t *need_list(struct faults *faults, const json_t *object, const char *key, size_t min, size_t max,
                        const char *place) {
    const json_t *list = json_object_get(object, key);
    if (list && !json_is_array(list)) {
        faults_add(faults, place, "\"%s\" must be an array", key);
        return NULL;
    }
    size_t count = json_array_size(list);
    if (count >= min && count <= max)
        return list;
    faults_add(faults, place, "\"%s\" has %zu items, where %zu to %zu are due", key, count, min, max);
    return NULL;
}
