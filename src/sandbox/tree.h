/* tree: all processes that come from one command: finding them, signalling them, killing them to the last.
 *
 * A process belongs to the tree if it is in the group or session of the command's first process, carries the command's
 * tag (see tag.h), descends from one that belongs, or belonged when last looked at. The first process must stay
 * unreaped as long as the tree is used: so its number stays taken, and with it that of its group and session. */
#ifndef SANDBOX_TREE_H
#define SANDBOX_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sandbox/process.h"
#include "sandbox/tag.h"

/* Used by one thread at a time. */
struct tree {
    pid_t first;          /* 0 for trees left by an earlier server */
    uint64_t start_ticks; /* of the first process: nothing older belongs */
    bool has_fence;       /* the first is bubblewrap, which must not be asked to end: with it, all end at once */
    uint64_t mark;
    const char *variable;        /* not owned; for trees left it is a prefix */
    struct process_list members; /* at the last look */
    struct process_list all;     /* scratch */
    size_t found;                /* distinct live processes found so far */
    size_t vanished;             /* processes of the machine that ended during the last look */
};

void tree_init(struct tree *tree, pid_t first, const struct tag *tag);
/* Whatever carries a tag that starts so, except this process and its ancestors. None of it is reaped. */
void tree_init_left(struct tree *tree, const char *variable_prefix);
void tree_release(struct tree *tree);

/* Looks anew, and reaps those zombies that came to this process as orphans. Returns how many live; SIZE_MAX if it
 * cannot be seen. */
size_t tree_look(struct tree *tree);
/* Signals all that live, but for the fence. */
void tree_signal(struct tree *tree, int signal);
/* Stops all, so that nothing forks any more, then kills until nothing is left. False if something outlives the
 * deadline. The first process stays a zombie. */
bool tree_kill(struct tree *tree, int64_t deadline_mono_ms);

#endif
