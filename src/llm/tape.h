/* tape: calls of models kept in files, and answered from them again without a key or a network. */
#ifndef LLM_TAPE_H
#define LLM_TAPE_H

#include "llm/llm.h"

/* DIR/<scope>/<ordinal>.json holds the request, a hash of it, and the reply. The request is what does not depend on
 * which model is asked: so a recording made with one is answered for any. Texts of parts that are volatile are kept in
 * it, and do not count. One tape may be used by many threads; the calls of a scope are in order. */
struct llm_tape;
struct llm_tape *llm_tape_record(const char *dir);
struct llm_tape *llm_tape_replay(const char *dir);
void llm_tape_destroy(struct llm_tape *tape);

/* For llm_call. */
bool tape_is_replay(const struct llm_tape *tape); /* NULL: false */
MUST_CHECK int tape_record(struct llm_tape *tape, const struct llm_model *model, const struct llm_request *request,
                           const struct llm_reply *reply, struct arena *arena, struct err *err);
/* ERR_CONFLICT: the recording has no such call, or another in its place. */
MUST_CHECK int tape_replay(struct llm_tape *tape, const struct llm_request *request, struct arena *arena,
                           struct llm_reply *reply, struct err *err);

#endif
