/* health: what a look at the parts says of them. Looking is apart from judging, so that each cause can be tested. */
#ifndef ENGINE_HEALTH_H
#define ENGINE_HEALTH_H

#include "engine/engine.h"
#include "engine/worker.h"

struct health_look {
    const char *database_fault; /* why it does not answer, or takes no more writes; NULL: it does */
    int64_t commit_ms;          /* how long the writes under way take by now */
    int64_t disk_free_bytes;    /* of the data directory; negative: nobody knows */
    int64_t disk_total_bytes;
    struct workers_state workers;
    const char *fence_fault;  /* why commands are not fenced in, though they should be where it is possible; or NULL */
    const char *agents_fault; /* why the agent that is asked first cannot work; NULL: it can */
    bool has_agent;           /* somebody can */
    int64_t lease_ms;
    bool has_due_jobs;
};

/* Fills levels and reasons, in the arena. */
void health_judge(const struct health_look *look, struct arena *arena, struct engine_health *out);

#endif
