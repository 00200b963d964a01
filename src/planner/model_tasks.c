/* model_tasks: the tasks into which a model takes a plan apart. */
#include <string.h>

#include "base/glob.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "planner/draft.h"
#include "planner/model_parts.h"

enum {
    TASKS_MOST = 20,
    PATHS_TOLD = 500,
    /* What is compared pair by pair is bounded. */
    PATTERNS_MOST = 200, /* of all tasks */
    PATTERN_BYTES = 160,
};
#define PLACE(...) arena_printf(faults->arena, __VA_ARGS__)

struct graph {
    struct faults *faults;
    const json_t *plan;
    const json_t *tasks; /* as the model wrote them */
    size_t count;
    size_t patterns;
    size_t order[TASKS_MOST]; /* by place in mergeOrder */
    size_t place[TASKS_MOST]; /* of each task in it */
    bool before[TASKS_MOST][TASKS_MOST];
};

static const json_t *task_at(const struct graph *g, size_t at) {
    return json_array_get(g->tasks, at);
}

static const char *slug_of(const struct graph *g, size_t at) {
    return json_str(task_at(g, at), "slug", "");
}

static bool find_task(const struct graph *g, const char *slug, size_t *out) {
    for (size_t i = 0; i < g->count; i++)
        if (slug && *slug && str_eq(slug_of(g, i), slug)) {
            *out = i;
            return true;
        }
    return false;
}

/* ---- One task */

static bool is_slug(const char *text) {
    size_t len = strlen(text);
    return len > 0 && len <= 40 && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len && text[0] != '-' &&
           text[len - 1] != '-';
}

static void judge_paths(struct graph *g, const json_t *task, const char *place) {
    struct faults *faults = g->faults;
    const json_t *scope = need_list(faults, task, "pathScope", 1, 60, place),
                 *outputs = need_list(faults, task, "expectedOutputs", 0, 200, place);
    size_t i, k;
    json_t *item, *pattern;
    json_array_foreach (scope, i, item) {
        const char *text = str_or(json_string_value(item), "");
        g->patterns++;
        if (!glob_is_valid(text) || strlen(text) > PATTERN_BYTES || str_starts(text, ".git/") || str_eq(text, ".git"))
            faults_add(faults, place, "pathScope.%zu, \"%s\", is no pattern of files that a task may change", i, text);
    }
    json_array_foreach (outputs, i, item) {
        const char *path = str_or(json_string_value(item), "");
        bool is_within = false;
        json_array_foreach (scope, k, pattern)
            is_within = is_within || glob_match(str_or(json_string_value(pattern), ""), path);
        if (!glob_is_valid(path) || strpbrk(path, "*?"))
            faults_add(faults, place, "expectedOutputs.%zu, \"%s\", is no path of a file", i, path);
        else if (!is_within)
            faults_add(faults, place, "the output %s is outside its pathScope", path);
    }
}

static void judge_task(struct graph *g, size_t at) {
    struct faults *faults = g->faults;
    const json_t *task = task_at(g, at);
    const char *slug = slug_of(g, at);
    const char *place = PLACE("tasks.%zu (%.40s)", at, slug);
    size_t first = at, i;
    json_t *id;
    if (!is_slug(slug))
        faults_add(faults, place, "\"slug\" must be 1 to 40 of a-z, 0-9 and -, and not begin or end with -");
    if (find_task(g, slug, &first) && first != at)
        faults_add(faults, place, "this slug is there twice");
    (void)need_text(faults, task, "description", 1, 300, place);
    const char *instructions = need_text(faults, task, "instructions", 40, 20000, place);
    if (instructions && secret_in(instructions))
        faults_add(faults, place, "the instructions hold what looks like a secret (%s…)", secret_in(instructions));
    judge_paths(g, task, place);
    json_array_foreach (json_object_get(task, "criteria"), i, id) {
        if (!find_by(json_object_get(g->plan, "criteria"), "id", str_or(json_string_value(id), ""), NULL))
            faults_add(faults, place, "criteria.%zu, \"%s\", is no criterion of the plan", i,
                       str_or(json_string_value(id), "?"));
    }
}

