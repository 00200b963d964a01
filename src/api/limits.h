/* limits: how often somebody has come within a minute. Counted in this process; what it answers is all that a shared
 * counter would have to. */
#ifndef API_LIMITS_H
#define API_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct limits;

#define LIMITS_WINDOW_MS 60000

struct allowance {
    int64_t limit, remaining; /* requests in this window */
    int64_t left_ms;          /* until the window ends */
    bool is_over;             /* this one was too many, and is not counted */
};

/* Remembers at most capacity names; beyond it the ones whose windows ended are forgotten first, then any. */
struct limits *limits_create(size_t capacity);
void limits_destroy(struct limits *limits); /* accepts NULL */

/* Counts cost (0: only looks) for name against limit. A window begins with the first that comes. now_ms is monotonic.
 * From any thread. */
struct allowance limits_take(struct limits *limits, const char *name, int64_t limit, int64_t cost, int64_t now_ms);
/* Takes one back that was counted in this window. */
void limits_give_back(struct limits *limits, const char *name, int64_t now_ms);

#endif
