/* start: what a server does before its first command. */
#include <errno.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sandbox/sandbox.h"
#include "sandbox/tree.h"

enum { KILL_TAGGED_MS = 10000 };

int sandbox_start(struct err *err) {
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return err_errno(err, ERR_INTERNAL, errno, "cannot become the reaper of orphaned processes");
    return 0;
}

int sandbox_kill_tagged(const char *tag) {
    CLEANUP(mem_freep) char *prefix = mem_printf("PRAZIUM_COMMAND=%s/", tag);
    CLEANUP(tree_release) struct tree tree;
    tree_init_left(&tree, prefix);
    (void)tree_kill(&tree, clock_mono_ms() + KILL_TAGGED_MS);
    return (int)tree.found;
}
