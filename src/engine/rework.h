/* rework: what verification found wrong, traced to the tasks that were to bring it about, which are done again. */
#ifndef ENGINE_REWORK_H
#define ENGINE_REWORK_H

#include "engine/journal.h"

/* In the transaction that concludes a verification that failed: the tasks whose criteria failed are pending again, told
 * what was found, and the run executes; what they do is merged on top of what is there, and verified anew. *is_sent is
 * false, and nothing is changed, when nobody can put it right: no task is to blame, those that are have no attempt
 * left or an agent that does not learn, or a criterion cannot be proven at all. result: verificationResult. */
MUST_CHECK int rework_begin(struct journal *journal, struct run *run, const json_t *result, bool *is_sent,
                            struct err *err);

/* What the next attempt of a task whose work did not merge is told: each path with what is there now (cut), and the
 * task's own change. In the arena. */
struct merge_result;
const char *rework_conflict(struct repo *repo, struct arena *arena, const char *head_sha, const struct task *task,
                            const struct merge_result *merge);

#endif
