/* edit_wishes: what a changed line of a document asks for, in the words of feedback. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "planner/edit.h"

#define LONGEST_WISH 600
#define LONGEST_EXCERPT 120
#define WISH(...) arena_printf(arena, __VA_ARGS__)

/* Without the marks of Markdown. */
static const char *plain(struct arena *arena, const char *text) {
    text += strspn(text, "->#*+ ");
    size_t digits = strspn(text, "0123456789");
    if (digits > 0 && text[digits] == '.' && text[digits + 1] == ' ')
        text += digits + 2;
    char *out = arena_alloc(arena, strlen(text) + 1), *to = out;
    for (; *text; text++)
        if (*text != '*' && *text != '`')
            *to++ = *text;
    return str_trim(arena, out);
}

const char *edit_excerpt(struct arena *arena, const char *text) {
    size_t len = strlen(text), cut = 0;
    if (len <= LONGEST_EXCERPT)
        return text;
    for (size_t step; (step = str_utf8_next(text + cut, len - cut)) > 0 && cut + step <= LONGEST_EXCERPT;)
        cut += step;
    return arena_printf(arena, "%.*s…", (int)cut, text);
}

size_t edit_cells(struct arena *arena, const char *row, const char *cells[EDIT_CELLS]) {
    size_t count = 0;
    if (row[0] != '|')
        return 0;
    for (const char *at = row + 1; *at && count < EDIT_CELLS;) {
        const char *end = at;
        while (*end && (*end != '|' || end[-1] == '\\'))
            end++;
        cells[count++] = plain(arena, arena_strndup(arena, at, (size_t)(end - at)));
        at = *end ? end + 1 : end;
    }
    return count;
}

static const json_t *entity_of_section(const json_t *plan, const char *section) {
    return find_by(json_object_get(plan, "entities"), "plural", section, NULL);
}

/* ---- DATA.md */

static bool says(const char *words, const char *word) {
    size_t len = strlen(word);
    for (const char *at = words; (at = strstr(at, word)) != NULL; at += len)
        if ((at == words || at[-1] == ' ') && (at[len] == '\0' || at[len] == ',' || at[len] == ';'))
            return true;
    return false;
}

