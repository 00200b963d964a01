/* decompose: a plan's parts grouped into tasks that can be carried out side by side and merged in order. */
#include <stdio.h>
#include <string.h>

#include "base/glob.h"
#include "base/json.h"
#include "base/str.h"
#include "planner/draft.h"
#include "planner/instruct.h"

#define MAX_TASKS 15

struct grouping {
    struct arena *arena;
    const json_t *plan;
    struct part *parts;
    size_t part_count;
    struct task_group groups[MAX_TASKS + 16];
    size_t count;
    size_t *group_of; /* of each part */
};

static struct task_group *group_for(struct grouping *grouping, const char *slug, const char *title) {
    for (size_t i = 0; i < grouping->count; i++)
        if (str_eq(grouping->groups[i].slug, slug))
            return &grouping->groups[i];
    struct task_group *group = &grouping->groups[grouping->count++];
    *group =
        (struct task_group){.slug = slug,
                            .title = title,
                            .parts = arena_array(grouping->arena, grouping->part_count + 1, sizeof(struct part *))};
    return group;
}

static const json_t *module_of(const struct grouping *grouping, const struct part *part) {
    const char *slug = strchr(part->id, ':') + 1;
    const char *list = str_starts(part->id, "entity:") ? "entities" : "views";
    size_t i;
    json_t *module;
    json_array_foreach (json_object_get(grouping->plan, "modules"), i, module) {
        if (is_in(json_object_get(module, list), slug))
            return module;
    }
    return NULL;
}

