/* tools: what build commands get of the machine: their environment, and the folders behind the fence. */
#ifndef ENGINE_TOOLS_H
#define ENGINE_TOOLS_H

#include "engine/context.h"
#include "sandbox/sandbox.h"

/* Of an engine; looked up once, since npm takes a moment to answer. */
struct tools {
    const char *const *env;               /* PATH, npm's settings … */
    const struct sandbox_folder *folders; /* where Node lies, if not with the system; npm's certificates */
    size_t folder_count;
    const char *cache;        /* npm's, made */
    const char *const *hosts; /* npm's registry */
    bool has_proxy;           /* the server itself reaches the network by one */
};
const struct tools *tools_of(struct engine *engine);

#endif