/* The first words of a field's description, as a type that feedback knows; NULL for what it does not. */
static const char *type_said(const char *words) {
    static const char *const rows[][2] = {{"long text", "long text"},
                                          {"text", "text"},
                                          {"email address", "email address"},
                                          {"web address", "web address"},
                                          {"phone number", "phone number"},
                                          {"whole number", "whole number"},
                                          {"number", "number"},
                                          {"amount of money", "money"},
                                          {"yes or no", "checkbox"},
                                          {"date and time", "datetime"},
                                          {"date", "date"},
                                          {"time of day", "time"},
                                          {"minutes", "minutes"},
                                          {"rating from 1 to 5", "rating"},
                                          {"tags", "tags"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t len = strlen(rows[i][0]);
        if (strncasecmp(words, rows[i][0], len) == 0 && (words[len] == '\0' || strchr(",; ", words[len])))
            return rows[i][1];
    }
    return NULL;
}

static const char *wish_of_new_field(struct arena *arena, const char *section, const char *const *cells, size_t count) {
    const char *label = count > 1 && *cells[1] ? cells[1] : cells[0], *words = count > 2 ? cells[2] : "";
    const char *type = type_said(words);
    if (!*label)
        return NULL;
    const char *wish =
        type ? WISH("add a field %s as %s to %s", label, type, section) : WISH("add a field %s to %s", label, section);
    if (says(words, "required"))
        wish = WISH("%s. make the %s of %s required", wish, label, section);
    if (says(words, "unique"))
        wish = WISH("%s. make the %s of %s unique", wish, label, section);
    return wish;
}

const char *edit_wish_of_change(struct arena *arena, const json_t *plan, const struct edit_line *was,
                                const struct edit_line *is) {
    const char *old_cells[EDIT_CELLS], *cells[EDIT_CELLS], *wish = "", *section = was->section;
    size_t old_count = edit_cells(arena, was->text, old_cells), count = edit_cells(arena, is->text, cells);
    if (!entity_of_section(plan, section) || old_count < 3 || count < 3)
        return NULL;
    bool was_required = says(old_cells[2], "required"), is_required = says(cells[2], "required");
    if (was_required != is_required)
        wish = WISH("make the %s of %s %s", old_cells[1], section, is_required ? "required" : "optional");
    if (says(cells[2], "unique") && !says(old_cells[2], "unique"))
        wish = WISH("%s%smake the %s of %s unique", wish, *wish ? ". " : "", old_cells[1], section);
    if (!str_eq(old_cells[1], cells[1]))
        wish = WISH("%s%srename the %s of %s to %s", wish, *wish ? ". " : "", old_cells[1], section, cells[1]);
    return *wish ? wish : NULL;
}

static const char *data_wish(struct arena *arena, const json_t *plan, const struct edit_line *line) {
    const char *cells[EDIT_CELLS];
    size_t count = edit_cells(arena, line->text, cells);
    bool is_known = entity_of_section(plan, line->section) != NULL;
    if (line->text[0] == '#') {
        const char *name = plain(arena, line->text);
        if (line->is_added)
            return WISH("add %s", name);
        return entity_of_section(plan, name) ? WISH("remove %s", name) : NULL;
    }
    if (count > 0 && line->is_added)
        return *line->section ? wish_of_new_field(arena, line->section, cells, count) : NULL;
    if (count > 1)
        return is_known ? WISH("remove the %s from %s", cells[1], line->section) : NULL;
    return line->is_added ? plain(arena, line->text) : NULL;
}

/* ---- SPEC.md */

/* "- **Boards.** Tasks move …" gives "Boards". */
static const char *bold_title(struct arena *arena, const char *text) {
    const char *begin = str_starts(text, "- **") ? text + 4 : str_starts(text, "* **") ? text + 4 : NULL;
    const char *end = begin ? strstr(begin, "**") : NULL;
    if (!end || end == begin || end - begin > 80)
        return NULL;
    char *title = arena_strndup(arena, begin, (size_t)(end - begin));
    size_t len = strlen(title);
    while (len > 0 && strchr(".: ", title[len - 1]))
        title[--len] = '\0';
    return title;
}

/* The lines of SPEC.md that stand for what the whole app can do. */
static const char *capability_said(const char *text) {
    static const char *const rows[][2] = {{"- Search over", "search"},
                                          {"- Every list goes out as CSV", "csv"},
                                          {"- An audit log", "audit log"},
                                          {"- People are told", "notifications"},
                                          {"- Programs use the API", "API tokens"},
                                          {"People sign up with", "login"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_starts(text, rows[i][0]))
            return rows[i][1];
    return NULL;
}

static const char *spec_wish(struct arena *arena, const json_t *plan, const struct edit_line *line) {
    const char *cells[EDIT_CELLS], *verb = line->is_added ? "add" : "remove", *title;
    bool is_kept = str_eq(line->section, "What it keeps");
    if (line->text[0] == '#')
        return NULL; /* a heading announces, and says nothing */
    if (edit_cells(arena, line->text, cells) > 0) {
        if (is_kept && *cells[0] && (line->is_added || entity_of_section(plan, cells[0])))
            return WISH("%s %s", verb, cells[0]);
        return NULL;
    }
    title = bold_title(arena, line->text);
    if (title && (str_eq(line->section, "What it does") || str_eq(line->section, "Pages beside the lists")))
        return WISH("%s %s", verb, title);
    if (line->is_added)
        return plain(arena, line->text);
    const char *capability = capability_said(line->text);
    return capability ? WISH("remove %s", capability) : NULL;
}

/* ---- ROUTES.md: pages come from views; all else follows from the records */

static const char *routes_wish(struct arena *arena, const json_t *plan, const struct edit_line *line) {
    const char *cells[EDIT_CELLS];
    if (line->text[0] == '#')
        return NULL;
    if (edit_cells(arena, line->text, cells) > 0) {
        const json_t *view =
            cells[0][0] == '/' ? find_by(json_object_get(plan, "views"), "slug", cells[0] + 1, NULL) : NULL;
        return view && !line->is_added ? WISH("remove %s", json_str(view, "title", "")) : NULL;
    }
    return line->is_added ? plain(arena, line->text) : NULL;
}

void edit_wish(struct arena *arena, const json_t *plan, struct edit_line *line) {
    const char *wish = str_eq(line->document, "DATA.md")   ? data_wish(arena, plan, line)
                       : str_eq(line->document, "SPEC.md") ? spec_wish(arena, plan, line)
                                                           : routes_wish(arena, plan, line);
    line->wish = wish && *wish && strlen(wish) <= LONGEST_WISH ? wish : NULL;
}
