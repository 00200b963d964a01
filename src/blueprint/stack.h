/* stack: the loaded stack.json. Private to stack*.c. */
#ifndef BLUEPRINT_STACK_H
#define BLUEPRINT_STACK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "blueprint/blueprint.h"

struct stack_file {
    const char *template; /* its path among the assets */
    const char *text;
    size_t len;
    const char *path; /* a template itself */
    const char *when; /* or NULL */
    bool is_copy;
};

enum stack_each { EACH_ONCE, EACH_ENTITY, EACH_VIEW };

struct stack_part {
    const char *kind;
    enum stack_each each;
    const char *view_kind; /* of EACH_VIEW */
    const char *title;
    const char *when; /* or NULL */
    const char **needs;
    size_t need_count;
    const char **scope;
    size_t scope_count;
    struct stack_file *files;
    size_t file_count;
    size_t order; /* its place when needs come first */
};

struct stack_command {
    const char *name;
    const char **argv; /* NULL-terminated */
};

struct stack {
    const struct assets *assets;
    const char *folder; /* "stacks/next" */
    struct arena *arena;
    struct stack_command *commands;
    size_t command_count;
    struct stack_part *parts;
    size_t part_count;
};

const struct stack_part *stack_part_find(const struct stack *stack, const char *kind); /* NULL if there is none */

#endif
