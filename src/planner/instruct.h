/* instruct: what a task tells the one who carries it out, person or agent. */
#ifndef PLANNER_INSTRUCT_H
#define PLANNER_INSTRUCT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "blueprint/blueprint.h"

/* Parts of a plan that become one task. */
struct task_group {
    const char *slug;
    const char *title;
    const json_t *module; /* or NULL */
    struct part **parts;
    size_t part_count;
    bool *needs; /* other groups, by index */
};

/* One line. */
const char *instruct_description(struct arena *arena, const json_t *plan, const struct task_group *group);
/* What to build, in which files, with which entities and rules, and by which criteria it is judged. */
const char *instruct_text(struct arena *arena, const json_t *plan, const struct task_group *group,
                          const json_t *criteria);

/* "Title: text, required, at most 160 characters" and the like; also for documents. */
const char *describe_field(struct arena *arena, const json_t *plan, const json_t *field);
const char *describe_rule(struct arena *arena, const json_t *plan, const json_t *entity, const json_t *rule);
const char *describe_view(struct arena *arena, const json_t *plan, const json_t *view);

#endif
