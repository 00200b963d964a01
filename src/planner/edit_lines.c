/* edit_lines: the lines by which two versions of documents differ. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "planner/edit.h"

#define MOST_LINES 200 /* that are looked into; each asks the whole catalog */

static const char *const documents_read[] = {"SPEC.md", "ROUTES.md", "DATA.md"};

/* Goes over a document: its lines trimmed, without blank ones and what only draws tables. */
struct reader {
    struct arena *arena;
    const char *document;
    const char *at;
    const json_t *renamed;
    const char *section;
    const char *line;
    bool is_heading;
};

/* White space runs as one blank. */
static const char *squeezed(struct arena *arena, const char *text, size_t len) {
    char *out = arena_alloc(arena, len + 1), *to = out;
    for (size_t i = 0; i < len; i++) {
        bool is_space = text[i] == ' ' || text[i] == '\t' || text[i] == '\r';
        if (!is_space)
            *to++ = text[i];
        else if (to != out && to[-1] != ' ')
            *to++ = ' ';
    }
    while (to != out && to[-1] == ' ')
        to--;
    *to = '\0';
    return out;
}

static bool is_ruler(const char *line) {
    return line[0] == '|' && line[strspn(line, "|-: ")] == '\0';
}

static const char *next_line(struct reader *reader) {
    size_t len = strcspn(reader->at, "\n");
    const char *line = squeezed(reader->arena, reader->at, len);
    reader->at += len + (reader->at[len] == '\n');
    return line;
}

static bool read_line(struct reader *reader) {
    while (*reader->at) {
        const char *line = next_line(reader);
        if (!*line || is_ruler(line))
            continue;
        if (line[0] == '|') { /* the head of a table is followed by a ruler */
            struct reader peek = *reader;
            if (is_ruler(next_line(&peek)))
                continue;
        }
        reader->line = line;
        reader->is_heading = line[0] == '#';
        if (reader->is_heading) {
            const char *heading = line + strspn(line, "# ");
            if (str_eq(reader->document, "DATA.md"))
                heading = json_str(reader->renamed, heading, heading);
            reader->section = heading;
        }
        return true;
    }
    return false;
}

static struct reader reader_of(struct arena *arena, const json_t *documents, const char *name, const json_t *renamed) {
    return (struct reader){
        .arena = arena, .document = name, .at = json_str(documents, name, ""), .renamed = renamed, .section = ""};
}

static const char *key_of(const struct reader *reader) {
    return arena_printf(reader->arena, "%s\x1f%s\x1f%s", reader->document, reader->section,
                        reader->is_heading ? "#" : reader->line);
}

json_t *edit_keys(struct arena *arena, const json_t *documents, const json_t *renamed) {
    json_t *keys = json_own(arena, json_object());
    for (size_t i = 0; i < ARRAY_LEN(documents_read); i++) {
        struct reader reader = reader_of(arena, documents, documents_read[i], renamed);
        while (read_line(&reader))
            json_object_set_new(keys, key_of(&reader), json_true());
    }
    return keys;
}

/* ---- headings of DATA.md that were renamed: what stands under them is mostly the same */

/* {heading: {line: true}} */
static json_t *sections_of(struct arena *arena, const json_t *documents) {
    json_t *sections = json_own(arena, json_object());
    struct reader reader = reader_of(arena, documents, "DATA.md", NULL);
    while (read_line(&reader)) {
        if (!json_object_get(sections, reader.section))
            json_object_set_new(sections, reader.section, json_object());
        if (!reader.is_heading)
            json_object_set_new(json_object_get(sections, reader.section), reader.line, json_true());
    }
    return sections;
}

static size_t shared_lines(const json_t *a, const json_t *b) {
    size_t shared = 0;
    const char *line;
    json_t *ignored;
    json_object_foreach ((json_t *)a, line, ignored)
        shared += json_object_get(b, line) != NULL;
    return shared;
}

static json_t *renamed_sections(struct arena *arena, const json_t *before, const json_t *after) {
    json_t *renamed = json_own(arena, json_object()), *old_sections = sections_of(arena, before),
           *new_sections = sections_of(arena, after), *old_lines, *new_lines;
    json_auto_t *taken = json_object();
    const char *old_name, *new_name;
    if (json_object_size(old_sections) > MOST_LINES || json_object_size(new_sections) > MOST_LINES)
        return renamed;
    json_object_foreach (new_sections, new_name, new_lines) {
        if (json_object_get(old_sections, new_name) || !*new_name)
            continue;
        json_object_foreach (old_sections, old_name, old_lines) {
            size_t shared = shared_lines(old_lines, new_lines);
            if (json_object_get(new_sections, old_name) || json_object_get(taken, old_name) || !*old_name ||
                shared == 0 || shared * 2 < json_object_size(old_lines))
                continue;
            put_str(renamed, new_name, old_name);
            json_object_set_new(taken, old_name, json_true());
            break;
        }
    }
    return renamed;
}

