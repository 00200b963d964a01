/* toolchain: running the stack's commands on an app in a folder, and starting the app. */
#ifndef ENGINE_TOOLCHAIN_H
#define ENGINE_TOOLCHAIN_H

#include "engine/context.h"
#include "sandbox/sandbox.h"

/* An app in a folder. */
struct app {
    struct engine *engine;
    const char *dir;                 /* its files */
    const char *home;                /* HOME and TMPDIR of its commands; beside dir, never in it */
    const char *data;                /* where it may keep its data */
    bool (*is_cancelled)(void *arg); /* may be NULL */
    void *cancel_arg;
};

/* One of the stack's commands ("install", "build" …) to its end. A non-zero exit is in *out, not an error. */
MUST_CHECK int app_command(const struct app *app, const char *name, struct arena *arena, struct sandbox_result *out,
                           struct err *err);
/* Starts the app on a free port of 127.0.0.1 and waits until it answers. On failure nothing is left running, and the
 * message holds the end of its output. */
MUST_CHECK int app_start(const struct app *app, struct sandbox_service **out, int *port, struct err *err);

#endif