/* ---- All of them */

/* False: there is none. */
static bool judge_order(struct graph *g, const json_t *order) {
    size_t i, at, faults_before = g->faults->count;
    json_t *slug;
    for (i = 0; i < g->count; i++)
        g->place[i] = TASKS_MOST;
    if (!json_is_array(order) || json_array_size(order) != g->count)
        faults_add(g->faults, "mergeOrder", "it must name every task once, by its slug");
    json_array_foreach (order, i, slug) {
        if (i >= g->count)
            break;
        if (!find_task(g, json_string_value(slug), &at) || g->place[at] != TASKS_MOST) {
            faults_add(g->faults, "mergeOrder", "\"%s\" is no task, or there twice",
                       str_or(json_string_value(slug), "?"));
            continue;
        }
        g->place[at] = i;
        g->order[i] = at;
    }
    return g->faults->count == faults_before;
}

/* Dependencies come first in mergeOrder: then there is no circle, and what is before what can be read off in order. */
static void judge_dependencies(struct graph *g) {
    for (size_t n = 0; n < g->count; n++) {
        size_t at = g->order[n], i, needed;
        json_t *slug;
        json_array_foreach (json_object_get(task_at(g, at), "dependencies"), i, slug) {
            if (!find_task(g, json_string_value(slug), &needed)) {
                faults_add(g->faults, slug_of(g, at), "it depends on \"%s\", which is no task",
                           str_or(json_string_value(slug), "?"));
                continue;
            }
            if (g->place[needed] >= n) {
                faults_add(g->faults, slug_of(g, at), "it depends on %s, which does not come before it in mergeOrder",
                           slug_of(g, needed));
                continue;
            }
            g->before[needed][at] = true;
            for (size_t k = 0; k < g->count; k++)
                g->before[k][at] = g->before[k][at] || g->before[k][needed];
        }
    }
}

static void judge_pair(struct graph *g, size_t a, size_t b) {
    size_t i, k;
    json_t *x, *y;
    json_array_foreach (json_object_get(task_at(g, a), "pathScope"), i, x) {
        json_array_foreach (json_object_get(task_at(g, b), "pathScope"), k, y) {
            const char *first = str_or(json_string_value(x), ""), *second = str_or(json_string_value(y), "");
            if (!glob_overlap(first, second))
                continue;
            faults_add(g->faults, "",
                       "the tasks %s and %s would run side by side, but both may change files of %s and %s: let one "
                       "depend on the other, or part their scopes",
                       slug_of(g, a), slug_of(g, b), first, second);
            return;
        }
    }
}

static void judge_scopes(struct graph *g) {
    for (size_t a = 0; a < g->count; a++)
        for (size_t b = a + 1; b < g->count; b++)
            if (!g->before[a][b] && !g->before[b][a])
                judge_pair(g, a, b);
}

static void judge_covered(struct graph *g) {
    size_t i, k;
    json_t *criterion, *task;
    json_array_foreach (json_object_get(g->plan, "criteria"), i, criterion) {
        bool is_covered = false;
        json_array_foreach (g->tasks, k, task)
            is_covered = is_covered || is_in(json_object_get(task, "criteria"), json_str(criterion, "id", ""));
        if (!is_covered)
            faults_add(g->faults, "", "no task answers for the criterion %s", json_str(criterion, "id", "?"));
    }
}

/* ---- As definitions */

static json_t *list_of(const json_t *task, const char *key) {
    const json_t *list = json_object_get(task, key);
    return json_is_array(list) ? json_deep_copy(list) : json_array();
}

