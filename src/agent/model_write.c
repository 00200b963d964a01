/* model_write: the tools by which a model changes files, each within the task's pathScope. */
#include <string.h>

#include "agent/model_tools.h"
#include "base/glob.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

enum { FILE_BYTES = 2 * 1024 * 1024 };

/* Told so that the model can correct itself; what slips through, by a command say, is refused as a whole later. */
static int check_scope(const struct bench *bench, const char *path, struct arena *arena, struct err *err) {
    const char *patterns = "";
    size_t i;
    json_t *pattern;
    int rc = confine_check(path, err);
    if (rc < 0)
        return rc;
    json_array_foreach (json_object_get(bench->request->definition, "pathScope"), i, pattern) {
        if (glob_match(json_string_value(pattern), path))
            return 0;
        patterns = arena_printf(arena, "%s%s%s", patterns, i ? ", " : "", json_string_value(pattern));
    }
    return err_set(err, ERR_FORBIDDEN, "%s is outside the task's scope, so it was left as it is. You may change: %s",
                   path, patterns);
}

/* Writes unless that is what is there already. */
static int put(struct bench *bench, const char *path, const char *data, size_t len, const char **said,
               struct arena *arena, struct err *err) {
    CLEANUP(buf_release) struct buf old = {0};
    bool is_new = false;
    if (len > FILE_BYTES)
        return err_set(err, ERR_TOO_LARGE, "%s would be larger than %d bytes", path, FILE_BYTES);
    if (confine_read(&bench->confine, path, FILE_BYTES, &old, NULL) == 0 && old.len == len &&
        (len == 0 || memcmp(old.data, data, len) == 0)) {
        *said = arena_printf(arena, "%s already has that content: nothing was changed", path);
        return 0;
    }
    int rc = confine_write(&bench->confine, path, data, len, &is_new, err);
    if (rc < 0)
        return rc;
    bench->changes++;
    bench_tell(bench, is_new ? EVENT_FILE_CREATED : EVENT_FILE_MODIFIED,
               json_pack("{s:s, s:I}", "path", path, "size", (json_int_t)len));
    *said = arena_printf(arena, "%s %s (%zu bytes)", is_new ? "created" : "changed", path, len);
    return 0;
}

static int write_file(struct bench *bench, const json_t *arguments, struct arena *arena, struct tool_answer *out,
                      struct err *err) {
    const char *path = NULL, *content = NULL;
    int rc = argument_text(arguments, "path", NULL, &path, err);
    if (rc == 0)
        rc = argument_text(arguments, "content", NULL, &content, err);
    if (rc == 0)
        rc = check_scope(bench, path, arena, err);
    return rc < 0 ? rc : put(bench, path, content, strlen(content), &out->text, arena, err);
}

#define PATH_SCHEMA "\"path\":{\"type\":\"string\",\"description\":\"Relative to the project's folder.\"}"

const struct tool tool_write_file = {
    .name = "write_file",
    .description = "Write a whole text file: it is made, with its folders, or replaced.",
    .schema = "{\"type\":\"object\",\"properties\":{" PATH_SCHEMA ",\"content\":{\"type\":\"string\"}},"
              "\"required\":[\"path\",\"content\"],\"additionalProperties\":false}",
    .run = write_file,
};

/* ---- edit_file */

static size_t count_of(const char *text, const char *part) {
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        count++;
    return count;
}

static void replace_all(const char *text, const char *old, const char *new, struct buf *out) {
    buf_puts(out, "");
    for (const char *at; (at = strstr(text, old)); text = at + strlen(old)) {
        buf_put(out, text, (size_t)(at - text));
        buf_puts(out, new);
    }
    buf_puts(out, text);
}

static int edit(struct bench *bench, const char *path, const json_t *arguments, struct arena *arena,
                struct tool_answer *out, struct err *err) {
    CLEANUP(buf_release) struct buf file = {0};
    CLEANUP(buf_release) struct buf edited = {.max_bytes = 2 * FILE_BYTES};
    const char *old = NULL, *new = NULL;
    bool is_all = false;
    int rc = argument_text(arguments, "old_text", NULL, &old, err);
    if (rc == 0)
        rc = argument_text(arguments, "new_text", NULL, &new, err);
    if (rc == 0)
        rc = argument_flag(arguments, "replace_all", &is_all, err);
    if (rc == 0 && !old[0])
        rc = err_field(err, ERR_VALIDATION, "old_text", "old_text must not be empty; write_file writes whole files");
    if (rc == 0)
        rc = confine_read(&bench->confine, path, FILE_BYTES, &file, err);
    if (rc < 0)
        return rc;
    if (!str_is_utf8(str_or(file.data, ""), file.len))
        return err_set(err, ERR_VALIDATION, "%s is no text: it has bytes in it that are not UTF-8", path);
    size_t count = count_of(str_or(file.data, ""), old);
    if (count == 0)
        return err_set(err, ERR_CONFLICT,
                       "old_text is not in %s, so nothing was changed: read the file, and copy the text exactly, with "
                       "its white space",
                       path);
    if (count > 1 && !is_all)
        return err_set(err, ERR_CONFLICT,
                       "old_text is %zu times in %s, so nothing was changed: take in more of what is around it, or set "
                       "replace_all",
                       count, path);
    replace_all(file.data, old, new, &edited);
    if (edited.overflowed)
        return err_set(err, ERR_TOO_LARGE, "%s would be larger than %d bytes", path, FILE_BYTES);
    return put(bench, path, edited.data, edited.len, &out->text, arena, err);
}

static int edit_file(struct bench *bench, const json_t *arguments, struct arena *arena, struct tool_answer *out,
                     struct err *err) {
    const char *path = NULL;
    int rc = argument_text(arguments, "path", NULL, &path, err);
    if (rc == 0)
        rc = check_scope(bench, path, arena, err);
    return rc < 0 ? rc : edit(bench, path, arguments, arena, out, err);
}

const struct tool tool_edit_file = {
    .name = "edit_file",
    .description = "Replace a piece of a text file. old_text must be in it exactly once, to the last space, unless "
                   "replace_all is true.",
    .schema = "{\"type\":\"object\",\"properties\":{" PATH_SCHEMA ",\"old_text\":{\"type\":\"string\"},"
              "\"new_text\":{\"type\":\"string\"},\"replace_all\":{\"type\":\"boolean\"}},"
              "\"required\":[\"path\",\"old_text\",\"new_text\"],\"additionalProperties\":false}",
    .run = edit_file,
};

/* ---- delete_file */

static int delete_file(struct bench *bench, const json_t *arguments, struct arena *arena, struct tool_answer *out,
                       struct err *err) {
    const char *path = NULL;
    int rc = argument_text(arguments, "path", NULL, &path, err);
    if (rc == 0)
        rc = check_scope(bench, path, arena, err);
    if (rc == 0)
        rc = confine_delete(&bench->confine, path, err);
    if (rc < 0)
        return rc;
    bench->changes++;
    bench_tell(bench, EVENT_FILE_DELETED, json_pack("{s:s}", "path", path));
    out->text = arena_printf(arena, "deleted %s", path);
    return 0;
}

const struct tool tool_delete_file = {
    .name = "delete_file",
    .description = "Delete a file; folders that are empty then go, too.",
    .schema = "{\"type\":\"object\",\"properties\":{" PATH_SCHEMA "},\"required\":[\"path\"],"
              "\"additionalProperties\":false}",
    .run = delete_file,
};
