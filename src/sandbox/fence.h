/* fence: the bubblewrap command that shuts a command in. */
#ifndef SANDBOX_FENCE_H
#define SANDBOX_FENCE_H

#include "base/arena.h"
#include "sandbox/sandbox.h"

#define FENCE_TMP "/tmp" /* private to each command */

struct sandbox_fence {
    char *dir;        /* of the files below */
    char *program;    /* bwrap */
    char *fault;      /* why it is down, or NULL */
    bool is_full;     /* bubblewrap knows of sizes, and can forbid namespaces within (0.8) */
    bool has_devices; /* device files of our own lie in dir: see fence.c */
};

/* Descriptors as the fence will have them; 0: none. */
struct fence_pipes {
    int info_fd;  /* bubblewrap writes there which process the command will be in */
    int block_fd; /* and waits for a byte here before it runs the command */
};

bool fence_is_up(const struct sandbox_fence *fence);
/* spec's argv, with bubblewrap before it. The program is still to be found in PATH, behind the fence. */
const char **fence_wrap(const struct sandbox_fence *fence, const struct sandbox_spec *spec,
                        const struct fence_pipes *pipes, struct arena *arena);
/* What bubblewrap said when it could not run the command: its output is that line alone; or NULL. */
const char *fence_complaint(const struct sandbox_fence *fence, int exit_code, const char *output);

#endif
