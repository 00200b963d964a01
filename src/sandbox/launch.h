/* launch: starting a command with its fence, its clean environment, its limits and its pipes. */
#ifndef SANDBOX_LAUNCH_H
#define SANDBOX_LAUNCH_H

#include <stdbool.h>

#include "base/err.h"
#include "base/proc.h"
#include "sandbox/sandbox.h"
#include "sandbox/tree.h"

struct proxy;

struct launch {
    struct proc proc;
    int output_fd;       /* what the command writes; does not block */
    int error_fd;        /* its standard error, or -1 where that is output, too */
    int input_fd;        /* what the command reads, where it is given something, or -1; does not block */
    struct proxy *proxy; /* to the hosts it may speak to, or NULL */
    struct tag tag;
    struct tree tree;
    int64_t started_mono_ms;
};

/* Starts it. A service has no default limits of time. The command is killed if this thread ends: its caller stays. */
MUST_CHECK int launch_start(struct launch *out, const struct sandbox_spec *spec, bool is_service, struct err *err);
/* Kills what is left of the tree and reaps the first process. ERR_INTERNAL if something cannot be killed. */
MUST_CHECK int launch_end(struct launch *launch, struct proc_exit *out, struct err *err);
void launch_release(struct launch *launch);

#endif
