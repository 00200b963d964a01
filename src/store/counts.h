/* counts: how much there is of everything, by state. */
#ifndef STORE_COUNTS_H
#define STORE_COUNTS_H

#include "model/spending.h"
#include "model/states.h"
#include "store/db.h"

struct store_counts {
    int64_t projects[PROJECT_ARCHIVED + 1]; /* by enum project_state, as all below by theirs */
    int64_t runs[RUN_CANCELLED + 1];
    int64_t jobs[JOB_DEAD + 1];
    int64_t deployments[DEPLOYMENT_STOPPED + 1];
    int64_t webhook_deliveries[DELIVERY_FAILED + 1];
    struct usage_sum used, used_this_month; /* by calls of models */
    struct spending_limits reserved;        /* for those under way */
    int64_t jobs_due;                       /* of the pending ones, those whose time has come */
};
MUST_CHECK int store_counts(struct db *db, int64_t now_ms, struct store_counts *out, struct err *err);

#endif
