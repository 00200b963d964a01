/* edit_criteria: an ACCEPTANCE.md that a person has changed, and the criteria of the plan. */
#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "planner/edit.h"

#define DOCUMENT "documents.ACCEPTANCE.md"
#define MOST_CRITERIA 500
#define MOST_DIGITS 6

/* ---- reading */

struct reading {
    struct arena *arena;
    json_t *criteria;     /* [{"id" (missing where none is given), "title", "statement"}] */
    json_t *current;      /* of them, or NULL */
    struct buf statement; /* of current, as far as it is read */
    bool is_proof;        /* past the statement: how it is proven, which is not read */
    struct err *err;
};

static void close_criterion(struct reading *reading) {
    if (reading->current)
        put_str(reading->current, "statement", str_or(reading->statement.data, ""));
    reading->current = NULL;
    buf_reset(&reading->statement);
}

/* White space runs as one blank, none at the ends. */
static const char *squeezed(struct arena *arena, const char *text, size_t len) {
    char *out = arena_alloc(arena, len + 1), *to = out;
    for (size_t i = 0; i < len; i++) {
        if (!isspace((unsigned char)text[i]))
            *to++ = text[i];
        else if (to != out && to[-1] != ' ')
            *to++ = ' ';
    }
    while (to != out && to[-1] == ' ')
        to--;
    *to = '\0';
    return out;
}

/* Length of "AC-12" at the start of text, or 0. */
static size_t id_len(const char *text) {
    size_t digits = str_starts(text, "AC-") ? strspn(text + 3, "0123456789") : 0;
    if (digits == 0 || digits > MOST_DIGITS || text[3] == '0')
        return 0;
    return isalnum((unsigned char)text[3 + digits]) || text[3 + digits] == '-' ? 0 : 3 + digits;
}

static int open_criterion(struct reading *reading, const char *id, const char *title) {
    close_criterion(reading);
    if (id && find_by(reading->criteria, "id", id, NULL))
        return err_field(reading->err, ERR_VALIDATION, DOCUMENT, "%s is there twice", id);
    if (json_array_size(reading->criteria) == MOST_CRITERIA)
        return err_field(reading->err, ERR_VALIDATION, DOCUMENT, "There may be at most %d criteria", MOST_CRITERIA);
    reading->current = json_pack("{s:s, s:s}", "title", title, "statement", "");
    if (id)
        put_str(reading->current, "id", id);
    json_array_append_new(reading->criteria, reading->current);
    reading->is_proof = false;
    return 0;
}

static int read_line(struct reading *reading, const char *line) {
    size_t level = strspn(line, "#");
    bool is_heading = level > 0 && level <= 6 && line[level] == ' ';
    const char *text = line + strspn(line, "#*->+ ");
    size_t len = id_len(text);
    if (len > 0) {
        const char *title = text + len + strspn(text + len, "*:. -");
        if (str_starts(title, "–") || str_starts(title, "—"))
            title += 3 + strspn(title + 3, " ");
        return open_criterion(reading, arena_strndup(reading->arena, text, len), title);
    }
    if (is_heading && level == 3 && *text)
        return open_criterion(reading, NULL, text);
    if (is_heading)
        close_criterion(reading);
    if (is_heading || !reading->current || !*line)
        return 0;
    reading->is_proof = reading->is_proof || str_starts(line, "Proven by ");
    if (!reading->is_proof)
        buf_printf(&reading->statement, "%s%s", reading->statement.len > 0 ? " " : "", line);
    return 0;
}

static int read_criteria(struct arena *arena, const char *text, json_t **out, struct err *err) {
    struct reading reading = {.arena = arena, .criteria = json_own(arena, json_array()), .err = err};
    int rc = 0;
    while (rc == 0 && *text) {
        size_t len = strcspn(text, "\n");
        rc = read_line(&reading, squeezed(arena, text, len));
        text += len + (text[len] == '\n');
    }
    close_criterion(&reading);
    buf_release(&reading.statement);
    if (rc == 0)
        *out = reading.criteria;
    return rc;
}

