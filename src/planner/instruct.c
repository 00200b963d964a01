/* instruct: writes the description and the instructions of a task. */
#include "planner/instruct.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "planner/draft.h"

#define TEXT(...) arena_printf(arena, __VA_ARGS__)

static const char *names_of_module(struct arena *arena, const json_t *plan, const json_t *module) {
    const char *text = "";
    size_t i, count = 0;
    json_t *slug;
    json_array_foreach (json_object_get(module, "entities"), i, slug) {
        const json_t *entity =
            find_by(json_object_get(plan, "entities"), "slug", str_or(json_string_value(slug), ""), NULL);
        text = TEXT("%s%s%s", text, count++ ? ", " : "", text_lower_first(arena, json_str(entity, "plural", "")));
    }
    json_array_foreach (json_object_get(module, "views"), i, slug) {
        const json_t *view = find_by(json_object_get(plan, "views"), "slug", str_or(json_string_value(slug), ""), NULL);
        text = TEXT("%s%s%s", text, count++ ? ", " : "", text_lower_first(arena, json_str(view, "title", "")));
    }
    return text;
}

const char *instruct_description(struct arena *arena, const json_t *plan, const struct task_group *group) {
    if (group->module)
        return TEXT("%s: %s", group->title, names_of_module(arena, plan, group->module));
    const char *text = "";
    for (size_t i = 0; i < group->part_count; i++)
        text = TEXT("%s%s%s", text, i ? "; " : "",
                    i ? text_lower_first(arena, group->parts[i]->title) : group->parts[i]->title);
    return text;
}

static void put_entity(struct arena *arena, struct buf *out, const json_t *plan, const json_t *entity) {
    size_t i;
    json_t *item;
    buf_printf(
        out, "### %s (`%s`)\n\n%s Its title is %s.\n\n", json_str(entity, "plural", ""), json_str(entity, "slug", ""),
        json_str(entity, "summary", ""),
        text_lower_first(arena, json_str(entity_field(entity, json_str(entity, "titleField", "")), "label", "")));
    json_array_foreach (json_object_get(entity, "fields"), i, item)
        buf_printf(out, "- `%s` %s: %s\n", json_str(item, "name", ""), json_str(item, "label", ""),
                   describe_field(arena, plan, item));
    json_array_foreach (json_object_get(entity, "rules"), i, item)
        buf_printf(out, "%s- %s\n", i == 0 ? "\nRules:\n\n" : "", describe_rule(arena, plan, entity, item));
    buf_puts(out, "\n");
}

/* What each kind of part has to do, beside its files. */
static const char *duty_of(const struct part *part) {
    static const struct {
        const char *part, *duty;
    } rows[] = {
        {"foundation", "Set the project up: packages with a lock file, compiler settings, and the code that reads and "
                       "checks values. It must install, type-check and build before anything else is there."},
        {"data", "Open the database named by DATABASE_PATH and make every table of the plan at start, by migrations "
                 "that are safe to run again. References are foreign keys with the effect the plan gives them."},
        {"shell", "Build the frame: layout, navigation over all modules, form fields and lists that the other tasks "
                  "use, and the answers of the API to faults."},
        {"auth", "People sign up, in and out with email and password; sessions are cookies. The first one is admin. "
                 "Pages without a session lead to sign-in, API calls answer 401."},
        {"settings", "A page that shows how the app is set up."},
        {"dashboard", "The first page: the figures of the plan's dashboard, and what was added last."},
        {"search", "One search over the texts of all entities, as page and API."},
        {"audit", "Every creation, change and deletion is on record, as page and API, the newest first."},
        {"notifications",
         "When something is created or assigned, everybody else is told, as page and API, until they have read it."},
        {"tokens", "Tokens for programs: made, listed without their secret, taken back."},
        {"uploads", "Files are stored under UPLOADS_PATH and given back under their name."},
        {"tests", "Tests of the app's own: values, rules and tables, run without a server."},
        {"docs", "A README: what the app does, how to start it, where its data lies, how to back it up."},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (str_eq(rows[i].part, part->id))
            return rows[i].duty;
    return NULL;
}

static void put_part(struct arena *arena, struct buf *out, const json_t *plan, const struct part *part) {
    const char *slug = strchr(part->id, ':');
    const char *duty = duty_of(part);
    if (slug && str_starts(part->id, "entity:")) {
        put_entity(arena, out, plan, find_by(json_object_get(plan, "entities"), "slug", slug + 1, NULL));
    } else if (slug) {
        const json_t *view = find_by(json_object_get(plan, "views"), "slug", slug + 1, NULL);
        buf_printf(out, "### %s (`/%s`)\n\nA page that shows %s.\n\n", json_str(view, "title", ""), slug + 1,
                   describe_view(arena, plan, view));
    } else {
        buf_printf(out, "### %s\n\n%s\n\n", part->title, duty ? duty : "Build what the files below are for.");
    }
}

static void put_criteria(struct buf *out, const json_t *plan, const json_t *ids) {
    size_t i;
    json_t *id;
    if (json_array_size(ids) == 0)
        return;
    buf_puts(out, "## It is done when\n\n");
    json_array_foreach (ids, i, id) {
        const json_t *criterion =
            find_by(json_object_get(plan, "criteria"), "id", str_or(json_string_value(id), ""), NULL);
        buf_printf(out, "- %s: %s\n", json_string_value(id), json_str(criterion, "statement", ""));
    }
    buf_puts(out, "\n");
}

const char *instruct_text(struct arena *arena, const json_t *plan, const struct task_group *group,
                          const json_t *criteria) {
    CLEANUP(buf_release) struct buf out = {0};
    buf_printf(&out, "%s for %s.\n\n## What to build\n\n", group->title, json_str(plan, "name", "the app"));
    bool has_entity = false;
    for (size_t i = 0; i < group->part_count; i++) {
        put_part(arena, &out, plan, group->parts[i]);
        has_entity = has_entity || str_starts(group->parts[i]->id, "entity:");
    }
    if (has_entity)
        buf_puts(&out, "Each of the entities has a list with search, filters and pages, a form to add and to change, a "
                       "page for one row with what belongs to it, and the API "
                       "described in ROUTES.md. Faults are named at the field; unknown ids answer 404.\n\n");
    buf_puts(&out, "## Files\n\n");
    for (size_t i = 0; i < group->part_count; i++)
        for (size_t p = 0; p < group->parts[i]->path_count; p++)
            buf_printf(&out, "- `%s`\n", group->parts[i]->paths[p]);
    buf_puts(&out, "\nChange nothing outside the path scope of this task.\n\n");
    put_criteria(&out, plan, criteria);
    return arena_strndup(arena, out.data, out.len > 0 ? out.len - 1 : 0);
}
