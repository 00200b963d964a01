/* blueprint: the catalog and the stacks as loaded data, and the view of a plan that templates see. See
 * docs/blueprints.md. */
#ifndef BLUEPRINT_BLUEPRINT_H
#define BLUEPRINT_BLUEPRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* The data: compiled in, or a folder of the same shape. Immutable after loading; shared by all threads. */
struct assets;
/* dir NULL: the compiled-in ones. */
MUST_CHECK int assets_open(struct assets **out, const char *dir, struct err *err);
void assets_close(struct assets *assets);
/* Borrowed until close; NULL if there is no such file. path as "features/boards.json". */
const char *assets_get(const struct assets *assets, const char *path, size_t *len);
/* Paths that begin with prefix, sorted. */
void assets_list(const struct assets *assets, const char *prefix, struct arena *arena, const char ***paths,
                 size_t *count);

/* A stack: parts, each with files. Immutable after loading. */
struct stack;
MUST_CHECK int stack_open(struct stack **out, const struct assets *assets, const char *name, struct err *err);
void stack_close(struct stack *stack);
/* argv of "install", "typecheck", "build", "test", "start", from the stack's commands; NULL-terminated, NULL if it has
 * none. */
const char *const *stack_command(const struct stack *stack, const char *name);

/* The plan, decorated. Owned by the arena. Fails with ERR_VALIDATION on a plan that breaks the format. */
MUST_CHECK int blueprint_view(const json_t *plan, struct arena *arena, json_t **view, struct err *err);

/* One part of this plan: "foundation", "entity:tasks", "view:board". */
struct part {
    const char *id;
    const char *kind; /* key in stack.json: "entity", "view.board" */
    const char *title;
    json_t *subject;    /* the decorated entity or view, or NULL; borrowed from the view */
    const char **needs; /* ids of parts of this plan */
    size_t need_count;
    const char **scope; /* rendered globs */
    size_t scope_count;
    const char **paths; /* rendered paths of its files */
    size_t path_count;
};
/* Every part that this plan calls for, in an order in which needs come first. view from blueprint_view. */
MUST_CHECK int stack_parts(const struct stack *stack, json_t *view, struct arena *arena, struct part **parts,
                           size_t *count, struct err *err);

/* Renders the files of one part in order. fn's non-zero return stops and is returned. */
typedef int part_file_fn(const char *path, const char *data, size_t len, void *arg, struct err *err);
MUST_CHECK int stack_render(const struct stack *stack, json_t *view, const struct part *part, part_file_fn *fn,
                            void *arg, struct err *err);

/* The catalog of features: the parsed files of features/, each checked against the format at loading (errors name file
 * and key). */
struct catalog;
MUST_CHECK int catalog_open(struct catalog **out, const struct assets *assets, struct err *err);
void catalog_close(struct catalog *catalog);
/* The feature objects in order of their slugs; borrowed. */
const json_t *catalog_features(const struct catalog *catalog);
const json_t *catalog_feature(const struct catalog *catalog, const char *slug); /* NULL if none */

#endif