/* ---- what becomes of each */

struct merging {
    struct arena *arena;
    json_t *plan;
    const json_t *old_plan, *before, *given;
    json_t *open_points;
    json_t *generated; /* what the planner would ask to be proven */
    bool *is_used;     /* of generated */
    json_t *criteria;
    json_t *dropped; /* keys of generated ones that a person took out */
    int64_t last_number;
    const char *left_out; /* ids */
    size_t left_out_count;
};

/* By its words, not its number: that changes with the plan. */
static const char *key_of(struct arena *arena, const json_t *criterion) {
    const char *title = json_str(criterion, "title", ""), *statement = json_str(criterion, "statement", "");
    title = *title ? title : statement;
    statement = *statement ? statement : title;
    return arena_printf(arena, "%s\n%s", squeezed(arena, title, strlen(title)),
                        squeezed(arena, statement, strlen(statement)));
}

static int64_t number_of(const char *id) {
    int64_t number = 0;
    return id && str_starts(id, "AC-") && str_to_int(id + 3, 1, 999999, &number) ? number : 0;
}

static void count_numbers(struct merging *m, const json_t *criteria) {
    size_t i;
    json_t *criterion;
    json_array_foreach ((json_t *)criteria, i, criterion) {
        int64_t number = number_of(json_str(criterion, "id", NULL));
        if (number > m->last_number)
            m->last_number = number;
    }
}

static json_t *take_generated(struct merging *m, const char *key) {
    size_t i;
    json_t *criterion;
    json_array_foreach (m->generated, i, criterion) {
        if (m->is_used[i] || !str_eq(key_of(m->arena, criterion), key))
            continue;
        m->is_used[i] = true;
        return json_deep_copy(criterion);
    }
    return NULL;
}

static bool has_no_check(const json_t *criterion) {
    return str_eq(json_str(json_object_get(criterion, "check"), "kind", ""), "none");
}

static json_t *without_check(const json_t *given, const json_t *old) {
    const char *title = json_str(given, "title", ""), *statement = json_str(given, "statement", "");
    json_t *criterion = json_pack("{s:s, s:s, s:s, s:s, s:[], s:[], s:{s:s}}", "id", "", "title",
                                  *title ? title : statement, "statement", *statement ? statement : title, "feature",
                                  json_str(old, "feature", "app"), "entities", "parts", "check", "kind", "none");
    json_array_extend(json_object_get(criterion, "entities"), json_object_get(old, "entities"));
    json_array_extend(json_object_get(criterion, "parts"), json_object_get(old, "parts"));
    return criterion;
}

static void put_open_point(struct merging *m, const char *text) {
    json_array_append_new(m->open_points, json_string(text));
}

/* The one of the old plan that this is: by its id, or where the document gives none, by its words. */
static const json_t *old_of(const struct merging *m, const char *id, const char *key) {
    const json_t *criteria = json_object_get(m->old_plan, "criteria");
    size_t i;
    json_t *old;
    if (id)
        return find_by(criteria, "id", id, NULL);
    json_array_foreach ((json_t *)criteria, i, old) {
        const char *old_id = json_str(old, "id", "");
        if (str_eq(key_of(m->arena, old), key) && !find_by(m->given, "id", old_id, NULL) &&
            !find_by(m->criteria, "id", old_id, NULL))
            return old;
    }
    return NULL;
}

