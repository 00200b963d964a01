/* edit: a plan that follows documents which a person has changed, as far as the changes are understood. */
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "planner/edit.h"
#include "planner/instruct.h"

#define MOST_OPEN_POINTS 60
#define MOST_FEEDBACK 1000 /* texts that a plan is made from */

struct editing {
    const struct planner *planner;
    const struct planner_edit *edit;
    struct arena *arena;
    struct planner_input input; /* with the wishes at the end of its feedback */
    struct edit_lines lines;
    size_t *wish_at; /* of each line: the index of its wish in the feedback */
    struct draft draft;
    json_t *plan, *documents; /* made anew */
    json_t *open_points;
};

/* What an earlier edit added, and this one takes back or says again. */
static bool is_withdrawn(const struct editing *e, const char *feedback) {
    for (size_t i = 0; i < e->lines.count; i++) {
        struct edit_line as_added = e->lines.items[i];
        if (str_eq(as_added.wish, feedback))
            return true;
        if (as_added.is_added)
            continue;
        as_added.is_added = true;
        edit_wish(e->arena, e->edit->plan, &as_added);
        if (str_eq(as_added.wish, feedback))
            return true;
    }
    return false;
}

static void gather_feedback(struct editing *e) {
    const struct planner_input *given = e->edit->input;
    const char **texts = arena_array(e->arena, given->feedback_count + e->lines.count + 1, sizeof *texts);
    size_t count = 0;
    for (size_t i = 0; i < given->feedback_count; i++)
        if (!is_withdrawn(e, given->feedback[i]))
            texts[count++] = given->feedback[i];
    e->wish_at = arena_array(e->arena, e->lines.count + 1, sizeof *e->wish_at);
    for (size_t i = 0; i < e->lines.count; i++) {
        if (!e->lines.items[i].wish)
            continue;
        e->wish_at[i] = count;
        texts[count++] = e->lines.items[i].wish;
    }
    e->input = *given;
    e->input.name = json_str(e->edit->plan, "name", given->name);
    e->input.description = json_str(e->edit->plan, "description", given->description);
    e->input.feedback = texts;
    e->input.feedback_count = count;
}

/* What was heard of the feedback text at an index. */
struct hearing {
    size_t understood, misread;
};

static struct hearing hearing_of(const struct editing *e, size_t at) {
    struct hearing hearing = {0};
    size_t i;
    json_t *clause;
    json_array_foreach (e->draft.heard, i, clause) {
        if (json_int(clause, "at", -1) != (int64_t)at)
            continue;
        hearing.understood += json_flag(clause, "isUnderstood", false);
        hearing.misread += !json_flag(clause, "isUnderstood", false);
    }
    return hearing;
}

static bool is_wish(const struct editing *e, int64_t at) {
    for (size_t i = 0; i < e->lines.count; i++)
        if (e->lines.items[i].wish && (int64_t)e->wish_at[i] == at)
            return true;
    return false;
}

/* The planner's own, without those about wishes: what is told of a line is told in the line's words. */
static void keep_open_points(struct editing *e) {
    json_auto_t *of_wishes = json_object();
    size_t i;
    json_t *item;
    json_array_foreach (e->draft.heard, i, item) {
        if (is_wish(e, json_int(item, "at", -1)))
            json_object_set_new(of_wishes, json_str(item, "openPoint", ""), json_true());
    }
    json_array_foreach (e->draft.open_points, i, item) {
        if (!json_object_get(of_wishes, json_string_value(item)))
            json_array_append(e->open_points, item);
    }
}

/* A field's row in the new DATA.md, or NULL: what the plan says of it. */
static const char *words_in_plan(struct editing *e, const struct edit_line *line) {
    const char *cells[EDIT_CELLS], *label;
    size_t count = edit_cells(e->arena, line->text, cells), i, k;
    json_t *entity, *field;
    if (count < 3 || !str_eq(line->document, "DATA.md"))
        return NULL;
    label = cells[1];
    json_array_foreach (json_object_get(e->plan, "entities"), i, entity) {
        if (!str_eq(json_str(entity, "plural", ""), line->section))
            continue;
        json_array_foreach (json_object_get(entity, "fields"), k, field) {
            if (strcasecmp(json_str(field, "label", ""), label) == 0)
                return describe_field(e->arena, e->plan, field);
        }
    }
    return NULL;
}