static json_t *definition(const struct graph *g, size_t n) {
    const json_t *task = task_at(g, g->order[n]);
    json_t *needs = json_array(), *slug;
    size_t i, at;
    json_array_foreach (json_object_get(task, "dependencies"), i, slug) {
        if (find_task(g, json_string_value(slug), &at))
            json_array_append_new(needs, json_sprintf("task-%03zu", g->place[at] + 1));
    }
    return json_pack("{s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:[]}", "id", json_sprintf("task-%03zu", n + 1), "slug",
                     json_str(task, "slug", ""), "description", json_str(task, "description", ""), "instructions",
                     json_str(task, "instructions", ""), "dependencies", needs, "pathScope", list_of(task, "pathScope"),
                     "expectedOutputs", list_of(task, "expectedOutputs"), "criteria", list_of(task, "criteria"),
                     "parts");
}

json_t *tasks_take(struct arena *arena, const json_t *answer, const json_t *plan, struct faults *faults) {
    struct graph g = {.faults = faults, .plan = plan};
    struct err err = {0};
    g.tasks = need_list(faults, answer, "tasks", 1, TASKS_MOST, "");
    g.count = json_array_size(g.tasks);
    for (size_t i = 0; i < g.count; i++)
        judge_task(&g, i);
    if (g.patterns > PATTERNS_MOST)
        faults_add(faults, "", "all tasks together have %zu patterns in their pathScopes, where %d are the most",
                   g.patterns, PATTERNS_MOST);
    else if (g.count > 0 && judge_order(&g, json_object_get(answer, "mergeOrder"))) {
        judge_dependencies(&g);
        judge_scopes(&g);
    }
    judge_covered(&g);
    if (faults->count > 0)
        return NULL;
    json_t *list = json_array(), *order = json_array();
    json_t *tasks = json_own(arena, json_pack("{s:o, s:o}", "tasks", list, "mergeOrder", order));
    for (size_t n = 0; n < g.count; n++) {
        json_array_append_new(list, definition(&g, n));
        json_array_append_new(order, json_sprintf("task-%03zu", n + 1));
    }
    if (planner_check_tasks(tasks, plan, &err) == 0)
        return tasks;
    faults_add(faults, "", "%s", err.message);
    return NULL;
}

/* ---- Asking */

struct taking {
    struct arena *arena;
    const json_t *plan;
    json_t *tasks;
};

static void judge_tasks(const json_t *answer, void *arg, struct faults *faults) {
    struct taking *taking = arg;
    taking->tasks = tasks_take(taking->arena, answer, taking->plan, faults);
}

static json_t *context_of(struct arena *arena, const json_t *plan, const json_t *documents,
                          const char *const *base_paths, size_t base_path_count) {
    static const char *const names[] = {"SPEC.md", "DATA.md", "ROUTES.md", "ACCEPTANCE.md"};
    json_t *told = json_array(), *paths = json_array();
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        json_array_append_new(told,
                              json_pack("{s:s, s:s}", "name", names[i], "text", json_str(documents, names[i], "")));
    for (size_t i = 0; i < base_path_count && i < PATHS_TOLD; i++)
        json_array_append_new(paths, json_string(str_or(str_mend(arena, base_paths[i]), "")));
    return json_own(arena, json_pack("{s:s, s:o, s:b, s:o, s:I}", "name", json_str(plan, "name", ""), "documents", told,
                                     "hasPaths", base_path_count > 0, "paths", paths, "pathCount",
                                     (json_int_t)base_path_count));
}

int model_decompose(const struct planner_model *by, const json_t *plan, const json_t *documents,
                    const char *const *base_paths, size_t base_path_count, struct arena *arena, json_t **tasks,
                    struct planner_failure *failure, struct err *err) {
    struct taking taking = {.arena = arena, .plan = plan};
    int rc =
        model_ask(by,
                  &(struct model_asking){.scope = "decompose",
                                         .prompt = "decompose",
                                         .context = context_of(arena, plan, documents, base_paths, base_path_count),
                                         .judge = judge_tasks,
                                         .judge_arg = &taking},
                  arena, failure, err);
    if (rc == 0)
        *tasks = taking.tasks;
    return rc;
}
