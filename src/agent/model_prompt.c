/* model_prompt: what a model is told of its task. */
#include "agent/model_prompt.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/mustache.h"
#include "base/str.h"

enum { FEEDBACK_BYTES = 16 * 1024 };

/* Documents in the order in which there is room for them. */
static const char *const names[] = {"ROUTES.md", "DATA.md", "SPEC.md"};

static const char *cut(struct arena *arena, const char *text, size_t max_bytes) {
    size_t len = str_head_len(text, max_bytes);
    return text[len] ? arena_printf(arena, "%.*s\n[cut]", (int)len, text) : text;
}

static bool is_listed(const json_t *ids, const char *id, size_t len) {
    size_t i;
    json_t *each;
    json_array_foreach (ids, i, each) {
        if (json_string_length(each) == len && memcmp(json_string_value(each), id, len) == 0)
            return true;
    }
    return false;
}

/* Those sections "### AC-3 Title" of ACCEPTANCE.md that the task is to bring about. */
static const char *criteria_of(const json_t *ids, const char *acceptance, struct arena *arena) {
    CLEANUP(buf_release) struct buf out = {0};
    const char *next;
    bool is_in = false;
    buf_puts(&out, "");
    for (const char *line = acceptance; *line; line = next) {
        const char *end = strchr(line, '\n');
        next = end ? end + 1 : line + strlen(line);
        if (str_starts(line, "### "))
            is_in = is_listed(ids, line + 4, strcspn(line + 4, " \n"));
        else if (line[0] == '#')
            is_in = false;
        if (is_in)
            buf_put(&out, line, (size_t)(next - line));
    }
    return str_trim(arena, out.data);
}

static json_t *documents_of(const struct agent_request *request, size_t room_bytes, struct arena *arena) {
    json_t *list = json_array();
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *text = json_str(request->documents, names[i], NULL);
        if (!text || room_bytes == 0)
            continue;
        size_t share = i + 1 < ARRAY_LEN(names) ? room_bytes / 2 : room_bytes;
        text = cut(arena, text, share);
        room_bytes -= strlen(text) < room_bytes ? strlen(text) : room_bytes;
        json_array_append_new(list, json_pack("{s:s, s:s}", "name", names[i], "text", text));
    }
    return list;
}

static json_t *view_of(const struct agent_request *request, const char *conventions, size_t room_bytes,
                       struct arena *arena) {
    const json_t *definition = request->definition;
    json_t *scope = json_object_get(definition, "pathScope"), *outputs = json_object_get(definition, "expectedOutputs");
    const char *acceptance = json_str(request->documents, "ACCEPTANCE.md", "");
    const char *criteria = criteria_of(json_object_get(definition, "criteria"), acceptance, arena);
    criteria = cut(arena, criteria, room_bytes / 2);
    return json_own(
        arena,
        json_pack("{s:s, s:s, s:s, s:s, s:O, s:b, s:O, s:b, s:s, s:s, s:o}", "id", json_str(definition, "id", "task"),
                  "description", json_str(definition, "description", ""), "app",
                  json_str(request->plan, "name", "the app"), "instructions", json_str(definition, "instructions", ""),
                  "pathScope", scope ? scope : json_own(arena, json_array()), "hasOutputs",
                  json_array_size(outputs) > 0, "expectedOutputs", outputs ? outputs : json_own(arena, json_array()),
                  "hasCriteria", criteria[0] != '\0', "criteria", criteria, "conventions", conventions, "documents",
                  documents_of(request, room_bytes / 2, arena)));
}

static int load(const struct assets *assets, const char *name, struct arena *arena, const char **out, struct err *err) {
    size_t len = 0;
    const char *text = assets_get(assets, arena_printf(arena, "prompts/%s", name), &len);
    if (!text)
        return err_set(err, ERR_INTERNAL, "there is no blueprints/prompts/%s", name);
    *out = arena_strndup(arena, text, len);
    return 0;
}

static int render(const char *template, json_t *view, struct arena *arena, const char **out, struct err *err) {
    CLEANUP(buf_release) struct buf text = {0};
    json_t *contexts[] = {view};
    int rc = mustache_render(template, strlen(template), contexts, 1, NULL, NULL, &text, err);
    if (rc < 0)
        return err_wrap(err, "the prompt of a task");
    *out = arena_strndup(arena, str_or(text.data, ""), text.len);
    return 0;
}

int prompt_make(const struct agent_request *request, size_t room_bytes, struct arena *arena, struct prompt *out,
                struct err *err) {
    struct assets *assets = NULL;
    const char *system = NULL, *task = NULL, *conventions = NULL;
    int rc = assets_open(&assets, NULL, err);
    if (rc < 0)
        return rc;
    rc = load(assets, "work-system.mustache", arena, &system, err);
    if (rc == 0)
        rc = load(assets, "work.mustache", arena, &task, err);
    if (rc == 0)
        rc = load(assets, "work-conventions.md", arena, &conventions, err);
    assets_close(assets);
    if (rc < 0)
        return rc;
    json_t *view = view_of(request, conventions, room_bytes, arena);
    if (!view)
        return err_set(err, ERR_INTERNAL, "the task's definition is no text");
    rc = render(system, view, arena, &out->system, err);
    return rc < 0 ? rc : render(task, view, arena, &out->task, err);
}

const char *prompt_feedback(const struct agent_request *request, struct arena *arena) {
    if (!request->feedback || !request->feedback[0])
        return NULL;
    return arena_printf(arena,
                        "This task was tried before, and what came of it did not pass. What of it was merged is in the "
                        "project's folder; all else of it is gone. This was wrong:\n\n%s",
                        cut(arena, str_mend(arena, request->feedback), FEEDBACK_BYTES));
}
