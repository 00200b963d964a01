/* exchange: carries out the HTTP steps of checks against a running app, and keeps what was said as evidence.
 * The format of steps: docs/blueprints.md, "Checks". */
#ifndef ENGINE_EXCHANGE_H
#define ENGINE_EXCHANGE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

struct exchanges;

/* A client of the app at 127.0.0.1:port. Cookie jars and saved variables live as long as it does. is_cancelled as in
 * net_request. */
struct exchanges *exchanges_create(int port, bool (*is_cancelled)(void *arg), void *cancel_arg);
void exchanges_destroy(struct exchanges *exchanges); /* accepts NULL */

/* Runs the steps until one is not as expected. Appends to evidence, one object a step: note, request {method, path, as,
 * body}, response {status, body}, ok, fault. *fault: what was not as expected (in the arena), or NULL when all was.
 * Only a broken step (ours) or a cancelled run is an error. */
MUST_CHECK int exchanges_run(struct exchanges *exchanges, const json_t *steps, struct arena *arena, json_t *evidence,
                             const char **fault, struct err *err);

/* The routes ("GET /tasks/[id]") that steps have exercised as expected so far. */
bool exchanges_covered(const struct exchanges *exchanges, const char *route);

#endif
