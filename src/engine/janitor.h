/* janitor: sweeps what a crash or the passing of time left behind. */
#ifndef ENGINE_JANITOR_H
#define ENGINE_JANITOR_H

#include "engine/context.h"

/* Sweeps once before it returns, then every minute on a thread of its own. */
MUST_CHECK int janitor_start(struct janitor **out, struct engine *engine, struct err *err);
void janitor_stop(struct janitor *janitor); /* accepts NULL */
/* One sweep, now. is_quiet: nobody is at work yet, so that whatever is left over may go whatever its age. */
void janitor_sweep(struct engine *engine, bool is_quiet);

#endif