static const char *open_point_of(struct editing *e, size_t at, const json_t *keys_now) {
    const struct edit_line *line = &e->lines.items[at];
    const char *words = NULL, *text = edit_excerpt(e->arena, line->text);
    bool is_in_plan = json_object_get(keys_now, line->key) != NULL;
    if (line->is_settled || (line->is_added && is_in_plan))
        return NULL;
    if (!line->is_added)
        return is_in_plan ? arena_printf(e->arena, "%s no longer says \"%s\", but the plan still has it.",
                                         line->document, text)
                          : NULL;
    struct hearing hearing = line->wish ? hearing_of(e, e->wish_at[at]) : (struct hearing){0};
    if (hearing.understood > 0)
        words = words_in_plan(e, line);
    const char *cells[EDIT_CELLS];
    if (words && edit_cells(e->arena, line->text, cells) > 2 && !str_starts(cells[2], words))
        return arena_printf(e->arena, "DATA.md says that \"%s\" of %s is \"%s\"; in the plan it is \"%s\".", cells[1],
                            text_lower_first(e->arena, line->section), edit_excerpt(e->arena, cells[2]), words);
    if (hearing.understood > 0 && hearing.misread == 0)
        return NULL;
    return arena_printf(e->arena, "%s now says \"%s\": %s.", line->document, text,
                        hearing.understood > 0 ? "only a part of it is understood, and followed by the plan"
                                               : "not understood, so nothing in the plan changed for it");
}

static void tell_lines(struct editing *e) {
    const json_t *keys_now = edit_keys(e->arena, e->documents, e->lines.renamed);
    size_t untold = e->lines.left;
    for (size_t i = 0; i < e->lines.count; i++) {
        const char *text = open_point_of(e, i, keys_now);
        if (!text)
            continue;
        if (json_array_size(e->open_points) < MOST_OPEN_POINTS)
            json_array_append_new(e->open_points, json_string(text));
        else
            untold++;
    }
    if (untold > 0)
        json_array_append_new(
            e->open_points, json_sprintf("%zu more changed line%s: not looked into.", untold, untold == 1 ? "" : "s"));
}

/* The wishes that were understood are feedback from now on. */
static json_t *feedback_from_now_on(const struct editing *e) {
    json_t *texts = json_own(e->arena, json_array());
    for (size_t i = 0; i < e->input.feedback_count; i++)
        if (!is_wish(e, (int64_t)i) || hearing_of(e, i).understood > 0)
            json_array_append_new(texts, json_string(e->input.feedback[i]));
    return texts;
}

/* A plan that cannot be made is the documents' fault: the description was good enough. */
static int make_plan(struct editing *e, struct err *err) {
    int rc = draft_make(&e->draft, e->planner, &e->input, input_answers(&e->input, e->arena), e->arena, err);
    if (rc < 0)
        return err->code == ERR_VALIDATION
                   ? err_field(err, ERR_VALIDATION, "documents", "Nothing that an app could keep is left")
                   : rc;
    draft_finish(&e->draft);
    e->plan = plan_make(&e->draft);
    return plan_documents(e->planner, e->plan, e->arena, &e->documents, err);
}

int planner_edit(const struct planner *planner, const struct planner_edit *edit, struct arena *arena,
                 struct planner_spec *out, json_t **feedback, struct err *err) {
    struct editing e = {.planner = planner, .edit = edit, .arena = arena};
    e.open_points = json_own(arena, json_array());
    edit_compare(arena, edit->plan, edit->before, edit->after, &e.lines);
    gather_feedback(&e);
    if (e.input.feedback_count > MOST_FEEDBACK)
        return err_field(err, ERR_VALIDATION, "documents",
                         "With this, the changes of all versions are more than %d; describe the app anew",
                         MOST_FEEDBACK);
    int rc = make_plan(&e, err);
    if (rc < 0)
        return rc;
    keep_open_points(&e);
    tell_lines(&e);
    rc = edit_criteria(arena, e.plan, edit->plan, json_str(edit->before, "ACCEPTANCE.md", ""),
                       json_str(edit->after, "ACCEPTANCE.md", ""), e.open_points, err);
    if (rc < 0)
        return rc;
    json_object_set(e.plan, "openPoints", e.open_points);
    *out = (struct planner_spec){
        .documents = json_own(arena, json_deep_copy(edit->after)), .plan = e.plan, .open_points = e.open_points};
    *feedback = feedback_from_now_on(&e);
    return 0;
}