/* ---- the difference */

static void count_lines(struct reader reader, json_t *counts) {
    while (read_line(&reader)) {
        const char *key = key_of(&reader);
        json_object_set_new(counts, key, json_integer(json_int(counts, key, 0) + 1));
    }
}

static struct edit_line *append(struct arena *arena, struct edit_lines *lines) {
    if (lines->count == MOST_LINES) {
        lines->left++;
        return NULL;
    }
    if (!lines->items)
        lines->items = arena_array(arena, MOST_LINES, sizeof *lines->items);
    return &lines->items[lines->count++];
}

/* Lines of `reader` beyond those that the other version has. */
static void add_surplus(struct reader reader, json_t *other, bool is_added, struct edit_lines *lines) {
    while (read_line(&reader)) {
        const char *key = key_of(&reader);
        int64_t left = json_int(other, key, 0);
        if (left > 0) {
            json_object_set_new(other, key, json_integer(left - 1));
            continue;
        }
        struct edit_line *line = append(reader.arena, lines);
        if (line)
            *line = (struct edit_line){.document = reader.document,
                                       .section = reader.is_heading ? "" : reader.section,
                                       .text = reader.line,
                                       .key = key,
                                       .is_added = is_added};
    }
}

/* The row of a field that is there with other words: the new row speaks for both. */
static void pair_rows(struct arena *arena, const json_t *plan, struct edit_lines *lines) {
    for (size_t i = 0; i < lines->count; i++) {
        struct edit_line *was = &lines->items[i];
        const char *cells[EDIT_CELLS], *others[EDIT_CELLS];
        if (was->is_added || !str_eq(was->document, "DATA.md") || edit_cells(arena, was->text, cells) < 2)
            continue;
        for (size_t k = 0; k < lines->count; k++) {
            struct edit_line *is = &lines->items[k];
            if (!is->is_added || is->is_settled || !str_eq(is->document, was->document) ||
                !str_eq(is->section, was->section) || edit_cells(arena, is->text, others) < 2 ||
                !str_eq(cells[0], others[0]))
                continue;
            was->is_settled = true;
            is->wish = edit_wish_of_change(arena, plan, was, is);
            break;
        }
    }
}

/* What stands under a heading that went, went with it. */
static bool is_under_removed(const struct edit_lines *lines, const struct edit_line *line) {
    for (size_t i = 0; i < lines->count; i++) {
        const struct edit_line *other = &lines->items[i];
        if (!other->is_added && str_eq(other->document, line->document) && other->text[0] == '#' &&
            str_eq(other->text + strspn(other->text, "# "), line->section))
            return true;
    }
    return false;
}

static void add_renames(struct arena *arena, const json_t *plan, struct edit_lines *lines) {
    const char *now;
    json_t *before;
    json_object_foreach (lines->renamed, now, before) {
        struct edit_line *line = append(arena, lines);
        if (!line)
            continue;
        *line = (struct edit_line){
            .document = "DATA.md",
            .section = "",
            .text = now,
            .key = "",
            .is_added = true,
            .wish = find_by(json_object_get(plan, "entities"), "plural", json_string_value(before), NULL)
                        ? arena_printf(arena, "rename %s to %s", json_string_value(before), now)
                        : NULL};
    }
}

void edit_compare(struct arena *arena, const json_t *plan, const json_t *before, const json_t *after,
                  struct edit_lines *out) {
    *out = (struct edit_lines){.renamed = renamed_sections(arena, before, after)};
    for (size_t i = 0; i < ARRAY_LEN(documents_read); i++) {
        struct reader old_lines = reader_of(arena, before, documents_read[i], NULL),
                      new_lines = reader_of(arena, after, documents_read[i], out->renamed);
        if (str_eq(old_lines.at, new_lines.at))
            continue;
        json_auto_t *old_counts = json_object(), *new_counts = json_object();
        count_lines(old_lines, old_counts);
        count_lines(new_lines, new_counts);
        add_surplus(old_lines, new_counts, false, out);
        add_surplus(new_lines, old_counts, true, out);
    }
    pair_rows(arena, plan, out);
    for (size_t i = 0; i < out->count; i++) {
        struct edit_line *line = &out->items[i];
        if (!line->is_added && line->text[0] != '#' && is_under_removed(out, line))
            line->is_settled = true;
        if (!line->is_settled && !line->wish)
            edit_wish(arena, plan, line);
    }
    add_renames(arena, plan, out); /* last: the other wishes use the names of before */
}
