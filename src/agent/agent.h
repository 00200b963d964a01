/* agent: carrying out one task in one worktree. */
#ifndef AGENT_AGENT_H
#define AGENT_AGENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "blueprint/blueprint.h"

struct agent_request {
    const json_t *definition; /* of the task */
    const json_t *plan;
    const char *worktree; /* absolute path */
    int64_t attempt;      /* from 1 */
    const char *feedback; /* why the last attempt failed, or NULL */
    struct arena *arena;
    bool (*is_cancelled)(void *arg);
    void *cancel_arg;
    /* Progress worth telling: a line of text. */
    void (*on_output)(const char *text, void *arg);
    void *output_arg;
};

struct agent_result {
    const char *summary; /* one line, in the request's arena */
    int64_t resets_ms;   /* with ERR_QUOTA: when there is quota again; 0: unknown */
};

/* One kind of agent. run leaves its work in the worktree and commits nothing; self is its own state. */
struct agent_ops {
    const char *name;
    bool learns; /* told what was wrong with its work, it may do better; otherwise the same comes of the same task */
    int (*run)(void *self, const struct agent_request *request, struct agent_result *result, struct err *err);
};

struct agent {
    const struct agent_ops *ops;
    void *self;
};

/* The blueprint agent: renders the parts that the definition names, and removes from the worktree what the task
 * "retire" names and files inside the task's pathScope that no part of it renders. Keeps a pointer to stack. */
void agent_blueprint_init(struct agent *agent, const struct stack *stack);

#endif
