/* model: the language model that the options name, and whether it answers. */
#ifndef CLI_MODEL_H
#define CLI_MODEL_H

#include "cli/options.h"
#include "llm/llm.h"

/* name NULL when the options name none. The key is the environment's PRAZIUM_MODEL_KEY, else that of --model-key-file.
 * Strings are in the arena, or the options'. */
MUST_CHECK int model_of(const struct options *options, struct arena *arena, struct llm_model *out, struct err *err);
/* Asks it one small question, and prints how that went and what to do about it. */
MUST_CHECK int model_examine(const struct options *options, struct arena *arena, struct err *err);

#endif
