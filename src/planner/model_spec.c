/* model_spec: the spec that a model writes: prose by the model, lists and tables from the plan, so that they agree. */
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/mustache.h"
#include "base/str.h"
#include "planner/draft.h"
#include "planner/edit.h"
#include "planner/model_parts.h"

enum {
    PROSE_LEAST = 80,
    PROSE_MOST = 60000,  /* characters */
    POINTS_MOST = 20,    /* open points */
    BASE_BYTES = 200000, /* of an earlier plan that is told */
    DOCUMENT_BYTES = 2 << 20,
};

static const char *const names[] = {"SPEC.md", "ACCEPTANCE.md", "ROUTES.md", "DATA.md"};

struct writing {
    const struct planner_model *by;
    const struct planner_input *input;
    const struct planner_base *base;     /* or NULL */
    const char *old_criteria, *criteria; /* ACCEPTANCE.md before and after a person's edit of it; or NULL */
    struct arena *arena;
    json_t *plan;
    const char *spec, *data; /* the prose */
    json_t *open_points;
};

bool plan_is_by_model(const json_t *plan) {
    return str_eq(json_str(plan, "source", ""), "model");
}

/* ---- From the answer to the plan */

static json_t *answers_of(const struct writing *w) {
    json_t *list = json_array(), *answers = input_answers(w->input, w->arena), *answer;
    const char *id;
    json_object_foreach (answers, id, answer)
        json_array_append_new(list, json_pack("{s:s, s:s}", "question",
                                              json_str(find_by(w->input->questions, "id", id, NULL), "question", id),
                                              "answer", plan_answer_text(w->arena, answer)));
    return list;
}

static json_t *take_routes(const json_t *answer) {
    static const char *const keys[] = {"method", "path", "kind", "auth", "summary"};
    json_t *routes = json_array(), *given;
    size_t i;
    json_array_foreach (json_object_get(answer, "routes"), i, given) {
        json_t *route = json_object();
        for (size_t k = 0; k < ARRAY_LEN(keys); k++)
            if (json_object_get(given, keys[k]))
                json_object_set(route, keys[k], json_object_get(given, keys[k]));
        json_array_append_new(routes, route);
    }
    return routes;
}

static json_t *take_check(const struct writing *w, const json_t *given, const char *place, struct faults *faults) {
    const char *kind = json_str(given, "kind", "");
    json_t *check = json_pack("{s:s}", "kind", kind);
    if (str_eq(kind, "http"))
        json_object_set_new(check, "steps",
                            steps_take(w->arena, json_object_get(given, "steps"),
                                       arena_printf(w->arena, "%s.check.steps", place), faults));
    if (str_eq(kind, "files") && json_object_get(given, "paths"))
        json_object_set(check, "paths", json_object_get(given, "paths"));
    if (str_eq(kind, "files") && json_array_size(json_object_get(given, "contains")) > 0)
        json_object_set(check, "contains", json_object_get(given, "contains"));
    return check;
}

static json_t *take_criteria(const struct writing *w, const json_t *answer, struct faults *faults) {
    json_t *criteria = json_array(), *given;
    size_t i;
    json_array_foreach (json_object_get(answer, "criteria"), i, given)
        json_array_append_new(criteria, json_pack("{s:s, s:s, s:s, s:o}", "id", json_str(given, "id", ""), "title",
                                                  json_str(given, "title", ""), "statement",
                                                  json_str(given, "statement", ""), "check",
                                                  take_check(w, json_object_get(given, "check"),
                                                             arena_printf(w->arena, "criteria.%zu", i), faults)));
    return criteria;
}

/* With a title of its own, if the model gave none. */
static const char *prose(struct writing *w, const json_t *answer, const char *key, const char *title,
                         struct faults *faults) {
    const char *text = need_text(faults, answer, key, PROSE_LEAST, PROSE_MOST, "");
    const char *secret = text ? secret_in(text) : NULL;
    if (secret)
        faults_add(faults, key, "it holds what looks like a secret (%s…)", secret);
    if (!text || str_starts(text, "# "))
        return text;
    return arena_printf(w->arena, "# %s: %s\n\n%s", w->input->name, title, text);
}

static void take_points(struct writing *w, const json_t *answer, struct faults *faults) {
    const json_t *given = need_list(faults, answer, "openPoints", 0, POINTS_MOST, "");
    size_t i;
    json_t *point;
    w->open_points = json_own(w->arena, json_array());
    json_array_foreach (given, i, point) {
        if (!json_is_string(point) || str_utf8_len(json_string_value(point)) > 500)
            faults_add(faults, "", "openPoints.%zu must be a text of at most 500 characters", i);
        else
            json_array_append(w->open_points, point);
    }
}

/* The criteria become those of the document. What it dropped may be what others rest upon. */
static void follow_edit(struct writing *w, struct faults *faults) {
    struct err err = {0};
    if (edit_criteria(w->arena, w->plan, w->base->plan, w->old_criteria, w->criteria, w->open_points, &err) < 0)
        faults_add(faults, "", "%s", err.message);
    else
        plan_judge(w->plan, true, faults);
}