static void merge_one(struct merging *m, const json_t *given) {
    const char *id = json_str(given, "id", NULL), *key = key_of(m->arena, given);
    const json_t *was = id ? find_by(m->before, "id", id, NULL) : NULL, *old = old_of(m, id, key);
    bool is_unchanged = id ? was && str_eq(key_of(m->arena, was), key) : old != NULL;
    json_t *criterion = take_generated(m, key);
    if (!id)
        id = old ? json_str(old, "id", "") : arena_printf(m->arena, "AC-%lld", (long long)++m->last_number);
    if (!criterion && is_unchanged && !has_no_check(old)) {
        m->left_out = arena_printf(m->arena, "%s%s%s", m->left_out, m->left_out_count++ ? ", " : "", id);
        return;
    }
    if (!criterion) {
        criterion = is_unchanged ? json_deep_copy(old) : without_check(given, old);
        put_open_point(m, arena_printf(m->arena,
                                       "%s (\"%s\"): no check is known for it, so that a run cannot succeed while "
                                       "ACCEPTANCE.md has it in these words.",
                                       id, edit_excerpt(m->arena, json_str(criterion, "title", ""))));
    }
    put_str(criterion, "id", id);
    json_array_append_new(m->criteria, criterion);
}

/* What the document does not name: a person took it out, or it proves what this or an earlier edit added. */
static void place_unnamed(struct merging *m) {
    json_t *checks = json_object_get(m->plan, "checks"), *criterion;
    json_auto_t *named_before = json_object();
    const json_t *dropped_before = json_object_get(m->old_plan, "droppedCriteria");
    size_t i;
    json_array_foreach ((json_t *)m->before, i, criterion)
        json_object_set_new(named_before, key_of(m->arena, criterion), json_true());
    json_array_foreach (m->generated, i, criterion) {
        const char *key = key_of(m->arena, criterion);
        json_t *check = json_object_get(criterion, "check");
        if (m->is_used[i])
            continue;
        if (json_object_get(named_before, key) || is_in(dropped_before, key))
            json_array_append_new(m->dropped, json_string(key));
        else if (str_eq(json_str(check, "kind", ""), "http"))
            json_array_append_new(
                checks, json_pack("{s:o, s:s, s:O}", "id", json_sprintf("more-%zu", json_array_size(checks)), "title",
                                  json_str(criterion, "title", ""), "steps", json_object_get(check, "steps")));
    }
}

int edit_criteria(struct arena *arena, json_t *plan, const json_t *old_plan, const char *before, const char *after,
                  json_t *open_points, struct err *err) {
    json_t *given = NULL, *was = NULL, *criterion;
    struct err ignored = {0};
    size_t i;
    int rc = read_criteria(arena, after, &given, err);
    if (rc < 0)
        return rc;
    if (read_criteria(arena, before, &was, &ignored) < 0)
        was = json_own(arena, json_array());
    struct merging m = {.arena = arena,
                        .plan = plan,
                        .old_plan = old_plan,
                        .before = was,
                        .given = given,
                        .open_points = open_points,
                        .generated = json_own(arena, json_deep_copy(json_object_get(plan, "criteria"))),
                        .criteria = json_array(),
                        .dropped = json_array(),
                        .left_out = ""};
    m.is_used = arena_array(arena, json_array_size(m.generated) + 1, sizeof *m.is_used);
    count_numbers(&m, given);
    count_numbers(&m, was);
    count_numbers(&m, json_object_get(old_plan, "criteria"));
    json_array_foreach (given, i, criterion)
        merge_one(&m, criterion);
    place_unnamed(&m);
    json_object_set_new(plan, "criteria", m.criteria);
    json_object_set_new(plan, "droppedCriteria", m.dropped);
    if (m.left_out_count > 0)
        put_open_point(&m, arena_printf(arena,
                                        "%s: what %s of is no longer in the plan, so that %s left out of what is "
                                        "proven.",
                                        m.left_out, m.left_out_count == 1 ? "it speaks" : "they speak",
                                        m.left_out_count == 1 ? "it is" : "they are"));
    if (json_array_size(m.criteria) == 0)
        put_open_point(&m, "ACCEPTANCE.md has no criteria, so that a run cannot succeed.");
    return 0;
}
