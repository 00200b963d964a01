/* model_stuck: notices a model that goes in circles. */
#ifndef AGENT_MODEL_STUCK_H
#define AGENT_MODEL_STUCK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STUCK_REPEATS = 3,     /* the same call so often in a row */
    STUCK_IDLE_STEPS = 10, /* answers without a change of a file, or a call that was not made since the last */
    STUCK_FAULTS = 5,      /* calls in a row that are none */
    STUCK_SEEN_MAX = 512,
};

/* Zeroed at the beginning. */
struct stuck {
    uint64_t last;
    int repeats;
    uint64_t seen[STUCK_SEEN_MAX]; /* calls since the last change */
    size_t seen_count;
    int idle_steps, faults;
    bool is_new; /* this answer brought something new */
    bool is_warned;
};

/* A call as it was made; is_fault: its arguments, or its name, were none. */
void stuck_note_call(struct stuck *stuck, const char *name, const json_t *arguments, bool is_fault);
/* A file was changed: all may be looked at again, and a warning has had its effect. */
void stuck_note_change(struct stuck *stuck);

enum stuck_verdict { STUCK_NOT, STUCK_WARN, STUCK_FAIL };
/* At the end of each answer. why: what is the matter; set for all but STUCK_NOT. */
enum stuck_verdict stuck_end_step(struct stuck *stuck, const char **why);

#endif
