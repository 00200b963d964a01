/* model_read: the tools that show a model what is there. */
#include <string.h>

#include "agent/model_tools.h"
#include "base/glob.h"
#include "base/mem.h"
#include "base/str.h"

enum { LISTED_MAX = 400, FILE_BYTES = 4 * 1024 * 1024, SHOWN_BYTES = 48 * 1024, LINES_MAX = 1000000 };

/* ---- list_files */

struct listing {
    const char *pattern;
    struct buf *out;
    size_t shown, more;
};

static int list_one(const char *path, const struct stat *st, void *arg) {
    struct listing *listing = arg;
    if (!glob_match(listing->pattern, path))
        return 0;
    if (listing->shown == LISTED_MAX) {
        listing->more++;
        return 0;
    }
    listing->shown++;
    buf_printf(listing->out, "%s (%lld bytes)\n", path, (long long)st->st_size);
    return 0;
}

/* The folder that all matches lie in: the pattern's names before the first with a wildcard, without the last name. */
static const char *base_of(struct arena *arena, const char *pattern) {
    size_t wild = strcspn(pattern, "*?"), len = 0;
    for (size_t i = 0; i < wild; i++)
        len = pattern[i] == '/' ? i : len;
    return arena_strndup(arena, pattern, len);
}

static int list_files(struct bench *bench, const json_t *arguments, struct arena *arena, struct tool_answer *out,
                      struct err *err) {
    CLEANUP(buf_release) struct buf text = {0};
    struct listing listing = {.out = &text};
    int rc = argument_text(arguments, "pattern", "**", &listing.pattern, err);
    if (rc == 0 && !glob_is_valid(listing.pattern))
        rc = err_field(err, ERR_VALIDATION, "pattern",
                       "pattern must be a glob relative to the project's folder, as src/**/*.ts");
    if (rc == 0)
        rc = confine_walk(&bench->confine, base_of(arena, listing.pattern), list_one, &listing, err);
    if (rc < 0)
        return rc;
    if (listing.more)
        buf_printf(&text, "[%zu more: narrow the pattern]\n", listing.more);
    out->text = text.len ? arena_strndup(arena, text.data, text.len) : "[no file matches]";
    return 0;
}

const struct tool tool_list_files = {
    .name = "list_files",
    .description = "List the files whose path matches a glob. * and ? stand for parts of a name, ** for any number of "
                   "folders. node_modules and .next are left out, unless the pattern begins there.",
    .schema = "{\"type\":\"object\",\"properties\":{\"pattern\":{\"type\":\"string\",\"description\":\"Such as "
              "src/**/*.ts; all files, if left out.\"}},\"required\":[],\"additionalProperties\":false}",
    .run = list_files,
};

/* ---- read_file */

/* The line that begins after skipping so many, or NULL. */
static const char *skip_lines(const char *text, int64_t count) {
    for (; text && count > 0; count--) {
        text = strchr(text, '\n');
        text = text && text[1] ? text + 1 : NULL;
    }
    return text;
}

static int64_t count_lines(const char *text, size_t len) {
    int64_t lines = len && text[len - 1] != '\n';
    for (size_t i = 0; i < len; i++)
        lines += text[i] == '\n';
    return lines;
}

static const char *show(struct arena *arena, const struct buf *file, int64_t first, int64_t count) {
    int64_t all = count_lines(file->data, file->len), last = 0;
    const char *from = skip_lines(file->data, first - 1);
    if (file->len == 0)
        return "[the file is empty]";
    if (!from)
        return arena_printf(arena, "[the file has %lld lines]", (long long)all);
    const char *end = skip_lines(from, count);
    size_t len = end ? (size_t)(end - from) : strlen(from);
    bool is_cut = len > SHOWN_BYTES;
    if (is_cut) {
        len = str_head_len(from, SHOWN_BYTES);
        const char *newline = memrchr(from, '\n', len);
        len = newline ? (size_t)(newline + 1 - from) : len; /* whole lines, unless one alone is too long */
    }
    last = first - 1 + count_lines(from, len);
    const char *text = arena_strndup(arena, from, len);
    if (first == 1 && len == file->len)
        return text;
    return arena_printf(arena, "%s%s[lines %lld to %lld of %lld]", text, str_ends(text, "\n") ? "" : "\n",
                        (long long)first, (long long)last, (long long)all);
}

static int read_file(struct bench *bench, const json_t *arguments, struct arena *arena, struct tool_answer *out,
                     struct err *err) {
    CLEANUP(buf_release) struct buf file = {0};
    const char *path = NULL;
    int64_t first = 0, count = 0;
    int rc = argument_text(arguments, "path", NULL, &path, err);
    if (rc == 0)
        rc = argument_number(arguments, "first_line", 1, LINES_MAX, &first, err);
    if (rc == 0)
        rc = argument_number(arguments, "line_count", LINES_MAX, LINES_MAX, &count, err);
    if (rc == 0)
        rc = confine_read(&bench->confine, path, FILE_BYTES, &file, err);
    if (rc < 0)
        return rc;
    if (!str_is_utf8(str_or(file.data, ""), file.len))
        return err_set(err, ERR_VALIDATION, "%s is no text: it has bytes in it that are not UTF-8", path);
    out->text = show(arena, &file, first, count);
    return 0;
}

const struct tool tool_read_file = {
    .name = "read_file",
    .description =
        "Read a text file, or some lines of it. Long files are cut; the last line then says how far it went.",
    .schema = "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\",\"description\":\"Relative to the "
              "project's folder.\"},\"first_line\":{\"type\":\"integer\",\"description\":\"From 1.\"},"
              "\"line_count\":{\"type\":\"integer\"}},\"required\":[\"path\"],\"additionalProperties\":false}",
    .run = read_file,
};
