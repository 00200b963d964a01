/* tag: how processes of a command are told from all others, wherever they moved to.
 *
 * Two things are inherited by every descendant. The environment has PRAZIUM_COMMAND=<tag>/<command>; a program may drop
 * it. The hard limit of RLIMIT_RTTIME has a number that is the command's own: 2^62 and more microseconds of real-time
 * scheduling limit nothing, without privilege it can only be lowered, and it can be read of zombies too. */
#ifndef SANDBOX_TAG_H
#define SANDBOX_TAG_H

#include <stdbool.h>
#include <stdint.h>

struct tag {
    char *variable; /* PRAZIUM_COMMAND=<tag>/<command>; free() */
    uint64_t mark;  /* for RLIMIT_RTTIME; 0 where this process is itself so limited: then there is none */
};

void tag_make(struct tag *out);
/* A mark that no command of this process has, and not that of this process: one of ours lowered it. */
bool tag_is_stray_mark(uint64_t mark);

#endif
