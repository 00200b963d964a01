/* job: a unit of queue work, and the lease a worker holds on it. */
#ifndef MODEL_JOB_H
#define MODEL_JOB_H

#include <stdint.h>

#include "base/id.h"
#include "model/states.h"

/* A time-limited hold. The token grows at every claim of a job: whoever comes with an older one is refused. */
struct lease {
    char worker[ID_LEN];
    int64_t token;
    int64_t expires_ms;
};

struct job {
    char id[ID_LEN];
    enum job_kind kind;
    enum job_state state;
    char project_id[ID_LEN];
    char run_id[ID_LEN];     /* "" when it belongs to no run */
    char subject_id[ID_LEN]; /* the task, export or deployment; "" for the run itself */
    /* While one job with this key is claimed no other is; while one is pending a second enqueue is dropped. "" for
     * none. */
    char exclusive_key[ID_LEN * 2];
    const char *payload_json; /* or NULL */
    int64_t run_after_ms;
    int64_t attempts;      /* claims that ended in failure */
    int64_t interruptions; /* claims that ended by a lost lease */
    int64_t max_attempts;
    const char *last_error;
    struct lease lease;
    int64_t created_ms;
};

#endif
