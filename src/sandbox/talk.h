/* talk: what waits to be read by a command, which reads when it likes. */
#ifndef SANDBOX_TALK_H
#define SANDBOX_TALK_H

#include "base/buf.h"
#include "sandbox/sandbox.h"

struct sandbox_talk {
    int *fd; /* the launch's; -1 when it has ended */
    struct buf waiting;
    bool is_closing; /* it ends after what waits */
    bool is_over;
    int64_t end_mono_ms; /* when it is over: until then the command may end by itself */
};

/* With what spec begins with. */
void talk_init(struct sandbox_talk *talk, const struct sandbox_spec *spec, int *fd);
void talk_release(struct sandbox_talk *talk);
/* Whether there is something to do once the command reads. */
bool talk_is_due(const struct sandbox_talk *talk);
/* Writes as much as is taken. A command that no longer reads is none of our errors. */
void talk_flush(struct sandbox_talk *talk);

#endif