/* Which task a part goes into: the base one by one, entities and views by module, what is switched on together. */
static struct task_group *group_of_part(struct grouping *grouping, const struct part *part) {
    static const struct {
        const char *part, *slug, *title;
    } rows[] = {{"foundation", "foundation", "Project set-up"},
                {"data", "data", "Database and accounts"},
                {"shell", "shell", "Frame of the app"},
                {"auth", "accounts", "Signing in and people"},
                {"dashboard", "dashboard", "Dashboard"},
                {"tests", "tests", "The app's own tests"},
                {"docs", "docs", "README"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (str_eq(rows[i].part, part->id))
            return group_for(grouping, rows[i].slug, rows[i].title);
    const json_t *module = strchr(part->id, ':') ? module_of(grouping, part) : NULL;
    if (!module)
        return group_for(grouping, "capabilities", "Settings and what the whole app can do");
    const char *slug = arena_printf(grouping->arena, "module-%s", json_str(module, "slug", ""));
    struct task_group *group = group_for(grouping, slug, json_str(module, "title", ""));
    group->module = module;
    return group;
}

static void group_parts(struct grouping *grouping) {
    for (size_t i = 0; i < grouping->part_count; i++) {
        struct task_group *group = group_of_part(grouping, &grouping->parts[i]);
        group->parts[group->part_count++] = &grouping->parts[i];
        grouping->group_of[i] = (size_t)(group - grouping->groups);
    }
}

static void merge_groups(struct grouping *grouping, const char *into_slug, const char *from_slug, const char *title) {
    size_t into = grouping->count, from = grouping->count;
    for (size_t i = 0; i < grouping->count; i++) {
        into = str_eq(grouping->groups[i].slug, into_slug) ? i : into;
        from = str_eq(grouping->groups[i].slug, from_slug) ? i : from;
    }
    if (into == grouping->count || from == grouping->count)
        return;
    struct task_group *target = &grouping->groups[into], *source = &grouping->groups[from];
    target->title = title;
    for (size_t i = 0; i < source->part_count; i++)
        target->parts[target->part_count++] = source->parts[i];
    memmove(source, source + 1, (grouping->count - from - 1) * sizeof *source);
    grouping->count--;
    for (size_t i = 0; i < grouping->part_count; i++) {
        size_t *at = &grouping->group_of[i];
        *at = *at == from ? into : *at;
        *at = *at > from ? *at - 1 : *at;
    }
}

static size_t part_index(const struct grouping *grouping, const char *id) {
    for (size_t i = 0; i < grouping->part_count; i++)
        if (str_eq(grouping->parts[i].id, id))
            return i;
    return grouping->part_count;
}

static void find_needs(struct grouping *grouping) {
    for (size_t g = 0; g < grouping->count; g++) {
        struct task_group *group = &grouping->groups[g];
        group->needs = arena_array(grouping->arena, grouping->count + 1, sizeof(bool));
        for (size_t p = 0; p < group->part_count; p++) {
            for (size_t n = 0; n < group->parts[p]->need_count; n++) {
                size_t needed = part_index(grouping, group->parts[p]->needs[n]);
                if (needed < grouping->part_count && grouping->group_of[needed] != g)
                    group->needs[grouping->group_of[needed]] = true;
            }
        }
    }
}

/* Groups in an order in which needs come first; stable. Fails if the needs of parts close a circle between groups. */
static int order_groups(struct grouping *grouping, size_t *order, struct err *err) {
    bool done[MAX_TASKS + 16] = {false};
    for (size_t placed = 0; placed < grouping->count; placed++) {
        size_t next = grouping->count;
        for (size_t g = 0; g < grouping->count && next == grouping->count; g++) {
            bool is_ready = !done[g];
            for (size_t n = 0; n < grouping->count; n++)
                is_ready = is_ready && (!grouping->groups[g].needs[n] || done[n]);
            if (is_ready)
                next = g;
        }
        if (next == grouping->count)
            return err_set(err, ERR_INTERNAL, "the parts of this plan need each other in a circle");
        done[next] = true;
        order[placed] = next;
    }
    return 0;
}

/* ---- definitions */

static bool part_of_group(const struct task_group *group, const char *id) {
    for (size_t i = 0; i < group->part_count; i++)
        if (str_eq(group->parts[i]->id, id))
            return true;
    return false;
}

/* A criterion belongs to every task that has a part of it; to the first one, if none has. */
static void add_criteria(const struct grouping *grouping, const struct task_group *group, bool is_first, json_t *ids) {
    size_t i, j;
    json_t *criterion, *part;
    json_array_foreach (json_object_get(grouping->plan, "criteria"), i, criterion) {
        bool is_ours = false, is_anyones = false;
        json_array_foreach (json_object_get(criterion, "parts"), j, part) {
            const char *id = str_or(json_string_value(part), "");
            is_ours = is_ours || part_of_group(group, id);
            is_anyones = is_anyones || part_index(grouping, id) < grouping->part_count;
        }
        if (is_ours || (!is_anyones && is_first))
            json_array_append_new(ids, json_string(json_str(criterion, "id", "")));
    }
}

static json_t *definition(struct grouping *grouping, const size_t *order, size_t at) {
    struct task_group *group = &grouping->groups[order[at]];
    json_t *needs = json_array(), *scope = json_array(), *outputs = json_array(), *parts = json_array(),
           *criteria = json_array();
    for (size_t i = 0; i < at; i++)
        if (group->needs[order[i]])
            json_array_append_new(needs, json_sprintf("task-%03zu", i + 1));
    for (size_t p = 0; p < group->part_count; p++) {
        const struct part *part = group->parts[p];
        json_array_append_new(parts, json_string(part->id));
        for (size_t i = 0; i < part->scope_count; i++)
            if (!is_in(scope, part->scope[i]))
                json_array_append_new(scope, json_string(part->scope[i]));
        for (size_t i = 0; i < part->path_count; i++)
            json_array_append_new(outputs, json_string(part->paths[i]));
    }
    add_criteria(grouping, group, at == 0, criteria);
    const char *description = instruct_description(grouping->arena, grouping->plan, group);
    const char *instructions = instruct_text(grouping->arena, grouping->plan, group, criteria);
    return json_pack("{s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "id", json_sprintf("task-%03zu", at + 1), "slug",
                     group->slug, "description", description, "instructions", instructions, "dependencies", needs,
                     "pathScope", scope, "expectedOutputs", outputs, "criteria", criteria, "parts", parts);
}

/* Files on main that no part renders, outside every task's scope: what is inside one is cleared by that task. */
static json_t *retired_paths(const struct grouping *grouping, const char *const *paths, size_t count) {
    json_t *retired = json_array();
    for (size_t i = 0; i < count; i++) {
        bool is_kept = !glob_is_valid(paths[i]);
        for (size_t p = 0; p < grouping->part_count && !is_kept; p++)
            for (size_t s = 0; s < grouping->parts[p].scope_count && !is_kept; s++)
                is_kept = glob_match(grouping->parts[p].scope[s], paths[i]);
        if (!is_kept)
            json_array_append_new(retired, json_string(paths[i]));
    }
    return retired;
}

static void add_retirement(json_t *tasks, json_t *order, json_t *paths, struct arena *arena) {
    size_t number = json_array_size(tasks) + 1, i;
    if (json_array_size(paths) == 0) {
        json_decref(paths);
        return;
    }
    const char *list = "";
    json_t *path;
    json_array_foreach (paths, i, path) {
        if (i < 40)
            list = arena_printf(arena, "%s- %s\n", list, json_string_value(path));
    }
    const char *instructions =
        arena_printf(arena,
                     "Delete these files. They belong to an earlier version of the app, and nothing in the plan refers "
                     "to them any more:\n\n%s%s\nCreate and change nothing else.",
                     list, json_array_size(paths) > 40 ? "- and the others in the path scope\n" : "");
    json_array_append_new(order, json_sprintf("task-%03zu", number));
    json_array_append_new(tasks, json_pack("{s:o, s:s, s:s, s:s, s:[], s:o, s:[], s:[], s:[s]}", "id",
                                           json_sprintf("task-%03zu", number), "slug", "retire", "description",
                                           "Remove files that the plan no longer has", "instructions", instructions,
                                           "dependencies", "pathScope", paths, "expectedOutputs", "criteria", "parts",
                                           "retire"));
}

int planner_decompose(const struct planner *planner, const json_t *plan, const char *const *base_paths,
                      size_t base_path_count, struct arena *arena, json_t **tasks, struct err *err) {
    json_t *view;
    struct grouping grouping = {.arena = arena, .plan = plan};
    int rc = blueprint_view(plan, arena, &view, err);
    if (rc == 0)
        rc = stack_parts(planner->stack, view, arena, &grouping.parts, &grouping.part_count, err);
    if (rc < 0)
        return rc;
    grouping.group_of = arena_array(arena, grouping.part_count + 1, sizeof(size_t));
    group_parts(&grouping);
    merge_groups(&grouping, "tests", "docs", "Tests and README");
    if (grouping.count > MAX_TASKS - 1)
        merge_groups(&grouping, "capabilities", "dashboard", "Dashboard, settings and what the whole app can do");
    find_needs(&grouping);
    size_t *order = arena_array(arena, grouping.count + 1, sizeof(size_t));
    rc = order_groups(&grouping, order, err);
    if (rc < 0)
        return rc;
    json_t *list = json_array(), *merge_order = json_array();
    json_t *out = json_own(arena, json_pack("{s:o, s:o}", "tasks", list, "mergeOrder", merge_order));
    for (size_t i = 0; i < grouping.count; i++) {
        json_array_append_new(list, definition(&grouping, order, i));
        json_array_append_new(merge_order, json_sprintf("task-%03zu", i + 1));
    }
    add_retirement(list, merge_order, retired_paths(&grouping, base_paths, base_path_count), arena);
    struct err fault = {0};
    if (planner_check_tasks(out, plan, &fault) < 0)
        return err_set(err, ERR_INTERNAL, "decomposition is faulty: %s", fault.message);
    *tasks = out;
    return 0;
}
