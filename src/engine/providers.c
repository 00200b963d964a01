/* providers: where this server can deploy to, and whether it can now. */
#include "engine/providers.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "engine/worker.h"

static const struct provider providers[] = {
    {.name = "local",
     .description = "Serves the built app on this machine, on a free port of 127.0.0.1. One app a project: a new "
                    "deployment takes the place of the one before."},
};

const struct provider *provider_find(const char *name) {
    for (size_t i = 0; i < ARRAY_LEN(providers); i++)
        if (str_eq(providers[i].name, name))
            return &providers[i];
    return NULL;
}

const char *provider_names(struct arena *arena) {
    const char *names = "";
    for (size_t i = 0; i < ARRAY_LEN(providers); i++)
        names = arena_printf(arena, "%s%s%s", names, i ? ", " : "", providers[i].name);
    return names;
}

static bool is_on_path(struct arena *arena, const char *program) {
    char **folders;
    size_t count;
    str_split(arena, str_or(getenv("PATH"), "/usr/local/bin:/usr/bin:/bin"), ":", &folders, &count);
    for (size_t i = 0; i < count; i++)
        if (access(arena_printf(arena, "%s/%s", folders[i], program), X_OK) == 0)
            return true;
    return false;
}

/* Why nothing can be deployed on this machine now, or NULL. */
static const char *local_fault(struct engine *engine, struct arena *arena) {
    static const char *const tools[] = {"node", "npm"};
    int total, busy;
    for (size_t i = 0; i < ARRAY_LEN(tools); i++)
        if (!is_on_path(arena, tools[i]))
            return arena_printf(arena, "%s is not installed on this machine, or not on its PATH", tools[i]);
    workers_count(engine->workers, &total, &busy);
    return total == 0 ? "This server has no workers" : NULL;
}

void engine_providers(struct engine *engine, struct arena *arena, struct provider **out, size_t *count) {
    *count = ARRAY_LEN(providers);
    *out = arena_array(arena, *count, sizeof **out);
    for (size_t i = 0; i < *count; i++) {
        (*out)[i] = providers[i];
        (*out)[i].reason = local_fault(engine, arena);
    }
}