static void judge_spec(const json_t *answer, void *arg, struct faults *faults) {
    struct writing *w = arg;
    const json_t *setup = json_object_get(answer, "setup");
    w->spec = prose(w, answer, "spec", "specification", faults);
    w->data = prose(w, answer, "data", "data", faults);
    take_points(w, answer, faults);
    w->plan = json_own(
        w->arena, json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:[], s:o, s:{}, s:O, s:o}", "version", 1, "name",
                            w->input->name, "slug", str_slug(w->arena, w->input->name, 40, "app"), "tagline",
                            json_str(answer, "tagline", ""), "description", w->input->description, "source", "model",
                            "routes", take_routes(answer), "setup", steps_take(w->arena, setup, "setup", faults),
                            "checks", "criteria", take_criteria(w, answer, faults), "settings", "openPoints",
                            w->open_points, "answers", answers_of(w)));
    plan_judge(w->plan, false, faults);
    if (w->criteria && faults->count == 0)
        follow_edit(w, faults);
}

/* ---- Documents */

static int render(struct writing *w, const char *template_name, json_t *context, const char **out, struct err *err) {
    CLEANUP(buf_release) struct buf text = {.max_bytes = DOCUMENT_BYTES};
    const char *path = arena_printf(w->arena, "documents/%s.mustache", template_name);
    size_t len = 0;
    const char *template = assets_get(w->by->assets, path, &len);
    if (!template)
        return err_set(err, ERR_INTERNAL, "%s is missing", path);
    int rc = mustache_render(template, len, &context, 1, NULL, NULL, &text, err);
    if (rc < 0)
        return err_wrap(err, "%s", path);
    *out = arena_strndup(w->arena, str_or(text.data, ""), text.len);
    return 0;
}

/* The documents of the plan, but those that a person wrote. */
static int write_documents(struct writing *w, json_t **documents, struct err *err) {
    const struct planner_base *base = w->base;
    const char *texts[] = {w->spec, NULL, NULL, w->data};
    json_t *context = json_own(w->arena, json_pack("{s:s, s:o, s:o, s:o}", "name", w->input->name, "criteriaGroups",
                                                   documents_criteria(w->arena, w->plan), "pageRoutes",
                                                   documents_routes(w->arena, w->plan, "page"), "apiRoutes",
                                                   documents_routes(w->arena, w->plan, "api")));
    int rc = render(w, "ACCEPTANCE.md", context, &texts[1], err);
    if (rc == 0)
        rc = render(w, "model/ROUTES.md", context, &texts[2], err);
    if (rc < 0)
        return rc;
    json_t *out = json_own(w->arena, json_object());
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *is = base ? json_str(base->edited, names[i], NULL) : NULL,
                   *was = base ? json_str(base->documents, names[i], NULL) : NULL;
        bool is_prose = i == 0 || i == 3;
        /* What a person wrote stays word for word, and an edit of one document leaves the prose of the others. */
        put_str(out, names[i], is && (is_prose || !str_eq(is, was)) ? is : texts[i]);
    }
    *documents = out;
    return 0;
}

/* ---- The prompt */

static void put_base(struct writing *w, json_t *context) {
    const struct planner_base *base = w->base;
    json_t *told = json_array(), *edited = json_array();
    const char *plan = json_text(w->arena, base->plan);
    if (strlen(plan) > BASE_BYTES)
        plan = json_text(w->arena, json_object_get(base->plan, "routes"));
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *was = json_str(base->documents, names[i], ""), *is = json_str(base->edited, names[i], was);
        if (!str_eq(is, was))
            json_array_append_new(edited, json_pack("{s:s, s:s}", "name", names[i], "text", is));
        else if (i == 0 || i == 3)
            json_array_append_new(told, json_pack("{s:s, s:s}", "name", names[i], "text", was));
    }
    json_object_set_new(context, "base", json_pack("{s:s, s:o}", "plan", plan, "documents", told));
    json_object_set_new(context, "isEdited", json_boolean(json_array_size(edited) > 0));
    json_object_set_new(context, "edited", edited);
}

/* Before anybody is paid for it: the criteria that a person wrote can be read. */
static int take_edit(struct writing *w, struct err *err) {
    const char *before = json_str(w->base->documents, "ACCEPTANCE.md", ""),
               *after = json_str(w->base->edited, "ACCEPTANCE.md", before);
    json_t *plan = json_own(w->arena, json_deep_copy(w->base->plan));
    if (str_eq(before, after))
        return 0;
    w->old_criteria = before;
    w->criteria = after;
    return edit_criteria(w->arena, plan, w->base->plan, before, after, json_own(w->arena, json_array()), err);
}

int model_spec(const struct planner_model *by, const struct planner_input *input, const struct planner_base *base,
               struct arena *arena, struct planner_spec *out, struct planner_failure *failure, struct err *err) {
    struct writing w = {.by = by, .input = input, .base = base && base->plan ? base : NULL, .arena = arena};
    json_t *context = model_context(input, arena), *documents = NULL;
    int rc = w.base ? take_edit(&w, err) : 0;
    if (rc < 0)
        return rc;
    json_object_set_new(context, "answers", answers_of(&w));
    json_object_set_new(context, "hasAnswers", json_boolean(json_array_size(json_object_get(context, "answers")) > 0));
    if (w.base)
        put_base(&w, context);
    rc = model_ask(by,
                   &(struct model_asking){
                       .scope = "spec", .prompt = "spec", .context = context, .judge = judge_spec, .judge_arg = &w},
                   arena, failure, err);
    if (rc == 0)
        rc = write_documents(&w, &documents, err);
    if (rc == 0)
        *out = (struct planner_spec){.documents = documents, .plan = w.plan, .open_points = w.open_points};
    return rc;
}
